/* Who may, without I/O: a principal's kind and lists against an event's type, region and site. Checked on every event
 * appended and on every BATCH sent. */
#ifndef AFTERCARE_INTAKE_RIGHTS_H
#define AFTERCARE_INTAKE_RIGHTS_H

#include "archive.h"
#include "bus/verbs.h"
#include "proto/catalogue.h"

/* The User-Id that the ZAP handler gives: who came through the socket folder, or "ID:" and the key in hex. */
#define CALLER_LOCAL "@local"
void caller_print(const char *id, const uint8_t key[32], char out[136]);
/* Who speaks, asked again with each message. keyed: keys are in force, and who has no User-Id is nobody; otherwise everybody may
 * give any name. False: why is "unknown", "revoked" (the principal, or this key of it) or "nobody". id is then whose it was. */
bool rights_caller(const struct tables *, unsigned principals, bool keyed, const char *user, char id[64], const char **why) MUST_CHECK;
/* May that caller speak as `name` (a principal's id, or that and "/…")? id "": one who may give any name. */
bool rights_name(const char *id, const char *name);
/* What is asked for in vain, as no part of it may be seen: a region or a site. NULL: nothing is. */
const char *rights_beyond(const struct principal *, const struct verb_open *);
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
