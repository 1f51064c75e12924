/* The envelope: body (for ever) + priv (personal, erasable) + link (hash chain). proto/README.md has
 * the words; this is the machinery. */
#ifndef AFTERCARE_EVENT_EVENT_H
#define AFTERCARE_EVENT_EVENT_H

#include "base/bytes.h"
#include "base/digest.h"
#include "base/problem.h"

#define EVENT_BYTES_MAX 65536
#define DRAFT_BYTES_MAX (EVENT_BYTES_MAX - 1024) /* as its sender makes it: room for what intake puts around */
#define EVENT_ID_CAP 161
#define EVENT_TYPE_CAP 48
#define EVENT_KEY_CAP 65
#define EVENT_REGION_CAP 24
#define EVENT_SITE_CAP 65
#define EVENT_SOURCE_CAP 96
#define EVENT_BY_CAP 136
#define LINK_BYTES 16
#define SALT_BYTES 16

/* A body, decoded. data, body and priv borrow from the bytes it was decoded from. */
struct event {
    uint64_t pos;
    char id[EVENT_ID_CAP];
    char type[EVENT_TYPE_CAP];
    uint32_t v;
    char key[EVENT_KEY_CAP];
    char region[EVENT_REGION_CAP];
    char site[EVENT_SITE_CAP];
    char from[EVENT_SOURCE_CAP];
    uint64_t n;
    int64_t at_us, rec_us;
    bool cut; /* `at` lay after `rec` when it was reported and was cut to it; in the body only when true, behind `rec` */
    uint64_t cause;
    char by[EVENT_BY_CAP];
    bool has_pd;
    uint8_t pd[DIGEST_BYTES];
    struct bytes data; /* msgpack map */
    struct bytes body; /* the stored bytes */
    struct bytes priv; /* msgpack [salt, map]; len 0: none, withheld or erased */
};

/* Builds the body: fields in the order of the protocol, those that do not apply left out. */
void event_encode(const struct event *, struct buf *out);
/* `body` must have passed skim(). priv may be empty. */
bool event_decode(struct bytes body, struct bytes priv, struct event *out, struct problem *) MUST_CHECK;
/* The personal map inside priv = [salt, map]; empty when there is none. */
struct bytes event_personal(const struct event *);
/* priv = [salt, map] and its digest. */
void priv_encode(const uint8_t salt[SALT_BYTES], struct bytes map, struct buf *out, uint8_t pd[DIGEST_BYTES]);

void link_first(const char *stream, uint8_t out[LINK_BYTES]);
void link_next(const uint8_t before[LINK_BYTES], struct bytes body, uint8_t out[LINK_BYTES]);

/* An event as a sender makes it: an element of APPEND's events. */
struct draft {
    const char *type;
    uint32_t v;
    const char *key; /* NULL or "": none (a registration that wants a number) */
    int64_t at_us;   /* 0: intake's time */
    const char *by;
    uint64_t cause;
    const char *id;    /* workers only: the slot */
    struct bytes data; /* map */
    struct bytes priv; /* map, without salt; may be empty */
};
void draft_encode(const struct draft *, struct buf *out);

#endif
