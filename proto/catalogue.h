/* Every event type there is: name, version, record, who says it. Families stand in the headers beside. */
#ifndef AFTERCARE_PROTO_CATALOGUE_H
#define AFTERCARE_PROTO_CATALOGUE_H

#include "record/record.h"

enum event_speaker { SPEAKER_FACT, SPEAKER_DESK, SPEAKER_DISPATCHER, SPEAKER_WATCHDOG, SPEAKER_FOLLOW_UP, SPEAKER_ANY_WORKER, SPEAKER_OPERATOR, SPEAKER_INTAKE };

struct event_type {
    const char *name; /* "ticket.registered" */
    uint32_t v;
    const struct record *data;
    enum event_speaker speaker;
    const char *title_en, *title_zh; /* "ticket registered", "工单登记" */
    const char *verb; /* short word of `aftercare say`: "register"; NULL: none */
};
/* NULL: no such type. v 0: the newest. */
const struct event_type *event_type_find(const char *name, uint32_t v);
const struct event_type *event_type_at(size_t i); /* NULL past the end; in the order of the domain page */
const struct event_type *event_type_of_verb(const char *verb);

#endif
