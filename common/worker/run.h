/* The worker's core, without I/O: events in, rows changed, conclusions out. common/README.md explains the
 * rules; the shell (shell.c) does sockets, PostgreSQL and clocks; the simulator has a shell of its own.
 *
 * Only events change tables (apply); handlers and timers only conclude (decide). Neither reads clock, network,
 * randomness or SQL. A handler runs as often as the runtime likes. */
#ifndef AFTERCARE_WORKER_RUN_H
#define AFTERCARE_WORKER_RUN_H

#include "event/event.h"
#include "record/record.h"
#include "table/table.h"
#include "worker/reference.h"

struct run;
struct pg; /* pg/pg.h; the core never touches one */

/* One event type. Either function may be NULL. `data` is the record, decoded, personal fields included where the
 * event has them. apply: true, or tables_trouble(…). A worker's own conclusions come here like any other event. */
struct handler {
    const char *type;
    const struct record *data;
    bool (*apply)(struct tables *, const struct event *, const void *data);
    void (*decide)(struct run *, const struct tables *, const struct event *, const void *data);
};

/* Rows of `table` in the order of `index`, whose first criterion is the int64_t due instant at due_offset; the index must
 * not hold rows whose due is 0 or equals the volatile int64_t at fired_offset (this is how a fired timer leaves the index until its conclusion is read back
 * or its due changes). Where the table is far, due_offset is its own too. decide concludes; it is called with the row that is due. */
struct timer {
    unsigned table, index;
    uint32_t due_offset, fired_offset;
    void (*decide)(struct run *, const struct tables *, const void *row);
};

/* Work wider than one event may do (a calendar changed under a million clocks). Open rows of `table` follow what its sweep column
 * (table_def.sweep_offset) names; behind says, purely, whether such a value is out of date as the tables stand. After each event of the types `on`, at
 * start, and when an event leaves a row behind, decide is called for every open row that is: it concludes what, read back, brings
 * the row up to date, or nothing where the row is to stay as it is. In the order of value, then key; at most 512 rows a transaction,
 * and not before the conclusions of the one before are read back. Rows of a far table are found in PostgreSQL by an index. */
struct sweep {
    unsigned table; /* at most one sweep a table */
    const char *const *on; /* NULL-terminated */
    bool (*behind)(const struct tables *, const char *value);
    void (*decide)(struct run *, const struct tables *, const void *row);
};

/* What others may ask: SQL on a read-only snapshot. $1…$n are the args in the order of the question type's args record
 * (TEXT, INT, TIME, BOOL), then $n+1 = limit (bigint), $n+2 = after (text, "" first: the keyset of the last
 * row's first column). The columns are the answer's fields. */
struct question {
    const char *name; /* as in proto/questions.h */
    const char *sql;  /* NULL where answer is set */
    /* Instead of SQL, where an answer has to be computed: `snapshot` is a read-only connection inside the question's
     * transaction, args the decoded args record. Appends one map per row to rows (at most `limit` of them, after the
     * keyset `after`), counts them in *rows_n and sets *more. STATUS_REFUSED: problem says why. */
    enum status (*answer)(struct pg *snapshot, const struct record *args_record, const void *args, int64_t limit,
                          const char *after, struct buf *rows, size_t *rows_n, bool *more, struct problem *);
};

struct worker {
    const char *name; /* "dispatcher": role, schema, source, section of the settings */
    const char *const *concludes; /* type prefixes, NULL-terminated: "job.", "ticket.escalated" */
    const struct handler *handlers;
    size_t handlers_n;
    const struct timer *timers;
    size_t timers_n;
    const struct sweep *sweeps;
    size_t sweeps_n;
    const struct table_def *const *tables; /* table numbers are positions here; the runtime adds its own behind */
    size_t tables_n;
    const struct question *questions;
    size_t questions_n;
    /* The args record of a question, by worker and question: proto's question_args. */
    const struct record *(*question_args)(const char *to, const char *name);
    /* Keeps volatile columns in step with what is in flight: sign +1 when `type` with `data` was concluded, −1 when it is read
     * back (before apply) or dropped. May be NULL. Changes volatile fields only, through table_change. */
    void (*flight)(struct tables *, const char *type, const char *key, const void *data, int sign);
};

/* Concludes `type` about `key`, filling `slot` ("dispatcher/TICKET/offer/2"). False, and nothing happens, when the slot is
 * in flight. Whether it is in the rows is the handler's to know. cause and at are set by the runtime: the event at hand, or
 * for a timer the last event read, and the stream time. `by` is the worker. At most 64 per event. */
bool conclude(struct run *, const char *slot, const char *type, const char *key, const struct record *, const void *data);
/* In flight: concluded, not yet read back. */
bool run_in_flight(const struct run *, const char *slot);
/* The instant up to which time is known to have passed: what `at` of a conclusion drawn now will be. */
int64_t run_now_us(const struct run *);

/* The exit code of a worker that made way for a newer process of the same: who supervises it lets it rest. */
#define WORKER_EXIT_SUPERSEDED 4
/* The one symbol of a worker's library goes here; common/worker/shell.c. */
int worker_main(const struct worker *, int argc, char **argv);

#endif
