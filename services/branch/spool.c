/* The spool's file: opening, transactions, taking, forwarding. */
#include "spool.h"
#include "base/text.h"
#include "spool_inside.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The log must fit into the file's growth by the reserve, and what answers change besides. What one large commit made of it is given back. */
#define LOG_PAGES "PRAGMA wal_autocheckpoint = 128; PRAGMA journal_size_limit = 1048576"
#define RESERVE_BYTES (2 * 1024 * 1024)
#define NEARLY_FULL_PERCENT 80

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS fact(n INTEGER PRIMARY KEY, taken INTEGER NOT NULL, clock_off INTEGER NOT NULL,"
    " type TEXT NOT NULL, key TEXT NOT NULL, origin TEXT NOT NULL, draft BLOB NOT NULL);"
    "CREATE INDEX IF NOT EXISTS fact_key ON fact(key, n);"
    "CREATE TABLE IF NOT EXISTS origin(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, incarnation BLOB NOT NULL,"
    " last INTEGER NOT NULL, heard INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS answer(origin INTEGER NOT NULL, n INTEGER NOT NULL, digest BLOB NOT NULL, answer BLOB NOT NULL,"
    " given INTEGER NOT NULL, PRIMARY KEY(origin, n)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS series(name TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS request(id TEXT PRIMARY KEY, result BLOB NOT NULL, given INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS refused(n INTEGER PRIMARY KEY, taken INTEGER NOT NULL, refused INTEGER NOT NULL,"
    " clock_off INTEGER NOT NULL, type TEXT NOT NULL, key TEXT NOT NULL, origin TEXT NOT NULL, code TEXT NOT NULL,"
    " field TEXT NOT NULL, args TEXT NOT NULL, state INTEGER NOT NULL, corrected_by INTEGER NOT NULL, reason TEXT NOT NULL,"
    " who TEXT NOT NULL, draft BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS erased(name TEXT PRIMARY KEY, upto INTEGER NOT NULL) WITHOUT ROWID;";

static const char *const texts[SPOOL_STATEMENTS_N] = {
    [META_GET] = "SELECT value FROM meta WHERE name = ?",
    [META_PUT] = "INSERT INTO meta(name, value) VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value",
    [META_PROBE] = "INSERT OR REPLACE INTO meta(name, value) VALUES('probe', zeroblob(4096))",
    [META_PROBED] = "DELETE FROM meta WHERE name = 'probe'",
    [FACT_ADD] = "INSERT INTO fact(n, taken, clock_off, type, key, origin, draft) VALUES(?, ?, ?, ?, ?, ?, ?)",
    [FACT_READ] = "SELECT n, draft FROM fact WHERE n >= ? ORDER BY n LIMIT ?",
    [FACT_TRIM] = "DELETE FROM fact WHERE n <= ?",
    [FACT_SUM] = "SELECT count(*), coalesce(sum(length(draft)), 0) FROM fact",
    [FACT_SUM_UPTO] = "SELECT count(*), coalesce(sum(length(draft)), 0) FROM fact WHERE n <= ?",
    [FACT_OLDEST] = "SELECT n, taken FROM fact ORDER BY n LIMIT 1",
    /* By way of numbers below zero: no two rows may share one on the way. */
    [FACT_AWAY] = "UPDATE fact SET n = -(n + ?)",
    [FACT_BACK] = "UPDATE fact SET n = -n",
    [FACT_NEXT] = "SELECT n, taken, clock_off, length(draft), type, key, origin FROM fact WHERE n >= ? ORDER BY n LIMIT 1",
    [FACT_NEXT_OF] =
        "SELECT n, taken, clock_off, length(draft), type, key, origin FROM fact WHERE n >= ? AND key = ? ORDER BY n LIMIT 1",
    [FACT_LAST_OF] =
        "SELECT n, taken, clock_off, length(draft), type, key, origin FROM fact WHERE key = ? ORDER BY n DESC LIMIT 1",
    [FACT_DRAFT] = "SELECT n, draft FROM fact WHERE n >= ? AND n <= ? ORDER BY n LIMIT 1",
    [FACT_BLANK] = "UPDATE fact SET draft = ? WHERE n = ?",
    [ORIGIN_GET] = "SELECT id, incarnation, last FROM origin WHERE name = ?",
    [ORIGIN_ADD] = "INSERT INTO origin(name, incarnation, last, heard) VALUES(?, ?, ?, ?) RETURNING id",
    [ORIGIN_PUT] = "UPDATE origin SET incarnation = ?, last = ?, heard = ? WHERE id = ?",
    [ANSWER_GET] = "SELECT digest, answer FROM answer WHERE origin = ? AND n = ?",
    [ANSWER_ADD] = "INSERT INTO answer(origin, n, digest, answer, given) VALUES(?, ?, ?, ?, ?)",
    [ANSWER_FORGET] = "DELETE FROM answer WHERE origin = ? AND n < ?",
    [ANSWER_AGE] = "DELETE FROM answer WHERE given < ?",
    [SERIES_NEXT] = "INSERT INTO series(name, last) VALUES(?, 1) ON CONFLICT(name) DO UPDATE SET last = last + 1 RETURNING last",
    [SERIES_SEEN] = "INSERT INTO series(name, last) VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET last = max(last, excluded.last)",
    [SERIES_GET] = "SELECT last FROM series WHERE name = ?",
    [REQUEST_GET] = "SELECT result FROM request WHERE id = ?",
    [REQUEST_ADD] = "INSERT OR REPLACE INTO request(id, result, given) VALUES(?, ?, ?)",
    [REQUEST_FORGET] = "DELETE FROM request WHERE id = ?",
    [REQUEST_AGE] = "DELETE FROM request WHERE given < ?",
    [REFUSED_ADD] =
        "INSERT OR REPLACE INTO refused(n, taken, refused, clock_off, type, key, origin, code, field, args, state, corrected_by,"
        " reason, who, draft) SELECT n, taken, ?, clock_off, type, key, origin, ?, ?, ?, 0, 0, '', '', draft FROM fact WHERE n = ?",
    [REFUSED_COUNT] = "SELECT count(*) FROM refused WHERE state = 0",
    [REFUSED_NEXT] =
        "SELECT n, taken, refused, clock_off, type, key, origin, code, field, args, state, corrected_by, reason, who, draft"
        " FROM refused WHERE n >= ? AND (state = 0 OR ?) ORDER BY n LIMIT 1",
    [REFUSED_SETTLE] =
        "UPDATE refused SET state = ?, corrected_by = ?, reason = ?, who = ?, draft = x'' WHERE n = ? AND state = 0",
    [REFUSED_AGE] = "DELETE FROM refused WHERE state <> 0 AND refused < ?",
    [REFUSED_DRAFT] = "SELECT n, draft FROM refused WHERE n >= ? AND n <= ? AND state = 0 ORDER BY n LIMIT 1",
    [REFUSED_BLANK] = "UPDATE refused SET draft = ?, args = '' WHERE n = ?",
    [ERASED_PUT] = "INSERT INTO erased(name, upto) VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET upto = excluded.upto",
    [ERASED_LEARN] = "INSERT INTO erased(name, upto) VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET upto = excluded.upto"
                     " WHERE excluded.upto > erased.upto",
    [ERASED_FIND] = "SELECT upto FROM erased WHERE name = ?",
    [ERASED_LAST] = "SELECT coalesce(max(upto), 0) FROM erased",
    [ERASED_END] = "DELETE FROM erased WHERE upto < ?",
    [ERASED_COUNT] = "SELECT count(*) FROM erased",
};

/* --- the file ------------------------------------------------------------------------------------- */

static enum status meta_get(struct spool *spool, const char *name, struct sqlite3_stmt **row)
{
    *row = db_use(spool->db, META_GET);
    db_text(*row, 1, name);
    return db_step(spool->db, *row);
}

static enum status meta_put_int(struct spool *spool, const char *name, int64_t value)
{
    struct sqlite3_stmt *put = db_use(spool->db, META_PUT);
    db_text(put, 1, name);
    db_int(put, 2, value);
    return db_do(spool->db, put);
}

static enum status incarnation_load(struct spool *spool)
{
    struct sqlite3_stmt *row;
    enum status status = meta_get(spool, "incarnation", &row);
    if (status == STATUS_OK) {
        struct bytes stored = db_column_bytes(row, 0);
        if (stored.len != INCARNATION_BYTES)
            return STATUS_REFUSED;
        memcpy(spool->state.incarnation, stored.data, INCARNATION_BYTES);
        return STATUS_OK;
    }
    if (status != STATUS_ABSENT)
        return status;
    random_fill(spool->state.incarnation, INCARNATION_BYTES);
    struct sqlite3_stmt *put = db_use(spool->db, META_PUT);
    db_text(put, 1, "incarnation");
    db_bytes(put, 2, bytes_of(spool->state.incarnation, INCARNATION_BYTES));
    status = db_do(spool->db, put);
    return status == STATUS_OK ? meta_put_int(spool, "last", 0) : status;
}

static enum status int_load(struct spool *spool, const char *name, int64_t *out)
{
    struct sqlite3_stmt *row;
    enum status status = meta_get(spool, name, &row);
    *out = status == STATUS_OK ? db_column_int(row, 0) : 0;
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

static enum status counts_load(struct spool *spool)
{
    struct spool_state *state = &spool->state;
    struct sqlite3_stmt *row = db_use(spool->db, FACT_SUM);
    enum status status = db_step(spool->db, row);
    if (status != STATUS_OK)
        return status;
    state->facts = db_column_int(row, 0);
    state->bytes = db_column_int(row, 1);
    row = db_use(spool->db, REFUSED_COUNT);
    status = db_step(spool->db, row);
    state->refused = status == STATUS_OK ? db_column_int(row, 0) : 0;
    if (status != STATUS_OK)
        return status;
    row = db_use(spool->db, ERASED_COUNT);
    status = db_step(spool->db, row);
    spool->erased = status == STATUS_OK ? db_column_int(row, 0) : 0;
    return status;
}

static enum status oldest_load(struct spool *spool)
{
    struct spool_state *state = &spool->state;
    struct sqlite3_stmt *row = db_use(spool->db, FACT_OLDEST);
    enum status status = db_step(spool->db, row);
    state->first = status == STATUS_OK ? db_column_int(row, 0) : state->last + 1;
    state->oldest_us = status == STATUS_OK ? db_column_int(row, 1) : 0;
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

static enum status state_load(struct spool *spool)
{
    struct sqlite3_stmt *row;
    int64_t welcomed = 0;
    enum status status = incarnation_load(spool);
    if (status == STATUS_OK)
        status = int_load(spool, "last", &spool->state.last);
    if (status == STATUS_OK)
        status = int_load(spool, "welcomed", &welcomed);
    spool->state.welcomed = welcomed != 0;
    if (status == STATUS_OK)
        status = counts_load(spool);
    if (status == STATUS_OK)
        status = oldest_load(spool);
    if (status != STATUS_OK)
        return status;
    status = meta_get(spool, "stream", &row);
    if (status == STATUS_OK)
        db_column_text(row, 0, spool->state.stream, sizeof(spool->state.stream));
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

struct spool *spool_open(const char *path, const struct spool_limits *limits, char *error, size_t error_cap)
{
    struct spool *spool = memory_new(sizeof(*spool));
    spool->limits = *limits;
    spool->blanked = INT64_MAX;
    (void)snprintf(spool->reserve, sizeof(spool->reserve), "%s-reserve", path);
    spool->db = db_open(path, DB_SYNC_FULL, DB_ALONE, schema, texts, SPOOL_STATEMENTS_N, error, error_cap);
    enum status status = spool->db != NULL ? db_run(spool->db, LOG_PAGES) : STATUS_CLOSED;
    if (status == STATUS_OK)
        status = spool_begin(spool);
    if (status == STATUS_OK)
        status = state_load(spool);
    if (status == STATUS_OK)
        status = spool_commit(spool);
    if (status == STATUS_OK)
        spool_reserve(spool);
    if (status == STATUS_OK)
        return spool;
    if (spool->db != NULL)
        (void)text_copy(error, error_cap, status == STATUS_REFUSED ? "not a spool" : db_error(spool->db));
    spool_close(&spool);
    return NULL;
}

void spool_close(struct spool **spool_p)
{
    struct spool *spool = *spool_p;
    if (spool == NULL)
        return;
    if (spool->db != NULL && db_is_open(spool->db))
        db_rollback(spool->db);
    db_close(&spool->db);
    buf_release(&spool->kept);
    free(spool);
    *spool_p = NULL;
}

const struct spool_state *spool_state(const struct spool *spool)
{
    return &spool->state;
}

const char *spool_error(const struct spool *spool)
{
    return db_error(spool->db);
}

enum status spool_begin(struct spool *spool)
{
    if (!spool->changing)
        spool->before = spool->state;
    spool->changing = true;
    return db_begin(spool->db);
}

enum status spool_commit(struct spool *spool)
{
    if (!spool->changing)
        return STATUS_OK;
    enum status status = STATUS_OK;
    if (spool->state.last != spool->before.last)
        status = meta_put_int(spool, "last", spool->state.last);
    if (status == STATUS_OK)
        status = db_commit(spool->db);
    if (status == STATUS_FULL || status == STATUS_CLOSED) {
        spool_rollback(spool);
        return STATUS_FULL; /* nothing of it holds, whatever the disk's word was */
    }
    spool->changing = false;
    return status;
}

void spool_rollback(struct spool *spool)
{
    db_rollback(spool->db);
    if (spool->changing)
        spool->state = spool->before;
    spool->changing = false;
    spool->blanked = INT64_MAX;
}

/* --- room ----------------------------------------------------------------------------------------- */

void spool_reserve(struct spool *spool)
{
    if (spool->reserved)
        return;
    int fd = open(spool->reserve, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    spool->reserved = fd >= 0 && posix_fallocate(fd, 0, RESERVE_BYTES) == 0;
    if (fd >= 0)
        close(fd);
    if (!spool->reserved)
        (void)unlink(spool->reserve);
}

enum status spool_give_up_reserve(struct spool *spool)
{
    if (!spool->reserved)
        return STATUS_FULL;
    spool->reserved = false;
    (void)unlink(spool->reserve);
    /* With that much room the log can go into the file, and gives its own back. */
    return spool_sweep(spool) == STATUS_OK ? STATUS_OK : STATUS_AGAIN;
}

bool spool_has_reserve(const struct spool *spool)
{
    return spool->reserved;
}

bool spool_lacks_disk(const struct spool *spool)
{
    return !spool->reserved && spool->state.facts > 0;
}

enum status spool_probe(struct spool *spool)
{
    static const enum spool_statement steps[] = {META_PROBE, META_PROBED};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < COUNT_OF(steps) && status == STATUS_OK; i++) {
        status = spool_begin(spool);
        if (status == STATUS_OK)
            status = db_do(spool->db, db_use(spool->db, (int)steps[i]));
        if (status == STATUS_OK)
            status = spool_commit(spool);
    }
    if (status == STATUS_OK || status == STATUS_DOUBT)
        return status;
    spool_rollback(spool);
    return STATUS_FULL;
}

/* --- taking --------------------------------------------------------------------------------------- */

bool spool_is_full(const struct spool *spool)
{
    return spool->state.facts >= spool->limits.facts_max || spool->state.bytes >= spool->limits.bytes_max;
}

int64_t spool_full_percent(const struct spool *spool)
{
    int64_t facts = spool->state.facts * 100 / spool->limits.facts_max, bytes = spool->state.bytes * 100 / spool->limits.bytes_max;
    return facts > bytes ? facts : bytes;
}

bool spool_is_nearly_full(const struct spool *spool)
{
    return spool_full_percent(spool) >= NEARLY_FULL_PERCENT;
}

enum status spool_take(struct spool *spool, const struct spool_fact *fact, int64_t *n)
{
    struct spool_state *state = &spool->state;
    enum status status = spool_begin(spool);
    if (status != STATUS_OK)
        return status;
    struct sqlite3_stmt *add = db_use(spool->db, FACT_ADD);
    db_int(add, 1, state->last + 1);
    db_int(add, 2, fact->taken_us);
    db_int(add, 3, fact->clock_off_us);
    db_text(add, 4, fact->type);
    db_text(add, 5, fact->key);
    db_text(add, 6, fact->origin);
    db_bytes(add, 7, fact->draft);
    status = db_do(spool->db, add);
    if (status != STATUS_OK)
        return status;
    if (state->facts == 0) {
        state->first = state->last + 1;
        state->oldest_us = fact->taken_us;
    }
    *n = ++state->last;
    state->facts++;
    state->bytes += (int64_t)fact->draft.len;
    return STATUS_OK;
}

/* --- forwarding ----------------------------------------------------------------------------------- */

enum status spool_stream_keep(struct spool *spool, const char *stream)
{
    enum status status = spool_begin(spool);
    if (status != STATUS_OK)
        return status;
    struct sqlite3_stmt *put = db_use(spool->db, META_PUT);
    db_text(put, 1, "stream");
    db_text(put, 2, stream);
    status = db_do(spool->db, put);
    if (status == STATUS_OK)
        (void)text_copy(spool->state.stream, sizeof(spool->state.stream), stream);
    return status;
}

enum status spool_welcomed(struct spool *spool, int64_t durable)
{
    struct spool_state *state = &spool->state;
    enum status status = spool_begin(spool);
    if (status == STATUS_OK && durable > 0) {
        struct sqlite3_stmt *away = db_use(spool->db, FACT_AWAY);
        db_int(away, 1, durable);
        status = db_do(spool->db, away);
        if (status == STATUS_OK)
            status = db_do(spool->db, db_use(spool->db, FACT_BACK));
    }
    if (status == STATUS_OK)
        status = meta_put_int(spool, "welcomed", 1);
    if (status != STATUS_OK)
        return status;
    spool->blanked = INT64_MAX;
    state->welcomed = true;
    state->last += durable;
    state->first += durable;
    return STATUS_OK;
}

enum status spool_read(struct spool *spool, int64_t from, size_t bytes_max, struct spool_piece *out)
{
    struct sqlite3_stmt *row = db_use(spool->db, FACT_READ);
    size_t ends[SPOOL_READ_MAX];
    enum status status;
    db_int(row, 1, from);
    db_int(row, 2, SPOOL_READ_MAX);
    out->n = from;
    out->count = 0;
    buf_reset(&out->bytes);
    while ((status = db_step(spool->db, row)) == STATUS_OK) {
        struct bytes draft = db_column_bytes(row, 1);
        if (out->count > 0 && out->bytes.len + draft.len > bytes_max)
            break;
        if (db_column_int(row, 0) != from + out->count) /* a hole: not one of ours */
            return STATUS_REFUSED;
        buf_append(&out->bytes, draft.data, draft.len);
        ends[out->count++] = out->bytes.len;
    }
    (void)db_use(spool->db, FACT_READ); /* nothing stays half read */
    for (uint32_t i = 0; i < out->count; i++) {
        size_t start = i > 0 ? ends[i - 1] : 0;
        out->drafts[i] = bytes_of(out->bytes.data + start, ends[i] - start);
    }
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

enum status spool_trim(struct spool *spool, int64_t n)
{
    struct spool_state *state = &spool->state;
    if (state->facts == 0 || n < state->first)
        return STATUS_OK;
    enum status status = spool_begin(spool);
    if (status != STATUS_OK)
        return status;
    struct sqlite3_stmt *sum = db_use(spool->db, FACT_SUM_UPTO);
    db_int(sum, 1, n);
    status = db_step(spool->db, sum);
    if (status != STATUS_OK)
        return status;
    int64_t facts = db_column_int(sum, 0), bytes = db_column_int(sum, 1);
    struct sqlite3_stmt *trim = db_use(spool->db, FACT_TRIM);
    db_int(trim, 1, n);
    status = db_do(spool->db, trim);
    if (status != STATUS_OK)
        return status;
    state->facts -= facts;
    state->bytes -= bytes;
    return oldest_load(spool);
}
