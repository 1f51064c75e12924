#include "tables.h"
#include "base/text.h"

static const char *const ticket_states[] = {"open", "offered", "accepted", "resolved", "closed", "cancelled", NULL};
static const char *const limit_results[] = {"running", "met", "met-late", "breached", NULL};
static const char *const callback_states[] = {"none", "due", "recorded", "missed", "void", NULL};

static const struct field ticket_limit_fields[] = {
    F_TEXT(ticket_limit, clause, FIELD_REQUIRED, "clause of the policy"),
    F_INT(ticket_limit, k, 0, "which start of the clause"),
    F_TIME(ticket_limit, due, 0, "the limit"),
    F_ENUM(ticket_limit, result, 0, limit_results, "how it stands"),
};
static const struct record ticket_limit_record = RECORD(ticket_limit, ticket_limit_fields, "a promise about a ticket");
static const struct field ticket_limit_elem = ELEM_RECORD(&ticket_limit_record, struct ticket_limit);

static const struct field ticket_callback_fields[] = {
    F_INT(ticket_callback, k, 0, "which callback"),
    F_TIME(ticket_callback, due, 0, "to be made from then"),
    F_INT(ticket_callback, satisfaction, 0, "score 1 to 5"),
    F_ENUM(ticket_callback, state, 0, callback_states, "how it stands"),
};
static const struct record ticket_callback_record =
    RECORD(ticket_callback, ticket_callback_fields, "a callback of a ticket");
static const struct field ticket_callback_elem = ELEM_RECORD(&ticket_callback_record, struct ticket_callback);

static const struct field ticket_row_fields[] = {
    F_TEXT(ticket_row, key, FIELD_REQUIRED, "number of the ticket"),
    F_BOOL(ticket_row, open, 0, "not closed yet"),
    F_ENUM(ticket_row, state, 0, ticket_states, "how it stands"),
    F_TEXT(ticket_row, kind, 0, "kind of request"),
    F_TEXT(ticket_row, region, 0, "where the work is"),
    F_TEXT(ticket_row, product, 0, "product line or department"),
    F_TEXT(ticket_row, channel, 0, "how it came"),
    F_TEXT(ticket_row, priority, 0, "priority"),
    F_TEXT(ticket_row, coverage, 0, "coverage"),
    F_TEXT(ticket_row, month, 0, "month it was opened in"),
    F_TEXT(ticket_row, site, 0, "site that has it"),
    F_TEXT(ticket_row, repeat_of, 0, "earlier ticket"),
    F_TEXT(ticket_row, policy, 0, "policy version it follows"),
    F_INT(ticket_row, tier, 0, "tier of the site"),
    F_INT(ticket_row, job, 0, "current job"),
    F_TIME(ticket_row, opened, 0, "opened"),
    F_TIME(ticket_row, resolved, 0, "resolved"),
    F_TIME(ticket_row, first_resolved, 0, "resolved for the first time"),
    F_TIME(ticket_row, closed, 0, "closed"),
    F_TIME(ticket_row, reopened, 0, "reopened last"),
    F_INT(ticket_row, reopenings, 0, "times it was reopened"),
    F_INT(ticket_row, offers, 0, "offers"),
    F_INT(ticket_row, declined, 0, "offers declined"),
    F_INT(ticket_row, expired, 0, "offers not answered"),
    F_INT(ticket_row, met, 0, "limits met"),
    F_INT(ticket_row, breached, 0, "limits broken"),
    F_ENUM(ticket_row, callback, 0, callback_states, "the last callback"),
    F_INT(ticket_row, satisfaction, 0, "score of the last callback that has one"),
    F_LIST(ticket_row, limits, 0, &ticket_limit_elem, "promises"),
    F_LIST(ticket_row, callbacks, 0, &ticket_callback_elem, "callbacks"),
    F_TIME(ticket_row, earliest, 0, "first instant of the line"),
    F_TIME(ticket_row, latest, 0, "last instant of the line"),
    F_INT(ticket_row, changed_pos, 0, "event that changed it last"),
};
const struct record ticket_row_record = RECORD(ticket_row, ticket_row_fields, "a line of the register 台账");

static const struct field period_row_fields[] = {
    F_TEXT(period_row, key, FIELD_REQUIRED, "REPORT.PERIOD"),
    F_TEXT(period_row, report, 0, "report"),
    F_TEXT(period_row, period, 0, "period"),
    F_TEXT(period_row, zone, 0, "its time zone"),
    F_TIME(period_row, from, 0, "begins"),
    F_TIME(period_row, to, 0, "ends"),
    F_INT(period_row, pos, 0, "position of the cut-off"),
    F_TIME(period_row, closed, 0, "instant of the cut-off"),
    F_INT(period_row, published_pos, 0, "position of the last publication"),
    F_BOOL(period_row, open, 0, "in memory"),
};
const struct record period_row_record = RECORD(period_row, period_row_fields, "a closed period");

static const struct field frozen_row_fields[] = {
    F_TEXT(frozen_row, id, FIELD_REQUIRED, "PERIOD/TICKET"),
    F_TEXT(frozen_row, period, 0, "closed period"),
    F_TEXT(frozen_row, ticket, 0, "ticket"),
    F_BOOL(frozen_row, open, 0, "in memory"),
    F_BOOL(frozen_row, absent, 0, "it was not in that period"),
    F_INT(frozen_row, pos, 0, "event that changed it"),
    F_BLOB(frozen_row, image, 0, "the line as it was"),
};
static const struct record frozen_row_record = RECORD(frozen_row, frozen_row_fields, "a line as it was at a cut-off");

static const struct field site_tier_row_fields[] = {
    F_TEXT(site_tier_row, site, FIELD_REQUIRED, "site"),
    F_INT(site_tier_row, tier, 0, "its tier"),
    F_BOOL(site_tier_row, open, 0, "in memory"),
};
static const struct record site_tier_row_record = RECORD(site_tier_row, site_tier_row_fields, "tier of a site");

static int compare_int(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int periods_by_start(const void *row_a, const void *row_b)
{
    const struct period_row *a = row_a, *b = row_b;
    return compare_int(a->from_us, b->from_us);
}

static const struct index_def period_indexes[] = {
    [PERIODS_BY_START] = {.name = "by_start", .compare = periods_by_start},
};
static const struct table_def ticket_table = {
    .name = "ticket", .row = &ticket_row_record, .open_offset = offsetof(struct ticket_row, open)};
static const struct table_def period_table = {.name = "period",
                                              .row = &period_row_record,
                                              .open_offset = offsetof(struct period_row, open),
                                              .indexes = period_indexes,
                                              .indexes_n = COUNT_OF(period_indexes),
                                              .whole = true};
static const struct table_def frozen_table = {
    .name = "frozen_ticket", .row = &frozen_row_record, .open_offset = offsetof(struct frozen_row, open)};
static const struct table_def site_table = {.name = "site",
                                            .row = &site_tier_row_record,
                                            .open_offset = offsetof(struct site_tier_row, open),
                                            .whole = true};

const struct table_def *const reporting_tables[TABLES_N] = {
    [TABLE_TICKET] = &ticket_table,
    [TABLE_PERIOD] = &period_table,
    [TABLE_FROZEN] = &frozen_table,
    [TABLE_SITE] = &site_table,
};

static bool within(int64_t us, int64_t from_us, int64_t to_us)
{
    return us != 0 && us >= from_us && us < to_us;
}

bool ticket_row_touches(const struct ticket_row *row, int64_t from_us, int64_t to_us)
{
    if (row->earliest_us >= to_us || row->latest_us < from_us)
        return false;
    if (within(row->opened_us, from_us, to_us) || within(row->first_resolved_us, from_us, to_us) ||
        within(row->reopened_us, from_us, to_us) || within(row->closed_us, from_us, to_us))
        return true;
    for (uint32_t i = 0; i < row->limits_n; i++)
        if (within(row->limits[i].due_us, from_us, to_us))
            return true;
    for (uint32_t i = 0; i < row->callbacks_n; i++)
        if (within(row->callbacks[i].due_us, from_us, to_us))
            return true;
    return false;
}

int64_t ticket_row_resolution(const struct ticket_row *row)
{
    return row->reopenings + (row->resolved_us != 0 ? 1 : 0);
}

static void stretch(struct ticket_row *row, int64_t us)
{
    if (us == 0)
        return;
    if (row->earliest_us == 0 || us < row->earliest_us)
        row->earliest_us = us;
    if (us > row->latest_us)
        row->latest_us = us;
}

void ticket_row_derive(struct ticket_row *row)
{
    row->met = row->breached = 0;
    row->earliest_us = row->latest_us = 0;
    row->callback = CALLBACK_NONE;
    row->satisfaction = 0;
    stretch(row, row->opened_us);
    stretch(row, row->first_resolved_us);
    stretch(row, row->reopened_us);
    stretch(row, row->closed_us);
    for (uint32_t i = 0; i < row->limits_n; i++) {
        const struct ticket_limit *limit = &row->limits[i];
        stretch(row, limit->due_us);
        row->met += limit->result == LIMIT_MET || limit->result == LIMIT_MET_LATE;
        row->breached += limit->result == LIMIT_BREACHED;
    }
    for (uint32_t i = 0; i < row->callbacks_n; i++) {
        const struct ticket_callback *callback = &row->callbacks[i];
        stretch(row, callback->due_us);
        row->callback = callback->state;
        if (callback->satisfaction != 0)
            row->satisfaction = callback->satisfaction;
    }
}
