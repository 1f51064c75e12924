/* A job leaves a site: job.withdrawn, job.handed_over. */
#include "base/text.h"
#include "services/dispatcher/engineers.h"
#include "services/dispatcher/handlers.h"
#include "services/dispatcher/job_move.h"
#include "services/dispatcher/offer.h"

bool dispatcher_apply_job_withdrawn(struct tables *tables, const struct event *event,
                                    const void *data)
{
    const struct job_withdrawn *withdrawn = data;
    struct job *job = dispatcher_job_move(tables, event, withdrawn->job, NEWS_WITHDRAWN);
    if (job != NULL)
        text_copy(job->reason, sizeof job->reason, withdrawn->reason);
    return true;
}

/* Taken back by others than ourselves: somebody else is needed. */
void dispatcher_decide_job_withdrawn(struct run *run, const struct tables *tables,
                                     const struct event *event, const void *data)
{
    const struct job_withdrawn *withdrawn = data;
    const struct ticket *ticket;
    const struct job *job = dispatcher_job_of(tables, event->key, withdrawn->job, &ticket);
    struct offer_wish wish = {.now_us = dispatcher_now_us(run, event), .why = "withdrawn"};
    if (job != NULL && job->changed_pos == (int64_t)event->pos)
        dispatcher_offer(run, tables, event->key, &wish);
}

bool dispatcher_apply_job_handed_over(struct tables *tables, const struct event *event,
                                      const void *data)
{
    const struct job_handed_over *handed = data;
    const struct ticket *ticket;
    const struct job *seen = dispatcher_job_of(tables, event->key, handed->job, &ticket);
    if (seen == NULL || !seen->open)
        return true;
    if (text_equal(seen->site, handed->to)) { /* to a successor within the site */
        dispatcher_engineer_named(tables, event, handed->job, handed->engineer);
        return true;
    }
    dispatcher_load_less(tables, event, seen->site);
    struct job *job = table_change(tables, DISPATCHER_JOB, handed->job);
    dispatcher_engineer_release(tables, event, job, true);
    job = table_change(tables, DISPATCHER_JOB, handed->job);
    text_copy(job->site, sizeof job->site, handed->to);
    dispatcher_engineer_give(tables, event, job, handed->engineer);
    struct load *load = dispatcher_load(tables, handed->to);
    load->load++;
    if (load->tier != 0)
        job->tier = load->tier;
    return true;
}
