/* Lines in, figures out. */
#include "base/text.h"
#include "services/reporting/monthly.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define JULY (INT64_C(1309478400) * SECOND_US)
#define AT(day, hour) (JULY + (day) * DAY_US + (hour) * HOUR_US)

static const struct period_row july = {.key = "monthly.2011-07",
                                       .report = "monthly",
                                       .period = "2011-07",
                                       .zone = "UTC",
                                       .from_us = JULY,
                                       .to_us = JULY + 31 * DAY_US,
                                       .pos = 900,
                                       .closed_us = JULY + 35 * DAY_US};

static const struct ticket_row lines[] = {
    {.key = "A", .kind = "repair", .region = "4401", .site = "D1", .tier = 3, .channel = "phone", .opened_us = AT(0, 9),
     .first_resolved_us = AT(0, 19), .offers = 2, .expired = 1, .limits_n = 2,
     .limits = {{"arrange", 1, AT(0, 11), LIMIT_MET}, {"repair", 1, AT(2, 0), LIMIT_MET_LATE}},
     .callbacks_n = 1, .callbacks = {{1, AT(3, 0), 5, CALLBACK_RECORDED}}},
    {.key = "B", .kind = "repair", .region = "4401", .site = "D2", .tier = 3, .channel = "online", .opened_us = AT(1, 0),
     .first_resolved_us = AT(1, 30), .repeat_of = "A", .offers = 1, .limits_n = 1,
     .limits = {{"arrange", 1, AT(1, 2), LIMIT_BREACHED}},
     .callbacks_n = 1, .callbacks = {{1, AT(5, 0), 2, CALLBACK_RECORDED}}},
    {.key = "C", .kind = "repair", .region = "4403", .site = "D1", .tier = 3, .channel = "phone", .opened_us = AT(1, 5),
     .first_resolved_us = AT(1, 7), .reopened_us = AT(9, 0), .limits_n = 1,
     .limits = {{"arrange", 1, AT(1, 7), LIMIT_RUNNING}}, .callbacks_n = 1, .callbacks = {{1, AT(4, 0), 0, CALLBACK_MISSED}}},
    /* Opened in June, resolved in July; its limit was June's. */
    {.key = "D", .kind = "advice", .region = "4403", .channel = "phone", .opened_us = AT(-2, 0), .first_resolved_us = AT(2, 0),
     .limits_n = 1, .limits = {{"arrange", 1, AT(-1, 0), LIMIT_BREACHED}}},
    /* Opened in the first second of August. */
    {.key = "E", .kind = "advice", .opened_us = AT(31, 0)},
    /* Opened in the first second of July. */
    {.key = "F", .kind = "advice", .opened_us = AT(0, 0), .closed_us = AT(30, 23)},
};

static const struct figure_table *table_of(const struct figures *figures, const char *id)
{
    for (size_t i = 0; i < figures->tables_n; i++)
        if (text_equal(figures->tables[i].id, id))
            return &figures->tables[i];
    fail_msg("no table %s", id);
    return NULL;
}

static int64_t figure(const struct figures *figures, const char *id, const char *label, const char *column)
{
    const struct figure_table *table = table_of(figures, id);
    for (size_t r = 0; r < table->rows_n; r++)
        for (size_t c = 0; c < table->columns_n; c++)
            if (text_equal(table->rows[r].label, label) && text_equal(table->columns[c].id, column))
                return table->rows[r].values[c];
    fail_msg("no figure %s/%s/%s", id, label, column);
    return 0;
}

static struct figures *figures_of(bool backwards)
{
    struct month *month = month_new(&july);
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        month_add(month, &lines[backwards ? COUNT_OF(lines) - 1 - i : i]);
    struct figures *figures = month_figures(month, 3);
    month_destroy(&month);
    return figures;
}

static void every_figure_is_right(void **state)
{
    (void)state;
    static const struct {
        const char *table, *label, *column;
        int64_t value;
    } cases[] = {
        {"overview", "Tickets opened", "value", 4},
        {"overview", "Tickets resolved (first time)", "value", 4},
        {"overview", "Tickets reopened", "value", 1},
        {"overview", "Tickets closed", "value", 1},
        {"overview", "Repeats of earlier tickets", "value", 1},
        {"overview", "Offers made for the opened", "value", 3},
        {"overview", "Offers not answered", "value", 1},
        {"overview", "Time to resolve, median", "value", 10 * 3600},       /* 2, 10, 30, 96 h: the second of four */
        {"overview", "Time to resolve, 90 % within", "value", 96 * 3600},
        {"overview", "Limits due", "value", 4},
        {"overview", "Limits met", "value", 2},
        {"overview", "… of these reported late", "value", 1},
        {"overview", "Limits broken", "value", 1},
        {"overview", "Limits met, share of those decided", "value", 667},
        {"overview", "Lines of earlier periods changed since their closing", "value", 3},
        {"days", "2011-07-01", "opened", 2},
        {"days", "2011-07-02", "opened", 2},
        {"days", "2011-07-03", "resolved", 2},
        {"days", "2011-07-31", "opened", 0},
        {"kinds", "repair", "opened", 3},
        {"kinds", "repair", "resolved", 3},
        {"kinds", "repair", "reopened", 1},
        {"kinds", "repair", "limits", 4},
        {"kinds", "repair", "broken", 1},
        {"kinds", "advice", "opened", 1},
        {"kinds", "advice", "resolved", 1},
        {"regions", "4401", "opened", 2},
        {"sites", "D1", "opened", 2},
        {"sites", "", "opened", 1},
        {"tiers", "3", "opened", 3},
        {"channels", "phone", "opened", 2},
        {"limits", "arrange", "due", 3},
        {"limits", "arrange", "met", 1},
        {"limits", "arrange", "broken", 1},
        {"limits", "arrange", "running", 1},
        {"limits", "arrange", "rate", 500},
        {"limits", "repair", "met-late", 1},
        {"limits", "repair", "rate", 1000},
        {"times", "repair", "resolved", 3},
        {"times", "repair", "median", 10 * 3600},
        {"times", "repair", "p90", 30 * 3600},
        {"times", "advice", "median", 96 * 3600},
        {"callbacks", "Callbacks due", "value", 3},
        {"callbacks", "Recorded", "value", 2},
        {"callbacks", "Missed", "value", 1},
        {"callbacks", "Satisfaction, mean of 1 to 5", "value", 350},
        {"callbacks", "Score 5", "value", 1},
        {"callbacks", "Score 2", "value", 1},
    };
    for (int backwards = 0; backwards < 2; backwards++) {
        struct figures *figures = figures_of(backwards);
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
            int64_t value = figure(figures, cases[i].table, cases[i].label, cases[i].column);
            if (value != cases[i].value)
                fail_msg("%s/%s/%s is %lld", cases[i].table, cases[i].label, cases[i].column, (long long)value);
        }
        assert_int_equal(table_of(figures, "days")->rows_n, 31);
        assert_string_equal(table_of(figures, "kinds")->rows[0].label, "repair"); /* most first */
        figures_destroy(&figures);
    }
}

static void nothing_happened(void **state)
{
    (void)state;
    struct month *month = month_new(&july);
    struct figures *figures = month_figures(month, 0);
    assert_int_equal(figure(figures, "overview", "Tickets opened", "value"), 0);
    assert_true(figure(figures, "overview", "Time to resolve, median", "value") == FIGURE_NOTHING);
    assert_true(figure(figures, "overview", "Limits met, share of those decided", "value") == FIGURE_NOTHING);
    assert_true(figure(figures, "callbacks", "Satisfaction, mean of 1 to 5", "value") == FIGURE_NOTHING);
    assert_int_equal(table_of(figures, "kinds")->rows_n, 0);
    figures_destroy(&figures);
    month_destroy(&month);
}

/* What touches the period is what changes its figures. */
static void touching_is_counting(void **state)
{
    (void)state;
    static const bool touches[] = {true, true, true, true, false, true};
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct ticket_row row = lines[i];
        ticket_row_derive(&row);
        assert_int_equal(ticket_row_touches(&row, july.from_us, july.to_us), touches[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_figure_is_right),
        cmocka_unit_test(nothing_happened),
        cmocka_unit_test(touching_is_counting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
