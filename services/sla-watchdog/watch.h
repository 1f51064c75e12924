/* What handlers stand on: a ticket's facts, which clauses an event starts and stops, and saying
 * what is due. */
#ifndef AFTERCARE_SLA_WATCHDOG_WATCH_H
#define AFTERCARE_SLA_WATCHDOG_WATCH_H

#include "policy/due.h"
#include "services/sla-watchdog/tables.h"
#include "worker/run.h"

/* The policy a ticket follows; NULL: it has none that we know, and so no promises. */
const struct policy *sla_watchdog_policy(const struct tables *, const struct ticket *);
const struct policy_clause *sla_watchdog_clause(const struct policy *, uint32_t i);
/* The mark of that clause in a ticket's `clocked` and `running`. */
int64_t sla_watchdog_bit(uint32_t i);
/* Registration and assessment are one start: both count from the ticket's opening. */
bool sla_watchdog_starts(const struct policy_clause *, const char *type);
bool sla_watchdog_starts_with_ticket(const struct policy_clause *);
bool sla_watchdog_names(const struct policy *, const char *type);

const struct ticket_fact *sla_watchdog_fact(const struct ticket *, const char *type);
void sla_watchdog_fact_add(struct ticket *, const char *type, int64_t at_us, uint64_t pos);
/* The instant from which the event counts for that ticket; at_us: as the event says. */
int64_t sla_watchdog_instant(const struct policy *, const struct ticket *, const struct event *,
                             int64_t at_us);
/* Which start of the clause the last one on this ticket was. */
int64_t sla_watchdog_k(const struct ticket *, const struct policy_clause *);

enum start_cause { START_EVENT, START_REOPENED };
/* Concludes one sla.scheduled holding every clause that the event starts, counted from from_us. */
void sla_watchdog_schedule(struct run *, const struct tables *, const struct event *,
                           const struct ticket *, enum start_cause, int64_t from_us);

/* Concludes what is to be said of a clock as it stands, if anything. */
void sla_watchdog_conclude(struct run *, const struct clock *);

/* Sets next_level and next_us: the level behind `after`, unless the clock has come to an end. */
void sla_watchdog_next_level(const struct tables *, const struct policy *, struct clock *,
                             int64_t after);

#endif
