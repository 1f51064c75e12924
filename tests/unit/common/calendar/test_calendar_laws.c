/* What holds for every calendar and instant: laws of arithmetic, and agreement with an oracle that
 * walks minute by minute. */
#include "naive.h"
#include "random_calendar.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define SEEDS        44
#define WALK_QUERIES 8
#define LAW_QUERIES  16
#define WINDOW_DAYS  40

static struct random_room room;

static struct calendar *draw(struct dice *dice, int64_t around_us, struct calendar_def *def)
{
    struct problem problem = {0};
    *def = random_calendar(dice, &room, around_us);
    struct calendar *c = calendar_new(def, &problem);
    if (!c)
        fail_msg("%s: %s %s", problem.code, problem.field, problem.args);
    return c;
}

/* Days on which clocks change in some zone of the random calendars, and days like any other; the
 * last two lie about the ends of what is compiled. */
static const char *const around[] = {
    "2026-03-29T00:00:00Z", "2026-10-25T00:00:00Z", "2026-03-08T00:00:00Z", "2026-11-01T00:00:00Z",
    "2026-04-05T00:00:00Z", "2026-10-04T00:00:00Z", "2018-11-04T00:00:00Z", "2018-02-18T00:00:00Z",
    "2026-06-15T00:00:00Z", "2040-12-31T00:00:00Z", "2005-01-02T00:00:00Z"};

static int64_t day_drawn(size_t seed)
{
    int64_t us = 0;
    assert_true(instant_parse(around[seed % COUNT_OF(around)], &us));
    return us;
}

#define SAME(what, got, want)                                                                      \
    do {                                                                                           \
        int64_t got_ = (got), want_ = (want);                                                      \
        if (got_ != want_)                                                                         \
            fail_msg("seed %zu %s: %s at %" PRId64 ": got %" PRId64 ", want %" PRId64, seed,       \
                     def.zone, what, from, got_, want_);                                           \
    } while (0)

static void test_oracle(void **state)
{
    (void)state;
    for (size_t seed = 0; seed < SEEDS; seed++) {
        struct dice dice = {seed};
        struct calendar_def def;
        int64_t middle = day_drawn(seed);
        struct calendar *c = draw(&dice, middle, &def);
        const struct zone *zone = calendar_zone(c);
        for (int i = 0; i < WALK_QUERIES; i++) {
            int64_t from =
                middle + (dice_below(&dice, WINDOW_DAYS * 1440) - WINDOW_DAYS * 720) * MINUTE_US;
            int64_t to = from + dice_below(&dice, 10 * 1440) * MINUTE_US;
            int64_t minutes = 1 + dice_below(&dice, 3000);
            SAME("is open", calendar_is_open(c, from), naive_is_open(&def, zone, from));
            SAME("between", calendar_between(c, from, to), naive_between(&def, zone, from, to));
            SAME("add", calendar_add(c, from, minutes * MINUTE_US),
                 naive_add(&def, zone, from, minutes));
            SAME("subtract", calendar_subtract(c, from, minutes * MINUTE_US),
                 naive_subtract(&def, zone, from, minutes));
            SAME("next open", calendar_next_open(c, from),
                 naive_add(&def, zone, from, 1) - MINUTE_US);
            SAME("previous close", calendar_prev_close(c, from),
                 naive_subtract(&def, zone, from, 1) + MINUTE_US);
        }
        calendar_destroy(&c);
    }
}

static void test_spans(void **state)
{
    (void)state;
    for (size_t seed = 0; seed < SEEDS; seed++) {
        struct dice dice = {seed + 1000};
        struct calendar_def def;
        struct calendar_span spans[40];
        int64_t from = day_drawn(seed) + dice_below(&dice, DAY_US);
        struct calendar *c = draw(&dice, from, &def);
        size_t n = calendar_open_spans(c, from, spans, COUNT_OF(spans));
        int64_t sum = 0, at = from;
        for (size_t i = 0; i < n; i++) {
            assert_true(spans[i].from_us >= at && spans[i].to_us > spans[i].from_us);
            SAME("nothing before a span", calendar_between(c, at, spans[i].from_us), 0);
            SAME("closed after it", calendar_is_open(c, spans[i].to_us), false);
            sum += spans[i].to_us - spans[i].from_us;
            at = spans[i].to_us;
            SAME("spans add up", calendar_between(c, from, at), sum);
        }
        assert_true(n == COUNT_OF(spans) || at == INT64_MAX);
        calendar_destroy(&c);
    }
}

/* Instants of any microsecond from 1990 to 2055, so also before, after and across the compiled
 * years. */
static int64_t instant_drawn(struct dice *dice)
{
    return (20 * 365 + dice_below(dice, 65 * 365)) * DAY_US + dice_below(dice, DAY_US);
}

static void test_laws(void **state)
{
    (void)state;
    for (size_t seed = 0; seed < SEEDS; seed++) {
        struct dice dice = {seed + 2000};
        struct calendar_def def;
        struct calendar *c = draw(&dice, day_drawn(seed), &def);
        for (int i = 0; i < LAW_QUERIES; i++) {
            int64_t from = instant_drawn(&dice), work = 1 + dice_below(&dice, 400 * HOUR_US);
            int64_t more = 1 + dice_below(&dice, 400 * HOUR_US),
                    later = from + dice_below(&dice, 90 * DAY_US);
            int64_t last = later + dice_below(&dice, 90 * DAY_US),
                    due = calendar_add(c, from, work);
            SAME("between undoes add", calendar_between(c, from, due), work);
            SAME("and subtract", calendar_between(c, calendar_subtract(c, from, work), from), work);
            SAME("adding in two steps", calendar_add(c, due, more),
                 calendar_add(c, from, work + more));
            SAME("subtracting in two steps",
                 calendar_subtract(c, calendar_subtract(c, from, work), more),
                 calendar_subtract(c, from, work + more));
            SAME("between is additive",
                 calendar_between(c, from, later) + calendar_between(c, later, last),
                 calendar_between(c, from, last));
            SAME("and has a sign", calendar_between(c, last, from),
                 -calendar_between(c, from, last));
            SAME("no earlier from a later start", calendar_add(c, later, work) >= due, true);
            SAME("later with more work", calendar_add(c, from, work + more) > due, true);
            SAME("never more than the clock", due - from >= work, true);
            int64_t close = calendar_next_close(c, from), open = calendar_next_open(c, close);
            SAME("due exactly at closing", calendar_add(c, from, calendar_between(c, from, close)),
                 close);
            int64_t half = open + (calendar_next_close(c, open) - open) / 2;
            SAME("begun exactly at opening", calendar_subtract(c, half, half - open), open);
            SAME("due at the end of work", calendar_prev_close(c, due), due);
            SAME("subtract is its twin", calendar_add(c, calendar_subtract(c, due, work), work),
                 due);
            SAME("only open time counts",
                 calendar_subtract(c, due, work) == calendar_next_open(c, from) ||
                     calendar_between(c, from, calendar_subtract(c, due, work)) == 0,
                 true);
        }
        calendar_destroy(&c);
    }
}

/* A pause is the same as a clock that is stopped by hand at its beginning and started again at its
 * end. */
static void test_pauses(void **state)
{
    (void)state;
    for (size_t seed = 0; seed < SEEDS; seed++) {
        struct dice dice = {seed + 3000};
        struct calendar_def def;
        int64_t from = day_drawn(seed);
        struct calendar *c = draw(&dice, from, &def);
        const struct zone *zone = calendar_zone(c);
        struct calendar_span pauses[3];
        int64_t at = from - dice_below(&dice, DAY_US / MINUTE_US) * MINUTE_US;
        for (size_t i = 0; i < COUNT_OF(pauses); i++) {
            pauses[i].from_us = at;
            pauses[i].to_us = at + (1 + dice_below(&dice, 2880)) * MINUTE_US;
            at += dice_below(&dice, 2880) * MINUTE_US; /* may begin in the one before */
        }
        int64_t minutes = 1 + dice_below(&dice, 2000), left = minutes, walk = from;
        for (; left > 0; walk += MINUTE_US) {
            bool paused = false;
            for (size_t i = 0; i < COUNT_OF(pauses); i++)
                paused |= pauses[i].from_us <= walk && walk < pauses[i].to_us;
            left -= !paused && naive_is_open(&def, zone, walk);
        }
        SAME("add paused",
             calendar_add_paused(c, from, minutes * MINUTE_US, pauses, COUNT_OF(pauses)), walk);
        SAME("between paused", calendar_between_paused(c, from, walk, pauses, COUNT_OF(pauses)),
             minutes * MINUTE_US);
        int64_t ran = calendar_between(c, from, pauses[2].from_us);
        if (ran > 0 && pauses[2].from_us > from)
            SAME("used up exactly where the pause begins",
                 calendar_add_paused(c, from, ran, pauses + 2, 1), calendar_add(c, from, ran));
        SAME("no pause", calendar_add_paused(c, from, minutes * MINUTE_US, NULL, 0),
             calendar_add(c, from, minutes * MINUTE_US));
        pauses[0].to_us = INT64_MAX;
        SAME("a pause that still runs",
             calendar_add_paused(c, from, minutes * MINUTE_US, pauses, 1), INT64_MAX);
        calendar_destroy(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_oracle), cmocka_unit_test(test_spans),
                                       cmocka_unit_test(test_laws), cmocka_unit_test(test_pauses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
