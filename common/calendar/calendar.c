#include "calendar/inside.h"

const struct zone *calendar_zone(const struct calendar *c)
{
    return c->zone;
}

bool calendar_has_data(const struct calendar *c, int year)
{
    return year >= c->data_from && year <= c->data_to;
}

/* Where most instants lie: nothing there needs the zone, or a day made on demand. */
static bool is_compiled(const struct calendar *c, int64_t us)
{
    return us >= c->safe_from && us < c->safe_to;
}

static int64_t local_day(const struct calendar *c, int64_t us)
{
    struct local_time t = zone_local(c->zone, us);
    return days_from_civil(t.year, t.month, t.day);
}

/* --- hours ---------------------------------------------------------------------------------- */

/* The first compiled interval that ends after us; n when there is none. */
static size_t interval_at(const struct calendar *c, int64_t us)
{
    if (c->n == 0 || us < c->index_from)
        return 0;
    size_t k = (size_t)((us - c->index_from) / DAY_US);
    if (k >= c->by_day_n)
        return c->n;
    size_t low = c->by_day[k], high = c->by_day[k + 1];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->intervals[middle].end <= us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct interval *calendar_interval_at(const struct calendar *c, int64_t us)
{
    size_t i = interval_at(c, us);
    return i < c->n ? &c->intervals[i] : NULL;
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

/* Where `worked` of compiled working time are used up: the end of an interval rather than the start
 * of the next … */
static int64_t worked_end(const struct calendar *c, int64_t worked)
{
    size_t k = (size_t)((worked - 1) / c->work_step);
    size_t low = c->by_work[k], high = c->by_work[k + 1] + 1; /* the last with before < worked */
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
    size_t k = (size_t)(worked / c->work_step);
    size_t low = c->by_work[k], high = c->by_work[k + 1] + 1; /* the last with before <= worked */
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
static bool walk_forward(const struct calendar *c, int64_t from, int64_t to, int64_t *at,
                         int64_t *left)
{
    for (int64_t day = from; day <= to; day++) {
        struct interval in[CALENDAR_WINDOWS_MAX];
        unsigned n = calendar_day_intervals(c, day, in);
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

static bool walk_backward(const struct calendar *c, int64_t from, int64_t to, int64_t *at,
                          int64_t *left)
{
    for (int64_t day = from; day >= to; day--) {
        struct interval in[CALENDAR_WINDOWS_MAX];
        unsigned n = calendar_day_intervals(c, day, in);
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
    if (is_compiled(c, from_us)) {
        int64_t before = worked_before(c, from_us);
        if (left <= c->total - before)
            return worked_end(c, before + left);
    }
    int64_t at = from_us,
            day = local_day(c, from_us) - 2; /* a night shift of the day before may still run */
    if (walk_forward(c, day, smaller(c->first_day - 1, day + CALENDAR_WALK_DAYS_MAX), &at, &left))
        return at;
    int64_t worked = worked_before(c, at);
    if (left <= c->total - worked)
        return worked_end(c, worked + left);
    left -= c->total - worked;
    day = larger(day, c->last_day + 1);
    return walk_forward(c, day, day + CALENDAR_WALK_DAYS_MAX, &at, &left) ? at : INT64_MAX;
}

static int64_t add_backward(const struct calendar *c, int64_t from_us, int64_t left)
{
    if (is_compiled(c, from_us)) {
        int64_t before = worked_before(c, from_us);
        if (left <= before)
            return worked_start(c, before - left);
    }
    int64_t at = from_us, day = local_day(c, from_us) + 1;
    if (walk_backward(c, day, larger(c->last_day + 1, day - CALENDAR_WALK_DAYS_MAX), &at, &left))
        return at;
    int64_t worked = worked_before(c, at);
    if (left <= worked)
        return worked_start(c, worked - left);
    left -= worked;
    day = smaller(day, c->first_day - 1);
    return walk_backward(c, day, day - CALENDAR_WALK_DAYS_MAX, &at, &left) ? at : INT64_MIN;
}

int64_t calendar_add(const struct calendar *c, int64_t from_us, int64_t working_us)
{
    if (working_us == 0)
        return calendar_next_open(c, from_us);
    return working_us > 0 ? add_forward(c, from_us, working_us)
                          : add_backward(c, from_us, -working_us);
}

static int64_t worked_walking(const struct calendar *c, int64_t from_day, int64_t to_day,
                              int64_t from_us, int64_t to_us)
{
    int64_t at = from_us, sum = 0;
    for (int64_t day = from_day; day <= to_day; day++) {
        struct interval in[CALENDAR_WINDOWS_MAX];
        unsigned n = calendar_day_intervals(c, day, in);
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
    if (is_compiled(c, from_us) && is_compiled(c, to_us))
        return worked_before(c, to_us) - worked_before(c, from_us);
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

int64_t calendar_prev_close(const struct calendar *c, int64_t us)
{
    int64_t at = add_backward(c, us, 1);
    return at == INT64_MIN ? at : at + 1;
}

int64_t calendar_subtract(const struct calendar *c, int64_t from_us, int64_t working_us)
{
    return working_us == 0 ? calendar_prev_close(c, from_us) : calendar_add(c, from_us, -working_us);
}

/* --- working days --------------------------------------------------------------------------- */

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
        n -= calendar_hours(c, ++day)->n > 0;
    if (n > 0 && day <= c->last_day) {
        size_t until = days_until(c, day), left = c->days_n - until;
        if ((uint64_t)n <= left)
            return c->days[until + (size_t)n - 1];
        n -= (int64_t)left;
        day = c->last_day;
    }
    for (int64_t stop = day + CALENDAR_WALK_DAYS_MAX; n > 0 && day < stop;)
        n -= calendar_hours(c, ++day)->n > 0;
    return day;
}

static int64_t day_before(const struct calendar *c, int64_t day, int64_t n)
{
    while (n > 0 && day > c->last_day + 1)
        n -= calendar_hours(c, --day)->n > 0;
    if (n > 0 && day >= c->first_day) {
        size_t before = days_until(c, day - 1);
        if ((uint64_t)n <= before)
            return c->days[before - (size_t)n];
        n -= (int64_t)before;
        day = c->first_day;
    }
    for (int64_t stop = day - CALENDAR_WALK_DAYS_MAX; n > 0 && day > stop;)
        n -= calendar_hours(c, --day)->n > 0;
    return day;
}

bool calendar_day_is_working(const struct calendar *c, int64_t day)
{
    return calendar_hours(c, day)->n > 0;
}

bool calendar_is_working_day(const struct calendar *c, int64_t us)
{
    return calendar_day_is_working(c, local_day(c, us));
}

int64_t calendar_count_working_days(const struct calendar *c, int64_t from_day, int64_t to_day)
{
    if (to_day < from_day)
        return 0;
    if (from_day >= c->first_day && to_day <= c->last_day)
        return (int64_t)(days_until(c, to_day) - days_until(c, from_day - 1));
    int64_t n = 0;
    for (int64_t day = from_day; day <= to_day; day++)
        n += calendar_day_is_working(c, day);
    return n;
}

int64_t calendar_end_of_working_day(const struct calendar *c, int64_t us)
{
    struct calendar_span spans[CALENDAR_WINDOWS_MAX];
    int64_t day = local_day(c, us);
    if (!calendar_day_is_working(c, day))
        day = day_after(c, day, 1);
    unsigned n = calendar_day_spans(c, day, spans);
    return n ? spans[n - 1].to_us : calendar_next_close(c, us); /* hours that fall into a gap whole */
}

int64_t calendar_add_working_days(const struct calendar *c, int64_t from_us, int64_t n)
{
    struct local_time t = zone_local(c->zone, from_us);
    int64_t day = days_from_civil(t.year, t.month, t.day);
    if (n == 0 && calendar_hours(c, day)->n > 0)
        return from_us;
    day = n < 0 ? day_before(c, day, -n) : day_after(c, day, n > 0 ? n : 1);
    civil_from_days(day, &t.year, &t.month, &t.day);
    return zone_instant(c->zone, &t);
}
