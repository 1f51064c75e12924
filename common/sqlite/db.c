#include "sqlite/db.h"
#include "base/text.h"
#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BUSY_MS 5000 /* for the other holder of a shared file */
#define WAL_AGAIN_MS 10

struct db {
    sqlite3 *sqlite;
    sqlite3_stmt **statements;
    const char *const *texts;
    int statements_n;
    bool open; /* a transaction */
    char error[200];
};

static enum status trouble(struct db *db, int code)
{
    text_format(db->error, sizeof(db->error), "%.120s (%d)", sqlite3_errmsg(db->sqlite), code);
    return (code & 0xff) == SQLITE_FULL ? STATUS_FULL : STATUS_CLOSED;
}

enum status db_run(struct db *db, const char *text)
{
    int code = sqlite3_exec(db->sqlite, text, NULL, NULL, NULL);
    return code == SQLITE_OK ? STATUS_OK : trouble(db, code);
}

/* Of two that open the file at once one may meet the other in the middle of going over to WAL. There SQLite does not ask the busy
 * timeout, since it would wait with its own lock in the hand: the whole step is done again, for as long. */
static enum status wal_begin(struct db *db, enum db_holder holder)
{
    for (int waited_ms = 0;; waited_ms += WAL_AGAIN_MS) {
        enum status status = db_run(db, "PRAGMA journal_mode = WAL");
        bool busy = (sqlite3_errcode(db->sqlite) & 0xff) == SQLITE_BUSY;
        if (status == STATUS_OK || !busy || holder == DB_ALONE || waited_ms >= BUSY_MS)
            return status;
        (void)sqlite3_sleep(WAL_AGAIN_MS);
    }
}

/* Exclusive before the log is first touched: then its index lives in memory, no file of it is left behind by a kill, and a
 * second process cannot come in. Erased bytes are overwritten. */
static enum status prepare_file(struct db *db, enum db_sync sync, enum db_holder holder, const char *schema)
{
    enum status status = STATUS_OK;
    if (holder == DB_ALONE)
        status = db_run(db, "PRAGMA locking_mode = EXCLUSIVE");
    else
        (void)sqlite3_busy_timeout(db->sqlite, BUSY_MS);
    if (status == STATUS_OK)
        status = wal_begin(db, holder);
    if (status == STATUS_OK)
        status = db_run(db, "PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = OFF");
    if (status == STATUS_OK)
        status = db_run(db, sync == DB_SYNC_FULL ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    if (status == STATUS_OK)
        status = db_run(db, "BEGIN IMMEDIATE");
    if (status == STATUS_OK)
        status = db_run(db, schema);
    if (status == STATUS_OK)
        status = db_run(db, "COMMIT");
    return status;
}

static enum status prepare_statements(struct db *db, const char *const *texts, int n)
{
    db->statements = memory_new((size_t)n * sizeof(db->statements[0]) + 1);
    for (; db->statements_n < n; db->statements_n++) {
        int code = sqlite3_prepare_v3(db->sqlite, texts[db->statements_n], -1, SQLITE_PREPARE_PERSISTENT,
                                      &db->statements[db->statements_n], NULL);
        if (code != SQLITE_OK)
            return trouble(db, code);
    }
    return STATUS_OK;
}

struct db *db_open(const char *path, enum db_sync sync, enum db_holder holder, const char *schema, const char *const *texts,
                   int texts_n, char *error, size_t error_cap)
{
    struct db *db = memory_new(sizeof(*db));
    mode_t before = umask(0077);
    int code = sqlite3_open_v2(path, &db->sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    enum status status = code == SQLITE_OK ? STATUS_OK : trouble(db, code);
    if (status == STATUS_OK)
        status = prepare_file(db, sync, holder, schema);
    if (status == STATUS_OK)
        status = prepare_statements(db, texts, texts_n);
    (void)umask(before);
    if (status == STATUS_OK)
        return db;
    bool held = (sqlite3_errcode(db->sqlite) & 0xff) == SQLITE_BUSY;
    (void)text_copy(error, error_cap, held ? "another process has it open" : db->error);
    db_close(&db);
    return NULL;
}

void db_close(struct db **db_p)
{
    struct db *db = *db_p;
    if (db == NULL)
        return;
    for (int i = 0; i < db->statements_n; i++)
        (void)sqlite3_finalize(db->statements[i]);
    (void)sqlite3_close(db->sqlite);
    free(db->statements);
    free(db);
    *db_p = NULL;
}

sqlite3_stmt *db_use(struct db *db, int i)
{
    assert(i >= 0 && i < db->statements_n);
    sqlite3_stmt *statement = db->statements[i];
    (void)sqlite3_reset(statement);
    (void)sqlite3_clear_bindings(statement);
    return statement;
}

void db_int(sqlite3_stmt *statement, int at, int64_t value)
{
    int code = sqlite3_bind_int64(statement, at, value);
    assert(code == SQLITE_OK);
}

void db_text(sqlite3_stmt *statement, int at, const char *value)
{
    int code = sqlite3_bind_text(statement, at, value, -1, SQLITE_STATIC);
    assert(code == SQLITE_OK);
}

void db_bytes(sqlite3_stmt *statement, int at, struct bytes value)
{
    int code = sqlite3_bind_blob64(statement, at, value.len > 0 ? (const void *)value.data : "", value.len, SQLITE_STATIC);
    assert(code == SQLITE_OK);
}

enum status db_step(struct db *db, sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        return STATUS_OK;
    enum status status = code == SQLITE_DONE ? STATUS_ABSENT : trouble(db, code);
    (void)sqlite3_reset(statement);
    return status;
}

enum status db_do(struct db *db, sqlite3_stmt *statement)
{
    enum status status = db_step(db, statement);
    (void)sqlite3_reset(statement);
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

int64_t db_column_int(sqlite3_stmt *statement, int column)
{
    return sqlite3_column_int64(statement, column);
}

void db_column_text(sqlite3_stmt *statement, int column, char *out, size_t cap)
{
    const unsigned char *text = sqlite3_column_text(statement, column);
    (void)text_copy(out, cap, text != NULL ? (const char *)text : "");
}

struct bytes db_column_bytes(sqlite3_stmt *statement, int column)
{
    const void *data = sqlite3_column_blob(statement, column);
    return bytes_of(data, (size_t)sqlite3_column_bytes(statement, column));
}

int64_t db_changes(struct db *db)
{
    return sqlite3_changes64(db->sqlite);
}

int64_t db_scanned(struct db *db)
{
    int64_t rows = 0;
    for (int i = 0; i < db->statements_n; i++)
        rows += sqlite3_stmt_status(db->statements[i], SQLITE_STMTSTATUS_FULLSCAN_STEP, 0);
    return rows;
}

enum status db_begin(struct db *db)
{
    if (db->open)
        return STATUS_OK;
    enum status status = db_run(db, "BEGIN IMMEDIATE");
    db->open = status == STATUS_OK;
    return status;
}

bool db_is_open(const struct db *db)
{
    return db->open;
}

/* A statement half read would keep the transaction from ending. */
static void reset_all(struct db *db)
{
    for (int i = 0; i < db->statements_n; i++)
        (void)sqlite3_reset(db->statements[i]);
}

enum status db_commit(struct db *db)
{
    if (!db->open)
        return STATUS_OK;
    reset_all(db);
    enum status status = db_run(db, "COMMIT");
    /* No room: nothing of it was written that counts. Anything else may or may not have reached the disk. */
    if (status == STATUS_FULL)
        db_rollback(db);
    else
        db->open = false;
    return status == STATUS_CLOSED ? STATUS_DOUBT : status;
}

void db_rollback(struct db *db)
{
    char error[sizeof(db->error)];
    memcpy(error, db->error, sizeof(error));
    reset_all(db);
    /* SQLite may have rolled back by itself already. */
    if (db->open && sqlite3_get_autocommit(db->sqlite) == 0)
        (void)sqlite3_exec(db->sqlite, "ROLLBACK", NULL, NULL, NULL);
    db->open = false;
    memcpy(db->error, error, sizeof(error));
}

enum status db_sweep(struct db *db)
{
    assert(!db->open);
    reset_all(db);
    int code = sqlite3_wal_checkpoint_v2(db->sqlite, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    return code == SQLITE_OK ? STATUS_OK : trouble(db, code);
}

const char *db_error(const struct db *db)
{
    return db->error;
}
