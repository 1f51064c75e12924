/* Counting by label: rows in label order, each with some counts and, where wanted, durations. */
#ifndef AFTERCARE_REPORTING_TALLY_H
#define AFTERCARE_REPORTING_TALLY_H

#include "figures.h"

struct tally_row {
    char label[FIGURE_LABEL_CAP];
    int64_t counts[FIGURE_COLUMNS_MAX];
    int64_t *seconds; /* in no order until tally_rank */
    size_t seconds_n, seconds_cap;
};
struct tally {
    struct tally_row *rows;
    size_t n, cap;
};
void tally_release(struct tally *);
/* The row of that label, made where there is none. Valid until the next call. */
struct tally_row *tally_at(struct tally *, const char *label);
void tally_time(struct tally_row *, int64_t seconds);
/* The duration that so many per cent do not exceed (nearest rank); FIGURE_NOTHING when there is none. */
int64_t tally_rank(struct tally_row *, int percent);
/* Highest counts[0] first, then by label. */
void tally_order(struct tally *);

#endif
