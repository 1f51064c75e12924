/* A whole company in one process: intake's journal and desk and all workers over memory, on stepped
 * time. No socket, no PostgreSQL, no clock, no randomness: the same calls give the same bytes of
 * events. Single-threaded; several simulators may run on several threads.
 *
 * Facts are queued with the instant at which they are told; advancing tells them in order of that
 * instant, then of queueing. `rec` of everything in a step is the step's end. After its facts every
 * worker reads to the head until nobody concludes anything; then time.reached, timers fire, and the
 * same again. */
#ifndef AFTERCARE_SIMULATOR_H
#define AFTERCARE_SIMULATOR_H

#include "calendar/calendar.h"
#include "event/event.h"
#include "policy/policy.h"
#include "table/table.h"

struct simulator;
struct node;

struct simulator_config {
    int64_t start_us; /* where the stream's time begins */
    /* 0: exact. A step ends at every instant at which a fact is told or a timer is due, and each
     * fact is answered before the next one is told. > 0: steps end at multiples of it, as an import
     * of history makes them. */
    int64_t step_us;
    const char *stream;       /* NAME-8HEX; NULL: "simulated-00000000" */
    const char *clock_source; /* the principal that tells facts and moves time; NULL: "import" */
    size_t cache_rows;        /* closed rows in a worker's memory; 0: all of them */
    bool durable;             /* what a worker commits is kept, so that node.h can crash it */
    /* Called after each fact with how many have been told so far; may be NULL. */
    void (*told)(void *owner, size_t facts);
    void *owner;
};

/* Position 1, the principals: the clock source, an operator, the workers. */
struct simulator *simulator_new(const struct simulator_config *);
void simulator_destroy(struct simulator **);
/* Why advancing or publishing went wrong: a worker stopped, a conclusion was refused, the workers
 * do not come to rest.
 * "": nothing has. */
const char *simulator_error(const struct simulator *);

/* Intake or one of its workers: what such a source says is a conclusion. */
bool simulator_is_author(const char *source);

/* --- rules ---------------------------------------------------------------------------------------
 * In force from now on: a policy's file and the calendars it names, CALENDARS/NAME.yaml (NULL:
 * ../calendars beside the policy). False: the problems, and in `where` the file they are in. */
bool simulator_publish_file(struct simulator *, const char *policy_path, const char *calendars,
                            char *where, size_t where_cap, struct problems *) MUST_CHECK;

/* --- facts -------------------------------------------------------------------------------------
 */
struct simulator_fact {
    int64_t told_us;         /* when it reaches the centre; before now: now */
    const char *type, *key;  /* key "" or NULL: a registration that wants a number */
    int64_t at_us;           /* when it happened; 0: when it is told */
    const char *by;          /* NULL: the clock source */
    struct bytes data, priv; /* msgpack maps; priv may be empty */
};
/* Queued; copied. Returns its number, from 1. */
size_t simulator_append(struct simulator *, const struct simulator_fact *);
/* The same as an element of APPEND's events (draft_encode). */
size_t simulator_append_draft(struct simulator *, int64_t told_us, struct bytes draft);
/* Data as JSON by the type's record, personal fields among the others. 0: the problem says what is
 * wrong with it. */
size_t simulator_append_json(struct simulator *, int64_t told_us, const char *type, const char *key,
                             int64_t at_us, const char *by, const char *json,
                             struct problem *) MUST_CHECK;
size_t simulator_waiting(const struct simulator *); /* not told yet */

/* Facts that intake has refused, in order; i from 0. */
struct simulator_refusal {
    size_t fact; /* its number */
    struct problem problem;
};
const struct simulator_refusal *simulator_refusal(const struct simulator *,
                                                  size_t i); /* NULL: no more */

/* --- time --------------------------------------------------------------------------------------
 */
/* Goes to that instant (never back); facts told and timers due by then have happened. False:
 * simulator_error(). */
bool simulator_advance(struct simulator *, int64_t to_us) MUST_CHECK;
/* The next instant at which something happens by itself: a fact told, a timer due. INT64_MAX:
 * nothing. */
int64_t simulator_next_us(const struct simulator *);

/* --- what came of it ----------------------------------------------------------------------------
 */
uint64_t simulator_head(const struct simulator *);
/* The event at 1 … head, borrowed for the life of the simulator. */
void simulator_event(const struct simulator *, uint64_t pos, struct event *);
/* A worker's rows in memory: all of them where cache_rows is 0. NULL: no such worker. */
const struct tables *simulator_tables(const struct simulator *, const char *worker);
/* The table of that name; -1: none. */
int simulator_table(const struct tables *, const char *name);
/* Events that a worker could not handle and has set aside. */
size_t simulator_parked(const struct simulator *);

/* The workers themselves, for faults: i from 0, in the order in which they are told. NULL: no more.
 */
struct node *simulator_node(struct simulator *, size_t i);

#endif
