/* msgpack at the byte level: the skimmer that every frame passes first, a reader for skimmed bytes,
 * and writing (msgpack-c packs, see pack.c). */
#ifndef AFTERCARE_RECORD_PACK_H
#define AFTERCARE_RECORD_PACK_H

#include "base/bytes.h"
#include "base/problem.h"

#define SKIM_DEPTH_MAX 16 /* a policy's lists inside a published event inside an APPEND are 11 deep */

/* One complete value and nothing behind it: counts and lengths within the bytes that are left, depth
 * <= SKIM_DEPTH_MAX, valid UTF-8 without U+0000, map keys that are short (<= 64) unique strings, ext only as a
 * timestamp (type -1, nanoseconds < 1e9). Allocates nothing. */
bool skim(struct bytes in, struct problem *) MUST_CHECK;

enum pack_type { PACK_NIL, PACK_BOOL, PACK_INT, PACK_UINT, PACK_FLOAT, PACK_STR, PACK_BIN, PACK_ARRAY, PACK_MAP, PACK_TIME };

/* A place in skimmed bytes. Reading past the end is our bug (assert). */
struct unpack {
    const uint8_t *at, *end;
};
struct pack_value {
    enum pack_type type;
    union {
        bool boolean;
        int64_t integer; /* PACK_INT: negative or fits int64_t. PACK_UINT: only values above INT64_MAX, in `large` */
        uint64_t large;
        double real;
        int64_t time_us; /* floored to microseconds */
        struct bytes bytes; /* STR, BIN */
        uint32_t n;         /* ARRAY elements, MAP pairs: the values follow */
    };
};
struct unpack unpack_of(struct bytes);
struct pack_value unpack_next(struct unpack *);
/* The extent of the next value, which is passed over. */
struct bytes unpack_raw(struct unpack *);

void pack_map(struct buf *, uint32_t pairs);
void pack_array(struct buf *, uint32_t n);
void pack_text(struct buf *, const char *text);
void pack_text_n(struct buf *, const char *text, size_t n);
void pack_int(struct buf *, int64_t);
void pack_uint(struct buf *, uint64_t);
void pack_bool(struct buf *, bool);
void pack_nil(struct buf *);
void pack_bin(struct buf *, struct bytes);
void pack_time(struct buf *, int64_t us); /* the shortest timestamp form */
void pack_raw(struct buf *, struct bytes value);

#endif
