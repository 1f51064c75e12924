/* PostgreSQL in memory: one database a schema. A transaction is staged by its connection, sent as a whole, takes effect in one
 * instant (its compare-and-set is judged then), and its result comes back later, or never: the connection may be lost before
 * it took effect or behind it, the wait for the standby cancelled, the disk full. Stands in for base/pg, table/mirror,
 * worker/cursor and intake's store. stored.c, store.c and rows.c also serve the fuzzed intake (fuzz/house_store.c), whose connections
 * and commits are its own: it has its own db_alloc, db_call, db_at, db_tx, db_refuse, check_journal, and of world.h what they say. */
#ifndef AFTERCARE_SIMULATION_DB_H
#define AFTERCARE_SIMULATION_DB_H

#include "services/intake/store.h"
#include "worker/cursor.h"
#include "world.h"
#include <uthash.h>

struct db_row { /* packed: volatile columns are not stored */
    UT_hash_handle hh;
    const struct table_def *def;
    struct bytes packed;
    char name[]; /* "TABLE/KEY" */
};

struct journal_row {
    uint64_t pos;
    int64_t source, n, rec_us;
    char type[EVENT_TYPE_CAP], key[EVENT_KEY_CAP];
    struct bytes body, priv, result;
    uint8_t link[LINK_BYTES], digest[DIGEST_BYTES];
    bool by_source; /* not intake's own: digest holds */
};
struct refusal_row {
    int64_t source, n;
    uint64_t pos;
    uint8_t digest[DIGEST_BYTES];
    struct problem problem;
    struct bytes result;
};
struct head_row {
    struct journal_head head;
    int64_t own_n, lease_until_us;
    char holder[200];
};

#define DB_SOURCES_MAX 64

struct db {
    char name[40];
    struct db_row *rows;
    /* intake's */
    struct head_row head;
    struct journal_row **journal; /* of position i + 1 */
    size_t journal_n, journal_cap;
    struct refusal_row *refused;
    size_t refused_n, refused_cap;
    struct source_row sources[DB_SOURCES_MAX];
    size_t sources_n;
    /* a worker's */
    struct cursor cursor;
    uint64_t digest; /* of all rows, whatever their order */
    struct mark {
        uint64_t pos, digest;
    } *marks; /* what it was at each committed position */
    size_t marks_n, marks_cap;
    /* faults */
    int64_t down_until_us, full_until_us;
    struct db *next;
};

struct row_write {
    const struct table_def *def;
    char key[300];
    struct buf packed;
    bool fresh;
};

/* One transaction, copied. */
struct tx {
    struct db *db;
    struct pg *pg; /* whom the result goes to; NULL: nobody any more */
    struct row_write *writes;
    size_t writes_n, writes_cap;
    bool moves_cursor;
    int64_t session;
    uint64_t cursor_before;
    struct run_state cursor_after;
    bool moves_head, renews;
    struct journal_head before, after;
    int64_t own_n, lease_us;
    struct journal_row **entries;
    size_t entries_n;
    struct refusal_row *refusals;
    size_t refusals_n;
    struct source_row *sources;
    size_t sources_n;
    struct source_enrolled enrolled[BATCH_ENROLLED_MAX];
    uint32_t enrolled_n;
    enum status result;
    char sqlstate[6];
};

/* What a REPEATABLE READ transaction sees. Lives until the process ends. */
struct snapshot {
    struct cursor cursor;
    struct snapshot_row {
        const struct table_def *def;
        const char *key;
        struct bytes packed;
    } *rows;
    size_t n;
};
/* Of the transaction at hand, as of its first statement; NULL: there is none. */
const struct snapshot *db_snapshot(struct pg *);
struct snapshot *snapshot_take(const struct db *);
/* BEGIN … REPEATABLE READ; its end. */
void db_snapshot_begin(struct pg *);
void db_snapshot_end(struct pg *);
/* Memory for as long as the database is there, cleared; a copy in it. */
void *db_alloc(size_t);
struct bytes db_keep(struct bytes);
void tx_free(struct tx *);
uint64_t row_digest(const struct table_def *, const char *key, struct bytes packed);
/* The digest its rows had at that position. False: no commit ended there. */
bool db_digest_at(const struct db *, uint64_t pos, uint64_t *digest);
/* A rebuild: DROP of everything; and the fresh tables in the place of the living ones. */
void db_clear(struct db *);
void db_swap(struct db *living, struct db *fresh, bool session_goes_on);

struct db *db_of(const char *schema);
struct db_row *db_row_find(const struct db *, const struct table_def *, const char *key);
const char *db_row_key(const struct db_row *);
struct db_row *db_row_add(struct db *, const struct table_def *, const char *key);
/* A write takes effect. */
struct db_row *db_row_write(struct db *, const struct row_write *);
/* The row as it was stored; in the arena. */
void *db_row_read(const struct db_row *, struct arena *);
/* One statement's way to the server and back. Not OK: the connection is gone, or the server refuses (pg_error). */
enum status db_call(struct pg *, bool writes) MUST_CHECK;
struct db *db_at(const struct pg *);
struct tx *db_tx(struct pg *); /* the transaction being staged */
enum status db_refuse(struct pg *, const char *sqlstate, const char *why);
bool db_fd_is_readable(int fd);
void db_readable_later(struct pg *);
/* The longest transactions take to have effect and to be told, and how often (of 1000) each kind of trouble comes. */
void db_weather(int64_t delay_us, unsigned lost_per_mille);
/* Takes effect on the tables: store.c, after db.c judged the cursor and the rows. False: its compare-and-set hit nothing. */
bool store_apply(struct db *, struct tx *);

#endif
