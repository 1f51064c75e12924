/* An event as people read it; as programs do: event/print.h. */
#ifndef AFTERCARE_CLI_EVENT_PRINT_H
#define AFTERCARE_CLI_EVENT_PRINT_H

#include "event/print.h"
#include "words.h"

/* "ticket registered" / "工单登记"; the type itself where the catalogue does not know it. */
const char *event_title(const struct event *, enum language);
/* What it says, for people: "kind repair, region GD01, customer.name …" */
void event_words(const struct event *, enum language, struct buf *out);
/* One field's value for people and tables; times in this machine's zone. */
struct field;
void field_words(const struct field *, const void *object, enum language, struct buf *out);

#endif
