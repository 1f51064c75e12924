/* The handlers, one on_….c per event or close family; sla_watchdog.c lists them. */
#ifndef AFTERCARE_SLA_WATCHDOG_ON_H
#define AFTERCARE_SLA_WATCHDOG_ON_H

#include "worker/run.h"

#define SLA_WATCHDOG_APPLY(name)                                                                   \
    bool sla_watchdog_apply_##name(struct tables *, const struct event *, const void *)
#define SLA_WATCHDOG_DECIDE(name)                                                                  \
    void sla_watchdog_decide_##name(struct run *, const struct tables *, const struct event *,     \
                                    const void *)

/* Any event type that clauses or waits may name (policy_facts). */
SLA_WATCHDOG_APPLY(fact);
SLA_WATCHDOG_DECIDE(fact);
SLA_WATCHDOG_APPLY(ticket_registered);
SLA_WATCHDOG_APPLY(ticket_assessed);
SLA_WATCHDOG_APPLY(ticket_reclassified);
SLA_WATCHDOG_APPLY(policy_published);
SLA_WATCHDOG_APPLY(calendar_published);
SLA_WATCHDOG_APPLY(sla_scheduled);
SLA_WATCHDOG_APPLY(sla_warned);
SLA_WATCHDOG_APPLY(sla_breached);
SLA_WATCHDOG_APPLY(sla_met);
SLA_WATCHDOG_APPLY(sla_corrected);
/* What is read back may have been overtaken. */
SLA_WATCHDOG_DECIDE(sla_said);

/* A level of a clock has come, or a wait has used up its budget. */
void sla_watchdog_on_clock_due(struct run *, const struct tables *, const void *clock);
/* A clock follows what was replaced. */
void sla_watchdog_on_behind(struct run *, const struct tables *, const void *clock);

#define SLA_WATCHDOG_QUESTIONS 2
extern const struct question sla_watchdog_questions[SLA_WATCHDOG_QUESTIONS];

#endif
