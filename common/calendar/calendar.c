#include "calendar/calendar.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* Compiled are the years that tickets live in; outside them days are made one by one. Fixed, so that the same definition
 * gives the same instants on whatever day it is compiled. */
#define FIRST_YEAR 2005
#define LAST_YEAR 2040
/* A calendar that stays shut for longer is a mistake, and would make a limit endless. */
#define SHUT_DAYS_MAX 400
#define WALK_DAYS_MAX 40000
#define DAY_MINUTES 1440

struct window {
    int from, to; /* minutes of the local day; to may pass 1440 */
};
struct hours {
    struct window windows[CALENDAR_WINDOWS_MAX];
    unsigned n;
};
struct exception {
    int64_t from, to; /* days, inclusive */
    struct hours hours;
};
struct interval {
    int64_t start, end;
    int64_t before; /* working time of all intervals before this one */
};

struct calendar {
    char version[64];
    const struct zone *zone;
    struct hours week[8]; /* 1 = Monday */
    struct exception *exceptions;
    size_t exceptions_n;
    int64_t first_day, last_day; /* compiled, inclusive */
    struct interval *intervals;
    size_t n;
    int64_t total;
    int64_t *days; /* working days among the compiled ones */
    size_t days_n;
};

/* --- the hours of a day ------------------------------------------------------------------------ */

static const struct hours *hours_of(const struct calendar *c, int64_t day)
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

static int64_t local_day(const struct calendar *c, int64_t us)
{
    struct local_time t = zone_local(c->zone, us);
    return days_from_civil(t.year, t.month, t.day);
}

/* Working time begins or ends when the clock on the wall first shows that minute or a later one: in the gap of a spring
 * night, at the jump itself. */
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
    int64_t low = us - 3 * HOUR_US, high = us; /* the jump is in (low, high]; gaps of a whole day begin at midnight */
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

/* The working intervals that begin on that day. */
static unsigned day_intervals(const struct calendar *c, int64_t day, struct interval out[CALENDAR_WINDOWS_MAX])
{
    const struct hours *hours = hours_of(c, day);
    unsigned n = 0;
    for (unsigned i = 0; i < hours->n; i++) {
        int64_t start = edge_instant(c, day, hours->windows[i].from);
        int64_t end = edge_instant(c, day, hours->windows[i].to);
        if (start < end)
            out[n++] = (struct interval){.start = start, .end = end};
    }
    return n;
}

/* --- reading a definition ---------------------------------------------------------------------- */

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

static bool hours_read(const struct slice *windows, const char *path, struct hours *out, struct problem *problem)
{
    const struct calendar_window *w = windows->items;
    char field[100];
    out->n = 0;
    for (uint32_t i = 0; i < windows->n; i++) {
        struct window *to = &out->windows[out->n++];
        text_format(field, sizeof field, "%s.windows[%u]", path, i);
        if (!minute_read(w[i].from, &to->from) || to->from >= DAY_MINUTES)
            return problem_set(problem, "bad-time", field, "from \"%s\", expected 00:00 to 23:59", w[i].from);
        if (!minute_read(w[i].to, &to->to))
            return problem_set(problem, "bad-time", field, "to \"%s\", expected 00:00 to 24:00", w[i].to);
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
        if (today->n && next->n && today->windows[today->n - 1].to - DAY_MINUTES > next->windows[0].from)
            return problem_set(problem, "bad-value", "weekly", "a night shift runs into the next day's hours");
    }
    return true;
}

static int exception_order(const void *a, const void *b)
{
    const struct exception *x = a, *y = b;
    return (x->from > y->from) - (x->from < y->from);
}

static bool exceptions_read(struct calendar *c, const struct calendar_def *def, struct problem *problem)
{
    const struct calendar_exception *e = def->exceptions.items;
    char path[60];
    c->exceptions = memory_new((def->exceptions.n + 1) * sizeof *c->exceptions);
    for (uint32_t i = 0; i < def->exceptions.n; i++) {
        struct exception *to = &c->exceptions[c->exceptions_n++];
        text_format(path, sizeof path, "exceptions[%u]", i);
        if (!date_read(e[i].from, &to->from))
            return problem_set(problem, "bad-time", path, "from \"%s\", expected a date as 2011-07-04", e[i].from);
        to->to = to->from;
        if (*e[i].to && (!date_read(e[i].to, &to->to) || to->to < to->from))
            return problem_set(problem, "bad-time", path, "to \"%s\", expected a date not before from", e[i].to);
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
            return problem_set(problem, "duplicate", "exceptions", "%04d-%02d-%02d is in two exceptions", y, m, d);
        }
    return true;
}

/* --- compiling --------------------------------------------------------------------------------- */

static void interval_add(struct calendar *c, size_t *cap, struct interval in)
{
    struct interval *last = c->n ? &c->intervals[c->n - 1] : NULL;
    if (last && in.start <= last->end) { /* through midnight, or a night shift before an exception's hours */
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

static void compile(struct calendar *c)
{
    size_t cap = 0;
    c->first_day = days_from_civil(FIRST_YEAR, 1, 1);
    c->last_day = days_from_civil(LAST_YEAR, 12, 31);
    c->days = memory_new((size_t)(c->last_day - c->first_day + 1) * sizeof *c->days);
    for (int64_t day = c->first_day; day <= c->last_day; day++) {
        struct interval in[CALENDAR_WINDOWS_MAX];
        unsigned n = day_intervals(c, day, in);
        for (unsigned i = 0; i < n; i++)
            interval_add(c, &cap, in[i]);
        if (hours_of(c, day)->n)
            c->days[c->days_n++] = day;
    }
    if (c->n)
        c->intervals = memory_grow(c->intervals, c->n * sizeof *c->intervals);
}

static bool compiled_is_open(const struct calendar *c, struct problem *problem)
{
    int64_t last = c->first_day - 1;
    for (size_t i = 0; i <= c->days_n; i++) {
        int64_t day = i < c->days_n ? c->days[i] : c->last_day + 1;
        if (day - last > SHUT_DAYS_MAX) {
            int y, m, d;
            civil_from_days(last + 1, &y, &m, &d);
            return problem_set(problem, "no-working-time", "weekly", "nothing in %d days from %04d-%02d-%02d on",
                               SHUT_DAYS_MAX, y, m, d);
        }
        last = day;
    }
    return true;
}

struct calendar *calendar_new(const struct calendar_def *def, struct problem *problem)
{
    struct calendar *c = memory_new(sizeof *c);
    text_copy(c->version, sizeof c->version, def->version);
    c->zone = zone_find(def->zone);
    if (!c->zone)
        problem_set(problem, "unknown", "zone", "%s", def->zone);
    else if (week_read(c, def, problem) && exceptions_read(c, def, problem)) {
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
    free(c->days);
    free(c);
    *self_p = NULL;
}

const char *calendar_version(const struct calendar *c)
{
    return c->version;
}

const struct zone *calendar_zone(const struct calendar *c)
{
    return c->zone;
}

/* --- hours ------------------------------------------------------------------------------------- */

/* The first compiled interval that ends after us; n when there is none. */
static size_t interval_at(const struct calendar *c, int64_t us)
{
    size_t low = 0, high = c->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->intervals[middle].end <= us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Compiled working time before us. */
static int64_t worked_before(const struct calendar *c, int64_t us)
{
    size_t i = interval_at(c, us);
    if (i == c->n)
        return c->total;
    const struct interval *in = &c->intervals[i];
    return in->before + (us > in->start ? us - in->start : 0);
}

/* Where `worked` of compiled working time are used up: the end of an interval rather than the start of the next … */
static int64_t worked_end(const struct calendar *c, int64_t worked)
{
    size_t low = 0, high = c->n; /* the last interval with before < worked */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (c->intervals[middle].before < worked)
            low = middle;
        else
            high = middle;
    }
    return c->intervals[low].start + (worked - c->intervals[low].before);
}

/* … or, counted backwards, the start of an interval rather than the end of the one before. */
static int64_t worked_start(const struct calendar *c, int64_t worked)
{
    size_t low = 0, high = c->n;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (c->intervals[middle].before <= worked)
            low = middle;
        else
            high = middle;
    }
    return c->intervals[low].start + (worked - c->intervals[low].before);
}

/* Uses up *left on uncompiled days from … to; *at moves along. True when it is used up, at *at. */
static bool walk_forward(const struct calendar *c, int64_t from, int64_t to, int64_t *at, int64_t *left)
{
    for (int64_t day = from; day <= to; day++) {
        struct interval in[CALENDAR_WINDOWS_MAX];
        unsigned n = day_intervals(c, day, in);
        for (unsigned i = 0; i < n; i++) {
            int64_t start = in[i].start > *at ? in[i].start : *at;
            if (in[i].end <= start)
                continue;
            if (*left <= in[i].end - start) {
                *at = start + *left;
                return true;
            }
            *left -= in[i].end - start;
            *at = in[i].end;
        }
    }
    return false;
}

static bool walk_backward(const struct calendar *c, int64_t from, int64_t to, int64_t *at, int64_t *left)
{
    for (int64_t day = from; day >= to; day--) {
        struct interval in[CALENDAR_WINDOWS_MAX];
        unsigned n = day_intervals(c, day, in);
        for (unsigned i = n; i-- > 0;) {
            int64_t end = in[i].end < *at ? in[i].end : *at;
            if (end <= in[i].start)
                continue;
            if (*left <= end - in[i].start) {
                *at = end - *left;
                return true;
            }
            *left -= end - in[i].start;
            *at = in[i].start;
        }
    }
    return false;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t add_forward(const struct calendar *c, int64_t from_us, int64_t left)
{
    int64_t at = from_us, day = local_day(c, from_us) - 2; /* a night shift of the day before may still run */
    if (walk_forward(c, day, smaller(c->first_day - 1, day + WALK_DAYS_MAX), &at, &left))
        return at;
    int64_t worked = worked_before(c, at);
    if (left <= c->total - worked)
        return worked_end(c, worked + left);
    left -= c->total - worked;
    day = larger(day, c->last_day + 1);
    return walk_forward(c, day, day + WALK_DAYS_MAX, &at, &left) ? at : INT64_MAX;
}

static int64_t add_backward(const struct calendar *c, int64_t from_us, int64_t left)
{
    int64_t at = from_us, day = local_day(c, from_us) + 1;
    if (walk_backward(c, day, larger(c->last_day + 1, day - WALK_DAYS_MAX), &at, &left))
        return at;
    int64_t worked = worked_before(c, at);
    if (left <= worked)
        return worked_start(c, worked - left);
    left -= worked;
    day = smaller(day, c->first_day - 1);
    return walk_backward(c, day, day - WALK_DAYS_MAX, &at, &left) ? at : INT64_MIN;
}

int64_t calendar_add(const struct calendar *c, int64_t from_us, int64_t working_us)
{
    if (working_us == 0)
        return calendar_next_open(c, from_us);
    return working_us > 0 ? add_forward(c, from_us, working_us) : add_backward(c, from_us, -working_us);
}

static int64_t worked_walking(const struct calendar *c, int64_t from_day, int64_t to_day, int64_t from_us, int64_t to_us)
{
    int64_t at = from_us, sum = 0;
    for (int64_t day = from_day; day <= to_day; day++) {
        struct interval in[CALENDAR_WINDOWS_MAX];
        unsigned n = day_intervals(c, day, in);
        for (unsigned i = 0; i < n; i++) {
            int64_t start = larger(in[i].start, at), end = smaller(in[i].end, to_us);
            if (start < end) {
                sum += end - start;
                at = end;
            }
        }
    }
    return sum;
}

int64_t calendar_between(const struct calendar *c, int64_t from_us, int64_t to_us)
{
    if (to_us < from_us)
        return -calendar_between(c, to_us, from_us);
    int64_t first = local_day(c, from_us) - 2, last = local_day(c, to_us);
    return worked_walking(c, first, smaller(last, c->first_day - 1), from_us, to_us) +
           (worked_before(c, to_us) - worked_before(c, from_us)) +
           worked_walking(c, larger(first, c->last_day + 1), last, from_us, to_us);
}

bool calendar_is_open(const struct calendar *c, int64_t us)
{
    return calendar_between(c, us, us + 1) == 1;
}

int64_t calendar_next_open(const struct calendar *c, int64_t us)
{
    int64_t at = add_forward(c, us, 1);
    return at == INT64_MAX ? at : at - 1;
}

/* --- working days ------------------------------------------------------------------------------ */

/* Compiled working days up to and with that day. */
static size_t days_until(const struct calendar *c, int64_t day)
{
    size_t low = 0, high = c->days_n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->days[middle] <= day)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int64_t day_after(const struct calendar *c, int64_t day, int64_t n)
{
    while (n > 0 && day < c->first_day - 1)
        n -= hours_of(c, ++day)->n > 0;
    if (n > 0 && day <= c->last_day) {
        size_t until = days_until(c, day), left = c->days_n - until;
        if ((uint64_t)n <= left)
            return c->days[until + (size_t)n - 1];
        n -= (int64_t)left;
        day = c->last_day;
    }
    for (int64_t stop = day + WALK_DAYS_MAX; n > 0 && day < stop;)
        n -= hours_of(c, ++day)->n > 0;
    return day;
}

static int64_t day_before(const struct calendar *c, int64_t day, int64_t n)
{
    while (n > 0 && day > c->last_day + 1)
        n -= hours_of(c, --day)->n > 0;
    if (n > 0 && day >= c->first_day) {
        size_t before = days_until(c, day - 1);
        if ((uint64_t)n <= before)
            return c->days[before - (size_t)n];
        n -= (int64_t)before;
        day = c->first_day;
    }
    for (int64_t stop = day - WALK_DAYS_MAX; n > 0 && day > stop;)
        n -= hours_of(c, --day)->n > 0;
    return day;
}

bool calendar_is_working_day(const struct calendar *c, int64_t us)
{
    return hours_of(c, local_day(c, us))->n > 0;
}

int64_t calendar_add_working_days(const struct calendar *c, int64_t from_us, int64_t n)
{
    struct local_time t = zone_local(c->zone, from_us);
    int64_t day = days_from_civil(t.year, t.month, t.day);
    if (n == 0 && hours_of(c, day)->n > 0)
        return from_us;
    day = n < 0 ? day_before(c, day, -n) : day_after(c, day, n > 0 ? n : 1);
    civil_from_days(day, &t.year, &t.month, &t.day);
    return zone_instant(c->zone, &t);
}
