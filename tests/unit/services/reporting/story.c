#include "story.h"
#include "base/text.h"
#include "worker/reference.h"
#include <string.h>

void story_init(struct story *story)
{
    static const struct table_def *defs[TABLES_N + 2];
    for (size_t i = 0; i < TABLES_N; i++)
        defs[i] = reporting_tables[i];
    defs[TABLES_N] = &reference_policy_table;
    defs[TABLES_N + 1] = &reference_calendar_table;
    *story = (struct story){.tables = tables_new(defs, COUNT_OF(defs), 64), .now_us = DAY(0)};
}

void story_release(struct story *story)
{
    tables_destroy(&story->tables);
}

void story_say(struct story *story, apply_fn *apply, const char *key, int64_t at_us, const void *data)
{
    struct event e = {.pos = ++story->pos, .at_us = at_us != 0 ? at_us : story->now_us, .rec_us = story->now_us};
    text_copy(e.key, sizeof(e.key), key);
    size_t mark = tables_mark(story->tables), missed;
    const struct miss *misses;
    apply(story->tables, &e, data);
    while ((missed = tables_misses(story->tables, &misses)) > 0) {
        tables_undo(story->tables, mark);
        for (size_t i = 0; i < missed; i++)
            tables_fill(story->tables, misses[i].table, misses[i].key, NULL);
        tables_misses_reset(story->tables);
        apply(story->tables, &e, data);
    }
}

const struct ticket_row *story_ticket(struct story *story, const char *key)
{
    return table_get(story->tables, TABLE_TICKET, key);
}

static void job_print(char out[JOB_CAP], const char *key, int k)
{
    text_format(out, JOB_CAP, "%s/j%d", key, k);
}

void story_assessed(struct story *story, const char *key, const char *kind, int64_t opened_us)
{
    struct ticket_assessed d = {.opened_us = opened_us, .region = "4401", .channel = "phone"};
    text_copy(d.kind, sizeof(d.kind), kind);
    story_say(story, reporting_on_ticket_assessed, key, 0, &d);
}

void story_offered(struct story *story, const char *key, int k, const char *site, int64_t tier)
{
    struct job_offered d = {.tier = tier};
    job_print(d.job, key, k);
    text_copy(d.site, sizeof(d.site), site);
    story_say(story, reporting_on_job_offered, key, 0, &d);
}

void story_accepted(struct story *story, const char *key, int k, const char *site)
{
    struct job_accepted d = {.arrival_us = 0};
    job_print(d.job, key, k);
    text_copy(d.site, sizeof(d.site), site);
    story_say(story, reporting_on_job_accepted, key, 0, &d);
}

void story_resolved(struct story *story, const char *key, int64_t at_us)
{
    struct ticket_resolved d = {.outcome = "done", .resolved_us = at_us};
    story_say(story, reporting_on_ticket_resolved, key, at_us, &d);
}

void story_scheduled(struct story *story, const char *key, const char *clause, int64_t k, int64_t due_us)
{
    struct sla_scheduled d = {.limits_n = 1, .limits = {{.k = k, .due_us = due_us}}};
    text_copy(d.limits[0].clause, sizeof(d.limits[0].clause), clause);
    story_say(story, reporting_on_sla_scheduled, key, 0, &d);
}

void story_met(struct story *story, const char *key, const char *clause, int64_t k, int64_t due_us, bool late)
{
    struct sla_met d = {.k = k, .due_us = due_us, .stopped_us = due_us, .reported_late = late};
    text_copy(d.clause, sizeof(d.clause), clause);
    story_say(story, reporting_on_sla_met, key, 0, &d);
}

void story_breached(struct story *story, const char *key, const char *clause, int64_t k, int64_t due_us)
{
    struct sla_breached d = {.k = k, .due_us = due_us};
    text_copy(d.clause, sizeof(d.clause), clause);
    story_say(story, reporting_on_sla_breached, key, 0, &d);
}

void story_callback_due(struct story *story, const char *key, int64_t k, int64_t due_us)
{
    struct followup_due d = {.k = k, .due_us = due_us};
    story_say(story, reporting_on_followup_due, key, 0, &d);
}

void story_callback(struct story *story, const char *key, int64_t k, int64_t satisfaction)
{
    struct followup_recorded d = {.k = k, .reached = true, .satisfaction = satisfaction};
    story_say(story, reporting_on_followup_recorded, key, 0, &d);
}

void story_closed(struct story *story, const char *key)
{
    struct ticket_closed d = {.reason = "satisfied"};
    story_say(story, reporting_on_ticket_closed, key, 0, &d);
}

void story_reopened(struct story *story, const char *key)
{
    struct ticket_reopened d = {.reason = "again"};
    story_say(story, reporting_on_ticket_reopened, key, 0, &d);
}

void story_period_closed(struct story *story, const char *period)
{
    struct report_closed d = {.report = "monthly"};
    char key[EVENT_KEY_CAP];
    text_copy(d.period, sizeof(d.period), period);
    text_format(key, sizeof(key), "monthly.%s", period);
    story_say(story, reporting_on_report_closed, key, 0, &d);
}
