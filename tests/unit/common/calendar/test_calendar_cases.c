#include "peer_calendar.h"

#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Cases that are tagged as another convention than ours. */
static const struct {
    const char *op, *boundary, *why;
    int n;
} skipped[] = {
    {"add", "next_open", "time used up at closing is due at closing here, not at the next opening",
     25},
    {"subtract", "prev_close", "the same backwards", 16},
    {"is_open", "closing_instant_counts_as_open", "intervals are half-open here", 6},
    {"add_days", "clamped_to_next_open", "days keep the time of day here, even outside hours", 2},
    {"add_with_pauses", "DIFFERS", "a pause outside hours stops nothing here", 1},
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
    for (size_t i = 0; i < COUNT_OF(skipped); i++)
        if (text_equal(skipped[i].op, op) && text_equal(skipped[i].boundary, boundary))
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

#define SPANS_MAX 32

static bool intervals_hold(const struct calendar *cal, json_t *c)
{
    struct calendar_span spans[SPANS_MAX];
    json_t *list = json_object_get(c, "expected");
    size_t want = json_array_size(list);
    assert_true(want <= SPANS_MAX);
    size_t n = calendar_open_spans(cal, instant_of(json_object_get(c, "at")), spans, want);
    bool same = same_number(c, (int64_t)n, (int64_t)want);
    for (size_t i = 0; i < n && same; i++) {
        json_t *pair = json_array_get(list, i);
        same = same_number(c, spans[i].from_us, instant_of(json_array_get(pair, 0))) &&
               same_number(c, spans[i].to_us, instant_of(json_array_get(pair, 1)));
    }
    return same;
}

static size_t pauses_of(json_t *c, struct calendar_span *out)
{
    json_t *list = json_object_get(c, "pauses");
    size_t n = json_array_size(list);
    assert_true(n <= SPANS_MAX);
    for (size_t i = 0; i < n; i++) {
        json_t *pair = json_array_get(list, i);
        out[i].from_us = instant_of(json_array_get(pair, 0));
        out[i].to_us = instant_of(json_array_get(pair, 1));
    }
    return n;
}

static bool paused_holds(const struct calendar *cal, json_t *c)
{
    struct calendar_span pauses[SPANS_MAX];
    size_t n = pauses_of(c, pauses);
    int64_t start = instant_of(json_object_get(c, "start"));
    if (text_equal(text_of(c, "op"), "add_with_pauses"))
        return same_instant(c,
                            calendar_add_paused(cal, start, seconds_of(c, "seconds"), pauses, n));
    return same_number(
        c, calendar_between_paused(cal, start, instant_of(json_object_get(c, "end")), pauses, n),
        seconds_of(c, "expected_seconds"));
}

static bool days_hold(const struct calendar *cal, json_t *c)
{
    int64_t at = calendar_add_working_days(cal, instant_of(json_object_get(c, "start")),
                                           number_of(c, "days"));
    if (json_is_true(json_object_get(c, "end_of_day")))
        at = calendar_end_of_working_day(cal, at);
    return same_instant(c, at);
}

/* Business seconds in [start, end): none when end comes first. Ours is negative then, so that it
 * stays additive. */
static bool between_holds(const struct calendar *cal, json_t *c)
{
    int64_t got = calendar_between(cal, instant_of(json_object_get(c, "start")),
                                   instant_of(json_object_get(c, "end")));
    if (strcmp(text_of(c, "end"), text_of(c, "start")) < 0) {
        if (got >= 0)
            return same_number(c, got, -1);
        got = 0;
    }
    return same_number(c, got, seconds_of(c, "expected_seconds"));
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
        return same_instant(c, calendar_subtract(cal, instant_of(start), seconds_of(c, "seconds")));
    if (text_equal(op, "add_days"))
        return days_hold(cal, c);
    if (text_equal(op, "between"))
        return between_holds(cal, c);
    if (text_equal(op, "add_with_pauses") || text_equal(op, "between_with_pauses"))
        return paused_holds(cal, c);
    if (text_equal(op, "is_open"))
        return same_number(c, calendar_is_open(cal, instant_of(at)),
                           json_is_true(json_object_get(c, "expected")));
    if (text_equal(op, "next_open"))
        return same_instant(c, calendar_next_open(cal, instant_of(at)));
    if (text_equal(op, "prev_close"))
        return same_instant(c, calendar_prev_close(cal, instant_of(at)));
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
