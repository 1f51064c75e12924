/* Who could do a ticket's work: the hard filters, one site at a time, and the explanation of a
 * choice. Pure. The order among those who could is that of the sites' index (tables.h): open load,
 * then least recently assigned, then id. */
#ifndef AFTERCARE_DISPATCHER_CANDIDATES_H
#define AFTERCARE_DISPATCHER_CANDIDATES_H

#include "services/dispatcher/tables.h"

enum candidate_removed {
    REMOVED_NOT,
    REMOVED_CLOSED,
    REMOVED_TERRITORY,
    REMOVED_PRODUCT,
    REMOVED_DECLINED,
    REMOVED_TRIED,
    REMOVED_CAPACITY
};
#define CANDIDATE_REMOVALS (REMOVED_CAPACITY + 1)

struct candidate_tried { /* had the ticket already; borrowed */
    const char *site;
    bool declined;
};
struct candidate_need {
    const char *region, *product;
    const struct candidate_tried *tried;
    size_t tried_n;
};
/* The first filter that removes a site with `load` open jobs. */
enum candidate_removed dispatcher_candidate_judge(const struct site *, int64_t load,
                                                  const struct candidate_need *);

#define CANDIDATES_SHOWN_MAX 8
struct candidate {
    const struct site *site;
    int64_t load;
    enum candidate_removed removed;
};
struct candidates {
    struct candidate able[CANDIDATES_SHOWN_MAX], removed[CANDIDATES_SHOWN_MAX]; /* best first */
    size_t able_n, removed_n;                                                   /* shown */
    int64_t able_all, by[CANDIDATE_REMOVALS];                                   /* counted */
};
/* Sites are added best first; who is added first and is able is the choice. */
void dispatcher_candidates_add(struct candidates *, const struct site *, int64_t load,
                               enum candidate_removed);
/* "D05=3 D07=4/10 D09=10/10!capacity +1!capacity +20!territory": SITE=LOAD[/CAPACITY][!removed by],
 * the choice first, then how many each filter removed. As many sites as fit; the choice always
 * does. */
#define CANDIDATES_TEXT_CAP sizeof(((struct job_offered *)0)->choice)
void dispatcher_candidates_print(const struct candidates *, char out[CANDIDATES_TEXT_CAP]);

#endif
