/* The daemon around the core: sockets, PostgreSQL, clocks. */
#ifndef AFTERCARE_WORKER_SHELL_H
#define AFTERCARE_WORKER_SHELL_H

#include "bus/metrics.h"
#include "bus/reader.h"
#include "bus/socket.h"
#include "bus/source.h"
#include "settings/settings.h"
#include "worker/ask.h"
#include "worker/cursor.h"

/* A batch whose rows PostgreSQL has: it commits when intake has acknowledged its last conclusion. */
struct sent {
    bool under_way;
    int64_t answered_n; /* the source's number behind its last conclusion */
    uint64_t pos;
    int64_t *rec_us; /* of its events */
    size_t events_n, cap;
    size_t tried; /* events, timers and rows of sweeps */
};

/* A page of rows that come due next, on its way over a second connection; and how far sweeps have used their share. */
struct ahead {
    struct pg *pg; /* NULL: no far table has timers */
    unsigned table;
    bool under_way, readable;
    int fd;
    int64_t swept_us; /* boot time up to which the share is used */
};

struct shell {
    const struct worker *worker;
    const struct settings *settings;
    const struct settings_worker *own;
    struct pg *pg;
    struct run *run;
    struct loop *loop;
    struct bus_socket *cmd, *live, *feed;
    struct source *source;
    struct reader *reader;
    struct ask_board board;
    struct ask *ask;

    struct cursor cursor;        /* as loaded */
    uint64_t committed;          /* position */
    struct verb_welcome welcome; /* of this session */
    bool welcomed;
    bool loaded;                 /* once in the life of this process */
    bool broken;                 /* this session is over; `why` */
    bool fatal;                  /* and no other must follow */
    bool superseded;             /* because another process of this worker runs */
    uint8_t incarnation[INCARNATION_BYTES]; /* of this process */
    char why[256];
    int64_t backoff_us;

    size_t alone;                /* so many events, timers and rows of sweeps more get a transaction each: looking for what brought
                                    the process down */
    char trying[RUN_TIMER_CAP];  /* of these, the timer or row at hand; "": none */
    bool trying_row;
    char drew[RUN_TIMER_CAP];    /* of these, the timer or row that drew what intake has not answered yet; "": none, or an event did */
    bool refused;                /* intake refuses what was drawn */
    bool concluded;              /* the batch at hand is handled and shipped; its rows wait until the one sent has committed */
    int64_t concluded_us;        /* boot time when that began */
    struct sent sent;
    struct {
        char cmd[ENDPOINT_CAP], live[ENDPOINT_CAP], feed[ENDPOINT_CAP];
    } intake; /* the one that serves, of those in the settings */
    struct ahead ahead;
    int64_t batch_since_us;      /* boot time when the batch at hand began */
    int64_t kept_since_us;       /* while events are delivered that waited for the batch before: since when; 0: not */
    uint64_t head_pos;           /* the last head up to which everything was delivered */
    int64_t head_now_us;         /* what `now` was there */
    int64_t head_heard_us;       /* boot time when that was heard */
    int64_t head_used_us;        /* the `now` timers were last run with */
    int64_t shipped_upto, told_upto;
    int64_t told_us;             /* boot time of the last PING */
    bool stop;

    struct metrics *metrics;
    struct metric *timers, *timers_late_us, *fired_within[8]; /* timers by how late they were; wall streams */
    struct metric *applied_within[8]; /* events applied within so long of being recorded; wall streams */
    struct metric *events, *conclusions, *commits, *position, *head, *in_flight, *parked, *lag, *checked, *restarts;
};

/* session.c: from nothing to reading. False: `why` says what is missing; try again later (or never: fatal). */
bool session_open(struct shell *);
void session_close(struct shell *);
/* Which intake serves. False: none within seconds. */
bool session_find_intake(struct shell *);
bool session_learn_stream(struct shell *);
size_t session_open_rows(const struct shell *);
void session_break(struct shell *, const char *format, ...) PRINTF_LIKE(2, 3);
/* Reads and writes frames of cmd; true while the session lives. */
void session_flush(struct shell *);

/* Upper ends of applied_within, microseconds. */
extern const int64_t apply_bounds_us[8];

/* batch.c: handle what was read, ship, write, commit. Does the next of these that can be done; false: there is none now. */
bool batch_work(struct shell *, int64_t now_us);
/* When it will be, as far as is known now. */
int64_t batch_deadline_us(const struct shell *);
/* Tells intake how far this worker is, when that is due. */
void batch_tell(struct shell *, int64_t now_us);

/* ahead.c: rows before they come due, and the share of sweeps. */
enum status ahead_open(struct shell *) MUST_CHECK;
void ahead_close(struct shell *);
void ahead_turn(struct shell *);
/* Waits for the page that is under way. */
void ahead_take(struct shell *);
/* Around a batch: how many rows sweeps may see to in it; how many they did. */
void ahead_allow(struct shell *, int64_t now_us);
void ahead_count(struct shell *, int64_t now_us);
/* When sweeps may have a transaction of their own. */
int64_t ahead_sweep_us(const struct shell *);

/* rebuild.c: `--rebuild` and `--verify`. Exit codes. */
int rebuild_run(struct shell *);
int verify_run(struct shell *);

#endif
