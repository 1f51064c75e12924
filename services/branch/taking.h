/* Taking one fact at the branch: read, checked, given its ticket number and its time, put into the spool — or refused. */
#ifndef AFTERCARE_BRANCH_TAKING_H
#define AFTERCARE_BRANCH_TAKING_H

#include "drawer.h"
#include "fact.h"
#include "number.h"
#include "spool.h"

struct taking {
    struct spool *spool;
    struct drawer *drawer; /* NULL: no files are expected */
    struct fact_reader *reader;
    char prefix[NUMBER_PREFIX_CAP]; /* of ticket numbers */
    const struct zone *zone;        /* whose days count in them */
    int64_t clock_off_us;           /* the branch's clock is so far before the centre's; 0: right, or not known */
    struct buf draft, result;
};

void taking_init(struct taking *, struct spool *, const char *prefix, const struct zone *);
void taking_release(struct taking *);
/* Appends the answer to number n of the origin (verbs.h): taken without position and with {n, number, queued}, or refused. Other
 * than STATUS_OK: the transaction cannot go on. */
enum status taking_take(struct taking *, const char *origin, struct bytes raw, int64_t n, int64_t now_us,
                        struct buf *answer) MUST_CHECK;

#endif
