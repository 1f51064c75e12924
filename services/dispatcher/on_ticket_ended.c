/* The ends of a ticket, and its coming back: ticket.resolved, .cancelled, .closed, .reopened. */
#include "base/text.h"
#include "policy/due.h"
#include "proto/ticket.h"
#include "services/dispatcher/handlers.h"
#include "services/dispatcher/job_move.h"
#include "services/dispatcher/offer.h"

/* Nobody is looked for any more. */
static void ticket_end(struct ticket *ticket, enum ticket_state state)
{
    ticket->state = (int)state;
    ticket->waiting_pos = 0;
    ticket->retry_us = 0;
}

static const struct job *job_k(const struct tables *tables, const struct ticket *ticket, int64_t k)
{
    char id[JOB_CAP];
    if (k == 0)
        return NULL;
    dispatcher_job_id(ticket->ticket, k, id);
    return table_get(tables, DISPATCHER_JOB, id);
}

/* Resolved by a fact: the job that is live did it, unless another one is named. Being offered, it
 * counts as taken. */
static void live_job_did_it(struct tables *tables, const struct event *event,
                            const struct ticket_resolved *resolved, int64_t live)
{
    char id[JOB_CAP];
    dispatcher_job_id(event->key, live, id);
    if (resolved->job[0] != '\0' && !text_equal(resolved->job, id))
        return;
    const struct job *seen = table_get(tables, DISPATCHER_JOB, id);
    if (seen == NULL)
        return;
    bool was_offered = seen->state == JOB_OFFERED;
    struct job *job = dispatcher_job_move(tables, event, id, NEWS_RESOLVED);
    if (job == NULL)
        return;
    text_copy(job->outcome, sizeof job->outcome, resolved->outcome);
    if (was_offered) {
        text_copy(job->implied, sizeof job->implied, "resolved");
        job->answered_us =
            resolved->resolved_us != 0 ? resolved->resolved_us : dispatcher_fact_us(tables, event);
    }
}

bool dispatcher_apply_ticket_resolved(struct tables *tables, const struct event *event,
                                      const void *data)
{
    const struct ticket *seen = table_get(tables, DISPATCHER_TICKET, event->key);
    if (seen == NULL || (seen->state != TICKET_OPEN && seen->state != TICKET_REPORTED))
        return true;
    if (seen->live != 0)
        live_job_did_it(tables, event, data, seen->live);
    ticket_end(table_change(tables, DISPATCHER_TICKET, event->key), TICKET_RESOLVED);
    return true;
}

void dispatcher_decide_ticket_resolved(struct run *run, const struct tables *tables,
                                       const struct event *event, const void *data)
{
    (void)data;
    const struct ticket *ticket = table_get(tables, DISPATCHER_TICKET, event->key);
    if (ticket == NULL || ticket->state != TICKET_RESOLVED)
        return;
    const struct job *last = job_k(tables, ticket, ticket->last);
    if (last != NULL && last->changed_pos == (int64_t)event->pos &&
        text_equal(last->implied, "resolved"))
        dispatcher_imply(run, last, "resolved");
    const struct job *live = job_k(tables, ticket, ticket->live);
    if (live != NULL)
        dispatcher_withdraw(run, live, "resolved");
}

bool dispatcher_apply_ticket_cancelled(struct tables *tables, const struct event *event,
                                       const void *data)
{
    (void)data;
    const struct ticket *seen = table_get(tables, DISPATCHER_TICKET, event->key);
    if (seen == NULL || (seen->state != TICKET_OPEN && seen->state != TICKET_REPORTED))
        return true;
    ticket_end(table_change(tables, DISPATCHER_TICKET, event->key), TICKET_CANCELLED);
    return true;
}

void dispatcher_decide_ticket_cancelled(struct run *run, const struct tables *tables,
                                        const struct event *event, const void *data)
{
    (void)data;
    const struct ticket *ticket = table_get(tables, DISPATCHER_TICKET, event->key);
    if (ticket == NULL || ticket->state != TICKET_CANCELLED)
        return;
    const struct job *live = job_k(tables, ticket, ticket->live);
    if (live != NULL)
        dispatcher_withdraw(run, live, "cancelled");
}

bool dispatcher_apply_ticket_closed(struct tables *tables, const struct event *event,
                                    const void *data)
{
    (void)data;
    const struct ticket *seen = table_get(tables, DISPATCHER_TICKET, event->key);
    if (seen == NULL || (seen->state != TICKET_RESOLVED && seen->state != TICKET_CANCELLED))
        return true;
    struct ticket *ticket = table_change(tables, DISPATCHER_TICKET, event->key);
    if (ticket->state == TICKET_RESOLVED)
        ticket->state = TICKET_CLOSED;
    ticket->closed_us = dispatcher_fact_us(tables, event);
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
           dispatcher_fact_us(tables, event) <=
               policy_span_end_us(policy, ticket->closed_us, policy->reopen_within);
}

bool dispatcher_apply_ticket_reopened(struct tables *tables, const struct event *event,
                                      const void *data)
{
    (void)data;
    const struct ticket *seen = table_get(tables, DISPATCHER_TICKET, event->key);
    if (seen == NULL || !may_reopen(tables, seen, event))
        return true;
    struct ticket *ticket = table_change(tables, DISPATCHER_TICKET, event->key);
    ticket->state = TICKET_OPEN;
    ticket->round = ticket->offers;
    ticket->closed_us = 0;
    ticket->open = true;
    return true;
}

void dispatcher_decide_ticket_reopened(struct run *run, const struct tables *tables,
                                       const struct event *event, const void *data)
{
    (void)data;
    struct offer_wish wish = {
        .now_us = dispatcher_now_us(run, event), .why = "reopened", .quiet = false};
    dispatcher_offer(run, tables, event->key, &wish);
}
