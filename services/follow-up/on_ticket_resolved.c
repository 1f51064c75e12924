/* ticket.resolved: a callback is planned, or the ticket can be closed without one. */
#include "base/text.h"
#include "policy/due.h"
#include "proto/ticket.h"
#include "services/follow-up/handlers.h"
#include <inttypes.h>

const struct policy_followup *follow_up_line(const struct tables *tables,
                                             const struct ticket *ticket,
                                             const struct policy **policy)
{
    *policy = reference_policy(tables, ticket->policy);
    struct policy_subject subject = {.kind = ticket->kind,
                                     .region = ticket->region,
                                     .priority = ticket->priority,
                                     .product = ticket->product,
                                     .channel = ticket->channel,
                                     .coverage = ticket->coverage};
    return *policy != NULL ? policy_followup(*policy, &subject) : NULL;
}

int64_t follow_up_span_end_us(const struct tables *tables, const struct policy *policy,
                              int64_t from_us, struct span span)
{
    bool hours = span.unit == SPAN_WORKING_HOURS;
    if (hours || span.unit == SPAN_WORKING_DAYS) {
        const char *name = policy->calendars.n > 0 ? policy->calendars.items : "";
        const struct calendar *calendar = reference_calendar(tables, name);
        if (calendar != NULL)
            return instant_kept(hours ? calendar_add(calendar, from_us, span.n * HOUR_US)
                                      : calendar_add_working_days(calendar, from_us, span.n));
    }
    return policy_span_end_us(policy, from_us, span);
}

int64_t follow_up_fact_us(const struct tables *tables, const struct ticket *ticket,
                          const struct event *event, int64_t at_us)
{
    const struct policy *policy = reference_policy(tables, ticket->policy);
    return policy != NULL ? policy_fact_us(policy, at_us, event->rec_us, ticket->opened_us)
                          : event->rec_us;
}

static void plan_callback(struct tables *tables, const struct event *event,
                          const struct ticket *ticket, const struct ticket_resolved *resolved)
{
    const struct policy *policy;
    const struct policy_followup *line = follow_up_line(tables, ticket, &policy);
    if (line == NULL)
        return;
    char id[CALLBACK_CAP];
    follow_up_callback_id(ticket->ticket, ticket->k, id);
    struct callback *callback = table_new(tables, FOLLOW_UP_CALLBACK, id);
    text_copy(callback->ticket, sizeof callback->ticket, ticket->ticket);
    text_copy(callback->region, sizeof callback->region, ticket->region);
    text_copy(callback->kind, sizeof callback->kind, ticket->kind);
    callback->k = ticket->k;
    callback->state = CALLBACK_SCHEDULED;
    callback->changed_pos = (int64_t)event->pos;
    callback->resolved_us = follow_up_fact_us(
        tables, ticket, event, resolved->resolved_us != 0 ? resolved->resolved_us : event->at_us);
    callback->due_us = follow_up_span_end_us(tables, policy, callback->resolved_us, line->after);
    if (line->window.unit != SPAN_NONE)
        callback->until_us = follow_up_span_end_us(tables, policy, callback->due_us, line->window);
    callback->open = true;
}

bool follow_up_apply_ticket_resolved(struct tables *tables, const struct event *event,
                                     const void *data)
{
    const struct ticket *seen = table_get(tables, FOLLOW_UP_TICKET, event->key);
    if (seen == NULL || seen->state != TICKET_OPEN)
        return true;
    struct ticket *ticket = table_change(tables, FOLLOW_UP_TICKET, event->key);
    ticket->state = TICKET_RESOLVED;
    ticket->changed_pos = (int64_t)event->pos;
    ticket->k++;
    plan_callback(tables, event, ticket, data);
    return true;
}

void follow_up_close(struct run *run, const char *ticket, const char *which, const char *reason,
                     int64_t score)
{
    char slot[EVENT_ID_CAP];
    struct ticket_closed closed = {.score = score};
    text_copy(closed.reason, sizeof closed.reason, reason);
    text_format(slot, sizeof slot, "follow-up/%s/closed/%s", ticket, which);
    conclude(run, slot, "ticket.closed", ticket, &ticket_closed_record, &closed);
}

void follow_up_decide_ticket_resolved(struct run *run, const struct tables *tables,
                                      const struct event *event, const void *data)
{
    (void)data;
    const struct policy *policy;
    const struct ticket *ticket = table_get(tables, FOLLOW_UP_TICKET, event->key);
    if (ticket == NULL || ticket->changed_pos != (int64_t)event->pos ||
        follow_up_line(tables, ticket, &policy) != NULL)
        return;
    char which[24];
    text_format(which, sizeof which, "%" PRId64, ticket->k);
    follow_up_close(run, event->key, which, "no-callback", 0);
}
