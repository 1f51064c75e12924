/* Promises: what they run on, how they count, who is told. */
#include "base/text.h"
#include "policy/check_inside.h"
#include "policy/due.h"

#include <string.h>

/* --- levels --------------------------------------------------------------------------------- */

static bool has_calendar(const struct policy_clause *clause)
{
    const struct policy_limit *lines = clause->limits.items;
    for (uint32_t i = 0; i < clause->limits.n; i++)
        if (!*policy_limit_calendar(clause, &lines[i]))
            return false;
    return true;
}

static bool is_elapsed(enum span_unit unit)
{
    return (UNITS_ELAPSED & UNIT(unit)) != 0;
}

/* Does `at` come behind `before`? Between working and other time only the limit tells. */
static bool is_in_order(struct span before, struct span at)
{
    if (before.n > 0 && at.n < 0)
        return false;
    if (is_elapsed(before.unit) && is_elapsed(at.unit))
        return span_us(before) < span_us(at);
    return before.unit != at.unit || before.n < at.n;
}

/* The longest that a line can run, far too long rather than too short. */
static int64_t longest_us(const struct policy_clause *clause, const struct policy_limit *line)
{
    int64_t n = line->limit.n, us = 0;
    if (line->per_units > 0)
        return INT64_MAX;
    switch (line->limit.unit) {
    case SPAN_NONE:
        return *policy_limit_calendar(clause, line) ? INT64_MAX : DAY_US + HOUR_US;
    case SPAN_SECONDS:
    case SPAN_MINUTES:
    case SPAN_HOURS:
        us = span_us(line->limit);
        break;
    case SPAN_DAYS:
    case SPAN_WEEKS:
        us = span_us(line->limit) + HOUR_US; /* clocks may be put back */
        break;
    case SPAN_MONTHS:
        us = n * 31 * DAY_US + HOUR_US;
        break;
    case SPAN_YEARS:
        us = n * 366 * DAY_US + HOUR_US;
        break;
    case SPAN_WORKING_HOURS: /* one a week, and a long holiday */
    case SPAN_WORKING_DAYS:
        us = (7 * n + 14) * DAY_US;
        break;
    }
    return *line->by ? us + DAY_US : us;
}

/* How far before the limit the level is at least. */
static int64_t ahead_us(struct span at)
{
    switch (at.unit) {
    case SPAN_WORKING_HOURS:
        return -at.n * HOUR_US;
    case SPAN_WORKING_DAYS:
        return -at.n * DAY_US - HOUR_US;
    case SPAN_DAYS:
    case SPAN_WEEKS:
        return -span_us(at) - HOUR_US;
    case SPAN_NONE:
    case SPAN_SECONDS:
    case SPAN_MINUTES:
    case SPAN_HOURS:
    case SPAN_MONTHS:
    case SPAN_YEARS:
        break;
    }
    return is_elapsed(at.unit) ? -span_us(at) : 0;
}

static bool comes_within(const struct policy_clause *clause, const struct policy_limit *line,
                         struct span at)
{
    if (at.unit == line->limit.unit && policy_counts_working_time(at.unit) && line->per_units == 0)
        return -at.n <= line->limit.n;
    return ahead_us(at) <= longest_us(clause, line);
}

static bool counts_from_field(const struct slice *events)
{
    const struct policy_event *event = events->items;
    for (uint32_t i = 0; i < events->n; i++)
        if (*event[i].from)
            return true;
    return false;
}

/* A clock that counts from an instant told in advance may warn before it begins. */
static bool is_told_ahead(const struct policy_clause *clause)
{
    return counts_from_field(&clause->start) || counts_from_field(&clause->reset);
}

static bool all_from_field(const struct slice *events)
{
    const struct policy_event *event = events->items;
    for (uint32_t i = 0; i < events->n; i++)
        if (!*event[i].from)
            return false;
    return true;
}

/* Else "at once" would be broken by the time anybody hears of it. */
static bool may_be_nothing(const struct policy_clause *clause)
{
    return all_from_field(&clause->start) && all_from_field(&clause->reset);
}

static bool ever_comes(const struct policy_clause *clause, struct span at)
{
    const struct policy_limit *lines = clause->limits.items;
    bool comes = clause->limits.n == 0 || at.n >= 0 || is_told_ahead(clause);
    for (uint32_t i = 0; i < clause->limits.n && !comes; i++)
        comes = comes_within(clause, &lines[i], at);
    return comes;
}

/* Whoever is told after the limit is nobody below who was told before. */
static void check_rung(struct check *c, const struct policy_level *levels, uint32_t i,
                       const char *path)
{
    char field[CHECK_PATH_CAP + 4];
    int rung = policy_rung(c->policy, levels[i].to), reached = -1;
    text_format(field, sizeof field, "%s.to", path);
    if (c->policy->ladder.n == 0 || !*levels[i].to)
        return;
    if (rung < 0) {
        check_found(c, "unknown", field, "%s is not on the ladder", levels[i].to);
        return;
    }
    for (uint32_t j = 0; j < i; j++)
        if (levels[j].at.n > 0 && policy_rung(c->policy, levels[j].to) > reached)
            reached = policy_rung(c->policy, levels[j].to);
    if (levels[i].at.n > 0 && rung < reached)
        check_found(c, "bad-value", field, "%s stands below %s, who was told before", levels[i].to,
                    ((const struct policy_rung *)c->policy->ladder.items)[reached].to);
}

static void check_levels(struct check *c, const struct policy_clause *clause, const char *path)
{
    const struct policy_level *levels = clause->levels.items;
    char field[CHECK_PATH_CAP], text[SPAN_TEXT_MAX];
    for (uint32_t i = 0; i < clause->levels.n; i++) {
        size_t before = c->problems->n;
        text_format(field, sizeof field, "%s.levels[%u]", path, i);
        check_span(c, levels[i].at, UNITS_ELAPSED | UNITS_WORKING, SIGN_ANY, field);
        if (policy_counts_working_time(levels[i].at.unit) && !*clause->calendar &&
            !has_calendar(clause))
            check_found(c, "missing", field, "a calendar, for working time");
        if (i && !is_in_order(levels[i - 1].at, levels[i].at) &&
            !(c->published && levels[i - 1].at.unit != levels[i].at.unit))
            check_found(c, "bad-value", field, "levels stand in the order of time, each once");
        span_print(levels[i].at, text);
        if (!c->published && c->problems->n == before && !ever_comes(clause, levels[i].at))
            check_found(c, "unreachable", field, "%s is before any of its limits begins", text);
        check_rung(c, levels, i, field);
    }
}

/* --- counting ------------------------------------------------------------------------------- */

static void check_calendar_name(struct check *c, const char *name, const char *path)
{
    if (*name && !check_text_in(&c->policy->calendars, 48, name))
        check_found(c, "unknown", path, "%s is not in the policy's calendars", name);
}

static void check_counting(struct check *c, const struct policy_clause *clause, const char *path)
{
    char field[CHECK_PATH_CAP];
    text_format(field, sizeof field, "%s.calendar", path);
    check_calendar_name(c, clause->calendar, field);
    text_format(field, sizeof field, "%s.cutoff", path);
    if (*clause->cutoff && (policy_minute(clause->cutoff) < 0 || policy_minute(clause->resume) < 0))
        check_found(c, "bad-time", field,
                    "cutoff \"%s\" and resume \"%s\", expected times of day as 17:00 and 08:30",
                    clause->cutoff, clause->resume);
    else if (*clause->cutoff && policy_minute(clause->resume) >= policy_minute(clause->cutoff))
        check_found(c, "bad-value", field, "resumes at %s, not before it is cut off",
                    clause->resume);
    if (!*clause->cutoff && *clause->resume)
        check_found(c, "missing", field, "resume without cutoff");
    if (*clause->cutoff && clause->counting != COUNTING_TIME_OF_DAY)
        check_found(c, "bad-value", field, "only with counting: time-of-day");
}

static void check_by(struct check *c, const struct policy_limit *line, const char *path)
{
    unsigned units = UNITS_DATES | UNIT(SPAN_WORKING_DAYS) | UNIT(SPAN_NONE);
    char field[CHECK_PATH_CAP + 4];
    text_format(field, sizeof field, "%s.by", path);
    if (*line->by && policy_minute(line->by) < 0)
        check_found(c, "bad-time", field, "\"%s\", expected a time of day as 17:00", line->by);
    else if (*line->by && (!(units & UNIT(line->limit.unit)) || line->limit.n == 0) &&
             line->limit.unit != SPAN_NONE)
        check_found(c, "bad-value", field, "a time of day goes with days, not with hours");
}

static void check_limit(struct check *c, const struct policy_clause *clause,
                        const struct policy_limit *line, const char *path)
{
    enum check_sign sign = may_be_nothing(clause) ? SIGN_NOT_NEGATIVE : SIGN_POSITIVE;
    unsigned counted = UNITS_ELAPSED | UNITS_WORKING;
    char field[CHECK_PATH_CAP + 12];
    check_match(c, &line->match, KNOWN_ALL, path);
    text_format(field, sizeof field, "%s.limit", path);
    check_span(c, line->limit, UNITS_WALL | UNITS_WORKING, sign, field);
    if (policy_counts_working_time(line->limit.unit) && !*policy_limit_calendar(clause, line))
        check_found(c, "missing", field, "a calendar, for working time");
    if (line->limit.unit == SPAN_NONE && !*line->by)
        check_found(c, "missing", field, "a duration, or a time of day to be done by");
    check_by(c, line, path);
    text_format(field, sizeof field, "%s.per_units", path);
    if (line->per_units > 0 && !(counted & UNIT(line->limit.unit)))
        check_found(c, "bad-value", field, "so many units take hours, days or working time");
    text_format(field, sizeof field, "%s.calendar", path);
    check_calendar_name(c, line->calendar, field);
}

/* --- what starts, stops and moves it --------------------------------------------------------- */

static unsigned pause_on(const struct policy_pause *pause)
{
    const struct slice *const lists[] = {&pause->begin, &pause->end};
    unsigned on = POLICY_ON_ANY;
    for (size_t l = 0; l < COUNT_OF(lists); l++) {
        const struct policy_event *event = lists[l]->items;
        for (uint32_t i = 0; i < lists[l]->n; i++)
            if (policy_fact(event[i].type) >= 0)
                on &= policy_fact_on(policy_fact(event[i].type));
        if (lists[l]->n == 0)
            on &= POLICY_ON_TICKET; /* ticket.waiting, ticket.resumed */
    }
    return on;
}

static void check_reasons(struct check *c, const struct policy_clause *clause, unsigned on,
                          const char *path)
{
    const char *reason = clause->pause.items;
    char field[CHECK_PATH_CAP], runs[POLICY_ON_TEXT_MAX], about[POLICY_ON_TEXT_MAX];
    for (uint32_t i = 0; i < clause->pause.n; i++, reason += 48) {
        const struct policy_pause *pause = policy_pause(c->policy, reason);
        text_format(field, sizeof field, "%s.pause[%u]", path, i);
        if (!pause) {
            check_found(c, "unknown", field, "%s is not among the policy's pauses", reason);
            continue;
        }
        if (check_text_in(&(struct slice){clause->pause.items, i}, 48, reason))
            check_found(c, "duplicate", field, "%s", reason);
        policy_on_print(on, runs);
        policy_on_print(pause_on(pause), about);
        if (!(on & pause_on(pause)))
            check_found(c, "mixed-keys", field, "%s is about %s, the clause runs on %s", reason,
                        about, runs);
    }
}

/* What the clause runs on. */
static unsigned check_what(struct check *c, const struct policy_clause *clause, const char *path)
{
    const struct {
        const char *name;
        const struct slice *events;
        enum check_from from;
    } lists[] = {{"start", &clause->start, FROM_FIELD},
                 {"stop", &clause->stop, FROM_NONE},
                 {"reset", &clause->reset, FROM_FIELD},
                 {"cancel", &clause->cancel, FROM_NONE}};
    unsigned on = POLICY_ON_ANY;
    char field[CHECK_PATH_CAP];
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        text_format(field, sizeof field, "%s.%s", path, lists[i].name);
        check_events(c, lists[i].events, lists[i].from, &on, field);
    }
    return on;
}

static void check_clause(struct check *c, const struct policy_clause *clause, const char *path)
{
    const struct policy_limit *limits = clause->limits.items;
    char field[CHECK_PATH_CAP];
    unsigned on = check_what(c, clause, path);
    check_reasons(c, clause, on, path);
    text_format(field, sizeof field, "%s.explain", path);
    if (clause->explain && !(on & POLICY_ON_TICKET))
        check_found(c, "mixed-keys", field, "only limits of tickets are explained");
    check_counting(c, clause, path);
    for (uint32_t i = 0; i < clause->limits.n; i++) {
        text_format(field, sizeof field, "%s.limits[%u]", path, i);
        check_limit(c, clause, &limits[i], field);
    }
    text_format(field, sizeof field, "%s.limits", path);
    check_lines(c, &clause->limits, sizeof *limits, offsetof(struct policy_limit, match), field);
    check_levels(c, clause, path);
}

/* --- all of them ---------------------------------------------------------------------------- */

/* Registration and assessment are one start. */
static bool starts_with(const struct policy_clause *clause, const char *type)
{
    return policy_event_is(&clause->start, type) ||
           (text_equal(type, "ticket.assessed") &&
            policy_event_is(&clause->start, "ticket.registered"));
}

static void check_starts(struct check *c)
{
    const struct policy_clause *clauses = c->policy->sla.items;
    for (int f = 0; f < policy_facts_n; f++) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < c->policy->sla.n; i++)
            n += starts_with(&clauses[i], policy_facts[f]);
        if (n > POLICY_STARTS_MAX)
            check_found(c, "too-many", "sla", "%d that start with %s", POLICY_STARTS_MAX,
                        policy_facts[f]);
    }
}

static void facts_name(const struct slice *events, bool named[POLICY_FACTS_CAP + 1])
{
    const struct policy_event *event = events->items;
    for (uint32_t i = 0; i < events->n; i++)
        named[policy_fact(event[i].type) + 1] = true;
}

static void check_facts(struct check *c)
{
    const struct policy_clause *clauses = c->policy->sla.items;
    bool named[POLICY_FACTS_CAP + 1] = {false};
    int n = 0;
    for (uint32_t i = 0; i < c->policy->sla.n; i++) {
        if (!(policy_clause_on(&clauses[i]) & POLICY_ON_TICKET))
            continue;
        facts_name(&clauses[i].start, named);
        facts_name(&clauses[i].stop, named);
        facts_name(&clauses[i].reset, named);
        facts_name(&clauses[i].cancel, named);
    }
    for (int i = 1; i <= policy_facts_n; i++)
        n += named[i];
    if (n > POLICY_FACTS_MAX)
        check_found(c, "too-many", "sla", "%d types of event for tickets, and there are %d",
                    POLICY_FACTS_MAX, n);
}

void check_sla(struct check *c)
{
    const struct policy_clause *clauses = c->policy->sla.items;
    char path[CHECK_PATH_CAP];
    check_facts(c);
    check_starts(c);
    for (uint32_t i = 0; i < c->policy->sla.n; i++) {
        text_format(path, sizeof path, "sla[%u]", i);
        check_clause(c, &clauses[i], path);
        if (strchr(clauses[i].id, '.'))
            check_found(c, "bad-key", path, "%s: no point in a clause's id", clauses[i].id);
        for (uint32_t j = 0; j < i; j++)
            if (text_equal(clauses[i].id, clauses[j].id))
                check_found(c, "duplicate", path, "clause %s", clauses[i].id);
    }
}
