#include "take.h"
#include "base/text.h"
#include "rights.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

void taker_init(struct taker *taker, size_t cache_rows)
{
    *taker = (struct taker){.refused_per_day = REFUSED_PER_DAY};
    taker->tables = tables_new(archive_tables, ARCHIVE_TABLES_N, cache_rows);
    taker->arena = arena_new(64 * 1024);
}

void taker_release(struct taker *taker)
{
    tables_destroy(&taker->tables);
    arena_destroy(&taker->arena);
    free(taker->object);
    buf_release(&taker->scratch);
    buf_release(&taker->desk.result);
}

static void *object_of(struct taker *taker, const struct record *record)
{
    if (record->size > taker->object_cap) {
        taker->object = memory_grow(taker->object, record->size);
        taker->object_cap = record->size;
    }
    return taker->object;
}

static bool data_decode(struct taker *taker, const struct event_type *type, const struct posted *posted, void **object,
                        struct problem *problem)
{
    *object = object_of(taker, type->data);
    if (!record_decode(type->data, RECORD_PLAIN, DECODE_STRICT, posted->data, taker->arena, *object, problem))
        return false;
    return posted->priv.len == 0 || record_decode(type->data, RECORD_PERSONAL, DECODE_STRICT | DECODE_KEEP, posted->priv,
                                                  taker->arena, *object, problem);
}

static const struct principal_row *principal_of(const struct taker *taker, const struct source_row *source)
{
    char id[sizeof(((struct principal_row *)0)->id)];
    return source_principal(source->name, id, sizeof(id)) ? table_get(taker->tables, ARCHIVE_PRINCIPALS, id) : NULL;
}

static bool is_clock_source(const struct taker *taker, const struct principal_row *principal)
{
    return principal != NULL && text_equal(principal->id, taker->journal.stream.clock_source);
}

/* False: refused (problem), or a miss. */
static bool judge(struct taker *taker, const struct source_row *source, struct bytes raw, struct posted *posted, int64_t rec_us,
                  struct problem *problem)
{
    struct desk_case *desk = &taker->desk;
    void *object;
    if (!posted_decode_strictly(raw, posted, problem))
        return false;
    const struct event_type *type = event_type_find(posted->type, (uint32_t)posted->v);
    if (type == NULL)
        return problem_set(problem, "type.unknown", "type", "%s %lld", posted->type, (long long)posted->v);
    if (posted->cause > (int64_t)taker->journal.head.pos)
        return problem_set(problem, "cause", "cause", "%lld", (long long)posted->cause);
    const struct principal_row *principal = principal_of(taker, source);
    if (!rights_append_type(principal, type, is_clock_source(taker, principal), problem) ||
        !data_decode(taker, type, posted, &object, problem))
        return false;
    desk->tables = taker->tables;
    desk->arena = taker->arena;
    desk->principal = principal;
    desk->type = type;
    desk->data = object;
    desk->pos = taker->journal.head.pos + 1;
    desk->rec_us = rec_us;
    desk->at_us = posted->at_us;
    text_copy(desk->key, sizeof(desk->key), posted->key);
    if (desk_judge(desk))
        return true;
    *problem = desk->problem;
    return false;
}

static void append_assessed(struct taker *taker, struct batch *batch, uint64_t cause, int64_t rec_us)
{
    for (uint32_t i = 0; i < taker->desk.assessed_n; i++) {
        const struct desk_assessed *assessed = &taker->desk.assessed[i];
        (void)journal_append_own(&taker->journal, batch, "ticket.assessed", 1, assessed->key, assessed->region, assessed->site,
                                 &ticket_assessed_record, &assessed->data, cause, rec_us, &taker->scratch);
    }
}

static uint64_t append(struct taker *taker, struct batch *batch, const struct source_row *source, const struct posted *posted,
                       int64_t n, int64_t rec_us, const uint8_t salt[SALT_BYTES], const uint8_t digest[DIGEST_BYTES])
{
    const struct desk_case *desk = &taker->desk;
    struct event event = {.v = desk->type->v, .n = (uint64_t)n, .at_us = posted->at_us, .cause = (uint64_t)posted->cause};
    text_copy(event.type, sizeof(event.type), desk->type->name);
    text_copy(event.key, sizeof(event.key), desk->key);
    text_copy(event.region, sizeof(event.region), desk->region);
    text_copy(event.site, sizeof(event.site), desk->site);
    text_copy(event.from, sizeof(event.from), source->name);
    bool slot = posted->id[0] != '\0' && desk->principal->granted.kind == PRINCIPAL_WORKER;
    if (slot)
        text_copy(event.id, sizeof(event.id), posted->id);
    else
        text_format(event.id, sizeof(event.id), "%s/%lld", source->name, (long long)n);
    text_copy(event.by, sizeof(event.by), posted->by[0] != '\0' ? posted->by : desk->principal->id);
    event.data = posted->data;
    uint64_t pos = journal_append(&taker->journal, batch, &event, source->id, rec_us, posted->priv, salt, digest,
                                  buf_bytes(&desk->result));
    append_assessed(taker, batch, pos, rec_us);
    return pos;
}

/* What the store does beside the journal. */
static void deeds_keep(const struct taker *taker, struct batch *batch)
{
    if (text_equal(taker->desk.type->name, "event.corrected")) {
        assert(batch->corrected_n < BATCH_CORRECTED_MAX);
        batch->corrected[batch->corrected_n++] = *(const struct event_corrected *)taker->desk.data;
    }
    if (text_equal(taker->desk.type->name, "source.enrolled")) {
        assert(batch->enrolled_n < BATCH_ENROLLED_MAX);
        batch->enrolled[batch->enrolled_n++] = *(const struct source_enrolled *)taker->desk.data;
    }
}

/* The first event of a day (UTC) is preceded by the link before it, said within the journal: who keeps one such event can prove
 * that nothing before it has changed. */
static void seal_before(struct taker *taker, struct batch *batch, int64_t rec_us)
{
    struct journal *journal = &taker->journal;
    struct journal_sealed sealed = {.pos = (int64_t)journal->head.pos};
    if (sealed.pos == 0 || rec_us / DAY_US == journal->event_rec_us / DAY_US)
        return;
    memcpy(sealed.link, journal->head.link, LINK_BYTES);
    memcpy(sealed.seal, journal->head.seal, SEAL_BYTES);
    (void)journal_append_own(journal, batch, "journal.sealed", 1, journal->stream.stream, "", "", &journal_sealed_record, &sealed,
                             0, rec_us, &taker->scratch);
}

enum take taker_take(struct taker *taker, struct batch *batch, struct source_row *source, struct bytes raw, int64_t n,
                     int64_t now_us, const uint8_t salt[SALT_BYTES], struct buf *answer)
{
    struct answer said = {.n = n};
    struct posted posted;
    uint8_t digest[DIGEST_BYTES];
    int64_t rec_us = journal_rec(&taker->journal, now_us);
    assert(source_place(source, n) == PLACE_NEXT);
    arena_reset(taker->arena);
    seal_before(taker, batch, rec_us);
    size_t mark = tables_mark(taker->tables);
    said.taken = judge(taker, source, raw, &posted, rec_us, &said.problem);
    if (tables_missed(taker->tables)) {
        tables_undo(taker->tables, mark);
        return TAKE_MISS;
    }
    digest_of(raw, digest);
    taker->denied[0] = '\0';
    if (!said.taken && text_equal(said.problem.code, "denied"))
        (void)text_copy(taker->denied, sizeof(taker->denied), said.problem.field);
    if (!said.taken) {
        tables_undo(taker->tables, mark);
        if (source_keeps_refusal(source, rec_us, raw.len, taker->refused_per_day)) {
            journal_refuse(batch, source->id, n, rec_us, digest, &said.problem, 0, bytes_of(NULL, 0), raw);
        } else {
            batch->unkept_n++;
            taker->unkept++;
        }
        taker->refused++;
    } else if (taker->desk.repeated) {
        struct problem repeat = {.code = "repeat"};
        said.pos = (int64_t)taker->desk.first_pos;
        said.result = buf_bytes(&taker->desk.result);
        journal_refuse(batch, source->id, n, rec_us, digest, &repeat, taker->desk.first_pos, said.result, bytes_of(NULL, 0));
    } else {
        said.pos = (int64_t)append(taker, batch, source, &posted, n, rec_us, salt, digest);
        said.result = buf_bytes(&taker->desk.result);
        deeds_keep(taker, batch);
        taker->taken++;
    }
    source->last = n;
    source->dirty = true;
    answer_encode(&said, answer);
    return TAKE_DONE;
}

void taker_touch(struct taker *taker, const struct source_row *source, struct bytes raw)
{
    struct posted posted;
    struct problem problem;
    void *object = NULL;
    char principal[sizeof(((struct principal_row *)0)->id)] = "";
    char job[JOB_CAP];
    if (!posted_peek(raw, &posted, job) || !source_principal(source->name, principal, sizeof(principal)))
        return;
    bool file = text_equal(posted.type, "file.attached");
    if (file || text_equal(posted.type, "ticket.registered")) {
        const struct event_type *type = event_type_find(posted.type, (uint32_t)posted.v);
        arena_reset(taker->arena);
        if (type == NULL || !posted_decode(raw, &posted, &problem) || !data_decode(taker, type, &posted, &object, &problem))
            return;
    }
    if (file) {
        char key[FILE_KEY_CAP];
        file_key(((const struct file_attached *)object)->sha256, posted.key, key);
        (void)table_get(taker->tables, ARCHIVE_FILES, key);
    }
    desk_touch(taker->tables, principal, posted.type, posted.key, job, file ? NULL : object);
}

void taker_touch_stored(struct taker *taker, const char *ticket, const struct file_stored *stored)
{
    char key[FILE_KEY_CAP];
    file_key(stored->sha256, ticket, key);
    (void)table_get(taker->tables, ARCHIVE_TICKETS, ticket);
    (void)table_get(taker->tables, ARCHIVE_FILES, key);
}

/* False: the desk does not take it (undone), or it is a miss. */
static bool say(struct taker *taker, struct batch *batch, const char *type, const char *key, const void *data, int64_t now_us)
{
    struct desk_case *desk = &taker->desk;
    int64_t rec_us = journal_rec(&taker->journal, now_us);
    arena_reset(taker->arena);
    seal_before(taker, batch, rec_us);
    size_t mark = tables_mark(taker->tables);
    desk->tables = taker->tables;
    desk->arena = taker->arena;
    desk->principal = NULL;
    desk->type = event_type_find(type, 0);
    desk->data = data;
    desk->pos = taker->journal.head.pos + 1;
    desk->rec_us = desk->at_us = rec_us;
    text_copy(desk->key, sizeof(desk->key), key);
    if (!desk_judge(desk)) {
        tables_undo(taker->tables, mark);
        return false;
    }
    (void)journal_append_own(&taker->journal, batch, type, desk->type->v, key, desk->region, desk->site, desk->type->data, data, 0,
                             rec_us, &taker->scratch);
    return true;
}

void taker_say(struct taker *taker, struct batch *batch, const char *type, const char *key, const void *data, int64_t now_us)
{
    bool said = say(taker, batch, type, key, data, now_us);
    assert(said);
}

enum take taker_say_stored(struct taker *taker, struct batch *batch, const char *ticket, const struct file_stored *stored, int64_t now_us)
{
    bool said = say(taker, batch, "file.stored", ticket, stored, now_us);
    return !said && tables_missed(taker->tables) ? TAKE_MISS : TAKE_DONE;
}
