/* Who may, without I/O: a principal's kind and lists against an event's type, region and site. Checked on every event
 * appended and on every BATCH sent. */
#ifndef AFTERCARE_INTAKE_RIGHTS_H
#define AFTERCARE_INTAKE_RIGHTS_H

#include "archive.h"
#include "proto/catalogue.h"

/* principal NULL or revoked: refused ("principal"). clock_source: it may say time.reached. */
bool rights_append_type(const struct principal_row *, const struct event_type *, bool clock_source, struct problem *) MUST_CHECK;
/* Does the place lie within what the principal may see and say? "" region: the event is about no place. */
bool rights_region(const struct principal *, const char *region);
bool rights_site(const struct principal *, const char *site);
/* A principal with regions sees and says those, one with sites those, one with both either, one with neither all. */
bool rights_place(const struct principal *, const char *region, const char *site);
/* Reading an event: its place; what concerns no place (policies, calendars, products) is everybody's, principals and the
 * stream's own events only theirs who are not narrowed. */
bool rights_read(const struct principal *, const char *type, const char *region, const char *site);
bool rights_is_narrowed(const struct principal *);

#endif
