/* An event as programs outside read it. */
#ifndef AFTERCARE_EVENT_PRINT_H
#define AFTERCARE_EVENT_PRINT_H

#include "event/event.h"

/* One line of JSON without line end: the body's keys in their order, data as it is, personal fields under "personal". What
 * `aftercare append` takes back. */
void event_print_json(const struct event *, struct buf *out);
/* CloudEvents 1.0, JSON format, one line: see proto/README.md for the mapping. Personal fields are never in it. */
void event_print_cloudevent(const struct event *, const char *stream, struct buf *out);

#endif
