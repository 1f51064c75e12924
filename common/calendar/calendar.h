/* Working time. A compiled calendar is a sorted array of working intervals with running sums, so that add and
 * between are binary searches; outside the compiled years it goes on by the weekly pattern. Half-open intervals. */
#ifndef AFTERCARE_CALENDAR_CALENDAR_H
#define AFTERCARE_CALENDAR_CALENDAR_H

#include "calendar/zone.h"
#include "record/record.h"

#define CALENDAR_WINDOWS_MAX 12 /* a day */

/* The published form: data of calendar.published, and the YAML file. */
struct calendar_window { /* minutes of the local day; end may pass 1440 (night shift) */
    char from[6], to[6]; /* "08:30", "17:00", "24:00" */
};
struct calendar_day {
    int weekday; /* enum names mon … sun */
    struct slice windows;
};
struct calendar_exception { /* from … to inclusive, local dates "2011-07-04" */
    char from[11], to[11];
    char name[48];
    struct slice windows; /* none = closed; a make-up day names a weekday instead */
    int as; /* 0, or a weekday whose hours it takes (调休) */
};
struct calendar_def {
    char name[48];
    char version[64];
    char zone[48]; /* "Asia/Shanghai" */
    struct slice weekly;     /* struct calendar_day */
    struct slice exceptions; /* struct calendar_exception */
};
extern const struct record calendar_def_record;

struct calendar;

/* Compiles. The definition may be given back afterwards. NULL with the reason (unknown zone, no working second in the
 * next 400 days, overlapping windows). */
struct calendar *calendar_new(const struct calendar_def *, struct problem *);
void calendar_destroy(struct calendar **);
const char *calendar_version(const struct calendar *);
const struct zone *calendar_zone(const struct calendar *);

/* The instant at which `working_us` of working time after `from_us` are used up: exactly at closing time it is that, not the
 * next opening. Negative: so much before it. 0: the next open instant. INT64_MAX (INT64_MIN): not in a hundred years. */
int64_t calendar_add(const struct calendar *, int64_t from_us, int64_t working_us);
/* Working time in [from, to); negative when to < from. */
int64_t calendar_between(const struct calendar *, int64_t from_us, int64_t to_us);
bool calendar_is_open(const struct calendar *, int64_t us);
int64_t calendar_next_open(const struct calendar *, int64_t us);
/* n working days later, keeping the local time of day; n = 0 moves to the next working day if this is none; n < 0: before. From
 * a day off, 1 is the next working day. */
int64_t calendar_add_working_days(const struct calendar *, int64_t from_us, int64_t n);
/* Is the local date of that instant a working day? */
bool calendar_is_working_day(const struct calendar *, int64_t us);

#endif
