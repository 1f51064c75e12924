#include "queue.h"
#include "base/text.h"
#include "sqlite/db.h"
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* next_us is NEVER for what waits behind another of its key, or for an operator: the index finds only what can be sent. */
#define NEVER INT64_MAX
#define NEVER_TEXT "9223372036854775807"

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS hook (name TEXT PRIMARY KEY, pos INTEGER NOT NULL, link BLOB NOT NULL, filter BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS delivery (hook TEXT NOT NULL, pos INTEGER NOT NULL, key TEXT NOT NULL, type TEXT NOT NULL,"
    " body BLOB NOT NULL, attempts INTEGER NOT NULL, first_us INTEGER NOT NULL, next_us INTEGER NOT NULL, state INTEGER NOT NULL,"
    " status INTEGER NOT NULL, why TEXT NOT NULL, PRIMARY KEY (hook, pos)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS delivery_key ON delivery (hook, key, pos);"
    "CREATE INDEX IF NOT EXISTS delivery_due ON delivery (hook, next_us, pos);"
    "CREATE INDEX IF NOT EXISTS delivery_state ON delivery (hook, state, pos)";

enum statement { CURSOR, CURSOR_SET, ADD, NEXT, DUE, REMOVE, FOLLOW, FAILED, WAKE, COUNT, PARKED, RETRY, SKIP, FIRST_OF, STATEMENTS };

#define COLUMNS "hook, pos, key, type, body, attempts, first_us, next_us, state, status, why"

static const char *const texts[STATEMENTS] = {
    [CURSOR] = "SELECT pos, link, filter FROM hook WHERE name = ?1",
    [CURSOR_SET] = "INSERT INTO hook VALUES (?1, ?2, ?3, ?4) ON CONFLICT (name) DO UPDATE SET pos = ?2, link = ?3, filter = ?4",
    [ADD] = "INSERT OR IGNORE INTO delivery VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, CASE WHEN EXISTS (SELECT 1 FROM delivery WHERE hook = ?1 AND"
            " key = ?3 AND pos < ?2 AND state <> 2) THEN " NEVER_TEXT " ELSE 0 END, 0, 0, '')",
    [NEXT] = "SELECT " COLUMNS ", 0 FROM delivery WHERE hook = ?1 AND next_us <= ?2 ORDER BY next_us, pos LIMIT ?3",
    [DUE] = "SELECT min(next_us) FROM delivery WHERE hook = ?1",
    [REMOVE] = "DELETE FROM delivery WHERE hook = ?1 AND pos = ?2",
    [FOLLOW] = "UPDATE delivery SET next_us = 0 WHERE hook = ?1 AND pos = (SELECT pos FROM delivery WHERE hook = ?1 AND key = ?2 AND"
               " state <> 2 ORDER BY pos LIMIT 1) AND state = 0 AND next_us = " NEVER_TEXT,
    [FAILED] = "UPDATE delivery SET attempts = ?3, first_us = ?4, next_us = ?5, state = ?6, status = ?7, why = ?8 WHERE hook = ?1 AND pos = ?2",
    [WAKE] = "UPDATE delivery SET next_us = 0 WHERE hook = ?1 AND next_us > 0 AND next_us < " NEVER_TEXT,
    [COUNT] = "SELECT (SELECT count(*) FROM delivery WHERE hook = ?1 AND state = 0), (SELECT count(*) FROM delivery WHERE hook = ?1 AND"
              " state = 1), coalesce((SELECT min(pos) FROM delivery WHERE hook = ?1 AND state = 0), 0)",
    [PARKED] = "SELECT " COLUMNS ", (SELECT count(*) FROM delivery b WHERE b.hook = d.hook AND b.key = d.key AND b.pos > d.pos AND"
               " b.state = 0) FROM delivery d WHERE (?1 = '' OR hook = ?1) AND state <> 0 ORDER BY hook, pos",
    [RETRY] = "UPDATE delivery SET state = 0, attempts = 0, first_us = 0, next_us = 0 WHERE hook = ?1 AND state = 1 AND (?2 = 0 OR pos = ?2)",
    [SKIP] = "UPDATE delivery SET state = 2, next_us = " NEVER_TEXT ", why = ?3 WHERE hook = ?1 AND state = 1 AND pos = ?2",
    [FIRST_OF] = "SELECT key FROM delivery WHERE hook = ?1 AND pos = ?2",
};

struct queue {
    struct db *db;
    struct buf body; /* of the delivery given out last */
};

struct queue *queue_open(const char *path, char *error, size_t error_cap)
{
    struct db *db = db_open(path, DB_SYNC_FULL, DB_SHARED, schema, texts, STATEMENTS, error, error_cap);
    if (db == NULL)
        return NULL;
    struct queue *queue = memory_new(sizeof(*queue));
    queue->db = db;
    return queue;
}

void queue_close(struct queue **queue_p)
{
    if (*queue_p != NULL) {
        db_close(&(*queue_p)->db);
        buf_release(&(*queue_p)->body);
    }
    free(*queue_p);
    *queue_p = NULL;
}

const char *queue_error(const struct queue *queue)
{
    return db_error(queue->db);
}

static struct sqlite3_stmt *of_hook(struct queue *queue, enum statement which, const char *hook)
{
    struct sqlite3_stmt *statement = db_use(queue->db, (int)which);
    db_text(statement, 1, hook);
    return statement;
}

static struct sqlite3_stmt *at_pos(struct queue *queue, enum statement which, const char *hook, int64_t pos)
{
    struct sqlite3_stmt *statement = of_hook(queue, which, hook);
    db_int(statement, 2, pos);
    return statement;
}

static void bytes_take(struct bytes bytes, uint8_t *out, size_t n)
{
    memset(out, 0, n);
    if (bytes.len == n)
        memcpy(out, bytes.data, n);
}

enum status queue_cursor(struct queue *queue, const char *hook, struct cursor *cursor)
{
    struct sqlite3_stmt *statement = of_hook(queue, CURSOR, hook);
    enum status status = db_step(queue->db, statement);
    if (status == STATUS_OK) {
        cursor->pos = db_column_int(statement, 0);
        bytes_take(db_column_bytes(statement, 1), cursor->link, LINK_BYTES);
        bytes_take(db_column_bytes(statement, 2), cursor->filter, DIGEST_BYTES);
    }
    (void)db_use(queue->db, CURSOR); /* not left half read */
    return status;
}

enum status queue_add(struct queue *queue, const struct delivery *delivery)
{
    enum status status = db_begin(queue->db);
    struct sqlite3_stmt *statement = at_pos(queue, ADD, delivery->hook, delivery->pos);
    db_text(statement, 3, delivery->key);
    db_text(statement, 4, delivery->type);
    db_bytes(statement, 5, delivery->body);
    return status == STATUS_OK ? db_do(queue->db, statement) : status;
}

enum status queue_commit(struct queue *queue, const char *hook, const struct cursor *cursor)
{
    enum status status = db_begin(queue->db);
    struct sqlite3_stmt *statement = at_pos(queue, CURSOR_SET, hook, cursor->pos);
    db_bytes(statement, 3, bytes_of(cursor->link, LINK_BYTES));
    db_bytes(statement, 4, bytes_of(cursor->filter, DIGEST_BYTES));
    if (status == STATUS_OK)
        status = db_do(queue->db, statement);
    if (status == STATUS_OK)
        return db_commit(queue->db);
    db_rollback(queue->db);
    return status;
}

static void delivery_read(struct sqlite3_stmt *statement, struct delivery *delivery)
{
    *delivery = (struct delivery){.pos = db_column_int(statement, 1),
                                  .body = db_column_bytes(statement, 4),
                                  .attempts = db_column_int(statement, 5),
                                  .first_us = db_column_int(statement, 6),
                                  .next_us = db_column_int(statement, 7),
                                  .state = (enum delivery_state)db_column_int(statement, 8),
                                  .status = db_column_int(statement, 9),
                                  .behind = db_column_int(statement, 11)};
    db_column_text(statement, 0, delivery->hook, sizeof(delivery->hook));
    db_column_text(statement, 2, delivery->key, sizeof(delivery->key));
    db_column_text(statement, 3, delivery->type, sizeof(delivery->type));
    db_column_text(statement, 10, delivery->why, sizeof(delivery->why));
}

static bool is_flying(int64_t pos, const int64_t *flying, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (flying[i] == pos)
            return true;
    return false;
}

enum status queue_next(struct queue *queue, const char *hook, int64_t now_us, const int64_t *flying, size_t flying_n, struct delivery *delivery)
{
    struct sqlite3_stmt *statement = at_pos(queue, NEXT, hook, now_us);
    enum status status;
    db_int(statement, 3, (int64_t)flying_n + 1); /* what is under way is due as well */
    while ((status = db_step(queue->db, statement)) == STATUS_OK) {
        delivery_read(statement, delivery);
        if (!is_flying(delivery->pos, flying, flying_n))
            break;
    }
    /* Not left half read: it would go on looking at what was there before an operator's command, and could not write any more. */
    if (status == STATUS_OK) {
        buf_reset(&queue->body);
        buf_append(&queue->body, delivery->body.data, delivery->body.len);
        delivery->body = buf_bytes(&queue->body);
    }
    (void)db_use(queue->db, NEXT);
    return status;
}

enum status queue_due_us(struct queue *queue, const char *hook, int64_t *due_us)
{
    struct sqlite3_stmt *statement = of_hook(queue, DUE, hook);
    enum status status = db_step(queue->db, statement);
    if (status == STATUS_OK)
        *due_us = sqlite3_column_type(statement, 0) == SQLITE_NULL ? NEVER : db_column_int(statement, 0);
    (void)db_use(queue->db, DUE);
    return status;
}

/* The next of a key may go when the one before is out of the way. */
static enum status follow(struct queue *queue, const char *hook, const char *key)
{
    struct sqlite3_stmt *statement = of_hook(queue, FOLLOW, hook);
    db_text(statement, 2, key);
    return db_do(queue->db, statement);
}

static enum status end(struct queue *queue, enum status status)
{
    if (status == STATUS_OK)
        return db_commit(queue->db);
    db_rollback(queue->db);
    return status;
}

enum status queue_taken(struct queue *queue, const struct delivery *delivery)
{
    enum status status = db_begin(queue->db);
    if (status == STATUS_OK)
        status = db_do(queue->db, at_pos(queue, REMOVE, delivery->hook, delivery->pos));
    if (status == STATUS_OK)
        status = follow(queue, delivery->hook, delivery->key);
    return end(queue, status);
}

enum status queue_failed(struct queue *queue, const struct delivery *delivery)
{
    struct sqlite3_stmt *statement = at_pos(queue, FAILED, delivery->hook, delivery->pos);
    db_int(statement, 3, delivery->attempts);
    db_int(statement, 4, delivery->first_us);
    db_int(statement, 5, delivery->state == DELIVERY_WAITS ? delivery->next_us : NEVER);
    db_int(statement, 6, (int64_t)delivery->state);
    db_int(statement, 7, delivery->status);
    db_text(statement, 8, delivery->why);
    return db_do(queue->db, statement);
}

enum status queue_wake(struct queue *queue, const char *hook)
{
    return db_do(queue->db, of_hook(queue, WAKE, hook));
}

enum status queue_count(struct queue *queue, const char *hook, struct waiting *waiting)
{
    struct sqlite3_stmt *statement = of_hook(queue, COUNT, hook);
    enum status status = db_step(queue->db, statement);
    if (status == STATUS_OK)
        *waiting = (struct waiting){.waiting = db_column_int(statement, 0),
                                    .parked = db_column_int(statement, 1),
                                    .oldest_pos = db_column_int(statement, 2)};
    (void)db_use(queue->db, COUNT);
    return status;
}

enum status queue_parked(struct queue *queue, const char *hook, void (*tell)(void *owner, const struct delivery *), void *owner)
{
    struct sqlite3_stmt *statement = of_hook(queue, PARKED, hook != NULL ? hook : "");
    enum status status;
    while ((status = db_step(queue->db, statement)) == STATUS_OK) {
        struct delivery delivery;
        delivery_read(statement, &delivery);
        tell(owner, &delivery);
    }
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

enum status queue_retry(struct queue *queue, const char *hook, int64_t pos, int64_t *n)
{
    enum status status = db_do(queue->db, at_pos(queue, RETRY, hook, pos));
    *n = db_changes(queue->db);
    return status;
}

enum status queue_skip(struct queue *queue, const char *hook, int64_t pos, const char *why, int64_t *n)
{
    char key[EVENT_KEY_CAP] = "";
    struct sqlite3_stmt *statement = at_pos(queue, FIRST_OF, hook, pos);
    enum status status = db_step(queue->db, statement);
    *n = 0;
    if (status == STATUS_OK)
        db_column_text(statement, 0, key, sizeof(key));
    (void)db_use(queue->db, FIRST_OF);
    if (status != STATUS_OK)
        return status == STATUS_ABSENT ? STATUS_OK : status;
    status = db_begin(queue->db);
    statement = at_pos(queue, SKIP, hook, pos);
    db_text(statement, 3, why);
    if (status == STATUS_OK)
        status = db_do(queue->db, statement);
    *n = db_changes(queue->db);
    if (status == STATUS_OK)
        status = follow(queue, hook, key);
    return end(queue, status);
}
