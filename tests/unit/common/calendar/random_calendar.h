/* Calendars as a seed draws them: any zone, windows, night shifts, days off, make-up days, dated
 * hours. */
#ifndef AFTERCARE_TESTS_RANDOM_CALENDAR_H
#define AFTERCARE_TESTS_RANDOM_CALENDAR_H

#include "calendar/calendar.h"

#include <stdint.h>

struct dice { /* splitmix64 */
    uint64_t state;
};
int64_t dice_below(struct dice *, int64_t n); /* 0 … n - 1 */

/* Its slices point into `room`, which must stay. Exceptions lie in the 60 days around that instant.
 * Never refused. */
struct random_room {
    struct calendar_day week[7];
    struct calendar_window windows[7][3], dated[12][3];
    struct calendar_exception exceptions[12];
};
struct calendar_def random_calendar(struct dice *, struct random_room *, int64_t around_us);

#endif
