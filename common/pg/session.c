/* Statements and transactions as callers see them. */
#include "pg/connection.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A commit under way is waited for: what is asked next must see it, or that it failed. */
static enum status ready(struct pg *pg)
{
    if (!pg_is_connected(pg)) {
        return STATUS_CLOSED;
    }
    if (pg->commit == COMMIT_NONE) {
        return pg->in_transaction && pg->failed ? STATUS_REFUSED : STATUS_OK;
    }
    (void)!pipeline_drain(pg);
    if (!pg_is_connected(pg)) {
        return STATUS_CLOSED;
    }
    assert(pg->commit == COMMIT_DONE);
    if (pg->commit_status == STATUS_OK) {
        pg->in_transaction = false;
    }
    return pg->commit_status;
}

static void begin_afresh(struct pg *pg)
{
    PQclear(pg->last);
    pg->last = NULL;
    pg->failed = false;
    if (pg->commit == COMMIT_NONE) {
        pg->warned = false;
    }
    error_set(pg, "", "");
}

static struct pg_result *last_take(struct pg *pg)
{
    PGresult *result = pg->last;

    pg->last = NULL;
    return result == NULL ? NULL : result_wrap(result);
}

enum status pg_query(struct pg *pg, const char *sql, const struct pg_args *args, struct pg_result **result)
{
    enum status status = ready(pg);

    if (status != STATUS_OK) {
        return status;
    }
    bool alone = !pg->in_transaction;
    if (alone) {
        begin_afresh(pg);
    }
    status = pipeline_send_prepared(pg, sql, args);
    if (status == STATUS_OK) {
        status = alone ? pipeline_sync(pg) : pipeline_drain(pg);
    }
    if (status == STATUS_OK && alone && pg->commit == COMMIT_NONE && pg->warned) {
        status = STATUS_DOUBT;
    }
    if (status == STATUS_OK && result != NULL) {
        *result = last_take(pg);
    }
    return status;
}

/* All results of plain SQL, outside of pipeline mode. */
static enum status run_results(struct pg *pg)
{
    int64_t deadline_us = wait_deadline_us(pg);
    enum status status = STATUS_OK, waited = STATUS_OK;

    for (;;) {
        int left = PQflush(pg->conn);
        while (waited == STATUS_OK && left >= 0 && (left > 0 || PQisBusy(pg->conn) == 1)) {
            waited = connection_wait(pg, left > 0, deadline_us);
            if (waited == STATUS_OK && PQconsumeInput(pg->conn) == 0 && PQisBusy(pg->conn) == 1) {
                waited = connection_lost(pg);
            }
            left = waited == STATUS_OK ? PQflush(pg->conn) : left;
        }
        if (waited != STATUS_OK) {
            return waited;
        }
        PGresult *result = PQgetResult(pg->conn);
        if (result == NULL) {
            return PQstatus(pg->conn) == CONNECTION_OK ? status : connection_lost(pg);
        }
        if (PQresultStatus(result) == PGRES_FATAL_ERROR && status == STATUS_OK) {
            error_from_result(pg, result);
            status = STATUS_REFUSED;
        }
        PQclear(result);
    }
}

static enum status run_plain(struct pg *pg, const char *sql)
{
    int left = PQexitPipelineMode(pg->conn);
    assert(left == 1);
    enum status status = PQsendQuery(pg->conn, sql) == 1 ? run_results(pg) : connection_lost(pg);
    if (pg_is_connected(pg)) {
        int entered = PQenterPipelineMode(pg->conn);
        assert(entered == 1);
    }
    return status;
}

enum status pg_run(struct pg *pg, const char *sql)
{
    enum status status = ready(pg);

    if (status != STATUS_OK) {
        return status;
    }
    if (!pg->in_transaction) {
        begin_afresh(pg);
    }
    if (pg->unsynced) {
        status = pipeline_sync(pg);
    }
    if (status != STATUS_OK) {
        return status;
    }
    status = run_plain(pg, sql);
    if (status == STATUS_REFUSED && pg->in_transaction) {
        pg->failed = true;
    } else if (status == STATUS_REFUSED && PQtransactionStatus(pg->conn) == PQTRANS_INERROR) {
        /* The text opened a transaction itself and broke off in it; the error stays the one to tell. */
        (void)!run_plain(pg, "ROLLBACK");
    } else if (status == STATUS_OK && !pg->in_transaction && pg->commit == COMMIT_NONE && pg->warned) {
        status = STATUS_DOUBT;
    }
    return status;
}

enum status pg_begin(struct pg *pg)
{
    assert(pg->commit == COMMIT_NONE && !pg->in_transaction);
    if (!pg_is_connected(pg)) {
        return STATUS_CLOSED;
    }
    begin_afresh(pg);
    enum status status = pipeline_send(pg, PENDING_STATEMENT, "BEGIN");
    if (status != STATUS_OK) {
        return status;
    }
    pg->in_transaction = true;
    if (pg->affected >= pg->replan_affected) {
        /* Cached plans were made when the tables had this many rows less: as these grow, look again, ever more rarely. */
        pg->replan_affected *= 2;
        pg->affected = 0;
        status = pipeline_send(pg, PENDING_STATEMENT, "DISCARD PLANS");
    }
    return status;
}

enum status pg_send(struct pg *pg, const char *sql, const struct pg_args *args)
{
    if (!pg_is_connected(pg)) {
        return STATUS_CLOSED;
    }
    assert(pg->in_transaction && pg->commit == COMMIT_NONE);
    if (pg->failed) {
        return STATUS_REFUSED;
    }
    return pipeline_send_prepared(pg, sql, args);
}

enum status pg_flush(struct pg *pg, struct pg_result **last)
{
    if (!pg_is_connected(pg)) {
        return STATUS_CLOSED;
    }
    assert(pg->in_transaction && pg->commit == COMMIT_NONE);
    enum status status = pipeline_drain(pg);
    if (status == STATUS_OK && last != NULL) {
        *last = last_take(pg);
    }
    return status;
}

void pg_rollback(struct pg *pg)
{
    /* Why it is taken back stays what is told, whatever comes of this. */
    char error[sizeof pg->error], sqlstate[sizeof pg->sqlstate];
    memcpy(error, pg->error, sizeof error);
    memcpy(sqlstate, pg->sqlstate, sizeof sqlstate);
    if (pg_is_connected(pg) && (pg->unsynced || pg->pending_n > pg->pending_first)) {
        (void)!pipeline_sync(pg);
    }
    pg->commit = COMMIT_NONE;
    pg->in_transaction = pg->failed = pg->warned = false;
    if (pg_is_connected(pg) && PQtransactionStatus(pg->conn) != PQTRANS_IDLE) {
        (void)!run_plain(pg, "ROLLBACK");
    }
    if (error[0] != '\0') {
        error_set(pg, error, sqlstate);
    }
}
