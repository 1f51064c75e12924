/* The calendars of business-time-cases.json as ours: holidays, dated hours, breaks and make-up days
 * become exceptions. */
#ifndef AFTERCARE_TESTS_PEER_CALENDAR_H
#define AFTERCARE_TESTS_PEER_CALENDAR_H

#include "calendar/calendar.h"

#include <jansson.h>

/* Fails the test when it is refused. Free with calendar_destroy. */
struct calendar *peer_calendar_new(const char *name, json_t *definition);

#endif
