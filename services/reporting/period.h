/* Periods of reports: "2011-08" is a month, local to a zone. */
#ifndef AFTERCARE_REPORTING_PERIOD_H
#define AFTERCARE_REPORTING_PERIOD_H

#include "calendar/zone.h"

/* from ≤ instant < to. False: not a month, or no zone. */
bool period_parse(const char *text, const struct zone *, int64_t *from_us, int64_t *to_us);

#endif
