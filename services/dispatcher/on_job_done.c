/* The site is at work: job.arrived, job.reported. Its first word about an offer is an acceptance
 * too. */
#include "base/text.h"
#include "proto/ticket.h"
#include "services/dispatcher/engineers.h"
#include "services/dispatcher/handlers.h"
#include "services/dispatcher/job_move.h"
#include "services/dispatcher/offer.h"
#include <inttypes.h>

static bool unanswered(enum job_state state)
{
    return state == JOB_OFFERED || state == JOB_EXPIRED;
}

static enum job_state state_of(const struct tables *tables, const char *job_id)
{
    const struct job *job = table_get(tables, DISPATCHER_JOB, job_id);
    return job != NULL ? (enum job_state)job->state : JOB_NONE;
}

static void imply_in_row(const struct tables *tables, struct job *job, const struct event *event)
{
    text_copy(job->implied, sizeof job->implied, "report");
    job->answered_us = dispatcher_fact_us(tables, event);
}

bool dispatcher_apply_job_arrived(struct tables *tables, const struct event *event,
                                  const void *data)
{
    const struct job_arrived *arrived = data;
    struct job *job = dispatcher_job_move(tables, event, arrived->job, NEWS_ARRIVED);
    if (job != NULL) {
        imply_in_row(tables, job, event);
    } else {
        const struct ticket *ticket;
        const struct job *seen = dispatcher_job_of(tables, event->key, arrived->job, &ticket);
        if (seen == NULL || seen->state != JOB_ACCEPTED || seen->arrived_us != 0)
            return true;
        job = table_change(tables, DISPATCHER_JOB, arrived->job);
    }
    job->arrived_us = dispatcher_fact_us(tables, event);
    dispatcher_engineer_named(tables, event, arrived->job, arrived->engineer);
    return true;
}

void dispatcher_decide_job_arrived(struct run *run, const struct tables *tables,
                                   const struct event *event, const void *data)
{
    const struct job_arrived *arrived = data;
    const struct ticket *ticket;
    const struct job *job = dispatcher_job_of(tables, event->key, arrived->job, &ticket);
    if (job != NULL && job->changed_pos == (int64_t)event->pos) {
        dispatcher_imply(run, job, "report");
        dispatcher_take_from_newer(run, tables, ticket, job);
    } else {
        dispatcher_counter(run, tables, event->key, arrived->job, NEWS_ARRIVED);
    }
}

static enum job_news news_of(const struct job_reported *reported)
{
    return text_equal(reported->outcome, "failed") ? NEWS_FAILED : NEWS_REPORTED;
}

bool dispatcher_apply_job_reported(struct tables *tables, const struct event *event,
                                   const void *data)
{
    const struct job_reported *reported = data;
    enum job_state before = state_of(tables, reported->job);
    dispatcher_engineer_named(tables, event, reported->job, reported->engineer);
    struct job *job = dispatcher_job_move(tables, event, reported->job, news_of(reported));
    if (job == NULL)
        return true;
    if (unanswered(before))
        imply_in_row(tables, job, event);
    if (reported->engineer[0] != '\0')
        text_copy(job->engineer, sizeof job->engineer, reported->engineer);
    job->reported_us = dispatcher_fact_us(tables, event);
    text_copy(job->outcome, sizeof job->outcome, reported->outcome);
    struct ticket *ticket = table_change(tables, DISPATCHER_TICKET, event->key);
    if (news_of(reported) == NEWS_REPORTED && ticket->state == TICKET_OPEN) {
        ticket->state = TICKET_REPORTED;
        ticket->waiting_pos = 0;
        ticket->retry_us = 0;
    }
    return true;
}

static void conclude_resolved(struct run *run, const struct job *job)
{
    char slot[EVENT_ID_CAP];
    struct ticket_resolved resolved = {.resolved_us = job->reported_us};
    text_copy(resolved.outcome, sizeof resolved.outcome, job->outcome);
    text_copy(resolved.job, sizeof resolved.job, job->job);
    text_format(slot, sizeof slot, "dispatcher/%s/resolved/%" PRId64, job->ticket,
                dispatcher_job_k(job->job));
    conclude(run, slot, "ticket.resolved", job->ticket, &ticket_resolved_record, &resolved);
}

void dispatcher_decide_job_reported(struct run *run, const struct tables *tables,
                                    const struct event *event, const void *data)
{
    const struct job_reported *reported = data;
    const struct ticket *ticket;
    const struct job *job = dispatcher_job_of(tables, event->key, reported->job, &ticket);
    if (job == NULL || job->changed_pos != (int64_t)event->pos)
        return;
    /* an arrival before it has implied the acceptance already */
    if (text_equal(job->implied, "report") && job->arrived_us == 0)
        dispatcher_imply(run, job, "report");
    if (ticket->state == TICKET_REPORTED) {
        conclude_resolved(run, job);
        return;
    }
    struct offer_wish wish = {
        .now_us = dispatcher_now_us(run, event), .why = "failed", .above = true};
    dispatcher_offer(run, tables, event->key, &wish);
}
