/* Where a worker stands. */
#include "worker/cursor.h"

#include "base/text.h"
#include "table/mirror.h"
#include <stdio.h>
#include <string.h>

static const char cursor_ddl[] =
    "CREATE TABLE cursor (one boolean PRIMARY KEY CHECK (one), stream text NOT NULL, stepped boolean NOT NULL,"
    " pos bigint NOT NULL, link bytea NOT NULL, rec timestamptz, checked timestamptz,"
    " starts bigint NOT NULL, attempt bigint NOT NULL, attempts bigint NOT NULL) WITH (fillfactor = 50);"
    "INSERT INTO cursor VALUES (true, '', false, 0, '\\x00000000000000000000000000000000', NULL, NULL, 0, 0, 0);";

static const char session_ddl[] = "ALTER TABLE cursor ADD session bigint NOT NULL DEFAULT 0";

static const char timers_ddl[] = "ALTER TABLE cursor ADD trying text NOT NULL DEFAULT '', ADD suspect text NOT NULL DEFAULT '',"
                                 " ADD suspect_times bigint NOT NULL DEFAULT 0";

static const struct pg_migration migrations[] = {
    {.number = 1, .sql = cursor_ddl}, {.number = 2, .sql = session_ddl}, {.number = 3, .sql = timers_ddl}};

enum status cursor_connect(struct pg *pg)
{
    enum status status = pg_connect(pg);
    if (status != STATUS_OK)
        return status;
    return pg_run(pg, "SET synchronous_commit = off; SET enable_seqscan = off; SET client_min_messages = warning");
}

/* Of what the process died that was here before: 2 starts are suspicious. */
static const char begin_sql[] =
    "UPDATE cursor SET session = session + 1, starts = CASE WHEN trying = '' THEN starts + 1 ELSE 2 END,"
    " suspect = CASE WHEN trying = '' THEN suspect ELSE trying END,"
    " suspect_times = CASE WHEN trying = '' THEN suspect_times WHEN trying = suspect THEN suspect_times + 1 ELSE 1 END,"
    " trying = '' RETURNING session";
static const char begin_again_sql[] =
    "UPDATE cursor SET session = session + 1, starts = 0, attempts = 0, trying = '' RETURNING session";

/* Waits for a commit that is under way: it holds the row. */
static enum status session_begin(struct pg *pg, bool again, int64_t *session)
{
    owned(pg_result_destroy) struct pg_result *result = NULL;
    enum status status = pg_query(pg, again ? begin_again_sql : begin_sql, NULL, &result);
    if (status == STATUS_OK)
        *session = pg_rows(result) == 1 ? pg_int(result, 0, 0) : 0;
    return status;
}

enum status cursor_open(struct pg *pg, const char *schema, struct run *run, bool again, struct cursor *cursor,
                        const char **why)
{
    size_t n;
    const struct table_def *const *defs = run_table_defs(run, &n);
    *why = "";
    enum status status = pg_migrate(pg, schema, migrations, COUNT_OF(migrations));
    if (status == STATUS_REFUSED && pg_sqlstate(pg)[0] == '\0')
        *why = pg_error(pg); /* a newer release's, say */
    if (status == STATUS_OK) {
        status = mirror_create(pg, schema, defs, n);
        if (status == STATUS_REFUSED && pg_sqlstate(pg)[0] == '\0') /* not the server's word */
            *why = "its tables have another form than this program's: run `aftercare rebuild`";
    }
    int64_t session = 0;
    if (status == STATUS_OK)
        status = session_begin(pg, again, &session);
    if (status == STATUS_OK)
        status = cursor_read(pg, schema, cursor);
    if (status == STATUS_OK)
        cursor->session = session;
    return status;
}

static void cursor_table(const char *schema, char out[128])
{
    text_format(out, 128, "\"%s\".cursor", schema);
}

enum status cursor_read(struct pg *pg, const char *schema, struct cursor *cursor)
{
    owned(pg_result_destroy) struct pg_result *result = NULL;
    char table[128], sql[256];
    cursor_table(schema, table);
    text_format(sql, sizeof sql,
                "SELECT stream, stepped, pos, link, rec, checked, starts, attempt, attempts, suspect, suspect_times FROM %s", table);
    enum status status = pg_query(pg, sql, NULL, &result);
    if (status != STATUS_OK)
        return status;
    if (pg_rows(result) != 1)
        return STATUS_ABSENT;
    memset(cursor, 0, sizeof *cursor);
    struct bytes stream = pg_bytes(result, 0, 0), link = pg_bytes(result, 0, 3);
    text_copy_n(cursor->state.stream, sizeof cursor->state.stream, (const char *)stream.data, stream.len);
    cursor->state.stepped = pg_bool(result, 0, 1);
    cursor->state.pos = (uint64_t)pg_int(result, 0, 2);
    if (link.len == LINK_BYTES)
        memcpy(cursor->state.link, link.data, LINK_BYTES);
    cursor->state.rec_us = pg_time(result, 0, 4);
    cursor->state.checked_us = pg_time(result, 0, 5);
    cursor->starts = pg_int(result, 0, 6);
    cursor->attempt = (uint64_t)pg_int(result, 0, 7);
    cursor->attempts = pg_int(result, 0, 8);
    struct bytes suspect = pg_bytes(result, 0, 9);
    text_copy_n(cursor->suspect, sizeof cursor->suspect, (const char *)suspect.data, suspect.len);
    cursor->suspect_times = pg_int(result, 0, 10);
    return STATUS_OK;
}

enum status cursor_send(struct pg *pg, const char *schema, int64_t session, uint64_t before, const struct run_state *after)
{
    owned(pg_args_destroy) struct pg_args *args = pg_args_new();
    char table[128], sql[640];
    cursor_table(schema, table);
    /* 0 rows must be an error: a COMMIT behind it in the pipeline would go through. */
    text_format(sql, sizeof sql,
                "WITH c AS (UPDATE %s SET pos = $2, link = $3, rec = $4, checked = $5, stream = $6, stepped = $7,"
                " starts = CASE WHEN $9 THEN starts ELSE 0 END, attempts = 0 WHERE pos = $1 AND session = $8 RETURNING 1) SELECT 1 / count(*) FROM c",
                table);
    pg_arg_int(args, (int64_t)before);
    pg_arg_int(args, (int64_t)after->pos);
    pg_arg_bytea(args, (struct bytes){.data = after->link, .len = LINK_BYTES});
    pg_arg_time(args, after->rec_us);
    pg_arg_time(args, after->checked_us);
    pg_arg_text(args, after->stream);
    pg_arg_bool(args, after->stepped);
    pg_arg_int(args, session);
    pg_arg_bool(args, after->sweeping);
    return pg_send(pg, sql, args);
}

enum status cursor_hold(struct pg *pg, const char *schema, int64_t session)
{
    owned(pg_result_destroy) struct pg_result *result = NULL;
    char table[128], sql[256];
    cursor_table(schema, table);
    text_format(sql, sizeof sql, "SELECT session FROM %s", table);
    enum status status = pg_query(pg, sql, NULL, &result);
    if (status != STATUS_OK || (pg_rows(result) == 1 && pg_int(result, 0, 0) == session))
        return status;
    pg_set_error(pg, "another process of this worker has begun a session");
    return STATUS_REFUSED;
}

enum status cursor_attempt(struct pg *pg, const char *schema, uint64_t pos)
{
    owned(pg_args_destroy) struct pg_args *args = pg_args_new();
    char table[128], sql[256];
    cursor_table(schema, table);
    text_format(sql, sizeof sql,
                "UPDATE %s SET attempts = CASE WHEN $1 = 0 THEN 0 WHEN attempt = $1 THEN attempts + 1 ELSE 1 END, attempt = $1",
                table);
    pg_arg_int(args, (int64_t)pos);
    return pg_query(pg, sql, args, NULL);
}

/* Other timers that come back leave what is known of one that did not. */
enum status cursor_try(struct pg *pg, const char *schema, const char *timer)
{
    owned(pg_args_destroy) struct pg_args *args = pg_args_new();
    char table[128], sql[320];
    cursor_table(schema, table);
    text_format(sql, sizeof sql,
                "UPDATE %s SET suspect_times = CASE WHEN $1 = '' AND trying = suspect THEN 0 ELSE suspect_times END, trying = $1", table);
    pg_arg_text(args, timer);
    return pg_query(pg, sql, args, NULL);
}

enum status cursor_condemn(struct pg *pg, const char *schema, int64_t session, const char *timer, int64_t times)
{
    owned(pg_args_destroy) struct pg_args *args = pg_args_new();
    char table[128], sql[256];
    cursor_table(schema, table);
    text_format(sql, sizeof sql, "UPDATE %s SET suspect = $1, suspect_times = $2 WHERE session = $3", table);
    pg_arg_text(args, timer);
    pg_arg_int(args, times);
    pg_arg_int(args, session);
    return pg_query(pg, sql, args, NULL);
}
