#include "policy/check.h"

#include "base/text.h"
#include "calendar/zone.h"
#include "policy/due.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PATH_CAP 100
#define UNIT(u)  (1u << (u))
#define UNITS_ELAPSED                                                                              \
    (UNIT(SPAN_SECONDS) | UNIT(SPAN_MINUTES) | UNIT(SPAN_HOURS) | UNIT(SPAN_DAYS) |                \
     UNIT(SPAN_WEEKS))
#define UNITS_WALL    (UNITS_ELAPSED | UNIT(SPAN_MONTHS) | UNIT(SPAN_YEARS))
#define UNITS_DATES   (UNIT(SPAN_DAYS) | UNIT(SPAN_WEEKS) | UNIT(SPAN_MONTHS) | UNIT(SPAN_YEARS))
#define UNITS_WORKING (UNIT(SPAN_WORKING_HOURS) | UNIT(SPAN_WORKING_DAYS))

struct check {
    const struct policy *policy;
    const struct record *(*event_data)(const char *type);
    struct problems *problems;
};

static void PRINTF_LIKE(4, 5)
    found(struct check *c, const char *code, const char *path, const char *format, ...)
{
    char args[sizeof((struct problem *)0)->args];
    struct problem problem;
    va_list list;
    va_start(list, format);
    vsnprintf(args, sizeof args, format, list);
    va_end(list);
    problem_set(&problem, code, path, "%s", args);
    problems_add(c->problems, &problem);
}

/* --- spans ---------------------------------------------------------------------------------- */

enum sign { SIGN_POSITIVE, SIGN_ANY };

static void check_span(struct check *c, struct span span, unsigned units, enum sign sign,
                       const char *path)
{
    char text[SPAN_TEXT_MAX];
    if (span.unit == SPAN_NONE)
        return;
    span_print(span, text);
    if (!(units & UNIT(span.unit)))
        found(c, "bad-span", path, "%s: this unit has no meaning here", text);
    else if (span.n == 0 || (sign == SIGN_POSITIVE && span.n < 0))
        found(c, "bad-span", path, "%s: expected more than nothing", text);
    else if (span.n > 100000 || span.n < -100000)
        found(c, "bad-span", path, "%s: longer than anybody waits", text);
}

/* --- matches -------------------------------------------------------------------------------- */

static bool text_in(const struct slice *list, size_t cap, const char *word)
{
    const char *items = list->items;
    for (uint32_t i = 0; i < list->n; i++)
        if (text_equal(items + i * cap, word))
            return true;
    return false;
}

static bool words_cover(const struct slice *wide, const struct slice *narrow, size_t cap)
{
    const char *items = narrow->items;
    for (uint32_t i = 0; wide->n && i < narrow->n; i++)
        if (!text_in(wide, cap, items + i * cap))
            return false;
    return wide->n == 0 || narrow->n > 0;
}

static bool prefixes_cover(const struct slice *wide, const struct slice *narrow, size_t cap)
{
    const char *inner = narrow->items, *outer = wide->items;
    for (uint32_t i = 0; wide->n && i < narrow->n; i++) {
        bool covered = false;
        for (uint32_t j = 0; j < wide->n && !covered; j++)
            covered = text_starts(inner + i * cap, outer + j * cap);
        if (!covered)
            return false;
    }
    return wide->n == 0 || narrow->n > 0;
}

static bool tiers_cover(const struct slice *wide, const struct slice *narrow)
{
    const int64_t *inner = narrow->items, *outer = wide->items;
    for (uint32_t i = 0; wide->n && i < narrow->n; i++) {
        bool covered = false;
        for (uint32_t j = 0; j < wide->n && !covered; j++)
            covered = inner[i] == outer[j];
        if (!covered)
            return false;
    }
    return wide->n == 0 || narrow->n > 0;
}

/* Does everything that matches `narrow`, its kinds set aside, match `wide`? */
static bool covers_but_kinds(const struct policy_match *wide, const struct policy_match *narrow)
{
    return prefixes_cover(&wide->regions, &narrow->regions, POLICY_REGION_CAP) &&
           words_cover(&wide->priorities, &narrow->priorities, POLICY_WORD_CAP) &&
           words_cover(&wide->products, &narrow->products, POLICY_PRODUCT_CAP) &&
           words_cover(&wide->channels, &narrow->channels, POLICY_WORD_CAP) &&
           words_cover(&wide->coverages, &narrow->coverages, POLICY_COVERAGE_CAP) &&
           tiers_cover(&wide->tiers, &narrow->tiers) &&
           words_cover(&wide->phases, &narrow->phases, POLICY_WORD_CAP) &&
           words_cover(&wide->region_classes, &narrow->region_classes, POLICY_WORD_CAP);
}

/* The line `at`, or one of its kinds, of `matches` can never decide because an earlier line takes
 * it. */
static void check_hidden(struct check *c, const struct policy_match *const *matches, uint32_t at,
                         const char *path)
{
    const struct policy_match *line = matches[at];
    for (uint32_t i = 0; i < at; i++) {
        if (!covers_but_kinds(matches[i], line))
            continue;
        if (words_cover(&matches[i]->kinds, &line->kinds, POLICY_KIND_CAP)) {
            found(c, "hidden", path, "line %u before it takes everything that it matches", i + 1);
            return;
        }
        const char *kinds = line->kinds.items;
        for (uint32_t k = 0; k < line->kinds.n; k++)
            if (text_in(&matches[i]->kinds, POLICY_KIND_CAP, kinds + k * (size_t)POLICY_KIND_CAP)) {
                found(c, "hidden", path, "line %u before it takes kind \"%s\"", i + 1,
                      kinds + k * (size_t)POLICY_KIND_CAP);
                return;
            }
    }
}

/* Lines of one list, whatever they decide: a match at match_offset. */
static void check_lines(struct check *c, const struct slice *lines, size_t size,
                        size_t match_offset, const char *path)
{
    const struct policy_match *matches[1024];
    const char *items = lines->items;
    char at[PATH_CAP];
    for (uint32_t i = 0; i < lines->n && i < COUNT_OF(matches); i++) {
        matches[i] = (const struct policy_match *)(const void *)(items + i * size + match_offset);
        text_format(at, sizeof at, "%s[%u]", path, i);
        check_hidden(c, matches, i, at);
    }
}

static bool priority_is_known(const struct policy *p, const char *priority)
{
    const struct policy_priority *lines = p->priorities.items;
    for (uint32_t i = 0; i < p->priorities.n; i++)
        if (text_equal(lines[i].priority, priority))
            return true;
    return text_equal(priority, "normal");
}

static void check_match(struct check *c, const struct policy_match *m, bool judged,
                        const char *line)
{
    static const char *const coverages[] = {"free", "paid", "partly", "unknown"};
    char path[PATH_CAP];
    const char *kinds = m->kinds.items, *priorities = m->priorities.items,
               *coverage = m->coverages.items;
    const int64_t *tiers = m->tiers.items;
    for (uint32_t i = 0; i < m->kinds.n; i++, kinds += POLICY_KIND_CAP) {
        text_format(path, sizeof path, "%s.match.kinds[%u]", line, i);
        if (!policy_kind(c->policy, kinds))
            found(c, "unknown", path, "%s is not among the policy's kinds", kinds);
        for (uint32_t j = 0; j < i; j++)
            if (text_equal(kinds, (const char *)m->kinds.items + j * (size_t)POLICY_KIND_CAP))
                found(c, "duplicate", path, "%s", kinds);
    }
    for (uint32_t i = 0; judged && i < m->priorities.n; i++, priorities += POLICY_WORD_CAP) {
        text_format(path, sizeof path, "%s.match.priorities[%u]", line, i);
        if (!priority_is_known(c->policy, priorities))
            found(c, "unknown", path, "no line of priorities gives %s", priorities);
    }
    for (uint32_t i = 0; i < m->coverages.n; i++, coverage += POLICY_COVERAGE_CAP) {
        bool known = false;
        for (size_t j = 0; j < COUNT_OF(coverages); j++)
            known = known || text_equal(coverage, coverages[j]);
        text_format(path, sizeof path, "%s.match.coverages[%u]", line, i);
        if (!known)
            found(c, "unknown", path, "%s, expected free, paid, partly or unknown", coverage);
    }
    for (uint32_t i = 0; i < m->tiers.n; i++) {
        text_format(path, sizeof path, "%s.match.tiers[%u]", line, i);
        if (!policy_tier(c->policy, tiers[i]))
            found(c, "unknown", path, "tier %lld is not in dispatch.tiers", (long long)tiers[i]);
    }
}

/* --- sections ------------------------------------------------------------------------------- */

static void check_head(struct check *c)
{
    const struct policy *p = c->policy;
    const char *calendars = p->calendars.items;
    char path[PATH_CAP];
    if (!zone_find(p->zone))
        found(c, "unknown", "zone", "%s is no time zone of this machine", p->zone);
    if (*p->number_prefix && !text_is_key(p->number_prefix, strlen(p->number_prefix)))
        found(c, "bad-key", "number_prefix", "%s", p->number_prefix);
    check_span(c, p->repeat_within, UNITS_WALL, SIGN_POSITIVE, "repeat_within");
    check_span(c, p->reopen_within, UNITS_WALL, SIGN_POSITIVE, "reopen_within");
    check_span(c, p->late_facts_within, UNITS_WALL, SIGN_POSITIVE, "late_facts_within");
    for (uint32_t i = 0; i < p->calendars.n; i++) {
        text_format(path, sizeof path, "calendars[%u]", i);
        const char *name = calendars + i * (size_t)48;
        if (!text_is_key(name, strlen(name)))
            found(c, "bad-key", path, "%s", name);
        if (text_in(&(struct slice){p->calendars.items, i}, 48, name))
            found(c, "duplicate", path, "%s", name);
    }
}

static void check_kinds(struct check *c)
{
    const struct policy_kind *kinds = c->policy->kinds.items;
    char path[PATH_CAP];
    if (c->policy->kinds.n == 0)
        found(c, "missing", "kinds", "at least one");
    for (uint32_t i = 0; i < c->policy->kinds.n; i++) {
        text_format(path, sizeof path, "kinds[%u].name", i);
        for (uint32_t j = 0; j < i; j++)
            if (text_equal(kinds[i].name, kinds[j].name))
                found(c, "duplicate", path, "%s", kinds[i].name);
        const char *required = kinds[i].required.items;
        for (uint32_t j = 0; j < kinds[i].required.n; j++, required += POLICY_PATH_CAP) {
            text_format(path, sizeof path, "kinds[%u].required[%u]", i, j);
            size_t n = strlen(required);
            if (n == 0 || strspn(required, "abcdefghijklmnopqrstuvwxyz_.") != n)
                found(c, "bad-value", path, "\"%s\", expected a field such as customer.phone",
                      required);
        }
    }
}

static void check_judgements(struct check *c)
{
    const struct policy_priority *priorities = c->policy->priorities.items;
    const struct policy_term *terms = c->policy->terms.items;
    char path[PATH_CAP], field[PATH_CAP];
    for (uint32_t i = 0; i < c->policy->priorities.n; i++) {
        text_format(path, sizeof path, "priorities[%u]", i);
        check_match(c, &priorities[i].match, false, path);
    }
    check_lines(c, &c->policy->priorities, sizeof *priorities,
                offsetof(struct policy_priority, match), "priorities");
    for (uint32_t i = 0; i < c->policy->terms.n; i++) {
        text_format(path, sizeof path, "coverage[%u]", i);
        check_match(c, &terms[i].match, true, path);
        text_format(field, sizeof field, "%s.length", path);
        check_span(c, terms[i].length, UNITS_DATES, SIGN_POSITIVE, field);
        text_format(field, sizeof field, "%s.card_within", path);
        check_span(c, terms[i].card_within, UNITS_DATES, SIGN_POSITIVE, field);
        for (uint32_t j = 0; j < i; j++)
            if (text_equal(terms[i].clause, terms[j].clause))
                found(c, "duplicate", path, "clause %s", terms[i].clause);
    }
    check_lines(c, &c->policy->terms, sizeof *terms, offsetof(struct policy_term, match),
                "coverage");
}

static void check_dispatch(struct check *c)
{
    const struct policy_dispatch *d = &c->policy->dispatch;
    const struct policy_tier *tiers = d->tiers.items;
    const struct policy_start *starts = d->start_at.items;
    char path[PATH_CAP], field[PATH_CAP];
    for (uint32_t i = 0; i < d->tiers.n; i++) {
        text_format(path, sizeof path, "dispatch.tiers[%u]", i);
        check_match(c, &tiers[i].match, true, path);
        text_format(field, sizeof field, "%s.accept_within", path);
        check_span(c, tiers[i].accept_within, UNITS_ELAPSED, SIGN_POSITIVE, field);
        if (tiers[i].silence == SILENCE_ACCEPTS && tiers[i].accept_within.unit == SPAN_NONE)
            found(c, "missing", field, "silence accepts after how long?");
        for (uint32_t j = 0; j < i; j++)
            if (tiers[i].tier == tiers[j].tier)
                found(c, "duplicate", path, "tier %lld", (long long)tiers[i].tier);
    }
    for (uint32_t i = 0; i < d->start_at.n; i++) {
        text_format(path, sizeof path, "dispatch.start_at[%u]", i);
        check_match(c, &starts[i].match, true, path);
        if (!policy_tier(c->policy, starts[i].tier))
            found(c, "unknown", path, "tier %lld is not in dispatch.tiers",
                  (long long)starts[i].tier);
    }
    check_lines(c, &d->start_at, sizeof *starts, offsetof(struct policy_start, match),
                "dispatch.start_at");
    check_span(c, d->decline_excludes, UNITS_ELAPSED, SIGN_POSITIVE, "dispatch.decline_excludes");
    const struct policy_pass *passes = d->passes.items;
    for (uint32_t i = 0; i < d->passes.n; i++) {
        text_format(path, sizeof path, "dispatch.passes[%u]", i);
        check_match(c, &passes[i].match, true, path);
    }
}

static void check_levels(struct check *c, const struct policy_clause *clause, const char *path)
{
    const struct policy_level *levels = clause->levels.items;
    char field[PATH_CAP];
    for (uint32_t i = 0; i < clause->levels.n; i++) {
        text_format(field, sizeof field, "%s.levels[%u]", path, i);
        check_span(c, levels[i].at, UNITS_ELAPSED | UNITS_WORKING, SIGN_ANY, field);
        if (policy_counts_working_time(levels[i].at.unit) && !*clause->calendar)
            found(c, "missing", field, "a calendar, for working time");
        const struct span *before = i ? &levels[i - 1].at : NULL;
        if (before && ((before->n > 0 && levels[i].at.n < 0) ||
                       (before->unit == levels[i].at.unit && levels[i].at.n <= before->n)))
            found(c, "bad-value", field, "levels stand in the order of time, each once");
    }
}

static void check_counting(struct check *c, const struct policy_clause *clause, const char *path)
{
    char field[PATH_CAP];
    text_format(field, sizeof field, "%s.calendar", path);
    if (*clause->calendar && !text_in(&c->policy->calendars, 48, clause->calendar))
        found(c, "unknown", field, "%s is not in the policy's calendars", clause->calendar);
    text_format(field, sizeof field, "%s.cutoff", path);
    if (*clause->cutoff && (policy_minute(clause->cutoff) < 0 || policy_minute(clause->resume) < 0))
        found(c, "bad-time", field,
              "cutoff \"%s\" and resume \"%s\", expected times of day as 17:00 and 08:30",
              clause->cutoff, clause->resume);
    else if (*clause->cutoff && policy_minute(clause->resume) >= policy_minute(clause->cutoff))
        found(c, "bad-value", field, "resumes at %s, not before it is cut off", clause->resume);
    if (!*clause->cutoff && *clause->resume)
        found(c, "missing", field, "resume without cutoff");
    if (*clause->cutoff && clause->counting != COUNTING_TIME_OF_DAY)
        found(c, "bad-value", field, "only with counting: time-of-day");
}

/* Of a list of one the list itself is the path: so it may be written. */
static void element_path(char *out, const char *path, const struct slice *list, uint32_t i)
{
    if (list->n == 1)
        text_copy(out, PATH_CAP, path);
    else
        text_format(out, PATH_CAP, "%s[%u]", path, i);
}

/* *on: what the clause's events named so far have in common. */
static void check_events(struct check *c, const struct slice *events, unsigned *on, const char *path)
{
    const struct policy_event *event = events->items;
    char at[PATH_CAP], runs[POLICY_ON_TEXT_MAX], is[POLICY_ON_TEXT_MAX];
    for (uint32_t i = 0; i < events->n; i++) {
        int fact = policy_fact(event[i].type);
        unsigned about = policy_fact_on(fact);
        element_path(at, path, events, i);
        policy_on_print(*on, runs);
        policy_on_print(about, is);
        if (fact < 0)
            found(c, "unknown", at, "%s is no event type that a clause may name", event[i].type);
        else if (!(*on & about))
            found(c, "mixed-keys", at, "%s is about %s, the clause runs on %s", event[i].type, is, runs);
        else
            *on &= about;
    }
}

static void check_clause(struct check *c, const struct policy_clause *clause, const char *path)
{
    const struct policy_limit *limits = clause->limits.items;
    const struct { const char *name; const struct slice *events; } lists[] = {
        {"start", &clause->start}, {"stop", &clause->stop}, {"reset", &clause->reset}, {"cancel", &clause->cancel}};
    char line[PATH_CAP], field[PATH_CAP];
    unsigned on = POLICY_ON_ANY;
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        text_format(field, sizeof field, "%s.%s", path, lists[i].name);
        check_events(c, lists[i].events, &on, field);
    }
    if (clause->limits.n == 0)
        found(c, "missing", path, "limits: at least one line");
    check_counting(c, clause, path);
    for (uint32_t i = 0; i < clause->limits.n; i++) {
        text_format(line, sizeof line, "%s.limits[%u]", path, i);
        check_match(c, &limits[i].match, true, line);
        text_format(field, sizeof field, "%s.limit", line);
        check_span(c, limits[i].limit, UNITS_WALL | UNITS_WORKING, SIGN_POSITIVE, field);
        if (policy_counts_working_time(limits[i].limit.unit) && !*policy_limit_calendar(clause, &limits[i]))
            found(c, "missing", field, "a calendar, for working time");
        if (limits[i].limit.unit == SPAN_NONE && !*limits[i].by)
            found(c, "missing", field, "%s", "a limit, or a time of day to be done by");
    }
    text_format(field, sizeof field, "%s.limits", path);
    check_lines(c, &clause->limits, sizeof *limits, offsetof(struct policy_limit, match), field);
    check_levels(c, clause, path);
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
        found(c, "too-many", "sla", "%d event types to start, stop, reset or cancel at, at most %d", n,
              POLICY_FACTS_MAX);
}

static void check_sla(struct check *c)
{
    const struct policy_clause *clauses = c->policy->sla.items;
    char path[PATH_CAP];
    check_facts(c);
    for (uint32_t i = 0; i < c->policy->sla.n; i++) {
        text_format(path, sizeof path, "sla[%u]", i);
        check_clause(c, &clauses[i], path);
        if (strchr(clauses[i].id, '.'))
            found(c, "bad-key", path, "%s: no point in a clause's id", clauses[i].id);
        for (uint32_t j = 0; j < i; j++)
            if (text_equal(clauses[i].id, clauses[j].id))
                found(c, "duplicate", path, "clause %s", clauses[i].id);
    }
}

static void check_followup(struct check *c)
{
    const struct policy_followup *lines = c->policy->followup.items;
    char path[PATH_CAP], field[PATH_CAP];
    for (uint32_t i = 0; i < c->policy->followup.n; i++) {
        text_format(path, sizeof path, "followup[%u]", i);
        check_match(c, &lines[i].match, true, path);
        text_format(field, sizeof field, "%s.after", path);
        check_span(c, lines[i].after, UNITS_WALL, SIGN_POSITIVE, field);
        text_format(field, sizeof field, "%s.window", path);
        check_span(c, lines[i].window, UNITS_WALL, SIGN_POSITIVE, field);
    }
    check_lines(c, &c->policy->followup, sizeof *lines, offsetof(struct policy_followup, match),
                "followup");
}

void policy_check(const struct policy *policy, const struct record *(*event_data)(const char *type),
                  struct problems *problems)
{
    struct check c = {policy, event_data, problems};
    check_head(&c);
    check_kinds(&c);
    check_judgements(&c);
    check_dispatch(&c);
    check_sla(&c);
    check_followup(&c);
}
