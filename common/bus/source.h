/* A source's side of cmd, without I/O: numbers, HELLO/WELCOME, what is sent and not answered, going back after NAK, BUSY and
 * silence. The owner keeps what must survive (a worker nothing, the CLI its file, a branch its spool). */
#ifndef AFTERCARE_BUS_SOURCE_H
#define AFTERCARE_BUS_SOURCE_H

#include "bus/verbs.h"

enum source_state { SOURCE_DOWN, SOURCE_GREETING, SOURCE_OPEN, SOURCE_DENIED };

struct source;

struct source_config {
    char stream[64];
    char name[EVENT_SOURCE_CAP];
    uint8_t incarnation[INCARNATION_BYTES];
    int64_t silence_us; /* what was said and has no answer for so long: connect anew (0: after three heartbeats) */
    int64_t greeting_us; /* the same of HELLO alone (0: as the others) */
    int64_t first, last; /* HELLO's: oldest unanswered, highest given out. A worker: −1, −1: goes on at durable + 1 */
};

/* What it tells its owner; any may be NULL. Called from source_in / source_tick. */
struct source_listener {
    void (*welcome)(void *owner, const struct verb_welcome *);
    /* In order of n, each exactly once after each WELCOME (stored answers included). */
    void (*answer)(void *owner, const struct answer *);
    void (*pong)(void *owner, const struct verb_pong *);
    void (*denied)(void *owner, const char *code, const char *why); /* final until source_connected again */
    void (*conflict)(void *owner, int64_t n);                        /* NAK conflict */
    void (*busy)(void *owner, int64_t retry_ms, const char *why);
};

struct source *source_new(const struct source_config *, const struct source_listener *, void *owner);
void source_destroy(struct source **);
enum source_state source_state(const struct source *);
/* A fresh connection (or a reconnected one): says HELLO. Unanswered messages are sent again after WELCOME as its
 * durable tells. */
void source_connected(struct source *, int64_t now_us);
void source_disconnected(struct source *);
/* Events as drafts, at most APPEND_EVENTS_MAX and APPEND_BYTES_MAX together; copied. Returns the number of the first. They go out
 * as the window allows, in one message where it is large enough. upto −1: none; time_us 0: none. */
int64_t source_append(struct source *, const struct bytes *drafts, size_t n, int64_t upto, int64_t time_us);
/* Numbers below n need not be given out: intake has them, as WELCOME said, and their answers come by themselves. For an owner that
 * keeps the facts, who would else read them only to have them dropped; one that is given out already stays so. */
void source_skip(struct source *, int64_t n);
/* Queues a PING behind what is queued. */
void source_ping(struct source *, const struct verb_ping *);
/* Events given out and not answered yet. */
size_t source_pending(const struct source *);
int64_t source_next_n(const struct source *);
/* Its last number in the journal, as WELCOME said; 0: of a new source, or not said yet. */
int64_t source_durable(const struct source *);
/* Frames to send now, in order; false: none. The frame's map is valid until the next call. */
bool source_out(struct source *, int64_t now_us, struct frame *);
/* A frame from intake (skimmed here). False: malformed; the connection should be made anew. */
bool source_in(struct source *, const struct frame *, int64_t now_us) MUST_CHECK;
/* When something is due (heartbeat, retry), and doing it. INT64_MAX: nothing. True from tick: the peer is silent,
 * make the connection anew. */
int64_t source_deadline_us(const struct source *);
bool source_tick(struct source *, int64_t now_us);

#endif
