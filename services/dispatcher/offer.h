/* Conclusions about offers: who is next, and taking back. */
#ifndef AFTERCARE_DISPATCHER_OFFER_H
#define AFTERCARE_DISPATCHER_OFFER_H

#include "services/dispatcher/tables.h"
#include "worker/run.h"

struct offer_wish {
    int64_t now_us;  /* of the event at hand */
    const char *why; /* reason of a ticket.escalated on the way */
    bool above;      /* not on the tier of the last offer any more */
    bool quiet;      /* nobody is not said again */
};
/* Concludes the next offer of an open ticket that nobody has, with ticket.escalated where that goes
 * up a tier; or, when there is nobody on any tier, ticket.escalated {nobody}. False: nothing was
 * concluded (it is on its way already, or nobody and quiet). */
bool dispatcher_offer(struct run *, const struct tables *, const char *ticket_key,
                      const struct offer_wish *);
/* ticket.escalated: nobody is left, or still nobody after the network changed (this marks how far
 * the waiting tickets have been looked at). */
#define WHY_NOBODY       "nobody"
#define WHY_STILL_NOBODY "still-nobody"
bool dispatcher_nobody(struct run *, const struct ticket *, int64_t tier, const char *why);

/* job.withdrawn to a site. */
void dispatcher_withdraw(struct run *, const struct job *, const char *reason);
/* The holder has the ticket: an offer made after its own is taken back. */
void dispatcher_take_from_newer(struct run *, const struct tables *, const struct ticket *,
                                const struct job *holder);
/* job.accepted that nobody said: implied = silence, report, resolved. */
void dispatcher_imply(struct run *, const struct job *, const char *implied);
/* Answers news that contradict how the ticket stands. */
void dispatcher_counter(struct run *, const struct tables *, const char *ticket_key,
                        const char *job_id, enum job_news);
/* When somebody who was left out of the ticket's offers may be asked again; 0: never. */
int64_t dispatcher_retry_us(const struct tables *, const struct ticket *, int64_t now_us);
/* The time a decision on this event counts from. */
int64_t dispatcher_now_us(const struct run *, const struct event *);

#endif
