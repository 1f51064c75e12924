/* job.offered, read back: from now on the site has it, unless the story has moved on meanwhile. */
#include "base/text.h"
#include "services/dispatcher/handlers.h"
#include "services/dispatcher/job_move.h"
#include "services/dispatcher/offer.h"

static void ticket_follow(struct tables *tables, const struct event *event,
                          const struct job_offered *offer, enum job_state state)
{
    struct ticket *ticket = table_change(tables, DISPATCHER_TICKET, event->key);
    bool waited = ticket->waiting_pos != 0;
    ticket->offers = dispatcher_job_k(offer->job);
    ticket->tier = offer->tier;
    if (state != JOB_OFFERED)
        return;
    ticket->live = ticket->offers;
    ticket->waiting_pos = 0;
    ticket->retry_us = 0;
    struct network *network =
        waited ? table_change(tables, DISPATCHER_NETWORK, DISPATCHER_NETWORK_KEY) : NULL;
    if (network != NULL)
        network->fired_us = 0; /* others that wait may be looked at now */
}

bool dispatcher_apply_job_offered(struct tables *tables, const struct event *event,
                                  const void *data)
{
    const struct job_offered *offer = data;
    const struct ticket *ticket = table_get(tables, DISPATCHER_TICKET, event->key);
    int64_t k = dispatcher_job_k(offer->job);
    char id[JOB_CAP];
    if (ticket == NULL || k <= ticket->offers)
        return true;
    dispatcher_job_id(event->key, k, id);
    if (!text_equal(id, offer->job))
        return tables_trouble(tables, "job %s is not one of ticket %s", offer->job, event->key);
    struct job_step step =
        dispatcher_job_next(JOB_NONE, NEWS_OFFERED, dispatcher_standing(tables, ticket, k));
    struct job *job = dispatcher_job_enter(tables, event, offer, step.state);
    if (step.counter != NULL) {
        text_copy(job->reason, sizeof job->reason, step.counter);
        dispatcher_wake(tables, event); /* the room kept for it is free again */
    }
    ticket_follow(tables, event, offer, step.state);
    return true;
}

void dispatcher_decide_job_offered(struct run *run, const struct tables *tables,
                                   const struct event *event, const void *data)
{
    const struct job_offered *offer = data;
    const struct ticket *ticket;
    const struct job *job = dispatcher_job_of(tables, event->key, offer->job, &ticket);
    if (job != NULL && job->state == JOB_WITHDRAWN && job->changed_pos == (int64_t)event->pos)
        dispatcher_withdraw(run, job, job->reason);
}
