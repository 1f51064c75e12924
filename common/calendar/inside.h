/* A compiled calendar from the inside: compile.c makes it, calendar.c counts by it. */
#ifndef AFTERCARE_CALENDAR_INSIDE_H
#define AFTERCARE_CALENDAR_INSIDE_H

#include "calendar/calendar.h"

struct window {
    int from, to; /* minutes of the local day; to may pass 1440 */
};
struct hours {
    struct window windows[CALENDAR_WINDOWS_MAX];
    unsigned n;
};
struct exception {
    int64_t from, to; /* days, inclusive */
    struct hours hours;
};
struct interval {
    int64_t start, end;
    int64_t before; /* working time of all intervals before this one */
};

struct calendar {
    const struct zone *zone;
    struct hours week[8]; /* 1 = Monday */
    struct exception *exceptions;
    size_t exceptions_n;
    int data_from, data_to;      /* years the exceptions know, inclusive */
    int64_t first_day, last_day; /* compiled, inclusive */
    int64_t safe_from, safe_to;  /* instants well inside: no uncompiled day reaches between them */
    struct interval *intervals;
    size_t n;
    int64_t total;
    /* Where to begin to search: a binary search over decades misses the cache and the branch predictor a dozen times. by_day[k]:
     * the first interval that ends after index_from + k days. by_work[k]: the last with before <= k * work_step. */
    uint32_t *by_day, *by_work;
    size_t by_day_n, by_work_n; /* steps; each array has one more element */
    int64_t index_from, work_step;
    int64_t *days; /* working days among the compiled ones */
    size_t days_n;
};

/* Outside the compiled years nobody counts further than a century. */
#define CALENDAR_WALK_DAYS_MAX 40000

/* The first compiled interval that ends after us; NULL when there is none. */
const struct interval *calendar_interval_at(const struct calendar *, int64_t us);
/* The hours of a day: of its exception, or of its weekday. */
const struct hours *calendar_hours(const struct calendar *, int64_t day);
/* The working intervals that begin on that day. */
unsigned calendar_day_intervals(const struct calendar *, int64_t day,
                                struct interval out[CALENDAR_WINDOWS_MAX]);

#endif
