/* Connections and transactions. */
#include "db.h"
#include "base/text.h"
#include "check.h"
#include "base/mutation.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PGS_MAX 4096

enum pg_phase { PG_IDLE, PG_STAGING, PG_FLYING, PG_LANDED };

struct pg {
    struct db *db;
    struct process *process;
    int fd;
    bool connected, readable;
    enum pg_phase phase;
    struct tx *tx;
    bool repeatable; /* a REPEATABLE READ transaction has begun */
    const struct snapshot *snapshot;
    char error[256], sqlstate[6];
};

static struct {
    struct db *dbs;
    struct pg *pgs[PGS_MAX];
    int pgs_n;
    int64_t delay_us;
    unsigned lost;
} all;

struct db *db_of(const char *schema)
{
    struct db *db = all.dbs;
    while (db != NULL && !text_equal(db->name, schema))
        db = db->next;
    if (db == NULL) {
        db = memory_new(sizeof(*db));
        text_copy(db->name, sizeof(db->name), schema);
        db->next = all.dbs;
        all.dbs = db;
    }
    return db;
}

void *db_alloc(size_t n)
{
    return memory_new(n);
}

void db_weather(int64_t delay_us, unsigned lost_per_mille)
{
    all.delay_us = delay_us;
    all.lost = lost_per_mille;
}

static int64_t latency_us(void)
{
    int64_t us = world_between(20, 300);
    return all.delay_us > 0 && world_chance(200) ? us + world_between(0, all.delay_us) : us;
}

/* --- snapshots ----------------------------------------------------------------------------------- */

struct snapshot *snapshot_take(const struct db *db)
{
    struct snapshot *snapshot = memory_new(sizeof(*snapshot));
    snapshot->cursor = db->cursor;
    snapshot->rows = memory_new((HASH_COUNT(db->rows) + 1) * sizeof(*snapshot->rows));
    for (const struct db_row *row = db->rows; row != NULL; row = row->hh.next)
        snapshot->rows[snapshot->n++] = (struct snapshot_row){
            .def = row->def, .key = db_row_key(row), .packed = row->packed};
    return snapshot;
}

const struct snapshot *db_snapshot(struct pg *pg)
{
    if (pg->repeatable && pg->snapshot == NULL)
        pg->snapshot = snapshot_take(pg->db);
    return pg->snapshot;
}

void db_snapshot_begin(struct pg *pg)
{
    pg->repeatable = true;
    pg->snapshot = NULL;
}

void db_snapshot_end(struct pg *pg)
{
    pg->repeatable = false;
    pg->snapshot = NULL;
}

bool db_digest_at(const struct db *db, uint64_t pos, uint64_t *digest)
{
    *digest = 0;
    for (size_t i = db->marks_n; i-- > 0;)
        if (db->marks[i].pos == pos) {
            *digest = db->marks[i].digest;
            return true;
        }
    return pos == 0;
}

static void mark_add(struct db *db)
{
    if (db->marks_n == db->marks_cap) {
        db->marks_cap = db->marks_cap > 0 ? 2 * db->marks_cap : 256;
        db->marks = memory_grow(db->marks, db->marks_cap * sizeof(*db->marks));
    }
    db->marks[db->marks_n++] = (struct mark){.pos = db->cursor.state.pos, .digest = db->digest};
}

void db_clear(struct db *db)
{
    db->rows = NULL;
    db->cursor = (struct cursor){.session = 0};
    db->digest = 0;
}

void db_swap(struct db *living, struct db *fresh, bool session_goes_on)
{
    uint64_t there;
    int64_t session = living->cursor.session;
    if (!db_digest_at(living, fresh->cursor.state.pos, &there) || there != fresh->digest)
        world_broken("%s is rebuilt up to %llu with other rows than it had there", living->name,
                     (unsigned long long)fresh->cursor.state.pos);
    living->rows = fresh->rows;
    living->digest = fresh->digest;
    living->cursor = fresh->cursor;
    if (session_goes_on)
        living->cursor.session += session;
    if (living->cursor.session <= session)
        world_broken("%s is rebuilt: its sessions go on at %lld, there were %lld", living->name, (long long)living->cursor.session,
                     (long long)session);
    world_say("%s is rebuilt up to %llu", living->name, (unsigned long long)living->cursor.state.pos);
    db_clear(fresh);
}

/* --- connections --------------------------------------------------------------------------------- */

struct pg *pg_new(const char *conninfo, const char *schema)
{
    struct pg *pg = memory_new(sizeof(*pg));
    (void)conninfo;
    pg->db = db_of(schema);
    pg->process = process_current();
    assert(all.pgs_n < PGS_MAX);
    pg->fd = all.pgs_n;
    all.pgs[all.pgs_n++] = pg;
    return pg;
}

void pg_disconnect(struct pg *pg)
{
    pg->connected = pg->readable = false;
    db_snapshot_end(pg);
    if (pg->phase == PG_FLYING)
        pg->tx->pg = NULL; /* it goes on without us */
    else if (pg->tx != NULL)
        tx_free(pg->tx);
    pg->tx = NULL;
    pg->phase = PG_IDLE;
}

void pg_destroy(struct pg **pg)
{
    if (*pg == NULL)
        return;
    pg_disconnect(*pg);
    all.pgs[(*pg)->fd] = NULL;
    free(*pg);
    *pg = NULL;
}

enum status db_refuse(struct pg *pg, const char *sqlstate, const char *why)
{
    text_copy(pg->sqlstate, sizeof(pg->sqlstate), sqlstate);
    text_copy(pg->error, sizeof(pg->error), why);
    return STATUS_REFUSED;
}

static enum status is_gone(struct pg *pg, enum status status)
{
    pg_disconnect(pg);
    pg->sqlstate[0] = '\0';
    text_copy(pg->error, sizeof(pg->error), "the connection is gone");
    return status;
}

static bool is_away(const struct pg *pg)
{
    return pg->db->down_until_us > world_now_us() || (pg->process != NULL && pg->process->pg_away_until_us > world_now_us());
}

enum status pg_connect(struct pg *pg)
{
    world_touch();
    pg_disconnect(pg);
    world_sleep(latency_us());
    if (is_away(pg)) {
        text_copy(pg->error, sizeof(pg->error), "connection refused");
        return STATUS_AGAIN;
    }
    pg->connected = true;
    return STATUS_OK;
}

enum status db_call(struct pg *pg, bool writes)
{
    world_touch();
    if (!pg->connected)
        return is_gone(pg, STATUS_CLOSED);
    if (process_current() != NULL)
        world_sleep(latency_us());
    if (is_away(pg) || world_chance(all.lost / 20))
        return is_gone(pg, STATUS_CLOSED);
    if (writes && pg->db->full_until_us > world_now_us())
        return db_refuse(pg, "53100", "no space left on device");
    return STATUS_OK;
}

void pg_set_error(struct pg *pg, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(pg->error, sizeof(pg->error), format, args);
    va_end(args);
}

bool pg_is_connected(const struct pg *pg)
{
    return pg->connected;
}

int pg_socket(const struct pg *pg)
{
    return pg->fd;
}

void pg_limit_wait(struct pg *pg, int64_t wait_ms)
{
    (void)pg;
    (void)wait_ms;
}

const char *pg_error(const struct pg *pg)
{
    return pg->error;
}

const char *pg_sqlstate(const struct pg *pg)
{
    return pg->sqlstate;
}

struct db *db_at(const struct pg *pg)
{
    return pg->db;
}

bool db_fd_is_readable(int fd)
{
    return fd >= 0 && fd < all.pgs_n && all.pgs[fd] != NULL && all.pgs[fd]->readable;
}

static void on_readable(void *arg)
{
    const int *fd = arg;
    struct pg *pg = all.pgs[*fd];
    if (pg == NULL)
        return;
    pg->readable = true;
    process_wake(pg->process);
}

void db_readable_later(struct pg *pg)
{
    pg->readable = false;
    world_at(world_now_us() + latency_us(), on_readable, &pg->fd);
}

/* --- transactions -------------------------------------------------------------------------------- */

enum status pg_begin(struct pg *pg)
{
    world_touch();
    if (!pg->connected)
        return is_gone(pg, STATUS_CLOSED);
    assert(pg->phase == PG_IDLE);
    pg->phase = PG_STAGING;
    pg->tx = memory_new(sizeof(*pg->tx));
    pg->tx->db = pg->db;
    return STATUS_OK;
}

struct tx *db_tx(struct pg *pg)
{
    return pg->phase == PG_STAGING ? pg->tx : NULL;
}

void pg_rollback(struct pg *pg)
{
    pg_disconnect(pg);
}

static bool cursor_apply(struct db *db, const struct tx *tx)
{
    if (!tx->moves_cursor)
        return true;
    bool compared = db->cursor.state.pos == tx->cursor_before && db->cursor.session == tx->session;
    if (!compared && !MUTATION(MUTATION_CURSOR_UNCOMPARED))
        return false;
    check_cursor(db, tx);
    db->cursor.state = tx->cursor_after;
    db->cursor.starts = tx->cursor_after.sweeping ? db->cursor.starts : 0;
    db->cursor.attempts = 0;
    return true;
}

static void tx_refuse(struct tx *tx, const char *sqlstate)
{
    tx->result = STATUS_REFUSED;
    text_copy(tx->sqlstate, sizeof(tx->sqlstate), sqlstate);
}

static void tx_apply(struct tx *tx)
{
    struct db *db = tx->db;
    if (db->full_until_us > world_now_us()) {
        tx_refuse(tx, "53100");
        return;
    }
    if (!cursor_apply(db, tx) || !store_apply(db, tx)) {
        tx_refuse(tx, "22012");
        return;
    }
    for (size_t i = 0; i < tx->writes_n; i++)
        (void)db_row_write(db, &tx->writes[i]);
    if (tx->moves_cursor) {
        mark_add(db);
        check_rows(db, tx);
    }
}

static void on_result(void *arg)
{
    struct tx *tx = arg;
    struct pg *pg = tx->pg;
    if (pg != NULL) {
        pg->phase = PG_LANDED;
        pg->readable = true;
        process_wake(pg->process);
    } else {
        tx_free(tx);
    }
}

static void on_apply(void *arg)
{
    struct tx *tx = arg;
    bool gone = tx->db->down_until_us > world_now_us();
    unsigned fate = (unsigned)world_draw(1000);
    bool lost = tx->pg != NULL && (fate < all.lost || is_away(tx->pg));
    if (gone || (lost && fate % 3 == 0)) { /* it never came to be */
        tx->result = STATUS_CLOSED;
        world_say("%s: a transaction is lost", tx->db->name);
    } else {
        tx_apply(tx);
        if (lost && tx->result == STATUS_OK) {
            tx->result = STATUS_DOUBT;
            world_say("%s: a commit's result is lost", tx->db->name);
        }
    }
    world_at(world_now_us() + latency_us(), on_result, tx);
}

enum status pg_commit_send(struct pg *pg)
{
    world_touch();
    if (!pg->connected || pg->phase != PG_STAGING)
        return is_gone(pg, STATUS_CLOSED);
    pg->phase = PG_FLYING;
    pg->readable = false;
    pg->tx->pg = pg;
    world_at(world_now_us() + latency_us(), on_apply, pg->tx);
    return STATUS_OK;
}

enum status pg_commit_poll(struct pg *pg)
{
    world_touch();
    if (pg->phase == PG_FLYING)
        return STATUS_AGAIN;
    if (pg->phase != PG_LANDED)
        return is_gone(pg, STATUS_CLOSED);
    struct tx *tx = pg->tx;
    enum status result = tx->result;
    pg->tx = NULL;
    pg->phase = PG_IDLE;
    pg->readable = false;
    if (result == STATUS_REFUSED)
        (void)db_refuse(pg, tx->sqlstate, "the server refuses");
    tx_free(tx);
    if (result == STATUS_CLOSED)
        return is_gone(pg, STATUS_CLOSED);
    /* The connection broke, or only the wait for the standby was cancelled. */
    if (result == STATUS_DOUBT && world_chance(500))
        return is_gone(pg, STATUS_DOUBT);
    return result;
}

enum status pg_commit_wait(struct pg *pg, int64_t until_us)
{
    (void)until_us;
    while (pg->phase == PG_FLYING) {
        if (process_current() == NULL)
            world_run(world_now_us() + 1000);
        else
            world_sleep(200);
    }
    return pg_commit_poll(pg);
}

enum status pg_commit(struct pg *pg)
{
    enum status status = pg_commit_send(pg);
    return status == STATUS_OK ? pg_commit_wait(pg, INT64_MAX) : status;
}
