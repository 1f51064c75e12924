/* Connecting, losing the connection, and waiting with a limit. */
#include "pg/connection.h"
#include "base/clock.h"
#include "base/text.h"
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MS 30000
#define REPLAN_FIRST 512

struct pg *pg_new(const char *conninfo, const char *schema)
{
    struct pg *pg = memory_new(sizeof *pg);

    pg->conninfo = memory_text(conninfo);
    pg->schema = schema == NULL ? NULL : memory_text(schema);
    pg->wait_ms = WAIT_MS;
    return pg;
}

void pg_destroy(struct pg **self)
{
    struct pg *pg = *self;

    if (pg == NULL) {
        return;
    }
    pg_disconnect(pg);
    free(pg->prepared);
    free(pg->pending);
    free(pg->conninfo);
    free(pg->schema);
    free(pg);
    *self = NULL;
}

void pg_limit_wait(struct pg *pg, int64_t wait_ms)
{
    pg->wait_ms = wait_ms;
}

void error_set(struct pg *pg, const char *text, const char *sqlstate)
{
    text_copy(pg->error, sizeof pg->error, text == NULL ? "" : text);
    size_t n = strlen(pg->error);
    while (n > 0 && (pg->error[n - 1] == '\n' || pg->error[n - 1] == ' ')) {
        pg->error[--n] = '\0';
    }
    text_copy(pg->sqlstate, sizeof pg->sqlstate, sqlstate == NULL ? "" : sqlstate);
}

void error_from_result(struct pg *pg, const PGresult *result)
{
    error_set(pg, PQresultErrorMessage(result), PQresultErrorField(result, PG_DIAG_SQLSTATE));
}

void pg_set_error(struct pg *pg, const char *format, ...)
{
    char text[sizeof pg->error];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    error_set(pg, text, "");
}

const char *pg_error(const struct pg *pg)
{
    return pg->error;
}

const char *pg_sqlstate(const struct pg *pg)
{
    return pg->sqlstate;
}

/* A commit whose wait for the standby was cancelled says so in a warning, with an ordinary result behind it. */
static void notice_receive(void *arg, const PGresult *notice)
{
    struct pg *pg = arg;
    const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *state = PQresultErrorField(notice, PG_DIAG_SQLSTATE);

    if (severity == NULL || state == NULL) {
        return;
    }
    if (strcmp(severity, "WARNING") == 0 && (strcmp(state, "01000") == 0 || strcmp(state, "57P01") == 0)) {
        pg->warned = true;
        error_from_result(pg, notice);
    } else if (strcmp(severity, "FATAL") == 0) {
        error_from_result(pg, notice); /* the last words to a session that had asked nothing */
    }
}

/* What a session needs, before anything is pipelined. */
static bool session_prepare(struct pg *pg)
{
    struct buf sql = {0};

    buf_append_text(&sql, "SET client_min_messages = warning");
    if (pg->schema != NULL) {
        char *quoted = PQescapeIdentifier(pg->conn, pg->schema, strlen(pg->schema));
        assert(quoted != NULL);
        buf_append_format(&sql, "; SET search_path TO %s", quoted);
        PQfreemem(quoted);
    }
    PGresult *result = PQexec(pg->conn, buf_text(&sql));
    bool done = PQresultStatus(result) == PGRES_COMMAND_OK;
    if (!done) {
        error_from_result(pg, result);
    }
    PQclear(result);
    buf_release(&sql);
    return done;
}

enum status pg_connect(struct pg *pg)
{
    /* What stands before dbname is overridden by the DSN, what stands behind it overrides it. */
    const char *const keywords[] = {"connect_timeout", "tcp_user_timeout", "keepalives_idle", "dbname", "client_encoding", NULL};
    const char *const values[] = {"10", "30000", "15", pg->conninfo, "UTF8", NULL};

    if (pg_is_connected(pg)) {
        return STATUS_OK;
    }
    pg_disconnect(pg);
    pg->conn = PQconnectdbParams(keywords, values, 1);
    if (pg->conn == NULL || PQstatus(pg->conn) != CONNECTION_OK) {
        error_set(pg, pg->conn == NULL ? "out of memory" : PQerrorMessage(pg->conn), "");
        pg_disconnect(pg);
        return STATUS_AGAIN;
    }
    PQsetNoticeReceiver(pg->conn, notice_receive, pg);
    if (!session_prepare(pg) || PQsetnonblocking(pg->conn, 1) != 0 || PQenterPipelineMode(pg->conn) != 1) {
        pg_disconnect(pg);
        return STATUS_AGAIN;
    }
    error_set(pg, "", "");
    pg->replan_affected = REPLAN_FIRST;
    return STATUS_OK;
}

bool pg_is_connected(const struct pg *pg)
{
    return pg->conn != NULL && PQstatus(pg->conn) == CONNECTION_OK;
}

void pg_disconnect(struct pg *pg)
{
    if (pg->conn != NULL) {
        PQfinish(pg->conn);
        pg->conn = NULL;
    }
    for (size_t i = 0; i < pg->prepared_n; i++) {
        free(pg->prepared[i].sql);
    }
    pg->prepared_n = 0;
    pipeline_forget(pg);
    pg->commit = COMMIT_NONE;
    pg->affected = 0;
}

int pg_socket(const struct pg *pg)
{
    return pg->conn == NULL ? -1 : PQsocket(pg->conn);
}

enum status connection_lost(struct pg *pg)
{
    enum commit_state commit = pg->commit;
    bool doubt = commit == COMMIT_UNDER_WAY;

    if (pg->conn != NULL && PQstatus(pg->conn) != CONNECTION_OK && pg->sqlstate[0] == '\0') {
        error_set(pg, PQerrorMessage(pg->conn), "");
    }
    pg_disconnect(pg);
    if (commit != COMMIT_NONE) {
        /* Who asks for the commit's end later is told the same. */
        pg->commit = COMMIT_DONE;
        pg->commit_status = doubt ? STATUS_DOUBT : pg->commit_status;
    }
    return doubt ? STATUS_DOUBT : STATUS_CLOSED;
}

int64_t wait_deadline_us(const struct pg *pg)
{
    return clock_boot_us() + pg->wait_ms * 1000;
}

enum status connection_wait(struct pg *pg, bool write, int64_t deadline_us)
{
    struct pollfd fd = {.fd = PQsocket(pg->conn), .events = (short)(POLLIN | (write ? POLLOUT : 0))};

    for (;;) {
        int64_t left_ms = (deadline_us - clock_boot_us() + 999) / 1000;
        int ready = left_ms <= 0 ? 0 : poll(&fd, 1, (int)(left_ms < 60000 ? left_ms : 60000));
        if (ready > 0) {
            return STATUS_OK;
        }
        if (ready < 0 && errno != EINTR) {
            error_set(pg, strerror(errno), "");
            return connection_lost(pg);
        }
        if (left_ms <= 0) {
            error_set(pg, "the server did not answer in time", "");
            return connection_lost(pg);
        }
    }
}
