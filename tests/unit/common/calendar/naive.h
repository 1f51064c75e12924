/* The oracle: a calendar that knows nothing but what the clock on the wall shows in each minute. */
#ifndef AFTERCARE_TESTS_NAIVE_H
#define AFTERCARE_TESTS_NAIVE_H

#include "calendar/calendar.h"

/* Does somebody work in the minute that begins at us? Looks the wall time up in the definition, of
 * that day and, for night shifts, of the day before. Right where no window begins or ends in an
 * hour that the zone skips or repeats. */
bool naive_is_open(const struct calendar_def *, const struct zone *, int64_t us);
/* By walking from minute to minute, from_us a whole one. */
int64_t naive_add(const struct calendar_def *, const struct zone *, int64_t from_us,
                  int64_t minutes);
int64_t naive_subtract(const struct calendar_def *, const struct zone *, int64_t from_us,
                       int64_t minutes);
int64_t naive_between(const struct calendar_def *, const struct zone *, int64_t from_us,
                      int64_t to_us);

#endif
