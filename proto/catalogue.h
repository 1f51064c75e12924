/* Every event type there is: name, version, record, who says it. Families stand in the headers beside. */
#ifndef AFTERCARE_PROTO_CATALOGUE_H
#define AFTERCARE_PROTO_CATALOGUE_H

#include "record/record.h"

enum event_speaker { SPEAKER_FACT, SPEAKER_DESK, SPEAKER_DISPATCHER, SPEAKER_WATCHDOG, SPEAKER_FOLLOW_UP, SPEAKER_ANY_WORKER, SPEAKER_OPERATOR, SPEAKER_INTAKE };

/* What an event's key names. A time limit runs on its key: the events that start, stop and pause it carry the same one. */
enum event_key {
    KEY_TICKET = 1 << 0,
    KEY_UNIT = 1 << 1, /* its serial */
    KEY_CALL = 1 << 2,
    KEY_CONTRACT = 1 << 3,
    KEY_ORDER = 1 << 4,
    KEY_PERSON = 1 << 5, /* of ours: an engineer, a clerk */
    KEY_LINE = 1 << 6,   /* telephone line */
    KEY_SITE = 1 << 7,
    KEY_CUSTOMER = 1 << 8,
    KEY_PRODUCT = 1 << 9,
    KEY_DOCUMENT = 1 << 10,
    KEY_TRAINING = 1 << 11,
    KEY_CAMPAIGN = 1 << 12,
    KEY_OPINION = 1 << 13,
    KEY_SURVEY = 1 << 14,
    KEY_OTHER = 1 << 15 /* the machinery's own: stream, principal, policy, report */
};
#define KEY_ANY ((1U << 16) - 1) /* whatever another event is about */
#define EVENT_KEYS_TEXT_MAX 160

struct event_type {
    const char *name; /* "ticket.registered" */
    uint32_t v;
    const struct record *data;
    enum event_speaker speaker;
    uint32_t keys; /* enum event_key: the kinds of key it may have */
    const char *title_en, *title_zh; /* "ticket registered", "工单登记" */
    const char *verb; /* short word of `aftercare say`: "register"; NULL: none */
};
/* NULL: no such type. v 0: the newest. */
const struct event_type *event_type_find(const char *name, uint32_t v);
/* The table of the newest version's data, as policy_parse() asks for it; NULL: no such type. */
const struct record *event_type_data(const char *name);
const struct event_type *event_type_at(size_t i); /* NULL past the end; in the order of the domain page */
const struct event_type *event_type_of_verb(const char *verb);
bool event_type_runs_on(const struct event_type *, enum event_key);
/* "ticket", "ticket|contract", "any". */
void event_keys_print(uint32_t keys, char out[EVENT_KEYS_TEXT_MAX]);

#endif
