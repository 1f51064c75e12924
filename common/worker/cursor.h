/* The one row that says where a worker stands, committed together with its rows by compare-and-set. */
#ifndef AFTERCARE_WORKER_CURSOR_H
#define AFTERCARE_WORKER_CURSOR_H

#include "pg/pg.h"
#include "worker/run_core.h"

struct cursor {
    struct run_state state;
    int64_t starts;      /* since the last commit: a crash loop shows here */
    uint64_t attempt;    /* the event that was tried alone */
    int64_t attempts;    /* how often */
    char trying[RUN_TIMER_CAP];  /* the timer, or row of a sweep, that is being tried alone; of one that is read: "" */
    char suspect[RUN_TIMER_CAP]; /* the one in which the process died last */
    int64_t suspect_times;       /* how often it did, one after the other */
    int64_t session;     /* which start this is (cursor_open): only its commits move the cursor */
};

/* Creates schema objects (cursor and tables) where they are missing and takes a start into account; `again`: the same process
 * once more, so that nothing can have brought it down. From here on no commit of an earlier start succeeds: what is read
 * afterwards, row by row, belongs to this cursor.
 * STATUS_REFUSED: pg_error() or the tables' definitions changed; *why says so. */
enum status cursor_open(struct pg *, const char *schema, struct run *, bool again, struct cursor *, const char **why) MUST_CHECK;
/* Reads it as it stands (snapshot of whoever asks). */
enum status cursor_read(struct pg *, const char *schema, struct cursor *) MUST_CHECK;
/* Inside pg_begin: moves the cursor from `before` to `after`; the COMMIT fails when somebody else moved it, or has begun a
 * later session than `session`. What has started since the last commit is forgotten, but not while a sweep is under way: it may pass a
 * thousand rows and commit before it comes to the one that brings the process down. */
enum status cursor_send(struct pg *, const char *schema, int64_t session, uint64_t before,
                        const struct run_state *after) MUST_CHECK;
/* STATUS_REFUSED: a later session has begun. STATUS_OK: none had when this was asked, so that whatever was read before belongs to
 * the cursor of `session`. */
enum status cursor_hold(struct pg *, const char *schema, int64_t session) MUST_CHECK;
/* Committed before an event is tried alone; pos 0: it was handled, what comes now is not its fault. */
enum status cursor_attempt(struct pg *, const char *schema, uint64_t pos) MUST_CHECK;
/* Committed before a timer or a row of a sweep is tried alone; "": it came back. A start that finds one knows of what its predecessor died. */
enum status cursor_try(struct pg *, const char *schema, const char *timer) MUST_CHECK;
/* The last word of the process that began `session`: that timer or row of a sweep, tried alone, drew what intake refuses. As if it had
 * died of it so often. */
enum status cursor_condemn(struct pg *, const char *schema, int64_t session, const char *timer, int64_t times) MUST_CHECK;
/* Connects and sets what every worker's connection has: a commit lost in a crash is a replay, and arrays of keys are
 * looked up by index even in young tables. */
enum status cursor_connect(struct pg *) MUST_CHECK;

#endif
