#include "policy_print.h"
#include "base/text.h"
#include "policy/due.h"
#include <inttypes.h>
#include <string.h>

void policy_print_counts(enum language language, const struct policy *policy, struct buf *out)
{
    buf_append_format(
        out,
        in_words(
            language,
            "kinds %u, coverage terms %u, tiers %u, promises %u, callbacks %u, calendars %u\n"),
        policy->kinds.n, policy->terms.n, policy->dispatch.tiers.n, policy->sla.n,
        policy->followup.n, policy->calendars.n);
}

static void words_print(const struct slice *list, size_t cap, const char *between, struct buf *out)
{
    const char *word = list->items;
    for (uint32_t i = 0; i < list->n; i++, word += cap)
        buf_append_format(out, "%s%s", i ? between : "", word);
}

static void span_append(struct span span, struct buf *out)
{
    char text[SPAN_TEXT_MAX];
    span_print(span, text);
    buf_append_text(out, text);
}

/* --- events --------------------------------------------------------------------------------- */

static void condition_print(const struct policy_when *when, struct buf *out)
{
    buf_append_format(out, "%s", when->field);
    if (when->is.n > 0) {
        buf_append_text(out, " = ");
        words_print(&when->is, POLICY_WORTH_CAP, "/", out);
    }
    if (when->is_not.n > 0) {
        buf_append_text(out, " ≠ ");
        words_print(&when->is_not, POLICY_WORTH_CAP, "/", out);
    }
}

static void event_print(const struct policy_event *event, struct buf *out)
{
    const struct policy_when *when = event->when.items;
    bool more = event->when.n > 0 || *event->from;
    buf_append_format(out, "%s%s", event->type, more ? " (" : "");
    if (*event->from)
        buf_append_format(out, "@%s%s", event->from, event->when.n > 0 ? ", " : "");
    for (uint32_t i = 0; i < event->when.n; i++) {
        condition_print(&when[i], out);
        if (i + 1 < event->when.n)
            buf_append_text(out, ", ");
    }
    if (more)
        buf_append_text(out, ")");
}

static void events_print(const struct slice *events, struct buf *out)
{
    const struct policy_event *event = events->items;
    for (uint32_t i = 0; i < events->n; i++) {
        if (i > 0)
            buf_append_text(out, " | ");
        event_print(&event[i], out);
    }
}

/* --- sections that promises refer to ---------------------------------------------------------- */

static void ladder_print(enum language language, const struct policy *policy, struct buf *out)
{
    const struct policy_rung *rung = policy->ladder.items;
    if (policy->ladder.n == 0)
        return;
    buf_append_format(out, "%s: ", in_words(language, "ladder"));
    for (uint32_t i = 0; i < policy->ladder.n; i++)
        buf_append_format(out, "%s%s%s%s", i ? " → " : "", rung[i].to, *rung[i].title ? " " : "",
                          rung[i].title);
    buf_append_text(out, "\n");
}

static void classes_print(enum language language, const struct policy *policy, struct buf *out)
{
    const struct policy_region_class *class = policy->region_classes.items;
    if (policy->region_classes.n == 0)
        return;
    buf_append_format(out, "%s: ", in_words(language, "classes of region"));
    for (uint32_t i = 0; i < policy->region_classes.n; i++) {
        buf_append_format(out, "%s%s ", i ? " · " : "", class[i].class);
        words_print(&class[i].regions, POLICY_REGION_CAP, ", ", out);
        if (class[i].regions.n == 0)
            buf_append_text(out, "*");
    }
    buf_append_text(out, "\n");
}

static void pauses_print(enum language language, const struct policy *policy, struct buf *out)
{
    const struct policy_pause *pause = policy->pauses.items;
    for (uint32_t i = 0; i < policy->pauses.n; i++) {
        buf_append_format(out, "%s: %s%s%s", in_words(language, "wait"), pause[i].reason,
                          *pause[i].title ? " " : "", pause[i].title);
        if (pause[i].begin.n + pause[i].end.n > 0) {
            buf_append_text(out, ", ");
            events_print(&pause[i].begin, out);
            buf_append_text(out, " → ");
            events_print(&pause[i].end, out);
        }
        if (pause[i].budget.unit != SPAN_NONE) {
            buf_append_format(out, ", %s ", in_words(language, "at most"));
            span_append(pause[i].budget, out);
        }
        if (*pause[i].more_by)
            buf_append_format(out, ", %s %s", in_words(language, "more by"), pause[i].more_by);
        buf_append_text(out, "\n");
    }
}

/* --- promises ------------------------------------------------------------------------------- */

static void match_print(const struct policy_match *m, struct buf *out)
{
    const struct {
        const char *name;
        const struct slice *list;
        size_t cap;
    } lists[] = {{"kinds", &m->kinds, POLICY_KIND_CAP},
                 {"regions", &m->regions, POLICY_REGION_CAP},
                 {"region_classes", &m->region_classes, POLICY_WORD_CAP},
                 {"priorities", &m->priorities, POLICY_WORD_CAP},
                 {"products", &m->products, POLICY_PRODUCT_CAP},
                 {"channels", &m->channels, POLICY_WORD_CAP},
                 {"coverages", &m->coverages, POLICY_COVERAGE_CAP},
                 {"phases", &m->phases, POLICY_WORD_CAP}};
    const int64_t *tier = m->tiers.items;
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        if (lists[i].list->n == 0)
            continue;
        buf_append_format(out, "  %s: ", lists[i].name);
        words_print(lists[i].list, lists[i].cap, ", ", out);
    }
    for (uint32_t i = 0; i < m->tiers.n; i++)
        buf_append_format(out, "%s%" PRId64, i ? ", " : "  tiers: ", tier[i]);
}

static void limit_print(enum language language, const struct policy_limit *line, struct buf *out)
{
    if (line->limit.unit != SPAN_NONE)
        span_append(line->limit, out);
    if (line->per_units > 0)
        buf_append_format(out, in_words(language, " per %" PRId64), line->per_units);
    if (*line->by)
        buf_append_format(out, "%s%s %s", line->limit.unit == SPAN_NONE ? "" : " ",
                          in_words(language, "by"), line->by);
    if (*line->calendar)
        buf_append_format(out, " (%s)", line->calendar);
    match_print(&line->match, out);
    buf_append_text(out, "\n");
}

static void levels_print(const struct policy_clause *clause, struct buf *out)
{
    if (clause->levels.n == 0)
        return;
    buf_append_text(out, "    ");
    for (int i = policy_level_first(clause); i <= policy_level_last(clause); i++) {
        const struct policy_level *level = policy_level(clause, i);
        if (i > policy_level_first(clause))
            buf_append_text(out, " · ");
        if (level)
            span_append(level->at, out);
        else
            buf_append_text(out, "0");
        if (level && *level->to)
            buf_append_format(out, " %s", level->to);
    }
    buf_append_text(out, "\n");
}

static void line_of_events(enum language language, const char *word, const struct slice *events,
                           struct buf *out)
{
    if (events->n == 0)
        return;
    buf_append_format(out, "    %s: ", in_words(language, word));
    events_print(events, out);
    buf_append_text(out, "\n");
}

static void counting_print(enum language language, const struct policy_clause *clause,
                           struct buf *out)
{
    if (*clause->calendar) {
        buf_append_format(out, "    %s: %s", in_words(language, "calendar"), clause->calendar);
        if (clause->counting == COUNTING_TIME_OF_DAY)
            buf_append_text(out, ", time-of-day");
        if (*clause->cutoff)
            buf_append_format(out, ", %s → %s", clause->cutoff, clause->resume);
        buf_append_text(out, "\n");
    }
    if (clause->pause.n > 0) {
        buf_append_format(out, "    %s: ", in_words(language, "waits for"));
        words_print(&clause->pause, 48, ", ", out);
        buf_append_text(out, "\n");
    }
    if (clause->explain)
        buf_append_format(out, "    %s\n", in_words(language, "an explanation in time meets it"));
}

static void clause_print(enum language language, const struct policy_clause *clause,
                         struct buf *out)
{
    const struct policy_limit *line = clause->limits.items;
    buf_append_format(out, "  %-14s %s\n    ", clause->id, clause->title);
    events_print(&clause->start, out);
    buf_append_text(out, " → ");
    events_print(&clause->stop, out);
    buf_append_text(out, "\n");
    line_of_events(language, "begins anew", &clause->reset, out);
    line_of_events(language, "is over", &clause->cancel, out);
    counting_print(language, clause, out);
    levels_print(clause, out);
    for (uint32_t i = 0; i < clause->limits.n; i++) {
        buf_append_format(out, "    %u. ", i + 1);
        limit_print(language, &line[i], out);
    }
}

void policy_print(enum language language, const struct policy *policy, struct buf *out)
{
    const struct policy_clause *clause = policy->sla.items;
    if (*policy->title)
        buf_append_format(out, "%s\n", policy->title);
    policy_print_counts(language, policy, out);
    classes_print(language, policy, out);
    ladder_print(language, policy, out);
    pauses_print(language, policy, out);
    if (policy->retarget_open)
        buf_append_format(out, "%s\n",
                          in_words(language, "open tickets follow it from its publication on"));
    if (policy->reads_recorded)
        buf_append_format(out, "%s\n", in_words(language, "who reads a customer's personal data is put on record"));
    for (uint32_t i = 0; i < policy->sla.n; i++)
        clause_print(language, &clause[i], out);
}
