/* An intake without sockets and database: events are said in JSON, answers come back decoded, rows that are not in memory are not
 * anywhere. */
#ifndef AFTERCARE_TEST_INTAKE_OFFICE_H
#define AFTERCARE_TEST_INTAKE_OFFICE_H

#include "bus/verbs.h"
#include "take.h"

#define OFFICE_SOURCES_MAX 16

struct office {
    struct taker taker;
    struct batch batch;
    struct source_row sources[OFFICE_SOURCES_MAX];
    size_t sources_n;
    int64_t now_us;
    int64_t at_us; /* of the next event; 0: not said */
    struct buf draft, data, priv, bytes;
    struct answer answer; /* of the last event said */
    struct event event;   /* the last one journaled */
};

void office_open(struct office *, enum stream_clock);
void office_close(struct office *);
/* Operator, import, four workers and a policy: kinds repair (needs customer.phone and region) and *, 2 years from the sale with the
 * card within 30 days, repeats within 30 days. */
void office_furnish(struct office *);
struct source_row *office_source(struct office *, const char *name);
/* Says it; data and priv are JSON (NULL: none). True: taken; answer tells more. */
bool office_say(struct office *, const char *source, const char *type, const char *key, const char *data, const char *priv);
/* Asserts that it is refused with that code and field. */
void office_refuses(struct office *, const char *source, const char *type, const char *key, const char *data, const char *priv,
                    const char *code, const char *field);
/* The i-th entry of the batch, decoded, and its data into `object` (may be NULL). */
const struct event *office_event(struct office *, uint32_t i, const struct record *, void *object);
const struct event *office_last(struct office *, const struct record *, void *object);
/* A field of the last answer's result map, as text. */
const char *office_result(const struct office *, const char *name, char out[64]);

#endif
