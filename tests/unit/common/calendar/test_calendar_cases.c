#include "peer_calendar.h"

#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Cases whose answer is another convention than ours, or that ask for what is counted elsewhere. */
static const struct {
    const char *op, *boundary, *why;
    int n;
} skipped[] = {
    {"add", "next_open", "time used up at closing is due at closing here, not at the next opening",
     25},
    {"subtract", "prev_close", "the same backwards", 16},
    {"is_open", "closing_instant_counts_as_open", "intervals are half-open here", 6},
    {"add_days", "clamped_to_next_open", "days keep the time of day here, even outside hours", 2},
    {"add_days", "end_of_day", "due at the end of the n-th day is no counting of ours", 4},
    {"between", "reversed", "time from later to earlier is negative here, not nothing", 2},
    {"add_with_pauses", NULL, "pauses belong to the clock, not to the calendar", 6},
    {"between_with_pauses", NULL, "pauses belong to the clock, not to the calendar", 1},
};

static const char *text_of(json_t *c, const char *name)
{
    const char *text = json_string_value(json_object_get(c, name));
    return text ? text : "";
}

static int64_t number_of(json_t *c, const char *name)
{
    return json_integer_value(json_object_get(c, name));
}

/* Some cases have milliseconds. */
static int64_t seconds_of(json_t *c, const char *name)
{
    return (int64_t)llround(json_number_value(json_object_get(c, name)) * 1000) * 1000;
}

static int64_t instant_of(json_t *value)
{
    int64_t us = 0;
    if (!instant_parse(json_string_value(value), &us))
        fail_msg("not an instant: %s", json_string_value(value));
    return us;
}

static int64_t noon_of(const struct calendar *c, const char *date)
{
    struct local_time t = {.hour = 12};
    assert_int_equal(sscanf(date, "%d-%d-%d", &t.year, &t.month, &t.day), 3);
    return zone_instant(calendar_zone(c), &t);
}

static int skip_of(json_t *c)
{
    const char *op = text_of(c, "op"), *boundary = text_of(c, "boundary");
    if (json_object_get(c, "end_of_day"))
        boundary = "end_of_day";
    if (text_equal(op, "between") && strcmp(text_of(c, "end"), text_of(c, "start")) < 0 &&
        number_of(c, "expected_seconds") == 0)
        boundary = "reversed";
    for (size_t i = 0; i < COUNT_OF(skipped); i++)
        if (text_equal(skipped[i].op, op) &&
            (!skipped[i].boundary || text_equal(skipped[i].boundary, boundary)))
            return (int)i;
    return -1;
}

static bool same_instant(json_t *c, int64_t got)
{
    char text[INSTANT_TEXT_MAX];
    instant_print(got, text);
    if (got == instant_of(json_object_get(c, "expected")))
        return true;
    print_error("%s: got %s, want %s\n", text_of(c, "id"), text, text_of(c, "expected"));
    return false;
}

static bool same_number(json_t *c, int64_t got, int64_t want)
{
    if (got != want)
        print_error("%s: got %" PRId64 ", want %" PRId64 "\n", text_of(c, "id"), got, want);
    return got == want;
}

static bool intervals_hold(const struct calendar *cal, json_t *c)
{
    json_t *list = json_object_get(c, "expected");
    int64_t at = instant_of(json_object_get(c, "at"));
    for (size_t i = 0; i < json_array_size(list); i++) {
        int64_t start = instant_of(json_array_get(json_array_get(list, i), 0));
        int64_t end = instant_of(json_array_get(json_array_get(list, i), 1));
        if (!same_number(c, calendar_next_open(cal, at), start) ||
            !same_number(c, calendar_between(cal, start, end), end - start) ||
            !same_number(c, calendar_is_open(cal, end - SECOND_US), true) ||
            !same_number(c, calendar_is_open(cal, end), false))
            return false;
        at = end;
    }
    return true;
}

static bool workdays_hold(const struct calendar *cal, json_t *c)
{
    json_t *want = json_object_get(c, "expected");
    int64_t last = noon_of(cal, text_of(c, "end_date"));
    size_t n = 0;
    struct span day = {1, SPAN_DAYS};
    for (int64_t at = noon_of(cal, text_of(c, "start_date")); at <= last;
         at = zone_add(calendar_zone(cal), at, day)) {
        if (!calendar_is_working_day(cal, at))
            continue;
        if (json_is_array(want)) {
            const char *date = json_string_value(json_array_get(want, n));
            if (!date || noon_of(cal, date) != at)
                return same_number(c, 0, 1);
        }
        n++;
    }
    return same_number(c, (int64_t)n,
                       json_is_array(want) ? (int64_t)json_array_size(want)
                                           : json_integer_value(want));
}

static bool case_holds(const struct calendar *cal, json_t *c)
{
    const char *op = text_of(c, "op");
    json_t *start = json_object_get(c, "start"), *at = json_object_get(c, "at");
    if (text_equal(op, "add"))
        return same_instant(c, calendar_add(cal, instant_of(start), seconds_of(c, "seconds")));
    if (text_equal(op, "subtract"))
        return same_instant(c, calendar_add(cal, instant_of(start), -seconds_of(c, "seconds")));
    if (text_equal(op, "add_days"))
        return same_instant(
            c, calendar_add_working_days(cal, instant_of(start), number_of(c, "days")));
    if (text_equal(op, "between"))
        return same_number(
            c, calendar_between(cal, instant_of(start), instant_of(json_object_get(c, "end"))),
            seconds_of(c, "expected_seconds"));
    if (text_equal(op, "is_open"))
        return same_number(c, calendar_is_open(cal, instant_of(at)),
                           json_is_true(json_object_get(c, "expected")));
    if (text_equal(op, "next_open"))
        return same_instant(c, calendar_next_open(cal, instant_of(at)));
    if (text_equal(
            op, "prev_close")) /* one microsecond of work before it, and that one forward again */
        return same_instant(c, calendar_add(cal, instant_of(at), -1) + 1);
    if (text_equal(op, "open_intervals"))
        return intervals_hold(cal, c);
    if (text_equal(op, "is_workday"))
        return same_number(c, calendar_is_working_day(cal, noon_of(cal, text_of(c, "date"))),
                           json_is_true(json_object_get(c, "expected")));
    if (text_equal(op, "next_workday_or_self"))
        return same_number(c, calendar_add_working_days(cal, noon_of(cal, text_of(c, "date")), 0),
                           noon_of(cal, text_of(c, "expected")));
    if (text_equal(op, "workdays_in_range") || text_equal(op, "count_workdays_inclusive"))
        return workdays_hold(cal, c);
    print_error("%s: unknown op %s\n", text_of(c, "id"), op);
    return false;
}

static void test_cases(void **state)
{
    (void)state;
    int counts[COUNT_OF(skipped)] = {0}, wrong = 0, right = 0;
    json_t *root =
        json_load_file(SOURCE_DIR "/tests/unit/common/calendar/business-time-cases.json", 0, NULL);
    json_t *cases = json_object_get(root, "cases"), *definition;
    const char *name;
    assert_true(json_array_size(cases) == 784);
    json_object_foreach(json_object_get(root, "calendars"), name, definition)
    {
        struct calendar *cal = peer_calendar_new(name, definition);
        for (size_t i = 0; i < json_array_size(cases); i++) {
            json_t *c = json_array_get(cases, i);
            if (!text_equal(text_of(c, "calendar"), name))
                continue;
            int skip = skip_of(c);
            if (skip >= 0)
                counts[skip]++;
            else if (case_holds(cal, c))
                right++;
            else
                wrong++;
        }
        calendar_destroy(&cal);
    }
    json_decref(root);
    print_message("%d cases hold, %d do not\n", right, wrong);
    int left_out = 0;
    for (size_t i = 0; i < COUNT_OF(skipped); i++) {
        print_message("%d left out: %s\n", counts[i], skipped[i].why);
        assert_int_equal(counts[i], skipped[i].n);
        left_out += counts[i];
    }
    assert_int_equal(wrong, 0);
    assert_int_equal(right + left_out, 784);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
