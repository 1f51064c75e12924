/* Limits over pauses: cases from a paper calendar, and what holds for every calendar, limit and
 * pause. */
#include "policy/due.h"

#include "../calendar/random_calendar.h"
#include "base/text.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PAUSES_MAX 6
#define SEEDS      60
#define QUERIES    40

static int64_t us(const char *text)
{
    int64_t at = 0;
    char full[INSTANT_TEXT_MAX];
    text_format(full, sizeof full, "2026-%s:00+08:00", text);
    if (!instant_parse(full, &at))
        fail_msg("not an instant: %s", full);
    return at;
}

/* Monday to Friday, 09:00 to 12:00 and 13:00 to 18:00; 1 to 7 October off. 2026-09-14 is a Monday.
 */
static struct calendar *office(void)
{
    static struct calendar_window whole[] = {{"09:00", "12:00"}, {"13:00", "18:00"}};
    struct calendar_day week[5];
    for (int i = 0; i < 5; i++)
        week[i] = (struct calendar_day){i + 1, {whole, 2}};
    struct calendar_exception days[] = {{.from = "2026-10-01", .to = "2026-10-07"}};
    struct calendar_def def = {.version = "office-1",
                               .zone = "Asia/Shanghai",
                               .weekly = {week, COUNT_OF(week)},
                               .exceptions = {days, COUNT_OF(days)}};
    struct problem problem;
    struct calendar *c = calendar_new(&def, &problem);
    assert_non_null(c);
    return c;
}

/* T: counting time-of-day. pauses: from, to, from, to …; to "": still running. want "": no due
 * instant. */
static const struct {
    const char *what, *limit, *by;
    int64_t per_units, quantity;
    bool time_of_day;
    const char *from, *pauses[2 * 3 + 1], *want;
} cases[] = {
    {"hours", "4h", "", 0, 1, false, "09-14T10:00", {"09-14T11:00", "09-14T13:30"}, "09-14T16:30"},
    {"a pause at the due instant is none",
     "4h",
     "",
     0,
     1,
     false,
     "09-14T10:00",
     {"09-14T14:00", ""},
     "09-14T14:00"},
    {"one that runs has no due instant",
     "4h",
     "",
     0,
     1,
     false,
     "09-14T10:00",
     {"09-14T13:59", ""},
     ""},
    {"two pauses, the second reached by the first alone",
     "2h",
     "",
     0,
     1,
     false,
     "09-14T10:00",
     {"09-14T11:00", "09-14T13:00", "09-14T13:30", "09-14T14:30"},
     "09-14T15:00"},
    {"a pause before the start",
     "4h",
     "",
     0,
     1,
     false,
     "09-14T10:00",
     {"09-14T08:00", "09-14T11:00"},
     "09-14T15:00"},
    {"days move by what the pause took",
     "3d",
     "",
     0,
     1,
     false,
     "09-18T10:00",
     {"09-19T00:00", "09-20T12:00"},
     "09-22T22:00"},
    {"a month",
     "1mo",
     "",
     0,
     1,
     false,
     "09-14T10:00",
     {"09-20T00:00", "09-22T00:00"},
     "10-16T10:00"},
    {"working hours over a weekend's pause",
     "6wh",
     "",
     0,
     1,
     false,
     "09-18T15:00",
     {"09-18T18:00", "09-21T09:00"},
     "09-21T12:00"},
    {"working hours, a pause in them",
     "6wh",
     "",
     0,
     1,
     false,
     "09-18T15:00",
     {"09-18T16:00", "09-21T10:00"},
     "09-21T16:00"},
    {"a working day by hours",
     "1wd",
     "",
     0,
     1,
     false,
     "09-14T10:00",
     {"09-14T11:00", "09-15T11:00"},
     "09-16T10:00"},
    {"a working day by hours, over lunch",
     "1wd",
     "",
     0,
     1,
     false,
     "09-14T10:00",
     {"09-14T12:00", "09-14T13:00"},
     "09-15T10:00"},
    {"a whole day, a pause of two hours",
     "1wd",
     "",
     0,
     1,
     false,
     "09-14T09:00",
     {"09-14T10:00", "09-14T12:00"},
     "09-15T11:00"},
    {"time of day, a pause of a day",
     "2wd",
     "",
     0,
     1,
     true,
     "09-14T10:00",
     {"09-15T11:00", "09-16T11:00"},
     "09-17T10:00"},
    {"time of day, a pause of three hours",
     "2wd",
     "",
     0,
     1,
     true,
     "09-14T10:00",
     {"09-15T09:00", "09-15T12:00"},
     "09-16T14:00"},
    {"time of day, a pause in the holidays",
     "2wd",
     "",
     0,
     1,
     true,
     "09-30T10:00",
     {"10-01T00:00", "10-08T00:00"},
     "10-09T10:00"},
    {"time of day, after hours",
     "1wd",
     "",
     0,
     1,
     true,
     "09-14T20:00",
     {"09-14T21:00", "09-15T08:00"},
     "09-15T20:00"},
    {"one day for ten: nine", "1d", "", 10, 9, false, "09-14T10:00", {0}, "09-15T10:00"},
    {"one day for ten: ten", "1d", "", 10, 10, false, "09-14T10:00", {0}, "09-15T10:00"},
    {"one day for ten: eleven", "1d", "", 10, 11, false, "09-14T10:00", {0}, "09-16T10:00"},
    {"one day for ten: not said", "1d", "", 10, 0, false, "09-14T10:00", {0}, "09-15T10:00"},
    {"one working day for ten: twenty-five",
     "1wd",
     "",
     10,
     25,
     false,
     "09-17T10:00",
     {0},
     "09-22T10:00"},
    {"twelve hours for ten: forty, paused",
     "12h",
     "",
     10,
     40,
     false,
     "09-14T10:00",
     {"09-15T00:00", "09-15T06:00"},
     "09-16T16:00"},
    {"by five on the day it ends in",
     "2wd",
     "17:00",
     0,
     1,
     false,
     "09-17T10:00",
     {0},
     "09-21T17:00"},
    {"by five, the pause brings the next day",
     "2wd",
     "17:00",
     0,
     1,
     false,
     "09-17T10:00",
     {"09-18T10:00", "09-21T10:00"},
     "09-22T17:00"},
    {"by five, a pause runs over it",
     "2wd",
     "17:00",
     0,
     1,
     false,
     "09-17T10:00",
     {"09-21T16:00", "09-21T18:00"},
     "09-22T17:00"},
    {"by five, and the limit itself behind it: a pause after five comes too late",
     "1d",
     "17:00",
     0,
     1,
     false,
     "09-14T20:00",
     {"09-15T18:00", "09-16T00:00"},
     "09-15T17:00"},
    {"by five alone, in the morning", "", "17:00", 0, 1, false, "09-14T10:00", {0}, "09-14T17:00"},
    {"by five alone, exactly then", "", "17:00", 0, 1, false, "09-14T17:00", {0}, "09-14T17:00"},
    {"by five alone, in the evening", "", "17:00", 0, 1, false, "09-14T17:01", {0}, "09-15T17:00"},
    {"by five alone, before the weekend",
     "",
     "17:00",
     0,
     1,
     false,
     "09-18T20:00",
     {0},
     "09-21T17:00"},
    {"by five alone, a short pause",
     "",
     "17:00",
     0,
     1,
     false,
     "09-14T10:00",
     {"09-14T11:00", "09-14T15:00"},
     "09-14T17:00"},
    {"by five alone, until Wednesday",
     "",
     "17:00",
     0,
     1,
     false,
     "09-14T10:00",
     {"09-14T11:00", "09-16T08:00"},
     "09-16T17:00"},
    {"by five alone, and waiting",
     "",
     "17:00",
     0,
     1,
     false,
     "09-14T10:00",
     {"09-14T11:00", ""},
     ""},
    {"by eight after a short limit in the evening",
     "1d",
     "08:00",
     0,
     1,
     false,
     "09-14T10:00",
     {0},
     "09-15T08:00"},
    {"nothing: the instant itself",
     "0s",
     "",
     0,
     1,
     false,
     "09-14T10:00",
     {"09-14T08:00", ""},
     "09-14T10:00"},
};

static void test_cases(void **state)
{
    (void)state;
    struct calendar *c = office();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct policy_clause clause = {.counting = cases[i].time_of_day ? COUNTING_TIME_OF_DAY
                                                                        : COUNTING_HOURS};
        struct policy_limit line = {.per_units = cases[i].per_units};
        struct pause_interval pauses[3];
        size_t n = 0;
        char got[INSTANT_TEXT_MAX];
        if (*cases[i].limit)
            assert_true(span_parse(cases[i].limit, &line.limit));
        text_copy(line.by, sizeof line.by, cases[i].by);
        for (; cases[i].pauses[2 * n]; n++)
            pauses[n] = (struct pause_interval){
                us(cases[i].pauses[2 * n]),
                *cases[i].pauses[2 * n + 1] ? us(cases[i].pauses[2 * n + 1]) : 0};
        int64_t due = policy_due_paused(&clause, &line, cases[i].quantity, calendar_zone(c), c,
                                        us(cases[i].from), pauses, n);
        zone_print(calendar_zone(c), due, got);
        if (due != (*cases[i].want ? us(cases[i].want) : 0))
            fail_msg("%s: got %s, want %s", cases[i].what, got, cases[i].want);
    }
    calendar_destroy(&c);
}

/* --- laws ---------------------------------------------------------------------------------------
 */

struct draw {
    struct policy_clause clause;
    struct policy_limit line;
    int64_t quantity, from_us;
    struct pause_interval pauses[2 * PAUSES_MAX];
    size_t n;
    const struct calendar *calendar;
};

static const char *const limits[] = {"30min", "5h",  "2d",  "1w",  "1mo",
                                     "7wh",   "1wh", "1wd", "3wd", "0s"};

static void pauses_draw(struct dice *dice, struct draw *d)
{
    int64_t at = d->from_us - dice_below(dice, 3) * DAY_US;
    d->n = (size_t)dice_below(dice, PAUSES_MAX + 1);
    for (size_t i = 0; i < d->n; i++) {
        d->pauses[i].from_us = at += dice_below(dice, 2000) * MINUTE_US;
        d->pauses[i].to_us = at += dice_below(dice, 3000) * MINUTE_US;
    }
}

static struct draw drawn(struct dice *dice, const struct calendar *calendar, int64_t middle)
{
    struct draw d = {.calendar = calendar, .quantity = dice_below(dice, 40)};
    d.from_us = middle + dice_below(dice, 20 * 1440) * MINUTE_US;
    d.clause.counting = dice_below(dice, 2) ? COUNTING_TIME_OF_DAY : COUNTING_HOURS;
    if (d.clause.counting == COUNTING_TIME_OF_DAY && dice_below(dice, 2)) {
        text_copy(d.clause.cutoff, sizeof d.clause.cutoff, "17:00");
        text_copy(d.clause.resume, sizeof d.clause.resume, "08:30");
    }
    assert_true(span_parse(limits[dice_below(dice, (int64_t)COUNT_OF(limits))], &d.line.limit));
    d.line.per_units = dice_below(dice, 3) ? 0 : 10;
    if (!dice_below(dice, 4) && d.line.limit.n > 0 && d.line.limit.unit > SPAN_HOURS &&
        d.line.limit.unit != SPAN_WORKING_HOURS)
        text_copy(d.line.by, sizeof d.line.by, "17:00");
    if (*d.line.by && dice_below(dice, 2))
        d.line.limit = (struct span){0};
    pauses_draw(dice, &d);
    return d;
}

static int64_t due_of(const struct draw *d)
{
    return policy_due_paused(&d->clause, &d->line, d->quantity, calendar_zone(d->calendar),
                             d->calendar, d->from_us, d->pauses, d->n);
}

static int64_t due_unpaused(const struct draw *d)
{
    return policy_due(&d->clause, &d->line, d->quantity, calendar_zone(d->calendar), d->calendar,
                      d->from_us);
}

static void describe(const struct draw *d, char *out, size_t cap)
{
    char limit[SPAN_TEXT_MAX], from[INSTANT_TEXT_MAX], a[INSTANT_TEXT_MAX], b[INSTANT_TEXT_MAX];
    span_print(d->line.limit, limit);
    zone_print(calendar_zone(d->calendar), d->from_us, from);
    size_t n = (size_t)snprintf(out, cap, "%s by '%s' x%" PRId64 "/%" PRId64 " %s from %s", limit,
                                d->line.by, d->quantity, d->line.per_units,
                                d->clause.counting ? "time-of-day" : "hours", from);
    for (size_t i = 0; i < d->n && n < cap; i++) {
        zone_print(calendar_zone(d->calendar), d->pauses[i].from_us, a);
        zone_print(calendar_zone(d->calendar), d->pauses[i].to_us, b);
        n += (size_t)snprintf(out + n, cap - n, " [%s,%s)", a, b);
    }
}

#define HOLDS(d, what, condition)                                                                  \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            char text_[1024];                                                                      \
            describe(d, text_, sizeof text_);                                                      \
            fail_msg("%s: %s", what, text_);                                                       \
        }                                                                                          \
    } while (0)

/* What is promised in elapsed or working time is exactly used up, not counting the pauses. */
static void law_used_up(const struct draw *d)
{
    int64_t due = due_of(d), ran = 0, at = d->from_us;
    if (*d->line.by || d->line.limit.n == 0)
        return;
    struct draw bare = *d;
    bare.n = 0;
    struct calendar_span spans[2 * PAUSES_MAX];
    for (size_t i = 0; i < d->n; i++) {
        spans[i] = (struct calendar_span){d->pauses[i].from_us, d->pauses[i].to_us};
        int64_t from = d->pauses[i].from_us > at ? d->pauses[i].from_us : at;
        if (d->pauses[i].to_us <= from || from >= due)
            continue;
        ran += from - at;
        at = d->pauses[i].to_us;
    }
    ran += due - at;
    if (!policy_counts_working_time(d->line.limit.unit))
        HOLDS(d, "elapsed", ran == due_of(&bare) - d->from_us);
    else if (d->line.limit.unit == SPAN_WORKING_HOURS || d->clause.counting == COUNTING_HOURS)
        HOLDS(d, "working time",
              calendar_between_paused(d->calendar, d->from_us, due, spans, d->n) ==
                  calendar_between(d->calendar, d->from_us, due_of(&bare)));
}

/* A pause cut in two that touch is the same pause. */
static void law_split(struct dice *dice, const struct draw *d)
{
    struct draw cut = *d;
    cut.n = 0;
    for (size_t i = 0; i < d->n; i++) {
        struct pause_interval p = d->pauses[i];
        int64_t middle =
            p.from_us + dice_below(dice, (p.to_us - p.from_us) / MINUTE_US + 1) * MINUTE_US;
        cut.pauses[cut.n++] = (struct pause_interval){p.from_us, middle};
        cut.pauses[cut.n++] = (struct pause_interval){middle, p.to_us};
    }
    HOLDS(d, "cut in two", due_of(&cut) == due_of(d));
}

/* A longer pause, or one more, is never due earlier; a longer limit neither. */
static void law_monotone(struct dice *dice, const struct draw *d)
{
    struct draw other = *d;
    int64_t due = due_of(d);
    if (d->n > 0) {
        size_t i = (size_t)dice_below(dice, (int64_t)d->n);
        int64_t room = i + 1 < d->n ? d->pauses[i + 1].from_us - d->pauses[i].to_us : 30 * DAY_US;
        other.pauses[i].to_us += dice_below(dice, room / MINUTE_US + 1) * MINUTE_US;
        HOLDS(d, "a longer pause", due_of(&other) >= due);
        other = *d;
        memmove(&other.pauses[i], &other.pauses[i + 1], (d->n - i - 1) * sizeof *other.pauses);
        other.n--;
        HOLDS(d, "a pause less", due_of(&other) <= due);
    }
    other = *d;
    other.line.limit.n += dice_below(dice, 3);
    if (d->line.limit.n > 0)
        HOLDS(d, "a longer limit", due_of(&other) >= due);
    HOLDS(d, "not before the start", due >= d->from_us);
}

/* Outside working hours nothing is lost. */
static void law_closed(struct dice *dice, const struct draw *d)
{
    struct draw closed = *d;
    closed.n = 0;
    if (!policy_counts_working_time(d->line.limit.unit) || *d->line.by)
        return;
    int64_t at = d->from_us;
    while (closed.n < PAUSES_MAX) {
        int64_t shut = calendar_next_close(d->calendar, at);
        if (shut == INT64_MAX)
            break;
        int64_t open = calendar_next_open(d->calendar, shut);
        if (dice_below(dice, 2))
            closed.pauses[closed.n++] = (struct pause_interval){shut, open};
        at = open;
    }
    HOLDS(&closed, "outside hours", due_of(&closed) == due_unpaused(d));
}

/* While it waits there is no due instant, unless it had come before. */
static void law_open(const struct draw *d)
{
    struct draw open = *d;
    if (d->n == 0)
        return;
    struct draw before = *d;
    before.n--;
    int64_t due = due_of(&before), from = d->pauses[d->n - 1].from_us;
    bool due_at_once = d->line.limit.unit != SPAN_NONE && d->line.limit.n == 0 && !*d->line.by;
    open.pauses[d->n - 1].to_us = 0;
    if (due_at_once || (from > d->from_us ? from : d->from_us) >= due)
        HOLDS(d, "due before the wait", due_of(&open) == due);
    else
        HOLDS(d, "waiting", due_of(&open) == 0);
}

static void test_laws(void **state)
{
    (void)state;
    static const char *const around[] = {"2026-03-29T00:00:00Z", "2026-11-01T00:00:00Z",
                                         "2026-06-15T00:00:00Z"};
    static struct random_room room;
    for (size_t seed = 0; seed < SEEDS; seed++) {
        struct dice dice = {seed + 1000};
        struct problem problem = {0};
        int64_t middle = 0;
        assert_true(instant_parse(around[seed % COUNT_OF(around)], &middle));
        struct calendar_def def = random_calendar(&dice, &room, middle);
        struct calendar *c = calendar_new(&def, &problem);
        assert_non_null(c);
        for (int i = 0; i < QUERIES; i++) {
            struct draw d = drawn(&dice, c, middle);
            struct draw bare = d;
            bare.n = 0;
            HOLDS(&d, "without pauses", due_of(&bare) == due_unpaused(&d));
            law_used_up(&d);
            law_split(&dice, &d);
            law_monotone(&dice, &d);
            law_closed(&dice, &d);
            law_open(&d);
        }
        calendar_destroy(&c);
    }
}

/* The later it begins, the later it is due; with days of equal length. */
static void test_later_starts(void **state)
{
    (void)state;
    struct calendar *c = office();
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct dice dice = {seed};
        struct draw d = drawn(&dice, c, us("09-10T00:00"));
        int64_t last = 0;
        for (int i = 0; i < 200; i++, d.from_us += 37 * MINUTE_US) {
            /* By time of day, a start on a day off takes its time along into the first working day.
             */
            if (d.clause.counting == COUNTING_TIME_OF_DAY && !calendar_is_working_day(c, d.from_us))
                continue;
            int64_t due = due_of(&d);
            HOLDS(&d, "a later start", due >= last);
            last = due;
        }
    }
    calendar_destroy(&c);
}

/* Whatever somebody writes into a quantity, it ends some day. */
static void test_absurd(void **state)
{
    (void)state;
    struct calendar *c = office();
    struct policy_clause clause = {.counting = COUNTING_HOURS};
    static const struct span spans[] = {{9, SPAN_HOURS},
                                        {9, SPAN_DAYS},
                                        {9, SPAN_WEEKS},
                                        {9, SPAN_WORKING_HOURS},
                                        {9, SPAN_WORKING_DAYS}};
    int64_t from = us("09-14T10:00");
    struct pause_interval pause = {from + HOUR_US, from + DAY_US};
    for (size_t i = 0; i < COUNT_OF(spans); i++)
        for (int by = 0; by < 2; by++) {
            struct policy_limit line = {.limit = spans[i], .per_units = 1};
            text_copy(line.by, sizeof line.by, by && spans[i].unit == SPAN_DAYS ? "17:00" : "");
            int64_t due =
                policy_due_paused(&clause, &line, INT64_MAX, calendar_zone(c), c, from, &pause, 1);
            assert_true(due > from + 40 * 365 * DAY_US);
        }
    calendar_destroy(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases), cmocka_unit_test(test_laws),
                                       cmocka_unit_test(test_later_starts),
                                       cmocka_unit_test(test_absurd)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
