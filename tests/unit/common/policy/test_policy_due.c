#include "policy/due.h"

#include "base/status.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int64_t us(const char *text)
{
    int64_t at = 0;
    if (!instant_parse(text, &at))
        fail_msg("not an instant: %s", text);
    return at;
}

/* Monday to Thursday with a lunch break, Friday mornings only; 1 to 7 October 2026 off, the 10th
 * worked. */
static struct calendar *office(void)
{
    static struct calendar_window whole[] = {{"08:30", "12:00"}, {"13:00", "17:30"}},
                                  half[] = {{"08:30", "12:00"}};
    struct calendar_day week[] = {
        {1, {whole, 2}}, {2, {whole, 2}}, {3, {whole, 2}}, {4, {whole, 2}}, {5, {half, 1}}};
    struct calendar_exception days[] = {{.from = "2026-10-01", .to = "2026-10-07"},
                                        {.from = "2026-10-10", .as = 1}};
    struct calendar_def def = {.version = "office-1",
                               .zone = "Asia/Shanghai",
                               .weekly = {week, COUNT_OF(week)},
                               .exceptions = {days, COUNT_OF(days)}};
    struct problem problem;
    struct calendar *c = calendar_new(&def, &problem);
    assert_non_null(c);
    return c;
}

static const struct {
    const char *what;
    int counting;
    const char *cutoff, *limit, *from, *want;
} cases[] = {
    {"elapsed, whatever the calendar", COUNTING_HOURS, "", "2h", "2026-09-30T23:00:00+08:00",
     "2026-10-01T01:00:00+08:00"},
    {"days on the wall", COUNTING_HOURS, "", "3d", "2026-09-30T23:00:00+08:00",
     "2026-10-03T23:00:00+08:00"},
    {"months", COUNTING_HOURS, "", "2mo", "2026-12-31T10:00:00+08:00", "2027-02-28T10:00:00+08:00"},
    {"working hours over the holiday", COUNTING_HOURS, "", "2wh", "2026-09-30T16:30:00+08:00",
     "2026-10-08T09:30:00+08:00"},
    {"by hours: as far into the next day", COUNTING_HOURS, "", "1wd", "2026-09-14T10:00:00+08:00",
     "2026-09-15T10:00:00+08:00"},
    {"from lunch: from one o'clock", COUNTING_HOURS, "", "1wd", "2026-09-14T12:30:00+08:00",
     "2026-09-15T12:00:00+08:00"},
    {"over the weekend", COUNTING_HOURS, "", "2wd", "2026-09-17T10:00:00+08:00",
     "2026-09-21T10:00:00+08:00"},
    {"a short day ends early", COUNTING_HOURS, "", "1wd", "2026-09-17T16:00:00+08:00",
     "2026-09-18T12:00:00+08:00"},
    {"a whole day from its first hour", COUNTING_HOURS, "", "1wd", "2026-09-14T08:30:00+08:00",
     "2026-09-14T17:30:00+08:00"},
    {"in the evening: the next day, whole", COUNTING_HOURS, "", "1wd", "2026-09-14T20:00:00+08:00",
     "2026-09-15T17:30:00+08:00"},
    {"in a holiday: the first day, whole", COUNTING_HOURS, "", "2wd", "2026-10-03T12:00:00+08:00",
     "2026-10-09T12:00:00+08:00"},
    {"onto the make-up day", COUNTING_HOURS, "", "1wd", "2026-10-09T09:00:00+08:00",
     "2026-10-10T09:00:00+08:00"},
    {"by time of day", COUNTING_TIME_OF_DAY, "17:00", "2wd", "2026-09-17T16:59:59+08:00",
     "2026-09-21T16:59:59+08:00"},
    {"at the cutoff", COUNTING_TIME_OF_DAY, "17:00", "2wd", "2026-09-17T17:00:00+08:00",
     "2026-09-22T08:30:00+08:00"},
    {"early is kept", COUNTING_TIME_OF_DAY, "17:00", "2wd", "2026-09-17T05:10:00+08:00",
     "2026-09-21T05:10:00+08:00"},
    {"a day off first", COUNTING_TIME_OF_DAY, "17:00", "2wd", "2026-09-19T10:00:00+08:00",
     "2026-09-23T10:00:00+08:00"},
    {"a day off, late", COUNTING_TIME_OF_DAY, "17:00", "2wd", "2026-09-19T18:00:00+08:00",
     "2026-09-24T08:30:00+08:00"},
    {"without cutoff", COUNTING_TIME_OF_DAY, "", "1wd", "2026-09-18T23:00:00+08:00",
     "2026-09-21T23:00:00+08:00"},
};

static void test_due(void **state)
{
    (void)state;
    struct calendar *c = office();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct policy_clause clause = {.counting = cases[i].counting, .resume = "08:30"};
        struct policy_limit line = {.limit = {0}};
        char got[INSTANT_TEXT_MAX];
        for (size_t j = 0; cases[i].cutoff[j]; j++)
            clause.cutoff[j] = cases[i].cutoff[j];
        assert_true(span_parse(cases[i].limit, &line.limit));
        zone_print(calendar_zone(c),
                   policy_due(&clause, &line, 1, calendar_zone(c), c, us(cases[i].from)), got);
        int64_t want = us(cases[i].want);
        if (policy_due(&clause, &line, 1, calendar_zone(c), c, us(cases[i].from)) != want)
            fail_msg("%s: got %s, want %s", cases[i].what, got, cases[i].want);
    }
    calendar_destroy(&c);
}

/* Where the reckoning leads out of the years that an event can say, it ends at their edge; 0 says that nothing is due. */
static void test_edges_of_time(void **state)
{
    (void)state;
    struct calendar *c = office();
    const struct zone *zone = calendar_zone(c);
    struct policy_level levels[] = {{.at = {-100000, SPAN_DAYS}}, {.at = {100000, SPAN_WORKING_HOURS}}};
    struct policy_clause clause = {.levels = {levels, COUNT_OF(levels)}};
    static const struct {
        struct span limit;
        int64_t per_units, quantity;
    } far[] = {{{2, SPAN_HOURS}, 0, 1},          {{100000, SPAN_HOURS}, 1, INT64_MAX}, {{1000, SPAN_YEARS}, 0, 1},
               {{3, SPAN_WORKING_DAYS}, 0, 1},   {{12000, SPAN_MONTHS}, 0, 1},         {{4, SPAN_WORKING_HOURS}, 1, INT64_MAX},
               {{100000, SPAN_DAYS}, 7, INT64_MAX}};
    for (size_t i = 0; i < COUNT_OF(far); i++) {
        struct policy_limit line = {.limit = far[i].limit, .per_units = far[i].per_units};
        assert_int_equal(policy_due(&clause, &line, far[i].quantity, zone, c, INSTANT_MAX_US), INSTANT_MAX_US);
        int64_t first = policy_due(&clause, &line, 1, zone, c, INSTANT_MIN_US);
        assert_true(first > INSTANT_MIN_US && first < INSTANT_MAX_US);
    }
    assert_int_equal(policy_level_at(&clause, 1, zone, c, INSTANT_MAX_US), INSTANT_MAX_US);
    assert_int_equal(policy_level_at(&clause, -1, zone, c, INSTANT_MIN_US + DAY_US), INSTANT_MIN_US);
    struct policy_limit hours = {.limit = {2, SPAN_HOURS}};
    assert_int_equal(policy_due(&clause, &hours, 1, zone, c, -2 * HOUR_US), 1);
    calendar_destroy(&c);
}

static void test_levels(void **state)
{
    (void)state;
    struct calendar *c = office();
    struct policy_level levels[] = {{.at = {-1, SPAN_WORKING_DAYS}},
                                    {.at = {-2, SPAN_WORKING_HOURS}},
                                    {.at = {-30, SPAN_MINUTES}},
                                    {.at = {1, SPAN_DAYS}, .to = "head"}};
    struct policy_clause clause = {.levels = {levels, COUNT_OF(levels)}};
    int64_t due = us("2026-10-08T09:30:00+08:00");
    assert_int_equal(policy_level_first(&clause), -3);
    assert_int_equal(policy_level_last(&clause), 1);
    static const char *const want[] = {"2026-09-30T09:30:00+08:00", "2026-09-30T16:30:00+08:00",
                                       "2026-10-08T09:00:00+08:00", "2026-10-08T09:30:00+08:00",
                                       "2026-10-09T09:30:00+08:00"};
    for (int level = -3; level <= 1; level++)
        assert_int_equal(policy_level_at(&clause, level, calendar_zone(c), c, due),
                         us(want[level + 3]));
    assert_null(policy_level(&clause, 0));
    assert_null(policy_level(&clause, 2));
    assert_string_equal(policy_level(&clause, 1)->to, "head");
    assert_int_equal(policy_level_first(&(struct policy_clause){0}), 0);
    assert_int_equal(policy_level_last(&(struct policy_clause){0}), 0);
    calendar_destroy(&c);
}

#define DAY(n) ((n)*DAY_US)
static const struct {
    const char *what;
    int64_t at, rec, opened;
    struct span late;
    int64_t want;
} facts[] = {
    {"as reported", DAY(10), DAY(12), DAY(1), {0, SPAN_NONE}, DAY(10)},
    {"a clock ahead of the centre's", DAY(13), DAY(12), DAY(1), {0, SPAN_NONE}, DAY(12)},
    {"without a time", 0, DAY(12), DAY(1), {0, SPAN_NONE}, DAY(12)},
    {"before the opening", DAY(1), DAY(12), DAY(2), {0, SPAN_NONE}, DAY(2)},
    {"told in time", DAY(10), DAY(12), DAY(1), {2, SPAN_DAYS}, DAY(10)},
    {"told too late", DAY(10), DAY(12) + 1, DAY(1), {2, SPAN_DAYS}, DAY(12) + 1},
    {"years late, without a bound", DAY(10), DAY(6000), DAY(1), {0, SPAN_NONE}, DAY(10)},
};

static void test_facts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(facts); i++)
        if (policy_fact_us(&(struct policy){.zone = "UTC", .late_facts_within = facts[i].late},
                           facts[i].at, facts[i].rec, facts[i].opened) != facts[i].want)
            fail_msg("%s", facts[i].what);
}

static void test_minutes(void **state)
{
    (void)state;
    assert_int_equal(policy_minute("17:05"), 17 * 60 + 5);
    static const char *const none[] = {"", "24:00", "8:30", "08:60", "08-30", "08:3x", "008:30"};
    for (size_t i = 0; i < COUNT_OF(none); i++)
        assert_int_equal(policy_minute(none[i]), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_due), cmocka_unit_test(test_edges_of_time), cmocka_unit_test(test_levels),
                                       cmocka_unit_test(test_facts),
                                       cmocka_unit_test(test_minutes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
