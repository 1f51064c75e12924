/* Rows of the journal one after the other, whole, for verify.c and prove.c. */
#ifndef AFTERCARE_INTAKE_VERIFY_ROWS_H
#define AFTERCARE_INTAKE_VERIFY_ROWS_H

#include "journal.h"
#include "pg/pg.h"

struct verify_row {
    int64_t pos, source, n, rec_us;
    char type[EVENT_TYPE_CAP], key[EVENT_KEY_CAP];
    struct buf body, priv, link, digest, result, seal; /* empty: NULL */
    struct event event; /* the body, decoded: borrows */
    bool readable;      /* it could be */
};

void verify_row_release(struct verify_row *);

struct verify_walk {
    struct pg *pg;
    struct pg_result *page;
    int at;
};

/* Inside a transaction: from that position on, up to and including the other. */
enum status verify_walk_open(struct verify_walk *, struct pg *, int64_t from, int64_t to) MUST_CHECK;
/* STATUS_ABSENT: there is none left. */
enum status verify_walk_next(struct verify_walk *, struct verify_row *) MUST_CHECK;
void verify_walk_close(struct verify_walk *);

#endif
