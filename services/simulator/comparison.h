/* Two outcomes of the same facts beside each other (the second alone where there is no first):
 * promises by clause, region and month, work by site, and what became of which ticket's promise
 * another way. Sorted, so that the same outcomes print the same. */
#ifndef AFTERCARE_SIMULATOR_COMPARISON_H
#define AFTERCARE_SIMULATOR_COMPARISON_H

#include "outcome.h"

enum side { SIDE_OLD, SIDE_NEW, SIDES };

struct comparison_cell {
    char clause[POLICY_WORD_CAP], region[EVENT_REGION_CAP], month[8]; /* "" where they are summed */
    int64_t counts[SIDES][VERDICTS];
};
struct comparison_site {
    char site[EVENT_SITE_CAP];
    struct site_work work[SIDES]; /* hh is not used */
};
struct comparison_change {
    char key[EVENT_KEY_CAP], clause[POLICY_WORD_CAP];
    int64_t k, due_us[SIDES];
    enum verdict verdict[SIDES];
};

struct comparison {
    struct comparison_cell *cells; /* by clause, region, month */
    size_t cells_n;
    struct comparison_site *sites; /* by name */
    size_t sites_n;
    struct comparison_change *changes; /* by key, clause, k */
    size_t changes_n, tickets_n;       /* tickets: different keys among the changes */
};

/* first NULL: there is none; then nothing changed. */
void comparison_make(struct comparison *, const struct outcome *first,
                     const struct outcome *second);
void comparison_release(struct comparison *);

enum comparison_by { BY_CLAUSE, BY_REGION, BY_MONTH };
/* Cells summed by clause, by clause and region or by clause and month; the caller frees *out.
 * Returns how many. */
size_t comparison_sum(const struct comparison *, enum comparison_by, struct comparison_cell **out);

#endif
