/* Inside of the network thread: begin.c (until it serves, and after trouble), server.c (loop, each second), sessions.c (who appends), flights.c (batches under way). */
#ifndef AFTERCARE_INTAKE_SERVER_INSIDE_H
#define AFTERCARE_INTAKE_SERVER_INSIDE_H

#include "bus/socket.h"
#include "callers.h"
#include "published.h"
#include "server.h"
#include "slip.h"
#include "store.h"
#include "take.h"

#define SESSIONS_MAX 1024
#define SESSIONS_PER_PRINCIPAL 512
#define SOURCES_MAX (2 * SESSIONS_MAX)
#define SESSION_SILENCE_US (90 * SECOND_US)
#define FRAMES_PER_TURN 256
#define QUEUE_BYTES_MAX (4 * 1024 * 1024)
#define SESSION_QUEUE_BYTES_MAX (QUEUE_BYTES_MAX / 4) /* of these, one session's: what WELCOME allows a worker, and its frames */
#define HEARTBEAT_MS 5000
#define STORED_ANSWERS_CHUNK 1000
#define PUTS_MAX 32 /* pieces of files on their way to the shelf, 128 KiB each */
#define PUTS_PER_PRINCIPAL 4

/* A router peer that said HELLO. */
struct session {
    uint64_t id;
    struct bus_peer peer;
    struct source_row *source;
    bool ended;    /* a newer session of the source began: what this one sends is not answered */
    bool skipping; /* after NAK or BUSY: until the number expected comes */
    int64_t heard_us;
    size_t queued_bytes; /* of its frames */
    bool pong_owed; /* and no ACK behind it */
    int64_t stored_next, stored_upto; /* stored answers still to be sent */
};

/* A refusal to let somebody in that was journaled within the hour: of a principal, or of an address that none is known of. These
 * have half the places: many addresses do not crowd out what a principal does. */
#define DENIALS_MAX 64
struct denial {
    char principal[64], address[64], code[40];
    int64_t hour;
    int64_t count; /* since the last time it was journaled */
};

/* A reading of personal data that is on record for this hour. */
#define READS_MAX 4096
struct read_place {
    uint64_t name; /* of principal and customer */
    int64_t hour;
};

enum item_kind { ITEM_HELLO, ITEM_APPEND, ITEM_PING, ITEM_FILE };
/* The map of an ITEM_FILE: a PUT goes to the shelf at once; what waits here is the shelf's word that a file is whole. */
struct stored_file {
    char ticket[65];
    struct file_stored data;
};
/* A frame that waits for its turn. */
struct item {
    enum item_kind kind;
    uint64_t session; /* HELLO: 0 */
    struct bus_peer peer;
    struct bytes map;   /* owned */
    uint32_t taken;     /* APPEND: events taken so far */
    struct verb_append append; /* APPEND: the map, once it is read */
    struct bytes *events;      /* owned; NULL: not read yet */
    struct item *next;
};

struct reply {
    uint64_t session;
    bool pong;            /* otherwise ACK of these answers */
    uint32_t first, n;
};

/* A batch with the replies that its commit sets free. */
struct flight {
    struct batch batch;
    struct buf answer_bytes;
    int64_t launched_us; /* boot time */
    struct extent *answers;
    uint32_t answers_n, answers_cap;
    struct reply *replies;
    uint32_t replies_n, replies_cap;
};

struct server {
    const struct server_config *config;
    struct store store;
    struct taker taker;
    struct bus_socket *cmd, *live, *pair, *shelf;
    struct loop *loop;

    struct session **sessions;
    size_t sessions_n;
    int64_t probed_us; /* boot time when sources were last asked whether they are there */
    uint64_t session_last;
    struct source_row **sources;
    size_t sources_n, sources_cap;

    struct callers callers;
    struct item *queue, **queue_end;
    size_t queue_bytes;
    struct flight flights[2];
    struct flight *building, *flying; /* flying: NULL while no commit is under way */
    int flying_fd; /* of the database's socket, watched while a commit is under way */
    bool flight_landed;
    bool needs_idle; /* the queue's first item waits for the database to be free */
    bool lost;       /* the database has to be asked: what is in memory may be wrong */
    bool dead;       /* the head is another's */
    bool stopping;   /* told to, before it served */
    int64_t wait_us; /* before the database is asked next; 0 once it has taken a commit */

    struct journal_head durable;
    int64_t announced_us; /* the `now` last told */
    int64_t next_tick_us;
    int64_t renewed_us; /* boot time; the lease runs from there, or from a little later */
    int64_t clock_gap_us; /* wall − boot, as accepted at the start */
    char clock_ahead[160]; /* what health says while the stream's time is ahead of the clock; "": it is not */
    struct metric *ahead;
    bool clock_parted;
    uint64_t settle_session;
    int64_t settle_until_us;

    bool cmd_watched, doors_watched;
    bool keys_stale;  /* the door knows other principals than there are */
    bool live_shut, live_reopen; /* who reads live must pass the door again */
    char putting[PUTS_MAX][64]; /* whose they are */
    size_t putting_n;
    struct denial denials[DENIALS_MAX];
    struct read_place reads[READS_MAX];
    size_t denials_n;

    uint8_t salts[256][SALT_BYTES]; /* drawn together: one call to the kernel for many events */
    size_t salts_left;
    struct arena *arena;
    struct buf out;
    struct metric *events, *refused, *unkept, *commits, *batch_events, *head, *sessions_gauge, *malformed, *passed_over, *reconnects, *fetches, *writer;
};

/* server.c */
bool server_is_idle(const struct server *); /* nothing in flight, nothing gathered */
int64_t server_wall_us(const struct server *); /* the time to record by: of the clock as it was accepted */
/* At the start, by the stream's last time: false: the clock has run on for weeks since, and nobody said that this is right (logged). */
bool clock_accept(struct server *) MUST_CHECK;
/* Each second: what health says, and the log when it begins or ends. */
void clock_watch(struct server *);
int64_t server_now_us(struct server *);     /* `now` for heads and PONGs: nothing later recorded will be before it */
void server_state(struct server *, struct intake_state *);
void server_say(struct server *, const struct bus_peer *, const char *verb, const struct record *, const void *data);
void server_say_error(struct server *, const struct bus_peer *, const char *code, const char *why);
void server_lost(struct server *, const char *doing, enum status);
void server_watch_doors(struct server *, bool watch);
void server_watch_cmd(struct server *, bool watch);
/* Tells the door who may come in, where that has changed. */
void server_tell_keys(struct server *);
/* Within the lease nobody else writes, and the head in memory is the journal's. One that stood still for longer asks before it
 * says anything. False: it could not be asked, or is another's (server_lost has been told). */
bool server_is_sure(struct server *);

void server_on_cmd(void *server); /* cmd has something to read */

/* begin.c */
/* The barrier after trouble: nobody is answered from memory; everybody says HELLO again. False: told to stop, or it cannot go on
 * (server->dead). */
bool server_recover(struct server *);
/* Our statement or what is stored is wrong; anything else (resources, shut-down, start-up) passes. */
bool server_refused_for_good(const struct server *, enum status);

/* sessions.c */
struct session *session_find(struct server *, const struct bus_peer *);
struct session *session_of(struct server *, uint64_t id);
void session_end(struct server *, struct session *);
/* With each message: may this peer still speak, as whoever it is? NULL: yes; otherwise who is told, and it is on record. */
const char *peer_refused(struct server *, const struct bus_peer *, const struct session *);
void session_deny(struct server *, const struct bus_peer *, struct session *, const char *why);
void sessions_clear(struct server *);
void sessions_sweep(struct server *, int64_t boot_us);
void session_on_hello(struct server *, const struct item *);
void session_on_ping(struct server *, struct session *, const struct item *);
/* Sends stored answers of sessions that wait for them; the database is free. */
void sessions_send_stored(struct server *);
bool sessions_have_stored(const struct server *);
void sessions_settle(struct server *, int64_t boot_us);
void sessions_load_workers(struct server *);
/* May it move the time of this (stepped) stream? */
bool source_is_clock(const struct server *, const char *name);

/* denials.c */
/* One access.denied per principal or address, reason and hour. */
void denial_journal(struct server *, const char *principal, const char *address, const char *code, int64_t count);

/* putting.c: files */
void server_open_shelf(struct server *);
void server_close_shelf(struct server *);
void session_on_put(struct server *, const struct session *, const struct frame *);
/* file.stored into the batch that gathers. False: it has no room, or rows that are missing could not be fetched. */
bool server_say_stored(struct server *, const struct item *);
uint32_t server_touch_stored(struct server *, const struct item *); /* looks up the rows that it will need; how many events it is */

/* flights.c */
bool server_fetch_rows(struct server *); /* what is missed, and what the next of the queue will miss; false: lost */
void flight_reset(struct flight *, const struct journal *);
void flight_release(struct flight *);
void flight_reply(struct flight *, uint64_t session, bool pong, uint32_t first, uint32_t n);
/* Takes what is queued into the batch that gathers, as far as that can go now. */
void server_build(struct server *);
void server_launch(struct server *); /* sends the gathered batch, if there is one and no other is under way */
void server_drop_queue(struct server *);
/* Sources whose rows differ from what is stored, in the turn's memory; they count as stored from here on. */
size_t sources_dirty(struct server *, struct source_row ***dirty);
void server_poll(struct server *);   /* has the commit come back? then acknowledges and publishes */
void server_finish(struct server *, int64_t until_us); /* the same, waited for until boot time until_us */

#endif
