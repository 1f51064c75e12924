/* Inside the spool: its statements by name, and what its two files share. */
#ifndef AFTERCARE_BRANCH_SPOOL_INSIDE_H
#define AFTERCARE_BRANCH_SPOOL_INSIDE_H

#include "sqlite/db.h"
#include "spool.h"

enum spool_statement {
    META_GET,
    META_PUT,
    META_PROBE,
    META_PROBED,
    FACT_ADD,
    FACT_READ,
    FACT_TRIM,
    FACT_SUM,
    FACT_SUM_UPTO,
    FACT_OLDEST,
    FACT_AWAY,
    FACT_BACK,
    FACT_NEXT,
    FACT_NEXT_OF,
    FACT_LAST_OF,
    FACT_DRAFT,
    FACT_BLANK,
    ORIGIN_GET,
    ORIGIN_ADD,
    ORIGIN_PUT,
    ANSWER_GET,
    ANSWER_ADD,
    ANSWER_FORGET,
    ANSWER_AGE,
    SERIES_NEXT,
    SERIES_SEEN,
    SERIES_GET,
    REQUEST_GET,
    REQUEST_ADD,
    REQUEST_FORGET,
    REQUEST_AGE,
    REFUSED_ADD,
    REFUSED_COUNT,
    REFUSED_NEXT,
    REFUSED_SETTLE,
    REFUSED_AGE,
    REFUSED_DRAFT,
    REFUSED_BLANK,
    ERASED_PUT,
    ERASED_LEARN,
    ERASED_FIND,
    ERASED_LAST,
    ERASED_END,
    ERASED_COUNT,
    SPOOL_STATEMENTS_N
};

struct spool {
    struct db *db;
    struct spool_limits limits;
    char reserve[512]; /* path */
    bool reserved;
    int64_t erased;  /* remembered ones, as of the last look */
    int64_t blanked; /* facts from there on have nothing personal of theirs; INT64_MAX: it has not been looked */
    struct spool_state state, before; /* before: as it is on the disk, while `changing` */
    bool changing;                    /* a transaction was begun, and not ended for good */
    struct buf kept;                  /* a draft told about */
};

/* Begins the transaction where none is open. */
enum status spool_begin(struct spool *) MUST_CHECK;

#endif
