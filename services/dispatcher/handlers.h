/* The handlers and timers, one on_….c per event or close family; dispatcher.c lists them. */
#ifndef AFTERCARE_DISPATCHER_HANDLERS_H
#define AFTERCARE_DISPATCHER_HANDLERS_H

#include "worker/run.h"

#define DISPATCHER_APPLY(name)                                                                     \
    bool dispatcher_apply_##name(struct tables *, const struct event *, const void *)
#define DISPATCHER_DECIDE(name)                                                                    \
    void dispatcher_decide_##name(struct run *, const struct tables *, const struct event *,       \
                                  const void *)

DISPATCHER_APPLY(site_updated);
DISPATCHER_APPLY(engineer_updated);
DISPATCHER_APPLY(ticket_assessed);
DISPATCHER_DECIDE(ticket_assessed);
DISPATCHER_APPLY(ticket_reclassified);
DISPATCHER_APPLY(ticket_resolved);
DISPATCHER_DECIDE(ticket_resolved);
DISPATCHER_APPLY(ticket_cancelled);
DISPATCHER_DECIDE(ticket_cancelled);
DISPATCHER_APPLY(ticket_closed);
DISPATCHER_APPLY(ticket_reopened);
DISPATCHER_DECIDE(ticket_reopened);
DISPATCHER_APPLY(ticket_escalated);
DISPATCHER_DECIDE(ticket_escalated);
DISPATCHER_APPLY(job_offered);
DISPATCHER_DECIDE(job_offered);
DISPATCHER_APPLY(job_accepted);
DISPATCHER_DECIDE(job_accepted);
DISPATCHER_APPLY(job_declined);
DISPATCHER_DECIDE(job_declined);
DISPATCHER_APPLY(job_expired);
DISPATCHER_DECIDE(job_expired);
DISPATCHER_APPLY(job_arrived);
DISPATCHER_DECIDE(job_arrived);
DISPATCHER_APPLY(job_reported);
DISPATCHER_DECIDE(job_reported);
DISPATCHER_APPLY(job_withdrawn);
DISPATCHER_DECIDE(job_withdrawn);
DISPATCHER_APPLY(job_handed_over);
DISPATCHER_DECIDE(sla_breached);

/* An offer was not answered in time. */
void dispatcher_on_job_due(struct run *, const struct tables *, const void *job);
/* The network changed or a full site has room again: tickets that wait are looked at, in the order
 * in which they wait. */
void dispatcher_on_network_due(struct run *, const struct tables *, const void *network);
/* Somebody who was left out of a waiting ticket's offers may be asked again. */
void dispatcher_on_ticket_retry(struct run *, const struct tables *, const void *ticket);

#define DISPATCHER_QUESTIONS 4
extern const struct question dispatcher_questions[DISPATCHER_QUESTIONS];

#endif
