/* A consumer's side of feed and live, without I/O: replay by credit, hand-over to live, back to replay on any hole. A batch is judged
 * whole (holes, links, personal parts, versions) before any of it is delivered; holes and links where the feed says that it sends
 * every position (OPENED `whole`). */
#ifndef AFTERCARE_BUS_READER_H
#define AFTERCARE_BUS_READER_H

#include "bus/verbs.h"

struct reader;

struct reader_config {
    struct verb_open open;  /* stream, consumer, after, link, filters, follow; credit = what may be outstanding, bytes (default 1 MiB) */
    bool live;              /* a worker: frames of live are handed in too; filters must be empty */
    size_t live_buffer_bytes; /* bound of what is kept of live while replaying, default 8 MiB; the oldest is dropped */
    bool verify;            /* the owner has to have every position: a feed that will not send all is refused (denied.rights) */
    unsigned tries;         /* what is damaged so often in turn behind the same position is no fault of the line's: final (0: 3) */
    /* "ticket.registered/1" …, ended by NULL, the owner's: a newer version of these is final (version). NULL: none. Not with live. */
    const char *const *needs;
};

struct reader_listener {
    /* In order, each position once. Bytes are valid during the call (without live and pauses: as long as the frame is) and have passed
     * skim(). link is all zero where it is not known: who does not see every position, or came without one. */
    void (*event)(void *owner, uint64_t pos, struct bytes body, struct bytes priv, const uint8_t link[LINK_BYTES]);
    /* The reader has delivered everything up to head, and it was `now` then (0: not said). */
    void (*head)(void *owner, uint64_t head, int64_t now_us);
    /* Final: fork, ahead, denied.CODE, version, and what is damaged: hole, link, priv, corrupt. */
    void (*failed)(void *owner, const char *code, const char *why);
};

struct reader *reader_new(const struct reader_config *, const struct reader_listener *, void *owner);
void reader_destroy(struct reader **);
void reader_connected(struct reader *, int64_t now_us); /* feed */
void reader_disconnected(struct reader *);
/* Frames for feed; as source_out. */
bool reader_out(struct reader *, int64_t now_us, struct frame *);
bool reader_in(struct reader *, const struct frame *, int64_t now_us) MUST_CHECK;
/* One live message: [type][body][priv], or ["~head"][map][]. */
void reader_live(struct reader *, struct bytes topic, struct bytes body, struct bytes priv, int64_t now_us);
/* The owner has committed up to here: credit is given back (for BATCHes whose events were all delivered) and CREDIT says `applied`. */
void reader_applied(struct reader *, uint64_t pos);
/* While paused nothing is delivered (frames are kept within the credit, live within its buffer). */
void reader_pause(struct reader *, bool paused);
/* Delivers what is kept; call after reader_pause(false). */
void reader_resume(struct reader *);
uint64_t reader_position(const struct reader *); /* delivered up to */
/* The cursor to go on from: what OPEN's after and link were. link all zero: not known there. */
void reader_cursor(const struct reader *, uint64_t *pos, uint8_t link[LINK_BYTES]);
const char *reader_stream(const struct reader *); /* its id, as OPENED has told; "": not yet */
uint64_t reader_head(const struct reader *);     /* the highest head heard of */
bool reader_is_spent(const struct reader *);     /* all credit waits for reader_applied(): nothing more comes */
bool reader_is_done(const struct reader *);      /* the head is reached, and neither follow nor live goes on: nothing more comes */
bool reader_is_live(const struct reader *);
int64_t reader_deadline_us(const struct reader *);
bool reader_tick(struct reader *, int64_t now_us); /* true: make the feed connection anew */

#endif
