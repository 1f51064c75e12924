#include "outcome.h"
#include "base/text.h"
#include "proto/followup.h"
#include "proto/job.h"
#include "proto/sla.h"
#include "proto/ticket.h"
#include <stdlib.h>
#include <string.h>

const char *const verdict_names[VERDICTS] = {"none", "running", "met", "late", "broken"};

struct ticket_place {
    UT_hash_handle hh;
    char region[EVENT_REGION_CAP], month[8];
    struct job_place *job; /* the open one that was offered last */
    char key[];
};
struct job_place {
    UT_hash_handle hh;
    struct site_work *site;
    bool open, accepted;
    char job[];
};

struct reading {
    struct outcome *outcome;
    const struct event *event;
    struct arena *arena;
};

static void *data_of(const struct reading *reading, const struct record *record)
{
    struct problem problem;
    void *data = arena_alloc(reading->arena, record->size);
    record_clear(record, data);
    bool fine = record_decode(record, RECORD_PLAIN, DECODE_LENIENT, reading->event->data,
                              reading->arena, data, &problem);
    return fine ? data : NULL; /* intake has read it by the same table */
}

static void month_of(const struct outcome *outcome, int64_t us, char out[8])
{
    struct local_time t = zone_local(outcome->zone, us);
    text_format(out, 8, "%04u-%02u", (unsigned)t.year % 10000U, (unsigned)t.month % 100U);
}

/* --- tickets and promises ------------------------------------------------------------------------
 */

static struct ticket_place *ticket_find(const struct outcome *outcome, const char *key)
{
    struct ticket_place *ticket;
    HASH_FIND_STR(outcome->tickets, key, ticket);
    return ticket;
}

static void on_assessed(const struct reading *reading)
{
    struct outcome *outcome = reading->outcome;
    const struct ticket_assessed *data = data_of(reading, &ticket_assessed_record);
    if (data == NULL || ticket_find(outcome, reading->event->key) != NULL)
        return;
    size_t n = strlen(reading->event->key) + 1;
    struct ticket_place *ticket = memory_new(sizeof(*ticket) + n);
    memcpy(ticket->key, reading->event->key, n);
    text_copy(ticket->region, sizeof(ticket->region), data->region);
    month_of(outcome, data->opened_us, ticket->month);
    HASH_ADD_STR(outcome->tickets, key, ticket);
    outcome->tickets_n++;
}

static struct promise *promise_at(const struct reading *reading, const char *clause, int64_t k)
{
    struct outcome *outcome = reading->outcome;
    const struct event *event = reading->event;
    struct promise *promise;
    char id[EVENT_KEY_CAP + POLICY_WORD_CAP + 24];
    text_format(id, sizeof(id), "%s %s %lld", event->key, clause, (long long)k);
    HASH_FIND_STR(outcome->promises, id, promise);
    if (promise != NULL)
        return promise;
    promise = memory_new(sizeof(*promise) + strlen(id) + 1);
    memcpy(promise->id, id, strlen(id) + 1);
    text_copy(promise->key, sizeof(promise->key), event->key);
    text_copy(promise->clause, sizeof(promise->clause), clause);
    promise->k = k;
    const struct ticket_place *ticket = ticket_find(outcome, event->key);
    text_copy(promise->region, sizeof(promise->region),
              ticket != NULL ? ticket->region : event->region);
    if (ticket != NULL)
        text_copy(promise->month, sizeof(promise->month), ticket->month);
    else
        month_of(outcome, event->at_us, promise->month);
    HASH_ADD_STR(outcome->promises, id, promise);
    return promise;
}

static void on_scheduled(const struct reading *reading)
{
    const struct sla_scheduled *data = data_of(reading, &sla_scheduled_record);
    for (uint32_t i = 0; data != NULL && i < data->limits_n; i++) {
        const struct sla_limit *limit = &data->limits[i];
        struct promise *promise = promise_at(reading, limit->clause, limit->k);
        promise->due_us = limit->due_us;
        if (promise->verdict == VERDICT_NONE)
            promise->verdict = VERDICT_RUNNING;
    }
}

static void on_met(const struct reading *reading)
{
    const struct sla_met *data = data_of(reading, &sla_met_record);
    if (data == NULL)
        return;
    struct promise *promise = promise_at(reading, data->clause, data->k);
    promise->due_us = data->due_us;
    promise->verdict = data->reported_late ? VERDICT_LATE : VERDICT_MET;
}

static void on_breached(const struct reading *reading)
{
    const struct sla_breached *data = data_of(reading, &sla_breached_record);
    if (data == NULL || data->level != 0)
        return;
    struct promise *promise = promise_at(reading, data->clause, data->k);
    promise->due_us = data->due_us;
    promise->verdict = VERDICT_BROKEN;
}

static void on_corrected(const struct reading *reading)
{
    const struct sla_corrected *data = data_of(reading, &sla_corrected_record);
    if (data == NULL)
        return;
    struct promise *promise = promise_at(reading, data->clause, data->k);
    promise->due_us = data->due_us;
    promise->verdict = text_equal(data->is, "met")        ? VERDICT_LATE
                       : text_equal(data->is, "breached") ? VERDICT_BROKEN
                                                          : VERDICT_RUNNING;
}

/* --- sites ---------------------------------------------------------------------------------------
 */

static struct site_work *site_at(struct outcome *outcome, const char *name)
{
    struct site_work *site;
    HASH_FIND_STR(outcome->sites, name, site);
    if (site != NULL)
        return site;
    site = memory_new(sizeof(*site));
    text_copy(site->site, sizeof(site->site), name);
    HASH_ADD_STR(outcome->sites, site, site);
    return site;
}

static struct job_place *job_find(const struct outcome *outcome, const char *name)
{
    struct job_place *job;
    HASH_FIND_STR(outcome->jobs, name, job);
    return job;
}

static void job_open(struct job_place *job, bool open)
{
    if (job == NULL || job->open == open)
        return;
    job->open = open;
    job->site->open += open ? 1 : -1;
    if (job->site->open > job->site->peak)
        job->site->peak = job->site->open;
}

static void on_offered(const struct reading *reading)
{
    struct outcome *outcome = reading->outcome;
    const struct job_offered *data = data_of(reading, &job_offered_record);
    if (data == NULL || job_find(outcome, data->job) != NULL)
        return;
    struct job_place *job = memory_new(sizeof(*job) + strlen(data->job) + 1);
    memcpy(job->job, data->job, strlen(data->job) + 1);
    job->site = site_at(outcome, data->site);
    job->site->offers++;
    HASH_ADD_STR(outcome->jobs, job, job);
    job_open(job, true);
    struct ticket_place *ticket = ticket_find(outcome, reading->event->key);
    if (ticket != NULL)
        ticket->job = job;
}

/* The record's own job: accepted, declined, expired, withdrawn, handed over begin with it. */
static const char *job_of(const struct reading *reading, const struct record *record)
{
    const char *data = data_of(reading, record);
    return data != NULL ? data + record_field(record, "job")->offset : "";
}

static void on_accepted(const struct reading *reading)
{
    struct job_place *job = job_find(reading->outcome, job_of(reading, &job_accepted_record));
    if (job == NULL || job->accepted)
        return;
    job->accepted = true;
    job->site->accepted++;
    struct ticket_place *ticket = ticket_find(reading->outcome, reading->event->key);
    job_open(job, true);
    if (ticket != NULL)
        ticket->job = job;
}

static void on_declined(const struct reading *reading)
{
    struct job_place *job = job_find(reading->outcome, job_of(reading, &job_declined_record));
    if (job != NULL)
        job->site->declined++;
    job_open(job, false);
}

static void on_expired(const struct reading *reading)
{
    struct job_place *job = job_find(reading->outcome, job_of(reading, &job_expired_record));
    if (job != NULL)
        job->site->expired++;
    job_open(job, false);
}

static void on_withdrawn(const struct reading *reading)
{
    job_open(job_find(reading->outcome, job_of(reading, &job_withdrawn_record)), false);
}

static void on_reported(const struct reading *reading)
{
    job_open(job_find(reading->outcome, job_of(reading, &job_reported_record)), false);
}

static void on_handed_over(const struct reading *reading)
{
    const struct job_handed_over *data = data_of(reading, &job_handed_over_record);
    struct job_place *job = data != NULL ? job_find(reading->outcome, data->job) : NULL;
    if (job == NULL || data->to[0] == '\0')
        return;
    bool open = job->open;
    job_open(job, false);
    job->site = site_at(reading->outcome, data->to);
    job_open(job, open);
}

static void ticket_end(const struct reading *reading)
{
    struct ticket_place *ticket = ticket_find(reading->outcome, reading->event->key);
    if (ticket != NULL)
        job_open(ticket->job, false);
}

/* --- the rest ------------------------------------------------------------------------------------
 */

static void on_resolved(const struct reading *reading)
{
    reading->outcome->resolved++;
    ticket_end(reading);
}

static void on_closed(const struct reading *reading)
{
    reading->outcome->closed++;
    ticket_end(reading);
}

static void on_escalated(const struct reading *reading)
{
    reading->outcome->escalated++;
}

static void on_due(const struct reading *reading)
{
    reading->outcome->callbacks_due++;
}

static void on_missed(const struct reading *reading)
{
    reading->outcome->callbacks_missed++;
}

static void on_recorded(const struct reading *reading)
{
    const struct followup_recorded *data = data_of(reading, &followup_recorded_record);
    reading->outcome->callbacks_recorded += data != NULL && data->reached;
}

static const struct {
    const char *type;
    void (*read)(const struct reading *);
} lines[] = {
    {"sla.scheduled", on_scheduled},    {"sla.met", on_met},
    {"sla.breached", on_breached},      {"sla.corrected", on_corrected},
    {"ticket.assessed", on_assessed},   {"ticket.resolved", on_resolved},
    {"ticket.closed", on_closed},       {"ticket.cancelled", ticket_end},
    {"ticket.escalated", on_escalated}, {"job.offered", on_offered},
    {"job.accepted", on_accepted},      {"job.declined", on_declined},
    {"job.expired", on_expired},        {"job.withdrawn", on_withdrawn},
    {"job.reported", on_reported},      {"job.handed_over", on_handed_over},
    {"followup.due", on_due},           {"followup.missed", on_missed},
    {"followup.recorded", on_recorded},
};

void outcome_read(struct outcome *outcome, const struct simulator *sim, const struct zone *zone)
{
    struct event event;
    struct reading reading = {.outcome = outcome, .event = &event, .arena = arena_new(1 << 16)};
    *outcome = (struct outcome){.zone = zone, .events = (int64_t)simulator_head(sim)};
    for (uint64_t pos = 1; pos <= simulator_head(sim); pos++) {
        simulator_event(sim, pos, &event);
        for (size_t i = 0; i < COUNT_OF(lines); i++)
            if (text_equal(lines[i].type, event.type)) {
                lines[i].read(&reading);
                arena_reset(reading.arena);
                break;
            }
    }
    arena_destroy(&reading.arena);
}

void outcome_release(struct outcome *outcome)
{
    struct promise *promise, *next_promise;
    struct site_work *site, *next_site;
    struct ticket_place *ticket, *next_ticket;
    struct job_place *job, *next_job;
    HASH_ITER(hh, outcome->promises, promise, next_promise)
    {
        HASH_DEL(outcome->promises, promise);
        free(promise);
    }
    HASH_ITER(hh, outcome->sites, site, next_site)
    {
        HASH_DEL(outcome->sites, site);
        free(site);
    }
    HASH_ITER(hh, outcome->tickets, ticket, next_ticket)
    {
        HASH_DEL(outcome->tickets, ticket);
        free(ticket);
    }
    HASH_ITER(hh, outcome->jobs, job, next_job)
    {
        HASH_DEL(outcome->jobs, job);
        free(job);
    }
    *outcome = (struct outcome){0};
}
