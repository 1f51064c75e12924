/* The core's own insides, shared by run.c, flight.c, timers.c and parking.c. */
#ifndef AFTERCARE_WORKER_RUN_INTERNAL_H
#define AFTERCARE_WORKER_RUN_INTERNAL_H

#include "worker/run_core.h"

#define CONCLUSIONS_PER_EVENT_MAX 64
#define TIMERS_PER_TRANSACTION_MAX 512
#define SWEPT_PER_TRANSACTION_MAX 512
#define PARKED_MAX 1000
#define CRASHED "it has brought the process down before"
/* The key of a timer that an operator has left out: its row stays, for it must not fire. No event has such a key. */
#define PARKED_LEFT_OUT "\t"

struct flight;

/* An event of the batch, decoded once. */
struct run_item {
    struct event event;
    uint8_t link[LINK_BYTES];
    const struct handler *builtin, *handler; /* NULL: nothing to do */
    void *builtin_data, *data;
    bool broken; /* its data could not be read */
    char why[160];
};

/* Texts that are taken in the order in which they were added. */
struct run_texts {
    struct buf bytes;
    size_t at;
};

enum sweep_phase { SWEEP_REST, SWEEP_VALUES, SWEEP_KEYS };

struct run_sweep {
    const struct sweep *def;
    enum sweep_phase phase;  /* of the pass at hand */
    bool again;              /* another pass is wanted */
    bool drew;               /* this pass has concluded something */
    struct run_texts values; /* of this pass: those that are behind, from the one at hand */
    size_t key_at;           /* in the page of keys at hand */
    struct run_texts left;   /* keys of rows that events have left behind */
    bool began;              /* in this transaction */
    char waits[EVENT_ID_CAP]; /* slot of the last conclusion */
};

struct run {
    const struct worker *worker;
    struct tables *tables;
    const struct table_def **defs;
    size_t defs_n;
    unsigned parked_table;
    const struct handler **handlers; /* sorted by type; the runtime's own included */
    size_t handlers_n;

    struct run_state state;
    unsigned crash_times; /* that it did so in spite of what was left out */
    uint64_t crash_pos; /* an event that has brought the process down, 0: none */
    char crash_timer[RUN_TIMER_CAP]; /* a timer, or a row's sweep, that has done so; "": none */
    struct flight *timers_aside;     /* of these, what was set aside by what is not read back yet */
    bool held;                       /* neither fire by themselves */
    uint64_t upto;    /* events up to here are applied only */
    bool timers_left; /* due, but this transaction is full */
    bool fire;        /* timers are to be looked at before the next event */
    size_t timers_fired;
    int64_t fired_due_us[TIMERS_PER_TRANSACTION_MAX]; /* when they were due */
    struct run_sweep *sweeps; /* as many as the worker has */
    size_t looked_at, swept, sweep_most; /* rows in this transaction, of all sweeps; those it concluded about */

    struct arena *batch;
    struct run_item *items;
    size_t items_n, items_cap, items_done;

    struct flight *flight;      /* slots concluded and not read back */
    struct parked_known *parked_known; /* what the journal says was parked */
    struct flight *aside;        /* own conclusions that are read back and wait in a parked row */
    struct buf drafts;
    struct run_conclusion *conclusions;
    size_t conclusions_n, conclusions_cap;

    /* the event or timer at hand */
    uint64_t cause;
    int64_t at_us; /* its rec */
    bool dry; /* collecting misses: nothing is concluded */
    size_t drawn_from; /* conclusions[] index where the event's own begin */
    struct buf slots;  /* of this event's conclusions, to be undone */
    struct buf scratch;
    char trouble[200];
    char error[256];
};

/* --- flight.c: a set of texts */
struct flight *flight_new(void);
void flight_destroy(struct flight **);
void flight_clear(struct flight *);
bool flight_has(const struct flight *, const char *slot);
bool flight_add(struct flight *, const char *slot); /* false: it was there */
bool flight_remove(struct flight *, const char *slot);
size_t flight_count(const struct flight *);

/* --- run.c */
enum step { STEP_DONE, STEP_MISS, STEP_TROUBLE };
/* Applies and decides one event; what it did is undone unless STEP_DONE. */
enum step run_step(struct run *, const struct run_item *, bool decide);
/* A conclusion of our own is read back: it is no longer in flight. */
bool run_land(struct run *, const struct run_item *);
void run_decode(struct run *, struct run_item *);
void run_begin(struct run *, uint64_t cause, int64_t at_us);
void run_undo_drawn(struct run *);
bool run_stop(struct run *, const char *format, ...) PRINTF_LIKE(2, 3);

/* --- timers.c */
void timers_check(const struct run *);
enum step run_fire(struct run *);
/* TABLE.INDEX */
void timer_kind(const struct run *, const struct timer *, char out[EVENT_TIMER_CAP]);
const char *timer_row_key(const struct run *, const struct timer *, const void *row);
/* What was set aside is tried, now: where the row is still due as it was. */
enum step timer_again(struct run *, const struct event_parked *);

/* --- sweeps.c */
void sweeps_new(struct run *);
void sweeps_release(struct run *);
void sweeps_start(struct run *);
void sweeps_on_event(struct run *, const char *type);
/* Before the tables forget what has changed. */
void sweeps_on_commit(struct run *);
/* Sees to rows until the transaction is full. */
enum step run_sweep(struct run *);
/* TABLE.COLUMN; what a row follows. */
void sweep_kind(const struct run *, const struct sweep *, char out[EVENT_TIMER_CAP]);
const char *sweep_value(const struct run *, const struct sweep *, const void *row);
/* What was set aside is tried, now: where the row is still behind and follows what it did. */
enum step sweep_again(struct run *, const struct event_parked *);

/* --- parking.c */
extern const struct table_def parked_table_def;
/* True: the event is held back behind a parked one of its key (or is known to be parked); *step tells how that went. */
bool parking_holds(struct run *, const struct run_item *, enum step *);
/* As far as can be told before its turn: its handler must not be asked. `aside`: keys of which an earlier event of the same look ahead
 * must not be either; what comes behind it may be as bad. */
bool parking_will_hold(const struct run *, const struct run_item *, struct flight *aside);
/* Parks an event that cannot be handled, and says so. */
enum step parking_park(struct run *, const struct run_item *, const char *reason, bool decide);
/* event.released and event.dropped: what waited is handled now. */
enum step parking_on_event(struct run *, const struct run_item *, bool decide);
/* Tables are loaded: what waits in them is known. */
void parking_start(struct run *);
/* An event.parked of our own, read ahead. */
void parking_expect(struct run *, const struct event *, const void *data);
void parking_forget(struct run *);
bool parking_is_empty(const struct run *);
/* The open rows of a key in order, with the body each keeps; NULL: there is none (any more). */
const void *parking_first(const struct run *, const char *key, struct bytes *body);
const void *parking_next(const struct run *, const void *row, const char *key, struct bytes *body);

/* --- parked_timers.c */
/* Is that body an event.parked of our own about a timer or a sweep? */
bool parked_timer_read(const struct run *, struct bytes body, struct event *, struct event_parked *);
/* True: it does not fire, is not swept, since it is set aside, or left out, or is set aside now. */
bool parking_stops_timer(struct run *, const struct timer *, const void *row, int64_t due_us);
bool parking_stops_sweep(struct run *, const struct sweep *, const void *row);
/* An event.parked about one is in flight; it is read back. */
void parked_timer_expect(struct run *, const struct event_parked *);
void parked_timer_landed(struct run *, const struct event_parked *);
void timer_name(const struct run *, const struct timer *, const void *row, int64_t due_us, char out[RUN_TIMER_CAP]);
void sweep_name(const struct run *, const struct sweep *, const void *row, char out[RUN_TIMER_CAP]);

#endif
