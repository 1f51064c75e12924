#include "base/instant.h"
#include "base/status.h"
#include <time.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *text;
    int64_t us;
    const char *again; /* NULL: as it was */
} instants[] = {
    {"1970-01-01T00:00:00Z", 0, NULL},
    {"2011-07-01T05:32:33Z", INT64_C(1309498353000000), NULL},
    {"2011-07-01T05:32:33.5Z", INT64_C(1309498353500000), NULL},
    {"2011-07-01T05:32:33.000001Z", INT64_C(1309498353000001), NULL},
    {"2011-07-01T05:32:33.1234569Z", INT64_C(1309498353123456), "2011-07-01T05:32:33.123456Z"},
    {"2011-07-01t05:32:33z", INT64_C(1309498353000000), "2011-07-01T05:32:33Z"},
    {"2011-07-01 05:32:33Z", INT64_C(1309498353000000), "2011-07-01T05:32:33Z"},
    {"2011-07-01T13:32:33+08:00", INT64_C(1309498353000000), "2011-07-01T05:32:33Z"},
    {"2011-06-30T23:02:33-06:30", INT64_C(1309498353000000), "2011-07-01T05:32:33Z"},
    {"1969-12-31T23:59:59.999999Z", -1, NULL},
    {"0000-01-01T00:00:00Z", INT64_C(-62167219200000000), NULL},
    {"9999-12-31T23:59:59.999999Z", INT64_C(253402300799999999), NULL},
    {"2000-02-29T00:00:00Z", INT64_C(951782400000000), NULL},
};
static const char *const no_instants[] = {
    "", "2011-07-01", "2011-07-01T05:32Z", "2011-07-01T05:32:33", "2011-07-01T24:00:00Z", "2011-07-01T05:60:00Z",
    "2011-07-01T05:32:60Z", "2011-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2011-13-01T00:00:00Z", "2011-00-01T00:00:00Z",
    "2011-07-00T00:00:00Z", "2011-07-32T00:00:00Z", "2011-7-1T05:32:33Z", "2011-07-01T05:32:33.Z", "2011-07-01T05:32:33+8",
    "2011-07-01T05:32:33+24:00", "2011-07-01T05:32:33Zx", " 2011-07-01T05:32:33Z", "20110701T053233Z",
    /* the offset leads out of the years */
    "9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00+00:01",
};

static void instants_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(instants); i++) {
        int64_t us;
        char text[INSTANT_TEXT_MAX];
        if (!instant_parse(instants[i].text, &us) || us != instants[i].us)
            fail_msg("%s", instants[i].text);
        instant_print(us, text);
        assert_string_equal(text, instants[i].again ? instants[i].again : instants[i].text);
    }
    for (size_t i = 0; i < COUNT_OF(no_instants); i++) {
        int64_t us = 12345;
        if (instant_parse(no_instants[i], &us))
            fail_msg("taken: %s", no_instants[i]);
        assert_int_equal(us, 12345);
    }
}

/* Every day of eight hundred years against the C library. */
static void civil_days(void **state)
{
    (void)state;
    for (int64_t days = -150000; days < 150000; days++) {
        time_t seconds = (time_t)(days * 86400);
        struct tm tm;
        int year, month, day;
        gmtime_r(&seconds, &tm);
        civil_from_days(days, &year, &month, &day);
        assert_int_equal(year, tm.tm_year + 1900);
        assert_int_equal(month, tm.tm_mon + 1);
        assert_int_equal(day, tm.tm_mday);
        assert_int_equal(days_from_civil(year, month, day), days);
        assert_int_equal(weekday_of_days(days), tm.tm_wday ? tm.tm_wday : 7);
        assert_true(day <= days_in_month(year, month));
    }
}

static const struct {
    const char *text;
    int64_t n;
    enum span_unit unit;
} spans[] = {
    {"10s", 10, SPAN_SECONDS}, {"30min", 30, SPAN_MINUTES}, {"-2h", -2, SPAN_HOURS},        {"0d", 0, SPAN_DAYS},
    {"1w", 1, SPAN_WEEKS},     {"3mo", 3, SPAN_MONTHS},     {"2y", 2, SPAN_YEARS},          {"5wh", 5, SPAN_WORKING_HOURS},
    {"3wd", 3, SPAN_WORKING_DAYS}, {"1000y", 1000, SPAN_YEARS}, {"365000d", 365000, SPAN_DAYS},
};
static const char *const no_spans[] = {"",   "h",   "3",      "3 d",       "3m",   "3x",    "d3",
                                       "--3d", "+3d", "1001y", "365001d", "3dd", "1d2h", "99999999999999999999s", "3D"};

static void spans_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(spans); i++) {
        struct span s;
        char text[SPAN_TEXT_MAX];
        if (!span_parse(spans[i].text, &s) || s.n != spans[i].n || s.unit != spans[i].unit)
            fail_msg("%s", spans[i].text);
        span_print(s, text);
        assert_string_equal(text, spans[i].text);
    }
    for (size_t i = 0; i < COUNT_OF(no_spans); i++) {
        struct span s;
        if (span_parse(no_spans[i], &s))
            fail_msg("taken: %s", no_spans[i]);
    }
    char text[SPAN_TEXT_MAX] = "x";
    span_print((struct span){0}, text);
    assert_string_equal(text, "");
    assert_int_equal(span_us((struct span){-2, SPAN_HOURS}), -2 * HOUR_US);
    assert_int_equal(span_us((struct span){1, SPAN_WEEKS}), 7 * DAY_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(instants_both_ways), cmocka_unit_test(civil_days),
                                       cmocka_unit_test(spans_both_ways)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
