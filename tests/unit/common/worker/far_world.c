/* The world around it. */
#include "far.h"

#include "base/text.h"
#include "record/pack.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- the world: a journal, and a store for what is committed
 * ---------------------------------------- */

static void say(struct world *w, const char *from, const char *id, const char *type,
                const char *key, uint64_t cause, struct bytes data)
{
    struct event event = {.pos = w->head + 1,
                          .v = 1,
                          .n = w->head + 1,
                          .at_us = w->now_us,
                          .rec_us = w->now_us,
                          .cause = cause,
                          .data = data};
    assert_true(w->head + 1 < EVENTS_MAX);
    text_copy(event.id, sizeof event.id, id);
    text_copy(event.type, sizeof event.type, type);
    text_copy(event.key, sizeof event.key, key);
    text_copy(event.from, sizeof event.from, from);
    text_copy(event.by, sizeof event.by, from);
    w->head++;
    event_encode(&event, &w->bodies[w->head]);
    link_next(w->links[w->head - 1], buf_bytes(&w->bodies[w->head]), w->links[w->head]);
}

void far_say(struct world *w, const char *from, const char *type, const char *key,
             const struct record *record, const void *data)
{
    struct buf map = {0};
    char id[32];
    text_format(id, sizeof id, "%s/%llu", from, (unsigned long long)w->head + 1);
    record_encode(record, RECORD_PLAIN, data, &map);
    say(w, from, id, type, key, 0, buf_bytes(&map));
    buf_release(&map);
}

void far_fact(struct world *w, const char *type, const char *key, int64_t due_us,
              const char *edition)
{
    struct order_fact data = {.due_us = due_us};
    text_copy(data.edition, sizeof data.edition, edition);
    far_say(w, "branch", type, key, &far_fact_record, &data);
}

static struct bytes draft_value(struct bytes draft, const char *name)
{
    struct unpack at = unpack_of(draft);
    uint32_t pairs = unpack_next(&at).n;
    for (uint32_t k = 0; k < pairs; k++) {
        struct bytes found = unpack_next(&at).bytes;
        struct unpack before = at;
        struct bytes raw = unpack_raw(&at);
        if (bytes_equal(found, bytes_of_text(name)))
            return text_equal(name, "data") ? raw : unpack_next(&before).bytes;
    }
    return (struct bytes){0};
}

static void draft_text(struct bytes draft, const char *name, char *out, size_t cap)
{
    struct bytes value = draft_value(draft, name);
    text_copy_n(out, cap, (const char *)value.data, value.len);
}

size_t far_take_conclusions(struct world *w)
{
    const struct run_conclusion *conclusions;
    size_t n = run_conclusions(w->run, &conclusions);
    for (size_t i = 0; i < n; i++) {
        char type[48], key[65], id[EVENT_ID_CAP];
        draft_text(conclusions[i].draft, "type", type, sizeof type);
        draft_text(conclusions[i].draft, "key", key, sizeof key);
        draft_text(conclusions[i].draft, "id", id, sizeof id);
        say(w, "toy", id, type, key, conclusions[i].trigger,
            draft_value(conclusions[i].draft, "data"));
    }
    if (run_upto(w->run) > w->upto)
        w->upto = run_upto(w->run);
    return n;
}

struct order *far_stored(struct world *w, const char *key)
{
    for (size_t i = 0; i < w->stored_n; i++)
        if (text_equal(w->stored[i].id, key))
            return &w->stored[i];
    return NULL;
}

static void parked_keep(const void *row, void *arg)
{
    struct world *w = arg;
    const struct table_def *def = tables_def(run_tables(w->run), PARKED);
    if (*(const bool *)((const char *)row + def->open_offset))
        record_encode(def->row, RECORD_WHOLE, row, &w->parked);
}

static void parked_load(struct world *w)
{
    struct tables *t = run_tables(w->run);
    const struct record *record = tables_def(t, PARKED)->row;
    struct unpack at = unpack_of(buf_bytes(&w->parked));
    char *row = calloc(1, record->size);
    struct problem problem;
    while (at.at < at.end) {
        struct bytes raw = unpack_raw(&at);
        assert_true(record_decode(record, RECORD_WHOLE, DECODE_LENIENT, raw, NULL, row, &problem));
        tables_load(t, PARKED, row);
    }
    free(row);
}

void far_commit(struct world *w)
{
    const void *const *rows;
    struct tables *t = run_tables(w->run);
    for (int fresh = 0; fresh < 2; fresh++) {
        size_t n = tables_dirty(t, ORDERS, fresh == 1, &rows);
        for (size_t i = 0; i < n; i++) {
            struct order *place = far_stored(w, rows[i]);
            assert_true((place == NULL) == (fresh == 1));
            assert_true(place != NULL || w->stored_n < KEYS);
            place = place != NULL ? place : &w->stored[w->stored_n++];
            *place = *(const struct order *)rows[i];
            place->fired_us = 0;
        }
        if (tables_dirty(t, EDITIONS, fresh == 1, &rows) > 0)
            w->edition = *(const struct edition *)rows[0];
    }
    if (w->store != NULL)
        w->store->commit(w);
    buf_reset(&w->parked);
    tables_each(t, PARKED, parked_keep, w);
    w->committed = run_state(w->run);
    run_committed(w->run);
    if (tables_rows(t, ORDERS) > w->most_rows)
        w->most_rows = tables_rows(t, ORDERS);
}

static bool comes_after(const struct order *row, int64_t due_us, const char *key)
{
    return row->due_us > due_us || (row->due_us == due_us && strcmp(row->id, key) > 0);
}

void far_serve_page(struct world *w)
{
    struct due_page page;
    struct tables *t = run_tables(w->run);
    if (!tables_wanted(t, ORDERS, &page))
        return;
    int64_t due_us = page.due_us;
    char key[65];
    size_t n = 0;
    text_copy(key, sizeof key, page.key);
    tables_page_begin(t, ORDERS);
    for (; n < PAGE; n++) {
        const struct order *first = NULL;
        for (size_t i = 0; i < w->stored_n; i++) {
            const struct order *row = &w->stored[i];
            if (row->open && row->due_us != 0 && row->due_us <= page.until_us &&
                comes_after(row, due_us, key) &&
                (first == NULL || comes_after(first, row->due_us, row->id)))
                first = row;
        }
        if (first == NULL)
            break;
        tables_page_row(t, ORDERS, first);
        due_us = first->due_us;
        text_copy(key, sizeof key, first->id);
    }
    tables_page_end(t, ORDERS, n == PAGE ? due_us : page.until_us, n == PAGE ? key : NULL);
    w->pages++;
}

static void serve_question(struct world *w)
{
    struct sweep_question question;
    struct tables *t = run_tables(w->run);
    char last[65] = "";
    size_t n = 0;
    if (!tables_asked(t, ORDERS, &question))
        return;
    text_copy(last, sizeof last, question.value == NULL ? "" : question.after_key);
    for (bool found = true; found && (question.value == NULL || n < SWEEP_PAGE); n += found) {
        const char *best = NULL;
        for (size_t i = 0; i < w->stored_n; i++) {
            const struct order *row = &w->stored[i];
            const char *text = question.value == NULL ? row->edition : row->id;
            if (row->open && row->edition[0] != '\0' &&
                (question.value == NULL || text_equal(row->edition, question.value)) &&
                strcmp(text, last) > 0 && (best == NULL || strcmp(text, best) < 0))
                best = text;
        }
        found = best != NULL;
        if (!found)
            break;
        text_copy(last, sizeof last, best);
        if (question.value != NULL)
            tables_fill(t, ORDERS, last, far_stored(w, last));
        tables_answer_add(t, ORDERS, last);
    }
    tables_answer_end(t, ORDERS, n == SWEEP_PAGE && question.value != NULL);
    w->sweep_pages++;
}

void far_fetch(struct world *w)
{
    const struct miss *misses;
    struct tables *t = run_tables(w->run);
    if (w->store != NULL) {
        w->store->fetch(w);
        return;
    }
    size_t n = tables_misses(t, &misses);
    for (size_t i = 0; i < n; i++)
        tables_fill(t, misses[i].table, misses[i].key,
                    misses[i].table == ORDERS ? far_stored(w, misses[i].key) : NULL);
    tables_misses_reset(t);
    far_serve_page(w);
    serve_question(w);
}

void far_handle(struct world *w, uint64_t until)
{
    enum run_result result;
    for (uint64_t pos = run_state(w->run).pos + 1; pos <= until; pos++)
        run_add(w->run, buf_bytes(&w->bodies[pos]), (struct bytes){0}, w->links[pos]);
    while ((result = run_process(w->run)) == RUN_MISS)
        far_fetch(w);
    assert_int_equal(result, RUN_DONE);
}

void far_look_at_the_clock(struct world *w)
{
    while (run_head(w->run, w->now_us) == RUN_MISS)
        far_fetch(w);
    far_take_conclusions(w);
    far_commit(w);
}

void far_settle(struct world *w, uint64_t most)
{
    do {
        while (run_state(w->run).pos < w->head) {
            uint64_t until = run_state(w->run).pos + most;
            far_handle(w, until < w->head ? until : w->head);
            far_take_conclusions(w);
            far_commit(w);
        }
        far_look_at_the_clock(w);
    } while (run_state(w->run).pos < w->head || run_timers_left(w->run));
    assert_int_equal(run_flying(w->run), 0);
    assert_false(run_sweeping(w->run));
    assert_int_equal(run_upto(w->run), w->head);
}

void far_restart(struct world *w)
{
    run_destroy(&w->run);
    w->run = run_new(&far_toy, CACHE);
    struct tables *t = run_tables(w->run);
    run_sweep_limit(w->run, 3);
    for (size_t i = 0; i < w->stored_n && !w->far; i++)
        if (w->stored[i].open)
            tables_load(t, ORDERS, &w->stored[i]);
    if (w->store == NULL && w->edition.name[0] != '\0')
        tables_load(t, EDITIONS, &w->edition);
    if (w->store == NULL)
        parked_load(w);
    if (w->store != NULL)
        w->store->load(w);
    else if (w->far)
        tables_keep_near(t);
    run_start(w->run, &w->committed, w->upto);
    for (uint64_t pos = w->committed.pos + 1; pos <= w->head; pos++)
        assert_int_equal(run_expect(w->run, buf_bytes(&w->bodies[pos]), (struct bytes){0}),
                         RUN_DONE);
}

struct world *far_world_new(bool far, const struct store *store, void *store_data)
{
    struct world *w = calloc(1, sizeof *w);
    struct stream_created created = {.clock = CLOCK_WALL, .stream = "toy-00000000"};
    struct buf map = {0};
    w->far = far;
    w->store = store;
    w->store_data = store_data;
    w->now_us = T0;
    link_first("toy-00000000", w->links[0]);
    record_encode(&stream_created_record, RECORD_PLAIN, &created, &map);
    say(w, "intake", "intake/1", "stream.created", "toy", 0, buf_bytes(&map));
    buf_release(&map);
    far_restart(w);
    return w;
}

void far_world_destroy(struct world *w)
{
    run_destroy(&w->run);
    for (size_t i = 0; i < EVENTS_MAX; i++)
        buf_release(&w->bodies[i]);
    buf_release(&w->parked);
    free(w);
}
