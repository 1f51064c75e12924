/* What the field table cannot see: ids twice, lines that can never decide, units that a field does
 * not take, names of things that are not there. Used by policy_parse and policy_decode. */
#ifndef AFTERCARE_POLICY_CHECK_H
#define AFTERCARE_POLICY_CHECK_H

#include "calendar/calendar.h"
#include "policy/policy.h"

/* Adds everything found wrong, with its path and without line. event_data as policy_parse's. */
void policy_check(const struct policy *, const struct record *(*event_data)(const char *type),
                  struct problems *);
/* Of a policy that is in force: only what cannot be carried out. Lines that never decide, levels
 * that never come and the like are mistakes in a file; once published they do no harm, and a
 * release that looks harder still reads them. */
void policy_check_published(const struct policy *, struct problems *);
/* A calendar that the policy names and whoever checks has looked for. NULL: there is none that
 * could count, and `why` (may be NULL) is what calendar_new said: no working second in 400 days, …;
 * that is added at the place where the policy names it. */
void policy_check_calendar(const struct policy *, const char *name, const struct calendar *,
                           const struct problem *why, struct problems *);
/* Finds the lines of the problems from the n-th on by their paths, in the text they are about. */
void policy_places_find(const char *text, size_t n, struct problems *, size_t from);

#endif
