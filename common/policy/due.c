#include "policy/due.h"

#include "policy/due_inside.h"

#include <assert.h>
#include <string.h>

int policy_minute(const char *t)
{
    if (strlen(t) != 5 || t[2] != ':' || strspn(t, "0123456789") != 2 ||
        strspn(t + 3, "0123456789") != 2)
        return -1;
    int hour = (t[0] - '0') * 10 + (t[1] - '0'), minute = (t[3] - '0') * 10 + (t[4] - '0');
    return hour < 24 && minute < 60 ? hour * 60 + minute : -1;
}

bool policy_counts_working_time(enum span_unit unit)
{
    return unit == SPAN_WORKING_HOURS || unit == SPAN_WORKING_DAYS;
}

/* n working days later at the same time of day; a day off counts from the next working day, an
 * evening from its morning. */
static int64_t due_by_time_of_day(const struct policy_clause *clause, int64_t n,
                                  const struct calendar *calendar, int64_t from_us)
{
    int64_t at = calendar_add_working_days(calendar, from_us, 0);
    int cutoff = *clause->cutoff ? policy_minute(clause->cutoff) : -1;
    struct local_time t = zone_local(calendar_zone(calendar), at);
    if (cutoff >= 0 && t.hour * 60 + t.minute >= cutoff) {
        int resume = policy_minute(clause->resume);
        at = calendar_add_working_days(calendar, at, 1);
        t = zone_local(calendar_zone(calendar), at);
        t.hour = resume / 60;
        t.minute = resume % 60;
        t.second = 0;
        t.micros = 0;
        at = zone_instant(calendar_zone(calendar), &t);
    }
    return calendar_add_working_days(calendar, at, n);
}

static int64_t midnight(const struct zone *zone, int64_t us)
{
    struct local_time t = zone_local(zone, us);
    t.hour = t.minute = t.second = 0;
    t.micros = 0;
    return zone_instant(zone, &t);
}

static int64_t day_length(const struct calendar *calendar, int64_t day_us)
{
    struct span day = {1, SPAN_DAYS};
    return calendar_between(calendar, day_us, zone_add(calendar_zone(calendar), day_us, day));
}

static int64_t due_by_hours(int64_t n, const struct calendar *calendar, int64_t from_us)
{
    int64_t start = calendar_next_open(calendar, from_us);
    if (start == INT64_MAX)
        return start;
    int64_t day = midnight(calendar_zone(calendar), start);
    int64_t into = calendar_between(calendar, day, start);
    if (into == 0) { /* whole days: they end with the last one's hours */
        day = calendar_add_working_days(calendar, day, n - 1);
        return calendar_add(calendar, day, day_length(calendar, day));
    }
    day = calendar_add_working_days(calendar, day, n);
    int64_t length = day_length(calendar, day);
    return calendar_add(calendar, day, into < length ? into : length);
}

int64_t policy_due_of_span(const struct policy_clause *clause, struct span limit,
                           const struct zone *zone, const struct calendar *calendar,
                           int64_t from_us)
{
    assert(calendar || !policy_counts_working_time(limit.unit));
    if (limit.unit == SPAN_NONE || limit.n <= 0)
        return from_us;
    if (limit.unit == SPAN_WORKING_HOURS)
        return calendar_add(calendar, from_us, limit.n * HOUR_US);
    if (limit.unit != SPAN_WORKING_DAYS)
        return zone_add(zone, from_us, limit);
    switch ((enum policy_counting)clause->counting) {
    case COUNTING_TIME_OF_DAY:
        return due_by_time_of_day(clause, limit.n, calendar, from_us);
    case COUNTING_HOURS:
        break;
    }
    return due_by_hours(limit.n, calendar, from_us);
}

int64_t policy_due(const struct policy_clause *clause, const struct policy_limit *line,
                   int64_t quantity, const struct zone *zone, const struct calendar *calendar,
                   int64_t from_us)
{
    return policy_due_paused(clause, line, quantity, zone, calendar, from_us, NULL, 0);
}

static int levels_before(const struct policy_clause *clause)
{
    const struct policy_level *levels = clause->levels.items;
    int n = 0;
    while ((uint32_t)n < clause->levels.n && levels[n].at.n < 0)
        n++;
    return n;
}

int policy_level_first(const struct policy_clause *clause)
{
    return -levels_before(clause);
}

int policy_level_last(const struct policy_clause *clause)
{
    return (int)clause->levels.n - levels_before(clause);
}

const struct policy_level *policy_level(const struct policy_clause *clause, int level)
{
    const struct policy_level *levels = clause->levels.items;
    if (level == 0 || level < policy_level_first(clause) || level > policy_level_last(clause))
        return NULL;
    return &levels[levels_before(clause) + level - (level > 0)];
}

int64_t policy_level_at(const struct policy_clause *clause, int level, const struct zone *zone,
                        const struct calendar *calendar, int64_t due_us)
{
    const struct policy_level *l = policy_level(clause, level);
    if (!l)
        return due_us;
    assert(calendar || !policy_counts_working_time(l->at.unit));
    if (l->at.unit == SPAN_WORKING_HOURS)
        return instant_kept(calendar_add(calendar, due_us, l->at.n * HOUR_US));
    if (l->at.unit == SPAN_WORKING_DAYS)
        return instant_kept(calendar_add_working_days(calendar, due_us, l->at.n));
    return zone_add(zone, due_us, l->at);
}

int64_t policy_span_end_us(const struct policy *policy, int64_t from_us, struct span span)
{
    const struct zone *zone = zone_find(policy->zone);

    if (span.unit == SPAN_NONE)
        return from_us;
    if (span.unit == SPAN_WORKING_HOURS)
        span.unit = SPAN_HOURS;
    if (span.unit == SPAN_WORKING_DAYS)
        span.unit = SPAN_DAYS;
    return zone != NULL ? zone_add(zone, from_us, span) : instant_kept(from_us + span_us(span));
}

int64_t policy_fact_us(const struct policy *policy, int64_t at_us, int64_t rec_us,
                       int64_t opened_us)
{
    int64_t us = at_us != 0 && at_us < rec_us ? at_us : rec_us;

    if (policy->late_facts_within.unit != SPAN_NONE &&
        policy_span_end_us(policy, us, policy->late_facts_within) < rec_us)
        us = rec_us;
    return us > opened_us ? us : opened_us;
}
