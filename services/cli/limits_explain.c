#include "limits_explain.h"
#include "base/text.h"
#include <stddef.h>
#include <string.h>

#define WORDS_SHOWN 3 /* of a list that a ticket is not on */

bool counting_of(const struct policy *policy, const char *clause, int64_t line,
                 const struct calendar *(*calendar)(void *, const char *name), void *owner,
                 struct counting *out)
{
    *out = (struct counting){.policy = policy, .clause = policy_clause(policy, clause)};
    if (out->clause == NULL)
        return false;
    out->zone = zone_find(policy->zone);
    const struct policy_limit *lines = out->clause->limits.items;
    if (line >= 1 && line <= (int64_t)out->clause->limits.n)
        out->line = &lines[line - 1];
    const char *name = out->line != NULL ? policy_limit_calendar(out->clause, out->line) : "";
    if (name[0] != '\0')
        out->calendar = calendar(owner, name);
    return out->zone != NULL;
}

enum counting_way counting_way(const struct counting *c)
{
    if (c->line == NULL || c->calendar == NULL || !policy_counts_working_time(c->line->limit.unit))
        return COUNTS_ELAPSED;
    return c->line->limit.unit == SPAN_WORKING_DAYS && c->clause->counting == COUNTING_TIME_OF_DAY
               ? COUNTS_DAYS
               : COUNTS_WORKING;
}

/* --- windows ---------------------------------------------------------------------------------- */

struct windows {
    const struct sla_pause *waits;
    size_t waits_n;
    struct counted *out;
    size_t n;
    bool more;
};

static void window_add(struct windows *w, int64_t from_us, int64_t to_us)
{
    if (from_us >= to_us)
        return;
    if (w->n == COUNTED_MAX)
        w->more = true;
    else
        w->out[w->n++] = (struct counted){from_us, to_us};
}

/* What of a stretch lies outside the waits, which are in order of time. */
static void stretch_add(struct windows *w, int64_t from_us, int64_t to_us)
{
    int64_t at_us = from_us;
    for (size_t i = 0; i < w->waits_n; i++) {
        const struct sla_pause *wait = &w->waits[i];
        int64_t end_us = wait->to_us == 0 ? INT64_MAX : wait->to_us;
        if (end_us <= at_us || wait->from_us >= to_us)
            continue;
        window_add(w, at_us, wait->from_us < to_us ? wait->from_us : to_us);
        at_us = end_us;
    }
    window_add(w, at_us, to_us);
}

static int64_t local_day(const struct zone *zone, int64_t us)
{
    struct local_time t = zone_local(zone, us);
    return days_from_civil(t.year, t.month, t.day);
}

static void days_add(struct windows *w, const struct counting *c, int64_t from_us, int64_t to_us)
{
    const struct zone *zone = calendar_zone(c->calendar);
    int64_t last = local_day(zone, to_us);
    for (int64_t day = local_day(zone, from_us) + 1; day <= last; day++) {
        struct local_time t = {0};
        civil_from_days(day, &t.year, &t.month, &t.day);
        int64_t begin_us = zone_instant(zone, &t);
        if (calendar_day_is_working(c->calendar, day))
            window_add(w, begin_us, begin_us + DAY_US);
    }
}

static void working_add(struct windows *w, const struct counting *c, int64_t from_us, int64_t to_us)
{
    struct calendar_span spans[32];
    int64_t at_us = from_us;
    while (at_us < to_us && !w->more) {
        size_t n = calendar_open_spans(c->calendar, at_us, spans, COUNT_OF(spans));
        for (size_t i = 0; i < n && spans[i].from_us < to_us; i++)
            stretch_add(w, spans[i].from_us, spans[i].to_us < to_us ? spans[i].to_us : to_us);
        if (n < COUNT_OF(spans))
            return;
        at_us = spans[n - 1].to_us;
    }
}

size_t counted_windows(const struct counting *c, int64_t from_us, int64_t to_us,
                       const struct sla_pause *waits, size_t waits_n,
                       struct counted out[COUNTED_MAX], bool *more)
{
    struct windows w = {.waits = waits, .waits_n = waits_n, .out = out};
    switch (counting_way(c)) {
    case COUNTS_DAYS:
        days_add(&w, c, from_us, to_us);
        break;
    case COUNTS_WORKING:
        working_add(&w, c, from_us, to_us);
        break;
    case COUNTS_ELAPSED:
        stretch_add(&w, from_us, to_us);
        break;
    }
    *more = w.more;
    return w.n;
}

int64_t counted_wait(const struct counting *c, const struct sla_pause *wait, int64_t until_us)
{
    int64_t to_us = wait->to_us != 0 ? wait->to_us : until_us;
    if (to_us <= wait->from_us)
        return 0;
    return counting_way(c) == COUNTS_ELAPSED ? to_us - wait->from_us
                                             : calendar_between(c->calendar, wait->from_us, to_us);
}

/* --- lines ------------------------------------------------------------------------------------ */

/* The lists of a match in the order in which they are looked at. */
static const struct list {
    const char *name;
    size_t offset, cap; /* cap 0: numbers */
} lists[] = {
    {"kinds", offsetof(struct policy_match, kinds), POLICY_KIND_CAP},
    {"regions", offsetof(struct policy_match, regions), POLICY_REGION_CAP},
    {"priorities", offsetof(struct policy_match, priorities), POLICY_WORD_CAP},
    {"products", offsetof(struct policy_match, products), POLICY_PRODUCT_CAP},
    {"channels", offsetof(struct policy_match, channels), POLICY_WORD_CAP},
    {"coverages", offsetof(struct policy_match, coverages), POLICY_COVERAGE_CAP},
    {"tiers", offsetof(struct policy_match, tiers), 0},
    {"phases", offsetof(struct policy_match, phases), POLICY_WORD_CAP},
    {"region_classes", offsetof(struct policy_match, region_classes), POLICY_WORD_CAP},
};

static const struct slice *list_of(const struct policy_match *match, const struct list *list)
{
    return (const struct slice *)(const void *)((const char *)match + list->offset);
}

/* The first of them, and how many more there are. */
static void list_print(const struct slice *slice, const struct list *list, uint32_t most,
                       struct buf *out)
{
    for (uint32_t i = 0; i < slice->n && i < most; i++) {
        buf_append_text(out, i > 0 ? ", " : "");
        if (list->cap == 0)
            buf_append_format(out, "%lld", (long long)((const int64_t *)slice->items)[i]);
        else
            buf_append_text(out, (const char *)slice->items + i * list->cap);
    }
    if (slice->n > most)
        buf_append_format(out, " … (+%u)", slice->n - most);
}

static void value_print(const struct list *list, const struct policy_subject *s, char out[64])
{
    const char *const values[] = {s->kind,     s->region, s->priority, s->product,     s->channel,
                                  s->coverage, NULL,      s->phase,    s->region_class};
    const char *value = values[list - lists];
    if (list->cap == 0)
        text_format(out, 64, "%lld", (long long)s->tier);
    else
        text_copy(out, 64, value != NULL ? value : "");
}

bool line_differs(const struct policy *policy, const struct policy_limit *line,
                  const struct subject_row *row, int64_t tier, struct difference *out)
{
    const struct policy_subject s = {.kind = row->kind,
                                     .region = row->region,
                                     .priority = row->priority,
                                     .product = row->product,
                                     .channel = row->channel,
                                     .coverage = row->coverage,
                                     .tier = tier,
                                     .phase = row->phase,
                                     .region_class = policy_region_class(policy, row->region)};
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        struct policy_match only;
        memset(&only, 0, sizeof(only));
        memcpy((char *)&only + lists[i].offset, list_of(&line->match, &lists[i]),
               sizeof(struct slice));
        if (policy_matches(&only, &s))
            continue;
        struct buf wants = {0};
        list_print(list_of(&line->match, &lists[i]), &lists[i], WORDS_SHOWN, &wants);
        out->field = lists[i].name;
        text_copy(out->wants, sizeof(out->wants), buf_text(&wants));
        value_print(&lists[i], &s, out->is);
        buf_release(&wants);
        return true;
    }
    return false;
}

void line_print(const struct policy_limit *line, struct buf *out)
{
    bool first = true;
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        const struct slice *slice = list_of(&line->match, &lists[i]);
        if (slice->n == 0)
            continue;
        buf_append_format(out, "%s%s ", first ? "" : "; ", lists[i].name);
        list_print(slice, &lists[i], UINT32_MAX, out);
        first = false;
    }
}

void limit_print(const struct policy_limit *line, struct buf *out)
{
    char span[SPAN_TEXT_MAX];
    span_print(line->limit, span);
    buf_append_text(out, span);
    if (line->per_units > 0)
        buf_append_format(out, " per %lld units", (long long)line->per_units);
    if (line->by[0] != '\0')
        buf_append_format(out, "%sby %s", span[0] != '\0' ? " " : "", line->by);
    if (span[0] == '\0' && line->by[0] == '\0')
        buf_append_text(out, "at once");
}
