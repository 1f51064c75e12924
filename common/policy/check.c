#include "policy/check_inside.h"

#include "base/text.h"
#include "calendar/zone.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void check_found(struct check *c, const char *code, const char *path, const char *format, ...)
{
    char args[2 * sizeof((struct problem *)0)->args];
    struct problem problem;
    va_list list;
    va_start(list, format);
    vsnprintf(args, sizeof args, format, list);
    va_end(list);
    problem_set(&problem, code, path, "%s", args);
    problems_add(c->problems, &problem);
}

void check_span(struct check *c, struct span span, unsigned units, enum check_sign sign,
                const char *path)
{
    char text[SPAN_TEXT_MAX];
    if (span.unit == SPAN_NONE)
        return;
    span_print(span, text);
    if (!(units & UNIT(span.unit)))
        check_found(c, "bad-span", path, "%s: this unit has no meaning here", text);
    else if ((span.n == 0 && sign != SIGN_NOT_NEGATIVE) || (span.n < 0 && sign != SIGN_ANY))
        check_found(c, "bad-span", path, "%s: expected more than nothing", text);
    else if (span.n > 100000 || span.n < -100000)
        check_found(c, "bad-span", path, "%s: longer than anybody waits", text);
}

bool check_text_in(const struct slice *list, size_t cap, const char *word)
{
    const char *items = list->items;
    for (uint32_t i = 0; i < list->n; i++)
        if (text_equal(items + i * cap, word))
            return true;
    return false;
}

void check_element_path(char out[CHECK_PATH_CAP], const char *path, const struct slice *list,
                        uint32_t i)
{
    if (list->n == 1)
        text_copy(out, CHECK_PATH_CAP, path);
    else
        text_format(out, CHECK_PATH_CAP, "%s[%u]", path, i);
}

/* --- sections ------------------------------------------------------------------------------- */

static void check_head(struct check *c)
{
    const struct policy *p = c->policy;
    const char *calendars = p->calendars.items;
    char path[CHECK_PATH_CAP];
    if (!zone_find(p->zone))
        check_found(c, "unknown", "zone", "%s is no time zone of this machine", p->zone);
    if (*p->number_prefix && !text_is_key(p->number_prefix, strlen(p->number_prefix)))
        check_found(c, "bad-key", "number_prefix", "%s", p->number_prefix);
    check_span(c, p->repeat_within, UNITS_WALL, SIGN_POSITIVE, "repeat_within");
    check_span(c, p->reopen_within, UNITS_WALL, SIGN_POSITIVE, "reopen_within");
    check_span(c, p->late_facts_within, UNITS_WALL, SIGN_POSITIVE, "late_facts_within");
    for (uint32_t i = 0; i < p->calendars.n; i++) {
        text_format(path, sizeof path, "calendars[%u]", i);
        const char *name = calendars + i * (size_t)48;
        if (!text_is_key(name, strlen(name)))
            check_found(c, "bad-key", path, "%s", name);
        if (check_text_in(&(struct slice){p->calendars.items, i}, 48, name))
            check_found(c, "duplicate", path, "%s", name);
    }
}

static void check_kinds(struct check *c)
{
    const struct policy_kind *kinds = c->policy->kinds.items;
    char path[CHECK_PATH_CAP];
    if (c->policy->kinds.n == 0)
        check_found(c, "missing", "kinds", "at least one");
    for (uint32_t i = 0; i < c->policy->kinds.n; i++) {
        text_format(path, sizeof path, "kinds[%u].name", i);
        for (uint32_t j = 0; j < i; j++)
            if (text_equal(kinds[i].name, kinds[j].name))
                check_found(c, "duplicate", path, "%s", kinds[i].name);
        const char *required = kinds[i].required.items;
        for (uint32_t j = 0; j < kinds[i].required.n; j++, required += POLICY_PATH_CAP) {
            text_format(path, sizeof path, "kinds[%u].required[%u]", i, j);
            size_t n = strlen(required);
            if (n == 0 || strspn(required, "abcdefghijklmnopqrstuvwxyz_.") != n)
                check_found(c, "bad-value", path, "\"%s\", expected a field such as customer.phone",
                            required);
        }
    }
}

static void check_judgements(struct check *c)
{
    const struct policy_priority *priorities = c->policy->priorities.items;
    const struct policy_term *terms = c->policy->terms.items;
    char path[CHECK_PATH_CAP], field[CHECK_PATH_CAP];
    for (uint32_t i = 0; i < c->policy->priorities.n; i++) {
        text_format(path, sizeof path, "priorities[%u]", i);
        check_match(c, &priorities[i].match, 0, path);
    }
    check_lines(c, &c->policy->priorities, sizeof *priorities,
                offsetof(struct policy_priority, match), "priorities");
    for (uint32_t i = 0; i < c->policy->terms.n; i++) {
        text_format(path, sizeof path, "coverage[%u]", i);
        check_match(c, &terms[i].match, KNOWN_JUDGED, path);
        text_format(field, sizeof field, "%s.length", path);
        check_span(c, terms[i].length, UNITS_DATES, SIGN_POSITIVE, field);
        text_format(field, sizeof field, "%s.card_within", path);
        check_span(c, terms[i].card_within, UNITS_DATES, SIGN_POSITIVE, field);
        for (uint32_t j = 0; j < i; j++)
            if (text_equal(terms[i].clause, terms[j].clause))
                check_found(c, "duplicate", path, "clause %s", terms[i].clause);
    }
    check_lines(c, &c->policy->terms, sizeof *terms, offsetof(struct policy_term, match),
                "coverage");
}

static void check_dispatch(struct check *c)
{
    const struct policy_dispatch *d = &c->policy->dispatch;
    const struct policy_tier *tiers = d->tiers.items;
    const struct policy_start *starts = d->start_at.items;
    char path[CHECK_PATH_CAP], field[CHECK_PATH_CAP];
    for (uint32_t i = 0; i < d->tiers.n; i++) {
        text_format(path, sizeof path, "dispatch.tiers[%u]", i);
        check_match(c, &tiers[i].match, KNOWN_JUDGED | KNOWN_COVERAGE, path);
        text_format(field, sizeof field, "%s.accept_within", path);
        check_span(c, tiers[i].accept_within, UNITS_ELAPSED, SIGN_POSITIVE, field);
        if (tiers[i].silence == SILENCE_ACCEPTS && tiers[i].accept_within.unit == SPAN_NONE)
            check_found(c, "missing", field, "silence accepts after how long?");
        for (uint32_t j = 0; j < i; j++)
            if (tiers[i].tier == tiers[j].tier)
                check_found(c, "duplicate", path, "tier %lld", (long long)tiers[i].tier);
    }
    for (uint32_t i = 0; i < d->start_at.n; i++) {
        text_format(path, sizeof path, "dispatch.start_at[%u]", i);
        check_match(c, &starts[i].match, KNOWN_JUDGED | KNOWN_COVERAGE, path);
        if (!policy_tier(c->policy, starts[i].tier))
            check_found(c, "unknown", path, "tier %lld is not in dispatch.tiers",
                        (long long)starts[i].tier);
    }
    check_lines(c, &d->start_at, sizeof *starts, offsetof(struct policy_start, match),
                "dispatch.start_at");
    check_span(c, d->decline_excludes, UNITS_ELAPSED, SIGN_POSITIVE, "dispatch.decline_excludes");
    const struct policy_pass *passes = d->passes.items;
    for (uint32_t i = 0; i < d->passes.n; i++) {
        text_format(path, sizeof path, "dispatch.passes[%u]", i);
        check_match(c, &passes[i].match, KNOWN_JUDGED | KNOWN_COVERAGE | KNOWN_TIER, path);
    }
}

static void check_followup(struct check *c)
{
    const struct policy_followup *lines = c->policy->followup.items;
    char path[CHECK_PATH_CAP], field[CHECK_PATH_CAP];
    for (uint32_t i = 0; i < c->policy->followup.n; i++) {
        text_format(path, sizeof path, "followup[%u]", i);
        check_match(c, &lines[i].match, KNOWN_JUDGED | KNOWN_COVERAGE, path);
        text_format(field, sizeof field, "%s.after", path);
        check_span(c, lines[i].after, UNITS_WALL, SIGN_POSITIVE, field);
        text_format(field, sizeof field, "%s.window", path);
        check_span(c, lines[i].window, UNITS_WALL, SIGN_POSITIVE, field);
    }
    check_lines(c, &c->policy->followup, sizeof *lines, offsetof(struct policy_followup, match),
                "followup");
}

static void check_all(struct check *c)
{
    check_head(c);
    check_kinds(c);
    check_regions(c);
    check_judgements(c);
    check_dispatch(c);
    check_ladder(c);
    check_pauses(c);
    check_sla(c);
    check_followup(c);
}

void policy_check(const struct policy *policy, const struct record *(*event_data)(const char *type),
                  struct problems *problems)
{
    check_all(&(struct check){policy, event_data, problems, false});
}

void policy_check_published(const struct policy *policy, struct problems *problems)
{
    check_all(&(struct check){policy, NULL, problems, true});
}

void policy_check_calendar(const struct policy *policy, const char *name,
                           const struct calendar *calendar, const struct problem *why,
                           struct problems *problems)
{
    struct check c = {policy, NULL, problems, false};
    const char *names = policy->calendars.items;
    char path[CHECK_PATH_CAP];
    for (uint32_t i = 0; i < policy->calendars.n; i++) {
        if (calendar || !text_equal(names + i * (size_t)48, name))
            continue;
        text_format(path, sizeof path, "calendars[%u]", i);
        check_found(&c, why ? why->code : "unknown", path, "%s%s%s", name,
                    why && *why->args ? ": " : "", why ? why->args : "");
    }
}
