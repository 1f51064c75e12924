#include "random_calendar.h"

#include "base/text.h"

static uint64_t dice_roll(struct dice *dice)
{
    uint64_t z = dice->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

int64_t dice_below(struct dice *dice, int64_t n)
{
    return (int64_t)(dice_roll(dice) % (uint64_t)n);
}

/* No edge lies between midnight and four: there clocks change, and "half past two" is no instant or
 * two. A window over those hours is as likely as any. */
static int edge_draw(struct dice *dice, int from)
{
    int minute = from + 1 + (int)dice_below(dice, 600);
    return minute < 240 ? 240 : minute;
}

static void minute_print(int minute, char out[6])
{
    text_format(out, 6, "%02u:%02u", (unsigned)minute / 60 % 100, (unsigned)minute % 60);
}

/* Up to three windows in order; the last may run to midnight or, where it may, into the morning:
 * then no day begins before its night shift has ended. */
static struct slice hours_draw(struct dice *dice, struct calendar_window *out, bool early,
                               bool night)
{
    uint32_t n = 0;
    int at = !early ? edge_draw(dice, 360) : dice_below(dice, 4) ? edge_draw(dice, 240) : 0;
    for (int64_t wanted = 1 + dice_below(dice, 3); n < wanted && at < 1440; n++) {
        int to = edge_draw(dice, at);
        bool last = to >= 1380 || n + 1 == wanted;
        minute_print(at, out[n].from);
        if (last && night && !dice_below(dice, 2) && at >= 600)
            minute_print(240 + (int)dice_below(dice, 120), out[n].to);
        else
            minute_print(to < 1440 ? to : 1440, out[n].to);
        at = last ? 1440 : to + (int)dice_below(dice, 120); /* nothing between: they touch */
    }
    return (struct slice){out, n};
}

struct calendar_def random_calendar(struct dice *dice, struct random_room *room, int64_t around_us)
{
    static const char *const zones[] = {"UTC",
                                        "Asia/Shanghai",
                                        "Europe/Berlin",
                                        "Asia/Kolkata",
                                        "America/New_York",
                                        "Australia/Lord_Howe",
                                        "America/Sao_Paulo"};
    struct calendar_def def = {.name = "random", .version = "1"};
    *room = (struct random_room){0};
    text_copy(def.zone, sizeof def.zone, zones[dice_below(dice, (int64_t)COUNT_OF(zones))]);
    int64_t day = around_us / DAY_US - 30;
    bool nights = dice_below(dice, 2);
    for (int weekday = 1; weekday <= 7; weekday++) {
        if (weekday > 1 && !dice_below(dice, 4))
            continue;
        uint32_t i = def.weekly.n++;
        room->week[i].weekday = weekday;
        room->week[i].windows = hours_draw(dice, room->windows[i], !nights, nights);
    }
    def.weekly.items = room->week;
    while (def.exceptions.n < COUNT_OF(room->exceptions)) {
        struct calendar_exception *e = &room->exceptions[def.exceptions.n];
        int y, m, d;
        day += 1 + dice_below(dice, 6);
        civil_from_days(day, &y, &m, &d);
        text_format(e->from, sizeof e->from, "%04u-%02u-%02u", (unsigned)y % 10000,
                    (unsigned)m % 100, (unsigned)d % 100);
        day += dice_below(dice, 3);
        civil_from_days(day, &y, &m, &d);
        text_format(e->to, sizeof e->to, "%04u-%02u-%02u", (unsigned)y % 10000, (unsigned)m % 100,
                    (unsigned)d % 100);
        int64_t kind = dice_below(dice, 4);
        if (kind == 1)
            e->as = 1;
        else if (kind > 1)
            e->windows = hours_draw(dice, room->dated[def.exceptions.n], true, true);
        def.exceptions.n++;
    }
    def.exceptions.items = room->exceptions;
    return def;
}
