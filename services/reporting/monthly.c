#include "monthly.h"
#include "base/bytes.h"
#include "base/text.h"
#include "calendar/zone.h"
#include "tally.h"
#include <stdlib.h>

enum { OPENED, RESOLVED, REOPENED, PROMISES, BROKEN };                /* of a kind, region, site, tier, channel, day */
enum { DUE, MET, MET_LATE, BREACHED, RUNNING, RATE };                 /* of a clause */
enum dimension { BY_KIND, BY_REGION, BY_SITE, BY_TIER, BY_CHANNEL, DIMENSIONS_N };

struct month {
    struct period_row period;
    const struct zone *zone;
    struct tally by[DIMENSIONS_N], days, clauses;
    struct tally_row all; /* times of all kinds together */
    int64_t opened, resolved, reopened, closed, repeats, offers, declined, expired;
    int64_t callbacks[5];     /* by enum callback_state; DUE: still open */
    int64_t scores[6];        /* by score */
};

static bool in(const struct month *month, int64_t us)
{
    return us != 0 && us >= month->period.from_us && us < month->period.to_us;
}

static void day_print(const struct month *month, int64_t us, char out[16])
{
    struct local_time at = zone_local(month->zone, us);
    text_format(out, 16, "%04u-%02u-%02u", (unsigned)at.year % 10000U, (unsigned)at.month % 100U, (unsigned)at.day % 100U);
}

struct month *month_new(const struct period_row *period)
{
    struct month *month = memory_new(sizeof(*month));
    month->period = *period;
    month->zone = zone_find(period->zone);
    if (month->zone == NULL)
        month->zone = zone_find("UTC");
    char day[16];
    for (int64_t us = period->from_us; us < instant_kept(period->to_us);
         us = zone_add(month->zone, us, (struct span){1, SPAN_DAYS})) {
        day_print(month, us, day);
        tally_at(&month->days, day);
    }
    return month;
}

void month_destroy(struct month **self)
{
    struct month *month = *self;
    if (month == NULL)
        return;
    for (size_t i = 0; i < DIMENSIONS_N; i++)
        tally_release(&month->by[i]);
    tally_release(&month->days);
    tally_release(&month->clauses);
    free(month->all.seconds);
    free(month);
    *self = NULL;
}

static void count(struct month *month, const struct ticket_row *row, unsigned what, int64_t n)
{
    char tier[FIGURE_LABEL_CAP] = "";
    if (row->tier != 0)
        text_format(tier, sizeof(tier), "%lld", (long long)row->tier);
    tally_at(&month->by[BY_KIND], row->kind)->counts[what] += n;
    tally_at(&month->by[BY_REGION], row->region)->counts[what] += n;
    tally_at(&month->by[BY_SITE], row->site)->counts[what] += n;
    tally_at(&month->by[BY_TIER], tier)->counts[what] += n;
    tally_at(&month->by[BY_CHANNEL], row->channel)->counts[what] += n;
}

static void add_opening(struct month *month, const struct ticket_row *row)
{
    char day[16];
    day_print(month, row->opened_us, day);
    tally_at(&month->days, day)->counts[OPENED]++;
    count(month, row, OPENED, 1);
    month->opened++;
    month->repeats += row->repeat_of[0] != '\0';
    month->offers += row->offers;
    month->declined += row->declined;
    month->expired += row->expired;
}

static void add_resolution(struct month *month, const struct ticket_row *row)
{
    char day[16];
    day_print(month, row->first_resolved_us, day);
    tally_at(&month->days, day)->counts[RESOLVED]++;
    count(month, row, RESOLVED, 1);
    int64_t seconds = (row->first_resolved_us - row->opened_us) / SECOND_US;
    tally_time(tally_at(&month->by[BY_KIND], row->kind), seconds);
    tally_time(&month->all, seconds);
    month->resolved++;
}

static void add_limit(struct month *month, const struct ticket_row *row, const struct ticket_limit *limit)
{
    static const int column[] = {[LIMIT_RUNNING] = RUNNING, [LIMIT_MET] = MET, [LIMIT_MET_LATE] = MET_LATE,
                                 [LIMIT_BREACHED] = BREACHED};
    struct tally_row *clause = tally_at(&month->clauses, limit->clause);
    clause->counts[DUE]++;
    clause->counts[column[limit->result]]++;
    count(month, row, PROMISES, 1);
    if (limit->result == LIMIT_BREACHED)
        count(month, row, BROKEN, 1);
}

void month_add(struct month *month, const struct ticket_row *row)
{
    if (in(month, row->opened_us))
        add_opening(month, row);
    if (in(month, row->first_resolved_us))
        add_resolution(month, row);
    if (in(month, row->reopened_us)) {
        count(month, row, REOPENED, 1);
        month->reopened++;
    }
    month->closed += in(month, row->closed_us);
    for (uint32_t i = 0; i < row->limits_n; i++)
        if (in(month, row->limits[i].due_us))
            add_limit(month, row, &row->limits[i]);
    for (uint32_t i = 0; i < row->callbacks_n; i++) {
        const struct ticket_callback *callback = &row->callbacks[i];
        if (!in(month, callback->due_us))
            continue;
        month->callbacks[callback->state]++;
        if (callback->satisfaction >= 1 && callback->satisfaction <= 5)
            month->scores[callback->satisfaction]++;
    }
}

/* --- figures ------------------------------------------------------------------------------------ */
static struct figure_table *table_add(struct figures *figures, size_t rows_n, struct figure_table head)
{
    struct figure_table *table = &figures->tables[figures->tables_n++];
    *table = head;
    table->rows_n = rows_n;
    table->rows = memory_new((rows_n + 1) * sizeof(table->rows[0]));
    while (table->columns_n < FIGURE_COLUMNS_MAX && table->columns[table->columns_n].id != NULL)
        table->columns_n++;
    return table;
}

static int64_t permille(int64_t part, int64_t whole)
{
    return whole == 0 ? FIGURE_NOTHING : (part * 1000 + whole / 2) / whole;
}

static void copy_rows(struct figure_table *table, const struct tally *tally)
{
    for (size_t i = 0; i < tally->n; i++) {
        text_copy(table->rows[i].label, sizeof(table->rows[i].label), tally->rows[i].label);
        for (size_t c = 0; c < table->columns_n; c++)
            table->rows[i].values[c] = tally->rows[i].counts[c];
    }
}

struct overview_line {
    const char *en, *zh;
    int64_t value;
    enum figure_unit unit;
    int headline;
};

static void add_overview(struct figures *figures, struct month *month, int64_t adjusted)
{
    int64_t due = 0, met = 0, late = 0, broken = 0;
    for (size_t i = 0; i < month->clauses.n; i++) {
        due += month->clauses.rows[i].counts[DUE];
        met += month->clauses.rows[i].counts[MET];
        late += month->clauses.rows[i].counts[MET_LATE];
        broken += month->clauses.rows[i].counts[BREACHED];
    }
    const struct overview_line lines[] = {
        {"Tickets opened", "登记工单", month->opened, FIGURE_COUNT, 1},
        {"Tickets resolved (first time)", "解决工单（首次）", month->resolved, FIGURE_COUNT, 1},
        {"Tickets reopened", "重开工单", month->reopened, FIGURE_COUNT, 0},
        {"Tickets closed", "关闭工单", month->closed, FIGURE_COUNT, 0},
        {"Repeats of earlier tickets", "重复报修", month->repeats, FIGURE_COUNT, 0},
        {"Offers made for the opened", "派工次数", month->offers, FIGURE_COUNT, 0},
        {"Offers declined", "拒绝派工", month->declined, FIGURE_COUNT, 0},
        {"Offers not answered", "超时未接", month->expired, FIGURE_COUNT, 0},
        {"Time to resolve, median", "解决用时（中位数）", tally_rank(&month->all, 50), FIGURE_SECONDS, 1},
        {"Time to resolve, 90 % within", "解决用时（九成以内）", tally_rank(&month->all, 90), FIGURE_SECONDS, 0},
        {"Limits due", "到期时限", due, FIGURE_COUNT, 0},
        {"Limits met", "按时完成", met + late, FIGURE_COUNT, 0},
        {"… of these reported late", "其中迟报", late, FIGURE_COUNT, 0},
        {"Limits broken", "超出时限", broken, FIGURE_COUNT, 1},
        {"Limits met, share of those decided", "按时率", permille(met + late, met + late + broken), FIGURE_PERMILLE, 1},
        {"Lines of earlier periods changed since their closing", "已关账期间的后续变动", adjusted, FIGURE_COUNT, 0},
    };
    struct figure_table *table = table_add(
        figures, COUNT_OF(lines),
        (struct figure_table){.id = "overview", .en = "Overview", .zh = "总览", .label_en = "Figure", .label_zh = "项目",
                              .columns = {{"value", "Value", "数值", FIGURE_COUNT}}, .mixed = 1});
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        text_copy(table->rows[i].label, sizeof(table->rows[i].label), lines[i].en);
        table->rows[i].zh = lines[i].zh;
        table->rows[i].unit = lines[i].unit;
        table->rows[i].headline = lines[i].headline && lines[i].value != FIGURE_NOTHING;
        table->rows[i].values[0] = lines[i].value;
    }
}

static void add_days(struct figures *figures, const struct month *month)
{
    copy_rows(table_add(figures, month->days.n,
                        (struct figure_table){.id = "days", .en = "Day by day", .zh = "逐日", .label_en = "Day", .label_zh = "日期",
                                              .columns = {{"opened", "Opened", "登记", FIGURE_COUNT},
                                                          {"resolved", "Resolved", "解决", FIGURE_COUNT}},
                                              .chart = CHART_LINES, .chart_n = 2}),
              &month->days);
}

static void add_dimensions(struct figures *figures, struct month *month)
{
    static const struct {
        const char *id, *en, *zh, *label_en, *label_zh;
    } heads[DIMENSIONS_N] = {
        [BY_KIND] = {"kinds", "By kind", "按类别", "Kind", "类别"},
        [BY_REGION] = {"regions", "By region", "按地区", "Region", "地区"},
        [BY_SITE] = {"sites", "By site", "按网点", "Site", "网点"},
        [BY_TIER] = {"tiers", "By tier", "按网点层级", "Tier", "层级"},
        [BY_CHANNEL] = {"channels", "By channel", "按受理渠道", "Channel", "渠道"},
    };
    for (size_t i = 0; i < DIMENSIONS_N; i++) {
        tally_order(&month->by[i]);
        struct figure_table head = {.id = heads[i].id, .en = heads[i].en, .zh = heads[i].zh,
                                    .label_en = heads[i].label_en, .label_zh = heads[i].label_zh,
                                    .columns = {[OPENED] = {"opened", "Opened", "登记", FIGURE_COUNT},
                                                [RESOLVED] = {"resolved", "Resolved", "解决", FIGURE_COUNT},
                                                [REOPENED] = {"reopened", "Reopened", "重开", FIGURE_COUNT},
                                                [PROMISES] = {"limits", "Limits due", "到期时限", FIGURE_COUNT},
                                                [BROKEN] = {"broken", "Limits broken", "超时", FIGURE_COUNT}},
                                    .chart = CHART_BARS, .chart_n = 2};
        copy_rows(table_add(figures, month->by[i].n, head), &month->by[i]);
    }
}

static void add_clauses(struct figures *figures, const struct month *month)
{
    struct figure_table *table = table_add(
        figures, month->clauses.n,
        (struct figure_table){.id = "limits", .en = "Limits by clause", .zh = "服务时限", .label_en = "Clause", .label_zh = "条款",
                              .columns = {[DUE] = {"due", "Due", "到期", FIGURE_COUNT},
                                          [MET] = {"met", "Met", "按时", FIGURE_COUNT},
                                          [MET_LATE] = {"met-late", "Met, reported late", "按时但迟报", FIGURE_COUNT},
                                          [BREACHED] = {"broken", "Broken", "超时", FIGURE_COUNT},
                                          [RUNNING] = {"running", "Not decided", "未定", FIGURE_COUNT},
                                          [RATE] = {"rate", "Met, of decided", "按时率", FIGURE_PERMILLE}},
                              .chart = CHART_STACK, .chart_from = MET, .chart_n = 3});
    copy_rows(table, &month->clauses);
    for (size_t i = 0; i < table->rows_n; i++) {
        int64_t *v = table->rows[i].values;
        v[RATE] = permille(v[MET] + v[MET_LATE], v[MET] + v[MET_LATE] + v[BREACHED]);
    }
}

static void add_times(struct figures *figures, struct month *month)
{
    struct tally *kinds = &month->by[BY_KIND];
    struct figure_table *table = table_add(
        figures, kinds->n,
        (struct figure_table){.id = "times", .en = "Time to resolve by kind", .zh = "解决用时", .label_en = "Kind", .label_zh = "类别",
                              .columns = {{"resolved", "Resolved", "解决", FIGURE_COUNT},
                                          {"median", "Median", "中位数", FIGURE_SECONDS},
                                          {"p90", "90 % within", "九成以内", FIGURE_SECONDS}},
                              .chart = CHART_BARS, .chart_from = 1, .chart_n = 2});
    size_t n = 0;
    for (size_t i = 0; i < kinds->n; i++) {
        if (kinds->rows[i].seconds_n == 0)
            continue;
        struct figure_row *row = &table->rows[n++];
        text_copy(row->label, sizeof(row->label), kinds->rows[i].label);
        row->values[0] = (int64_t)kinds->rows[i].seconds_n;
        row->values[1] = tally_rank(&kinds->rows[i], 50);
        row->values[2] = tally_rank(&kinds->rows[i], 90);
    }
    table->rows_n = n;
}

static void add_callbacks(struct figures *figures, const struct month *month)
{
    int64_t asked = 0, sum = 0;
    for (int64_t score = 1; score <= 5; score++) {
        asked += month->scores[score];
        sum += score * month->scores[score];
    }
    const int64_t *by_state = month->callbacks;
    const struct overview_line lines[] = {
        {"Callbacks due", "应回访", by_state[CALLBACK_DUE] + by_state[CALLBACK_RECORDED] + by_state[CALLBACK_MISSED], FIGURE_COUNT, 0},
        {"Recorded", "已回访", by_state[CALLBACK_RECORDED], FIGURE_COUNT, 0},
        {"Missed", "漏回访", by_state[CALLBACK_MISSED], FIGURE_COUNT, 0},
        {"Void: reopened or closed before", "已失效", by_state[CALLBACK_VOID], FIGURE_COUNT, 0},
        {"Still to be made", "待回访", by_state[CALLBACK_DUE], FIGURE_COUNT, 0},
        {"Satisfaction, mean of 1 to 5", "平均满意度", asked == 0 ? FIGURE_NOTHING : (sum * 100 + asked / 2) / asked, FIGURE_CENTS, 1},
        {"Score 5", "很满意", month->scores[5], FIGURE_COUNT, 0},
        {"Score 4", "满意", month->scores[4], FIGURE_COUNT, 0},
        {"Score 3", "一般", month->scores[3], FIGURE_COUNT, 0},
        {"Score 2", "不满意", month->scores[2], FIGURE_COUNT, 0},
        {"Score 1", "很不满意", month->scores[1], FIGURE_COUNT, 0},
    };
    struct figure_table *table = table_add(
        figures, COUNT_OF(lines),
        (struct figure_table){.id = "callbacks", .en = "Callbacks and satisfaction", .zh = "回访与满意度",
                              .label_en = "Figure", .label_zh = "项目",
                              .columns = {{"value", "Value", "数值", FIGURE_COUNT}}, .mixed = 1});
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        text_copy(table->rows[i].label, sizeof(table->rows[i].label), lines[i].en);
        table->rows[i].zh = lines[i].zh;
        table->rows[i].unit = lines[i].unit;
        table->rows[i].headline = lines[i].headline && lines[i].value != FIGURE_NOTHING;
        table->rows[i].values[0] = lines[i].value;
    }
}

struct figures *month_figures(struct month *month, int64_t adjusted)
{
    struct figures *figures = memory_new(sizeof(*figures));
    figures->title_en = "Monthly service report";
    figures->title_zh = "售后服务月报";
    text_copy(figures->report, sizeof(figures->report), month->period.report);
    text_copy(figures->period, sizeof(figures->period), month->period.period);
    text_copy(figures->zone, sizeof(figures->zone), month->period.zone);
    figures->pos = month->period.pos;
    figures->closed_us = month->period.closed_us;
    add_overview(figures, month, adjusted);
    add_days(figures, month);
    add_dimensions(figures, month);
    add_clauses(figures, month);
    add_times(figures, month);
    add_callbacks(figures, month);
    return figures;
}
