#include "services/dispatcher/engineers.h"

#include "base/text.h"
#include "calendar/zone.h"
#include "services/dispatcher/duty.h"
#include "services/dispatcher/job_move.h"
#include "worker/reference.h"
#include <assert.h>

/* So many engineers of one site are looked at for one job, the least busy first. */
#define LOOKS_MAX 1024

static const struct engineer_load *first_of(const struct tables *tables, const char *site)
{
    struct engineer_load probe = {.load = INT64_MIN};
    text_copy(probe.site, sizeof probe.site, site);
    return table_first(tables, DISPATCHER_ENGINEER_LOAD, DISPATCHER_ENGINEER_LOAD_BY_CHOICE,
                       &probe);
}

static const struct engineer_load *next_of(const struct tables *tables,
                                           const struct engineer_load *load)
{
    return table_next(tables, DISPATCHER_ENGINEER_LOAD, DISPATCHER_ENGINEER_LOAD_BY_CHOICE, load);
}

static enum candidate_removed judge(const struct tables *tables, const struct engineer_load *load,
                                    const struct candidate_need *need)
{
    const struct engineer *engineer = table_get(tables, DISPATCHER_ENGINEER, load->engineer);
    return engineer != NULL ? dispatcher_engineer_judge(engineer, load, need) : REMOVED_OFF_DUTY;
}

static const struct engineer_load *preferred(const struct tables *tables, const char *site,
                                             const struct candidate_need *need)
{
    const struct engineer_load *load =
        need->engineer != NULL ? table_get(tables, DISPATCHER_ENGINEER_LOAD, need->engineer) : NULL;
    bool here = load != NULL && !load->left && text_equal(load->site, site);
    return here && judge(tables, load, need) == REMOVED_NOT ? load : NULL;
}

struct engineer_pick dispatcher_engineer_pick(const struct tables *tables, const char *site,
                                              const struct candidate_need *need)
{
    struct engineer_pick pick = {.removed = REMOVED_NOT};
    const struct engineer_load *load = preferred(tables, site, need);
    if (load != NULL) {
        pick.engineer = load->engineer;
        return pick;
    }
    for (load = first_of(tables, site);
         load != NULL && text_equal(load->site, site) && pick.looks < LOOKS_MAX;
         load = next_of(tables, load)) {
        enum candidate_removed removed = judge(tables, load, need);
        pick.looks++;
        if (removed == REMOVED_NOT) {
            pick.engineer = load->engineer;
            pick.removed = REMOVED_NOT;
            return pick;
        }
        if (removed > pick.removed)
            pick.removed = removed;
    }
    if (pick.looks == 0)
        pick.removed = REMOVED_OFF_DUTY; /* all have left */
    return pick;
}

int64_t dispatcher_engineers_again_us(const struct tables *tables, const char *site,
                                      const struct candidate_need *need)
{
    int64_t first_us = 0;
    for (const struct engineer_load *load = first_of(tables, site);
         load != NULL && text_equal(load->site, site); load = next_of(tables, load)) {
        const struct engineer *engineer = table_get(tables, DISPATCHER_ENGINEER, load->engineer);
        int64_t us = engineer != NULL ? dispatcher_engineer_again_us(engineer, need) : 0;
        if (us != 0 && (first_us == 0 || us < first_us))
            first_us = us;
    }
    return first_us;
}

/* --- whose job it is ---------------------------------------------------------------------------
 */
static int64_t date_of(const struct tables *tables, const struct event *event)
{
    const struct ticket *ticket = table_get(tables, DISPATCHER_TICKET, event->key);
    const struct policy *policy = ticket != NULL ? reference_policy(tables, ticket->policy) : NULL;
    const struct zone *zone = policy != NULL ? zone_find(policy->zone) : NULL;
    return zone != NULL ? dispatcher_date(zone, dispatcher_fact_us(tables, event)) : 0;
}

void dispatcher_engineer_give(struct tables *tables, const struct event *event, struct job *job,
                              const char *engineer)
{
    assert(job->open && job->given_pos == 0);
    if (engineer != job->engineer)
        text_copy(job->engineer, sizeof job->engineer, engineer);
    struct engineer_load *load =
        engineer[0] != '\0' ? table_change(tables, DISPATCHER_ENGINEER_LOAD, engineer) : NULL;
    if (load == NULL || load->left || !text_equal(load->site, job->site))
        return;
    int64_t date = date_of(tables, event);
    if (load->date < date) {
        load->date = date;
        load->date_jobs = 0;
    }
    load->date_jobs += load->date == date ? 1 : 0; /* not one of a day that is over */
    load->load++;
    load->assigned_pos = (int64_t)event->pos;
    job->given_pos = (int64_t)event->pos;
    job->given_date = date;
}

void dispatcher_engineer_release(struct tables *tables, const struct event *event, struct job *job,
                                 bool given_back)
{
    if (job->given_pos == 0)
        return;
    struct engineer_load *load = table_change(tables, DISPATCHER_ENGINEER_LOAD, job->engineer);
    const struct engineer *engineer = table_get(tables, DISPATCHER_ENGINEER, job->engineer);
    assert(load != NULL && engineer != NULL);
    bool counted = job->given_pos > load->since_pos;
    bool same_day = given_back && load->date == job->given_date;
    bool was_full = engineer->capacity > 0 && load->date_jobs >= engineer->capacity;
    job->given_pos = job->given_date = 0;
    load->load -= counted ? 1 : 0;
    load->date_jobs -= same_day ? 1 : 0;
    if (same_day && was_full)
        dispatcher_wake(tables, event);
}

void dispatcher_engineer_named(struct tables *tables, const struct event *event, const char *job_id,
                               const char *engineer)
{
    const struct ticket *ticket;
    const struct job *seen = dispatcher_job_of(tables, event->key, job_id, &ticket);
    if (engineer[0] == '\0' || seen == NULL || !seen->open || text_equal(seen->engineer, engineer))
        return;
    struct job *job = table_change(tables, DISPATCHER_JOB, job_id);
    dispatcher_engineer_release(tables, event, job, true);
    job = table_change(tables, DISPATCHER_JOB, job_id);
    dispatcher_engineer_give(tables, event, job, engineer);
}
