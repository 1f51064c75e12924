/* What common/pg, table/mirror and services/intake/store.c say in SQL, in memory: enough for intake's two threads. A transaction
 * takes effect when it is settled; its fate is set before. */
#include "base/clock.h"
#include "proto/catalogue.h"
#include "base/text.h"
#include "edges.h"
#include "house.h"
#include "pg/row.h"
#include "record/pack.h"
#include "table/mirror.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

static struct stored *base, *now;

struct stored *house_stored(void)
{
    if (now == NULL) {
        now = memory_new(sizeof(*now));
        now->arena = arena_new(1 << 16);
    }
    return now;
}

void house_store_keep(void)
{
    base = now;
    now = NULL;
}

void house_store_begin(void)
{
    now = memory_new(sizeof(*now));
    *now = *base;
    now->arena = arena_new(1 << 16);
    struct stored_row **end = &now->rows;
    for (const struct stored_row *row = base->rows; row != NULL; row = row->next) {
        *end = arena_alloc(now->arena, sizeof(**end));
        **end = *row;
        end = &(*end)->next;
    }
    *end = NULL;
}

void house_store_end(void)
{
    arena_destroy(&now->arena);
    free(now);
    now = NULL;
}

/* One byte at least, each a block of its own: what is read beyond it is seen. */
static struct bytes kept(struct bytes from)
{
    uint8_t *to = arena_alloc(house_stored()->arena, from.len + 1);
    if (from.len > 0)
        memcpy(to, from.data, from.len);
    return bytes_of(from.len > 0 ? to : NULL, from.len);
}

/* --- rows ------------------------------------------------------------------------------------------ */

struct stored_row *house_row(const struct table_def *def, const char *key)
{
    for (struct stored_row *row = house_stored()->rows; row != NULL; row = row->next)
        if (text_equal(row->def->name, def->name) && text_equal(row->key, key))
            return row;
    return NULL;
}

void *house_row_read(const struct stored_row *row, struct arena *arena)
{
    struct problem problem;
    void *object = arena_alloc(arena, row->def->row->size);
    bool fine = skim(row->packed, &problem) &&
                record_decode(row->def->row, RECORD_WHOLE, DECODE_STRICT, row->packed, arena, object, &problem);
    if (!fine)
        house_broken("row %s %s cannot be read again: %s %s", row->def->name, row->key, problem.code, problem.field);
    return object;
}

static void row_write(const struct table_def *def, const void *object, bool fresh)
{
    const char *key = (const char *)object + def->row->fields[0].offset;
    struct buf packed = {0};
    struct stored_row *row = house_row(def, key);
    if ((row == NULL) != fresh)
        house_broken("row %s %s is %s", def->name, key, fresh ? "inserted twice" : "updated and not there");
    if (row == NULL) {
        struct bytes copy = kept(bytes_of(key, strlen(key) + 1));
        row = arena_alloc(now->arena, sizeof(*row));
        *row = (struct stored_row){.next = now->rows, .def = def, .key = (const char *)copy.data};
        now->rows = row;
    }
    record_encode(def->row, RECORD_WHOLE, object, &packed);
    row->packed = kept(buf_bytes(&packed));
    buf_release(&packed);
}

/* --- connections ----------------------------------------------------------------------------------- */

enum phase { IDLE, STAGING, FLYING, LANDED };

/* What a transaction will do, in the order it was said. */
struct write {
    struct write *next;
    const struct table_def *def;
    void *object;
    bool fresh;
};
struct pg {
    bool connected;
    enum phase phase;
    enum status result;
    char error[100], sqlstate[6];
    /* staged */
    struct write *writes, **writes_end;
    bool moves, renews;
    struct journal_head before, after;
    int64_t own_n, lease_us;
    struct stored_event *events;
    size_t events_n;
    struct stored_refusal *refusals;
    size_t refusals_n;
    struct source_row *sources;
    size_t sources_n;
    struct source_enrolled enrolled[BATCH_ENROLLED_MAX];
    uint32_t enrolled_n;
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

static enum status refuse(struct pg *pg, const char *sqlstate)
{
    text_copy(pg->sqlstate, sizeof(pg->sqlstate), sqlstate);
    text_copy(pg->error, sizeof(pg->error), "the server refuses");
    return STATUS_REFUSED;
}

static enum status call(struct pg *pg, bool writes)
{
    if (!pg->connected || house_stored()->down_until_us > clock_boot_us())
        return gone(pg, STATUS_CLOSED);
    return writes && now->full_until_us > clock_boot_us() ? refuse(pg, "53100") : STATUS_OK;
}

enum status pg_connect(struct pg *pg)
{
    pg_disconnect(pg);
    if (house_stored()->down_until_us > clock_boot_us())
        return STATUS_AGAIN;
    pg->connected = true;
    return STATUS_OK;
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

bool house_fd_is_readable(int fd)
{
    (void)fd;
    return flying != NULL && flying->phase == LANDED;
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
    return call(pg, false);
}

enum status pg_begin(struct pg *pg)
{
    if (!pg->connected)
        return gone(pg, STATUS_CLOSED);
    assert(pg->phase == IDLE);
    struct pg fresh = {.connected = true, .phase = STAGING};
    *pg = fresh;
    pg->writes_end = &pg->writes;
    return STATUS_OK;
}

void pg_rollback(struct pg *pg)
{
    pg_disconnect(pg);
}

/* --- a transaction takes effect -------------------------------------------------------------------- */

static void source_keep(struct source_row *to, const struct source_row *from)
{
    *to = *from;
    to->dirty = false;
    to->session = 0;
    to->applied = to->checked_us = 0;
}

static void events_check(const struct pg *pg)
{
    uint8_t link[LINK_BYTES];
    uint64_t pos = now->head.pos;
    memcpy(link, pos > 0 ? now->head.link : pg->before.link, LINK_BYTES); /* before anything: by the stream's name */
    for (size_t i = 0; i < pg->events_n; i++) {
        const struct stored_event *row = &pg->events[i];
        struct event event;
        struct problem problem;
        link_next(link, row->body, link);
        bool fine = row->pos == ++pos && skim(row->body, &problem) && event_decode(row->body, row->priv, &event, &problem) &&
                    event.pos == pos && memcmp(link, row->link, LINK_BYTES) == 0 && (row->priv.len == 0 || skim(row->priv, &problem));
        if (!fine)
            house_broken("position %llu is no good journal row", (unsigned long long)row->pos);
        const struct event_type *type = event_type_find(event.type, event.v);
        struct arena *arena = arena_new(4096);
        void *object = arena_alloc(arena, type->data->size);
        if (!record_decode(type->data, RECORD_PLAIN, DECODE_STRICT, event.data, arena, object, &problem))
            house_broken("%s: what was taken cannot be read: %s %s", event.type, problem.code, problem.field);
        arena_destroy(&arena);
    }
    for (size_t i = 0; i < pg->sources_n; i++)
        for (size_t k = 0; k < now->sources_n; k++)
            if (now->sources[k].id == pg->sources[i].id && pg->sources[i].last < now->sources[k].last)
                house_broken("%s: numbers go back", pg->sources[i].name);
}

static enum status apply(struct pg *pg)
{
    if (now->down_until_us > clock_boot_us())
        return STATUS_CLOSED;
    if (now->full_until_us > clock_boot_us())
        return refuse(pg, "53100");
    if ((pg->moves || pg->renews) && (now->head.epoch != pg->before.epoch || (pg->moves && now->head.pos != pg->before.pos)))
        return refuse(pg, "22012");
    if (pg->moves) {
        events_check(pg);
        if (now->events_n + pg->events_n > STORED_EVENTS_MAX || now->refusals_n + pg->refusals_n > STORED_REFUSALS_MAX)
            return refuse(pg, "53100");
        memcpy(&now->events[now->events_n], pg->events, pg->events_n * sizeof(*pg->events));
        now->events_n += pg->events_n;
        memcpy(&now->refusals[now->refusals_n], pg->refusals, pg->refusals_n * sizeof(*pg->refusals));
        now->refusals_n += pg->refusals_n;
        int64_t epoch = now->head.epoch;
        now->head = pg->after;
        now->head.epoch = epoch;
        now->own_n = pg->own_n;
    }
    if (pg->moves || pg->renews)
        now->lease_until_us = clock_boot_us() + pg->lease_us;
    for (size_t i = 0; i < pg->sources_n; i++)
        for (size_t k = 0; k < now->sources_n; k++)
            if (now->sources[k].id == pg->sources[i].id)
                source_keep(&now->sources[k], &pg->sources[i]);
    for (uint32_t e = 0; e < pg->enrolled_n; e++)
        for (size_t k = 0; k < now->sources_n; k++)
            if (text_equal(now->sources[k].name, pg->enrolled[e].source)) {
                memcpy(now->sources[k].incarnation, pg->enrolled[e].incarnation, INCARNATION_BYTES);
                now->sources[k].enrolled = true;
                now->sources[k].frozen = false;
            }
    for (const struct write *write = pg->writes; write != NULL; write = write->next)
        row_write(write->def, write->object, write->fresh);
    return STATUS_OK;
}

void house_settle(void)
{
    if (flying == NULL || flying->phase != FLYING)
        return;
    enum status fate = house_stored()->fate;
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

/* --- tables ---------------------------------------------------------------------------------------- */

enum status mirror_session(struct pg *pg)
{
    return call(pg, false);
}

enum status mirror_create(struct pg *pg, const char *schema, const struct table_def *const *defs, size_t n)
{
    (void)schema;
    (void)defs;
    (void)n;
    return call(pg, true);
}

enum status mirror_load(struct pg *pg, struct tables *tables)
{
    enum status status = call(pg, false);
    struct arena *arena = arena_new(1 << 14);
    for (unsigned table = 0; status == STATUS_OK && table < tables_count(tables); table++) {
        const struct table_def *def = tables_def(tables, table);
        for (const struct stored_row *row = now->rows; row != NULL; row = row->next) {
            if (!text_equal(row->def->name, def->name))
                continue;
            const char *object = house_row_read(row, arena);
            if (def->whole || (def->open_offset != 0 && *(const bool *)(object + def->open_offset)))
                tables_load(tables, table, object);
        }
    }
    arena_destroy(&arena);
    if (status == STATUS_OK)
        tables_keep_near(tables);
    return status;
}

enum status mirror_fetch(struct pg *pg, struct tables *tables)
{
    const struct miss *misses;
    enum status status = call(pg, false);
    if (status != STATUS_OK)
        return status;
    struct arena *arena = arena_new(1 << 14);
    size_t n = tables_misses(tables, &misses);
    for (size_t i = 0; i < n; i++) {
        const struct stored_row *row = house_row(tables_def(tables, misses[i].table), misses[i].key);
        tables_fill(tables, misses[i].table, misses[i].key, row != NULL ? house_row_read(row, arena) : NULL);
    }
    tables_misses_reset(tables);
    arena_destroy(&arena);
    return STATUS_OK;
}

enum status mirror_send(struct pg *pg, const struct tables *tables)
{
    if (pg->phase != STAGING)
        return STATUS_CLOSED;
    for (unsigned table = 0; table < tables_count(tables); table++)
        for (int fresh = 1; fresh >= 0; fresh--) {
            const struct table_def *def = tables_def(tables, table);
            const void *const *rows;
            size_t n = tables_dirty(tables, table, fresh == 1, &rows);
            for (size_t i = 0; i < n; i++) {
                struct buf packed = {0};
                struct problem problem;
                struct write *write = arena_alloc(now->arena, sizeof(*write));
                *write = (struct write){.def = def, .object = arena_alloc(now->arena, def->row->size), .fresh = fresh == 1};
                record_encode(def->row, RECORD_WHOLE, rows[i], &packed);
                if (!record_decode(def->row, RECORD_WHOLE, DECODE_STRICT, kept(buf_bytes(&packed)), now->arena, write->object, &problem))
                    house_broken("row %s cannot be stored: %s %s", def->name, problem.code, problem.field);
                buf_release(&packed);
                *pg->writes_end = write;
                pg->writes_end = &write->next;
            }
        }
    return STATUS_OK;
}

/* --- intake's store -------------------------------------------------------------------------------- */

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
    return call(store->pg, true);
}

/* Of a newer intake: nobody else's lease runs. */
enum status store_may_change(struct store *store);
enum status store_may_change(struct store *store)
{
    enum status status = call(store->pg, true);
    return status == STATUS_OK && !text_equal(now->holder, store->holder) && now->lease_until_us >= clock_boot_us() ? STATUS_AGAIN : status;
}

enum status store_archive(struct store *store)
{
    return call(store->pg, true);
}

enum status store_take_over(struct store *store, struct journal *journal)
{
    enum status status = call(store->pg, true);
    if (status != STATUS_OK)
        return status;
    if (!text_equal(now->holder, store->holder) && now->lease_until_us >= clock_boot_us())
        return STATUS_AGAIN;
    now->head.epoch++;
    text_copy(now->holder, sizeof(now->holder), store->holder);
    now->lease_until_us = clock_boot_us() + store->lease_ms * 1000;
    journal->head = now->head;
    journal->own_n = now->own_n;
    journal->event_rec_us = now->events_n > 0 ? now->events[now->events_n - 1].rec_us : now->head.rec_us;
    return STATUS_OK;
}

enum status store_stream(struct store *store, struct stream_created *stream)
{
    struct event event;
    struct problem problem;
    enum status status = call(store->pg, false);
    if (status != STATUS_OK)
        return status;
    if (now->events_n == 0)
        return STATUS_ABSENT;
    return event_decode(now->events[0].body, bytes_of(NULL, 0), &event, &problem) &&
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

enum status store_source(struct store *store, const char *name, struct source_row *source)
{
    enum status status = call(store->pg, true);
    if (status != STATUS_OK)
        return status;
    size_t i = 0;
    while (i < now->sources_n && !text_equal(now->sources[i].name, name))
        i++;
    if (i == STORED_SOURCES_MAX)
        return refuse(store->pg, "53100");
    if (i == now->sources_n) {
        now->sources[i] = (struct source_row){.id = (int64_t)i + 2};
        text_copy(now->sources[i].name, sizeof(now->sources[i].name), name);
        now->sources_n++;
    }
    source_keep(source, &now->sources[i]);
    return STATUS_OK;
}

static void batch_stage(struct pg *pg, const struct batch *batch)
{
    static const uint8_t none[DIGEST_BYTES];
    pg->moves = true;
    pg->before = batch->before;
    pg->after = batch->after;
    pg->own_n = batch->own_n;
    pg->events = arena_alloc(now->arena, (batch->entries_n + 1) * sizeof(*pg->events));
    for (uint32_t i = 0; i < batch->entries_n; i++) {
        const struct entry *entry = &batch->entries[i];
        struct stored_event *event = &pg->events[pg->events_n++];
        *event = (struct stored_event){.pos = entry->pos, .source = entry->source, .n = entry->n, .rec_us = entry->rec_us,
                                       .body = kept(journal_batch_bytes(batch, entry->body)),
                                       .priv = kept(journal_batch_bytes(batch, entry->priv)),
                                       .result = kept(journal_batch_bytes(batch, entry->result)),
                                       .by_source = memcmp(entry->digest, none, DIGEST_BYTES) != 0};
        text_copy(event->type, sizeof(event->type), entry->type);
        text_copy(event->key, sizeof(event->key), entry->key);
        memcpy(event->link, entry->link, LINK_BYTES);
        memcpy(event->digest, entry->digest, DIGEST_BYTES);
    }
    pg->refusals = arena_alloc(now->arena, (batch->refusals_n + 1) * sizeof(*pg->refusals));
    for (uint32_t i = 0; i < batch->refusals_n; i++) {
        const struct refusal *from = &batch->refusals[i];
        struct stored_refusal *refusal = &pg->refusals[pg->refusals_n++];
        *refusal = (struct stored_refusal){.source = from->source, .n = from->n, .pos = from->pos, .problem = from->problem,
                                           .result = kept(journal_batch_bytes(batch, from->result))};
        memcpy(refusal->digest, from->digest, DIGEST_BYTES);
    }
    memcpy(pg->enrolled, batch->enrolled, sizeof(pg->enrolled));
    pg->enrolled_n = batch->enrolled_n;
}

static void sources_stage(struct pg *pg, struct source_row *const *dirty, size_t n)
{
    pg->sources = arena_alloc(now->arena, (n + 1) * sizeof(*pg->sources));
    pg->sources_n = n;
    for (size_t i = 0; i < n; i++)
        pg->sources[i] = *dirty[i];
}

enum status store_send(struct store *store, const struct batch *batch, struct source_row *const *dirty, size_t dirty_n,
                       struct tables *tables)
{
    enum status status = pg_begin(store->pg);
    if (status != STATUS_OK)
        return status;
    batch_stage(store->pg, batch);
    store->pg->lease_us = store->lease_ms * 1000;
    sources_stage(store->pg, dirty, dirty_n);
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
    store->pg->renews = true;
    store->pg->before = *head;
    store->pg->after.rec_us = rec_us;
    store->pg->lease_us = store->lease_ms * 1000;
    sources_stage(store->pg, dirty, dirty_n);
    return pg_commit(store->pg);
}

void store_let_go(struct store *store, const struct journal_head *head)
{
    if (call(store->pg, true) == STATUS_OK && now->head.epoch == head->epoch)
        now->lease_until_us = clock_boot_us();
}

static bool answer_find(int64_t source, int64_t n, struct answer *answer, struct bytes *digest)
{
    for (size_t i = 0; i < now->events_n; i++) {
        const struct stored_event *row = &now->events[i];
        if (row->source != source || row->n != n || !row->by_source)
            continue;
        *answer = (struct answer){.n = n, .taken = true, .pos = (int64_t)row->pos, .result = row->result};
        *digest = bytes_of(row->digest, DIGEST_BYTES);
        return true;
    }
    for (size_t i = 0; i < now->refusals_n; i++) {
        const struct stored_refusal *row = &now->refusals[i];
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
    enum status status = call(store->pg, false);
    for (int64_t n = from; status == STATUS_OK && n <= to && limit > 0; n++)
        if (answer_find(source->id, n, &answer, &digest)) {
            tell(owner, &answer, digest);
            limit--;
        }
    return status;
}

/* --- the feed's statements; questions find nothing ---------------------------------------------------- */

struct pg_args {
    int64_t ints[8];
    size_t ints_n;
    char texts[40][EVENT_KEY_CAP + EVENT_TYPE_CAP];
    size_t texts_n;
};

struct pg_args *pg_args_new(void)
{
    return memory_new(sizeof(struct pg_args));
}

void pg_args_destroy(struct pg_args **args)
{
    free(*args);
    *args = NULL;
}

void pg_args_reset(struct pg_args *args)
{
    args->ints_n = args->texts_n = 0;
}

void pg_arg_int(struct pg_args *args, int64_t value)
{
    assert(args->ints_n < COUNT_OF(args->ints));
    args->ints[args->ints_n++] = value;
}

void pg_arg_bool(struct pg_args *args, bool value)
{
    (void)args;
    (void)value;
}

void pg_arg_text(struct pg_args *args, const char *text)
{
    (void)args;
    assert(text == NULL || strlen(text) < 65536);
}

void pg_arg_time(struct pg_args *args, int64_t us)
{
    (void)args;
    (void)us;
}

void pg_arg_array_begin(struct pg_args *args, enum pg_array kind)
{
    (void)args;
    (void)kind;
}

void pg_elem_text(struct pg_args *args, const char *text, size_t n)
{
    assert(args->texts_n < COUNT_OF(args->texts));
    text_copy_n(args->texts[args->texts_n++], sizeof(args->texts[0]), text, n);
}

void pg_arg_array_end(struct pg_args *args)
{
    (void)args;
}

/* Its bytes are its own, as libpq's are, each a block: who reads beyond them is seen, and who still points to them when it is gone. */
struct result_row {
    int64_t pos;
    uint8_t *body, *priv, *link;
    size_t body_n, priv_n;
};
struct pg_result {
    struct result_row rows[STORED_EVENTS_MAX];
    int n;
    size_t bytes;
};

static uint8_t *own(struct pg_result *result, const void *from, size_t n)
{
    uint8_t *to = memory_new(n > 0 ? n : 1);
    if (n > 0)
        memcpy(to, from, n);
    result->bytes += n;
    return to;
}

static void row_add(struct pg_result *result, const struct stored_event *event, bool whole)
{
    struct result_row *row = &result->rows[result->n++];
    *row = (struct result_row){.pos = (int64_t)event->pos, .link = own(result, event->link, LINK_BYTES)};
    if (whole) {
        row->body = own(result, event->body.data, row->body_n = event->body.len);
        row->priv = event->priv.len > 0 ? own(result, event->priv.data, row->priv_n = event->priv.len) : NULL;
    }
}

void pg_result_destroy(struct pg_result **result)
{
    for (int i = 0; *result != NULL && i < (*result)->n; i++) {
        free((*result)->rows[i].body);
        free((*result)->rows[i].priv);
        free((*result)->rows[i].link);
    }
    free(*result);
    *result = NULL;
}

int pg_rows(const struct pg_result *result)
{
    return result->n;
}

size_t pg_result_bytes(const struct pg_result *result)
{
    return sizeof(*result) + result->bytes;
}

int pg_columns(const struct pg_result *result)
{
    (void)result;
    return 4;
}

const char *pg_column_name(const struct pg_result *result, int column)
{
    (void)result;
    (void)column;
    return "column";
}

int64_t pg_int(const struct pg_result *result, int row, int column)
{
    assert(column == 0 && row < result->n);
    return result->rows[row].pos;
}

bool pg_bool(const struct pg_result *result, int row, int column)
{
    (void)result;
    (void)row;
    (void)column;
    abort();
}

int64_t pg_time(const struct pg_result *result, int row, int column)
{
    return pg_bool(result, row, column);
}

struct bytes pg_bytes(const struct pg_result *result, int row, int column)
{
    assert(row < result->n);
    const struct result_row *one = &result->rows[row];
    if (column != 1 && column != 2)
        return bytes_of(one->link, LINK_BYTES); /* also of a row that is its link alone */
    return column == 1 ? bytes_of(one->body, one->body_n) : bytes_of(one->priv, one->priv_n);
}

bool pg_is_null(const struct pg_result *result, int row, int column)
{
    assert(row < result->n);
    return column == 1 ? result->rows[row].body == NULL : column == 2 && result->rows[row].priv == NULL;
}

void pg_pack(const struct pg_result *result, int row, int column, struct buf *out)
{
    (void)result;
    (void)row;
    (void)column;
    (void)out;
    abort(); /* questions find nothing */
}

void row_select_list(const struct record *record, struct buf *sql)
{
    buf_append_text(sql, record->name);
}

void row_load(const struct record *record, const struct pg_result *result, int row, void *object)
{
    (void)result;
    (void)row;
    record_clear(record, object);
}

enum asked { ASKED_LINK, ASKED_ALL, ASKED_BY_KEY, ASKED_BY_TYPE };

static bool is_asked(const struct stored_event *row, enum asked asked, const struct pg_args *args)
{
    if (asked == ASKED_LINK || asked == ASKED_ALL || (int64_t)row->pos == args->ints[1])
        return true;
    for (size_t i = 0; i < args->texts_n; i++) {
        const char *text = args->texts[i];
        if (asked == ASKED_BY_KEY ? text_equal(row->key, text) : text[0] != '\0' && strncmp(row->type, text, strlen(text) - 1) == 0)
            return true;
    }
    return false;
}

/* No row is larger than its share, args[2]: by position it is not among them, otherwise it has no body. At most args[3]. */
static void rows_find(struct pg_result *result, enum asked asked, const struct pg_args *args)
{
    bool link = asked == ASKED_LINK, filtered = asked == ASKED_BY_KEY || asked == ASKED_BY_TYPE;
    int64_t from = args->ints[0] + !link, to = args->ints[link ? 0 : 1], most = filtered ? args->ints[3] : STORED_EVENTS_MAX;
    assert(args->ints_n == (link ? 1 : filtered ? 4 : 3));
    for (size_t i = 0; i < now->events_n && result->n < most; i++) {
        const struct stored_event *row = &now->events[i];
        bool fits = link || (int64_t)(row->body.len + row->priv.len) <= args->ints[2];
        if ((int64_t)row->pos >= from && (int64_t)row->pos <= to && is_asked(row, asked, args) && (filtered || fits))
            row_add(result, row, fits);
    }
}

enum status pg_query(struct pg *pg, const char *sql, const struct pg_args *args, struct pg_result **out)
{
    enum status status = call(pg, false);
    if (status != STATUS_OK || out == NULL)
        return status;
    *out = memory_new(sizeof(**out));
    if (text_starts(sql, "SELECT link FROM journal WHERE pos = $1"))
        rows_find(*out, ASKED_LINK, args);
    else if (text_starts(sql, "SELECT pos, body, priv, link FROM journal"))
        rows_find(*out, ASKED_ALL, args);
    else if (text_starts(sql, "SELECT pos, CASE"))
        rows_find(*out, strstr(sql, "unnest(") != NULL ? ASKED_BY_KEY : ASKED_BY_TYPE, args);
    return status;
}
