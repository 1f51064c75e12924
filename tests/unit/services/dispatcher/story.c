#include "unit/services/dispatcher/story_inside.h"

#include "base/text.h"
#include "policy/published.h"
#include "proto/catalogue.h"
#include "record/pack.h"
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- rows that are committed --------------------------------------------------------------------
 */
const struct table_def *story_def(const struct story *story, unsigned table)
{
    return tables_def(run_tables(story->run), table);
}

static struct stored *stored_find(const struct story *story, unsigned table, const char *key)
{
    struct stored *stored;
    char name[160];
    text_format(name, sizeof name, "%u/%s", table, key);
    HASH_FIND_STR(story->store, name, stored);
    return stored;
}

void story_store(struct story *story, unsigned table, const void *row)
{
    const struct record *record = story_def(story, table)->row;
    const char *key = (const char *)row + record->fields[0].offset;
    struct stored *stored = stored_find(story, table, key);
    if (stored == NULL) {
        stored = memory_new(sizeof *stored);
        stored->table = table;
        stored->row = memory_new(record->size);
        text_format(stored->name, sizeof stored->name, "%u/%s", table, key);
        HASH_ADD_STR(story->store, name, stored);
    }
    memcpy(stored->row, row, record->size);
}

static void store_clear(struct story *story)
{
    struct stored *stored, *next;
    HASH_ITER(hh, story->store, stored, next)
    {
        HASH_DEL(story->store, stored);
        free(stored->row);
        free(stored);
    }
}

const void *story_row(const struct story *story, unsigned table, const char *key)
{
    const struct stored *stored = stored_find(story, table, key);
    return stored != NULL ? stored->row : NULL;
}

const void *story_memory(const struct story *story, unsigned table, const char *key)
{
    return table_get(run_tables(story->run), table, key);
}

void story_each(const struct story *story,
                void (*visit)(unsigned table, const void *row, void *arg), void *arg)
{
    for (const struct stored *stored = story->store; stored != NULL; stored = stored->hh.next)
        visit(stored->table, stored->row, arg);
}

static void commit(struct story *story)
{
    struct tables *tables = run_tables(story->run);
    for (unsigned table = 0; table < tables_count(tables); table++)
        for (int fresh = 0; fresh < 2; fresh++) {
            const void *const *rows;
            size_t n = tables_dirty(tables, table, fresh != 0, &rows);
            for (size_t i = 0; i < n; i++)
                story_store(story, table, rows[i]);
        }
    story->committed = run_state(story->run);
    if (run_upto(story->run) > story->upto)
        story->upto = run_upto(story->run);
    run_committed(story->run);
}

static void fetch(struct story *story)
{
    struct tables *tables = run_tables(story->run);
    const struct miss *misses;
    size_t n = tables_misses(tables, &misses);
    assert(n > 0);
    for (size_t i = 0; i < n; i++)
        tables_fill(tables, misses[i].table, misses[i].key,
                    story_row(story, misses[i].table, misses[i].key));
    tables_misses_reset(tables);
}

/* --- the journal --------------------------------------------------------------------------------
 */
static void append(struct story *story, struct event *event)
{
    struct buf out = {.len = 0};
    if (story->head == story->cap) {
        story->cap = story->cap == 0 ? 256 : story->cap * 2;
        story->bodies = memory_grow(story->bodies, story->cap * sizeof story->bodies[0]);
    }
    event->pos = story->head + 1;
    event->rec_us = story->now_us;
    if (event->at_us == 0)
        event->at_us = story->now_us;
    event_encode(event, &out);
    struct body *body = &story->bodies[story->head++];
    uint8_t *copy = arena_alloc(story->arena, out.len);
    memcpy(copy, out.data, out.len);
    body->bytes = bytes_of(copy, out.len);
    body->own = text_equal(event->from, story->worker->name);
    buf_release(&out);
}

static void append_fact(struct story *story, const char *type, const char *key, struct bytes data)
{
    struct event event = {.v = 1, .n = story->head + 1, .data = data};
    text_copy(event.type, sizeof event.type, type);
    text_copy(event.key, sizeof event.key, key);
    text_copy(event.from, sizeof event.from, "world");
    text_copy(event.by, sizeof event.by, "world");
    text_format(event.id, sizeof event.id, "world/%zu", story->head + 1);
    append(story, &event);
}

/* --- conclusions on their way -------------------------------------------------------------------
 */
static void fly(struct story *story)
{
    const struct run_conclusion *conclusions;
    size_t n = run_conclusions(story->run, &conclusions);
    for (size_t i = 0; i < n; i++) {
        uint32_t length = (uint32_t)conclusions[i].draft.len;
        buf_append(&story->flying, &length, sizeof length);
        buf_append(&story->flying, conclusions[i].draft.data, length);
    }
}

static void text_of(struct pack_value value, char *out, size_t cap)
{
    text_copy_n(out, cap, (const char *)value.bytes.data, value.bytes.len);
}

static void append_draft(struct story *story, struct bytes draft)
{
    struct event event = {.v = 1, .n = ++story->own_n};
    struct unpack at = unpack_of(draft);
    uint32_t pairs = unpack_next(&at).n;
    text_copy(event.from, sizeof event.from, story->worker->name);
    text_copy(event.by, sizeof event.by, story->worker->name);
    while (pairs-- > 0) {
        char name[16];
        text_of(unpack_next(&at), name, sizeof name);
        struct bytes raw = unpack_raw(&at);
        struct unpack inside = unpack_of(raw);
        if (text_equal(name, "data")) {
            event.data = raw;
            continue;
        }
        struct pack_value value = unpack_next(&inside);
        if (text_equal(name, "type"))
            text_of(value, event.type, sizeof event.type);
        else if (text_equal(name, "key"))
            text_of(value, event.key, sizeof event.key);
        else if (text_equal(name, "id"))
            text_of(value, event.id, sizeof event.id);
        else if (text_equal(name, "at"))
            event.at_us = value.time_us;
        else if (text_equal(name, "cause"))
            event.cause = (uint64_t)value.integer;
    }
    story_say(story, &event);
    append(story, &event);
}

/* Their authors are told: they are in the journal. */
static bool land(struct story *story)
{
    bool any = story->flying.len > 0;
    for (size_t at = 0; at < story->flying.len;) {
        uint32_t length;
        memcpy(&length, story->flying.data + at, sizeof length);
        at += sizeof length;
        append_draft(story, bytes_of(story->flying.data + at, length));
        at += length;
    }
    buf_reset(&story->flying);
    return any;
}

/* --- reading ------------------------------------------------------------------------------------
 */
static void check(const struct story *story, enum run_result result)
{
    if (result == RUN_STOP)
        fprintf(stderr, "the worker stopped: %s\n", run_error(story->run));
    assert(result != RUN_STOP);
    assert(run_parked(story->run) == 0);
}

static void read_batch(struct story *story, size_t n)
{
    static const uint8_t link[LINK_BYTES];
    enum run_result result;
    while (story->read < story->head && n-- > 0)
        run_add(story->run, story->bodies[story->read++].bytes, bytes_of(NULL, 0), link);
    while ((result = run_process(story->run)) == RUN_MISS)
        fetch(story);
    check(story, result);
    fly(story);
    commit(story);
}

static void reach_head(struct story *story)
{
    enum run_result result;
    do {
        while ((result = run_head(story->run, story->now_us)) == RUN_MISS)
            fetch(story);
        check(story, result);
        fly(story);
        commit(story);
    } while (run_timers_left(story->run));
}

static void settle(struct story *story)
{
    size_t rounds = 0;
    do {
        assert(++rounds < 10000);
        while (story->read < story->head)
            read_batch(story, 64);
        reach_head(story);
    } while (land(story));
}

void story_draw(struct story *story)
{
    read_batch(story, SIZE_MAX);
}

void story_land(struct story *story)
{
    land(story);
    settle(story);
}

void story_add(struct story *story, const char *type, const char *key, const char *json)
{
    struct problem problem;
    struct buf data = {.len = 0};
    const struct event_type *known = event_type_find(type, 0);
    assert(known != NULL);
    void *object = arena_alloc(story->arena, known->data->size);
    bool fine = record_parse_json(known->data, RECORD_PLAIN, DECODE_STRICT, json, strlen(json),
                                  story->arena, object, &problem);
    if (!fine)
        fprintf(stderr, "%s %s: %s %s %s\n", type, json, problem.code, problem.field, problem.args);
    assert(fine);
    record_encode(known->data, RECORD_PLAIN, object, &data);
    append_fact(story, type, key, buf_bytes(&data));
    buf_release(&data);
}

void story_tell(struct story *story, const char *type, const char *key, const char *json)
{
    story_add(story, type, key, json);
    settle(story);
}

void story_wait(struct story *story, int64_t minutes)
{
    int64_t until_us = story->now_us + minutes * MINUTE_US;
    for (;;) {
        int64_t due_us = run_next_due_us(story->run);
        if (due_us > until_us)
            break;
        if (due_us > story->now_us)
            story->now_us = due_us;
        settle(story);
    }
    story->now_us = until_us;
    settle(story);
}

void story_fire(struct story *story, int64_t minutes)
{
    story->now_us += minutes * MINUTE_US;
    reach_head(story);
}

int64_t story_now_us(const struct story *story)
{
    return story->now_us;
}

size_t story_head(const struct story *story)
{
    return story->head;
}

void story_concludes_at(struct story *story, const char *want, const char *file, int line)
{
    settle(story);
    if (!text_equal(buf_text(&story->trace), want)) {
        fprintf(stderr, "%s:%d: concluded\n%swanted\n%s", file, line, buf_text(&story->trace),
                want);
        abort();
    }
    buf_reset(&story->trace);
}

/* --- beginning and end --------------------------------------------------------------------------
 */
static void publish(struct story *story, const char *yaml)
{
    struct problems problems = {.n = 0};
    struct policy policy;
    struct buf packed = {.len = 0}, data = {.len = 0};
    bool fine = policy_parse(yaml, strlen(yaml), story->arena, &policy, &problems, NULL);
    for (size_t i = 0; i < problems.n; i++)
        fprintf(stderr, "policy, line %u: %s %s %s\n", problems.items[i].line,
                problems.items[i].code, problems.items[i].field, problems.items[i].args);
    assert(fine);
    record_encode(&policy_record, RECORD_PLAIN, &policy, &packed);
    struct policy_published published = {.policy = buf_bytes(&packed), .sha256 = {1}};
    text_copy(published.name, sizeof published.name, policy.name);
    text_copy(published.version, sizeof published.version, policy.version);
    record_encode(&policy_published_record, RECORD_PLAIN, &published, &data);
    append_fact(story, "policy.published", policy.name, buf_bytes(&data));
    buf_release(&packed);
    buf_release(&data);
    problems_release(&problems);
}

struct story *story_empty(const struct worker *worker)
{
    struct story *story = memory_new(sizeof *story);
    struct run_state nothing = {.pos = 0};
    story->worker = worker;
    story->arena = arena_new(1 << 20);
    story->run = run_new(worker, 16); /* a small cache: closed rows are often fetched */
    run_start(story->run, &nothing, 0);
    return story;
}

struct story *story_new(const struct worker *worker, const char *begin, const char *policy)
{
    struct story *story = story_empty(worker);
    bool fine = instant_parse(begin, &story->now_us);
    assert(fine);
    publish(story, policy);
    settle(story);
    return story;
}

void story_destroy(struct story **story_p)
{
    struct story *story = *story_p;
    if (story == NULL)
        return;
    run_destroy(&story->run);
    store_clear(story);
    arena_destroy(&story->arena);
    buf_release(&story->flying);
    buf_release(&story->trace);
    free(story->bodies);
    free(story);
    *story_p = NULL;
}

static bool is_open(const struct table_def *def, const void *row)
{
    return def->whole || *((const bool *)((const char *)row + def->open_offset));
}

void story_restart(struct story *story)
{
    land(story); /* what was shipped is in the journal, whether its author learned of it or not */
    run_destroy(&story->run);
    story->run = run_new(story->worker, 16);
    for (struct stored *stored = story->store; stored != NULL; stored = stored->hh.next) {
        const struct table_def *def = story_def(story, stored->table);
        struct buf packed = {.len = 0};
        struct problem problem;
        void *row = arena_alloc(story->arena, def->row->size);
        record_encode(def->row, RECORD_WHOLE, stored->row,
                      &packed); /* volatile columns are not kept */
        bool fine = record_decode(def->row, RECORD_WHOLE, DECODE_STRICT, buf_bytes(&packed),
                                  story->arena, row, &problem);
        assert(fine);
        if (is_open(def, row))
            tables_load(run_tables(story->run), stored->table, row);
        memcpy(stored->row, row, def->row->size);
        buf_release(&packed);
    }
    run_start(story->run, &story->committed, story->upto);
    for (size_t i = (size_t)story->committed.pos; i < story->head; i++)
        if (story->bodies[i].own)
            check(story, run_expect(story->run, story->bodies[i].bytes, bytes_of(NULL, 0)));
    story->read = (size_t)story->committed.pos;
    settle(story);
}

static bool is_stored_alike(const struct story *a, const struct story *b, const struct stored *row)
{
    const struct record *record = story_def(a, row->table)->row;
    const char *key = (const char *)row->row + record->fields[0].offset;
    const void *other = story_row(b, row->table, key);
    if (other != NULL && record_equal(record, row->row, other))
        return true;
    struct buf left = {.len = 0}, right = {.len = 0};
    record_print_json(record, RECORD_WHOLE, row->row, &left);
    if (other != NULL)
        record_print_json(record, RECORD_WHOLE, other, &right);
    fprintf(stderr, "%s\nliving  %s\nrebuilt %s\n", row->name, buf_text(&left), buf_text(&right));
    buf_release(&left);
    buf_release(&right);
    return false;
}

bool story_is_same(const struct story *a, const struct story *b)
{
    if (HASH_COUNT(a->store) != HASH_COUNT(b->store)) {
        fprintf(stderr, "%u rows and %u\n", HASH_COUNT(a->store), HASH_COUNT(b->store));
        return false;
    }
    for (const struct stored *row = a->store; row != NULL; row = row->hh.next)
        if (!is_stored_alike(a, b, row))
            return false;
    return true;
}

bool story_replay(struct story *story)
{
    struct run_state nothing = {.pos = 0};
    story->upto = story->head;
    run_start(story->run, &nothing, story->head);
    while (story->read < story->head)
        read_batch(story, 37);
    if (story->flying.len > 0)
        fprintf(stderr, "a rebuild concluded something\n");
    return story->flying.len == 0;
}

bool story_rebuilds(struct story *living)
{
    settle(living);
    struct story *again = story_empty(living->worker);
    again->bodies = memory_new((living->head + 1) * sizeof again->bodies[0]);
    memcpy(again->bodies, living->bodies, living->head * sizeof again->bodies[0]);
    again->head = again->cap = living->head;
    bool same = story_replay(again) && story_is_same(living, again);
    if (same) { /* and goes on living without adding anything */
        again->now_us = living->now_us;
        again->committed.checked_us = living->now_us;
        story_restart(again);
        same = again->head == living->head;
        if (!same)
            fprintf(stderr, "rebuilt, it added:\n%s", buf_text(&again->trace));
    }
    story_destroy(&again);
    return same;
}
