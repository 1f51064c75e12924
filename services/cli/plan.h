/* In what order an import sends: facts by time, then by their place in the file, and on a stepped
 * stream the steps of its clock between them, each event of a row in a later step than the one
 * before. Pure, and the same for the same file, mapping, start,
 * end and step: an event's place is its number. */
#ifndef AFTERCARE_CLI_PLAN_H
#define AFTERCARE_CLI_PLAN_H

#include "base/bytes.h"
#include <stdbool.h>

struct plan_fact {
    int64_t sort_us; /* its time, but never before an earlier event of its row, nor in its step */
    uint32_t line;   /* in the file */
    uint32_t order;  /* in its row */
    uint64_t draft_at;
    uint32_t draft_len;
};

struct plan {
    struct plan_fact *facts;
    size_t n, cap;
    struct buf drafts;
    int64_t until_us; /* facts after it are left out; INT64_MAX: none */
    int64_t step_us;  /* 0: not stepped */
    int64_t end_us;   /* of the step being sent */
    size_t next;
    int64_t number; /* of the item given out last */
    size_t left_out;
};

void plan_add(struct plan *, int64_t sort_us, uint32_t line, uint32_t order, struct bytes draft);
/* Sorts and leaves out what is after until_us (INT64_MAX: nothing). step_us > 0: steps end at
 * multiples of it (plan_fact's sort_us follows them), beginning with the one that holds the first
 * fact, or the first after start_us; until_us is then moved up to a multiple, and without one time
 * goes to the end of the last fact's step. */
void plan_ready(struct plan *, int64_t start_us, int64_t until_us, int64_t step_us);
/* Facts and steps together. */
int64_t plan_total(const struct plan *);
size_t plan_steps(const struct plan *);

struct plan_item {
    int64_t n;                    /* from 1 */
    const struct plan_fact *fact; /* NULL: a step's end */
    int64_t time_us;              /* end of the step, 0: not stepped */
};
bool plan_next(struct plan *, struct plan_item *);
struct bytes plan_draft(const struct plan *, const struct plan_fact *);
/* The fact with that number, NULL for a step's end. */
const struct plan_fact *plan_fact_of(const struct plan *, int64_t n);
void plan_release(struct plan *);

#endif
