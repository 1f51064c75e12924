#include "calendar/inside.h"

#include "base/text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Compiled are the years that tickets live in; outside them days are made one by one. Fixed, so
 * that the same definition gives the same instants on whatever day it is compiled. */
#define FIRST_YEAR 2005
#define LAST_YEAR  2040
/* A calendar that stays shut for longer is a mistake, and would make a limit endless. */
#define SHUT_DAYS_MAX 400
#define DAY_MINUTES   1440

/* --- the hours of a day --------------------------------------------------------------------- */

const struct hours *calendar_hours(const struct calendar *c, int64_t day)
{
    size_t low = 0, high = c->exceptions_n; /* the first exception that ends on or after the day */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->exceptions[middle].to < day)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < c->exceptions_n && c->exceptions[low].from <= day)
        return &c->exceptions[low].hours;
    return &c->week[weekday_of_days(day)];
}

/* Working time begins or ends when the clock on the wall first shows that minute or a later one: in
 * the gap of a spring night, at the jump itself. */
static int64_t edge_instant(const struct calendar *c, int64_t day, int minute)
{
    struct local_time t = {0};
    day += minute / DAY_MINUTES;
    minute %= DAY_MINUTES;
    civil_from_days(day, &t.year, &t.month, &t.day);
    t.hour = minute / 60;
    t.minute = minute % 60;
    int64_t us = zone_instant(c->zone, &t);
    struct local_time shown = zone_local(c->zone, us);
    if (shown.hour == t.hour && shown.minute == t.minute)
        return us;
    int64_t low = us - 3 * HOUR_US,
            high = us; /* the jump is in (low, high]; gaps of a whole day begin at midnight */
    if (zone_local(c->zone, low).offset_s == shown.offset_s)
        return us;
    while (high - low > SECOND_US) {
        int64_t middle = low + (high - low) / 2 / SECOND_US * SECOND_US;
        if (zone_local(c->zone, middle).offset_s == shown.offset_s)
            high = middle;
        else
            low = middle;
    }
    return high;
}

unsigned calendar_day_intervals(const struct calendar *c, int64_t day,
                                struct interval out[CALENDAR_WINDOWS_MAX])
{
    const struct hours *hours = calendar_hours(c, day);
    unsigned n = 0;
    for (unsigned i = 0; i < hours->n; i++) {
        int64_t start = edge_instant(c, day, hours->windows[i].from);
        int64_t end = edge_instant(c, day, hours->windows[i].to);
        if (start < end)
            out[n++] = (struct interval){.start = start, .end = end};
    }
    return n;
}

/* --- reading a definition ------------------------------------------------------------------- */

/* Has the text that form? 9 stands for a digit, everything else for itself. */
static bool has_form(const char *text, const char *form)
{
    for (; *form; form++, text++)
        if (*form == '9' ? *text < '0' || *text > '9' : *text != *form)
            return false;
    return !*text;
}

static int number_at(const char *text, int digits)
{
    int v = 0;
    for (int i = 0; i < digits; i++)
        v = v * 10 + (text[i] - '0');
    return v;
}

static bool minute_read(const char *text, int *minute)
{
    if (!has_form(text, "99:99") || number_at(text + 3, 2) > 59)
        return false;
    *minute = number_at(text, 2) * 60 + number_at(text + 3, 2);
    return *minute <= 2 * DAY_MINUTES;
}

static bool date_read(const char *text, int64_t *day)
{
    if (!has_form(text, "9999-99-99"))
        return false;
    int y = number_at(text, 4), m = number_at(text + 5, 2), d = number_at(text + 8, 2);
    if (y < 1970 || m < 1 || m > 12 || d < 1 || d > days_in_month(y, m))
        return false;
    *day = days_from_civil(y, m, d);
    return true;
}

static int window_order(const void *a, const void *b)
{
    const struct window *x = a, *y = b;
    return (x->from > y->from) - (x->from < y->from);
}

static bool hours_read(const struct slice *windows, const char *path, struct hours *out,
                       struct problem *problem)
{
    const struct calendar_window *w = windows->items;
    char field[100];
    out->n = 0;
    for (uint32_t i = 0; i < windows->n; i++) {
        struct window *to = &out->windows[out->n++];
        text_format(field, sizeof field, "%s.windows[%u]", path, i);
        if (!minute_read(w[i].from, &to->from) || to->from >= DAY_MINUTES)
            return problem_set(problem, "bad-time", field, "from \"%s\", expected 00:00 to 23:59",
                               w[i].from);
        if (!minute_read(w[i].to, &to->to))
            return problem_set(problem, "bad-time", field, "to \"%s\", expected 00:00 to 24:00",
                               w[i].to);
        if (to->to == to->from)
            return problem_set(problem, "bad-value", field, "opens and closes at %s", w[i].from);
        if (to->to < to->from)
            to->to += DAY_MINUTES;
        if (to->to - to->from > DAY_MINUTES)
            return problem_set(problem, "bad-value", field, "a window is at most 24 hours");
    }
    qsort(out->windows, out->n, sizeof *out->windows, window_order);
    for (unsigned i = 1; i < out->n; i++)
        if (out->windows[i].from < out->windows[i - 1].to)
            return problem_set(problem, "bad-value", path, "two windows of a day overlap");
    return true;
}

static bool week_read(struct calendar *c, const struct calendar_def *def, struct problem *problem)
{
    const struct calendar_day *d = def->weekly.items;
    bool seen[8] = {false};
    char path[60];
    for (uint32_t i = 0; i < def->weekly.n; i++) {
        text_format(path, sizeof path, "weekly[%u]", i);
        if (d[i].weekday < 1 || d[i].weekday > 7)
            return problem_set(problem, "missing", path, "a weekday, mon to sun");
        if (seen[d[i].weekday])
            return problem_set(problem, "duplicate", path, "this weekday is there already");
        seen[d[i].weekday] = true;
        if (!hours_read(&d[i].windows, path, &c->week[d[i].weekday], problem))
            return false;
    }
    for (int day = 1; day <= 7; day++) {
        const struct hours *today = &c->week[day], *next = &c->week[day % 7 + 1];
        if (today->n && next->n &&
            today->windows[today->n - 1].to - DAY_MINUTES > next->windows[0].from)
            return problem_set(problem, "bad-value", "weekly",
                               "a night shift runs into the next day's hours");
    }
    return true;
}

static int exception_order(const void *a, const void *b)
{
    const struct exception *x = a, *y = b;
    return (x->from > y->from) - (x->from < y->from);
}

static bool exceptions_read(struct calendar *c, const struct calendar_def *def,
                            struct problem *problem)
{
    const struct calendar_exception *e = def->exceptions.items;
    char path[60];
    c->exceptions = memory_new((def->exceptions.n + 1) * sizeof *c->exceptions);
    for (uint32_t i = 0; i < def->exceptions.n; i++) {
        struct exception *to = &c->exceptions[c->exceptions_n++];
        text_format(path, sizeof path, "exceptions[%u]", i);
        if (!date_read(e[i].from, &to->from))
            return problem_set(problem, "bad-time", path,
                               "from \"%s\", expected a date as 2011-07-04", e[i].from);
        to->to = to->from;
        if (*e[i].to && (!date_read(e[i].to, &to->to) || to->to < to->from))
            return problem_set(problem, "bad-time", path,
                               "to \"%s\", expected a date not before from", e[i].to);
        if (e[i].as && e[i].windows.n)
            return problem_set(problem, "bad-value", path, "either windows or as");
        if (e[i].as)
            to->hours = c->week[e[i].as];
        else if (!hours_read(&e[i].windows, path, &to->hours, problem))
            return false;
    }
    qsort(c->exceptions, c->exceptions_n, sizeof *c->exceptions, exception_order);
    for (size_t i = 1; i < c->exceptions_n; i++)
        if (c->exceptions[i].from <= c->exceptions[i - 1].to) {
            int y, m, d;
            civil_from_days(c->exceptions[i].from, &y, &m, &d);
            return problem_set(problem, "duplicate", "exceptions",
                               "%04d-%02d-%02d is in two exceptions", y, m, d);
        }
    return true;
}

static int year_of(int64_t day)
{
    int y, m, d;
    civil_from_days(day, &y, &m, &d);
    return y;
}

static bool known_read(struct calendar *c, const struct calendar_def *def, struct problem *problem)
{
    bool said = def->known_from || def->known_to;
    int64_t last = 0; /* exceptions are in order and apart: the last ends last */
    if (c->exceptions_n)
        last = c->exceptions[c->exceptions_n - 1].to;
    c->data_from = said || !c->exceptions_n ? INT_MIN : year_of(c->exceptions[0].from);
    c->data_to = said || !c->exceptions_n ? INT_MAX : year_of(last);
    if (def->known_from)
        c->data_from = (int)def->known_from;
    if (def->known_to)
        c->data_to = (int)def->known_to;
    return c->data_from <= c->data_to ||
           problem_set(problem, "bad-value", "known_to", "%d is before known_from, %d", c->data_to,
                       c->data_from);
}

/* --- compiling ------------------------------------------------------------------------------ */

static void interval_add(struct calendar *c, size_t *cap, struct interval in)
{
    struct interval *last = c->n ? &c->intervals[c->n - 1] : NULL;
    if (last &&
        in.start <=
            last->end) { /* through midnight, or a night shift before an exception's hours */
        if (in.end > last->end) {
            c->total += in.end - last->end;
            last->end = in.end;
        }
        return;
    }
    if (c->n == *cap) {
        *cap = *cap ? *cap * 2 : 1024;
        c->intervals = memory_grow(c->intervals, *cap * sizeof *c->intervals);
    }
    in.before = c->total;
    c->total += in.end - in.start;
    c->intervals[c->n++] = in;
}

static void index_make(struct calendar *c)
{
    size_t i = 0;
    if (c->n == 0)
        return;
    c->index_from = c->intervals[0].start;
    c->by_day_n = (size_t)((c->intervals[c->n - 1].end - c->index_from) / DAY_US + 1);
    c->by_day = memory_new((c->by_day_n + 1) * sizeof *c->by_day);
    for (size_t k = 0; k <= c->by_day_n; k++) {
        while (i < c->n && c->intervals[i].end <= c->index_from + (int64_t)k * DAY_US)
            i++;
        c->by_day[k] = (uint32_t)i;
    }
    c->work_step = c->total / (int64_t)c->n + 1; /* about one interval a step */
    c->by_work_n = (size_t)(c->total / c->work_step + 1);
    c->by_work = memory_new((c->by_work_n + 1) * sizeof *c->by_work);
    i = 0;
    for (size_t k = 0; k <= c->by_work_n; k++) {
        while (i + 1 < c->n && c->intervals[i + 1].before <= (int64_t)k * c->work_step)
            i++;
        c->by_work[k] = (uint32_t)i;
    }
}

static void compile(struct calendar *c)
{
    size_t cap = 0;
    c->first_day = days_from_civil(FIRST_YEAR, 1, 1);
    c->last_day = days_from_civil(LAST_YEAR, 12, 31);
    c->safe_from = edge_instant(c, c->first_day + 3, 0);
    c->safe_to = edge_instant(c, c->last_day - 3, 0);
    c->days = memory_new((size_t)(c->last_day - c->first_day + 1) * sizeof *c->days);
    for (int64_t day = c->first_day; day <= c->last_day; day++) {
        struct interval in[CALENDAR_WINDOWS_MAX];
        unsigned n = calendar_day_intervals(c, day, in);
        for (unsigned i = 0; i < n; i++)
            interval_add(c, &cap, in[i]);
        if (calendar_hours(c, day)->n)
            c->days[c->days_n++] = day;
    }
    if (c->n)
        c->intervals = memory_grow(c->intervals, c->n * sizeof *c->intervals);
    index_make(c);
}

static bool compiled_is_open(const struct calendar *c, struct problem *problem)
{
    int64_t last = c->first_day - 1;
    for (size_t i = 0; i <= c->days_n; i++) {
        int64_t day = i < c->days_n ? c->days[i] : c->last_day + 1;
        if (day - last > SHUT_DAYS_MAX) {
            int y, m, d;
            civil_from_days(last + 1, &y, &m, &d);
            return problem_set(problem, "no-working-time", "weekly",
                               "nothing in %d days from %04d-%02d-%02d on", SHUT_DAYS_MAX, y, m, d);
        }
        last = day;
    }
    return true;
}

struct calendar *calendar_new(const struct calendar_def *def, struct problem *problem)
{
    struct calendar *c = memory_new(sizeof *c);
    c->zone = zone_find(def->zone);
    if (!c->zone)
        problem_set(problem, "unknown", "zone", "%s", def->zone);
    else if (week_read(c, def, problem) && exceptions_read(c, def, problem) &&
             known_read(c, def, problem)) {
        compile(c);
        if (compiled_is_open(c, problem))
            return c;
    }
    calendar_destroy(&c);
    return NULL;
}

void calendar_destroy(struct calendar **self_p)
{
    struct calendar *c = *self_p;
    if (!c)
        return;
    free(c->exceptions);
    free(c->intervals);
    free(c->by_day);
    free(c->by_work);
    free(c->days);
    free(c);
    *self_p = NULL;
}
