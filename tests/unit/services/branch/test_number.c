/* Ticket numbers: printing, reading back, days. Pace. */
#include "bench.h"
#include "number.h"
#include "pace.h"

static void test_series(void **state)
{
    char series[NUMBER_SERIES_CAP], number[NUMBER_CAP];
    const struct zone *china = zone_find("Asia/Shanghai");
    (void)state;
    assert_non_null(china);
    number_series("GD01", china, MORNING_US, series);
    assert_string_equal(series, "GD01-20261122");
    number_print(series, 123, number);
    assert_string_equal(number, "GD01-20261122-000123");
    /* One minute to midnight there is still that day, though it is long past in UTC's. */
    number_series("GD01", china, MORNING_US + 15 * HOUR_US - MINUTE_US, series);
    assert_string_equal(series, "GD01-20261122");
    number_series("GD01", china, MORNING_US + 15 * HOUR_US, series);
    assert_string_equal(series, "GD01-20261123");
}

static void test_parse(void **state)
{
    static const struct {
        const char *number, *prefix;
        bool good;
        int64_t n;
    } cases[] = {
        {"GD01-20261122-000123", "GD01", true, 123},
        {"GD01-20261122-1234567", "GD01", true, 1234567},
        {"GD01-20261122-123", "GD01", false, 0},
        {"GD01-20261122-", "GD01", false, 0},
        {"GD01-20261122", "GD01", false, 0},
        {"GD01-2026112X-000123", "GD01", false, 0},
        {"GD02-20261122-000123", "GD01", false, 0},
        {"GD01-20261122-00012x", "GD01", false, 0},
        {"GD0", "GD01", false, 0},
        {"T-20261122-000001", "T", true, 1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char series[NUMBER_SERIES_CAP];
        int64_t n = 0;
        assert_int_equal(number_parse(cases[i].number, cases[i].prefix, series, &n), cases[i].good);
        assert_int_equal(n, cases[i].n);
    }
}

static void test_pace(void **state)
{
    struct pace pace;
    (void)state;
    pace_init(&pace);
    size_t first = pace.allowed;
    pace_answered(&pace, SECOND_US / 10);
    assert_int_equal(pace.allowed, 2 * first);
    pace_answered(&pace, SECOND_US); /* neither quick nor late */
    assert_int_equal(pace.allowed, 2 * first);
    pace_answered(&pace, 5 * SECOND_US);
    assert_int_equal(pace.allowed, first);
    for (int i = 0; i < 20; i++)
        pace_broken(&pace);
    assert_int_equal(pace.allowed, PACE_BYTES_MIN);
    for (int i = 0; i < 20; i++)
        pace_answered(&pace, 0);
    assert_int_equal(pace.allowed, PACE_BYTES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_series), cmocka_unit_test(test_parse), cmocka_unit_test(test_pace)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
