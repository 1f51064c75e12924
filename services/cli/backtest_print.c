/* What would have been different, as tables and as JSON. */
#include "backtest.h"
#include "base/text.h"
#include "progress.h"
#include "table_print.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CHANGES_SHOWN 20

/* --- cells ---------------------------------------------------------------------------------------
 */

static void number_cell(struct sheet *sheet, int64_t n)
{
    char text[32];
    number_words(n, text);
    sheet_cell(sheet, text);
}

/* "+1,234", "-5"; blank where nothing changed. */
static void change_cell(struct sheet *sheet, int64_t change)
{
    char text[32], signed_text[40];
    number_words(change < 0 ? -change : change, text);
    text_format(signed_text, sizeof(signed_text), "%s%s", change > 0 ? "+" : "-", text);
    sheet_cell(sheet, change == 0 ? "" : signed_text);
}

static void pair_cells(struct sheet *sheet, bool compared, int64_t first, int64_t second)
{
    if (compared)
        number_cell(sheet, first);
    number_cell(sheet, second);
    if (compared)
        change_cell(sheet, second - first);
}

static void title_cells(struct sheet *sheet, bool compared, const char *title)
{
    sheet_cell(sheet, title);
    if (!compared)
        return;
    sheet_cell(sheet, "→");
    sheet_cell(sheet, "±");
}

static void sheet_say(const struct cli *cli, struct sheet *sheet, const char *title)
{
    struct buf out = {0};
    sheet_print(sheet, cli->colour, &out);
    printf("\n%s\n%s", title, buf_text(&out));
    buf_release(&out);
    sheet_release(sheet);
}

/* --- tables --------------------------------------------------------------------------------------
 */

static void cell_row(struct sheet *sheet, const struct comparison_cell *cell, bool compared)
{
    const int64_t *first = cell->counts[SIDE_OLD], *second = cell->counts[SIDE_NEW];
    pair_cells(sheet, compared, first[VERDICT_MET] + first[VERDICT_LATE],
               second[VERDICT_MET] + second[VERDICT_LATE]);
    pair_cells(sheet, compared, first[VERDICT_BROKEN], second[VERDICT_BROKEN]);
    pair_cells(sheet, compared, first[VERDICT_RUNNING], second[VERDICT_RUNNING]);
}

static void promises_print(const struct cli *cli, const struct backtest_result *result,
                           enum comparison_by by, const char *title, const char *column)
{
    struct comparison_cell *cells;
    struct sheet sheet;
    bool compared = result->compared;
    size_t n = comparison_sum(&result->comparison, by, &cells);
    sheet_init(&sheet, (by == BY_CLAUSE ? 1U : 2U) + (compared ? 9U : 3U));
    sheet_cell(&sheet, in_words(cli->language, "clause"));
    if (by != BY_CLAUSE)
        sheet_cell(&sheet, column);
    title_cells(&sheet, compared, in_words(cli->language, "met"));
    title_cells(&sheet, compared, in_words(cli->language, "broken"));
    title_cells(&sheet, compared, in_words(cli->language, "running"));
    for (size_t i = 0; i < n; i++) {
        sheet_cell(&sheet, cells[i].clause);
        if (by != BY_CLAUSE)
            sheet_cell(&sheet, by == BY_REGION ? cells[i].region : cells[i].month);
        cell_row(&sheet, &cells[i], compared);
    }
    sheet_say(cli, &sheet, title);
    free(cells);
}

static void sites_print(const struct cli *cli, const struct backtest_result *result)
{
    struct sheet sheet;
    bool compared = result->compared;
    if (result->comparison.sites_n == 0)
        return;
    sheet_init(&sheet, compared ? 13 : 5);
    sheet_cell(&sheet, in_words(cli->language, "site"));
    title_cells(&sheet, compared, in_words(cli->language, "offers made"));
    title_cells(&sheet, compared, in_words(cli->language, "taken"));
    title_cells(&sheet, compared, in_words(cli->language, "not taken"));
    title_cells(&sheet, compared, in_words(cli->language, "most at once"));
    for (size_t i = 0; i < result->comparison.sites_n; i++) {
        const struct comparison_site *site = &result->comparison.sites[i];
        const struct site_work *first = &site->work[SIDE_OLD], *second = &site->work[SIDE_NEW];
        sheet_cell(&sheet, site->site);
        pair_cells(&sheet, compared, first->offers, second->offers);
        pair_cells(&sheet, compared, first->accepted, second->accepted);
        pair_cells(&sheet, compared, first->declined + first->expired,
                   second->declined + second->expired);
        pair_cells(&sheet, compared, first->peak, second->peak);
    }
    sheet_say(cli, &sheet, in_words(cli->language, "Work by site"));
}

static void due_cell(const struct cli *cli, struct sheet *sheet, const struct outcome *outcome,
                     const struct comparison_change *change, enum side side)
{
    char text[INSTANT_TEXT_MAX + 40], due[INSTANT_TEXT_MAX] = "";
    if (change->due_us[side] != 0)
        zone_print(outcome->zone, change->due_us[side], due);
    due[due[0] != '\0' ? 16 : 0] = '\0'; /* to the minute */
    if (due[0] != '\0')
        due[10] = ' ';
    snprintf(text, sizeof(text), "%s%s%s",
             value_words(cli->language, "verdict", verdict_names[change->verdict[side]]),
             due[0] != '\0' ? " " : "", due);
    sheet_cell(sheet, text);
}

static void changes_print(const struct cli *cli, const struct backtest_result *result)
{
    const struct comparison *comparison = &result->comparison;
    struct sheet sheet;
    char title[200];
    snprintf(title, sizeof(title),
             in_words(cli->language, "Another verdict: %zu promises on %zu tickets"),
             comparison->changes_n, comparison->tickets_n);
    if (comparison->changes_n == 0) {
        printf("\n%s\n", title);
        return;
    }
    sheet_init(&sheet, 4);
    sheet_cell(&sheet, in_words(cli->language, "ticket"));
    sheet_cell(&sheet, in_words(cli->language, "clause"));
    sheet_cell(&sheet, result->sides[SIDE_OLD].policy);
    sheet_cell(&sheet, result->sides[SIDE_NEW].policy);
    for (size_t i = 0; i < comparison->changes_n && i < CHANGES_SHOWN; i++) {
        const struct comparison_change *change = &comparison->changes[i];
        char clause[POLICY_WORD_CAP + 24];
        text_format(clause, sizeof(clause), change->k > 1 ? "%s.%" PRId64 : "%s", change->clause,
                    change->k);
        sheet_cell(&sheet, change->key);
        sheet_cell(&sheet, clause);
        due_cell(cli, &sheet, &result->sides[SIDE_NEW].outcome, change, SIDE_OLD);
        due_cell(cli, &sheet, &result->sides[SIDE_NEW].outcome, change, SIDE_NEW);
    }
    sheet_say(cli, &sheet, title);
    if (comparison->changes_n > CHANGES_SHOWN)
        printf(in_words(cli->language, "… and %zu more\n"), comparison->changes_n - CHANGES_SHOWN);
}

static void totals_print(const struct cli *cli, const struct backtest_result *result)
{
    const struct outcome *first = &result->sides[SIDE_OLD].outcome,
                         *second = &result->sides[SIDE_NEW].outcome;
    const struct {
        const char *name;
        int64_t first, second;
    } rows[] = {
        {in_words(cli->language, "events in all"), first->events, second->events},
        {in_words(cli->language, "facts refused"), (int64_t)result->sides[SIDE_OLD].refused,
         (int64_t)result->sides[SIDE_NEW].refused},
        {in_words(cli->language, "tickets"), first->tickets_n, second->tickets_n},
        {in_words(cli->language, "tickets resolved"), first->resolved, second->resolved},
        {in_words(cli->language, "tickets closed"), first->closed, second->closed},
        {in_words(cli->language, "escalations"), first->escalated, second->escalated},
        {in_words(cli->language, "callbacks due"), first->callbacks_due, second->callbacks_due},
        {in_words(cli->language, "callbacks recorded"), first->callbacks_recorded,
         second->callbacks_recorded},
        {in_words(cli->language, "callbacks missed"), first->callbacks_missed,
         second->callbacks_missed},
    };
    struct sheet sheet;
    struct buf out = {0};
    sheet_init(&sheet, result->compared ? 4 : 2);
    sheet_cell(&sheet, "");
    if (result->compared)
        sheet_cell(&sheet, result->sides[SIDE_OLD].policy);
    sheet_cell(&sheet, result->sides[SIDE_NEW].policy);
    if (result->compared)
        sheet_cell(&sheet, "±");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        sheet_cell(&sheet, rows[i].name);
        pair_cells(&sheet, result->compared, rows[i].first, rows[i].second);
    }
    sheet_print(&sheet, cli->colour, &out);
    printf("%s", buf_text(&out));
    buf_release(&out);
    sheet_release(&sheet);
}

/* The reasons for which facts were refused, most frequent first would need sorting: the first few
 * tell enough. */
static void refusals_print(const struct cli *cli, const struct backtest_result *result)
{
    const struct backtest_side *side = &result->sides[SIDE_NEW];
    const struct simulator_refusal *refusal;
    for (size_t i = 0; i < 5 && (refusal = simulator_refusal(side->sim, i)) != NULL; i++)
        cli_note(cli, in_words(cli->language, "refused: fact %zu: %s %s %s"), refusal->fact,
                 refusal->problem.code, refusal->problem.field, refusal->problem.args);
}

void backtest_print(const struct cli *cli, const struct backtest_result *result)
{
    char from[INSTANT_TEXT_MAX], until[INSTANT_TEXT_MAX], facts[32];
    const struct zone *zone = result->sides[SIDE_NEW].outcome.zone;
    zone_print(zone, result->start_us, from);
    zone_print(zone, result->end_us, until);
    number_words((int64_t)result->facts, facts);
    printf(in_words(cli->language, "%s facts from %s to %s, %zu conclusions left out\n"), facts,
           from, until, result->conclusions);
    if (result->bad > 0)
        printf(in_words(cli->language, "%zu lines could not be read\n"), result->bad);
    refusals_print(cli, result);
    printf("\n");
    totals_print(cli, result);
    promises_print(cli, result, BY_CLAUSE, in_words(cli->language, "Promises by clause"), "");
    promises_print(cli, result, BY_MONTH,
                   in_words(cli->language, "Promises by month in which the ticket was opened"),
                   in_words(cli->language, "month"));
    promises_print(cli, result, BY_REGION, in_words(cli->language, "Promises by region"),
                   in_words(cli->language, "region"));
    sites_print(cli, result);
    if (result->compared)
        changes_print(cli, result);
}

/* --- for programs --------------------------------------------------------------------------------
 */

static void pair_json(struct buf *out, const struct backtest_result *result, const char *name,
                      int64_t first, int64_t second)
{
    buf_append_format(out, ",\"%s\":{", name);
    if (result->compared)
        buf_append_format(out, "\"old\":%" PRId64 ",", first);
    buf_append_format(out, "\"new\":%" PRId64 "}", second);
}

static void cells_json(struct buf *out, const struct backtest_result *result)
{
    buf_append_text(out, ",\"promises\":[");
    for (size_t i = 0; i < result->comparison.cells_n; i++) {
        const struct comparison_cell *cell = &result->comparison.cells[i];
        buf_append_text(out, i > 0 ? ",{\"clause\":" : "{\"clause\":");
        json_text(out, cell->clause);
        buf_append_text(out, ",\"region\":");
        json_text(out, cell->region);
        buf_append_format(out, ",\"month\":\"%s\"", cell->month);
        for (int verdict = VERDICT_RUNNING; verdict < VERDICTS; verdict++)
            pair_json(out, result, verdict_names[verdict], cell->counts[SIDE_OLD][verdict],
                      cell->counts[SIDE_NEW][verdict]);
        buf_append_text(out, "}");
    }
    buf_append_text(out, "]");
}

static void sites_json(struct buf *out, const struct backtest_result *result)
{
    buf_append_text(out, ",\"sites\":[");
    for (size_t i = 0; i < result->comparison.sites_n; i++) {
        const struct comparison_site *site = &result->comparison.sites[i];
        const struct site_work *first = &site->work[SIDE_OLD], *second = &site->work[SIDE_NEW];
        buf_append_text(out, i > 0 ? ",{\"site\":" : "{\"site\":");
        json_text(out, site->site);
        pair_json(out, result, "offers", first->offers, second->offers);
        pair_json(out, result, "accepted", first->accepted, second->accepted);
        pair_json(out, result, "declined", first->declined, second->declined);
        pair_json(out, result, "expired", first->expired, second->expired);
        pair_json(out, result, "open", first->open, second->open);
        pair_json(out, result, "most_at_once", first->peak, second->peak);
        buf_append_text(out, "}");
    }
    buf_append_text(out, "]");
}

static void changes_json(struct buf *out, const struct backtest_result *result)
{
    const struct comparison *comparison = &result->comparison;
    buf_append_format(out, ",\"changed\":{\"promises\":%zu,\"tickets\":%zu,\"first\":[",
                      comparison->changes_n, comparison->tickets_n);
    for (size_t i = 0; i < comparison->changes_n && i < CHANGES_SHOWN; i++) {
        const struct comparison_change *change = &comparison->changes[i];
        buf_append_text(out, i > 0 ? ",{\"ticket\":" : "{\"ticket\":");
        json_text(out, change->key);
        buf_append_text(out, ",\"clause\":");
        json_text(out, change->clause);
        buf_append_format(out, ",\"k\":%" PRId64, change->k);
        for (int side = 0; side < SIDES; side++) {
            char due[INSTANT_TEXT_MAX] = "";
            if (change->due_us[side] != 0)
                instant_print(change->due_us[side], due);
            buf_append_format(out, ",\"%s\":{\"verdict\":\"%s\",\"due\":\"%s\"}",
                              side == SIDE_OLD ? "old" : "new",
                              verdict_names[change->verdict[side]], due);
        }
        buf_append_text(out, "}");
    }
    buf_append_text(out, "]}");
}

void backtest_print_json(const struct backtest_result *result)
{
    const struct outcome *first = &result->sides[SIDE_OLD].outcome,
                         *second = &result->sides[SIDE_NEW].outcome;
    char from[INSTANT_TEXT_MAX], until[INSTANT_TEXT_MAX];
    struct buf out = {0};
    instant_print(result->start_us, from);
    instant_print(result->end_us, until);
    buf_append_text(&out, "{\"policy\":");
    json_text(&out, result->sides[SIDE_NEW].policy);
    if (result->compared) {
        buf_append_text(&out, ",\"against\":");
        json_text(&out, result->sides[SIDE_OLD].policy);
    }
    buf_append_format(
        &out, ",\"from\":\"%s\",\"until\":\"%s\",\"facts\":%zu,\"left_out\":%zu,\"bad\":%zu", from,
        until, result->facts, result->conclusions, result->bad);
    pair_json(&out, result, "events", first->events, second->events);
    pair_json(&out, result, "refused", (int64_t)result->sides[SIDE_OLD].refused,
              (int64_t)result->sides[SIDE_NEW].refused);
    pair_json(&out, result, "tickets", first->tickets_n, second->tickets_n);
    pair_json(&out, result, "resolved", first->resolved, second->resolved);
    pair_json(&out, result, "closed", first->closed, second->closed);
    pair_json(&out, result, "escalated", first->escalated, second->escalated);
    pair_json(&out, result, "callbacks_due", first->callbacks_due, second->callbacks_due);
    pair_json(&out, result, "callbacks_recorded", first->callbacks_recorded,
              second->callbacks_recorded);
    pair_json(&out, result, "callbacks_missed", first->callbacks_missed, second->callbacks_missed);
    cells_json(&out, result);
    sites_json(&out, result);
    if (result->compared)
        changes_json(&out, result);
    printf("%s}\n", buf_text(&out));
    buf_release(&out);
}
