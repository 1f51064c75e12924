/* ticket.cancelled, ticket.closed, and its coming back: ticket.reopened. */
#include "services/follow-up/handlers.h"

/* Nobody is to be asked any more about the present resolution. */
static void void_callback(struct tables *tables, const struct event *event, int64_t k)
{
    if (k != 0)
        follow_up_callback_move(tables, event, k, CALLBACK_NEWS_VOID);
}

static struct ticket *ticket_enter(struct tables *tables, const struct event *event,
                                   enum ticket_state state)
{
    struct ticket *ticket = table_change(tables, FOLLOW_UP_TICKET, event->key);
    ticket->state = (int)state;
    ticket->changed_pos = (int64_t)event->pos;
    return ticket;
}

bool follow_up_apply_ticket_cancelled(struct tables *tables, const struct event *event,
                                      const void *data)
{
    (void)data;
    const struct ticket *seen = table_get(tables, FOLLOW_UP_TICKET, event->key);
    if (seen != NULL && seen->state == TICKET_OPEN)
        ticket_enter(tables, event, TICKET_CANCELLED);
    return true;
}

void follow_up_decide_ticket_cancelled(struct run *run, const struct tables *tables,
                                       const struct event *event, const void *data)
{
    (void)data;
    const struct ticket *ticket = table_get(tables, FOLLOW_UP_TICKET, event->key);
    if (ticket != NULL && ticket->state == TICKET_CANCELLED &&
        ticket->changed_pos == (int64_t)event->pos)
        follow_up_close(run, event->key, "cancelled", "cancelled", 0);
}

bool follow_up_apply_ticket_closed(struct tables *tables, const struct event *event,
                                   const void *data)
{
    (void)data;
    const struct ticket *seen = table_get(tables, FOLLOW_UP_TICKET, event->key);
    if (seen == NULL || !seen->open ||
        (seen->state != TICKET_RESOLVED && seen->state != TICKET_CANCELLED))
        return true;
    void_callback(tables, event, seen->k);
    struct ticket *ticket = ticket_enter(
        tables, event, seen->state == TICKET_RESOLVED ? TICKET_CLOSED : TICKET_CANCELLED);
    ticket->closed_us = follow_up_fact_us(tables, ticket, event, event->at_us);
    ticket->open = false;
    return true;
}

/* A closed ticket comes back only within the policy's days; later it is a new one. */
static bool may_reopen(const struct tables *tables, const struct ticket *ticket,
                       const struct event *event)
{
    if (ticket->state == TICKET_RESOLVED)
        return true;
    if (ticket->state != TICKET_CLOSED)
        return false;
    const struct policy *policy = reference_policy(tables, ticket->policy);
    return policy == NULL || policy->reopen_within.unit == SPAN_NONE ||
           follow_up_fact_us(tables, ticket, event, event->at_us) <=
               follow_up_span_end_us(tables, policy, ticket->closed_us, policy->reopen_within);
}

bool follow_up_apply_ticket_reopened(struct tables *tables, const struct event *event,
                                     const void *data)
{
    (void)data;
    const struct ticket *seen = table_get(tables, FOLLOW_UP_TICKET, event->key);
    if (seen == NULL || !may_reopen(tables, seen, event))
        return true;
    void_callback(tables, event, seen->k);
    struct ticket *ticket = ticket_enter(tables, event, TICKET_OPEN);
    ticket->closed_us = 0;
    ticket->open = true;
    return true;
}
