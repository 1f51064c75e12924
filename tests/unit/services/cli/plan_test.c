/* The order of an import, and its numbers. */
#include "base/instant.h"
#include "base/text.h"
#include "services/cli/plan.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* last: it wants the headers above */
#include <cmocka.h>

static void fact(struct plan *plan, const char *time, uint32_t line, uint32_t order)
{
    int64_t us;
    char text[32];
    assert_true(instant_parse(time, &us));
    snprintf(text, sizeof(text), "%u.%u", line, order);
    plan_add(plan, us, line, order, bytes_of_text(text));
}

/* "1 2.0 @01:00" is number 1, row 2's first event, in the step that ends at 01:00; "3 ~01:00" the
 * step's end. */
static void plan_says(struct plan *plan, struct buf *out)
{
    struct plan_item item;
    while (plan_next(plan, &item)) {
        char time[INSTANT_TEXT_MAX] = "";
        if (item.time_us != 0)
            instant_print(item.time_us, time);
        buf_append_format(out, "%d ", (int)item.n);
        if (item.fact != NULL) {
            struct bytes draft = plan_draft(plan, item.fact);
            buf_append_format(out, "%.*s%s%.5s\n", (int)draft.len, (const char *)draft.data,
                              time[0] != '\0' ? " @" : "", time[0] != '\0' ? time + 11 : "");
            assert_ptr_equal(plan_fact_of(plan, item.n), item.fact);
        } else {
            buf_append_format(out, "~%.5s\n", time + 11);
            assert_null(plan_fact_of(plan, item.n));
        }
    }
}

static void filled(struct plan *plan, bool backwards)
{
    static const struct {
        const char *time;
        uint32_t line, order;
    } facts[] = {{"2011-07-01T00:10:00Z", 2, 0}, {"2011-07-01T00:10:00Z", 2, 1},
                 {"2011-07-01T00:10:00Z", 3, 0}, {"2011-07-01T00:20:00Z", 4, 0},
                 {"2011-07-01T01:00:00Z", 3, 1}, {"2011-07-01T03:30:00Z", 4, 1}};
    for (size_t i = 0; i < COUNT_OF(facts); i++) {
        size_t at = backwards ? COUNT_OF(facts) - 1 - i : i;
        fact(plan, facts[at].time, facts[at].line, facts[at].order);
    }
}

static void test_order(void **state)
{
    (void)state;
    for (int backwards = 0; backwards < 2; backwards++) {
        struct plan plan = {0};
        struct buf out = {0};
        filled(&plan, backwards != 0);
        plan_ready(&plan, 0, INT64_MAX, 0);
        assert_int_equal(plan_total(&plan), 6);
        plan_says(&plan, &out);
        assert_string_equal(buf_text(&out), "1 2.0\n2 2.1\n3 3.0\n4 4.0\n5 3.1\n6 4.1\n");
        buf_release(&out);
        plan_release(&plan);
    }
}

/* 2.1 has the time of 2.0, 3.1 lies in the same step as 3.0: each goes a step later. */
static const char stepped[] = "1 2.0 @01:00\n2 3.0 @01:00\n3 4.0 @01:00\n4 ~01:00\n"
                              "5 2.1 @02:00\n6 3.1 @02:00\n7 ~02:00\n8 ~03:00\n"
                              "9 4.1 @04:00\n10 ~04:00\n";

static void test_steps(void **state)
{
    (void)state;
    static const struct {
        const char *start, *until;
        const char *more; /* behind `stepped`, or instead of all of it when it begins with = */
    } cases[] = {
        {NULL, NULL, ""},
        {"2011-07-01T00:00:00Z", NULL, ""},
        {NULL, "2011-07-01T06:00:00Z", "11 ~05:00\n12 ~06:00\n"},
        /* a later end moves no number; an end within a step is the step's end */
        {NULL, "2011-07-01T04:20:00Z", "11 ~05:00\n"},
        {NULL, "2011-07-01T02:00:00Z",
         "=1 2.0 @01:00\n2 3.0 @01:00\n3 4.0 @01:00\n4 ~01:00\n5 2.1 @02:00\n6 3.1 @02:00\n7 "
         "~02:00\n"},
        /* what was put off over the end is left out, and goes on there with a later end */
        {NULL, "2011-07-01T01:00:00Z", "=1 2.0 @01:00\n2 3.0 @01:00\n3 4.0 @01:00\n4 ~01:00\n"},
        /* facts from before the stream's start go in its first step */
        {"2011-07-01T02:30:00Z", NULL,
         "=1 2.0 @03:00\n2 3.0 @03:00\n3 4.0 @03:00\n4 ~03:00\n5 2.1 @04:00\n6 3.1 @04:00\n7 4.1 "
         "@04:00\n8 ~04:00\n"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct plan plan = {0};
        struct buf out = {0}, want = {0};
        int64_t start_us = 0, until_us = INT64_MAX;
        if (cases[i].start != NULL)
            assert_true(instant_parse(cases[i].start, &start_us));
        if (cases[i].until != NULL)
            assert_true(instant_parse(cases[i].until, &until_us));
        if (cases[i].more[0] != '=')
            buf_append_text(&want, stepped);
        buf_append_text(&want, cases[i].more + (cases[i].more[0] == '='));
        filled(&plan, false);
        plan_ready(&plan, start_us, until_us, HOUR_US);
        int64_t total = plan_total(&plan);
        plan_says(&plan, &out);
        assert_string_equal(buf_text(&out), buf_text(&want));
        assert_int_equal(plan.number, total);
        assert_int_equal(plan_total(&plan), total);
        buf_release(&out);
        buf_release(&want);
        plan_release(&plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order), cmocka_unit_test(test_steps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
