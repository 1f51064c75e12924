/* Intake's store: what services/intake/store.c says in SQL. */
#include "base/mutation.h"
#include "base/text.h"
#include "check.h"
#include "db.h"
#include "table/mirror.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

void store_init(struct store *store, const char *dsn, const char *holder, int64_t lease_ms)
{
    *store = (struct store){.pg = pg_new(dsn, STORE_SCHEMA), .fetch = pg_new(dsn, STORE_SCHEMA), .lease_ms = lease_ms};
    text_copy(store->holder, sizeof(store->holder), holder);
}

void store_release(struct store *store)
{
    pg_destroy(&store->pg);
    pg_destroy(&store->fetch);
}

enum status store_connect(struct store *store)
{
    enum status status = pg_connect(store->pg);
    return status == STATUS_OK ? pg_connect(store->fetch) : status;
}

enum status store_migrate(struct store *store)
{
    (void)store;
    return STATUS_OK;
}

enum status store_may_change(struct store *store)
{
    (void)store;
    return STATUS_OK;
}

enum status store_archive(struct store *store)
{
    (void)store;
    return STATUS_OK;
}

enum status store_take_over(struct store *store, struct journal *journal)
{
    enum status status = db_call(store->pg, true);
    if (status != STATUS_OK)
        return status;
    struct db *db = db_at(store->pg);
    struct head_row *head = &db->head;
    if (!text_equal(head->holder, store->holder) && head->lease_until_us >= world_now_us())
        return STATUS_AGAIN;
    head->head.epoch++;
    text_copy(head->holder, sizeof(head->holder), store->holder);
    head->lease_until_us = world_now_us() + store->lease_ms * 1000;
    world_say("epoch %lld begins at position %llu", (long long)head->head.epoch, (unsigned long long)head->head.pos);
    journal->head = head->head;
    journal->own_n = head->own_n;
    journal->event_rec_us = db->journal_n > 0 ? db->journal[db->journal_n - 1]->rec_us : head->head.rec_us;
    return STATUS_OK;
}

enum status store_stream(struct store *store, struct stream_created *stream)
{
    struct event event;
    struct problem problem;
    enum status status = db_call(store->pg, false);
    if (status != STATUS_OK)
        return status;
    const struct db *db = db_at(store->pg);
    if (db->journal_n == 0)
        return STATUS_ABSENT;
    return event_decode(db->journal[0]->body, bytes_of(NULL, 0), &event, &problem) &&
                   record_decode(&stream_created_record, RECORD_PLAIN, DECODE_LENIENT, event.data, NULL, stream, &problem)
               ? STATUS_OK
               : STATUS_REFUSED;
}

enum status store_partitions(struct store *store, uint64_t pos)
{
    (void)store;
    (void)pos;
    return STATUS_OK;
}

static struct source_row *source_find(struct db *db, int64_t id)
{
    for (size_t i = 0; i < db->sources_n; i++)
        if (db->sources[i].id == id)
            return &db->sources[i];
    return NULL;
}

static void stored_part(struct source_row *to, const struct source_row *from)
{
    memcpy(to->incarnation, from->incarnation, INCARNATION_BYTES);
    to->enrolled = from->enrolled;
    to->frozen = from->frozen;
    to->last = from->last;
    to->upto = from->upto;
    to->refused_day = from->refused_day;
    to->refused_n = from->refused_n;
    to->refused_bytes = from->refused_bytes;
    to->unkept = from->unkept;
}

enum status store_source(struct store *store, const char *name, struct source_row *source)
{
    enum status status = db_call(store->pg, true);
    if (status != STATUS_OK)
        return status;
    struct db *db = db_at(store->pg);
    struct source_row *found = NULL;
    for (size_t i = 0; i < db->sources_n; i++)
        if (text_equal(db->sources[i].name, name))
            found = &db->sources[i];
    if (found == NULL) {
        if (db->sources_n == DB_SOURCES_MAX)
            return db_refuse(store->pg, "53100", "so many sources are more than it has room for");
        found = &db->sources[db->sources_n++];
        found->id = (int64_t)db->sources_n + 1;
        text_copy(found->name, sizeof(found->name), name);
    }
    *source = (struct source_row){.id = found->id};
    text_copy(source->name, sizeof(source->name), name);
    stored_part(source, found);
    return STATUS_OK;
}

/* --- a batch --------------------------------------------------------------------------------------- */

static struct journal_row *entry_copy(const struct batch *batch, const struct entry *entry)
{
    static const uint8_t none[DIGEST_BYTES];
    struct journal_row *row = db_alloc(sizeof(*row));
    *row = (struct journal_row){.pos = entry->pos, .source = entry->source, .n = entry->n, .rec_us = entry->rec_us,
                                .body = db_keep(journal_batch_bytes(batch, entry->body)),
                                .priv = db_keep(journal_batch_bytes(batch, entry->priv)),
                                .result = db_keep(journal_batch_bytes(batch, entry->result)),
                                .by_source = memcmp(entry->digest, none, DIGEST_BYTES) != 0};
    text_copy(row->type, sizeof(row->type), entry->type);
    text_copy(row->key, sizeof(row->key), entry->key);
    memcpy(row->link, entry->link, LINK_BYTES);
    memcpy(row->digest, entry->digest, DIGEST_BYTES);
    return row;
}

static void sources_stage(struct tx *tx, struct source_row *const *dirty, size_t n)
{
    tx->sources = memory_new((n + 1) * sizeof(*tx->sources));
    tx->sources_n = n;
    for (size_t i = 0; i < n; i++)
        tx->sources[i] = *dirty[i];
}

static void batch_stage(struct tx *tx, const struct batch *batch)
{
    tx->moves_head = true;
    tx->before = batch->before;
    tx->after = batch->after;
    tx->own_n = batch->own_n;
    tx->entries = memory_new((batch->entries_n + 1) * sizeof(*tx->entries));
    for (uint32_t i = 0; i < batch->entries_n; i++)
        tx->entries[tx->entries_n++] = entry_copy(batch, &batch->entries[i]);
    tx->refusals = memory_new((batch->refusals_n + 1) * sizeof(*tx->refusals));
    for (uint32_t i = 0; i < batch->refusals_n; i++) {
        const struct refusal *from = &batch->refusals[i];
        struct refusal_row *row = &tx->refusals[tx->refusals_n++];
        *row = (struct refusal_row){.source = from->source, .n = from->n, .pos = from->pos, .problem = from->problem,
                                    .result = db_keep(journal_batch_bytes(batch, from->result))};
        memcpy(row->digest, from->digest, DIGEST_BYTES);
    }
    memcpy(tx->enrolled, batch->enrolled, sizeof(tx->enrolled));
    tx->enrolled_n = batch->enrolled_n;
}

enum status store_send(struct store *store, const struct batch *batch, struct source_row *const *dirty, size_t dirty_n,
                       struct tables *tables)
{
    enum status status = pg_begin(store->pg);
    if (status != STATUS_OK)
        return status;
    struct tx *tx = db_tx(store->pg);
    batch_stage(tx, batch);
    tx->lease_us = store->lease_ms * 1000;
    sources_stage(tx, dirty, dirty_n);
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
    if (status != STATUS_OK)
        return status;
    struct tx *tx = db_tx(store->pg);
    tx->renews = true;
    tx->before = *head;
    tx->after.rec_us = rec_us;
    tx->lease_us = store->lease_ms * 1000;
    sources_stage(tx, dirty, dirty_n);
    return pg_commit(store->pg);
}

void store_let_go(struct store *store, const struct journal_head *head)
{
    if (db_call(store->pg, true) == STATUS_OK && db_at(store->pg)->head.head.epoch == head->epoch)
        db_at(store->pg)->head.lease_until_us = world_now_us();
}

static void journal_add(struct db *db, struct journal_row *row)
{
    if (db->journal_n == db->journal_cap) {
        db->journal_cap = db->journal_cap > 0 ? 2 * db->journal_cap : 256;
        db->journal = memory_grow(db->journal, db->journal_cap * sizeof(struct journal_row *));
    }
    db->journal[db->journal_n++] = row;
}

static void refused_add(struct db *db, const struct refusal_row *row)
{
    if (db->refused_n == db->refused_cap) {
        db->refused_cap = db->refused_cap > 0 ? 2 * db->refused_cap : 64;
        db->refused = memory_grow(db->refused, db->refused_cap * sizeof(*db->refused));
    }
    db->refused[db->refused_n++] = *row;
}

static void batch_apply(struct db *db, struct tx *tx)
{
    check_journal(db, tx);
    for (size_t i = 0; i < tx->entries_n; i++)
        journal_add(db, tx->entries[i]);
    for (size_t i = 0; i < tx->refusals_n; i++)
        refused_add(db, &tx->refusals[i]);
    for (uint32_t e = 0; e < tx->enrolled_n; e++)
        for (size_t i = 0; i < db->sources_n; i++)
            if (text_equal(db->sources[i].name, tx->enrolled[e].source)) {
                memcpy(db->sources[i].incarnation, tx->enrolled[e].incarnation, INCARNATION_BYTES);
                db->sources[i].enrolled = true;
                db->sources[i].frozen = false;
            }
    int64_t epoch = db->head.head.epoch;
    db->head.head = tx->after;
    db->head.head.epoch = epoch;
    db->head.own_n = tx->own_n;
}

bool store_apply(struct db *db, struct tx *tx)
{
    struct head_row *head = &db->head;
    if (!tx->moves_head && !tx->renews)
        return true;
    bool epoch_holds = head->head.epoch == tx->before.epoch || MUTATION(MUTATION_EPOCH_UNCOMPARED);
    if (!epoch_holds || (tx->moves_head && head->head.pos != tx->before.pos))
        return false;
    if (tx->moves_head)
        batch_apply(db, tx);
    else if (tx->after.rec_us > head->head.rec_us)
        head->head.rec_us = tx->after.rec_us;
    head->lease_until_us = world_now_us() + tx->lease_us;
    for (size_t i = 0; i < tx->sources_n; i++)
        stored_part(source_find(db, tx->sources[i].id), &tx->sources[i]);
    return true;
}

/* --- stored answers -------------------------------------------------------------------------------- */

static bool answer_find(const struct db *db, int64_t source, int64_t n, struct answer *answer, struct bytes *digest)
{
    for (size_t i = 0; i < db->journal_n; i++) {
        const struct journal_row *row = db->journal[i];
        if (row->source != source || row->n != n || !row->by_source)
            continue;
        *answer = (struct answer){.n = n, .taken = true, .pos = (int64_t)row->pos, .result = row->result};
        *digest = bytes_of(row->digest, DIGEST_BYTES);
        return true;
    }
    for (size_t i = 0; i < db->refused_n; i++) {
        const struct refusal_row *row = &db->refused[i];
        if (row->source != source || row->n != n)
            continue;
        *answer = (struct answer){.n = n, .pos = (int64_t)row->pos, .result = row->result, .problem = row->problem};
        answer->taken = row->problem.code[0] == '\0' || text_equal(row->problem.code, "repeat");
        *digest = bytes_of(row->digest, DIGEST_BYTES);
        return true;
    }
    return false;
}

enum status store_answers(struct store *store, const struct source_row *source, int64_t from, int64_t to, int64_t limit,
                          stored_answer *tell, void *owner)
{
    struct answer answer;
    struct bytes digest;
    enum status status = db_call(store->pg, false);
    if (status != STATUS_OK)
        return status;
    for (int64_t n = from; n <= to && limit > 0; n++)
        if (answer_find(db_at(store->pg), source->id, n, &answer, &digest)) {
            tell(owner, &answer, digest);
            limit--;
        }
    return STATUS_OK;
}
