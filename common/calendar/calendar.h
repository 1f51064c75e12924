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
    int64_t known_from, known_to; /* years whose holidays stand in the exceptions; 0: see calendar_has_data */
};
extern const struct record calendar_def_record;

struct calendar;

/* Compiles. The definition may be given back afterwards. NULL with the reason (unknown zone, no working second in the
 * next 400 days, overlapping windows). */
struct calendar *calendar_new(const struct calendar_def *, struct problem *);
void calendar_destroy(struct calendar **);
const struct zone *calendar_zone(const struct calendar *);
/* Do the exceptions say what is closed in that year? known_from … known_to where the definition has them, else the years
 * its exceptions reach over, else (no exceptions: the week is all there is) every year. False: the year is counted by the
 * week until its holidays are announced, and who explains an instant in it says so. */
bool calendar_has_data(const struct calendar *, int year);

/* The instant at which `working_us` of working time after `from_us` are used up: exactly at closing time it is that, not the
 * next opening. Negative: so much before it. 0: the next open instant. INT64_MAX (INT64_MIN): not in a hundred years. */
int64_t calendar_add(const struct calendar *, int64_t from_us, int64_t working_us);
/* Working time in [from, to); negative when to < from. */
int64_t calendar_between(const struct calendar *, int64_t from_us, int64_t to_us);
bool calendar_is_open(const struct calendar *, int64_t us);
int64_t calendar_next_open(const struct calendar *, int64_t us);
/* The twin of add: exactly at opening time it is that, not the closing before. 0: calendar_prev_close. */
int64_t calendar_subtract(const struct calendar *, int64_t from_us, int64_t working_us);
/* That instant where the calendar is open just before it, else the closing before it. INT64_MIN: none in a hundred years. */
int64_t calendar_prev_close(const struct calendar *, int64_t us);
/* The end of the working interval that runs at that instant, or of the next one. INT64_MAX: never, round the clock. */
int64_t calendar_next_close(const struct calendar *, int64_t us);

/* Half-open, from < to. As a pause that still runs: to_us = INT64_MAX. */
struct calendar_span {
    int64_t from_us, to_us;
};
/* The working intervals from that instant on, the first cut by it, those that touch as one; at most max. How many. */
size_t calendar_open_spans(const struct calendar *, int64_t from_us, struct calendar_span *out, size_t max);
/* The working intervals that begin on a local date (days_from_civil), as they stand in the definition: uncut, unjoined. */
unsigned calendar_day_spans(const struct calendar *, int64_t day, struct calendar_span out[CALENDAR_WINDOWS_MAX]);
/* As add and between with the time in the pauses left out. Pauses in order of from_us, free to overlap, to lie outside
 * hours or before from_us. INT64_MAX: not used up before a pause that still runs. working_us >= 0, to >= from. */
int64_t calendar_add_paused(const struct calendar *, int64_t from_us, int64_t working_us, const struct calendar_span *pauses,
                            size_t n);
int64_t calendar_between_paused(const struct calendar *, int64_t from_us, int64_t to_us, const struct calendar_span *pauses,
                                size_t n);
/* n working days later, keeping the local time of day; n = 0 moves to the next working day if this is none; n < 0: before. From
 * a day off, 1 is the next working day. */
int64_t calendar_add_working_days(const struct calendar *, int64_t from_us, int64_t n);
/* Is the local date of that instant a working day? */
bool calendar_is_working_day(const struct calendar *, int64_t us);
bool calendar_day_is_working(const struct calendar *, int64_t day); /* a local date, days_from_civil */
/* Working days from … to, both local dates included; 0 when to < from. */
int64_t calendar_count_working_days(const struct calendar *, int64_t from_day, int64_t to_day);
/* The close of business of the local date of that instant; of the next working day when this is none. A night shift that
 * began on it is its last hours. */
int64_t calendar_end_of_working_day(const struct calendar *, int64_t us);

#endif
