/* Connections to a PostgreSQL in memory and their transactions, enough for intake's two threads: one takes effect when it is settled;
 * its fate is set before. What intake says to it in SQL is the simulation's (store.c, rows.c, stored.c), single statements house_sql.c's. */
#include "base/clock.h"
#include "base/text.h"
#include "edges.h"
#include "house.h"
#include "proto/catalogue.h"
#include "record/pack.h"
#include "simulation/check.h"
#include "table/mirror.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct stored {
    struct db db;
    struct arena *arena; /* all bytes that came to it since it began */
    enum status fate;    /* of the next commit */
    bool fate_takes_effect;
};
static struct stored *base, *now;

/* --- what the simulation's files ask for ----------------------------------------------------------- */

int64_t world_now_us(void)
{
    return clock_boot_us();
}

void world_touch(void)
{
}

void world_say(const char *format, ...)
{
    (void)format;
}

void world_broken(const char *format, ...)
{
    char line[500];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    fprintf(stderr, "%s\n", line);
    abort();
}

void *db_alloc(size_t n)
{
    (void)house_db();
    return arena_alloc(now->arena, n);
}

/* --- its life -------------------------------------------------------------------------------------- */

static struct stored *stored_new(void)
{
    struct stored *stored = memory_new(sizeof(*stored));
    stored->arena = arena_new(1 << 16);
    return stored;
}

struct db *house_db(void)
{
    if (now == NULL)
        now = stored_new();
    return &now->db;
}

void house_fate_is(enum status fate, bool takes_effect)
{
    now->fate = fate;
    now->fate_takes_effect = takes_effect;
}

void house_store_keep(void)
{
    base = now;
    now = NULL;
}

static void *copy_of(const void *from, size_t n)
{
    void *to = memory_new(n + 1);
    return n > 0 ? memcpy(to, from, n) : to;
}

void house_store_begin(void)
{
    now = stored_new();
    struct db *db = &now->db;
    *db = base->db;
    db->journal = copy_of(db->journal, db->journal_n * sizeof(struct journal_row *));
    db->journal_cap = db->journal_n;
    db->refused = copy_of(db->refused, db->refused_n * sizeof(*db->refused));
    db->refused_cap = db->refused_n;
    db->rows = NULL;
    for (const struct db_row *row = base->db.rows; row != NULL; row = row->hh.next)
        db_row_add(db, row->def, db_row_key(row))->packed = row->packed;
}

void house_store_end(void)
{
    HASH_CLEAR(hh, now->db.rows);
    free(now->db.journal);
    free(now->db.refused);
    arena_destroy(&now->arena);
    free(now);
    now = NULL;
}

/* --- connections ----------------------------------------------------------------------------------- */

enum phase { IDLE, STAGING, FLYING, LANDED };

struct pg {
    bool connected;
    enum phase phase;
    struct tx *tx;
    enum status result;
    char error[100], sqlstate[6];
};

static struct pg *flying; /* one at a time: the network thread's */

struct pg *pg_new(const char *conninfo, const char *schema)
{
    (void)conninfo;
    (void)schema;
    return memory_new(sizeof(struct pg));
}

void pg_disconnect(struct pg *pg)
{
    if (flying == pg)
        flying = NULL;
    if (pg->tx != NULL)
        tx_free(pg->tx);
    pg->tx = NULL;
    pg->connected = false;
    pg->phase = IDLE;
}

void pg_destroy(struct pg **pg)
{
    if (*pg != NULL)
        pg_disconnect(*pg);
    free(*pg);
    *pg = NULL;
}

static enum status gone(struct pg *pg, enum status status)
{
    pg_disconnect(pg);
    pg->sqlstate[0] = '\0';
    text_copy(pg->error, sizeof(pg->error), "the connection is gone");
    return status;
}

enum status db_refuse(struct pg *pg, const char *sqlstate, const char *why)
{
    text_copy(pg->sqlstate, sizeof(pg->sqlstate), sqlstate);
    text_copy(pg->error, sizeof(pg->error), why);
    return STATUS_REFUSED;
}

static bool is_down(void)
{
    return house_db()->down_until_us > clock_boot_us();
}

static bool is_full(void)
{
    return house_db()->full_until_us > clock_boot_us();
}

enum status db_call(struct pg *pg, bool writes)
{
    if (!pg->connected || is_down())
        return gone(pg, STATUS_CLOSED);
    return writes && is_full() ? db_refuse(pg, "53100", "the disk is full") : STATUS_OK;
}

struct db *db_at(const struct pg *pg)
{
    (void)pg;
    return house_db();
}

struct tx *db_tx(struct pg *pg)
{
    return pg->phase == STAGING ? pg->tx : NULL;
}

enum status pg_connect(struct pg *pg)
{
    pg_disconnect(pg);
    pg->connected = !is_down();
    return pg->connected ? STATUS_OK : STATUS_AGAIN;
}

bool pg_is_connected(const struct pg *pg)
{
    return pg->connected;
}

int pg_socket(const struct pg *pg)
{
    (void)pg;
    return 7;
}

bool db_fd_is_readable(int fd)
{
    (void)fd;
    return flying != NULL && flying->phase == LANDED;
}

/* Of pages and sweeps, which intake's tables have not. */
void db_readable_later(struct pg *pg)
{
    (void)pg;
    abort();
}

const struct snapshot *db_snapshot(struct pg *pg)
{
    (void)pg;
    return NULL;
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

enum status pg_run(struct pg *pg, const char *sql)
{
    (void)sql;
    return db_call(pg, false);
}

enum status pg_begin(struct pg *pg)
{
    if (!pg->connected)
        return gone(pg, STATUS_CLOSED);
    assert(pg->phase == IDLE);
    pg->phase = STAGING;
    pg->tx = memory_new(sizeof(*pg->tx));
    return STATUS_OK;
}

void pg_rollback(struct pg *pg)
{
    pg_disconnect(pg);
}

/* --- a transaction takes effect -------------------------------------------------------------------- */

/* What was taken is of the protocol, links to what was there, and can be read. */
static void event_check(const struct journal_row *row, uint64_t pos, uint8_t link[LINK_BYTES])
{
    struct event event;
    struct problem problem;
    link_next(link, row->body, link);
    bool fine = row->pos == pos && skim(row->body, &problem) && event_decode(row->body, row->priv, &event, &problem) && event.pos == pos &&
                memcmp(link, row->link, LINK_BYTES) == 0 && (row->priv.len == 0 || skim(row->priv, &problem));
    if (!fine)
        world_broken("position %llu is no good journal row", (unsigned long long)row->pos);
    const struct event_type *type = event_type_find(event.type, event.v);
    struct arena *arena = arena_new(4096);
    void *object = arena_alloc(arena, type->data->size);
    if (!record_decode(type->data, RECORD_PLAIN, DECODE_STRICT, event.data, arena, object, &problem))
        world_broken("%s: what was taken cannot be read: %s %s", event.type, problem.code, problem.field);
    arena_destroy(&arena);
}

void check_journal(const struct db *db, const struct tx *tx)
{
    uint8_t link[LINK_BYTES];
    uint64_t pos = db->head.head.pos;
    memcpy(link, pos > 0 ? db->head.head.link : tx->before.link, LINK_BYTES); /* before anything: by the stream's name */
    for (size_t i = 0; i < tx->entries_n; i++)
        event_check(tx->entries[i], ++pos, link);
    for (size_t i = 0; i < tx->sources_n; i++)
        for (size_t k = 0; k < db->sources_n; k++)
            if (db->sources[k].id == tx->sources[i].id && tx->sources[i].last < db->sources[k].last)
                world_broken("%s: numbers go back", tx->sources[i].name);
}

static enum status apply(struct pg *pg)
{
    struct db *db = house_db();
    const struct tx *tx = pg->tx;
    if (is_down())
        return STATUS_CLOSED;
    if (is_full() || db->journal_n + tx->entries_n > HOUSE_EVENTS_MAX)
        return db_refuse(pg, "53100", "the disk is full");
    if (!store_apply(db, pg->tx))
        return db_refuse(pg, "22012", "division by zero");
    struct arena *arena = arena_new(4096);
    for (size_t i = 0; i < tx->writes_n; i++) {
        const struct db_row *row = db_row_write(db, &tx->writes[i]);
        struct problem problem;
        if (!skim(row->packed, &problem))
            world_broken("row %s cannot be read again: %s", row->name, problem.code);
        (void)db_row_read(row, arena);
    }
    arena_destroy(&arena);
    return STATUS_OK;
}

void house_settle(void)
{
    if (flying == NULL || flying->phase != FLYING)
        return;
    enum status fate = now->fate;
    now->fate = STATUS_OK;
    enum status result = fate == STATUS_OK || now->fate_takes_effect ? apply(flying) : fate;
    flying->result = result == STATUS_OK ? fate : result;
    flying->phase = LANDED;
}

enum status pg_commit_send(struct pg *pg)
{
    if (!pg->connected || pg->phase != STAGING)
        return gone(pg, STATUS_CLOSED);
    assert(flying == NULL);
    flying = pg;
    pg->phase = FLYING;
    return STATUS_OK;
}

enum status pg_commit_poll(struct pg *pg)
{
    if (pg->phase == FLYING)
        return STATUS_AGAIN;
    if (pg->phase != LANDED)
        return gone(pg, STATUS_CLOSED);
    flying = NULL;
    pg->phase = IDLE;
    tx_free(pg->tx);
    pg->tx = NULL;
    return pg->result == STATUS_CLOSED || pg->result == STATUS_DOUBT ? gone(pg, pg->result) : pg->result;
}

enum status pg_commit_wait(struct pg *pg, int64_t until_us)
{
    (void)until_us;
    house_settle();
    return pg_commit_poll(pg);
}

enum status pg_commit(struct pg *pg)
{
    enum status status = pg_commit_send(pg);
    return status == STATUS_OK ? pg_commit_wait(pg, INT64_MAX) : status;
}
