/* Inside the guests: who is there, and what is to be said; what its two files share. */
#ifndef AFTERCARE_BRANCH_GUESTS_INSIDE_H
#define AFTERCARE_BRANCH_GUESTS_INSIDE_H

#include "guests.h"

#define SESSIONS_MAX 256
#define HEARTBEAT_MS 5000

struct session {
    struct bus_peer peer;
    struct spool_origin origin;
    bool dirty;    /* origin.last is not stored */
    bool skipping; /* after NAK or BUSY: until the number expected comes */
    bool busy;     /* something of it found no room in this turn */
    int64_t heard_us;
    int64_t stored_next, stored_upto; /* answers that were given before, still to be said */
    struct buf answers; /* of this turn; of earlier ones too, while stored ones go before them */
    uint32_t answers_n;
};

/* A HELLO waits for the end of the turn: it is judged by what holds. */
struct greeting {
    struct bus_peer peer;
    int64_t boot_us;
    struct verb_hello hello;
};

struct reply {
    struct bus_peer peer;
    char verb[24];
    size_t at, len; /* in bytes */
};

struct guests {
    struct spool *spool;
    struct taking *taking;
    struct session *sessions[SESSIONS_MAX];
    size_t sessions_n;
    struct greeting *greetings;
    size_t greetings_n;
    size_t taken, taken_bytes;
    bool failed; /* the transaction cannot go on */
    struct reply *replies;
    size_t replies_n, replies_cap, replied;
    struct buf bytes;
    struct arena *arena;
};

/* guests.c */
void guests_busy(struct guests *, const struct bus_peer *, const char *why);
void guests_denied(struct guests *, const struct bus_peer *, const char *code, const char *why);
/* The answers of `packed`, n of them, as ACKs that are not too long. */
void guests_answers(struct guests *, const struct bus_peer *, struct bytes packed, uint32_t n);
bool guests_same(const struct bus_peer *, const struct bus_peer *);
struct session *guests_session(struct guests *, const struct bus_peer *);
void guests_remove(struct guests *, size_t i);

/* greeting.c: lets in whom a HELLO that waited names, or says why not. Other than STATUS_OK: not now. */
enum status guests_greet(struct guests *, const struct greeting *, int64_t wall_us) MUST_CHECK;
/* Answers that were given before go before new ones. */
bool session_has_stored(const struct session *);
enum status session_say_stored(struct guests *, struct session *) MUST_CHECK;

#endif
