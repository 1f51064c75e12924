/* A worker's tables folded anew from the journal, beside the living ones. */
#ifndef AFTERCARE_SIMULATION_FOLD_H
#define AFTERCARE_SIMULATION_FOLD_H

#include "db.h"

struct fold {
    const struct worker *worker;
    struct run *run;
    uint64_t pos, expected; /* applied up to; read ahead up to */
    struct fold_key *touched; /* since the last comparison of all that was */
};

void fold_begin(struct fold *, const struct worker *);
/* Applies up to 256 events, not beyond `upto`; at upto compares the rows touched since the last time with the database's. */
void fold_next(struct fold *, const struct db *journal, const struct db *, uint64_t upto);
void fold_compare(struct fold *, const struct db *, const struct table_def *, const char *key);
/* All rows, both ways. */
void fold_compare_all(struct fold *, const struct db *);

#endif
