/* The handlers, one on_….c per event or close family; sla_watchdog.c lists them. */
#ifndef AFTERCARE_SLA_WATCHDOG_ON_H
#define AFTERCARE_SLA_WATCHDOG_ON_H

#include "worker/run.h"

#define SLA_WATCHDOG_APPLY(name)                                                                   \
    bool sla_watchdog_apply_##name(struct tables *, const struct event *, const void *)
#define SLA_WATCHDOG_DECIDE(name)                                                                  \
    void sla_watchdog_decide_##name(struct run *, const struct tables *, const struct event *,     \
                                    const void *)

SLA_WATCHDOG_APPLY(ticket_assessed);
SLA_WATCHDOG_DECIDE(ticket_assessed);
SLA_WATCHDOG_APPLY(ticket_reclassified);
SLA_WATCHDOG_APPLY(ticket_resolved);
SLA_WATCHDOG_APPLY(ticket_reopened);
SLA_WATCHDOG_DECIDE(ticket_reopened);
/* Any event type that clauses may start or stop at (policy_facts). */
SLA_WATCHDOG_APPLY(fact);
SLA_WATCHDOG_DECIDE(fact);
SLA_WATCHDOG_APPLY(sla_scheduled);
SLA_WATCHDOG_DECIDE(sla_scheduled);
SLA_WATCHDOG_APPLY(sla_warned);
SLA_WATCHDOG_APPLY(sla_breached);
SLA_WATCHDOG_DECIDE(sla_breached);
SLA_WATCHDOG_APPLY(sla_met);
SLA_WATCHDOG_APPLY(sla_corrected);

/* A level of a clock has come. */
void sla_watchdog_on_level_due(struct run *, const struct tables *, const void *clock);

#define SLA_WATCHDOG_QUESTIONS 1
extern const struct question sla_watchdog_questions[SLA_WATCHDOG_QUESTIONS];

#endif
