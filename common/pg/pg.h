/* PostgreSQL access: one connection with reconnect, pipelines, binary parameters and arrays, a notice
 * receiver (a commit whose wait for the synchronous standby was cancelled is STATUS_DOUBT, not OK),
 * real time limits around every wait. Non-blocking underneath: a pipeline never deadlocks on full buffers. */
#ifndef AFTERCARE_PG_PG_H
#define AFTERCARE_PG_PG_H

#include "base/bytes.h"
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>

struct pg; /* one connection; used by one thread */

/* conninfo: a libpq DSN (multi-host allowed). schema: search_path, may be NULL. Does not connect yet. */
struct pg *pg_new(const char *conninfo, const char *schema);
void pg_destroy(struct pg **);
/* Connects, or tells why not (pg_error). STATUS_AGAIN: try again later (the caller backs off). */
enum status pg_connect(struct pg *) MUST_CHECK;
bool pg_is_connected(const struct pg *);
void pg_disconnect(struct pg *);
int pg_socket(const struct pg *);
/* The longest wait for the server to say or take anything (default 30 s); behind it the connection is given up. A long
 * statement of an operator's needs more. */
void pg_limit_wait(struct pg *, int64_t wait_ms);
/* The last error's text and SQLSTATE ("" when none). */
const char *pg_error(const struct pg *);
const char *pg_sqlstate(const struct pg *);
/* For who refuses what the server has said, on a floor above: the text that pg_error then gives. */
void pg_set_error(struct pg *, const char *format, ...) PRINTF_LIKE(2, 3);

/* Parameters, built one after the other, binary. Arrays are built element by element. */
struct pg_args;
struct pg_args *pg_args_new(void);
void pg_args_destroy(struct pg_args **);
void pg_args_reset(struct pg_args *);
void pg_arg_int(struct pg_args *, int64_t);
void pg_arg_bool(struct pg_args *, bool);
void pg_arg_text(struct pg_args *, const char *);  /* NULL: SQL NULL */
void pg_arg_bytea(struct pg_args *, struct bytes);
void pg_arg_time(struct pg_args *, int64_t us);    /* timestamptz; 0: NULL */
/* Array parameters: begin, then n elements with pg_elem_*, then end. */
enum pg_array { PG_INT8_ARRAY, PG_BOOL_ARRAY, PG_TEXT_ARRAY, PG_BYTEA_ARRAY, PG_TIME_ARRAY };
void pg_arg_array_begin(struct pg_args *, enum pg_array);
void pg_elem_int(struct pg_args *, int64_t);
void pg_elem_bool(struct pg_args *, bool);
void pg_elem_text(struct pg_args *, const char *, size_t n);
void pg_elem_bytea(struct pg_args *, struct bytes);
void pg_elem_time(struct pg_args *, int64_t us); /* 0: NULL */
void pg_elem_null(struct pg_args *);
void pg_arg_array_end(struct pg_args *);

/* A result; columns are read in binary. Out of range is our bug. */
struct pg_result;
void pg_result_destroy(struct pg_result **);
int pg_rows(const struct pg_result *);
int pg_columns(const struct pg_result *);
size_t pg_result_bytes(const struct pg_result *); /* of our memory, all together */
const char *pg_column_name(const struct pg_result *, int column);
bool pg_is_null(const struct pg_result *, int row, int column);
int64_t pg_int(const struct pg_result *, int row, int column);  /* int2, int4, int8, oid */
bool pg_bool(const struct pg_result *, int row, int column);
int64_t pg_time(const struct pg_result *, int row, int column); /* timestamptz in µs; NULL = 0 */
struct bytes pg_bytes(const struct pg_result *, int row, int column); /* text, bytea: borrowed */
/* Any column by its PostgreSQL type as one msgpack value: for questions. float8 and numeric come as text,
 * text[] as array, NULL as nil. */
void pg_pack(const struct pg_result *, int row, int column, struct buf *out);
/* Rows touched by INSERT/UPDATE/DELETE. */
int64_t pg_affected(const struct pg_result *);

/* One statement, waited for. sql is prepared on first use (by its text). result may be NULL.
 * STATUS_REFUSED: the server said no (pg_error); STATUS_CLOSED: the connection is gone;
 * STATUS_DOUBT: only from COMMIT: the result was lost or the standby's wait was cancelled. */
enum status pg_query(struct pg *, const char *sql, const struct pg_args *, struct pg_result **) MUST_CHECK;
/* Plain SQL of several statements, no parameters (migrations, BEGIN, SET). */
enum status pg_run(struct pg *, const char *sql) MUST_CHECK;

/* A transaction in pipeline mode: BEGIN is sent with the first statement; nothing is waited for until
 * pg_flush (wait for what was sent so far) or pg_commit. */
enum status pg_begin(struct pg *) MUST_CHECK;
enum status pg_send(struct pg *, const char *sql, const struct pg_args *) MUST_CHECK;
/* Starts the server on what was sent so far, without waiting for it. */
enum status pg_ship(struct pg *) MUST_CHECK;
/* Waits for all statements sent so far; the result of the last one (may be NULL). */
enum status pg_flush(struct pg *, struct pg_result **last) MUST_CHECK;
enum status pg_commit(struct pg *) MUST_CHECK; /* OK only after COMMIT's own result was read without warning */
/* pg_commit in two halves, for who has something else to do meanwhile. pg_commit_poll: STATUS_AGAIN while
 * it is under way (wait for pg_socket to be readable). */
enum status pg_commit_send(struct pg *) MUST_CHECK;
enum status pg_commit_poll(struct pg *) MUST_CHECK;
/* The second half for who has nothing else to do: waits for the socket until boot time until_us (INT64_MAX: as long as
 * pg_limit_wait allows). STATUS_AGAIN: it is still under way then. */
enum status pg_commit_wait(struct pg *, int64_t until_us) MUST_CHECK;
void pg_rollback(struct pg *);

/* Numbered migrations of one schema. Each is SQL text; applied once, in order, in one transaction each,
 * recorded in SCHEMA.migration(number, sha256, applied). A changed text of an applied one is an error. */
struct pg_migration {
    int number;
    const char *sql;
};
enum status pg_migrate(struct pg *, const char *schema, const struct pg_migration *, size_t n) MUST_CHECK;

#endif
