/* Reference data that every service has: the policies and calendars of the stream, kept as rows from policy.published and
 * calendar.published. The runtime puts these tables and handlers behind each worker's own; intake's desk uses the same. */
#ifndef AFTERCARE_WORKER_REFERENCE_H
#define AFTERCARE_WORKER_REFERENCE_H

#include "calendar/calendar.h"
#include "event/event.h"
#include "policy/published.h"
#include "table/table.h"

/* Both are `whole` tables. */
extern const struct table_def reference_policy_table, reference_calendar_table;

/* The apply of the two events; tables are found by their definition, wherever they stand. */
bool reference_on_policy_published(struct tables *, const struct event *, const void *data);
bool reference_on_calendar_published(struct tables *, const struct event *, const void *data);

/* The policy of that version; "" = the one in force. NULL when the stream never had it. Parsed once per process and
 * version; valid for ever (a published version never changes). */
const struct policy *reference_policy(const struct tables *, const char *version);
/* A compiled calendar, the newest version of that name. NULL: none. Valid for ever. */
const struct calendar *reference_calendar(const struct tables *, const char *name);
/* Gives back what this thread has parsed, before it ends: pointers from the two above are no longer valid. */
void reference_forget(void);

#endif
