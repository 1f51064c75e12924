#include "services/sla-watchdog/tables.h"

#include <string.h>

/* --- ticket --------------------------------------------------------------------------------- */
static const struct field fact_fields[] = {
    F_ENUM(ticket_fact, type, FIELD_REQUIRED, policy_facts, "event type"),
    F_INT(ticket_fact, n, 0, "how often"),
    F_TIME(ticket_fact, at, 0, "the last one counts from"),
    F_INT(ticket_fact, pos, 0, "its position"),
};
static const struct record fact_record =
    RECORD(ticket_fact, fact_fields, "an event type that promises start or stop at");
static const struct field fact_elem = ELEM_RECORD(&fact_record, struct ticket_fact);

static const struct field ticket_fields[] = {
    F_TEXT(ticket, ticket, FIELD_REQUIRED, "number"),
    F_TEXT(ticket, policy, 0, "version followed"),
    F_TEXT(ticket, kind, 0, "kind"),
    F_TEXT(ticket, region, 0, "where the work is"),
    F_TEXT(ticket, product, 0, "product line"),
    F_TEXT(ticket, channel, 0, "channel"),
    F_TEXT(ticket, priority, 0, "priority"),
    F_TEXT(ticket, coverage, 0, "coverage"),
    F_TIME(ticket, opened, 0, "counts from"),
    F_TIME(ticket, ended, 0, "closed or cancelled"),
    F_INT(ticket, reopened_n, 0, "how often reopened"),
    F_INT(ticket, clocked, 0, "bit i: clause i has had a clock"),
    F_INT(ticket, running, 0, "bit i: and one of them runs"),
    F_LIST(ticket, facts, 0, &fact_elem,
           "what has come of the events that the policy's clauses name"),
    F_BOOL(ticket, open, 0, "until it has ended"),
};
static const struct record ticket_record =
    RECORD(ticket, ticket_fields, "tickets as far as promises need them");
static const struct table_def ticket_table = {
    .name = "ticket", .row = &ticket_record, .open_offset = offsetof(struct ticket, open)};

/* --- clock ---------------------------------------------------------------------------------- */
static const char *const state_names[] = {"running", "breached", "met", "over", NULL};
static const struct field clock_fields[] = {
    F_TEXT(clock, clock, FIELD_REQUIRED, "KEY/CLAUSE.k"),
    F_TEXT(clock, clause, 0, "clause of the policy"),
    F_INT(clock, k, 0, "which start of the clause on this key"),
    F_INT(clock, target, 0, "which version of the limit"),
    F_ENUM(clock, state, 0, state_names, "how it stands"),
    F_TIME(clock, from, 0, "counted from"),
    F_TIME(clock, due, 0, "the limit"),
    F_TIME(clock, stopped, 0, "what was promised came then"),
    F_TIME(clock, ended, 0, "the ticket ended without it"),
    F_TIME(clock, detected, 0, "the breach was seen"),
    F_INT(clock, level, 0, "the last level announced"),
    F_INT(clock, next_level, 0, "the level that comes next"),
    F_TIME(clock, next, 0, "when it comes"),
    F_SPAN(clock, span, 0, "how long"),
    F_TEXT(clock, calendar, 0, "version of the calendar; empty: round the clock"),
    F_INT(clock, line, 0, "line of the clause that decided, from 1"),
    F_BOOL(clock, reported_late, 0, "met, but told after the limit"),
    {.name = "fired",
     .kind = FIELD_INT,
     F_AT(clock, fired_us),
     .flags = FIELD_VOLATILE,
     .doc = "timer has fired for"},
    F_BOOL(clock, open, 0, "until nothing more can be said of it"),
};
static const struct record clock_record =
    RECORD(clock, clock_fields, "promises and how they stand");

static int clock_by_next(const void *row_a, const void *row_b)
{
    const struct clock *a = row_a, *b = row_b;
    return (a->next_us > b->next_us) - (a->next_us < b->next_us);
}

static bool clock_waits(const void *row)
{
    const struct clock *c = row;
    return c->open && c->next_us != 0 && c->next_us != c->fired_us;
}

static const struct index_def clock_indexes[] = {
    {.name = "next", .compare = clock_by_next, .holds = clock_waits}};
static const struct table_def clock_table = {.name = "clock",
                                             .row = &clock_record,
                                             .open_offset = offsetof(struct clock, open),
                                             .indexes = clock_indexes,
                                             .indexes_n = COUNT_OF(clock_indexes)};

const struct table_def *const sla_watchdog_tables[SLA_WATCHDOG_TABLES] = {&ticket_table,
                                                                          &clock_table};
