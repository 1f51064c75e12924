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
    REMOVED_CAPACITY,
    /* None of the site's engineers can, and this is what the one who came furthest lacks (duty.h).
     */
    REMOVED_NO_SKILL,
    REMOVED_OFF_DUTY,
    REMOVED_NO_PASS,
    REMOVED_PASS_EXPIRED,
    REMOVED_DAY_FULL
};
#define CANDIDATE_REMOVALS (REMOVED_DAY_FULL + 1)

struct candidate_tried { /* had the ticket already; borrowed */
    const char *site;
    bool declined;
};
struct candidate_need {
    const char *region, *product;
    const struct candidate_tried *tried;
    size_t tried_n;
    /* Of engineers: */
    int64_t now_us, date; /* the instant asked about, and its day in the policy's zone: 20110702 */
    const struct zone *zone;
    const char *passes[POLICY_PASSES_MAX]; /* that they must hold */
    size_t passes_n;
    const char *engineer; /* who is taken first if able, NULL: nobody */
};
/* The first filter that removes a site with `load` open jobs. */
enum candidate_removed dispatcher_candidate_judge(const struct site *, int64_t load,
                                                  const struct candidate_need *);

#define CANDIDATES_SHOWN_MAX 8
struct candidate {
    const struct site *site;
    int64_t load;
    const char *engineer; /* who would go; NULL: none is on record, or none can */
    enum candidate_removed removed;
};
struct candidates {
    struct candidate able[CANDIDATES_SHOWN_MAX], removed[CANDIDATES_SHOWN_MAX]; /* best first */
    size_t able_n, removed_n;                                                   /* shown */
    int64_t able_all, by[CANDIDATE_REMOVALS];                                   /* counted */
};
/* Sites are added best first; who is added first and is able is the choice. */
void dispatcher_candidates_add(struct candidates *, const struct candidate *);
/* "D05=3@li D07=4/10 D09=10/10!capacity +1!capacity +20!territory":
 * SITE=LOAD[/CAPACITY][@ENGINEER][!removed by], the choice first, then how many each filter
 * removed. As many sites as fit; the choice always does. */
#define CANDIDATES_TEXT_CAP sizeof(((struct job_offered *)0)->choice)
void dispatcher_candidates_print(const struct candidates *, char out[CANDIDATES_TEXT_CAP]);

#endif
