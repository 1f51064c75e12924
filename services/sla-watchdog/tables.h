/* The watchdog's rows: tickets as far as promises need them, and the clocks. The only place that
 * names columns. */
#ifndef AFTERCARE_SLA_WATCHDOG_TABLES_H
#define AFTERCARE_SLA_WATCHDOG_TABLES_H

#include "event/event.h"
#include "policy/policy.h"
#include "services/sla-watchdog/clock.h"
#include "table/table.h"

enum sla_watchdog_table { SLA_WATCHDOG_TICKET, SLA_WATCHDOG_CLOCK, SLA_WATCHDOG_TABLES };
extern const struct table_def *const sla_watchdog_tables[SLA_WATCHDOG_TABLES];

/* What is known of an event type on this ticket: how often it came, and the last one. Only types
 * that the ticket's policy names are kept. */
struct ticket_fact {
    int type; /* index in policy_facts */
    int64_t n;
    int64_t at_us; /* the instant it counts from */
    int64_t pos;
};

struct ticket {
    char ticket[EVENT_KEY_CAP];
    char policy[POLICY_VERSION_CAP];
    char kind[POLICY_KIND_CAP];
    char region[EVENT_REGION_CAP];
    char product[POLICY_PRODUCT_CAP];
    char channel[POLICY_WORD_CAP];
    char priority[POLICY_WORD_CAP];
    char coverage[POLICY_COVERAGE_CAP];
    int64_t opened_us;
    int64_t ended_us;   /* closed or cancelled; 0: not */
    int64_t reopened_n; /* how often */
    int64_t clocked;    /* bit i: the policy's clause i has had a clock */
    int64_t
        running; /* bit i: and one of them was not stopped, at the latest when the ticket ended */
    struct ticket_fact facts[POLICY_FACTS_MAX];
    uint32_t facts_n;
    bool open; /* until it has ended */
};

struct clock {
    char clock[CLOCK_ID_CAP]; /* KEY/CLAUSE.k */
    char clause[POLICY_WORD_CAP];
    int64_t k, target;
    int state; /* enum clock_state */
    int64_t from_us, due_us;
    int64_t stopped_us;          /* the stop event counts from then; 0: it has not come */
    int64_t ended_us;            /* the ticket ended without it */
    int64_t detected_us;         /* the breach was seen */
    int64_t level;               /* the last one announced; CLOCK_LEVEL_NONE: none */
    int64_t next_level, next_us; /* the one that comes next, and when; next_us 0: none */
    struct span span;
    char calendar[64];  /* version it was counted by */
    int64_t line;       /* of the clause's limits, from 1 */
    bool reported_late; /* met, told after the limit */
    int64_t fired_us;   /* volatile */
    bool open;          /* until nothing more can be said of it */
};
#define SLA_WATCHDOG_CLOCK_NEXT 0 /* by next_us */

#endif
