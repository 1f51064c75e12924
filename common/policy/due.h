/* When a promise ends: the arithmetic of limits and levels, the same for everybody who says a due
 * time. Pure. */
#ifndef AFTERCARE_POLICY_DUE_H
#define AFTERCARE_POLICY_DUE_H

#include "calendar/calendar.h"
#include "policy/policy.h"

/* The instant at which the line's limit, counted from from_us under the clause, is over; a stop
 * exactly then is in time.
 *
 * - s min h: elapsed time. d w mo y: the same wall time of the policy's zone.
 *
 * - wh: hours of working time by the calendar.
 *
 * - wd: working days by the clause's counting (policy.h). By hours, an opening outside hours counts
 *   from the next opening, and due is as much working time into the n-th day after as the opening
 *   was into its own; a whole day from its first hour on ends with its last.
 *
 * - per_units: the limit as often as the quantity begins another so many (quantity <= 0: once).
 *
 * - by: that time of the day that the limit ends in; without a limit the first such time from
 *   from_us on, on a working day where the line has a calendar. In the calendar's zone, else the
 *   policy's. Goes with days and more.
 *
 * calendar: the line's (policy_limit_calendar); NULL for limits that do not count in working time
 * and have none.
 *
 * What would be due outside the years of instant.h, or not in a hundred years of that calendar, is
 * due at their edge, INSTANT_MAX_US: an event can say that, and nobody lives to see it. The same
 * holds of levels and ends of spans. Never 0, which says that there is no due instant. */
int64_t policy_due(const struct policy_clause *, const struct policy_limit *, int64_t quantity,
                   const struct zone *, const struct calendar *, int64_t from_us);

/* A time that does not count: [from, to); to_us 0: it still runs. */
struct pause_interval {
    int64_t from_us, to_us;
};
/* As policy_due, with the time in the pauses not counted. They are sorted and disjoint, at most
 * POLICY_PAUSES_COUNTED_MAX, free to lie before the start; the last may be open. A pause that
 * begins at the due instant or later moves nothing; two that touch are one. 0: a pause still runs
 * that began before the limit was used up, so there is no due instant.
 *
 * - s min h: the elapsed time outside the pauses.
 *
 * - d w mo y: the due instant without pauses, later by the elapsed length of the pauses.
 *
 * - wh: the working time outside the pauses.
 *
 * - wd by hours: as much working time outside the pauses as lies between the start and the due
 *   instant without pauses.
 *
 * - wd by time of day: the due instant without pauses, later by as much working time as lies in the
 *   pauses, by the hours of the day on which it falls; a whole working day waited moves it to
 *   the same hour of the next.
 *
 * - by: of the day in which the limit so ends; where a pause runs over that time of day, the first
 *   such time after the pause.
 *
 * A limit of 0 is due where it begins, pause or not. A longer limit or pause is never due earlier;
 * a later start neither, but for working days of unequal lengths ("a day" is what it is when it
 * begins) and for counting by time of day on days off, whose time of day counts from the first
 * working day. */
int64_t policy_due_paused(const struct policy_clause *, const struct policy_limit *,
                          int64_t quantity, const struct zone *, const struct calendar *,
                          int64_t from_us, const struct pause_interval *pauses, size_t n);

/* Levels are numbered in the order of time: … −2, −1 before the limit, 0 the limit, 1, 2 … after
 * it. The file lists them in that order without the 0. */
int policy_level_first(const struct policy_clause *); /* <= 0 */
int policy_level_last(const struct policy_clause *);  /* >= 0 */
/* NULL for level 0 and for levels there are not. */
const struct policy_level *policy_level(const struct policy_clause *, int level);
/* The instant of a level of a limit that is due then. */
int64_t policy_level_at(const struct policy_clause *, int level, const struct zone *,
                        const struct calendar *, int64_t due_us);

/* The end of a span on the policy's wall clock; working units, which need a calendar, count here as
 * if every day and hour were one. An absent span ends where it begins. */
int64_t policy_span_end_us(const struct policy *, int64_t from_us, struct span);
/* The instant from which a fact about a ticket counts: at_us (0: not said), but never after rec_us
 * nor before opened_us; rec_us where it was reported later than late_facts_within allows. */
int64_t policy_fact_us(const struct policy *, int64_t at_us, int64_t rec_us, int64_t opened_us);

/* "08:30" as minutes of the day; -1: not a time of day (00:00 … 23:59). */
int policy_minute(const char *text);
/* Does a span of that unit count in working time, and so need a calendar? */
bool policy_counts_working_time(enum span_unit);

#endif
