/* The site's answer to an offer: job.accepted, job.declined, or none in time: job.expired. */
#include "base/text.h"
#include "services/dispatcher/engineers.h"
#include "services/dispatcher/handlers.h"
#include "services/dispatcher/job_move.h"
#include "services/dispatcher/offer.h"
#include <inttypes.h>

/* Set by this event, and by no other. */
static const struct job *job_changed(const struct tables *tables, const struct event *event,
                                     const char *job_id, const struct ticket **ticket)
{
    const struct job *job = dispatcher_job_of(tables, event->key, job_id, ticket);
    return job != NULL && job->changed_pos == (int64_t)event->pos ? job : NULL;
}

bool dispatcher_apply_job_accepted(struct tables *tables, const struct event *event,
                                   const void *data)
{
    const struct job_accepted *accepted = data;
    struct job *job = dispatcher_job_move(tables, event, accepted->job, NEWS_ACCEPTED);
    if (job == NULL)
        return true;
    text_copy(job->implied, sizeof job->implied, accepted->implied);
    job->answered_us = dispatcher_fact_us(tables, event);
    dispatcher_engineer_named(tables, event, accepted->job, accepted->engineer);
    return true;
}

void dispatcher_decide_job_accepted(struct run *run, const struct tables *tables,
                                    const struct event *event, const void *data)
{
    const struct job_accepted *accepted = data;
    const struct ticket *ticket;
    const struct job *job = job_changed(tables, event, accepted->job, &ticket);
    if (job != NULL)
        dispatcher_take_from_newer(run, tables, ticket, job);
    else
        dispatcher_counter(run, tables, event->key, accepted->job, NEWS_ACCEPTED);
}

bool dispatcher_apply_job_declined(struct tables *tables, const struct event *event,
                                   const void *data)
{
    const struct job_declined *declined = data;
    struct job *job = dispatcher_job_move(tables, event, declined->job, NEWS_DECLINED);
    if (job == NULL)
        return true;
    text_copy(job->reason, sizeof job->reason, declined->reason);
    job->answered_us = dispatcher_fact_us(tables, event);
    return true;
}

static void next_one(struct run *run, const struct tables *tables, const struct event *event,
                     const char *job_id, const char *why)
{
    const struct ticket *ticket;
    struct offer_wish wish = {.now_us = dispatcher_now_us(run, event), .why = why};
    if (job_changed(tables, event, job_id, &ticket) != NULL)
        dispatcher_offer(run, tables, event->key, &wish);
}

void dispatcher_decide_job_declined(struct run *run, const struct tables *tables,
                                    const struct event *event, const void *data)
{
    const struct job_declined *declined = data;
    next_one(run, tables, event, declined->job, "declined");
}

bool dispatcher_apply_job_expired(struct tables *tables, const struct event *event,
                                  const void *data)
{
    const struct job_expired *expired = data;
    struct job *job = dispatcher_job_move(tables, event, expired->job, NEWS_EXPIRED);
    if (job != NULL)
        job->answered_us = dispatcher_fact_us(tables, event);
    return true;
}

void dispatcher_decide_job_expired(struct run *run, const struct tables *tables,
                                   const struct event *event, const void *data)
{
    const struct job_expired *expired = data;
    next_one(run, tables, event, expired->job, "expired");
}

void dispatcher_on_job_due(struct run *run, const struct tables *tables, const void *row)
{
    const struct job *job = row;
    const struct ticket *ticket = table_get(tables, DISPATCHER_TICKET, job->ticket);
    int64_t k = dispatcher_job_k(job->job);
    if (ticket == NULL || ticket->state != TICKET_OPEN || ticket->live != k)
        return; /* it is being withdrawn */
    if (job->silence == SILENCE_ACCEPTS) {
        dispatcher_imply(run, job, "silence");
        return;
    }
    char slot[EVENT_ID_CAP];
    struct job_expired expired = {.due_us = job->due_us};
    text_copy(expired.job, sizeof expired.job, job->job);
    text_copy(expired.site, sizeof expired.site, job->site);
    text_format(slot, sizeof slot, "dispatcher/%s/expired/%" PRId64, job->ticket, k);
    conclude(run, slot, "job.expired", job->ticket, &job_expired_record, &expired);
}
