#include "naive.h"

#include "base/text.h"

#include <string.h>

static int minute_of(const char *text)
{
    return ((text[0] - '0') * 10 + text[1] - '0') * 60 + (text[3] - '0') * 10 + text[4] - '0';
}

static const struct slice *week_hours(const struct calendar_def *def, int weekday)
{
    static const struct slice none;
    const struct calendar_day *days = def->weekly.items;
    for (uint32_t i = 0; i < def->weekly.n; i++)
        if (days[i].weekday == weekday)
            return &days[i].windows;
    return &none;
}

static const struct slice *hours_on(const struct calendar_def *def, int64_t day)
{
    const struct calendar_exception *e = def->exceptions.items;
    char date[16];
    int y, m, d;
    civil_from_days(day, &y, &m, &d);
    text_format(date, sizeof date, "%04d-%02d-%02d", y, m, d);
    for (uint32_t i = 0; i < def->exceptions.n; i++)
        if (strcmp(e[i].from, date) <= 0 && strcmp(*e[i].to ? e[i].to : e[i].from, date) >= 0)
            return e[i].as ? week_hours(def, e[i].as) : &e[i].windows;
    return week_hours(def, weekday_of_days(day));
}

static bool minute_in(const struct slice *hours, int minute)
{
    const struct calendar_window *w = hours->items;
    for (uint32_t i = 0; i < hours->n; i++) {
        int from = minute_of(w[i].from), to = minute_of(w[i].to);
        if (minute >= from && minute < (to <= from ? to + 1440 : to))
            return true;
    }
    return false;
}

bool naive_is_open(const struct calendar_def *def, const struct zone *zone, int64_t us)
{
    struct local_time t = zone_local(zone, us);
    int64_t day = days_from_civil(t.year, t.month, t.day);
    int minute = t.hour * 60 + t.minute;
    return minute_in(hours_on(def, day), minute) ||
           minute_in(hours_on(def, day - 1), minute + 1440);
}

int64_t naive_add(const struct calendar_def *def, const struct zone *zone, int64_t from_us,
                  int64_t minutes)
{
    int64_t at = from_us;
    for (; minutes > 0; at += MINUTE_US)
        minutes -= naive_is_open(def, zone, at);
    return at;
}

int64_t naive_subtract(const struct calendar_def *def, const struct zone *zone, int64_t from_us,
                       int64_t minutes)
{
    int64_t at = from_us;
    for (; minutes > 0; at -= MINUTE_US)
        minutes -= naive_is_open(def, zone, at - MINUTE_US);
    return at;
}

int64_t naive_between(const struct calendar_def *def, const struct zone *zone, int64_t from_us,
                      int64_t to_us)
{
    int64_t sum = 0;
    for (int64_t at = from_us; at < to_us; at += MINUTE_US)
        sum += naive_is_open(def, zone, at) ? MINUTE_US : 0;
    return sum;
}
