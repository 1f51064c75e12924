/* An event as people and programs read it. */
#ifndef AFTERCARE_CLI_EVENT_PRINT_H
#define AFTERCARE_CLI_EVENT_PRINT_H

#include "event/event.h"
#include "words.h"

/* One line of JSON without line end: the body's keys in their order, data as it is, personal fields
 * under "personal". What `aftercare append` takes back. */
void event_print_json(const struct event *, struct buf *out);
/* CloudEvents 1.0, JSON format, one line: see proto/README.md for the mapping. Personal fields are
 * never in it. */
void event_print_cloudevent(const struct event *, const char *stream, struct buf *out);
/* "ticket registered" / "工单登记"; the type itself where the catalogue does not know it. */
const char *event_title(const struct event *, enum language);
/* What it says, for people: "kind repair, region GD01, customer.name …" */
void event_words(const struct event *, enum language, struct buf *out);
/* A record's fields that are not their defaults, "name value, name value". */
struct record;
void record_words(const struct record *, const void *object, enum language, struct buf *out);
/* One field's value for people and tables; times in this machine's zone. */
struct field;
void field_words(const struct field *, const void *object, enum language, struct buf *out);

#endif
