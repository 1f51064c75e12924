/* The limit of a line over the time in which its clock ran. */
#include "policy/due_inside.h"

#include <assert.h>

#define OPEN    INT64_MAX /* the end of a pause that still runs */
#define WAITING INT64_MIN /* no due instant: a pause runs */
#define NEVER   INT64_MAX /* what calendar_add says of more than a hundred years */

/* What of the pauses lies behind the start: those that touch as one, an open end as OPEN. */
struct waits {
    struct pause_interval items[POLICY_PAUSES_COUNTED_MAX];
    size_t n;
};

static void waits_fill(struct waits *w, int64_t from_us, const struct pause_interval *pauses,
                       size_t n)
{
    assert(n <= POLICY_PAUSES_COUNTED_MAX);
    w->n = 0;
    for (size_t i = 0; i < n; i++) {
        struct pause_interval p = pauses[i];
        assert(i == 0 || (pauses[i - 1].to_us != 0 && pauses[i - 1].to_us <= p.from_us));
        if (p.to_us == 0)
            p.to_us = OPEN;
        if (p.from_us < from_us)
            p.from_us = from_us;
        if (p.to_us <= p.from_us)
            continue;
        if (w->n > 0 && w->items[w->n - 1].to_us == p.from_us)
            w->items[w->n - 1].to_us = p.to_us;
        else
            w->items[w->n++] = p;
    }
}

/* Every pause that begins before the due instant, as far as it has moved by then, moves it by its
 * own length. */
static int64_t moved_by_elapsed(const struct waits *w, int64_t due_us)
{
    for (size_t i = 0; i < w->n && w->items[i].from_us < due_us; i++) {
        if (w->items[i].to_us == OPEN)
            return WAITING;
        due_us += w->items[i].to_us - w->items[i].from_us;
    }
    return due_us;
}

/* By as much working time as it took: from the due instant on, which need not lie in working hours.
 */
static int64_t moved_by_working_time(const struct waits *w, const struct calendar *calendar,
                                     int64_t due_us)
{
    for (size_t i = 0; i < w->n && w->items[i].from_us < due_us; i++) {
        if (w->items[i].to_us == OPEN)
            return WAITING;
        int64_t took = calendar_between(calendar, w->items[i].from_us, w->items[i].to_us);
        if (took > 0)
            due_us = calendar_add(calendar, due_us, took);
        if (due_us == NEVER)
            break;
    }
    return due_us;
}

/* The instant at which so much working time outside the pauses is used up. */
static int64_t worked_off(const struct waits *w, const struct calendar *calendar, int64_t from_us,
                          int64_t left)
{
    int64_t at = from_us, due = calendar_add(calendar, at, left);
    for (size_t i = 0; i < w->n && left > 0 && w->items[i].from_us < due; i++) {
        if (w->items[i].to_us == OPEN)
            return WAITING;
        left -= calendar_between(calendar, at, w->items[i].from_us);
        at = w->items[i].to_us;
        due = calendar_add(calendar, at, left);
    }
    return due;
}

static int64_t span_paused(const struct policy_clause *clause, struct span limit,
                           const struct zone *zone, const struct calendar *calendar,
                           int64_t from_us, const struct waits *w)
{
    int64_t due = policy_due_of_span(clause, limit, zone, calendar, from_us);
    if (w->n == 0 || due == from_us || due == NEVER)
        return due;
    if (!policy_counts_working_time(limit.unit))
        return moved_by_elapsed(w, due);
    if (limit.unit == SPAN_WORKING_DAYS && clause->counting == COUNTING_TIME_OF_DAY)
        return moved_by_working_time(w, calendar, due);
    return worked_off(w, calendar, from_us, calendar_between(calendar, from_us, due));
}

static int64_t time_of_day(const struct zone *zone, int64_t us, int minute)
{
    struct local_time t = zone_local(zone, us);
    t.hour = minute / 60;
    t.minute = minute % 60;
    t.second = 0;
    t.micros = 0;
    return zone_instant(zone, &t);
}

/* The first such time of day at or after `us`, on a working day where there is a calendar. */
static int64_t next_time_of_day(const struct zone *zone, const struct calendar *calendar,
                                int64_t us, int minute)
{
    int64_t at = time_of_day(zone, us, minute);
    if (at < us)
        at = zone_add(zone, at, (struct span){1, SPAN_DAYS});
    return calendar ? time_of_day(zone, calendar_add_working_days(calendar, at, 0), minute) : at;
}

/* The time of day that is promised, of the day in which the limit ends; where a pause runs over it,
 * the first one after the pause. */
static int64_t due_by(const struct policy_limit *line, const struct zone *policy_zone,
                      const struct calendar *calendar, const struct waits *w, int64_t from_us,
                      int64_t end_us)
{
    int minute = policy_minute(line->by);
    const struct zone *zone = calendar ? calendar_zone(calendar) : policy_zone;
    if (line->limit.unit != SPAN_NONE && !policy_counts_working_time(line->limit.unit))
        calendar = NULL; /* counts every day */
    int64_t due = line->limit.unit == SPAN_NONE ? next_time_of_day(zone, calendar, end_us, minute)
                                                : time_of_day(zone, end_us, minute);
    if (due < from_us) /* a short limit that ends in the evening it began in */
        due = next_time_of_day(zone, calendar, from_us, minute);
    for (size_t i = 0; i < w->n && w->items[i].from_us < due; i++) {
        if (w->items[i].to_us == OPEN)
            return WAITING;
        if (w->items[i].to_us > due)
            due = next_time_of_day(zone, calendar, w->items[i].to_us, minute);
    }
    return due;
}

/* So many of a unit are longer than anybody waits, and short enough to count with. */
static int64_t most_of(enum span_unit unit)
{
    switch (unit) {
    case SPAN_SECONDS:
    case SPAN_MINUTES:
    case SPAN_HOURS:
        return 1000000000;
    case SPAN_NONE:
    case SPAN_DAYS:
    case SPAN_WEEKS:
    case SPAN_MONTHS:
    case SPAN_YEARS:
    case SPAN_WORKING_HOURS:
    case SPAN_WORKING_DAYS:
        break;
    }
    return 100000;
}

/* The limit for so many units: once for each `per_units` begun. */
static struct span limit_of(const struct policy_limit *line, int64_t quantity)
{
    struct span limit = line->limit;
    if (line->per_units <= 0 || quantity <= line->per_units || limit.n <= 0)
        return limit;
    int64_t times = (quantity - 1) / line->per_units + 1, most = most_of(limit.unit);
    limit.n = times > most / limit.n ? most : limit.n * times;
    return limit;
}

/* The time of day may come before the limit ends on its day: only pauses that begin before it can
 * move it. They are taken in one by one, until the next begins too late. */
static int64_t due_by_paused(const struct policy_clause *clause, const struct policy_limit *line,
                             struct span limit, const struct zone *zone,
                             const struct calendar *calendar, int64_t from_us,
                             const struct waits *all)
{
    struct waits some = {.n = 0};
    for (;;) {
        int64_t end = span_paused(clause, limit, zone, calendar, from_us, &some);
        int64_t due = end == WAITING || end == NEVER
                          ? end
                          : due_by(line, zone, calendar, &some, from_us, end);
        if (due == WAITING || some.n == all->n || all->items[some.n].from_us >= due)
            return due;
        some.items[some.n] = all->items[some.n];
        some.n++;
    }
}

int64_t policy_due_paused(const struct policy_clause *clause, const struct policy_limit *line,
                          int64_t quantity, const struct zone *zone,
                          const struct calendar *calendar, int64_t from_us,
                          const struct pause_interval *pauses, size_t n)
{
    struct waits waits;
    struct span limit = limit_of(line, quantity);
    waits_fill(&waits, from_us, pauses, n);
    int64_t due = *line->by ? due_by_paused(clause, line, limit, zone, calendar, from_us, &waits)
                            : span_paused(clause, limit, zone, calendar, from_us, &waits);
    if (due == WAITING)
        return 0;
    return due == 0 ? 1 : instant_kept(due); /* 0 says that there is none */
}
