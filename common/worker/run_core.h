/* What a shell does with the core: feed it events and time, fetch what it misses, ship what it concludes, write what it
 * changed. One struct run is one worker's memory; everything is dropped and loaded again after a failed commit. */
#ifndef AFTERCARE_WORKER_RUN_CORE_H
#define AFTERCARE_WORKER_RUN_CORE_H

#include "event/stream.h"
#include "worker/run.h"

/* What is committed together with the rows. */
struct run_state {
    char stream[64];
    bool stepped;
    uint64_t pos;
    uint8_t link[LINK_BYTES];
    int64_t rec_us;     /* of the last event */
    int64_t checked_us; /* time is known to have come so far; stepped: the last time.reached */
    bool sweeping;      /* a sweep is not finished: not stored, but what brings the process down may lie ahead of it */
};

enum run_result {
    RUN_DONE,
    RUN_MISS, /* rows are missing: tables_misses() says which; fill them and call again */
    RUN_STOP  /* run_error() says why: the worker must not go on */
};

struct run *run_new(const struct worker *, size_t cache_rows);
void run_destroy(struct run **);
struct tables *run_tables(struct run *);
/* The worker's tables and behind them the runtime's. */
const struct table_def *const *run_table_defs(const struct run *, size_t *n);

/* Starts at a committed state, with open rows loaded. Events at or below `upto` are applied only. */
void run_start(struct run *, const struct run_state *, uint64_t upto);
/* The worker's own events behind max(state.pos, upto), handed in before any event is processed: they are in flight. */
enum run_result run_expect(struct run *, struct bytes body, struct bytes priv);

/* Takes one more event (copied). In order; the caller has checked positions and links. */
void run_add(struct run *, struct bytes body, struct bytes priv, const uint8_t link[LINK_BYTES]);
size_t run_batched(const struct run *);
/* For who holds a whole stream in memory (simulator): does an event of that type reach a handler, a sweep or the runtime? One
 * that does not may be left out: it would only move the position. */
bool run_handles(const struct run *, const char *type);
/* time.reached of a stepped stream was read, and no timer of this worker is due by then: instead of adding it. */
void run_pass(struct run *, int64_t time_us);
/* When the i-th event of the batch was recorded. */
int64_t run_batched_rec_us(const struct run *, size_t i);
/* Handles what was added, fires timers. Call again after RUN_MISS was served. */
enum run_result run_process(struct run *);
/* Everything up to the head has been processed and it was `now` there: timers fire. Call again after RUN_MISS. */
enum run_result run_head(struct run *, int64_t now_us);
/* Timers are due, or rows to be swept, that did not fit into this transaction: commit, then run_head again. */
bool run_timers_left(const struct run *);
/* Of these, timers. */
bool run_timers_due(const struct run *);
/* The earliest instant at which a timer that has not fired may be due: beyond what has been loaded, anything may. INT64_MAX: none. */
int64_t run_next_due_us(const struct run *);
/* When the timers that fired in this transaction were due. */
size_t run_fired(const struct run *, const int64_t **due_us);
/* Asks for rows of far tables that come due within the hour (tables_wanted), before they are needed. False: enough are there. */
bool run_look_ahead(struct run *, unsigned *table);
/* A sweep is not finished; it could go on at once. Rows it may conclude about in a transaction, at most 512: a shell's way to pace
 * it. */
bool run_sweeping(const struct run *);
bool run_sweep_ready(const struct run *);
void run_sweep_limit(struct run *, size_t rows);
size_t run_swept(const struct run *); /* of these, in the transaction at hand */

struct run_conclusion {
    uint64_t trigger; /* position of the event that led to it */
    size_t offset; /* of the draft in the core's buffer; `draft` is set by run_conclusions */
    struct bytes draft;
};
size_t run_conclusions(const struct run *, const struct run_conclusion **);
/* The highest position P such that every conclusion from events and timers at or below it is in this batch or earlier. */
uint64_t run_upto(const struct run *);
struct run_state run_state(const struct run *);
/* The batch is committed: forgets it. */
void run_committed(struct run *);

size_t run_flying(const struct run *);
size_t run_parked(const struct run *);
/* Parks the event at `pos` when it comes: it has brought the process down before. Where it releases others, fewer of them are
 * tried: half of them, and half as many for each of `times` that this was not few enough. */
void run_park_at(struct run *, uint64_t pos, unsigned times);
/* A timer by its name: TABLE.INDEX/DUE/ROW; the sweep of a row: TABLE.COLUMN~VALUE/ROW. */
#define RUN_TIMER_CAP 320
/* From here on no timer fires and no row is swept by itself; run_timers_left tells that there are some. */
void run_hold(struct run *, bool hold);
/* The timer that fires next, "": none is due. RUN_MISS as in run_process. */
enum run_result run_next_timer(struct run *, char name[RUN_TIMER_CAP]);
/* Fires that one. */
enum run_result run_fire_next(struct run *);
/* The same for the row that is swept next; none before the last timer that is due. */
enum run_result run_next_swept(struct run *, char name[RUN_TIMER_CAP]);
enum run_result run_sweep_next(struct run *);
/* Sets that timer, or that row's sweep, aside when it comes: it has brought the process down before. "": none. */
void run_park_timer(struct run *, const char *name);
const char *run_error(const struct run *);

#endif
