/* The frames of the wire protocol: [verb][one msgpack map]. proto/README.md is the authority; each map is a record. */
#ifndef AFTERCARE_BUS_VERBS_H
#define AFTERCARE_BUS_VERBS_H

#include "event/event.h"
#include "record/record.h"

#define PROTO_VERSION 1
#define FRAME_BYTES_MAX (1024 * 1024)
#define APPEND_BYTES_MAX (256 * 1024)
#define APPEND_EVENTS_MAX 256
#define INCARNATION_BYTES 16
#define PART_BYTES_MAX (128 * 1024) /* of a file, in one PUT or PART */
#define PART_BYTES_LEAST 4096       /* in one PUT, but for a file's last piece: rows are not to be made by the byte (GET may ask for less) */
#define RECEIPT_BYTES 8

/* A frame in memory: the map borrows. */
struct frame {
    char verb[24];
    struct bytes map;
};

/* cmd, from the source */
struct verb_hello {
    int64_t proto[2]; /* lowest, highest */
    uint32_t proto_n;
    char stream[64];
    char source[EVENT_SOURCE_CAP];
    uint8_t incarnation[INCARNATION_BYTES];
    int64_t first, last;
};
struct verb_append {
    int64_t n;
    struct slice events; /* struct bytes: raw drafts (event.h) */
    int64_t upto;        /* −1: not said */
    int64_t time_us;     /* clock source only */
};
struct verb_ping {
    int64_t upto; /* −1 */
    int64_t checked_us; /* worker: checked_until, for `status` */
    int64_t applied;    /* worker: committed cursor, for `status` */
    bool settle;
};
/* Bytes of a file that an event has named. Without bytes: how far is it? */
struct verb_put {
    uint8_t sha256[32];
    int64_t offset;
    struct bytes bytes;
};
/* cmd, from intake */
struct verb_welcome {
    int64_t epoch, head, durable, upto;
    int64_t window_events, window_bytes; /* on the wire: window: {events, bytes} */
    int64_t hb_ms;
};
struct verb_denied {
    char code[40];
    char why[160];
};
struct verb_moved {
    char endpoints[4][128];
    uint32_t endpoints_n;
};
struct verb_ack {
    struct slice answers; /* struct bytes: raw [n, pos, result|nil] or [n, code, field, args]; read with answer_decode */
};
struct verb_busy {
    int64_t retry_ms;
    char why[96];
};
struct verb_nak {
    int64_t n;
    char code[24]; /* gap, conflict */
    int64_t expected;
};
struct verb_pong {
    int64_t head;
    int64_t now_us;
    int64_t upto; /* settle: the workers' lowest upto, −1 not asked */
};
/* The answer to PUT. code "": kept up to there. */
struct verb_have {
    uint8_t sha256[32];
    int64_t upto;
    bool whole; /* and its digest is true */
    char code[40];
    char why[160];
};
/* feed, from the reader */
struct verb_open {
    char stream[64];
    char consumer[EVENT_SOURCE_CAP];
    int64_t after;
    uint8_t link[LINK_BYTES]; /* all zero: not known */
    char types[32][EVENT_TYPE_CAP];
    uint32_t types_n;
    char regions[16][EVENT_REGION_CAP];
    uint32_t regions_n;
    char sites[16][EVENT_SITE_CAP];
    uint32_t sites_n;
    char keys[16][EVENT_KEY_CAP];
    uint32_t keys_n;
    bool follow;
    int64_t credit;
};
/* Narrows it to lists of texts, each ended by NULL (NULL: no such filter). False: too many of one kind, or one that is too long. */
bool verb_open_narrow(struct verb_open *, const char *const *types, const char *const *regions, const char *const *sites,
                      const char *const *keys) MUST_CHECK;
struct verb_credit {
    int64_t bytes, applied;
};
struct verb_ask {
    int64_t id;
    char to[48], question[48];
    struct bytes args; /* raw map */
    int64_t limit;     /* 0: 100 */
    char after[200];
    int64_t at_least;
};
struct verb_serve {
    char worker[48];
};
struct verb_get {
    uint8_t sha256[32];
    int64_t offset;
    uint8_t receipt[RECEIPT_BYTES]; /* of the last PART on this connection; all zero: there was none */
    int64_t bytes;                  /* at most so many, 1 to PART_BYTES_MAX */
};
/* feed, from intake */
/* The answer to GET. code "": these bytes. */
struct verb_part {
    uint8_t sha256[32];
    int64_t offset;
    struct bytes bytes;
    int64_t size; /* of the whole file */
    uint8_t receipt[RECEIPT_BYTES];
    char code[40];
    char why[160];
};
struct verb_opened {
    int64_t epoch, head, first;
    bool whole;
    char stream[64];
};
struct verb_fork {
    int64_t pos;
};
struct verb_ahead {
    int64_t head;
};
struct verb_batch {
    int64_t after, upto;
    uint8_t link[LINK_BYTES];
    struct slice events; /* struct bytes: raw [body bin, priv bin|nil]; read with delivery_decode */
};
struct verb_head { /* CAUGHT_UP, HEAD and live's ~head */
    int64_t epoch, head;
    uint8_t link[LINK_BYTES];
    int64_t now_us;
};
struct verb_answer {
    int64_t id;
    struct slice rows; /* struct bytes: raw maps */
    int64_t as_of;
    bool more;
    char after[200]; /* hand in again for the next page */
};
struct verb_error {
    int64_t id; /* of the ASK, 0: of the frame */
    char code[40];
    char why[160];
};
extern const struct record verb_hello_record, verb_append_record, verb_ping_record, verb_welcome_record,
    verb_denied_record, verb_moved_record, verb_ack_record, verb_busy_record, verb_nak_record, verb_pong_record,
    verb_open_record, verb_credit_record, verb_ask_record, verb_serve_record, verb_opened_record,
    verb_fork_record, verb_ahead_record, verb_batch_record, verb_head_record, verb_answer_record, verb_error_record,
    verb_put_record, verb_have_record, verb_get_record, verb_part_record;

/* One element of ACK.answers. */
struct answer {
    int64_t n;
    bool taken;
    int64_t pos;          /* taken; 0 (nil on the wire): by a branch, which has no position for it yet */
    struct bytes result;  /* taken: raw map or empty */
    struct problem problem; /* refused: code, field, args */
};
void answer_encode(const struct answer *, struct buf *);
bool answer_decode(struct bytes, struct answer *) MUST_CHECK;
/* One element of BATCH.events. */
void delivery_encode(struct bytes body, struct bytes priv, struct buf *);
bool delivery_decode(struct bytes, struct bytes *body, struct bytes *priv) MUST_CHECK;
/* Which record a verb's map is; NULL: unknown verb. */
const struct record *verb_record(const char *verb);

#endif
