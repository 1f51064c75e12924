/* The handlers and timers, one on_….c per event or close family; follow_up.c lists them. */
#ifndef AFTERCARE_FOLLOW_UP_HANDLERS_H
#define AFTERCARE_FOLLOW_UP_HANDLERS_H

#include "services/follow-up/tables.h"
#include "worker/run.h"

#define FOLLOW_UP_APPLY(name)                                                                      \
    bool follow_up_apply_##name(struct tables *, const struct event *, const void *)
#define FOLLOW_UP_DECIDE(name)                                                                     \
    void follow_up_decide_##name(struct run *, const struct tables *, const struct event *,        \
                                 const void *)

FOLLOW_UP_APPLY(ticket_assessed);
FOLLOW_UP_APPLY(ticket_resolved);
FOLLOW_UP_DECIDE(ticket_resolved);
FOLLOW_UP_APPLY(ticket_reopened);
FOLLOW_UP_APPLY(ticket_cancelled);
FOLLOW_UP_DECIDE(ticket_cancelled);
FOLLOW_UP_APPLY(ticket_closed);
FOLLOW_UP_APPLY(followup_due);
FOLLOW_UP_APPLY(followup_recorded);
FOLLOW_UP_DECIDE(followup_recorded);
FOLLOW_UP_APPLY(followup_missed);
FOLLOW_UP_DECIDE(followup_missed);

void follow_up_on_callback_due(struct run *, const struct tables *, const void *callback);
void follow_up_on_callback_until(struct run *, const struct tables *, const void *callback);

/* The policy's line for that ticket; NULL: it is closed without a callback. *policy is set with it.
 */
const struct policy_followup *follow_up_line(const struct tables *, const struct ticket *,
                                             const struct policy **policy);
/* The instant from which something about a ticket counts that is said to have been at at_us. */
int64_t follow_up_fact_us(const struct tables *, const struct ticket *, const struct event *,
                          int64_t at_us);
/* The end of a span of the policy: working units by its first calendar, all others on its wall
 * clock. */
int64_t follow_up_span_end_us(const struct tables *, const struct policy *, int64_t from_us,
                              struct span);
/* Applies the news to callback k of a ticket: the row where its state changed; NULL: it stayed, was
 * missed or is unknown. */
struct callback *follow_up_callback_move(struct tables *, const struct event *, int64_t k,
                                         enum callback_news);
/* ticket.closed; slot follow-up/TICKET/closed/which. */
void follow_up_close(struct run *, const char *ticket, const char *which, const char *reason,
                     int64_t score);

#define FOLLOW_UP_QUESTIONS 1
extern const struct question follow_up_questions[FOLLOW_UP_QUESTIONS];

#endif
