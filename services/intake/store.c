#include "store.h"
#include "archive.h"
#include "base/log.h"
#include "base/text.h"
#include "migrations.h"
#include "record/pack.h"
#include "table/mirror.h"
#include <string.h>

void store_init(struct store *store, const char *dsn, const char *holder, int64_t lease_ms)
{
    *store = (struct store){.pg = pg_new(dsn, STORE_SCHEMA),
                              .fetch = pg_new(dsn, STORE_SCHEMA),
                              .args = pg_args_new(),
                              .lease_ms = lease_ms};
    text_copy(store->holder, sizeof(store->holder), holder);
}

void store_release(struct store *store)
{
    pg_destroy(&store->pg);
    pg_destroy(&store->fetch);
    pg_args_destroy(&store->args);
}

enum status store_connect(struct store *store)
{
    store->partitions_upto = 0;
    enum status status = pg_connect(store->pg);
    if (status == STATUS_OK)
        status = pg_connect(store->fetch);
    if (status == STATUS_OK)
        status = mirror_session(store->fetch);
    /* Young tables have no statistics: a sequential plan for an array of keys would be chosen once and kept. What is acknowledged
     * is on the disk, whatever database or role say for others; more than that (remote_apply) is the operator's. */
    return status == STATUS_OK ? pg_run(store->pg, "SET enable_seqscan = off; SELECT set_config('synchronous_commit', 'on', false)"
                                                   " WHERE current_setting('synchronous_commit') IN ('off', 'local')")
                               : status;
}

enum status store_migrate(struct store *store)
{
    return pg_migrate(store->pg, STORE_SCHEMA, intake_migrations, intake_migrations_n);
}

enum status store_archive(struct store *store)
{
    return mirror_create(store->pg, STORE_SCHEMA, archive_tables, ARCHIVE_TABLES_N);
}

static enum status query(struct store *store, const char *sql, struct pg_result **result)
{
    return pg_query(store->pg, sql, store->args, result);
}

enum status store_may_change(struct store *store)
{
    owned(pg_result_destroy) struct pg_result *result = NULL;
    pg_args_reset(store->args);
    pg_arg_text(store->args, store->holder);
    enum status status = query(store, "SELECT holder = $1::text OR lease_until < now() FROM head", &result);
    if (status == STATUS_REFUSED && text_equal(pg_sqlstate(store->pg), "42P01"))
        return STATUS_ABSENT;
    if (status == STATUS_OK && pg_rows(result) == 0)
        return STATUS_ABSENT;
    return status == STATUS_OK && !pg_bool(result, 0, 0) ? STATUS_AGAIN : status;
}

/* A writer that hangs in the middle of a transaction, its words half said, keeps the head locked for as long as it hangs. Its lease
 * has run out, so it may be ended. One that waits for its standby is left alone: what it has written may count. */
static enum status end_who_hangs(struct store *store)
{
    pg_args_reset(store->args);
    enum status status = query(store,
                               "SELECT pg_terminate_backend(a.pid) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
                               " WHERE l.relation = 'head'::regclass AND l.mode = 'RowExclusiveLock' AND l.granted"
                               " AND l.pid <> pg_backend_pid() AND a.usename = current_user AND a.wait_event = 'ClientRead'",
                               NULL);
    if (status != STATUS_OK)
        return status;
    pg_set_error(store->pg, "the head is locked by a session that hangs, or waits for its standby");
    return STATUS_CLOSED;
}

static enum status take_over(struct store *store, struct pg_result **result)
{
    pg_args_reset(store->args);
    pg_arg_text(store->args, store->holder);
    pg_arg_int(store->args, store->lease_ms);
    pg_arg_bool(store->args, store->forced);
    enum status status = query(store,
                               "UPDATE head SET epoch = epoch + 1, holder = $1::text, lease_until = now() + $2::int8 * interval '1 ms'"
                               " WHERE $3::bool OR holder = $1::text OR lease_until < now() RETURNING epoch, pos, link, rec, own_n,"
                               " coalesce((SELECT j.rec FROM journal j WHERE j.pos = head.pos), rec), seal",
                               result);
    return status == STATUS_REFUSED && text_equal(pg_sqlstate(store->pg), "55P03") ? end_who_hangs(store) : status;
}

/* Names that said HELLO once and never anything else. Now nobody has a session. */
static enum status forget_silent(struct store *store)
{
    pg_args_reset(store->args);
    pg_arg_int(store->args, SOURCES_NEW_DAYS);
    return query(store, "DELETE FROM source WHERE nth > 0 AND last = 0 AND since < now() - $1::int8 * interval '1 day'", NULL);
}

enum status store_take_over(struct store *store, struct journal *journal)
{
    owned(pg_result_destroy) struct pg_result *result = NULL;
    enum status status = pg_run(store->pg, "SET lock_timeout = 1000");
    if (status == STATUS_OK)
        status = take_over(store, &result);
    if (status != STATUS_OK)
        return status;
    status = pg_run(store->pg, "SET lock_timeout = 0");
    if (status != STATUS_OK)
        return status;
    if (pg_rows(result) == 0)
        return STATUS_AGAIN;
    journal->head.epoch = pg_int(result, 0, 0);
    journal->head.pos = (uint64_t)pg_int(result, 0, 1);
    struct bytes link = pg_bytes(result, 0, 2);
    if (link.len != LINK_BYTES)
        return STATUS_REFUSED;
    memcpy(journal->head.link, link.data, LINK_BYTES);
    journal->head.rec_us = pg_time(result, 0, 3);
    journal->own_n = pg_int(result, 0, 4);
    journal->event_rec_us = pg_time(result, 0, 5);
    memset(journal->head.seal, 0, SEAL_BYTES); /* before there were seals: they begin here */
    if (pg_bytes(result, 0, 6).len == SEAL_BYTES)
        memcpy(journal->head.seal, pg_bytes(result, 0, 6).data, SEAL_BYTES);
    return forget_silent(store);
}

enum status store_stream(struct store *store, struct stream_created *stream)
{
    owned(pg_result_destroy) struct pg_result *result = NULL;
    struct event event;
    struct problem problem;
    pg_args_reset(store->args);
    enum status status = query(store, "SELECT body FROM journal WHERE pos = 1", &result);
    if (status != STATUS_OK)
        return status;
    if (pg_rows(result) == 0)
        return STATUS_ABSENT;
    if (!event_decode(pg_bytes(result, 0, 0), bytes_of(NULL, 0), &event, &problem) ||
        !record_decode(&stream_created_record, RECORD_PLAIN, DECODE_LENIENT, event.data, NULL, stream, &problem))
        return STATUS_REFUSED;
    return STATUS_OK;
}

static void source_read(const struct pg_result *result, struct source_row *source)
{
    source->id = pg_int(result, 0, 0);
    struct bytes incarnation = pg_bytes(result, 0, 1);
    source->enrolled = !pg_is_null(result, 0, 1) && incarnation.len == INCARNATION_BYTES;
    if (source->enrolled)
        memcpy(source->incarnation, incarnation.data, INCARNATION_BYTES);
    source->frozen = pg_bool(result, 0, 2);
    source->last = pg_int(result, 0, 3);
    source->upto = pg_int(result, 0, 4);
    source->refused_day = pg_int(result, 0, 5);
    source->refused_n = pg_int(result, 0, 6);
    source->refused_bytes = pg_int(result, 0, 7);
    source->unkept = pg_int(result, 0, 8);
}

#define SOURCE_COLUMNS "id, incarnation, frozen, last, upto, refused_day, refused_n, refused_bytes, unkept"
#define OF_PRINCIPAL " FROM source s WHERE split_part(s.name, '/', 1) = $2::text AND s.nth > 0"

/* 1 is intake's own. Of a principal's sources with a suffix the one begun SOURCES_NEW_MAX before must be older than those days. */
static enum status source_add(struct store *store, const char *name, struct pg_result **result)
{
    size_t principal = strcspn(name, "/");
    char of[64];
    pg_args_reset(store->args);
    pg_arg_text(store->args, name);
    if (name[principal] == '\0')
        return query(store,
                     "INSERT INTO source (id, name) SELECT greatest(coalesce(max(id), 0), 1) + 1, $1::text FROM source"
                     " RETURNING " SOURCE_COLUMNS,
                     result);
    if (!text_copy_n(of, sizeof(of), name, principal))
        return STATUS_REFUSED;
    pg_arg_text(store->args, of);
    pg_arg_int(store->args, SOURCES_NEW_MAX);
    pg_arg_int(store->args, SOURCES_NEW_DAYS);
    return query(store,
                 "INSERT INTO source (id, name, nth) SELECT (SELECT greatest(max(id), 1) + 1 FROM source), $1::text, o.nth FROM"
                 " (SELECT coalesce((SELECT max(s.nth)" OF_PRINCIPAL "), 0) + 1 AS nth) o WHERE coalesce((SELECT s.since" OF_PRINCIPAL
                 " AND s.nth <= o.nth - $3::int8 ORDER BY s.nth DESC LIMIT 1), 'epoch') < now() - $4::int8 * interval '1 day'"
                 " RETURNING " SOURCE_COLUMNS,
                 result);
}

enum status store_source(struct store *store, const char *name, struct source_row *source)
{
    owned(pg_result_destroy) struct pg_result *result = NULL;
    *source = (struct source_row){0};
    text_copy(source->name, sizeof(source->name), name);
    pg_args_reset(store->args);
    pg_arg_text(store->args, name);
    enum status status = query(store,
                               "SELECT " SOURCE_COLUMNS " FROM source WHERE name = $1::text", &result);
    if (status != STATUS_OK)
        return status;
    if (pg_rows(result) == 0) {
        pg_result_destroy(&result);
        status = source_add(store, name, &result);
        if (status == STATUS_OK && pg_rows(result) == 0)
            return STATUS_ABSENT;
        if (status != STATUS_OK)
            return status;
    }
    source_read(result, source);
    return STATUS_OK;
}

/* --- a batch --------------------------------------------------------------------------------------- */

static enum status ship(struct store *store, const char *sql)
{
    return pg_send(store->pg, sql, store->args);
}

#define EACH_ENTRY(array, statement)                                                                                               \
    do {                                                                                                                           \
        pg_arg_array_begin(args, array);                                                                                           \
        for (uint32_t i = 0; i < batch->entries_n; i++) {                                                                          \
            const struct entry *entry = &batch->entries[i];                                                                        \
            statement;                                                                                                             \
        }                                                                                                                          \
        pg_arg_array_end(args);                                                                                                    \
    } while (0)

static void elem_bytes_or_null(struct pg_args *args, struct bytes bytes)
{
    if (bytes.len == 0)
        pg_elem_null(args);
    else
        pg_elem_bytea(args, bytes);
}

static enum status send_journal(struct store *store, const struct batch *batch)
{
    static const uint8_t no_digest[DIGEST_BYTES];
    struct pg_args *args = store->args;
    pg_args_reset(args);
    EACH_ENTRY(PG_INT8_ARRAY, pg_elem_int(args, (int64_t)entry->pos));
    EACH_ENTRY(PG_INT8_ARRAY, pg_elem_int(args, entry->source));
    EACH_ENTRY(PG_INT8_ARRAY, pg_elem_int(args, entry->n));
    EACH_ENTRY(PG_TEXT_ARRAY, pg_elem_text(args, entry->type, strlen(entry->type)));
    EACH_ENTRY(PG_TEXT_ARRAY, pg_elem_text(args, entry->key, strlen(entry->key)));
    EACH_ENTRY(PG_TIME_ARRAY, pg_elem_time(args, entry->rec_us));
    EACH_ENTRY(PG_BYTEA_ARRAY, pg_elem_bytea(args, journal_batch_bytes(batch, entry->body)));
    EACH_ENTRY(PG_BYTEA_ARRAY, elem_bytes_or_null(args, journal_batch_bytes(batch, entry->priv)));
    EACH_ENTRY(PG_BYTEA_ARRAY, pg_elem_bytea(args, bytes_of(entry->link, LINK_BYTES)));
    EACH_ENTRY(PG_BYTEA_ARRAY, elem_bytes_or_null(args, memcmp(entry->digest, no_digest, DIGEST_BYTES) == 0
                                                            ? bytes_of(NULL, 0)
                                                            : bytes_of(entry->digest, DIGEST_BYTES)));
    EACH_ENTRY(PG_BYTEA_ARRAY, elem_bytes_or_null(args, journal_batch_bytes(batch, entry->result)));
    EACH_ENTRY(PG_BYTEA_ARRAY, pg_elem_bytea(args, bytes_of(entry->seal, SEAL_BYTES)));
    return ship(store, "INSERT INTO journal SELECT * FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::text[], $5::text[],"
                       " $6::timestamptz[], $7::bytea[], $8::bytea[], $9::bytea[], $10::bytea[], $11::bytea[], $12::bytea[])");
}

#define EACH_REFUSAL(array, statement)                                                                                             \
    do {                                                                                                                           \
        pg_arg_array_begin(args, array);                                                                                           \
        for (uint32_t i = 0; i < batch->refusals_n; i++) {                                                                         \
            const struct refusal *refusal = &batch->refusals[i];                                                                   \
            statement;                                                                                                             \
        }                                                                                                                          \
        pg_arg_array_end(args);                                                                                                    \
    } while (0)

static enum status send_refused(struct store *store, const struct batch *batch)
{
    struct pg_args *args = store->args;
    pg_args_reset(args);
    EACH_REFUSAL(PG_INT8_ARRAY, pg_elem_int(args, refusal->source));
    EACH_REFUSAL(PG_INT8_ARRAY, pg_elem_int(args, refusal->n));
    EACH_REFUSAL(PG_TIME_ARRAY, pg_elem_time(args, refusal->rec_us));
    EACH_REFUSAL(PG_BYTEA_ARRAY, pg_elem_bytea(args, bytes_of(refusal->digest, DIGEST_BYTES)));
    EACH_REFUSAL(PG_TEXT_ARRAY, pg_elem_text(args, refusal->problem.code, strlen(refusal->problem.code)));
    EACH_REFUSAL(PG_TEXT_ARRAY, pg_elem_text(args, refusal->problem.field, strlen(refusal->problem.field)));
    EACH_REFUSAL(PG_TEXT_ARRAY, pg_elem_text(args, refusal->problem.args, strlen(refusal->problem.args)));
    EACH_REFUSAL(PG_INT8_ARRAY, pg_elem_int(args, (int64_t)refusal->pos));
    EACH_REFUSAL(PG_BYTEA_ARRAY, elem_bytes_or_null(args, journal_batch_bytes(batch, refusal->result)));
    EACH_REFUSAL(PG_BYTEA_ARRAY, elem_bytes_or_null(args, journal_batch_bytes(batch, refusal->event)));
    return ship(store, "INSERT INTO refused SELECT * FROM unnest($1::int8[], $2::int8[], $3::timestamptz[], $4::bytea[],"
                       " $5::text[], $6::text[], $7::text[], $8::int8[], $9::bytea[], $10::bytea[])");
}

/* Compare-and-set: 0 rows is a division by zero, an error that stops the COMMIT behind it. */
static enum status send_head(struct store *store, const struct batch *batch)
{
    struct pg_args *args = store->args;
    pg_args_reset(args);
    pg_arg_int(args, batch->before.epoch);
    pg_arg_int(args, (int64_t)batch->before.pos);
    pg_arg_int(args, (int64_t)batch->after.pos);
    pg_arg_bytea(args, bytes_of(batch->after.link, LINK_BYTES));
    pg_arg_time(args, batch->after.rec_us);
    pg_arg_int(args, batch->own_n);
    pg_arg_int(args, store->lease_ms);
    pg_arg_bytea(args, bytes_of(batch->after.seal, SEAL_BYTES));
    return ship(store, "WITH c AS (UPDATE head SET pos = $3::int8, link = $4::bytea, rec = $5::timestamptz, own_n = $6::int8,"
                       " lease_until = now() + $7::int8 * interval '1 ms', seal = $8::bytea WHERE epoch = $1::int8 AND pos = $2::int8 RETURNING 1)"
                       " SELECT 1 / count(*) FROM c");
}

#define EACH_SOURCE(array, statement)                                                                                              \
    do {                                                                                                                           \
        pg_arg_array_begin(args, array);                                                                                           \
        for (size_t i = 0; i < n; i++) {                                                                                           \
            const struct source_row *source = sources[i];                                                                          \
            statement;                                                                                                             \
        }                                                                                                                          \
        pg_arg_array_end(args);                                                                                                    \
    } while (0)

static enum status send_sources(struct store *store, struct source_row *const *sources, size_t n)
{
    struct pg_args *args = store->args;
    pg_args_reset(args);
    EACH_SOURCE(PG_INT8_ARRAY, pg_elem_int(args, source->id));
    EACH_SOURCE(PG_BYTEA_ARRAY,
                elem_bytes_or_null(args, source->enrolled ? bytes_of(source->incarnation, INCARNATION_BYTES) : bytes_of(NULL, 0)));
    EACH_SOURCE(PG_BOOL_ARRAY, pg_elem_bool(args, source->frozen));
    EACH_SOURCE(PG_INT8_ARRAY, pg_elem_int(args, source->last));
    EACH_SOURCE(PG_INT8_ARRAY, pg_elem_int(args, source->upto));
    EACH_SOURCE(PG_INT8_ARRAY, pg_elem_int(args, source->refused_day));
    EACH_SOURCE(PG_INT8_ARRAY, pg_elem_int(args, source->refused_n));
    EACH_SOURCE(PG_INT8_ARRAY, pg_elem_int(args, source->refused_bytes));
    EACH_SOURCE(PG_INT8_ARRAY, pg_elem_int(args, source->unkept));
    return ship(store, "UPDATE source s SET incarnation = u.incarnation, frozen = u.frozen, last = u.last, upto = u.upto,"
                       " refused_day = u.refused_day, refused_n = u.refused_n, refused_bytes = u.refused_bytes, unkept = u.unkept"
                       " FROM unnest($1::int8[], $2::bytea[], $3::bool[], $4::int8[], $5::int8[], $6::int8[], $7::int8[], $8::int8[],"
                       " $9::int8[]) u(id, incarnation, frozen, last, upto, refused_day, refused_n, refused_bytes, unkept)"
                       " WHERE s.id = u.id");
}

static enum status send_enrolled(struct store *store, const struct source_enrolled *enrolled)
{
    pg_args_reset(store->args);
    pg_arg_text(store->args, enrolled->source);
    pg_arg_bytea(store->args, bytes_of(enrolled->incarnation, INCARNATION_BYTES));
    pg_arg_bool(store->args, source_is_any(enrolled->incarnation));
    return ship(store, "UPDATE source SET incarnation = CASE WHEN $3::bool THEN NULL ELSE $2::bytea END, frozen = false WHERE name = $1::text");
}

/* The first correction counts. */
static enum status send_corrected(struct store *store, const struct event_corrected *corrected)
{
    pg_args_reset(store->args);
    pg_arg_text(store->args, corrected->source);
    pg_arg_int(store->args, corrected->n);
    pg_arg_int(store->args, corrected->pos);
    return ship(store, "UPDATE refused r SET corrected = $3::int8 FROM source s WHERE s.name = $1::text AND r.source = s.id"
                       " AND r.n = $2::int8 AND r.corrected = 0");
}

enum status store_send(struct store *store, const struct batch *batch, struct source_row *const *dirty,
                       size_t dirty_n, struct tables *tables)
{
    enum status status = pg_begin(store->pg);
    /* The head first: who has lost it is told before anything else is done. */
    if (status == STATUS_OK)
        status = send_head(store, batch);
    if (status == STATUS_OK && batch->entries_n > 0)
        status = send_journal(store, batch);
    if (status == STATUS_OK && batch->refusals_n > 0)
        status = send_refused(store, batch);
    if (status == STATUS_OK && dirty_n > 0)
        status = send_sources(store, dirty, dirty_n);
    for (uint32_t i = 0; status == STATUS_OK && i < batch->enrolled_n; i++)
        status = send_enrolled(store, &batch->enrolled[i]);
    for (uint32_t i = 0; status == STATUS_OK && i < batch->corrected_n; i++)
        status = send_corrected(store, &batch->corrected[i]);
    if (status == STATUS_OK)
        status = mirror_send(store->pg, tables);
    if (status != STATUS_OK)
        return status;
    tables_depart(tables);
    return pg_commit_send(store->pg);
}

enum status store_poll(struct store *store)
{
    return pg_commit_poll(store->pg);
}

enum status store_wait(struct store *store, int64_t until_us)
{
    return pg_commit_wait(store->pg, until_us);
}

enum status store_renew(struct store *store, const struct journal_head *head, int64_t rec_us, struct source_row *const *dirty,
                        size_t dirty_n)
{
    enum status status = pg_begin(store->pg);
    pg_args_reset(store->args);
    pg_arg_int(store->args, head->epoch);
    pg_arg_int(store->args, store->lease_ms);
    pg_arg_time(store->args, rec_us);
    if (status == STATUS_OK)
        status = ship(store, "WITH c AS (UPDATE head SET lease_until = now() + $2::int8 * interval '1 ms',"
                             " rec = greatest(rec, $3::timestamptz) WHERE epoch = $1::int8 RETURNING 1)"
                             " SELECT 1 / count(*) FROM c");
    if (status == STATUS_OK && dirty_n > 0)
        status = send_sources(store, dirty, dirty_n);
    return status == STATUS_OK ? pg_commit(store->pg) : status;
}

void store_let_go(struct store *store, const struct journal_head *head)
{
    pg_args_reset(store->args);
    pg_arg_int(store->args, head->epoch);
    enum status status = query(store, "UPDATE head SET lease_until = now() WHERE epoch = $1::int8", NULL);
    if (status != STATUS_OK)
        log_warn("lease not given back: %s", pg_error(store->pg));
}

/* --- stored answers -------------------------------------------------------------------------------- */

static void text_read(char *dst, size_t cap, struct bytes text)
{
    text_copy_n(dst, cap, (const char *)text.data, text.len);
}

/* Numbers without a row, from … to−1: refusals that were not kept. Where the source has none it is corruption, which the caller sees. */
static void tell_unkept(const struct source_row *source, int64_t from, int64_t to, stored_answer *tell, void *owner)
{
    for (int64_t n = from; n < to && source->unkept > 0; n++) {
        struct answer answer = {.n = n, .problem = {.code = "not-kept"}};
        tell(owner, &answer, bytes_of(NULL, 0));
    }
}

enum status store_answers(struct store *store, const struct source_row *source, int64_t from, int64_t to, int64_t limit,
                          stored_answer *tell, void *owner)
{
    owned(pg_result_destroy) struct pg_result *result = NULL;
    pg_args_reset(store->args);
    pg_arg_int(store->args, source->id);
    pg_arg_int(store->args, from);
    pg_arg_int(store->args, to);
    pg_arg_int(store->args, limit);
    enum status status = query(store,
                               "SELECT n, pos, result, digest, '' AS code, '' AS field, '' AS args FROM journal"
                               " WHERE source = $1::int8 AND n BETWEEN $2::int8 AND $3::int8"
                               " UNION ALL SELECT n, pos, result, digest, code, field, args FROM refused"
                               " WHERE source = $1::int8 AND n BETWEEN $2::int8 AND $3::int8 ORDER BY n LIMIT $4::int8",
                               &result);
    if (status != STATUS_OK)
        return status;
    int64_t next = from, end = from + limit - 1 < to ? from + limit : to + 1;
    for (int row = 0; row < pg_rows(result) && pg_int(result, row, 0) < end; row++) {
        struct answer answer = {.n = pg_int(result, row, 0), .pos = pg_int(result, row, 1)};
        tell_unkept(source, next, answer.n, tell, owner);
        next = answer.n + 1;
        if (!pg_is_null(result, row, 2))
            answer.result = pg_bytes(result, row, 2);
        text_read(answer.problem.code, sizeof(answer.problem.code), pg_bytes(result, row, 4));
        text_read(answer.problem.field, sizeof(answer.problem.field), pg_bytes(result, row, 5));
        text_read(answer.problem.args, sizeof(answer.problem.args), pg_bytes(result, row, 6));
        answer.taken = answer.problem.code[0] == '\0' || text_equal(answer.problem.code, "repeat");
        tell(owner, &answer, pg_is_null(result, row, 3) ? bytes_of(NULL, 0) : pg_bytes(result, row, 3));
    }
    tell_unkept(source, next, end, tell, owner);
    return STATUS_OK;
}
