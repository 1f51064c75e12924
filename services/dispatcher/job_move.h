/* Changing a job's row, and with it its ticket's and its site's: what apply functions stand on. */
#ifndef AFTERCARE_DISPATCHER_JOB_MOVE_H
#define AFTERCARE_DISPATCHER_JOB_MOVE_H

#include "services/dispatcher/tables.h"

/* How the ticket of job k stands, k left aside. A job row that is missing counts as offered (the
 * runtime comes back). */
enum job_standing dispatcher_standing(const struct tables *, const struct ticket *, int64_t k);

/* The job's row, if it is a job of that ticket; NULL: there is none, or it is missed. *ticket is
 * set with it. */
const struct job *dispatcher_job_of(const struct tables *, const char *ticket_key,
                                    const char *job_id, const struct ticket **ticket);

/* Enters a fresh job in the state that job_next gave, counting it at its site. */
struct job *dispatcher_job_enter(struct tables *, const struct event *, const struct job_offered *,
                                 enum job_state);
/* Applies the news to the job: state, counts, ticket. The row where its state changed, to fill in
 * more; NULL: it stayed, was missed or is unknown. */
struct job *dispatcher_job_move(struct tables *, const struct event *, const char *job_id,
                                enum job_news);

/* The instant from which a fact about the ticket of its key counts. */
int64_t dispatcher_fact_us(const struct tables *, const struct event *);
/* The site's load, begun where the network does not know the site (yet). */
struct load *dispatcher_load(struct tables *, const char *site);
/* One open job less at that site. */
void dispatcher_load_less(struct tables *, const struct event *, const char *site);
/* A site that was full has room again: tickets that wait are to be looked at. */
void dispatcher_wake(struct tables *, const struct event *);

#endif
