/* The engineers of a site: who would go, and whose job it is. */
#ifndef AFTERCARE_DISPATCHER_ENGINEERS_H
#define AFTERCARE_DISPATCHER_ENGINEERS_H

#include "services/dispatcher/candidates.h"

struct engineer_pick {
    const char *engineer; /* NULL: none can */
    enum candidate_removed removed;
    size_t looks;
};
/* The engineer who could do it and has the least to do, of a site that has some on record. */
struct engineer_pick dispatcher_engineer_pick(const struct tables *, const char *site,
                                              const struct candidate_need *);
/* When time alone may make one of the site's engineers able, 0: it never does. Looks at nothing
 * volatile: apply may ask. */
int64_t dispatcher_engineers_again_us(const struct tables *, const char *site,
                                      const struct candidate_need *);

/* The open job is that engineer's; it counts where the engineer is on record at the job's site. */
void dispatcher_engineer_give(struct tables *, const struct event *, struct job *,
                              const char *engineer);
/* It is nobody's any more; given back: nor was it a job of that day. Its row keeps the name. */
void dispatcher_engineer_release(struct tables *, const struct event *, struct job *,
                                 bool given_back);
/* The site says who goes, or went; "": nothing is said. Jobs that are over are left alone. */
void dispatcher_engineer_named(struct tables *, const struct event *, const char *job_id,
                               const char *engineer);

#endif
