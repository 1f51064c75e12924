/* Instants: int64_t microseconds since 1970-01-01 UTC, 0 = absent. Spans: "2h", "3wd". */
#ifndef AFTERCARE_BASE_INSTANT_H
#define AFTERCARE_BASE_INSTANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECOND_US INT64_C(1000000)
#define MINUTE_US (60 * SECOND_US)
#define HOUR_US (60 * MINUTE_US)
#define DAY_US (24 * HOUR_US)
#define INSTANT_TEXT_MAX 40
/* What a record holds, and is read from text: the years 0 to 9999 of UTC, which RFC 3339 can write. */
#define INSTANT_MIN_US (INT64_C(-62167219200) * SECOND_US)
#define INSTANT_MAX_US (INT64_C(253402300800) * SECOND_US - 1)
/* Where a reckoning leads out of these years it ends at their edge: the last instant stands for "never", which nobody lives to see. */
static inline int64_t instant_kept(int64_t us)
{
    return us < INSTANT_MIN_US ? INSTANT_MIN_US : us > INSTANT_MAX_US ? INSTANT_MAX_US : us;
}

/* RFC 3339 in UTC, "2011-07-01T05:32:33Z", with a fraction only where there is one. */
void instant_print(int64_t us, char out[INSTANT_TEXT_MAX]);
/* RFC 3339 with any offset; a date alone is refused, as is what its offset takes out of the years above. */
bool instant_parse(const char *text, int64_t *us);

/* Proleptic Gregorian calendar arithmetic, without time zone. */
int64_t days_from_civil(int year, int month, int day);
void civil_from_days(int64_t days, int *year, int *month, int *day);
int weekday_of_days(int64_t days); /* 1 = Monday … 7 = Sunday */
int days_in_month(int year, int month);

enum span_unit {
    SPAN_NONE, /* absent */
    SPAN_SECONDS,       /* s */
    SPAN_MINUTES,       /* min */
    SPAN_HOURS,         /* h */
    SPAN_DAYS,          /* d: calendar days, same wall time */
    SPAN_WEEKS,         /* w */
    SPAN_MONTHS,        /* mo */
    SPAN_YEARS,         /* y */
    SPAN_WORKING_HOURS, /* wh */
    SPAN_WORKING_DAYS   /* wd */
};

/* n may be negative (a level before the limit). */
struct span {
    int64_t n;
    enum span_unit unit;
};

#define SPAN_TEXT_MAX 24
void span_print(struct span, char out[SPAN_TEXT_MAX]); /* "" when absent */
bool span_parse(const char *text, struct span *);
/* The elapsed length of s, min, h, d, w spans (a day is 24 h here); asserts on the others. */
int64_t span_us(struct span);

#endif
