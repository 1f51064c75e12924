/* SQLite, for daemons that keep something where there is no PostgreSQL: one connection a file, statements prepared once, every
 * trouble a status. No prepared text is built from data. */
#ifndef AFTERCARE_SQLITE_DB_H
#define AFTERCARE_SQLITE_DB_H

#include "base/bytes.h"
#include "base/status.h"

struct db;
struct sqlite3_stmt;

enum db_sync {
    DB_SYNC_FULL, /* what is committed is on the disk */
    DB_SYNC_LAZY  /* what is committed is whole; a power cut may lose the last of it */
};

enum db_holder {
    DB_ALONE, /* nobody else may open the file meanwhile: no file of the log's index is left behind by a kill */
    DB_SHARED /* an operator's command may, too; each waits up to 5 s for the other */
};

/* Opens or makes a file (mode 0600) and runs `schema` (CREATE … IF NOT EXISTS). `texts` are its statements, named by their index
 * from here on. NULL: error says why (another process holds it; it is damaged; the disk). */
struct db *db_open(const char *path, enum db_sync, enum db_holder, const char *schema, const char *const *texts, int texts_n,
                   char *error, size_t error_cap);
void db_close(struct db **);

/* Statement i, reset and without values; parameters and columns count as SQLite has them: from 1, and from 0. */
struct sqlite3_stmt *db_use(struct db *, int i);
void db_int(struct sqlite3_stmt *, int at, int64_t);
void db_text(struct sqlite3_stmt *, int at, const char *);      /* borrowed until the statement is used again */
void db_bytes(struct sqlite3_stmt *, int at, struct bytes);     /* the same */
/* STATUS_OK: a row is there. STATUS_ABSENT: no (more) row. STATUS_FULL: no room on the disk. STATUS_CLOSED: other trouble. */
enum status db_step(struct db *, struct sqlite3_stmt *) MUST_CHECK;
/* The same for statements without rows: STATUS_OK when it is done. */
enum status db_do(struct db *, struct sqlite3_stmt *) MUST_CHECK;
/* Fixed text of ours, without parameters. */
enum status db_run(struct db *, const char *text) MUST_CHECK;
int64_t db_column_int(struct sqlite3_stmt *, int column);
void db_column_text(struct sqlite3_stmt *, int column, char *out, size_t cap);
struct bytes db_column_bytes(struct sqlite3_stmt *, int column); /* valid until the next step */
/* Rows the last statement changed. */
int64_t db_changes(struct db *);
/* Rows that were looked at for want of an index, since the file was opened: of a statement that runs with each event there are none,
 * or it takes the longer the more there is. */
int64_t db_scanned(struct db *);

/* A transaction; it begins by itself with db_begin and at most once. */
enum status db_begin(struct db *) MUST_CHECK;
bool db_is_open(const struct db *); /* within one */
/* STATUS_DOUBT: nobody knows whether it holds; only a new start tells. */
enum status db_commit(struct db *) MUST_CHECK;
void db_rollback(struct db *);
/* Moves the log into the file and empties it: what was erased is nowhere any more. */
enum status db_sweep(struct db *) MUST_CHECK;
const char *db_error(const struct db *);

#endif
