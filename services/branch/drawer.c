/* The drawer's file: opening, transactions, what is expected and comes, what is sent. */
#include "drawer.h"
#include "base/text.h"
#include "drawer_inside.h"
#include <stdlib.h>
#include <string.h>

#define LOG_PAGES "PRAGMA wal_autocheckpoint = 256; PRAGMA journal_size_limit = 2097152"

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS file(sha256 BLOB PRIMARY KEY, bytes INTEGER NOT NULL, upto INTEGER NOT NULL, state INTEGER NOT NULL,"
    " taken INTEGER NOT NULL, held INTEGER NOT NULL, code TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS file_next ON file(state, taken);"
    /* How long facts say it is; file.bytes: the longest. One of them may be wrong. */
    "CREATE TABLE IF NOT EXISTS size(sha256 BLOB NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY(sha256, bytes)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS owner(sha256 BLOB NOT NULL, ticket TEXT NOT NULL, PRIMARY KEY(sha256, ticket)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS owner_ticket ON owner(ticket, sha256);"
    /* How many facts more than one name it for this ticket. */
    "CREATE TABLE IF NOT EXISTS further(sha256 BLOB NOT NULL, ticket TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(sha256, ticket))"
    " WITHOUT ROWID;"
    /* The first of them: those before it named what has gone since, and count no more. */
    "CREATE TABLE IF NOT EXISTS since(sha256 BLOB NOT NULL, ticket TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(sha256, ticket))"
    " WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS part(sha256 BLOB NOT NULL, at INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY(sha256, at));"
    /* By a clock that begins with the machine: in memory only. (file.held is of before.) */
    "CREATE TEMP TABLE held(sha256 BLOB PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;";

static const char *const texts[DRAWER_STATEMENTS_N] = {
    [FILE_GET] = "SELECT bytes, upto, state FROM file WHERE sha256 = ?",
    /* What was sent has no bytes here any more: named again, it is brought again. Whatever is named again is as young as that. */
    [FILE_EXPECT] = "INSERT INTO file(sha256, bytes, upto, state, taken, held, code) VALUES(?, ?, 0, 0, ?, 0, '')"
                    " ON CONFLICT(sha256) DO UPDATE SET bytes = CASE state WHEN 1 THEN bytes ELSE max(bytes, excluded.bytes) END,"
                    " upto = CASE state WHEN 2 THEN 0 ELSE upto END, state = CASE state WHEN 1 THEN 1 ELSE 0 END, code = '', taken = excluded.taken",
    [FILE_UPTO] = "UPDATE file SET upto = ?, taken = ? WHERE sha256 = ?",
    /* Whole or sent: its length is known. */
    [FILE_STATE] = "UPDATE file SET state = ?, taken = ?, bytes = upto, code = '' WHERE sha256 = ?",
    [FILE_CODE] = "UPDATE file SET code = ? WHERE sha256 = ?",
    [FILE_NEXT] = "SELECT sha256, bytes FROM file f WHERE state = 1"
                  " AND NOT EXISTS (SELECT 1 FROM held h WHERE h.sha256 = f.sha256 AND h.until > ?) ORDER BY taken LIMIT 1",
    [FILE_SUM] = "SELECT coalesce(sum(upto), 0) FROM file WHERE state < 2",
    [FILE_COUNT] = "SELECT count(*) FROM file WHERE state = 1",
    [FILE_DELETE] = "DELETE FROM file WHERE sha256 = ?",
    [FILE_ORPHANS] = "DELETE FROM file WHERE sha256 NOT IN (SELECT sha256 FROM owner)",
    [FILE_OLD] = "DELETE FROM file WHERE (state = 0 AND taken < ?) OR ((state = 2 OR code <> '') AND taken < ?)",
    [HELD_PUT] = "INSERT OR REPLACE INTO held(sha256, until) VALUES(?, ?)",
    [HELD_END] = "DELETE FROM held WHERE sha256 = ?",
    [HELD_ORPHANS] = "DELETE FROM held WHERE sha256 NOT IN (SELECT sha256 FROM file)",
    [SIZE_KEEP] = "INSERT OR IGNORE INTO size(sha256, bytes) SELECT sha256, bytes FROM file WHERE sha256 = ?",
    [SIZE_ADD] = "INSERT OR IGNORE INTO size(sha256, bytes) VALUES(?, ?)",
    [SIZE_FIND] = "SELECT 1 FROM size WHERE sha256 = ? AND bytes = ?",
    [SIZE_ORPHANS] = "DELETE FROM size WHERE sha256 NOT IN (SELECT sha256 FROM file)",
    [OWNER_ADD] = "INSERT INTO owner(sha256, ticket) VALUES(?, ?) ON CONFLICT DO NOTHING",
    [OWNER_REMOVE] = "DELETE FROM owner WHERE sha256 = ? AND ticket = ?",
    [OWNER_DELETE] = "DELETE FROM owner WHERE ticket = ?",
    [OWNER_ORPHANS] = "DELETE FROM owner WHERE sha256 NOT IN (SELECT sha256 FROM file)",
    [FURTHER_ADD] = "INSERT INTO further(sha256, ticket, n) VALUES(?, ?, 1) ON CONFLICT DO UPDATE SET n = n + 1",
    [FURTHER_LESS] = "UPDATE further SET n = n - 1 WHERE sha256 = ? AND ticket = ? AND n > 0",
    [FURTHER_ORPHANS] = "DELETE FROM further WHERE (sha256, ticket) NOT IN (SELECT sha256, ticket FROM owner)",
    [SINCE_PUT] = "INSERT OR REPLACE INTO since(sha256, ticket, n) VALUES(?, ?, ?)",
    [SINCE_FIND] = "SELECT 1 FROM since WHERE sha256 = ? AND ticket = ? AND n > ?",
    [SINCE_ORPHANS] = "DELETE FROM since WHERE (sha256, ticket) NOT IN (SELECT sha256, ticket FROM owner)",
    [PART_ADD] = "INSERT INTO part(sha256, at, data) VALUES(?, ?, ?)",
    [PART_READ] = "SELECT at, data FROM part WHERE sha256 = ? AND at <= ? ORDER BY at DESC LIMIT 1",
    [PART_DELETE] = "DELETE FROM part WHERE sha256 = ?",
    [PART_ORPHANS] = "DELETE FROM part WHERE sha256 NOT IN (SELECT sha256 FROM file)",
    [PART_PROBE] = "INSERT OR REPLACE INTO part(sha256, at, data) VALUES(x'', 0, zeroblob(131072))",
    [PART_PROBED] = "DELETE FROM part WHERE sha256 = x''",
    [ROW_NEXT] = "SELECT o.sha256, o.ticket, f.bytes, f.upto, f.taken, f.state, f.code FROM owner o JOIN file f ON f.sha256 = o.sha256"
                 " WHERE f.state < 2 AND (o.sha256, o.ticket) > (?, ?) AND (? = '' OR o.ticket = ?) ORDER BY o.sha256, o.ticket LIMIT 1",
};

/* --- the file -------------------------------------------------------------------------------------- */

static enum status waiting_count(struct drawer *drawer)
{
    struct sqlite3_stmt *row = db_use(drawer->db, FILE_COUNT);
    enum status status = db_step(drawer->db, row);
    if (status == STATUS_OK)
        drawer->waiting = db_column_int(row, 0);
    (void)db_use(drawer->db, FILE_COUNT);
    return status;
}

struct drawer *drawer_open(const char *path, int64_t bytes_max, char *error, size_t error_cap)
{
    struct drawer *drawer = memory_new(sizeof(*drawer));
    drawer->bytes_max = bytes_max;
    drawer->db = db_open(path, DB_SYNC_FULL, DB_ALONE, schema, texts, DRAWER_STATEMENTS_N, error, error_cap);
    enum status status = drawer->db != NULL ? db_run(drawer->db, LOG_PAGES) : STATUS_CLOSED;
    if (status == STATUS_OK)
        status = waiting_count(drawer);
    if (status == STATUS_OK)
        return drawer;
    if (drawer->db != NULL)
        (void)text_copy(error, error_cap, db_error(drawer->db));
    drawer_close(&drawer);
    return NULL;
}

void drawer_close(struct drawer **self)
{
    struct drawer *drawer = *self;
    if (drawer == NULL)
        return;
    if (drawer->db != NULL && db_is_open(drawer->db))
        db_rollback(drawer->db);
    db_close(&drawer->db);
    free(drawer);
    *self = NULL;
}

const char *drawer_error(const struct drawer *drawer)
{
    return db_error(drawer->db);
}

enum status drawer_begin(struct drawer *drawer)
{
    drawer->changing = true;
    return db_begin(drawer->db);
}

enum status drawer_commit(struct drawer *drawer)
{
    if (!drawer->changing)
        return STATUS_OK;
    enum status status = waiting_count(drawer);
    if (status == STATUS_OK)
        status = db_commit(drawer->db);
    if (status != STATUS_OK && status != STATUS_DOUBT) {
        drawer_rollback(drawer);
        return STATUS_FULL; /* nothing of it holds, whatever the disk's word was */
    }
    drawer->changing = false;
    return status;
}

void drawer_rollback(struct drawer *drawer)
{
    db_rollback(drawer->db);
    drawer->changing = false;
    if (waiting_count(drawer) != STATUS_OK)
        drawer->waiting = 0;
}

enum status drawer_sweep(struct drawer *drawer)
{
    return db_sweep(drawer->db);
}

int64_t drawer_waiting(const struct drawer *drawer)
{
    return drawer->waiting;
}

/* --- statements ------------------------------------------------------------------------------------ */

struct bytes drawer_digest(const uint8_t sha256[DIGEST_BYTES])
{
    return bytes_of(sha256, DIGEST_BYTES);
}

enum status drawer_do(struct drawer *drawer, enum drawer_statement which, const uint8_t sha256[DIGEST_BYTES])
{
    struct sqlite3_stmt *statement = db_use(drawer->db, (int)which);
    db_bytes(statement, 1, drawer_digest(sha256));
    return db_do(drawer->db, statement);
}

enum status drawer_do_of(struct drawer *drawer, enum drawer_statement which, const uint8_t sha256[DIGEST_BYTES], const char *ticket)
{
    struct sqlite3_stmt *statement = db_use(drawer->db, (int)which);
    db_bytes(statement, 1, drawer_digest(sha256));
    db_text(statement, 2, ticket);
    return db_do(drawer->db, statement);
}

static enum status state_put(struct drawer *drawer, const uint8_t sha256[DIGEST_BYTES], enum file_state state, int64_t now_us)
{
    struct sqlite3_stmt *put = db_use(drawer->db, FILE_STATE);
    db_int(put, 1, state);
    db_int(put, 2, now_us);
    db_bytes(put, 3, drawer_digest(sha256));
    return db_do(drawer->db, put);
}

static enum status upto_put(struct drawer *drawer, const uint8_t sha256[DIGEST_BYTES], int64_t upto, int64_t now_us)
{
    struct sqlite3_stmt *put = db_use(drawer->db, FILE_UPTO);
    db_int(put, 1, upto);
    db_int(put, 2, now_us);
    db_bytes(put, 3, drawer_digest(sha256));
    return db_do(drawer->db, put);
}

/* --- taking ---------------------------------------------------------------------------------------- */

static enum status file_expect(struct drawer *drawer, const uint8_t sha256[DIGEST_BYTES], int64_t bytes, int64_t now_us)
{
    enum status status = drawer_do(drawer, SIZE_KEEP, sha256);
    if (status != STATUS_OK)
        return status;
    struct sqlite3_stmt *size = db_use(drawer->db, SIZE_ADD);
    db_bytes(size, 1, drawer_digest(sha256));
    db_int(size, 2, bytes);
    status = db_do(drawer->db, size);
    if (status != STATUS_OK)
        return status;
    struct sqlite3_stmt *expect = db_use(drawer->db, FILE_EXPECT);
    db_bytes(expect, 1, drawer_digest(sha256));
    db_int(expect, 2, bytes);
    db_int(expect, 3, now_us);
    return db_do(drawer->db, expect);
}

static enum status since_put(struct drawer *drawer, const uint8_t sha256[DIGEST_BYTES], const char *ticket, int64_t n)
{
    struct sqlite3_stmt *put = db_use(drawer->db, SINCE_PUT);
    db_bytes(put, 1, drawer_digest(sha256));
    db_text(put, 2, ticket);
    db_int(put, 3, n);
    return db_do(drawer->db, put);
}

enum status drawer_expect(struct drawer *drawer, const uint8_t sha256[DIGEST_BYTES], int64_t bytes, const char *ticket, int64_t n, int64_t now_us)
{
    enum status status = drawer_begin(drawer);
    if (status == STATUS_OK)
        status = file_expect(drawer, sha256, bytes, now_us);
    if (status == STATUS_OK)
        status = drawer_do(drawer, HELD_END, sha256); /* behind this fact the centre may see it otherwise */
    if (status == STATUS_OK)
        status = drawer_do_of(drawer, OWNER_ADD, sha256, ticket);
    if (status != STATUS_OK)
        return status;
    return db_changes(drawer->db) > 0 ? since_put(drawer, sha256, ticket, n) : drawer_do_of(drawer, FURTHER_ADD, sha256, ticket);
}

static void refuse(struct verb_have *have, const char *code, const char *why)
{
    (void)text_copy(have->code, sizeof(have->code), code);
    (void)text_copy(have->why, sizeof(have->why), why);
}

struct standing {
    int64_t bytes, upto;
    enum file_state state;
};

static enum status standing_read(struct drawer *drawer, const uint8_t sha256[DIGEST_BYTES], struct standing *held)
{
    struct sqlite3_stmt *row = db_use(drawer->db, FILE_GET);
    db_bytes(row, 1, drawer_digest(sha256));
    enum status status = db_step(drawer->db, row);
    if (status == STATUS_OK)
        *held = (struct standing){
            .bytes = db_column_int(row, 0), .upto = db_column_int(row, 1), .state = (enum file_state)db_column_int(row, 2)};
    (void)db_use(drawer->db, FILE_GET);
    return status;
}

/* Does a fact say that it ends there? */
static enum status ends_at(struct drawer *drawer, const uint8_t sha256[DIGEST_BYTES], const struct standing *held, int64_t upto, bool *ends)
{
    *ends = upto == held->bytes;
    if (*ends)
        return STATUS_OK;
    struct sqlite3_stmt *row = db_use(drawer->db, SIZE_FIND);
    db_bytes(row, 1, drawer_digest(sha256));
    db_int(row, 2, upto);
    enum status status = db_step(drawer->db, row);
    *ends = status == STATUS_OK;
    (void)db_use(drawer->db, SIZE_FIND);
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

static enum status has_room(struct drawer *drawer, size_t n, bool *room)
{
    struct sqlite3_stmt *row = db_use(drawer->db, FILE_SUM);
    enum status status = db_step(drawer->db, row);
    if (status == STATUS_OK)
        *room = db_column_int(row, 0) + (int64_t)n <= drawer->bytes_max;
    (void)db_use(drawer->db, FILE_SUM);
    return status;
}

static enum status piece_add(struct drawer *drawer, const struct verb_put *put, int64_t now_us)
{
    struct sqlite3_stmt *add = db_use(drawer->db, PART_ADD);
    db_bytes(add, 1, drawer_digest(put->sha256));
    db_int(add, 2, put->offset);
    db_bytes(add, 3, put->bytes);
    enum status status = db_do(drawer->db, add);
    return status == STATUS_OK ? upto_put(drawer, put->sha256, put->offset + (int64_t)put->bytes.len, now_us) : status;
}

/* As the file has them. */
static enum status is_true(struct drawer *drawer, const uint8_t sha256[DIGEST_BYTES], int64_t bytes, bool *matches)
{
    struct digest *digest = digest_new();
    struct buf piece = {0};
    uint8_t found[DIGEST_BYTES];
    enum status status = STATUS_OK;
    for (int64_t at = 0; at < bytes && status == STATUS_OK; at += (int64_t)piece.len) {
        buf_reset(&piece);
        status = drawer_read(drawer, sha256, at, PART_BYTES_MAX, &piece);
        digest_add(digest, buf_bytes(&piece));
    }
    digest_end(&digest, found);
    buf_release(&piece);
    *matches = status == STATUS_OK && memcmp(found, sha256, DIGEST_BYTES) == 0;
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

/* All of it is there, by what a fact says: is it what it says? Otherwise it is brought anew, where no fact says that it goes on. */
static enum status judge(struct drawer *drawer, const struct verb_put *put, int64_t bytes_max, int64_t now_us, struct verb_have *have)
{
    bool matches = false;
    enum status status = is_true(drawer, put->sha256, have->upto, &matches);
    have->whole = matches;
    if (status == STATUS_OK && matches)
        return state_put(drawer, put->sha256, FILE_WHOLE, now_us);
    if (have->upto < bytes_max)
        return status;
    if (status == STATUS_OK)
        status = drawer_do(drawer, PART_DELETE, put->sha256);
    if (status == STATUS_OK)
        status = upto_put(drawer, put->sha256, 0, now_us);
    have->upto = 0;
    refuse(have, "sha256", "its bytes have another digest: all of it was thrown away");
    return status;
}

/* A piece that belongs here; or it is refused. */
static enum status piece_take(struct drawer *drawer, const struct verb_put *put, const struct standing *held, bool last, int64_t now_us,
                              struct verb_have *have)
{
    bool room = false;
    if ((int64_t)put->bytes.len > held->bytes - held->upto)
        refuse(have, "too-large", "more than file.attached says");
    else if (put->bytes.len < PART_BYTES_LEAST && !last)
        refuse(have, "too-small", "a piece has 4 KiB at least, but for the last one");
    enum status status = have->code[0] == '\0' ? has_room(drawer, put->bytes.len, &room) : STATUS_OK;
    if (status == STATUS_OK && have->code[0] == '\0' && !room)
        refuse(have, "busy", "spool.full: files wait here that the centre has not got");
    if (status != STATUS_OK || have->code[0] != '\0')
        return status;
    have->upto += (int64_t)put->bytes.len;
    return piece_add(drawer, put, now_us);
}

static enum status put_open(struct drawer *drawer, const struct verb_put *put, const struct standing *held, int64_t now_us, struct verb_have *have)
{
    bool piece = put->bytes.len > 0, last = false;
    if (piece && put->offset != held->upto)
        return STATUS_OK;
    enum status status = ends_at(drawer, put->sha256, held, held->upto + (int64_t)put->bytes.len, &last);
    if (status == STATUS_OK && piece)
        status = piece_take(drawer, put, held, last, now_us, have);
    return status == STATUS_OK && last && have->code[0] == '\0' ? judge(drawer, put, held->bytes, now_us, have) : status;
}

enum status drawer_put(struct drawer *drawer, const struct verb_put *put, int64_t now_us, struct verb_have *have)
{
    struct standing held;
    record_clear(&verb_have_record, have);
    memcpy(have->sha256, put->sha256, sizeof(have->sha256));
    enum status status = drawer_begin(drawer);
    if (status == STATUS_OK)
        status = standing_read(drawer, put->sha256, &held);
    if (status == STATUS_ABSENT) {
        refuse(have, "unknown", "no file.attached has named it here");
        return STATUS_OK;
    }
    if (status != STATUS_OK)
        return status;
    have->upto = held.upto;
    have->whole = held.state != FILE_OPEN;
    return have->whole ? STATUS_OK : put_open(drawer, put, &held, now_us, have);
}

/* --- sending --------------------------------------------------------------------------------------- */

enum status drawer_next(struct drawer *drawer, int64_t boot_us, struct drawer_file *out)
{
    struct sqlite3_stmt *row = db_use(drawer->db, FILE_NEXT);
    db_int(row, 1, boot_us);
    enum status status = db_step(drawer->db, row);
    if (status == STATUS_OK) {
        struct bytes digest = db_column_bytes(row, 0);
        if (digest.len == DIGEST_BYTES)
            memcpy(out->sha256, digest.data, DIGEST_BYTES);
        out->bytes = db_column_int(row, 1);
    }
    (void)db_use(drawer->db, FILE_NEXT);
    return status;
}

enum status drawer_read(struct drawer *drawer, const uint8_t sha256[DIGEST_BYTES], int64_t offset, size_t n, struct buf *out)
{
    struct sqlite3_stmt *row = db_use(drawer->db, PART_READ);
    db_bytes(row, 1, drawer_digest(sha256));
    db_int(row, 2, offset);
    enum status status = db_step(drawer->db, row);
    if (status == STATUS_OK) {
        struct bytes piece = db_column_bytes(row, 1);
        size_t skip = (size_t)(offset - db_column_int(row, 0));
        size_t left = skip < piece.len ? piece.len - skip : 0;
        if (left > 0)
            buf_append(out, piece.data + skip, left < n ? left : n);
        else
            status = STATUS_ABSENT;
    }
    (void)db_use(drawer->db, PART_READ);
    return status;
}

enum status drawer_sent(struct drawer *drawer, const uint8_t sha256[DIGEST_BYTES], int64_t now_us)
{
    enum status status = drawer_begin(drawer);
    if (status == STATUS_OK)
        status = drawer_do(drawer, PART_DELETE, sha256);
    return status == STATUS_OK ? state_put(drawer, sha256, FILE_SENT, now_us) : status;
}

enum status drawer_hold(struct drawer *drawer, const uint8_t sha256[DIGEST_BYTES], int64_t until_us, const char *code)
{
    enum status status = drawer_begin(drawer);
    if (status != STATUS_OK)
        return status;
    struct sqlite3_stmt *hold = db_use(drawer->db, HELD_PUT);
    db_bytes(hold, 1, drawer_digest(sha256));
    db_int(hold, 2, until_us);
    status = db_do(drawer->db, hold);
    if (status != STATUS_OK)
        return status;
    struct sqlite3_stmt *put = db_use(drawer->db, FILE_CODE);
    db_text(put, 1, code);
    db_bytes(put, 2, drawer_digest(sha256));
    return db_do(drawer->db, put);
}
