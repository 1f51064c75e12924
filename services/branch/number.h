/* Ticket numbers that a branch gives itself, so that the customer has one while the line is down: PREFIX-YYYYMMDD-NNNNNN, the day
 * where the branch is. Each day of a prefix is a series of its own. */
#ifndef AFTERCARE_BRANCH_NUMBER_H
#define AFTERCARE_BRANCH_NUMBER_H

#include "calendar/zone.h"

#define NUMBER_PREFIX_CAP 33
#define NUMBER_SERIES_CAP 48
#define NUMBER_CAP 65

/* "GD01-20261122". The prefix has the form of a key. */
void number_series(const char *prefix, const struct zone *, int64_t us, char out[NUMBER_SERIES_CAP]);
/* "GD01-20261122-000123"; a series of more than a million goes on with more digits. */
void number_print(const char *series, int64_t n, char out[NUMBER_CAP]);
/* The other way: false where it is not a number of this prefix. */
bool number_parse(const char *number, const char *prefix, char series[NUMBER_SERIES_CAP], int64_t *n);

#endif
