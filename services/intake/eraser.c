#include "eraser.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "pg/pg.h"
#include "proto/catalogue.h"
#include "record/pack.h"
#include "shelf_claims.h"
#include "store.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOOK_MS 500
#define READERS_LOOK_MS 100 /* PostgreSQL tells nobody when a snapshot ends */
#define STRETCH 20000       /* positions a transaction looks at */
#define KEYS_AT_ONCE 500
#define STATEMENT_MS 600000 /* a table is written anew within */
#define READERS_US (30 * SECOND_US) /* so long at a time it waits for who reads the past */
#define REST_US (30 * SECOND_US)    /* after trouble: a lock that is asked for again and again holds others up */

struct eraser {
    const struct settings *settings;
    struct pg *pg;
    struct pg_args *args;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t told;
    bool stopping;
    bool trouble; /* said once */
    int64_t rest_until_us;
    /* The erasure under way. */
    int64_t pos;
    char customer[EVENT_KEY_CAP];
    int64_t events, refusals, files;
};

/* --- statements ------------------------------------------------------------------------------------ */

static enum status query(struct eraser *eraser, const char *sql, struct pg_result **result)
{
    return pg_query(eraser->pg, sql, eraser->args, result);
}

static int64_t first_int(struct pg_result *result)
{
    return result != NULL && pg_rows(result) > 0 && !pg_is_null(result, 0, 0) ? pg_int(result, 0, 0) : 0;
}

/* One text column of a result as an array argument: of `n` rows from `from`. */
static void arg_column(struct pg_args *args, const struct pg_result *result, int from, int n)
{
    pg_arg_array_begin(args, PG_TEXT_ARRAY);
    for (int row = from; row < from + n; row++) {
        struct bytes text = pg_bytes(result, row, 0);
        pg_elem_text(args, (const char *)text.data, text.len);
    }
    pg_arg_array_end(args);
}

/* As it stands in a body: a msgpack text, whose head tells it from a longer one that begins alike. */
static void needle_add(struct pg_args *args, const char *text, size_t n)
{
    struct buf packed = {0};
    pack_text_n(&packed, text, n);
    pg_elem_bytea(args, buf_bytes(&packed));
    buf_release(&packed);
}

static void arg_needles(struct pg_args *args, const struct pg_result *keys, int from, int n)
{
    pg_arg_array_begin(args, PG_BYTEA_ARRAY);
    for (int row = from; row < from + n; row++) {
        struct bytes text = pg_bytes(keys, row, 0);
        needle_add(args, (const char *)text.data, text.len);
    }
    pg_arg_array_end(args);
}

/* Types with personal fields whose key is neither a ticket's nor a unit's nor a customer's: their data say whom they are about. */
static void arg_loose_types(struct pg_args *args)
{
    const struct event_type *type;
    pg_arg_array_begin(args, PG_TEXT_ARRAY);
    for (size_t i = 0; (type = event_type_at(i)) != NULL; i++)
        if ((type->keys & ~(unsigned)(KEY_TICKET | KEY_UNIT | KEY_CUSTOMER)) != 0 && record_has_personal(type->data))
            pg_elem_text(args, type->name, strlen(type->name));
    pg_arg_array_end(args);
}

/* --- whose they are -------------------------------------------------------------------------------- */

/* The keys whose stories are this customer's: its own, its tickets, its units. */
static enum status keys_find(struct eraser *eraser, struct pg_result **keys)
{
    pg_args_reset(eraser->args);
    pg_arg_text(eraser->args, eraser->customer);
    return query(eraser, "SELECT $1::text UNION SELECT \"number\" FROM ticket WHERE customer = $1::text"
                         " UNION SELECT serial FROM unit WHERE customer = $1::text", keys);
}

/* A unit that was sold on was another's before: its story is this customer's from the last sale. */
static const char by_key_sql[] = "WITH k AS (SELECT k.key, CASE WHEN count(s.pos) > 1 THEN max(s.pos) ELSE 0 END AS begin FROM unnest($1::text[]) k(key)"
                                 " LEFT JOIN journal s ON s.key = k.key AND s.type = 'unit.sold' AND s.pos <= $2::int8 GROUP BY k.key)"
                                 ", w AS (UPDATE journal j SET priv = NULL FROM k WHERE j.key = k.key AND j.pos >= k.begin AND j.pos <= $2::int8"
                                 " AND j.priv IS NOT NULL RETURNING j.tableoid)"
                                 ", t AS (UPDATE erased SET tables = ARRAY(SELECT unnest(tables) UNION SELECT tableoid::regclass::text FROM w)"
                                 " WHERE pos = $2::int8) SELECT count(*) FROM w";

static enum status by_keys(struct eraser *eraser, const struct pg_result *keys)
{
    enum status status = STATUS_OK;
    for (int from = 0; status == STATUS_OK && from < pg_rows(keys); from += KEYS_AT_ONCE) {
        owned(pg_result_destroy) struct pg_result *result = NULL;
        int left = pg_rows(keys) - from;
        pg_args_reset(eraser->args);
        arg_column(eraser->args, keys, from, left < KEYS_AT_ONCE ? left : KEYS_AT_ONCE);
        pg_arg_int(eraser->args, eraser->pos);
        status = query(eraser, by_key_sql, &result);
        eraser->events += status == STATUS_OK ? first_int(result) : 0;
    }
    return status;
}

/* What names the customer in its data, whatever its key; and of other stories (a call, a document) what names one of its tickets. Keys
 * of calls come back: the earlier events of a call do not name anybody. */
static const char stretch_sql[] =
    "WITH w AS (UPDATE journal SET priv = NULL WHERE pos > $1::int8 AND pos <= $2::int8 AND priv IS NOT NULL"
    " AND (position($3::bytea in body) > 0 OR (type = ANY($4::text[])"
    " AND EXISTS (SELECT FROM unnest($5::bytea[]) needle WHERE position(needle in body) > 0))) RETURNING tableoid, type, key)"
    ", t AS (UPDATE erased SET tables = ARRAY(SELECT unnest(tables) UNION SELECT tableoid::regclass::text FROM w)"
    " WHERE pos = $6::int8) SELECT CASE WHEN type LIKE 'call.%' THEN key ELSE '' END FROM w";

/* Units that were sold to the customer, whoever has them now: their story up to the next sale, and from its beginning where it is the first. */
static const char sales_sql[] =
    "WITH s AS (SELECT key, pos FROM journal WHERE pos > $1::int8 AND pos <= $2::int8 AND type = 'unit.sold' AND position($3::bytea in body) > 0)"
    ", r AS (SELECT s.key, CASE WHEN EXISTS (SELECT FROM journal b WHERE b.key = s.key AND b.type = 'unit.sold' AND b.pos < s.pos) THEN s.pos ELSE 0 END AS begin,"
    " (SELECT min(n.pos) FROM journal n WHERE n.key = s.key AND n.type = 'unit.sold' AND n.pos > s.pos) AS next FROM s)"
    ", w AS (UPDATE journal j SET priv = NULL FROM r WHERE j.key = r.key AND j.pos >= r.begin AND (r.next IS NULL OR j.pos < r.next)"
    " AND j.pos <= $4::int8 AND j.priv IS NOT NULL RETURNING j.tableoid)"
    ", t AS (UPDATE erased SET tables = ARRAY(SELECT unnest(tables) UNION SELECT tableoid::regclass::text FROM w)"
    " WHERE pos = $4::int8) SELECT count(*) FROM w";

static enum status sales(struct eraser *eraser, struct bytes needle, int64_t after, int64_t upto)
{
    owned(pg_result_destroy) struct pg_result *result = NULL;
    pg_args_reset(eraser->args);
    pg_arg_int(eraser->args, after);
    pg_arg_int(eraser->args, upto);
    pg_arg_bytea(eraser->args, needle);
    pg_arg_int(eraser->args, eraser->pos);
    enum status status = query(eraser, sales_sql, &result);
    eraser->events += status == STATUS_OK ? first_int(result) : 0;
    return status;
}

static enum status stretch(struct eraser *eraser, const struct pg_result *keys, int64_t after, int64_t upto)
{
    owned(pg_result_destroy) struct pg_result *result = NULL;
    struct buf needle = {0};
    pack_text(&needle, eraser->customer);
    enum status status = sales(eraser, buf_bytes(&needle), after, upto);
    pg_args_reset(eraser->args);
    pg_arg_int(eraser->args, after);
    pg_arg_int(eraser->args, upto);
    pg_arg_bytea(eraser->args, buf_bytes(&needle));
    arg_loose_types(eraser->args);
    arg_needles(eraser->args, keys, 0, pg_rows(keys));
    pg_arg_int(eraser->args, eraser->pos);
    if (status == STATUS_OK)
        status = query(eraser, stretch_sql, &result);
    buf_release(&needle);
    if (status != STATUS_OK || pg_rows(result) == 0)
        return status;
    eraser->events += pg_rows(result);
    return by_keys(eraser, result);
}

static bool is_stopping(struct eraser *eraser)
{
    pthread_mutex_lock(&eraser->lock);
    bool stopping = eraser->stopping;
    pthread_mutex_unlock(&eraser->lock);
    return stopping;
}

static enum status by_content(struct eraser *eraser, const struct pg_result *keys)
{
    enum status status = STATUS_OK;
    for (int64_t after = 0; status == STATUS_OK && after < eraser->pos; after += STRETCH) {
        status = stretch(eraser, keys, after, after + STRETCH < eraser->pos ? after + STRETCH : eraser->pos);
        if (is_stopping(eraser))
            return STATUS_CLOSED;
    }
    return status;
}

static enum status refusals(struct eraser *eraser, const struct pg_result *keys)
{
    enum status status = STATUS_OK;
    for (int from = 0; status == STATUS_OK && from < pg_rows(keys); from += KEYS_AT_ONCE) {
        owned(pg_result_destroy) struct pg_result *result = NULL;
        int left = pg_rows(keys) - from;
        pg_args_reset(eraser->args);
        arg_needles(eraser->args, keys, from, left < KEYS_AT_ONCE ? left : KEYS_AT_ONCE);
        pg_arg_int(eraser->args, eraser->pos);
        status = query(eraser,
                       "WITH w AS (UPDATE refused SET event = NULL, args = '' WHERE event IS NOT NULL AND EXISTS"
                       " (SELECT FROM unnest($1::bytea[]) needle WHERE position(needle in event) > 0) RETURNING 1)"
                       ", t AS (UPDATE erased SET tables = array_append(array_remove(tables, 'refused'), 'refused')"
                       " WHERE pos = $2::int8 AND EXISTS (SELECT FROM w)) SELECT count(*) FROM w",
                       &result);
        eraser->refusals += status == STATUS_OK ? first_int(result) : 0;
    }
    return status;
}

/* --- files ----------------------------------------------------------------------------------------- */

/* What belongs to the customer's tickets and to nobody else's: another ticket keeps it that has it, or is about to. The lock waits for a piece that
 * is being put: it would not see this order, and this one not the piece. */
static const char files_sql[] =
    "WITH gone AS (SELECT DISTINCT f.sha256 FROM file f JOIN ticket t ON t.\"number\" = f.ticket WHERE t.customer = $1::text)"
    ", dead AS (SELECT g.sha256 FROM gone g WHERE NOT EXISTS (SELECT FROM file f JOIN ticket t ON t.\"number\" = f.ticket"
    " WHERE f.file >= encode(g.sha256, 'hex') || '/' AND f.file < encode(g.sha256, 'hex') || '0' AND NOT " ERASED_SINCE("f.pos")
    " AND (" HAS_FILE " OR " HAS_FILE_SOON ")))"
    ", b AS (DELETE FROM file_bytes b USING dead WHERE b.sha256 = dead.sha256)"
    ", w AS (DELETE FROM file_part p USING dead WHERE p.sha256 = dead.sha256 RETURNING p.tableoid, p.sha256)"
    ", t AS (UPDATE erased SET tables = ARRAY(SELECT unnest(tables) UNION SELECT tableoid::regclass::text FROM w)"
    " WHERE pos = $2::int8) SELECT count(DISTINCT sha256) FROM w";

static enum status files(struct eraser *eraser)
{
    owned(pg_result_destroy) struct pg_result *result = NULL;
    enum status status = pg_run(eraser->pg, "BEGIN; LOCK TABLE file_bytes IN SHARE ROW EXCLUSIVE MODE");
    pg_args_reset(eraser->args);
    pg_arg_text(eraser->args, eraser->customer);
    pg_arg_int(eraser->args, eraser->pos);
    if (status == STATUS_OK)
        status = query(eraser, files_sql, &result);
    if (status == STATUS_OK)
        status = pg_run(eraser->pg, "COMMIT");
    eraser->files += status == STATUS_OK ? first_int(result) : 0;
    return status;
}

/* --- one erasure ----------------------------------------------------------------------------------- */

static enum status mark(struct eraser *eraser, const char *sql)
{
    pg_args_reset(eraser->args);
    pg_arg_int(eraser->args, eraser->pos);
    pg_arg_int(eraser->args, eraser->events);
    pg_arg_int(eraser->args, eraser->refusals);
    return query(eraser, sql, NULL);
}

static enum status erase(struct eraser *eraser)
{
    owned(pg_result_destroy) struct pg_result *keys = NULL;
    eraser->events = eraser->refusals = eraser->files = 0;
    enum status status = keys_find(eraser, &keys);
    if (status == STATUS_OK)
        status = by_keys(eraser, keys);
    if (status == STATUS_OK)
        status = by_content(eraser, keys);
    if (status == STATUS_OK)
        status = refusals(eraser, keys);
    if (status == STATUS_OK)
        status = files(eraser);
    if (status == STATUS_OK)
        status = mark(eraser, "UPDATE erased SET erased = now(), events = events + $2::int8, refusals = refusals + $3::int8 WHERE pos = $1::int8");
    return status;
}

/* Until it is told to stop, or so long. */
static void wait_told(struct eraser *eraser, int64_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += ms * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&eraser->lock);
    if (!eraser->stopping)
        pthread_cond_timedwait(&eraser->told, &eraser->lock, &until);
    pthread_mutex_unlock(&eraser->lock);
}

/* Who still reads the past (a backup) keeps it in the files, and so does who has begun to write before it was erased (a worker between
 * two statements), though he sees nothing of it: waited for, before the tables are written anew. AGAIN: not now. */
static enum status wait_for_readers(struct eraser *eraser)
{
    owned(pg_result_destroy) struct pg_result *now = NULL;
    int64_t until_us = clock_boot_us() + READERS_US;
    pg_args_reset(eraser->args);
    enum status status = query(eraser, "SELECT (pg_current_xact_id()::text::int8 & 4294967295)::int8", &now);
    while (status == STATUS_OK && clock_boot_us() < until_us && !is_stopping(eraser)) {
        owned(pg_result_destroy) struct pg_result *readers = NULL;
        pg_args_reset(eraser->args);
        pg_arg_int(eraser->args, first_int(now));
        status = query(eraser,
                       "SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
                       " AND greatest(age(backend_xmin), age(backend_xid)) > age(($1::int8)::text::xid)",
                       &readers);
        if (status == STATUS_OK && first_int(readers) == 0)
            return STATUS_OK;
        wait_told(eraser, READERS_LOOK_MS);
    }
    return status == STATUS_OK ? STATUS_AGAIN : status;
}

static enum status rewrite(struct eraser *eraser)
{
    owned(pg_result_destroy) struct pg_result *tables = NULL;
    pg_args_reset(eraser->args);
    pg_arg_int(eraser->args, eraser->pos);
    enum status status = query(eraser, "SELECT unnest(tables) FROM erased WHERE pos = $1::int8", &tables);
    if (status == STATUS_OK && pg_rows(tables) > 0)
        status = wait_for_readers(eraser);
    for (int row = 0; status == STATUS_OK && row < pg_rows(tables); row++) {
        char sql[200];
        struct bytes name = pg_bytes(tables, row, 0);
        text_format(sql, sizeof(sql), "VACUUM FULL %.*s", (int)name.len, (const char *)name.data);
        status = pg_run(eraser->pg, sql);
    }
    return status == STATUS_OK ? mark(eraser, "UPDATE erased SET rewritten = now() WHERE pos = $1::int8 AND $2::int8 + $3::int8 >= 0")
                               : status;
}

/* --- the thread ------------------------------------------------------------------------------------ */

static enum status connect(struct eraser *eraser)
{
    if (pg_is_connected(eraser->pg))
        return STATUS_OK;
    enum status status = pg_connect(eraser->pg);
    /* While it waits for a lock others wait behind it. */
    return status == STATUS_OK ? pg_run(eraser->pg, "SET lock_timeout = '2s'; SET application_name = 'aftercare eraser'") : status;
}

/* The oldest whose rows are not done, then the oldest whose tables are not; customer "" when there is none. New ones get their row
 * here. */
static enum status next(struct eraser *eraser, bool *erased)
{
    owned(pg_result_destroy) struct pg_result *result = NULL;
    pg_args_reset(eraser->args);
    eraser->customer[0] = '\0';
    enum status status = query(eraser,
                               "INSERT INTO erased (pos, customer) SELECT pos, key FROM journal WHERE type = 'personal.erased'"
                               " AND pos > (SELECT coalesce(max(pos), 0) FROM erased)",
                               NULL);
    if (status == STATUS_OK)
        status = query(eraser, "SELECT pos, customer, erased IS NOT NULL FROM erased WHERE rewritten IS NULL ORDER BY erased IS NOT NULL, pos LIMIT 1", &result);
    if (status != STATUS_OK || pg_rows(result) == 0)
        return status;
    struct bytes customer = pg_bytes(result, 0, 1);
    eraser->pos = pg_int(result, 0, 0);
    *erased = pg_bool(result, 0, 2);
    text_copy_n(eraser->customer, sizeof(eraser->customer), (const char *)customer.data, customer.len);
    return STATUS_OK;
}

/* True: there may be more to do. */
static bool turn(struct eraser *eraser)
{
    bool erased = false;
    if (clock_boot_us() < eraser->rest_until_us)
        return false;
    enum status status = connect(eraser);
    if (status == STATUS_OK)
        status = next(eraser, &erased);
    bool some = status == STATUS_OK && eraser->customer[0] != '\0';
    if (some && !erased)
        status = erase(eraser);
    if (some && status == STATUS_OK)
        status = rewrite(eraser);
    if (some && status == STATUS_OK)
        log_info("personal data of one customer erased, position %lld: %lld events, %lld refusals, %lld files", (long long)eraser->pos,
                 (long long)eraser->events, (long long)eraser->refusals, (long long)eraser->files);
    if (some && status == STATUS_AGAIN)
        log_info("erasure of position %lld waits for who still reads the past", (long long)eraser->pos);
    else if (status != STATUS_OK) {
        if (!eraser->trouble && !is_stopping(eraser))
            log_warn("eraser: %s; it comes again", pg_error(eraser->pg));
        pg_disconnect(eraser->pg);
        eraser->rest_until_us = clock_boot_us() + REST_US;
    }
    eraser->trouble = status != STATUS_OK;
    return some && status == STATUS_OK;
}

static void *eraser_run(void *arg)
{
    struct eraser *eraser = arg;
    while (!is_stopping(eraser))
        if (!turn(eraser))
            wait_told(eraser, LOOK_MS);
    return NULL;
}

struct eraser *eraser_start(const struct settings *settings)
{
    struct eraser *eraser = memory_new(sizeof(*eraser));
    eraser->settings = settings;
    eraser->pg = pg_new(settings->intake.dsn, STORE_SCHEMA);
    pg_limit_wait(eraser->pg, STATEMENT_MS);
    eraser->args = pg_args_new();
    pthread_mutex_init(&eraser->lock, NULL);
    pthread_cond_init(&eraser->told, NULL);
    if (pthread_create(&eraser->thread, NULL, eraser_run, eraser) == 0)
        return eraser;
    log_error("eraser: no thread");
    pg_destroy(&eraser->pg);
    pg_args_destroy(&eraser->args);
    free(eraser);
    return NULL;
}

void eraser_stop(struct eraser **eraser_p)
{
    struct eraser *eraser = *eraser_p;
    if (eraser == NULL)
        return;
    pthread_mutex_lock(&eraser->lock);
    eraser->stopping = true;
    pthread_cond_signal(&eraser->told);
    pthread_mutex_unlock(&eraser->lock);
    pthread_join(eraser->thread, NULL);
    pg_destroy(&eraser->pg);
    pg_args_destroy(&eraser->args);
    pthread_cond_destroy(&eraser->told);
    pthread_mutex_destroy(&eraser->lock);
    free(eraser);
    *eraser_p = NULL;
}
