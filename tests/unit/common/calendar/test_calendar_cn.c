#include "calendar/calendar.h"

#include "base/text.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct calendar *shipped(const char *path)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    static char text[65536];
    size_t n = fread(text, 1, sizeof text, f);
    fclose(f);
    struct arena *arena = arena_new(65536);
    struct calendar_def def;
    struct problems problems = {0};
    struct problem problem = {0};
    if (!record_parse_yaml(&calendar_def_record, text, n, arena, &def, &problems))
        fail_msg("%s: line %u: %s %s", path, problems.items[0].line, problems.items[0].code,
                 problems.items[0].field);
    struct calendar *c = calendar_new(&def, &problem);
    if (!c)
        fail_msg("%s: %s %s %s", path, problem.code, problem.field, problem.args);
    arena_destroy(&arena);
    return c;
}

static bool listed(json_t *dates, const char *date)
{
    for (size_t i = 0; i < json_array_size(dates); i++)
        if (text_equal(json_string_value(json_array_get(dates, i)), date))
            return true;
    return false;
}

/* A weekday is a working day unless it is listed as off, a weekend day only when it makes up for
 * one. */
static int64_t year_check(const struct calendar *c, int year, json_t *truth)
{
    int64_t workdays = 0, days = 0, first = days_from_civil(year, 1, 1),
            end = days_from_civil(year + 1, 1, 1);
    for (int64_t day = first; day < end; day++, days++) {
        struct local_time t = {.hour = 12};
        char date[16];
        civil_from_days(day, &t.year, &t.month, &t.day);
        snprintf(date, sizeof date, "%04d-%02d-%02d", t.year, t.month % 100, t.day % 100);
        bool want = weekday_of_days(day) <= 5
                        ? !listed(json_object_get(truth, "weekday_offs"), date)
                        : listed(json_object_get(truth, "makeup_workdays"), date);
        if (calendar_is_working_day(c, zone_instant(calendar_zone(c), &t)) != want)
            fail_msg("%s: want %s", date, want ? "a working day" : "off");
        workdays += want;
    }
    assert_int_equal(workdays, json_integer_value(json_object_get(truth, "workdays")));
    struct local_time from = {.year = year, .month = 1, .day = 1},
                      to = {.year = year + 1, .month = 1, .day = 1};
    assert_int_equal(calendar_between(c, zone_instant(calendar_zone(c), &from),
                                      zone_instant(calendar_zone(c), &to)),
                     workdays * 8 * HOUR_US);
    return days;
}

/* The truth's working days of each month, counted by the calendar in one step. */
static void test_months(void **state)
{
    (void)state;
    struct calendar *c = shipped(SOURCE_DIR "/deploy/calendars/cn-2026.yaml");
    json_t *root = json_load_file(
        SOURCE_DIR "/tests/unit/common/calendar/cn_workday_truth_2007_2026.json", 0, NULL);
    const char *year;
    json_t *truth;
    int months = 0;
    json_object_foreach(json_object_get(root, "years"), year, truth) for (int m = 1; m <= 12;
                                                                          m++, months++)
    {
        int64_t first = days_from_civil(atoi(year), m, 1),
                last = first + days_in_month(atoi(year), m) - 1;
        json_t *want = json_array_get(json_object_get(truth, "workdays_by_month"), (size_t)m - 1);
        assert_int_equal(calendar_count_working_days(c, first, last), json_integer_value(want));
    }
    assert_int_equal(months, 240);
    json_decref(root);
    calendar_destroy(&c);
}

static void test_every_day(void **state)
{
    (void)state;
    struct calendar *c = shipped(SOURCE_DIR "/deploy/calendars/cn-2026.yaml");
    json_t *root = json_load_file(
        SOURCE_DIR "/tests/unit/common/calendar/cn_workday_truth_2007_2026.json", 0, NULL);
    const char *year;
    json_t *truth;
    int64_t days = 0;
    json_object_foreach(json_object_get(root, "years"), year, truth) days +=
        year_check(c, atoi(year), truth);
    assert_int_equal(days, 7305);
    assert_true(calendar_has_data(c, 2007) && calendar_has_data(c, 2026));
    assert_false(calendar_has_data(c, 2006) || calendar_has_data(c, 2027));
    json_decref(root);
    calendar_destroy(&c);
}

static void test_boston(void **state)
{
    (void)state;
    struct calendar *c = shipped(SOURCE_DIR "/deploy/calendars/boston-weekdays.yaml");
    int64_t fourth = 0;
    assert_true(instant_parse("2011-07-04T12:00:00-04:00", &fourth));
    assert_true(calendar_is_open(c, fourth)); /* public holidays count there */
    assert_true(calendar_has_data(c, 2035));  /* the week is all there is to know */
    calendar_destroy(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_day),
                                       cmocka_unit_test(test_months),
                                       cmocka_unit_test(test_boston)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
