/* The journal without I/O: positions without holes, links, monotone time, bodies, and the batches that a commit takes. What is
 * in memory here runs ahead of the database by the batches under way; after a failed or doubtful commit all of it is
 * dropped and read again. */
#ifndef AFTERCARE_INTAKE_JOURNAL_H
#define AFTERCARE_INTAKE_JOURNAL_H

#include "base/arena.h"
#include "event/event.h"
#include "proto/job.h"
#include "event/stream.h"

struct journal_head {
    int64_t epoch;
    uint64_t pos;
    uint8_t link[LINK_BYTES];
    uint8_t seal[SEAL_BYTES];
    int64_t rec_us; /* never goes back; in a stepped stream: the stream's time */
};

struct journal {
    struct stream_created stream;
    struct journal_head head;
    int64_t own_n; /* last number of intake's own events */
    int64_t event_rec_us; /* of the last event; the head's time runs on while nothing is appended */
};

/* An element of APPEND's events as it came; data and priv borrow. */
struct posted {
    char type[EVENT_TYPE_CAP];
    int64_t v;
    char key[EVENT_KEY_CAP];
    int64_t at_us;
    char by[EVENT_BY_CAP];
    int64_t cause;
    char id[EVENT_ID_CAP];
    struct bytes data, priv;
};
/* Only type, version, key and the job that the data name ("" = none), of a well-formed one; for looking ahead. */
bool posted_peek(struct bytes raw, struct posted *, char job[JOB_CAP]);
/* False: malformed, with the field. Data that is not there becomes an empty map. */
bool posted_decode(struct bytes raw, struct posted *, struct problem *) MUST_CHECK;
/* False also where it says something that nobody would read: a key that is none. */
bool posted_decode_strictly(struct bytes raw, struct posted *, struct problem *) MUST_CHECK;

/* Bytes inside a batch's buffer. */
struct extent {
    uint32_t at, len;
};

/* One row of the journal. */
struct entry {
    uint64_t pos;
    int64_t source; /* its number in the table of sources */
    int64_t n;
    int64_t rec_us;
    char type[EVENT_TYPE_CAP];
    char key[EVENT_KEY_CAP];
    char region[EVENT_REGION_CAP];
    char site[EVENT_SITE_CAP];
    struct extent body, priv, result;
    uint8_t link[LINK_BYTES];
    uint8_t seal[SEAL_BYTES];
    uint8_t digest[DIGEST_BYTES]; /* of the raw draft; all zero for intake's own */
};

/* An answer that is no row of the journal: a refusal (code), or the repeat of an idempotency key (code "repeat", pos, result). */
struct refusal {
    int64_t source, n, rec_us;
    uint8_t digest[DIGEST_BYTES];
    struct problem problem;
    uint64_t pos;
    struct extent result, event;
};

#define BATCH_EVENTS_MAX 256
#define BATCH_BYTES_MAX (256 * 1024)
#define BATCH_ENROLLED_MAX 4
#define BATCH_CORRECTED_MAX 16

struct batch {
    struct entry *entries;
    uint32_t entries_n, entries_cap;
    struct refusal *refusals;
    uint32_t refusals_n, refusals_cap;
    struct source_enrolled enrolled[BATCH_ENROLLED_MAX]; /* sources that an operator let in */
    uint32_t enrolled_n;
    struct event_corrected corrected[BATCH_CORRECTED_MAX]; /* refusals that were corrected */
    uint32_t corrected_n;
    uint32_t unkept_n; /* refusals answered beyond a source's measure of the day: only its last number is stored */
    struct buf bytes;
    struct journal_head before, after;
    int64_t own_n; /* last number of intake's own events, this batch included */
};

void journal_batch_release(struct batch *);
/* Empty, beginning where the journal stands; keeps its memory. */
void journal_batch_begin(struct batch *, const struct journal *);
bool journal_batch_is_empty(const struct batch *);
bool journal_batch_is_full(const struct batch *, uint32_t events_max);
struct extent journal_batch_keep(struct batch *, struct bytes);
struct bytes journal_batch_bytes(const struct batch *, struct extent);

/* What `rec` an event recorded now gets: intake's clock made monotone, or the stream's time. */
int64_t journal_rec(const struct journal *, int64_t now_us);
/* Stepped: the clock source moves time forward; never back. */
void journal_step(struct journal *, int64_t time_us);

/* Gives `event` its position, rec, priv digest, link and body, and puts it into the batch. event: type, v, key, region,
 * site, from, n, id, at, cause, by, data are set by the caller; at 0 is taken as rec, an `at` after rec is cut to it and flagged.
 * priv_map: the personal map or empty; salt is used when there is one. digest NULL: intake's own. Returns the position. */
uint64_t journal_append(struct journal *, struct batch *, struct event *event, int64_t source, int64_t rec_us,
                        struct bytes priv_map, const uint8_t salt[SALT_BYTES], const uint8_t *digest, struct bytes result);
/* The same for an event of intake's own (`from` intake, id intake/n). */
uint64_t journal_append_own(struct journal *, struct batch *, const char *type, uint32_t v, const char *key,
                            const char *region, const char *site, const struct record *, const void *data, uint64_t cause,
                            int64_t rec_us, struct buf *scratch);
void journal_refuse(struct batch *, int64_t source, int64_t n, int64_t rec_us, const uint8_t digest[DIGEST_BYTES],
                    const struct problem *, uint64_t repeat_of_pos, struct bytes result, struct bytes raw);

/* What stands beside the bodies and is no part of them is linked too: seal(n) is two halves of 16 bytes, of the digests and of the
 * results so far, each the beginning of SHA-256(the half before, this row's); where a row has none the half stays. */
#define SEAL_HALF (SEAL_BYTES / 2)
void seal_half_next(const uint8_t before[SEAL_HALF], struct bytes of, uint8_t out[SEAL_HALF]);
void seal_next(const uint8_t before[SEAL_BYTES], struct bytes digest, struct bytes result, uint8_t out[SEAL_BYTES]);

/* Source numbers of intake's own events. */
#define SOURCE_OWN 1
#define SOURCE_OWN_NAME "intake"

#endif
