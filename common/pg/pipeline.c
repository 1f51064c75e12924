/* What goes to the server and what comes back, in order. The connection lives in libpq's pipeline mode and leaves it
 * only for plain SQL of several statements (pg_run). While something has to go out, whatever comes in is read: two full
 * buffers never wait for each other. */
#include "pg/connection.h"
#include "base/clock.h"
#include "base/instant.h"
#include "base/text.h"
#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Answers are read on the way when so many are owed: memory stays bounded in a pipeline of any length. */
#define OWED_MAX 512
#define STATEMENTS_MAX 1024

void pipeline_forget(struct pg *pg)
{
    PQclear(pg->last);
    pg->last = NULL;
    pg->pending_first = pg->pending_n = 0;
    pg->answered = pg->unsynced = pg->in_transaction = pg->failed = pg->warned = false;
}

/* Moves what is still owed to the front, and grows when that is more than half. */
static void pending_room(struct pg *pg)
{
    size_t n = pg->pending_n - pg->pending_first;

    if (pg->pending_first > 0) {
        memmove(pg->pending, pg->pending + pg->pending_first, n * sizeof *pg->pending);
    }
    pg->pending_first = 0;
    pg->pending_n = n;
    if (n * 2 >= pg->pending_cap) {
        pg->pending_cap = pg->pending_cap == 0 ? 64 : pg->pending_cap * 2;
        pg->pending = memory_grow(pg->pending, pg->pending_cap * sizeof *pg->pending);
    }
}

static void pending_add(struct pg *pg, enum pending_kind kind, size_t prepared)
{
    if (pg->pending_first == pg->pending_n) {
        pg->pending_first = pg->pending_n = 0;
    }
    if (pg->pending_n == pg->pending_cap) {
        pending_room(pg);
    }
    pg->pending[pg->pending_n++] = (struct pending){kind, prepared};
    pg->unsynced = kind != PENDING_SYNC;
}

static size_t owed(const struct pg *pg)
{
    return pg->pending_n - pg->pending_first;
}

/* Only an own COMMAND_OK whose tag is COMMIT, and no warning, is a commit: a COMMIT in a failed transaction is answered
 * with ROLLBACK, and a cancelled wait for the standby with a warning before it. */
static enum status commit_judge(struct pg *pg, const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    if (status == PGRES_COMMAND_OK && strcmp(PQcmdStatus((PGresult *)(uintptr_t)result), "COMMIT") == 0) {
        return pg->warned ? STATUS_DOUBT : STATUS_OK;
    }
    /* Class 57: the session was ended or cancelled from outside, perhaps when the commit was already in the log. */
    if (status == PGRES_FATAL_ERROR && (state == NULL || strncmp(state, "57", 2) == 0)) {
        return STATUS_DOUBT;
    }
    return STATUS_REFUSED;
}

static void failed_with(struct pg *pg, const PGresult *result)
{
    if (!pg->failed) {
        error_from_result(pg, result);
    }
    pg->failed = true;
}

static bool is_good(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_PIPELINE_SYNC;
}

/* The server's last words: it ends the session, whatever was asked. */
static bool is_last(const PGresult *result)
{
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);

    return severity != NULL && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0);
}

static void result_take(struct pg *pg, PGresult *result)
{
    const struct pending *head = &pg->pending[pg->pending_first];
    ExecStatusType status = PQresultStatus(result);
    bool good = is_good(result);

    if (head->kind == PENDING_COMMIT) {
        pg->commit_status = commit_judge(pg, result);
        pg->commit = COMMIT_DONE;
    }
    if (status == PGRES_PIPELINE_ABORTED) {
        pg->failed = true;
    } else if (!good) {
        failed_with(pg, result);
    }
    if (head->kind == PENDING_PREPARE && !good) {
        pg->prepared[head->prepared].sent = false;
    }
    if (head->kind != PENDING_STATEMENT || !good) {
        PQclear(result);
        return;
    }
    pg->affected += strtoll(PQcmdTuples(result), NULL, 10) * (status == PGRES_COMMAND_OK);
    PQclear(pg->last);
    pg->last = result;
}

/* Takes all answers that are there, without waiting. */
static enum status answers_take(struct pg *pg)
{
    while (owed(pg) > 0 && PQisBusy(pg->conn) == 0) {
        PGresult *result = PQgetResult(pg->conn);
        if (is_last(result) || (PQstatus(pg->conn) != CONNECTION_OK && !is_good(result))) {
            if (result != NULL) {
                error_from_result(pg, result);
                PQclear(result);
            }
            return connection_lost(pg);
        }
        if (result == NULL) {
            assert(pg->answered);
            pg->answered = false;
            pg->pending_first++;
        } else if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
            assert(pg->pending[pg->pending_first].kind == PENDING_SYNC);
            PQclear(result);
            pg->pending_first++;
        } else {
            result_take(pg, result);
            pg->answered = true;
        }
    }
    return STATUS_OK;
}

/* Reads what has come, and takes the answers among it. */
static enum status input_read(struct pg *pg)
{
    bool alive = PQconsumeInput(pg->conn) == 1;
    /* What came before the end of a connection still counts. */
    enum status status = answers_take(pg);

    return status == STATUS_OK && !alive ? connection_lost(pg) : status;
}

/* Until all has gone out; answers that come meanwhile are taken. */
static enum status output_write(struct pg *pg)
{
    int64_t deadline_us = wait_deadline_us(pg);

    for (;;) {
        int left = PQflush(pg->conn);
        if (left < 0) {
            /* What the server said before it went lies in the input. */
            enum status status = input_read(pg);
            return status == STATUS_OK ? connection_lost(pg) : status;
        }
        if (left == 0) {
            return STATUS_OK;
        }
        enum status status = connection_wait(pg, true, deadline_us);
        if (status == STATUS_OK) {
            status = input_read(pg);
        }
        if (status != STATUS_OK) {
            return status;
        }
    }
}

/* Until at most `most` answers are owed. */
static enum status answers_wait(struct pg *pg, size_t most)
{
    int64_t deadline_us = wait_deadline_us(pg);
    enum status status = answers_take(pg);

    while (status == STATUS_OK && owed(pg) > most) {
        size_t before = owed(pg);
        status = connection_wait(pg, false, deadline_us);
        if (status == STATUS_OK) {
            status = input_read(pg);
        }
        if (status == STATUS_OK && owed(pg) < before) {
            deadline_us = wait_deadline_us(pg);
        }
    }
    return status;
}

/* A failed call of libpq's that is not about the connection is our bug. */
static enum status sent(struct pg *pg, int done)
{
    if (done == 1) {
        return STATUS_OK;
    }
    assert(!pg_is_connected(pg));
    return connection_lost(pg);
}

static enum status flush_request(struct pg *pg)
{
    enum status status = sent(pg, PQsendFlushRequest(pg->conn));

    return status == STATUS_OK ? output_write(pg) : status;
}

enum status pipeline_drain(struct pg *pg)
{
    enum status status = STATUS_OK;

    if (pg->unsynced) {
        status = flush_request(pg);
    }
    if (status == STATUS_OK) {
        status = answers_wait(pg, 0);
    }
    if (status == STATUS_OK && pg->commit == COMMIT_NONE && !pg->failed) {
        pg->warned = false; /* nobody's commit: a statement's own warning */
    }
    return status != STATUS_OK ? status : pg->failed ? STATUS_REFUSED : STATUS_OK;
}

enum status pipeline_sync(struct pg *pg)
{
    enum status status = sent(pg, PQpipelineSync(pg->conn));

    if (status == STATUS_OK) {
        pending_add(pg, PENDING_SYNC, 0);
        status = output_write(pg);
    }
    return status == STATUS_OK ? pipeline_drain(pg) : status;
}

enum status pipeline_send(struct pg *pg, enum pending_kind kind, const char *sql)
{
    enum status status = sent(pg, PQsendQueryParams(pg->conn, sql, 0, NULL, NULL, NULL, NULL, 1));

    if (status == STATUS_OK) {
        pending_add(pg, kind, 0);
    }
    return status;
}

/* The statement of that text, new ones with `sent` still false. */
static size_t prepared_find(struct pg *pg, const char *sql, uint64_t types)
{
    uint64_t hash = hash_text(sql);

    for (size_t i = 0; i < pg->prepared_n; i++) {
        if (pg->prepared[i].hash == hash && strcmp(pg->prepared[i].sql, sql) == 0) {
            assert(pg->prepared[i].types == types);
            return i;
        }
    }
    assert(pg->prepared_n < STATEMENTS_MAX);
    if (pg->prepared_n == pg->prepared_cap) {
        pg->prepared_cap = pg->prepared_cap == 0 ? 16 : pg->prepared_cap * 2;
        pg->prepared = memory_grow(pg->prepared, pg->prepared_cap * sizeof *pg->prepared);
    }
    pg->prepared[pg->prepared_n] = (struct prepared){.hash = hash, .sql = memory_text(sql), .types = types};
    return pg->prepared_n++;
}

enum status pipeline_send_prepared(struct pg *pg, const char *sql, const struct pg_args *args)
{
    size_t n = args == NULL ? 0 : args->n;
    size_t at = prepared_find(pg, sql, args == NULL ? 0 : args_types(args));
    char name[24];
    enum status status = STATUS_OK;

    snprintf(name, sizeof name, "s%zu", at);
    if (n > 0) {
        args_view(args);
    }
    if (!pg->prepared[at].sent) {
        status = sent(pg, PQsendPrepare(pg->conn, name, sql, (int)n, n == 0 ? NULL : args->oids));
        if (status == STATUS_OK) {
            pg->prepared[at].sent = true;
            pending_add(pg, PENDING_PREPARE, at);
        }
    }
    if (status == STATUS_OK) {
        status = sent(pg, PQsendQueryPrepared(pg->conn, name, (int)n, n == 0 ? NULL : args->values, n == 0 ? NULL : args->lengths,
                                              n == 0 ? NULL : args->formats, 1));
    }
    if (status == STATUS_OK) {
        pending_add(pg, PENDING_STATEMENT, 0);
    }
    if (status == STATUS_OK && owed(pg) > OWED_MAX) {
        status = flush_request(pg);
        if (status == STATUS_OK) {
            status = answers_wait(pg, OWED_MAX / 2);
        }
    }
    return status;
}

enum status pg_ship(struct pg *pg)
{
    if (!pg_is_connected(pg)) {
        return STATUS_CLOSED;
    }
    return pg->unsynced ? flush_request(pg) : STATUS_OK;
}

/* --- the end of a transaction ------------------------------------------------------------------ */

enum status pg_commit_send(struct pg *pg)
{
    assert(pg->commit != COMMIT_UNDER_WAY);
    if (!pg_is_connected(pg)) {
        return STATUS_CLOSED;
    }
    assert(pg->in_transaction);
    enum status status = pipeline_send(pg, PENDING_COMMIT, "COMMIT");
    if (status == STATUS_OK) {
        pg->commit = COMMIT_UNDER_WAY;
        pg->commit_deadline_us = wait_deadline_us(pg);
        status = sent(pg, PQpipelineSync(pg->conn));
    }
    if (status == STATUS_OK) {
        pending_add(pg, PENDING_SYNC, 0);
        status = output_write(pg);
    }
    /* A connection lost here leaves the end unknown, and that is for pg_commit_poll to say. */
    return status == STATUS_DOUBT ? STATUS_OK : status;
}

/* The commit's answer is there, or in doubt; the sync behind it may not be. */
static enum status commit_end(struct pg *pg)
{
    enum status status = pg->commit_status;

    pg->commit = COMMIT_NONE;
    if (pg_is_connected(pg)) {
        if (status == STATUS_OK) {
            pg->in_transaction = false;
            pg->warned = false;
        } else {
            pg_rollback(pg);
        }
    }
    return status;
}

enum status pg_commit_poll(struct pg *pg)
{
    assert(pg->commit != COMMIT_NONE);
    if (pg->commit == COMMIT_DONE && !pg_is_connected(pg)) {
        return commit_end(pg);
    }
    enum status status = input_read(pg);
    if (status != STATUS_OK) {
        return commit_end(pg);
    }
    if (owed(pg) == 0) {
        return commit_end(pg);
    }
    if (clock_boot_us() >= pg->commit_deadline_us) {
        error_set(pg, "the server did not answer COMMIT in time", "");
        connection_lost(pg);
        return commit_end(pg);
    }
    return STATUS_AGAIN;
}

enum status pg_commit_wait(struct pg *pg, int64_t until_us)
{
    enum status status;

    while ((status = pg_commit_poll(pg)) == STATUS_AGAIN) {
        int64_t now_us = clock_boot_us();
        if (now_us >= until_us) {
            break;
        }
        /* Once a second the commit's own deadline is looked at. */
        int64_t left_us = until_us - now_us < SECOND_US ? until_us - now_us : SECOND_US;
        struct pollfd item = {.fd = pg_socket(pg), .events = POLLIN};
        (void)poll(&item, 1, (int)(left_us / 1000) + 1);
    }
    return status;
}

enum status pg_commit(struct pg *pg)
{
    enum status status = pg_commit_send(pg);

    if (status != STATUS_OK) {
        return status;
    }
    if (pg->commit == COMMIT_UNDER_WAY) {
        (void)!answers_wait(pg, 0); /* however it ends, the commit's own state tells */
    }
    return pg_commit_poll(pg);
}
