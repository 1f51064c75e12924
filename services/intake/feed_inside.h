/* Inside of the feed thread: feed.c (life and loop), readers.c (sessions of readers), turns.c (whose turn it is), replay.c (what
 * one is sent next), ask.c (questions). */
#ifndef AFTERCARE_INTAKE_FEED_INSIDE_H
#define AFTERCARE_INTAKE_FEED_INSIDE_H

#include "bus/socket.h"
#include "callers.h"
#include "fair.h"
#include "feed.h"
#include "filter.h"
#include "pages.h"
#include "pg/pg.h"
#include "ring.h"
#include "slip.h"
#include <pthread.h>

#define READERS_MAX 2048
#define READERS_PER_PRINCIPAL 1024
/* What readers have been sent and have not given back as credit lies in our memory: together at most this, but each may have the
 * least. A reader may have its share, and no more than a part of what is left: who comes later finds some, however many before him do not
 * read (a shared buffer's dynamic threshold: Choudhury and Hahne, 1998). */
#define UNREAD_BYTES_MAX (64 * 1024 * 1024)
#define UNREAD_PART 4
#define UNREAD_BYTES_LEAST (32 * 1024)
/* What is done for readers before anybody else is looked after: so much is sent and looked at, and so many queries asked for those that are far
 * behind. Workers apart. */
#define TURN_BYTES (1024 * 1024)
#define REPLAYS_PER_TURN 4
/* Where all of them wait they are sent so much together before one of them is sent more: of many each is sent less at a time. */
#define ROUND_BYTES (16 * 1024 * 1024)
#define HELPING_LEAST (32 * 1024)
#define WINDOW_HELPINGS 4 /* a credit's parts, so that some are on their way while one is taken in */
#define GETTERS_MAX 64
#define GETTERS_PER_PRINCIPAL 16
#define GETTER_SILENT_US (20 * SECOND_US) /* longer than one that takes nothing is left connected: nothing of it lies in our memory */
#define QUESTIONS_PER_PEER 32
#define QUESTIONS_MAX 256
#define BATCH_MAP_BYTES (240 * 1024)
#define EVENTS_PER_BATCH 4096
/* What one query brings: rows between these, as many as its reader has room for, and bytes, of which each row has the same share. Fewer rows
 * would not be worth a query; so few have room in any case. */
#define QUERY_ROWS_LEAST 16
#define QUERY_ROWS_MAX 1024
#define QUERY_BYTES_MAX (2 * 1024 * 1024)
#define ROW_BYTES_GUESS 512
#define RING_BYTES (24 * 1024 * 1024)
#define PAGES_BYTES (16 * 1024 * 1024)

struct reader_session {
    struct fair_place place; /* among those who wait */
    struct bus_peer peer;
    struct verb_open open;
    char principal[64];
    uint64_t pos;  /* looked at up to */
    uint64_t sent; /* told up to; less than pos when nothing matched since */
    uint8_t link[LINK_BYTES]; /* at pos */
    int64_t credit;
    int64_t unread; /* bytes sent and not given back */
    int64_t owed;   /* of these, sent since it opened: what came before may never be given back */
    int64_t heard_us;
    size_t row_bytes; /* what a row of the last query that was its own gave it to be sent; 0: none yet */
    bool caught_up; /* CAUGHT_UP is said */
    bool worker;
    bool whole; /* it was told that every position comes */
    bool full;  /* its pipe took nothing: not tried before the next tick, or before it gives something back */
    bool pressed; /* it has waited for room at a tick, and given nothing back since: it is sent what little there is room for, or it would take
                     the silence for a break, having credit left */
    bool gone;
};

struct served {
    char worker[48];
    struct bus_peer peer;
};
/* A peer that was sent a piece of a file: it hands in the receipt when it asks for the next one, and has no more than one in our memory
 * until then. */
struct getter {
    struct bus_peer peer;
    char who[64];
    bool asked; /* the shelf has not answered yet */
    uint8_t receipt[RECEIPT_BYTES];
    uint8_t sha256[32]; /* whose reading is on record, … */
    char ticket[65];    /* … of this ticket */
    int64_t since_us;
};
/* A question under way. */
struct asked {
    int64_t id; /* as the worker sees it */
    struct bus_peer asker;
    struct verb_ask ask; /* args copied */
    struct buf args;
    int64_t until_us;
    bool own; /* waits for our head to reach at_least */
};

struct feed {
    const struct doors *doors;
    struct metrics *metrics;
    pthread_t thread;
    struct bus_socket *router, *pair, *shelf;
    struct pg *pg;
    struct pg_args *args;
    bool connected;
    int64_t retry_us;
    struct tables *principals;
    bool principals_stale;
    bool local; /* bound in the socket folder too */
    struct ring ring;
    struct pages pages;
    size_t row_bytes; /* of the last page, on average; 0: none yet */
    uint32_t rows_most; /* of the next one */
    bool erasing; /* rows read from the database may be erased there next: they are not kept */
    struct intake_state state; /* as of the newest block; head.pos 0: nothing heard yet */
    struct reader_session *readers[READERS_MAX];
    size_t readers_n;
    struct fair fair;
    struct fair_place *waiting[READERS_MAX]; /* of a turn */
    int64_t unread; /* of all readers but workers */
    size_t left; /* readers gone since memory was last given back; the last of them at left_us */
    int64_t left_us;
    int64_t probed_us; /* when readers were last asked whether they are there */
    unsigned replays_left; /* in this turn */
    struct callers callers;
    struct served served[PUBLISHED_WORKERS_MAX];
    size_t served_n;
    struct getter getters[GETTERS_MAX];
    size_t getters_n;
    struct asked *asked[QUESTIONS_MAX];
    size_t asked_n;
    int64_t asked_last;
    int64_t next_tick_us;
    struct arena *arena;
    struct buf out, rows, deliveries;
    struct bytes *slices;
    bool stopping;
    struct metric *sent, *readers_gauge, *replayed, *queries;
};

/* feed.c */
void feed_say(struct feed *, const struct bus_peer *, const char *verb, const struct record *, const void *data);
void feed_error(struct feed *, const struct bus_peer *, int64_t id, const char *code, const char *why);
bool feed_database(struct feed *); /* connected, or just now */
void feed_trouble(struct feed *, const char *doing);
/* The head heard last is still the journal's own: the lease has been confirmed in time. Otherwise nobody is told a head. */
bool feed_is_sure(const struct feed *);
/* The principal of a peer: whose key it came with; of one from this machine its consumer's name says it, and who has not opened
 * is the operator. */
const struct principal_row *feed_principal(struct feed *, const struct bus_peer *);
const struct principal_row *feed_principal_named(struct feed *, const char *consumer);
/* May this peer still speak? Asked with each message and each batch. False: id (whose key it was) and why. */
bool feed_lets(struct feed *, const struct bus_peer *, char id[64], const char **why);
void feed_deny(struct feed *, const struct bus_peer *, const char *id, const char *reason, const char *code, const char *why);

/* readers.c */
void reader_on_open(struct feed *, const struct bus_peer *, const struct frame *);
void reader_on_credit(struct feed *, const struct bus_peer *, const struct frame *);
void reader_on_close(struct feed *, const struct bus_peer *);
struct reader_session *reader_of(struct feed *, const struct bus_peer *);
/* So many bytes more (or fewer) were sent to it and not given back. */
void reader_owes(struct feed *, struct reader_session *, int64_t bytes);
/* Bytes it may be sent now, by its credit and its share of our memory. */
int64_t reader_allowance(const struct feed *, const struct reader_session *);
/* Bytes it is sent at a time: a fixed part of a round, so that whose batches travel together have the same size. */
int64_t reader_helping(const struct feed *, const struct reader_session *);
bool reader_has_room(const struct feed *, const struct reader_session *);
struct verb_head readers_head(const struct feed *);
void readers_tell_head(struct feed *);
void readers_sweep(struct feed *);

/* turns.c: batches for those who have credit and are behind, in the order of their turns. True: somebody may still be behind. */
bool readers_turn(struct feed *);

/* replay.c: the next batch of one reader. */
struct gather {
    struct feed *feed;
    struct reader_session *reader;
    const struct principal *principal;
    bool whole;    /* it sees everything */
    size_t budget; /* bytes; the first event has room in any case */
    uint32_t looked; /* positions looked at in memory … */
    uint32_t passed; /* … and not sent */
    int64_t cost;  /* of what was done for it, in bytes sent */
    uint32_t n;    /* gathered, in feed->slices and ->deliveries */
    uint64_t upto; /* looked at up to there */
    const uint8_t *link; /* at upto; NULL: nothing was looked at */
    uint8_t link_kept[LINK_BYTES];
};
/* Out of memory: the newest events, and pages that were read for others. False: there is room for more, and what comes next is not there, or
 * quicker found in the database. */
bool gather_memory(struct gather *);
/* Out of the database, by one query. False: trouble, or a hole in the journal; it has been said. */
bool gather_rows(struct gather *);
/* As a BATCH; the reader's credit and place follow when it was taken. */
enum status gather_send(struct gather *) MUST_CHECK;

/* ask.c */
void ask_on_ask(struct feed *, const struct bus_peer *, const struct frame *);
void ask_on_serve(struct feed *, const struct bus_peer *, const struct frame *);
void ask_on_answer(struct feed *, const struct bus_peer *, const struct frame *, bool error);
void ask_tick(struct feed *, int64_t now_us);
int64_t ask_deadline_us(const struct feed *);
void ask_release(struct feed *);
/* getting.c: files. */
void getter_on_get(struct feed *, const struct bus_peer *, const struct frame *);
void getters_answer(struct feed *); /* what the shelf has said */
void getters_release(struct feed *);
/* own.c: intake's own questions. */
void own_answer(struct feed *, const struct asked *);

#endif
