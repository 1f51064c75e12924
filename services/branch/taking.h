/* Taking one fact at the branch: read, checked, given its ticket number and its time, put into the spool — or refused. */
#ifndef AFTERCARE_BRANCH_TAKING_H
#define AFTERCARE_BRANCH_TAKING_H

#include "drawer.h"
#include "fact.h"
#include "number.h"
#include "spool.h"

/* A file that a refused fact named; the fact is settled. */
struct let_go {
    uint8_t sha256[DIGEST_BYTES];
    char ticket[EVENT_KEY_CAP];
    int64_t n; /* the fact's */
};

struct taking {
    struct spool *spool;
    struct drawer *drawer; /* NULL: no files are expected */
    struct fact_reader *reader;
    char prefix[NUMBER_PREFIX_CAP]; /* of ticket numbers */
    const struct zone *zone;        /* whose days count in them */
    int64_t clock_off_us;           /* the branch's clock is so far before the centre's; 0: right, or not known */
    struct buf draft, result;
    bool named;               /* a fact named a file since the owner looked last: it needs the drawer's commit */
    struct let_go corrected;  /* by the fact at hand; of no ticket: none */
    struct let_go *let_go;    /* to be told to the drawer when what was taken is committed; the owner empties it */
    size_t let_go_n;
};

void taking_init(struct taking *, struct spool *, const char *prefix, const struct zone *);
void taking_release(struct taking *);
/* The file that a refused fact names, if it names one, is to be let go. */
void taking_let_go(struct taking *, const struct let_go *);
bool let_go_read(struct bytes draft, int64_t n, struct let_go *) MUST_CHECK;
/* Appends the answer to number n of the origin (verbs.h): taken without position and with {n, number, queued}, or refused. Other
 * than STATUS_OK: the transaction cannot go on. */
enum status taking_take(struct taking *, const char *origin, struct bytes raw, int64_t n, int64_t now_us,
                        struct buf *answer) MUST_CHECK;

#endif
