#include "services/dispatcher/job_move.h"

#include "base/text.h"
#include "policy/due.h"
#include "services/dispatcher/engineers.h"
#include "worker/reference.h"
#include <assert.h>

int64_t dispatcher_fact_us(const struct tables *tables, const struct event *event)
{
    const struct ticket *ticket = table_get(tables, DISPATCHER_TICKET, event->key);
    const struct policy *policy = ticket != NULL ? reference_policy(tables, ticket->policy) : NULL;
    return policy != NULL ? policy_fact_us(policy, event->at_us, event->rec_us, ticket->opened_us)
                          : event->rec_us;
}

enum job_standing dispatcher_standing(const struct tables *tables, const struct ticket *ticket,
                                      int64_t k)
{
    if (ticket->state == TICKET_CANCELLED)
        return STANDING_CANCELLED;
    if (ticket->state != TICKET_OPEN)
        return STANDING_RESOLVED;
    if (ticket->live == 0 || ticket->live == k)
        return STANDING_FREE;
    char id[JOB_CAP];
    dispatcher_job_id(ticket->ticket, ticket->live, id);
    const struct job *live = table_get(tables, DISPATCHER_JOB, id);
    return live != NULL && live->state == JOB_ACCEPTED ? STANDING_HELD : STANDING_OFFERED;
}

const struct job *dispatcher_job_of(const struct tables *tables, const char *ticket_key,
                                    const char *job_id, const struct ticket **ticket_out)
{
    if (dispatcher_job_k(job_id) == 0)
        return NULL;
    const struct ticket *ticket = table_get(tables, DISPATCHER_TICKET, ticket_key);
    const struct job *job = table_get(tables, DISPATCHER_JOB, job_id);
    if (ticket == NULL || job == NULL || !text_equal(job->ticket, ticket_key))
        return NULL;
    *ticket_out = ticket;
    return job;
}

static bool is_live(enum job_state state)
{
    return state == JOB_OFFERED || state == JOB_ACCEPTED;
}

void dispatcher_wake(struct tables *tables, const struct event *event)
{
    if (table_first(tables, DISPATCHER_TICKET, DISPATCHER_TICKET_WAITING, NULL) == NULL)
        return;
    struct network *network = table_change(tables, DISPATCHER_NETWORK, DISPATCHER_NETWORK_KEY);
    if (network == NULL)
        return;
    network->due_us = event->rec_us;
    network->fired_us = 0;
    network->after_pos = 0;
}

struct load *dispatcher_load(struct tables *tables, const char *site)
{
    struct load *load = table_change(tables, DISPATCHER_LOAD, site);
    if (load == NULL) {
        load = table_new(tables, DISPATCHER_LOAD, site);
        load->open = true;
    }
    return load;
}

void dispatcher_load_less(struct tables *tables, const struct event *event, const char *site_id)
{
    struct load *load = dispatcher_load(tables, site_id);
    const struct site *site = table_get(tables, DISPATCHER_SITE, site_id);
    load->load--;
    if (site != NULL && site->capacity > 0 && load->load + 1 >= site->capacity)
        dispatcher_wake(tables, event);
}

static void load_count(struct tables *tables, const struct event *event, struct job *job,
                       enum job_state before)
{
    enum job_state after = (enum job_state)job->state;
    if (is_live(before) && !is_live(after)) {
        dispatcher_engineer_release(tables, event, job, after != JOB_DONE);
        dispatcher_load_less(tables, event, job->site);
    }
    if (!is_live(before) && is_live(after))
        dispatcher_engineer_give(tables, event, job, job->engineer);
    struct load *load = dispatcher_load(tables, job->site);
    if (!is_live(before) && is_live(after))
        load->load++;
    if (after == JOB_ACCEPTED ||
        (after == JOB_DONE && (before == JOB_OFFERED || before == JOB_EXPIRED)))
        load->accepted++;
    if (after == JOB_DECLINED)
        load->declined++;
    if (after == JOB_EXPIRED)
        load->expired++;
}

struct job *dispatcher_job_enter(struct tables *tables, const struct event *event,
                                 const struct job_offered *offer, enum job_state state)
{
    struct job *job = table_new(tables, DISPATCHER_JOB, offer->job);
    text_copy(job->ticket, sizeof job->ticket, event->key);
    text_copy(job->site, sizeof job->site, offer->site);
    text_copy(job->reason, sizeof job->reason, offer->reason);
    text_copy(job->choice, sizeof job->choice, offer->choice);
    job->tier = offer->tier;
    job->silence = text_equal(offer->silence, "accepts") ? SILENCE_ACCEPTS : SILENCE_EXPIRES;
    /* The site's time runs from when it can know of the offer: one drawn out of the past comes
     * late. */
    int64_t late_us = event->rec_us > event->at_us ? event->rec_us - event->at_us : 0;
    job->due_us = offer->due_us == 0 ? 0 : instant_kept(offer->due_us + late_us);
    job->offered_us = dispatcher_fact_us(tables, event);
    job->offered_pos = job->changed_pos = (int64_t)event->pos;
    job->state = (int)state;
    job->open = is_live(state);
    struct load *load = dispatcher_load(tables, offer->site);
    load->offers++;
    load->assigned_pos = (int64_t)event->pos;
    load->load += is_live(state) ? 1 : 0;
    /* Who has left the site meanwhile is not sent by it. */
    const struct engineer_load *engineer =
        offer->engineer[0] != '\0' ? table_get(tables, DISPATCHER_ENGINEER_LOAD, offer->engineer)
                                   : NULL;
    if (is_live(state) && engineer != NULL && !engineer->left &&
        text_equal(engineer->site, offer->site))
        dispatcher_engineer_give(tables, event, job, offer->engineer);
    return job;
}

static void ticket_follow(struct tables *tables, const struct job *job)
{
    struct ticket *ticket = table_change(tables, DISPATCHER_TICKET, job->ticket);
    assert(ticket != NULL);
    int64_t k = dispatcher_job_k(job->job);
    if (is_live((enum job_state)job->state)) {
        ticket->live = k;
        ticket->waiting_pos = 0;
        ticket->retry_us = 0;
    } else if (ticket->live == k) {
        ticket->live = 0;
    }
    if (job->state == JOB_ACCEPTED || job->state == JOB_DONE)
        ticket->last = k;
}

struct job *dispatcher_job_move(struct tables *tables, const struct event *event,
                                const char *job_id, enum job_news news)
{
    const struct ticket *ticket;
    const struct job *seen = dispatcher_job_of(tables, event->key, job_id, &ticket);
    if (seen == NULL)
        return NULL;
    enum job_state before = (enum job_state)seen->state;
    struct job_step step = dispatcher_job_next(
        before, news, dispatcher_standing(tables, ticket, dispatcher_job_k(job_id)));
    if (step.state == before)
        return NULL;
    struct job *job = table_change(tables, DISPATCHER_JOB, job_id);
    job->state = (int)step.state;
    job->open = is_live(step.state);
    job->changed_pos = (int64_t)event->pos;
    load_count(tables, event, job, before);
    ticket_follow(tables, job);
    return job;
}
