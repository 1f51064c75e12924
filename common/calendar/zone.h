/* Time zones from the system's TZif files (RFC 8536), several at once. */
#ifndef AFTERCARE_CALENDAR_ZONE_H
#define AFTERCARE_CALENDAR_ZONE_H

#include "base/instant.h"
#include "base/problem.h"

struct zone;
struct local_time { /* broken down */
    int year, month, day, hour, minute, second;
    int32_t micros;
    int weekday; /* 1 = Monday */
    int32_t offset_s; /* from UTC */
};

/* Cached for the life of the process; not to be freed. NULL: no such zone. */
const struct zone *zone_find(const char *name);
const char *zone_name(const struct zone *);
struct local_time zone_local(const struct zone *, int64_t us);
/* A wall time that does not exist (spring) is taken with the offset before the gap; one that exists twice is the first. */
int64_t zone_instant(const struct zone *, const struct local_time *);
/* A span counted on the wall clock: days, weeks, months (last day where there is none), years; elapsed for s, min, h. What would
 * lie outside the years of instant.h is their edge. */
int64_t zone_add(const struct zone *, int64_t us, struct span);
/* RFC 3339 with the zone's offset. */
void zone_print(const struct zone *, int64_t us, char out[INSTANT_TEXT_MAX]);

#endif
