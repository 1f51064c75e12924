/* The catalogue as documents, printed from the field tables: what `aftercare schema` shows. proto/asyncapi.json and
 * proto/schema.json are these; a test compares. */
#ifndef AFTERCARE_PROTO_SCHEMA_H
#define AFTERCARE_PROTO_SCHEMA_H

#include "proto/catalogue.h"

void schema_print_asyncapi(struct buf *out); /* AsyncAPI 3: sockets, frames, events, questions */
void schema_print_json(struct buf *out);     /* JSON Schema 2020-12: the events' data in their JSON form */
/* For people: every event type; the fields of one; what may be asked. */
void schema_print_table(bool chinese, struct buf *out);
void schema_print_type(const struct event_type *, bool chinese, struct buf *out);
void schema_print_questions(struct buf *out);

struct document;
/* A record's schema, as the value of `name`. wire: of its msgpack form (times and bytes are msgpack's own), else of its JSON. */
void schema_record(struct document *, const char *name, const struct record *, bool wire);

#endif
