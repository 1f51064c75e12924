/* Working time as intervals, and with pauses cut out of it. */
#include "calendar/inside.h"

#include <assert.h>

unsigned calendar_day_spans(const struct calendar *c, int64_t day,
                            struct calendar_span out[CALENDAR_WINDOWS_MAX])
{
    struct interval in[CALENDAR_WINDOWS_MAX];
    unsigned n = calendar_day_intervals(c, day, in);
    for (unsigned i = 0; i < n; i++)
        out[i] = (struct calendar_span){in[i].start, in[i].end};
    return n;
}

/* Where what runs at that instant ends, as far as one compiled interval or one day's windows tell.
 */
static int64_t close_near(const struct calendar *c, int64_t open_us)
{
    const struct interval *in = calendar_interval_at(c, open_us);
    if (in && in->start <= open_us)
        return in->end;
    struct local_time t = zone_local(c->zone, open_us);
    int64_t today = days_from_civil(t.year, t.month, t.day), close = open_us;
    for (int64_t day = today - 2; day <= today; day++) { /* a night shift may still run */
        struct interval windows[CALENDAR_WINDOWS_MAX];
        unsigned n = calendar_day_intervals(c, day, windows);
        for (unsigned i = 0; i < n; i++)
            if (windows[i].start <= close && windows[i].end > close)
                close = windows[i].end;
    }
    return close;
}

int64_t calendar_next_close(const struct calendar *c, int64_t us)
{
    int64_t at = calendar_next_open(c, us), stop = us + CALENDAR_WALK_DAYS_MAX * DAY_US;
    while (at < stop) {
        int64_t close = close_near(c, at);
        if (!calendar_is_open(c, close))
            return close;
        at = close;
    }
    return INT64_MAX;
}

size_t calendar_open_spans(const struct calendar *c, int64_t from_us, struct calendar_span *out,
                           size_t max)
{
    size_t n = 0;
    int64_t at = from_us;
    while (n < max) {
        int64_t open = calendar_next_open(c, at);
        if (open == INT64_MAX)
            break;
        at = calendar_next_close(c, open);
        out[n++] = (struct calendar_span){open, at};
        if (at == INT64_MAX)
            break;
    }
    return n;
}

int64_t calendar_add_paused(const struct calendar *c, int64_t from_us, int64_t working_us,
                            const struct calendar_span *pauses, size_t n)
{
    assert(working_us >= 0);
    int64_t at = from_us, left = working_us;
    for (size_t i = 0; i < n; i++) {
        assert(i == 0 || pauses[i - 1].from_us <= pauses[i].from_us);
        if (pauses[i].to_us <= at)
            continue;
        if (pauses[i].from_us > at) {
            int64_t ran = calendar_between(c, at, pauses[i].from_us);
            if (left < ran || (left == ran && left > 0))
                return calendar_add(c, at, left);
            left -= ran;
        }
        at = pauses[i].to_us;
        if (at == INT64_MAX)
            return INT64_MAX;
    }
    return calendar_add(c, at, left);
}

int64_t calendar_between_paused(const struct calendar *c, int64_t from_us, int64_t to_us,
                                const struct calendar_span *pauses, size_t n)
{
    assert(from_us <= to_us);
    int64_t at = from_us, ran = 0;
    for (size_t i = 0; i < n && pauses[i].from_us < to_us; i++) {
        assert(i == 0 || pauses[i - 1].from_us <= pauses[i].from_us);
        if (pauses[i].to_us <= at)
            continue;
        if (pauses[i].from_us > at)
            ran += calendar_between(c, at, pauses[i].from_us);
        at = pauses[i].to_us;
    }
    return at < to_us ? ran + calendar_between(c, at, to_us) : ran;
}
