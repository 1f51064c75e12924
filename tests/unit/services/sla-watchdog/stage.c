#include "stage.h"

#include "base/text.h"
#include "calendar/zone.h"
#include "policy/published.h"
#include "proto/catalogue.h"
#include "proto/sla.h"
#include "proto/ticket.h"
#include "record/pack.h"
#include "services/sla-watchdog/sla_watchdog.h"
#include "services/sla-watchdog/tables.h"
#include "worker/run_core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EVENTS_MAX 4000
#define ROWS_MAX   1500

struct stored {
    unsigned table;
    char key[128];
    void *image;
};

struct stage {
    struct buf bodies[EVENTS_MAX];
    uint8_t links[EVENTS_MAX + 1][LINK_BYTES];
    uint64_t head, told, cause;
    int64_t now_us;
    struct run *run;
    struct run_state committed;
    uint64_t upto;
    struct stored rows[ROWS_MAX];
    size_t rows_n;
    struct buf text;
    const struct zone *zone;
};

static int64_t instant(const char *text)
{
    int64_t us = 0;
    if (!instant_parse(text, &us))
        fail_msg("not an instant: %s", text);
    return us;
}

/* --- the journal ---------------------------------------------------------------------------- */

static void append(struct stage *s, const char *from, const char *id, const char *type,
                   const char *key, int64_t at_us, uint64_t cause, struct bytes data)
{
    struct event event = {.v = 1,
                          .at_us = at_us < s->now_us ? at_us : s->now_us,
                          .rec_us = s->now_us,
                          .cause = cause,
                          .data = data};
    assert_true(s->head + 1 < EVENTS_MAX);
    event.pos = event.n = ++s->head;
    text_copy(event.id, sizeof event.id, id);
    text_copy(event.type, sizeof event.type, type);
    text_copy(event.key, sizeof event.key, key);
    text_copy(event.from, sizeof event.from, from);
    text_copy(event.by, sizeof event.by, from);
    event_encode(&event, &s->bodies[s->head]);
    link_next(s->links[s->head - 1], buf_bytes(&s->bodies[s->head]), s->links[s->head]);
}

void stage_say(struct stage *s, const char *type, const char *key, const char *at,
               const struct record *record, const void *data)
{
    struct buf map = {0};
    char id[32];
    text_format(id, sizeof id, "branch/%llu", (unsigned long long)s->head + 1);
    record_encode(record, RECORD_PLAIN, data, &map);
    append(s, "branch", id, type, key, at ? instant(at) : s->now_us, s->cause, buf_bytes(&map));
    buf_release(&map);
}

void stage_cause(struct stage *s, uint64_t pos)
{
    s->cause = pos;
}

void stage_fact(struct stage *s, const char *type, const char *key, const char *at)
{
    static const struct record nothing = {.name = "nothing", .size = 1};
    char unused = 0;
    stage_say(s, type, key, at, &nothing, &unused);
}

void stage_tell(struct stage *s, const char *type, const char *key, const char *at,
                const char *json)
{
    const struct event_type *known = event_type_find(type, 0);
    struct arena *arena = arena_new(65536);
    struct problem problem = {0};
    if (!known)
        fail_msg("%s is no event type", type);
    void *data = arena_alloc(arena, known->data->size);
    if (!record_parse_json(known->data, RECORD_WHOLE, DECODE_STRICT, json, strlen(json), arena,
                           data, &problem))
        fail_msg("%s: %s %s", json, problem.code, problem.field);
    stage_say(s, type, key, at, known->data, data);
    arena_destroy(&arena);
}

void stage_open(struct stage *s, const char *key, const char *kind, const char *at)
{
    struct ticket_assessed a;
    record_clear(&ticket_assessed_record, &a);
    text_copy(a.policy, sizeof a.policy, "test-1");
    text_copy(a.kind, sizeof a.kind, kind);
    text_copy(a.region, sizeof a.region, "440100");
    text_copy(a.priority, sizeof a.priority, "normal");
    a.opened_us = instant(at);
    stage_say(s, "ticket.assessed", key, at, &ticket_assessed_record, &a);
}

/* --- the worker ----------------------------------------------------------------------------- */

static struct stored *stored(struct stage *s, unsigned table, const char *key)
{
    for (size_t i = 0; i < s->rows_n; i++)
        if (s->rows[i].table == table && text_equal(s->rows[i].key, key))
            return &s->rows[i];
    return NULL;
}

static const char *row_key(const struct stage *s, unsigned table, const void *row)
{
    return (const char *)row + tables_def(run_tables(s->run), table)->row->fields[0].offset;
}

static void row_store(struct stage *s, unsigned table, const void *row, bool fresh)
{
    const struct record *record = tables_def(run_tables(s->run), table)->row;
    struct stored *place = stored(s, table, row_key(s, table, row));
    assert_true((place == NULL) == fresh);
    if (!place) {
        assert_true(s->rows_n < ROWS_MAX);
        place = &s->rows[s->rows_n++];
        place->table = table;
        text_copy(place->key, sizeof place->key, row_key(s, table, row));
        place->image = memory_new(record->size);
    }
    memcpy(place->image, row, record->size);
    for (size_t i = 0; i < record->n; i++)
        if (record->fields[i].flags & FIELD_VOLATILE)
            memset((char *)place->image + record->fields[i].offset, 0, record->fields[i].size);
}

static void commit(struct stage *s)
{
    struct tables *tables = run_tables(s->run);
    for (unsigned table = 0; table < tables_count(tables); table++)
        for (int fresh = 0; fresh < 2; fresh++) {
            const void *const *rows;
            size_t n = tables_dirty(tables, table, fresh == 1, &rows);
            for (size_t i = 0; i < n; i++)
                row_store(s, table, rows[i], fresh == 1);
        }
    s->committed = run_state(s->run);
    run_committed(s->run);
}

static void fetch(struct stage *s, struct run *run)
{
    const struct miss *misses;
    struct tables *tables = run_tables(run);
    size_t n = tables_misses(tables, &misses);
    assert_true(n > 0);
    for (size_t i = 0; i < n; i++) {
        const struct stored *row = run == s->run ? stored(s, misses[i].table, misses[i].key) : NULL;
        tables_fill(tables, misses[i].table, misses[i].key, row ? row->image : NULL);
    }
    tables_misses_reset(tables);
}

void stage_read(struct stage *s)
{
    enum run_result result;
    for (uint64_t pos = run_state(s->run).pos + 1; pos <= s->head; pos++)
        run_add(s->run, buf_bytes(&s->bodies[pos]), (struct bytes){0}, s->links[pos]);
    while ((result = run_process(s->run)) == RUN_MISS)
        fetch(s, s->run);
    if (result != RUN_DONE)
        fail_msg("%s", run_error(s->run));
}

/* Texts and data out of a draft. */
static void draft_take(struct stage *s, const struct run_conclusion *c)
{
    char type[48] = "", key[65] = "", id[EVENT_ID_CAP] = "";
    struct bytes data = {0};
    struct unpack at = unpack_of(c->draft);
    for (uint32_t pairs = unpack_next(&at).n; pairs > 0; pairs--) {
        struct bytes name = unpack_next(&at).bytes, raw = unpack_raw(&at);
        struct unpack inside = unpack_of(raw);
        struct pack_value value = unpack_next(&inside);
        const char *text = (const char *)value.bytes.data;
        if (bytes_equal(name, bytes_of_text("type")))
            text_copy_n(type, sizeof type, text, value.bytes.len);
        else if (bytes_equal(name, bytes_of_text("key")))
            text_copy_n(key, sizeof key, text, value.bytes.len);
        else if (bytes_equal(name, bytes_of_text("id")))
            text_copy_n(id, sizeof id, text, value.bytes.len);
        else if (bytes_equal(name, bytes_of_text("data")))
            data = raw;
    }
    append(s, "sla-watchdog", id, type, key, s->now_us, c->trigger, data);
}

static size_t take(struct stage *s)
{
    const struct run_conclusion *conclusions;
    size_t n = run_conclusions(s->run, &conclusions);
    for (size_t i = 0; i < n; i++)
        draft_take(s, &conclusions[i]);
    if (run_upto(s->run) > s->upto)
        s->upto = run_upto(s->run);
    return n;
}

void stage_take(struct stage *s)
{
    take(s);
    commit(s);
}

void stage_settle(struct stage *s)
{
    size_t n;
    do {
        stage_read(s);
        n = take(s);
        commit(s);
    } while (n > 0);
    assert_int_equal(run_flying(s->run), 0);
}

void stage_time(struct stage *s, const char *at, bool settle)
{
    stage_time_us(s, instant(at), settle);
}

void stage_time_us(struct stage *s, int64_t us, bool settle)
{
    s->now_us = us;
    while (run_head(s->run, s->now_us) == RUN_MISS)
        fetch(s, s->run);
    take(s);
    commit(s);
    if (settle)
        stage_settle(s);
}

static bool row_open(const struct table_def *def, const void *image)
{
    bool open = false;
    if (def->open_offset != 0)
        memcpy(&open, (const char *)image + def->open_offset, sizeof open);
    return open;
}

static struct run *run_from(struct stage *s, const struct run_state *state, uint64_t upto,
                            bool load)
{
    struct run *run = run_new(&sla_watchdog_worker, 4);
    struct tables *tables = run_tables(run);
    for (size_t i = 0; load && i < s->rows_n; i++) {
        const struct table_def *def = tables_def(tables, s->rows[i].table);
        bool open = row_open(def, s->rows[i].image);
        if (open || def->whole)
            tables_load(tables, s->rows[i].table, s->rows[i].image);
    }
    run_start(run, state, upto);
    uint64_t known = state->pos > upto ? state->pos : upto;
    for (uint64_t pos = known + 1; pos <= s->head; pos++) {
        struct event event;
        struct problem problem;
        assert_true(event_decode(buf_bytes(&s->bodies[pos]), (struct bytes){0}, &event, &problem));
        if (text_equal(event.from, "sla-watchdog"))
            assert_int_equal(run_expect(run, buf_bytes(&s->bodies[pos]), (struct bytes){0}),
                             RUN_DONE);
    }
    return run;
}

void stage_restart(struct stage *s)
{
    run_destroy(&s->run);
    s->run = run_from(s, &s->committed, s->upto, true);
}

static void row_same(const void *row, void *arg)
{
    struct stored *want = arg;
    const struct record *record = sla_watchdog_worker.tables[want->table]->row;
    if (!text_equal((const char *)row + record->fields[0].offset, want->key))
        return;
    if (!record_equal(record, row, want->image))
        fail_msg("row %s differs when rebuilt", want->key);
    want->key[0] = 0; /* found */
}

void stage_rebuild(struct stage *s)
{
    struct run_state nothing = {0};
    struct run *run = run_new(&sla_watchdog_worker, 1000);
    enum run_result result;
    run_start(run, &nothing, s->head);
    for (uint64_t pos = 1; pos <= s->head; pos++)
        run_add(run, buf_bytes(&s->bodies[pos]), (struct bytes){0}, s->links[pos]);
    while ((result = run_process(run)) == RUN_MISS)
        fetch(s, run);
    assert_int_equal(result, RUN_DONE);
    const struct run_conclusion *conclusions;
    assert_int_equal(run_conclusions(run, &conclusions), 0);
    size_t own = 0;
    for (size_t i = 0; i < s->rows_n; i++) {
        if (s->rows[i].table >= sla_watchdog_worker.tables_n)
            continue;
        struct stored copy = s->rows[i];
        own++;
        tables_each(run_tables(run), copy.table, row_same, &copy);
        if (copy.key[0])
            fail_msg("row %s is missing when rebuilt", copy.key);
    }
    size_t rebuilt = 0;
    for (unsigned table = 0; table < sla_watchdog_worker.tables_n; table++)
        rebuilt += tables_rows(run_tables(run), table);
    assert_int_equal(rebuilt, own);
    run_destroy(&run);
}

const void *stage_row(struct stage *s, unsigned table, const char *key)
{
    const struct stored *row = stored(s, table, key);
    return row ? row->image : NULL;
}

uint64_t stage_head(const struct stage *s)
{
    return s->head;
}

static int id_order(const void *a, const void *b)
{
    return strcmp(a, b);
}

bool stage_unique(const struct stage *s)
{
    char(*ids)[EVENT_ID_CAP] = memory_new((s->head + 1) * sizeof *ids);
    bool unique = true;
    size_t n = 0;
    for (uint64_t pos = 1; pos <= s->head; pos++) {
        struct event event;
        struct problem problem;
        assert_true(event_decode(buf_bytes(&s->bodies[pos]), (struct bytes){0}, &event, &problem));
        if (text_equal(event.from, "sla-watchdog"))
            text_copy(ids[n++], sizeof ids[0], event.id);
    }
    qsort(ids, n, sizeof *ids, id_order);
    for (size_t i = 1; i < n; i++)
        if (text_equal(ids[i - 1], ids[i]))
            unique = false;
    free(ids);
    return unique;
}

static bool decoded(const struct event *event, const char *type, const struct record *record,
                    void *data);

struct track {
    char id[160];
    int64_t target;
    const char *verdict; /* open, breached, met, over */
};

static struct track *track_of(struct track *tracks, size_t *n, const char *key, const char *clause,
                              int64_t k)
{
    char id[160];
    text_format(id, sizeof id, "%s/%s.%lld", key, clause, (long long)k);
    for (size_t i = 0; i < *n; i++)
        if (text_equal(tracks[i].id, id))
            return &tracks[i];
    text_copy(tracks[*n].id, sizeof tracks[0].id, id);
    tracks[*n].verdict = "open";
    return &tracks[(*n)++];
}

static const char *verdict_word(const char *word)
{
    static const char *const words[] = {"open", "breached", "met", "over"};
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (text_equal(word, words[i]))
            return words[i];
    return "?";
}

static bool is_open(const struct track *t)
{
    return text_equal(t->verdict, "open") || text_equal(t->verdict, "over");
}

static bool follows(struct track *tracks, size_t *n, const struct event *event)
{
    union {
        struct sla_scheduled scheduled;
        struct sla_breached breached;
        struct sla_met met;
        struct sla_corrected corrected;
    } d;
    struct track *t;
    if (decoded(event, "sla.scheduled", &sla_scheduled_record, &d)) {
        for (uint32_t i = 0; i < d.scheduled.limits_n; i++) {
            const struct sla_limit *limit = &d.scheduled.limits[i];
            t = track_of(tracks, n, event->key, limit->clause, limit->k);
            if (limit->target > t->target)
                t->verdict = "open";
            t->target = limit->target;
        }
    } else if (decoded(event, "sla.breached", &sla_breached_record, &d)) {
        t = track_of(tracks, n, event->key, d.breached.clause, d.breached.k);
        if (d.breached.level == 0 && (!is_open(t) || d.breached.target != t->target))
            return false;
        if (d.breached.level == 0)
            t->verdict = "breached";
    } else if (decoded(event, "sla.met", &sla_met_record, &d)) {
        t = track_of(tracks, n, event->key, d.met.clause, d.met.k);
        if (!is_open(t) || d.met.target != t->target)
            return false;
        t->verdict = "met";
    } else if (decoded(event, "sla.corrected", &sla_corrected_record, &d)) {
        t = track_of(tracks, n, event->key, d.corrected.clause, d.corrected.k);
        bool was = text_equal(t->verdict, d.corrected.was) ||
                   (is_open(t) && is_open(&(struct track){.verdict = d.corrected.was}));
        if (!was || d.corrected.target != t->target)
            return false;
        t->verdict = verdict_word(d.corrected.is);
    }
    return true;
}

bool stage_coherent(const struct stage *s)
{
    struct track *tracks = memory_new(1000 * sizeof *tracks);
    size_t n = 0;
    bool fine = true;
    for (uint64_t pos = 1; pos <= s->head && fine && n < 980; pos++) {
        struct event event;
        struct problem problem;
        assert_true(event_decode(buf_bytes(&s->bodies[pos]), (struct bytes){0}, &event, &problem));
        fine = follows(tracks, &n, &event);
    }
    free(tracks);
    return fine;
}

size_t stage_open_rows(const struct stage *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->rows_n; i++)
        if (s->rows[i].table < SLA_WATCHDOG_PUBLISHED)
            n += row_open(sla_watchdog_worker.tables[s->rows[i].table], s->rows[i].image);
    return n;
}

/* --- what was told -------------------------------------------------------------------------- */

static void clock_print(struct stage *s, const char *word, int64_t us)
{
    struct local_time t = zone_local(s->zone, us);
    if (us)
        buf_append_format(&s->text, " %s %02d-%02d %02d:%02d", word, t.month, t.day, t.hour,
                          t.minute);
}

static bool decoded(const struct event *event, const char *type, const struct record *record,
                    void *data)
{
    struct problem problem;
    return text_equal(event->type, type) &&
           record_decode(record, RECORD_PLAIN, DECODE_STRICT, event->data, NULL, data, &problem);
}

static const char *cause_word(int cause)
{
    return record_field(&sla_scheduled_record, "cause")->names[cause];
}

static void limit_print(struct stage *s, const struct sla_limit *limit)
{
    buf_append_format(&s->text, " %s.%lld", limit->clause, (long long)limit->k);
    if (limit->target)
        buf_append_format(&s->text, "/%lld", (long long)limit->target);
    clock_print(s, "due", limit->due_us);
    if (*limit->paused)
        buf_append_format(&s->text, " waits %s", limit->paused);
}

static void target_print(struct stage *s, int64_t target)
{
    if (target)
        buf_append_format(&s->text, "/%lld", (long long)target);
}

static void event_print(struct stage *s, const struct event *event)
{
    union {
        struct sla_scheduled scheduled;
        struct sla_warned warned;
        struct sla_breached breached;
        struct sla_met met;
        struct sla_corrected corrected;
    } d;
    if (decoded(event, "sla.scheduled", &sla_scheduled_record, &d)) {
        buf_append_text(&s->text, "scheduled");
        if (d.scheduled.cause != SLA_START)
            buf_append_format(&s->text, " %s", cause_word(d.scheduled.cause));
        for (uint32_t i = 0; i < d.scheduled.limits_n; i++)
            limit_print(s, &d.scheduled.limits[i]);
    } else if (decoded(event, "sla.warned", &sla_warned_record, &d)) {
        buf_append_format(&s->text, "warned %s.%lld %lld %s", d.warned.clause,
                          (long long)d.warned.k, (long long)d.warned.level, d.warned.to);
    } else if (decoded(event, "sla.breached", &sla_breached_record, &d)) {
        buf_append_format(&s->text, "breached %s.%lld %lld %s", d.breached.clause,
                          (long long)d.breached.k, (long long)d.breached.level, d.breached.to);
        target_print(s, d.breached.target);
        clock_print(s, "stopped", d.breached.stopped_us);
        if (*d.breached.cause)
            buf_append_format(&s->text, " %s", d.breached.cause);
    } else if (decoded(event, "sla.met", &sla_met_record, &d)) {
        buf_append_format(&s->text, "met %s.%lld", d.met.clause, (long long)d.met.k);
        target_print(s, d.met.target);
        clock_print(s, "stopped", d.met.stopped_us);
        buf_append_text(&s->text, d.met.explained ? " explained" : "");
        buf_append_text(&s->text, d.met.reported_late ? " told late" : "");
    } else if (decoded(event, "sla.corrected", &sla_corrected_record, &d)) {
        buf_append_format(&s->text, "corrected %s.%lld %s", d.corrected.clause,
                          (long long)d.corrected.k, d.corrected.is);
        target_print(s, d.corrected.target);
        clock_print(s, "stopped", d.corrected.stopped_us);
    } else {
        return;
    }
    buf_append_text(&s->text, "\n");
}

const char *stage_told(struct stage *s)
{
    buf_reset(&s->text);
    for (; s->told < s->head; s->told++) {
        struct event event;
        struct problem problem;
        assert_true(
            event_decode(buf_bytes(&s->bodies[s->told + 1]), (struct bytes){0}, &event, &problem));
        event_print(s, &event);
    }
    return buf_text(&s->text);
}

/* --- beginning and end ---------------------------------------------------------------------- */

void stage_policy(struct stage *s, const char *yaml)
{
    struct arena *arena = arena_new(65536);
    struct policy policy;
    struct problems problems = {0};
    if (!policy_parse(yaml, strlen(yaml), arena, &policy, &problems, NULL))
        fail_msg("line %u: %s %s %s", problems.items[0].line, problems.items[0].code,
                 problems.items[0].field, problems.items[0].args);
    struct policy_published published = {.name = "test"};
    struct buf raw = {0};
    record_encode(&policy_record, RECORD_WHOLE, &policy, &raw);
    text_copy(published.version, sizeof published.version, policy.version);
    published.policy = buf_bytes(&raw);
    s->zone = zone_find(policy.zone);
    stage_say(s, "policy.published", "test", NULL, &policy_published_record, &published);
    buf_release(&raw);
    arena_destroy(&arena);
}

void stage_calendar(struct stage *s, const char *yaml)
{
    struct arena *arena = arena_new(65536);
    struct calendar_def def;
    struct problems problems = {0};
    if (!record_parse_yaml(&calendar_def_record, yaml, strlen(yaml), arena, &def, &problems))
        fail_msg("line %u: %s %s %s", problems.items[0].line, problems.items[0].code,
                 problems.items[0].field, problems.items[0].args);
    struct calendar_published published = {.name = ""};
    struct buf raw = {0};
    record_encode(&calendar_def_record, RECORD_WHOLE, &def, &raw);
    text_copy(published.name, sizeof published.name, def.name);
    text_copy(published.version, sizeof published.version, def.version);
    published.calendar = buf_bytes(&raw);
    stage_say(s, "calendar.published", def.name, NULL, &calendar_published_record, &published);
    buf_release(&raw);
    arena_destroy(&arena);
}

static void calendar_of_file(struct stage *s, const char *path)
{
    static char text[65536];
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    stage_calendar(s, text);
}

struct stage *stage_new(const char *start, const char *policy, const char *calendar)
{
    struct stage *s = memory_new(sizeof *s);
    struct stream_created created;
    record_clear(&stream_created_record, &created);
    text_copy(created.stream, sizeof created.stream, "test-00000000");
    s->now_us = created.start_us = instant(start);
    link_first("test-00000000", s->links[0]);
    stage_say(s, "stream.created", "test", NULL, &stream_created_record, &created);
    if (calendar && strchr(calendar, '\n'))
        stage_calendar(s, calendar);
    else if (calendar)
        calendar_of_file(s, calendar);
    stage_policy(s, policy);
    s->run = run_from(s, &s->committed, 0, false);
    stage_settle(s);
    return s;
}

void stage_destroy(struct stage **self_p)
{
    struct stage *s = *self_p;
    run_destroy(&s->run);
    for (size_t i = 0; i < EVENTS_MAX; i++)
        buf_release(&s->bodies[i]);
    for (size_t i = 0; i < s->rows_n; i++)
        free(s->rows[i].image);
    buf_release(&s->text);
    free(s);
    *self_p = NULL;
}
