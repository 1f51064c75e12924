/* The reader's state and its delivering half: what has come goes out in order, verified. Internal to the reader. */
#ifndef AFTERCARE_BUS_DELIVERY_H
#define AFTERCARE_BUS_DELIVERY_H

#include "bus/backlog.h"
#include "bus/batch.h"
#include "bus/reader.h"

enum phase {
    PHASE_IDLE,    /* OPEN is due */
    PHASE_OPENING, /* OPEN is said, OPENED is not heard */
    PHASE_REPLAY,  /* towards the head */
    PHASE_FOLLOW,  /* at the head, by feed */
    PHASE_LIVE,    /* at the head, by live */
    PHASE_DONE,    /* at the head, and that was all */
    PHASE_FAILED
};

struct reader {
    struct reader_config config;
    struct reader_listener listener;
    void *owner;
    enum phase phase;
    bool feed_up, paused, filtered, delivering;
    bool whole;          /* as OPENED said: every position comes */
    uint64_t position;   /* delivered up to */
    uint64_t received;   /* the same, with what is kept of feed */
    uint64_t last_event; /* position of the event delivered last */
    uint64_t applied;
    int64_t epoch; /* of the newest head; OPENED says it anew */
    uint64_t head;
    char stream[64]; /* as OPENED said */
    uint8_t link[LINK_BYTES], received_link[LINK_BYTES]; /* at position, at received; all zero: not known */
    struct reader_item *items; /* of the batch that came last */
    size_t items_cap;
    struct reader_batch *kept, *kept_tail;
    bool caught_up; /* CAUGHT_UP has come; what is kept goes first */
    struct reader_debts debts;
    size_t debt_bytes;   /* in debts */
    size_t credit_bytes; /* to be given back */
    struct backlog backlog;
    bool head_pending, head_reached; /* the latter: nothing that one may see is missing up to it, whatever came last */
    struct verb_head pending;
    int64_t heard_us, patience_us;
    int64_t hold_us, pause_us; /* OPEN is not said before; what the next trouble adds to it */
    unsigned damages;          /* in turn, behind … */
    uint64_t damaged_at;
    int64_t hole_us, behind_us; /* 0: no */
    struct buf out;
};

extern const uint8_t reader_link_none[LINK_BYTES];
bool reader_link_is_said(const uint8_t link[LINK_BYTES]);
/* Tells the owner that it is over. */
void reader_fail(struct reader *, const char *code, const char *why);
/* The next thing is OPEN from what was delivered; what is kept of feed comes again. */
void reader_begin_replay(struct reader *);
/* The batch where the reader stands: NULL, and its items are its events; or what is wrong with it, a code (hole, link, priv, corrupt,
 * version). */
const char *reader_judge(struct reader *, struct reader_batch *);
/* The position of an event that can be read (its parts are skimmed here). */
bool reader_pos_of(struct bytes body, struct bytes priv, uint64_t *pos) MUST_CHECK;
/* A judged one: delivered, or kept while that cannot be. */
void reader_take_batch(struct reader *, struct reader_batch *);
/* Delivers all that is kept and can be; moves on to live or following at the head. */
void reader_drain(struct reader *);
/* A head was heard; it is told once everything up to it is delivered. reached: or kept, since nothing else comes up to it. False: it
 * is an earlier epoch's, of an intake that was taken over from and does not know it yet. */
bool reader_note_head(struct reader *, const struct verb_head *, bool reached);
void reader_tell_head(struct reader *);
/* A message of live, skimmed here. False: it cannot be read. */
bool reader_take_live(struct reader *, struct bytes body, struct bytes priv);
void reader_drop_kept(struct reader *);

#endif
