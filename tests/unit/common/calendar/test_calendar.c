#include "calendar/calendar.h"

#include "base/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int64_t us(const char *text)
{
    int64_t at = 0;
    if (!instant_parse(text, &at))
        fail_msg("not an instant: %s", text);
    return at;
}

#define WINDOWS(...)                                                                               \
    .windows = {(struct calendar_window[]){__VA_ARGS__},                                           \
                COUNT_OF(((struct calendar_window[]){__VA_ARGS__}))}

/* Shanghai: lunch break, a short Friday, a night shift on Saturdays; the October week of 2026 as
 * announced. */
static struct calendar *office(void)
{
    struct calendar_day week[] = {
        {.weekday = 1, WINDOWS({"08:30", "12:00"}, {"13:00", "17:30"})},
        {.weekday = 2, WINDOWS({"13:00", "17:30"}, {"08:30", "12:00"})},
        {.weekday = 3, WINDOWS({"08:30", "12:00"}, {"13:00", "17:30"})},
        {.weekday = 4, WINDOWS({"08:30", "12:00"}, {"13:00", "17:30"})},
        {.weekday = 5, WINDOWS({"08:30", "12:00"})},
        {.weekday = 6, WINDOWS({"22:00", "06:00"})},
    };
    struct calendar_exception days[] = {
        {.from = "2026-10-10", .as = 1},
        {.from = "2026-10-01", .to = "2026-10-07", .name = "国庆节"},
        {.from = "2026-10-12", WINDOWS({"10:00", "11:00"})},
    };
    struct calendar_def def = {.name = "office",
                               .version = "office-1",
                               .zone = "Asia/Shanghai",
                               .weekly = {week, COUNT_OF(week)},
                               .exceptions = {days, COUNT_OF(days)}};
    struct problem problem;
    struct calendar *c = calendar_new(&def, &problem);
    assert_non_null(c);
    return c;
}

static const struct {
    const char *what, *from;
    int64_t minutes;
    const char *want;
} added[] = {
    {"in the morning", "2026-09-14T09:00:00+08:00", 60, "2026-09-14T10:00:00+08:00"},
    {"due exactly at lunch", "2026-09-14T09:00:00+08:00", 180, "2026-09-14T12:00:00+08:00"},
    {"over lunch", "2026-09-14T09:00:00+08:00", 181, "2026-09-14T13:01:00+08:00"},
    {"due exactly at closing", "2026-09-14T13:00:00+08:00", 270, "2026-09-14T17:30:00+08:00"},
    {"opened outside hours", "2026-09-14T20:00:00+08:00", 30, "2026-09-15T09:00:00+08:00"},
    {"windows in any order", "2026-09-15T11:00:00+08:00", 120, "2026-09-15T14:00:00+08:00"},
    {"into the night shift", "2026-09-18T11:30:00+08:00", 60, "2026-09-19T22:30:00+08:00"},
    {"over midnight in it", "2026-09-19T23:00:00+08:00", 240, "2026-09-20T03:00:00+08:00"},
    {"and out of it", "2026-09-20T05:30:00+08:00", 60, "2026-09-21T09:00:00+08:00"},
    {"over the holiday into days off", "2026-09-30T17:00:00+08:00", 60,
     "2026-10-08T09:00:00+08:00"},
    {"make-up Saturday has a Monday's hours, not its night", "2026-10-09T12:00:00+08:00", 60,
     "2026-10-10T09:30:00+08:00"},
    {"other hours on a date", "2026-10-11T12:00:00+08:00", 90, "2026-10-13T09:00:00+08:00"},
    {"nothing: the next open instant", "2026-10-01T12:00:00+08:00", 0, "2026-10-08T08:30:00+08:00"},
    {"nothing, open", "2026-10-08T09:10:00+08:00", 0, "2026-10-08T09:10:00+08:00"},
    {"back", "2026-09-14T14:00:00+08:00", -90, "2026-09-14T11:30:00+08:00"},
    {"back to exactly an opening", "2026-09-14T14:00:00+08:00", -60, "2026-09-14T13:00:00+08:00"},
    {"back over the weekend's night", "2026-09-14T09:00:00+08:00", -90,
     "2026-09-13T05:00:00+08:00"},
    {"beyond the compiled years", "2040-12-31T16:30:00+08:00", 120, "2041-01-01T09:30:00+08:00"},
    {"from beyond them back", "2041-01-01T09:00:00+08:00", -90, "2040-12-31T16:30:00+08:00"},
    {"long before them", "1998-12-31T16:30:00+08:00", 90, "1999-01-01T09:00:00+08:00"},
    {"from before them into them", "2004-12-31T11:30:00+08:00", 60, "2005-01-01T22:30:00+08:00"},
    {"from them back before them", "2005-01-01T22:30:00+08:00", -60, "2004-12-31T11:30:00+08:00"},
};

static void test_added(void **state)
{
    (void)state;
    struct calendar *c = office();
    for (size_t i = 0; i < COUNT_OF(added); i++) {
        char got[INSTANT_TEXT_MAX];
        int64_t from = us(added[i].from), at = calendar_add(c, from, added[i].minutes * MINUTE_US);
        zone_print(calendar_zone(c), at, got);
        if (strcmp(got, added[i].want) != 0)
            fail_msg("%s: got %s, want %s", added[i].what, got, added[i].want);
        if (added[i].minutes)
            assert_int_equal(calendar_between(c, from, at), added[i].minutes * MINUTE_US);
    }
    calendar_destroy(&c);
    assert_null(c);
}

/* Adding and measuring agree with counting minute by minute, whatever the day. */
static void test_agree(void **state)
{
    (void)state;
    struct calendar *c = office();
    int64_t start = us("2026-09-26T00:00:00Z"), worked = 0;
    for (int64_t at = start; at < us("2026-10-18T00:00:00Z"); at += MINUTE_US) {
        assert_int_equal(calendar_between(c, start, at), worked);
        assert_int_equal(calendar_between(c, at, start), -worked);
        if (calendar_is_open(c, at)) {
            assert_int_equal(calendar_next_open(c, at), at);
            worked += MINUTE_US;
            assert_int_equal(calendar_add(c, start, worked), at + MINUTE_US);
        } else {
            int64_t next = calendar_next_open(c, at);
            assert_true(next > at && calendar_is_open(c, next) &&
                        calendar_between(c, at, next) == 0);
        }
    }
    calendar_destroy(&c);
}

static const struct {
    const char *from;
    int64_t n;
    const char *want;
} days[] = {
    {"2026-09-30T20:00:00+08:00", 1, "2026-10-08T20:00:00+08:00"},
    {"2026-10-03T09:00:00+08:00", 0, "2026-10-08T09:00:00+08:00"},
    {"2026-10-03T09:00:00+08:00", 1, "2026-10-08T09:00:00+08:00"},
    {"2026-10-08T09:00:00+08:00", 0, "2026-10-08T09:00:00+08:00"},
    {"2026-10-09T09:00:00+08:00", 1, "2026-10-10T09:00:00+08:00"},
    {"2026-10-10T09:00:00+08:00", 1, "2026-10-12T09:00:00+08:00"},
    {"2026-10-08T09:00:00+08:00", -1, "2026-09-30T09:00:00+08:00"},
    {"2040-12-31T09:00:00+08:00", 2, "2041-01-02T09:00:00+08:00"},
    {"2041-01-02T09:00:00+08:00", -2, "2040-12-31T09:00:00+08:00"},
    {"2004-12-31T09:00:00+08:00", 2, "2005-01-03T09:00:00+08:00"},
    {"2005-01-03T09:00:00+08:00", -2, "2004-12-31T09:00:00+08:00"},
};

static void test_days(void **state)
{
    (void)state;
    struct calendar *c = office();
    for (size_t i = 0; i < COUNT_OF(days); i++) {
        char got[INSTANT_TEXT_MAX];
        zone_print(calendar_zone(c), calendar_add_working_days(c, us(days[i].from), days[i].n),
                   got);
        assert_string_equal(got, days[i].want);
    }
    calendar_destroy(&c);
}

/* A day of 23 and one of 25 hours; an edge in the hour that is skipped is at the jump. */
static void test_summer_time(void **state)
{
    (void)state;
    struct calendar_window window = {"00:00", "24:00"};
    struct calendar_day week[7];
    for (int i = 0; i < 7; i++)
        week[i] = (struct calendar_day){.weekday = i + 1, .windows = {&window, 1}};
    struct calendar_def def = {.version = "1", .zone = "America/New_York", .weekly = {week, 7}};
    struct problem problem;
    struct calendar *c = calendar_new(&def, &problem);
    assert_int_equal(
        calendar_between(c, us("2011-03-13T00:00:00-05:00"), us("2011-03-14T00:00:00-04:00")),
        23 * HOUR_US);
    assert_int_equal(
        calendar_between(c, us("2011-11-06T00:00:00-04:00"), us("2011-11-07T00:00:00-05:00")),
        25 * HOUR_US);
    assert_int_equal(calendar_add(c, us("2011-01-01T00:00:00Z"), 365 * DAY_US),
                     us("2012-01-01T00:00:00Z"));
    calendar_destroy(&c);

    window = (struct calendar_window){"02:30", "04:00"};
    c = calendar_new(&def, &problem);
    assert_int_equal(calendar_next_open(c, us("2011-03-13T00:00:00-05:00")),
                     us("2011-03-13T03:00:00-04:00"));
    assert_int_equal(
        calendar_between(c, us("2011-03-13T00:00:00-05:00"), us("2011-03-14T00:00:00-04:00")),
        HOUR_US);
    calendar_destroy(&c);
}

static const struct {
    const char *at, *next_close, *prev_close, *end_of_day;
} edges[] = {
    {"2026-09-14T09:00:00+08:00", "2026-09-14T12:00:00+08:00", "2026-09-14T09:00:00+08:00",
     "2026-09-14T17:30:00+08:00"},
    {"2026-09-14T12:00:00+08:00", "2026-09-14T17:30:00+08:00", "2026-09-14T12:00:00+08:00",
     "2026-09-14T17:30:00+08:00"},
    {"2026-09-14T13:00:00+08:00", "2026-09-14T17:30:00+08:00", "2026-09-14T12:00:00+08:00",
     "2026-09-14T17:30:00+08:00"},
    {"2026-09-19T12:00:00+08:00", "2026-09-20T06:00:00+08:00", "2026-09-18T12:00:00+08:00",
     "2026-09-20T06:00:00+08:00"}, /* a night shift is its day's last hours */
    {"2026-10-03T12:00:00+08:00", "2026-10-08T12:00:00+08:00", "2026-09-30T17:30:00+08:00",
     "2026-10-08T17:30:00+08:00"},
    {"2041-01-01T12:00:00+08:00", "2041-01-01T17:30:00+08:00", "2041-01-01T12:00:00+08:00",
     "2041-01-01T17:30:00+08:00"},
};

static void test_edges(void **state)
{
    (void)state;
    struct calendar *c = office();
    for (size_t i = 0; i < COUNT_OF(edges); i++) {
        int64_t at = us(edges[i].at);
        assert_int_equal(calendar_next_close(c, at), us(edges[i].next_close));
        assert_int_equal(calendar_prev_close(c, at), us(edges[i].prev_close));
        assert_int_equal(calendar_subtract(c, at, 0), us(edges[i].prev_close));
        assert_int_equal(calendar_end_of_working_day(c, at), us(edges[i].end_of_day));
    }
    int64_t first = days_from_civil(2026, 10, 1);
    assert_int_equal(calendar_count_working_days(c, first, first + 6), 0);
    assert_int_equal(calendar_count_working_days(c, first, first + 10), 3); /* 8, 9, 10 October */
    assert_int_equal(calendar_count_working_days(c, first, first - 1), 0);
    first = days_from_civil(2040, 12, 31); /* the last compiled day and the first that is not */
    assert_int_equal(calendar_count_working_days(c, first, first + 1), 2);
    calendar_destroy(&c);
}

/* Round the clock never closes, neither where it is compiled nor beyond. */
static void test_never_closed(void **state)
{
    (void)state;
    struct calendar_window window = {"00:00", "24:00"};
    struct calendar_day week[7];
    for (int i = 0; i < 7; i++)
        week[i] = (struct calendar_day){.weekday = i + 1, .windows = {&window, 1}};
    struct calendar_def def = {.version = "1", .zone = "Europe/Berlin", .weekly = {week, 7}};
    struct problem problem;
    struct calendar_span spans[2];
    struct calendar *c = calendar_new(&def, &problem);
    int64_t at = us("2026-09-14T09:00:00Z");
    assert_int_equal(calendar_next_close(c, at), INT64_MAX);
    assert_int_equal(calendar_open_spans(c, at, spans, 2), 1);
    assert_true(spans[0].from_us == at && spans[0].to_us == INT64_MAX);
    calendar_destroy(&c);
}

static void test_known_years(void **state)
{
    (void)state;
    struct calendar_day fine[] = {{.weekday = 1, WINDOWS({"08:00", "17:00"})}};
    struct calendar_exception dates[] = {{.from = "2026-01-05"},
                                         {.from = "2024-12-30", .to = "2025-01-06"}};
    static const struct {
        int64_t from, to;
        uint32_t dates;
        int first, last; /* 0: without bound */
    } cases[] = {{0, 0, 0, 0, 0},
                 {0, 0, 2, 2024, 2026},
                 {2025, 2026, 2, 2025, 2026},
                 {2025, 2026, 0, 2025, 2026},
                 {0, 2026, 2, 0, 2026},
                 {2025, 0, 2, 2025, 0}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct calendar_def def = {.version = "1",
                                   .zone = "UTC",
                                   .weekly = {fine, 1},
                                   .exceptions = {dates, cases[i].dates},
                                   .known_from = cases[i].from,
                                   .known_to = cases[i].to};
        struct problem problem;
        struct calendar *c = calendar_new(&def, &problem);
        assert_non_null(c);
        for (int year = 2020; year < 2030; year++)
            assert_int_equal(calendar_has_data(c, year),
                             (!cases[i].first || year >= cases[i].first) &&
                                 (!cases[i].last || year <= cases[i].last));
        calendar_destroy(&c);
    }
}

static void refuse(const struct calendar_def *def, const char *code, const char *field)
{
    struct problem problem = {0};
    struct calendar *c = calendar_new(def, &problem);
    assert_null(c);
    assert_string_equal(problem.code, code);
    assert_string_equal(problem.field, field);
}

static void test_refused(void **state)
{
    (void)state;
    struct calendar_day fine[] = {{.weekday = 1, WINDOWS({"08:00", "17:00"})}};
    struct calendar_day twice[] = {fine[0], fine[0]};
    struct calendar_day text[] = {{.weekday = 1, WINDOWS({"8:00", "17:00"})}};
    struct calendar_day empty[] = {{.weekday = 1, WINDOWS({"08:00", "08:00"})}};
    struct calendar_day overlap[] = {
        {.weekday = 1, WINDOWS({"08:00", "12:00"}, {"11:00", "13:00"})}};
    struct calendar_day night[] = {{.weekday = 1, WINDOWS({"22:00", "09:00"})},
                                   {.weekday = 2, WINDOWS({"08:00", "12:00"})}};
    struct calendar_exception date[] = {{.from = "2011-02-29"}};
    struct calendar_exception order[] = {{.from = "2011-02-28", .to = "2011-02-27"}};
    struct calendar_exception both[] = {{.from = "2011-02-01", .to = "2011-02-05"},
                                        {.from = "2011-02-05"}};
    struct calendar_exception shut[] = {{.from = "2011-01-01", .to = "2012-06-01"}};
    struct calendar_exception either[] = {
        {.from = "2011-02-01", .as = 1, WINDOWS({"08:00", "17:00"})}};
#define DEF(w)                                                                                     \
    &(struct calendar_def)                                                                         \
    {                                                                                              \
        .version = "1", .zone = "UTC", .weekly = { w, COUNT_OF(w) }                                \
    }
#define DAYS(e)                                                                                    \
    &(struct calendar_def)                                                                         \
    {                                                                                              \
        .version = "1", .zone = "UTC", .weekly = {fine, 1}, .exceptions = { e, COUNT_OF(e) }       \
    }
    refuse(&(struct calendar_def){.zone = "Nowhere"}, "unknown", "zone");
    refuse(&(struct calendar_def){.zone = "UTC"}, "no-working-time", "weekly");
    refuse(DEF(twice), "duplicate", "weekly[1]");
    refuse(DEF(text), "bad-time", "weekly[0].windows[0]");
    refuse(DEF(empty), "bad-value", "weekly[0].windows[0]");
    refuse(DEF(overlap), "bad-value", "weekly[0]");
    refuse(DEF(night), "bad-value", "weekly");
    refuse(DAYS(date), "bad-time", "exceptions[0]");
    refuse(DAYS(order), "bad-time", "exceptions[0]");
    refuse(DAYS(both), "duplicate", "exceptions");
    refuse(DAYS(shut), "no-working-time", "weekly");
    refuse(DAYS(either), "bad-value", "exceptions[0]");
    refuse(
        &(struct calendar_def){
            .zone = "UTC", .weekly = {fine, 1}, .known_from = 2026, .known_to = 2025},
        "bad-value", "known_to");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_added),       cmocka_unit_test(test_agree),
        cmocka_unit_test(test_days),        cmocka_unit_test(test_summer_time),
        cmocka_unit_test(test_edges),       cmocka_unit_test(test_never_closed),
        cmocka_unit_test(test_known_years), cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
