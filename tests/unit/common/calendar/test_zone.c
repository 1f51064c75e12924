#include "calendar/zone.h"

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

static const struct {
    const char *zone, *utc, *local;
} shown[] = {
    {"UTC", "2011-07-01T05:32:33Z", "2011-07-01T05:32:33Z"},
    {"America/New_York", "2011-07-01T05:32:33Z", "2011-07-01T01:32:33-04:00"},
    {"America/New_York", "2011-11-06T05:59:59Z", "2011-11-06T01:59:59-04:00"},
    {"America/New_York", "2011-11-06T06:00:00Z", "2011-11-06T01:00:00-05:00"},
    {"America/New_York", "2011-03-13T06:59:59Z", "2011-03-13T01:59:59-05:00"},
    {"America/New_York", "2011-03-13T07:00:00Z", "2011-03-13T03:00:00-04:00"},
    /* behind the last transition of the file: by the rule */
    {"America/New_York", "2061-07-01T12:00:00Z", "2061-07-01T08:00:00-04:00"},
    {"America/New_York", "2061-01-01T12:00:00Z", "2061-01-01T07:00:00-05:00"},
    {"America/New_York", "2061-03-13T06:59:59Z", "2061-03-13T01:59:59-05:00"},
    {"America/New_York", "2061-03-13T07:00:00Z", "2061-03-13T03:00:00-04:00"},
    {"Australia/Sydney", "2061-01-01T12:00:00Z", "2061-01-01T23:00:00+11:00"},
    {"Australia/Sydney", "2061-12-31T23:30:00Z", "2062-01-01T10:30:00+11:00"},
    {"Australia/Sydney", "2061-07-01T12:00:00Z", "2061-07-01T22:00:00+10:00"},
    {"Europe/Berlin", "2099-10-25T01:00:00Z", "2099-10-25T02:00:00+01:00"},
    {"Europe/Berlin", "2099-10-25T00:59:59Z", "2099-10-25T02:59:59+02:00"},
    {"Asia/Shanghai", "2061-07-01T12:00:00.5Z", "2061-07-01T20:00:00.500000+08:00"},
    {"Asia/Shanghai", "1990-07-01T12:00:00Z",
     "1990-07-01T21:00:00+09:00"}, /* it had summer time then */
    {"Asia/Kathmandu", "2020-01-01T00:00:00Z", "2020-01-01T05:45:00+05:45"},
    {"Asia/Shanghai", "1969-12-31T23:59:59.75Z", "1970-01-01T07:59:59.750000+08:00"},
};

static void test_shown(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(shown); i++) {
        const struct zone *zone = zone_find(shown[i].zone);
        char text[INSTANT_TEXT_MAX];
        assert_non_null(zone);
        zone_print(zone, us(shown[i].utc), text);
        assert_string_equal(text, shown[i].local);
    }
}

static void test_there_and_back(void **state)
{
    (void)state;
    static const char *const names[] = {
        "America/New_York",  "Asia/Shanghai",     "Europe/London",   "Australia/Lord_Howe",
        "Africa/Casablanca", "America/Sao_Paulo", "Pacific/Auckland"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct zone *zone = zone_find(names[i]);
        assert_non_null(zone);
        for (int64_t at = us("1995-01-01T00:10:00Z"); at < us("2055-01-01T00:00:00Z");
             at += 13 * HOUR_US + 7 * MINUTE_US) {
            struct local_time t = zone_local(zone, at);
            int64_t back = zone_instant(zone, &t);
            if (back != at) { /* only an hour that comes twice: then the first of the two */
                struct local_time same = zone_local(zone, back);
                assert_true(back < at && at - back <= HOUR_US);
                assert_int_equal(same.hour * 60 + same.minute, t.hour * 60 + t.minute);
            }
        }
    }
}

static const struct {
    const char *zone, *from, *span, *want;
} added[] = {
    {"America/New_York", "2011-03-12T12:00:00Z", "1d", "2011-03-13T11:00:00Z"},  /* 23 hours */
    {"America/New_York", "2011-11-05T11:00:00Z", "1d", "2011-11-06T12:00:00Z"},  /* 25 hours */
    {"America/New_York", "2011-03-12T12:00:00Z", "24h", "2011-03-13T12:00:00Z"}, /* elapsed */
    {"America/New_York", "2011-03-12T07:30:00Z", "1d",
     "2011-03-13T07:30:00Z"}, /* 02:30 is not there: as before the gap */
    {"America/New_York", "2011-11-05T05:30:00Z", "1d",
     "2011-11-06T05:30:00Z"}, /* 01:30 comes twice: the first */
    {"America/New_York", "2011-07-01T04:00:00Z", "120d", "2011-10-29T04:00:00Z"},
    {"America/New_York", "2011-11-07T05:00:00Z", "-2w", "2011-10-24T04:00:00Z"},
    {"Asia/Shanghai", "2012-01-31T04:00:00Z", "1mo", "2012-02-29T04:00:00Z"},
    {"Asia/Shanghai", "2012-02-29T04:00:00Z", "1y", "2013-02-28T04:00:00Z"},
    {"Asia/Shanghai", "2012-12-31T04:00:00Z", "2mo", "2013-02-28T04:00:00Z"},
    {"Asia/Shanghai", "2012-01-31T04:00:00Z", "-1mo", "2011-12-31T04:00:00Z"},
    {"Asia/Shanghai", "2012-01-31T04:00:00Z", "-13mo", "2010-12-31T04:00:00Z"},
};

static void test_added(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(added); i++) {
        struct span span;
        char got[INSTANT_TEXT_MAX];
        assert_true(span_parse(added[i].span, &span));
        instant_print(zone_add(zone_find(added[i].zone), us(added[i].from), span), got);
        assert_string_equal(got, added[i].want);
    }
}

static void test_unknown(void **state)
{
    (void)state;
    static const char *const names[] = {
        "", "Mars/Olympus", "../../../etc/passwd", "/etc/localtime", "America", "tzdata.zi"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_null(zone_find(names[i]));
    assert_ptr_equal(zone_find("Asia/Shanghai"), zone_find("Asia/Shanghai"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shown), cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_added), cmocka_unit_test(test_unknown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
