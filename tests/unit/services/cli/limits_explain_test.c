/* How a limit was counted: the stretches of a paper calendar, and why a line is not for a ticket.
 */
#include "services/cli/limits_explain.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char policy_text[] =
    "name: t\nversion: t-1\nzone: Asia/Shanghai\ncalendars: [office]\n"
    "kinds: [{name: repair}, {name: days}]\npauses: [{reason: customer}]\n"
    "region_classes: [{class: core, regions: ['11']}]\n"
    "priorities: [{priority: urgent, match: {priorities: [urgent]}}]\n"
    "sla:\n"
    "  - {id: whole, start: ticket.assessed, stop: ticket.resolved, calendar: office,\n"
    "     pause: [customer], counting: time-of-day,\n"
    "     limits: [{limit: 2h, match: {kinds: [repair], priorities: [urgent]}},\n"
    "              {limit: 6wh, match: {kinds: [repair], region_classes: [core]}},\n"
    "              {limit: 3wd, match: {kinds: [days]}}, {limit: 1d, per_units: 10}]}\n";
static const char calendar_text[] =
    "name: office\nversion: o-1\nzone: Asia/Shanghai\nweekly:\n"
    "  - {weekday: mon, windows: [{from: '09:00', to: '12:00'}, {from: '13:00', to: '15:00'}]}\n"
    "  - {weekday: tue, windows: [{from: '09:00', to: '12:00'}]}\n"
    "  - {weekday: thu, windows: [{from: '09:00', to: '12:00'}]}\n";

struct given {
    struct arena *arena;
    struct policy policy;
    struct calendar *calendar;
};

static int given_up(void **state)
{
    struct given *g = memory_new(sizeof *g);
    struct problems problems = {0};
    struct problem problem;
    struct calendar_def def;
    g->arena = arena_new(1 << 16);
    assert_true(
        policy_parse(policy_text, strlen(policy_text), g->arena, &g->policy, &problems, NULL));
    assert_true(record_parse_yaml(&calendar_def_record, calendar_text, strlen(calendar_text),
                                  g->arena, &def, &problems));
    g->calendar = calendar_new(&def, &problem);
    assert_non_null(g->calendar);
    *state = g;
    return 0;
}

static int given_down(void **state)
{
    struct given *g = *state;
    calendar_destroy(&g->calendar);
    arena_destroy(&g->arena);
    free(g);
    return 0;
}

static const struct calendar *the_calendar(void *owner, const char *name)
{
    assert_string_equal(name, "office");
    return ((struct given *)owner)->calendar;
}

static int64_t us(const char *text)
{
    int64_t at;
    assert_true(instant_parse(text, &at));
    return at;
}

#define AT(day, time) us("2026-09-" day "T" time ":00+08:00")

static void counting(struct given *g, int64_t line, struct counting *out)
{
    assert_true(counting_of(&g->policy, "whole", line, the_calendar, g, out));
}

static void same(const struct counted *w, int64_t from_us, int64_t to_us)
{
    assert_int_equal(w->from_us, from_us);
    assert_int_equal(w->to_us, to_us);
}

/* Monday the 14th, Tuesday, Thursday; a wait over Monday's lunch. */
static void test_working_windows(void **state)
{
    struct counting c;
    struct counted w[COUNTED_MAX];
    bool more;
    const struct sla_pause wait = {"customer", AT("14", "11:00"), AT("14", "13:30"), "x"};
    counting(*state, 2, &c);
    assert_int_equal(counting_way(&c), COUNTS_WORKING);
    assert_int_equal(counted_windows(&c, AT("14", "10:00"), AT("17", "09:30"), &wait, 1, w, &more),
                     4);
    same(&w[0], AT("14", "10:00"), AT("14", "11:00"));
    same(&w[1], AT("14", "13:30"), AT("14", "15:00"));
    same(&w[2], AT("15", "09:00"), AT("15", "12:00"));
    same(&w[3], AT("17", "09:00"), AT("17", "09:30"));
    assert_false(more);
    assert_int_equal(counted_wait(&c, &wait, 0), 90 * MINUTE_US); /* 11-12, 13-13:30 */
}

static void test_elapsed(void **state)
{
    struct counting c;
    struct counted w[COUNTED_MAX];
    bool more;
    const struct sla_pause waits[] = {{"customer", AT("14", "11:00"), AT("14", "12:00"), ""},
                                      {"customer", AT("14", "20:00"), 0, ""}};
    counting(*state, 1, &c);
    assert_int_equal(counted_windows(&c, AT("14", "10:00"), AT("15", "10:00"), waits, 2, w, &more),
                     2);
    same(&w[0], AT("14", "10:00"), AT("14", "11:00"));
    same(&w[1], AT("14", "12:00"), AT("14", "20:00"));
    assert_int_equal(counted_wait(&c, &waits[1], AT("14", "21:00")), HOUR_US);
}

static void test_days(void **state)
{
    struct counting c;
    struct counted w[COUNTED_MAX];
    bool more;
    counting(*state, 3, &c);
    assert_int_equal(counting_way(&c), COUNTS_DAYS);
    assert_int_equal(counted_windows(&c, AT("14", "10:00"), AT("21", "10:00"), NULL, 0, w, &more),
                     3);
    same(&w[0], AT("15", "00:00"), AT("16", "00:00"));
    same(&w[1], AT("17", "00:00"), AT("18", "00:00"));
    same(&w[2], AT("21", "00:00"), AT("22", "00:00"));
}

static void test_lines(void **state)
{
    struct given *g = *state;
    const struct policy_clause *clause = policy_clause(&g->policy, "whole");
    const struct policy_limit *lines = clause->limits.items;
    struct subject_row s = {.kind = "repair", .priority = "normal", .region = "440100"};
    struct difference d;
    struct buf text = {0};
    assert_true(line_differs(&g->policy, &lines[0], &s, 0, &d));
    assert_string_equal(d.field, "priorities");
    assert_string_equal(d.wants, "urgent");
    assert_string_equal(d.is, "normal");
    assert_true(line_differs(&g->policy, &lines[1], &s, 0, &d));
    assert_string_equal(d.field, "region_classes");
    assert_string_equal(d.wants, "core");
    assert_string_equal(d.is, "");
    text_copy(s.region, sizeof s.region, "110105");
    assert_false(line_differs(&g->policy, &lines[1], &s, 0, &d));
    line_print(&lines[0], &text);
    assert_string_equal(buf_text(&text), "kinds repair; priorities urgent");
    buf_reset(&text);
    limit_print(&lines[3], &text);
    assert_string_equal(buf_text(&text), "1d per 10 units");
    buf_release(&text);
}

#define GIVEN(test) cmocka_unit_test_setup_teardown(test, given_up, given_down)

int main(void)
{
    const struct CMUnitTest tests[] = {GIVEN(test_working_windows), GIVEN(test_elapsed),
                                       GIVEN(test_days), GIVEN(test_lines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
