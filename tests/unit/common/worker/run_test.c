/* The core alone: a journal in an array, a store in another, no sockets and no PostgreSQL. */
#include "toy.h"

#include "base/text.h"
#include "record/pack.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define T0 (INT64_C(1700000000) * SECOND_US)

/* --- the world: a journal, and what a worker has committed ---------------------------------------- */

struct world {
    struct buf bodies[400];
    uint8_t links[401][LINK_BYTES];
    uint64_t head;
    int64_t now_us;
    struct run *run;
    struct run_state committed;
    struct order stored[100]; /* every row ever written, as PostgreSQL would have it */
    size_t stored_n;
    char *parked[16]; /* the runtime's own rows */
    size_t parked_n;
    uint64_t upto; /* what intake knows */
};
#define PARKED (ORDERS + 3) /* behind the worker's table: policies, calendars */

static void say(struct world *w, const char *from, const char *id, const char *type, const char *key, uint64_t cause,
                struct bytes data)
{
    struct event event = {.pos = w->head + 1, .v = 1, .n = w->head + 1, .at_us = w->now_us, .rec_us = w->now_us,
                          .cause = cause, .data = data};
    text_copy(event.id, sizeof event.id, id);
    text_copy(event.type, sizeof event.type, type);
    text_copy(event.key, sizeof event.key, key);
    text_copy(event.from, sizeof event.from, from);
    text_copy(event.by, sizeof event.by, from);
    w->head++;
    event_encode(&event, &w->bodies[w->head]);
    link_next(w->links[w->head - 1], buf_bytes(&w->bodies[w->head]), w->links[w->head]);
}

static void fact(struct world *w, const char *type, const char *key, const struct record *record, const void *data)
{
    struct buf map = {0};
    char id[32];
    text_format(id, sizeof id, "branch/%llu", (unsigned long long)w->head + 1);
    record_encode(record, RECORD_PLAIN, data, &map);
    say(w, "branch", id, type, key, 0, buf_bytes(&map));
    buf_release(&map);
}

static void fact_opened(struct world *w, const char *key, int64_t due_us, bool broken)
{
    struct order_opened data = {.due_us = due_us, .broken = broken};
    fact(w, "order.opened", key, &order_opened_record, &data);
}

static void fact_closed(struct world *w, const char *key)
{
    struct order_closed data = {.reason = "done"};
    fact(w, "order.closed", key, &order_closed_record, &data);
}

/* Intake takes what was concluded. */
static size_t take_conclusions(struct world *w)
{
    const struct run_conclusion *conclusions;
    size_t n = run_conclusions(w->run, &conclusions);
    for (size_t i = 0; i < n; i++) {
        struct unpack at = unpack_of(conclusions[i].draft);
        uint32_t pairs = unpack_next(&at).n;
        char type[48] = "", key[65] = "", id[EVENT_ID_CAP] = "";
        struct bytes data = {0};
        for (uint32_t k = 0; k < pairs; k++) {
            struct bytes name = unpack_next(&at).bytes;
            struct unpack before = at;
            struct bytes raw = unpack_raw(&at);
            struct pack_value value = unpack_next(&before);
            if (name.len == 4 && memcmp(name.data, "type", 4) == 0)
                text_copy_n(type, sizeof type, (const char *)value.bytes.data, value.bytes.len);
            else if (name.len == 3 && memcmp(name.data, "key", 3) == 0)
                text_copy_n(key, sizeof key, (const char *)value.bytes.data, value.bytes.len);
            else if (name.len == 2 && memcmp(name.data, "id", 2) == 0)
                text_copy_n(id, sizeof id, (const char *)value.bytes.data, value.bytes.len);
            else if (name.len == 4 && memcmp(name.data, "data", 4) == 0)
                data = raw;
        }
        say(w, "toy", id, type, key, conclusions[i].trigger, data);
    }
    if (run_upto(w->run) > w->upto)
        w->upto = run_upto(w->run);
    return n;
}

static struct order *stored(struct world *w, const char *key)
{
    for (size_t i = 0; i < w->stored_n; i++)
        if (text_equal(w->stored[i].id, key))
            return &w->stored[i];
    return NULL;
}

static void commit_parked(struct world *w)
{
    size_t size = tables_def(run_tables(w->run), PARKED)->row->size;
    for (int fresh = 0; fresh < 2; fresh++) {
        const void *const *rows;
        size_t n = tables_dirty(run_tables(w->run), PARKED, fresh == 1, &rows);
        for (size_t i = 0; i < n; i++) {
            size_t at = 0;
            while (at < w->parked_n && !text_equal(w->parked[at], rows[i]))
                at++;
            assert_true(at < COUNT_OF(w->parked));
            if (at == w->parked_n)
                w->parked[w->parked_n++] = malloc(size);
            memcpy(w->parked[at], rows[i], size);
        }
    }
}

static void commit(struct world *w)
{
    for (int fresh = 0; fresh < 2; fresh++) {
        const void *const *rows;
        size_t n = tables_dirty(run_tables(w->run), ORDERS, fresh == 1, &rows);
        for (size_t i = 0; i < n; i++) {
            const struct order *row = rows[i];
            struct order *place = stored(w, row->id);
            assert_true((place == NULL) == (fresh == 1));
            if (place == NULL)
                place = &w->stored[w->stored_n++];
            *place = *row;
            place->fired_us = place->pending = 0;
        }
    }
    commit_parked(w);
    w->committed = run_state(w->run);
    run_committed(w->run);
}

static size_t fetches;

static void fetch(struct world *w)
{
    const struct miss *misses;
    struct tables *tables = run_tables(w->run);
    size_t n = tables_misses(tables, &misses);
    assert_true(n > 0);
    for (size_t i = 0; i < n; i++)
        tables_fill(tables, misses[i].table, misses[i].key, misses[i].table == ORDERS ? stored(w, misses[i].key) : NULL);
    tables_misses_reset(tables);
    fetches++;
}

/* Reads up to `until` in batches, without committing. */
static enum run_result handle(struct world *w, uint64_t until)
{
    enum run_result result;
    for (uint64_t pos = run_state(w->run).pos + 1; pos <= until; pos++)
        run_add(w->run, buf_bytes(&w->bodies[pos]), (struct bytes){0}, w->links[pos]);
    while ((result = run_process(w->run)) == RUN_MISS)
        fetch(w);
    return result;
}

static void time_passes(struct world *w, int64_t us)
{
    w->now_us += us;
    while (run_head(w->run, w->now_us) == RUN_MISS)
        fetch(w);
}

/* Until nothing more is concluded. */
static void settle(struct world *w)
{
    do {
        assert_int_equal(handle(w, w->head), RUN_DONE);
    } while (take_conclusions(w) > 0 && (commit(w), w->head > run_state(w->run).pos));
    commit(w);
    assert_int_equal(run_flying(w->run), 0);
}

/* A new process: memory is gone, what was committed is loaded. */
static void restart(struct world *w)
{
    run_destroy(&w->run);
    w->run = run_new(&toy_worker, 16);
    for (size_t i = 0; i < w->stored_n; i++)
        if (w->stored[i].open)
            tables_load(run_tables(w->run), ORDERS, &w->stored[i]);
    const struct table_def *parked = tables_def(run_tables(w->run), PARKED);
    for (size_t i = 0; i < w->parked_n; i++)
        if (*(const bool *)(w->parked[i] + parked->open_offset))
            tables_load(run_tables(w->run), PARKED, w->parked[i]);
    run_start(w->run, &w->committed, w->upto);
    uint64_t known = w->committed.pos > w->upto ? w->committed.pos : w->upto;
    for (uint64_t pos = known + 1; pos <= w->head; pos++) {
        struct event event;
        struct problem problem;
        assert_true(event_decode(buf_bytes(&w->bodies[pos]), (struct bytes){0}, &event, &problem));
        if (text_equal(event.from, "toy"))
            assert_int_equal(run_expect(w->run, buf_bytes(&w->bodies[pos]), (struct bytes){0}), RUN_DONE);
    }
}

static int world_new(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct stream_created created = {.clock = CLOCK_WALL, .stream = "toy-00000000"};
    struct buf map = {0};
    w->now_us = T0;
    link_first("toy-00000000", w->links[0]);
    record_encode(&stream_created_record, RECORD_PLAIN, &created, &map);
    say(w, "intake", "intake/1", "stream.created", "toy", 0, buf_bytes(&map));
    buf_release(&map);
    w->run = run_new(&toy_worker, 16);
    run_start(w->run, &w->committed, 0);
    *state = w;
    return 0;
}

static int world_end(void **state)
{
    struct world *w = *state;
    run_destroy(&w->run);
    for (size_t i = 0; i < COUNT_OF(w->bodies); i++)
        buf_release(&w->bodies[i]);
    for (size_t i = 0; i < w->parked_n; i++)
        free(w->parked[i]);
    free(w);
    return 0;
}

static size_t count_of(const struct world *w, const char *type)
{
    size_t n = 0;
    for (uint64_t pos = 1; pos <= w->head; pos++) {
        struct event event;
        struct problem problem;
        if (event_decode(buf_bytes(&w->bodies[pos]), (struct bytes){0}, &event, &problem))
            n += text_equal(event.type, type);
    }
    return n;
}

/* --- tests ------------------------------------------------------------------------------------------ */

static void test_concludes_once_and_reads_back(void **state)
{
    struct world *w = *state;
    fact_opened(w, "A", 0, false);
    settle(w);
    assert_int_equal(count_of(w, "order.noted"), 1);
    assert_int_equal(stored(w, "A")->notes, 1);
    assert_int_equal(w->upto, w->head);
}

static void test_flight_is_counted_until_read_back(void **state)
{
    struct world *w = *state;
    fact_opened(w, "A", 0, false);
    assert_int_equal(handle(w, w->head), RUN_DONE);
    const struct order *row = table_get(run_tables(w->run), ORDERS, "A");
    assert_int_equal(row->pending, 1);
    assert_int_equal(row->notes, 0);
    assert_true(run_in_flight(w->run, "toy/A/note/1"));
    take_conclusions(w);
    commit(w);
    assert_int_equal(handle(w, w->head), RUN_DONE);
    row = table_get(run_tables(w->run), ORDERS, "A");
    assert_int_equal(row->pending, 0);
    assert_int_equal(row->notes, 1);
}

/* Killed after intake took the conclusions and before the rows were committed: nothing is said twice. */
static void test_crash_between_ship_and_commit(void **state)
{
    struct world *w = *state;
    fact_opened(w, "A", 0, false);
    fact_opened(w, "B", 0, false);
    assert_int_equal(handle(w, w->head), RUN_DONE);
    assert_int_equal(take_conclusions(w), 2);
    restart(w);
    settle(w);
    assert_int_equal(count_of(w, "order.noted"), 2);
    assert_int_equal(stored(w, "A")->notes, 1);
    assert_int_equal(stored(w, "B")->notes, 1);
}

/* Killed before anything was shipped: it is said after the restart. */
static void test_crash_before_ship(void **state)
{
    struct world *w = *state;
    fact_opened(w, "A", 0, false);
    assert_int_equal(handle(w, w->head), RUN_DONE);
    restart(w);
    settle(w);
    assert_int_equal(count_of(w, "order.noted"), 1);
}

static void test_timers_fire_once_and_only_on_knowledge(void **state)
{
    struct world *w = *state;
    fact_opened(w, "A", T0 + HOUR_US, false);
    fact_opened(w, "B", T0 + 2 * HOUR_US, false);
    settle(w);
    assert_int_equal(run_next_due_us(w->run), T0 + HOUR_US);
    time_passes(w, HOUR_US - 1);
    assert_int_equal(take_conclusions(w), 0);
    time_passes(w, 1);
    time_passes(w, MINUTE_US);
    assert_int_equal(take_conclusions(w), 1);
    assert_int_equal(run_next_due_us(w->run), T0 + 2 * HOUR_US);
    restart(w); /* the fired mark is memory only: the slot in flight keeps it from being said again */
    time_passes(w, MINUTE_US);
    assert_int_equal(take_conclusions(w), 0);
    settle(w);
    assert_int_equal(count_of(w, "order.late"), 1);
    assert_true(stored(w, "A")->late);
    assert_false(stored(w, "B")->late);
}

/* Killed when a timer had fired and its conclusion was neither shipped nor the cursor moved by it: it fires again, and until
 * then the worker does not claim to be done. */
static void test_a_timer_lost_in_a_crash_fires_again(void **state)
{
    struct world *w = *state;
    fact_opened(w, "A", T0 + HOUR_US, false);
    settle(w);
    w->now_us += 2 * HOUR_US;
    fact_opened(w, "B", 0, false);
    assert_int_equal(handle(w, w->head), RUN_DONE);
    commit(w); /* the rows are in, what was concluded is not */
    restart(w);
    assert_true(run_timers_left(w->run));
    assert_true(run_upto(w->run) < w->committed.pos);
    time_passes(w, 0);
    assert_false(run_timers_left(w->run));
    settle(w);
    assert_int_equal(count_of(w, "order.late"), 1);
}

static void test_many_timers_come_in_transactions(void **state)
{
    struct world *w = *state;
    char key[16];
    for (int i = 0; i < 60; i++) {
        text_format(key, sizeof key, "K%02d", i);
        fact_opened(w, key, T0 + HOUR_US + i, false);
    }
    settle(w);
    time_passes(w, 2 * HOUR_US);
    assert_false(run_timers_left(w->run));
    assert_int_equal(take_conclusions(w), 60);
}

static void test_closed_rows_are_fetched_with_one_round(void **state)
{
    struct world *w = *state;
    char key[16];
    for (int i = 0; i < 50; i++) {
        text_format(key, sizeof key, "K%02d", i);
        fact_opened(w, key, 0, false);
        fact_closed(w, key);
    }
    settle(w);
    restart(w);
    for (int i = 0; i < 50; i++) {
        text_format(key, sizeof key, "K%02d", i);
        fact_closed(w, key);
    }
    fetches = 0;
    settle(w);
    assert_int_equal(fetches, 1);
    for (int i = 0; i < 50; i++) {
        text_format(key, sizeof key, "K%02d", i);
        assert_int_equal(stored(w, key)->closings, 2);
    }
}

static void test_a_broken_event_is_parked_with_its_key(void **state)
{
    struct world *w = *state;
    fact_opened(w, "A", 0, true);
    fact_closed(w, "A");
    fact_opened(w, "B", 0, false);
    settle(w);
    assert_int_equal(run_parked(w->run), 2);
    assert_int_equal(count_of(w, "event.parked"), 1);
    assert_null(stored(w, "A"));
    assert_int_equal(stored(w, "B")->notes, 1);
    struct event_dropped dropped = {.pos = 2, .worker = "toy", .reason = "nonsense"};
    fact(w, "event.dropped", "A", &event_dropped_record, &dropped);
    settle(w);
    assert_int_equal(run_parked(w->run), 0);
}

/* A conclusion about a key that is held back is set aside too, and is no longer in flight: the worker can come to rest. */
static void test_what_is_set_aside_is_not_in_flight(void **state)
{
    struct world *w = *state;
    fact_opened(w, "A", 0, false);
    assert_int_equal(handle(w, w->head), RUN_DONE);
    struct buf map = {0};
    struct order_opened broken = {.broken = true};
    record_encode(&order_opened_record, RECORD_PLAIN, &broken, &map);
    say(w, "branch", "branch/x", "order.opened", "A", 0, buf_bytes(&map));
    buf_release(&map);
    take_conclusions(w);
    commit(w);
    settle(w);
    assert_int_equal(run_parked(w->run), 2);
    assert_int_equal(run_flying(w->run), 0);
    assert_int_equal(((const struct order *)table_get(run_tables(w->run), ORDERS, "A"))->pending, 0);
}

/* A timer of a row whose key is held back: what it concluded is set aside, and is not concluded again after a restart. */
static void test_what_is_set_aside_is_not_said_again(void **state)
{
    struct world *w = *state;
    fact_opened(w, "A", T0 + HOUR_US, false);
    settle(w);
    fact_opened(w, "A", 0, true);
    settle(w);
    time_passes(w, 2 * HOUR_US);
    assert_int_equal(take_conclusions(w), 1);
    commit(w);
    settle(w);
    assert_int_equal(count_of(w, "order.late"), 1);
    assert_int_equal(run_parked(w->run), 2);
    restart(w);
    assert_int_equal(run_parked(w->run), 2);
    time_passes(w, HOUR_US);
    take_conclusions(w);
    settle(w);
    assert_int_equal(count_of(w, "order.late"), 1);
    /* Dropped is the broken one; what waited behind it is handled. */
    struct event_dropped dropped = {.pos = (int64_t)w->head, .worker = "toy", .reason = "nonsense"};
    for (uint64_t pos = 1; pos <= w->head; pos++) {
        struct event event;
        struct problem problem;
        struct event_parked parked;
        assert_true(event_decode(buf_bytes(&w->bodies[pos]), (struct bytes){0}, &event, &problem));
        if (text_equal(event.type, "event.parked") &&
            record_decode(&event_parked_record, RECORD_PLAIN, DECODE_LENIENT, event.data, NULL, &parked, &problem))
            dropped.pos = parked.pos;
    }
    fact(w, "event.dropped", "A", &event_dropped_record, &dropped);
    settle(w);
    assert_int_equal(run_parked(w->run), 0);
    assert_true(stored(w, "A")->late);
    assert_int_equal(count_of(w, "order.late"), 1);
}

static void test_events_below_upto_are_applied_only(void **state)
{
    struct world *w = *state;
    fact_opened(w, "A", T0 + HOUR_US, false);
    settle(w);
    time_passes(w, 2 * HOUR_US);
    take_conclusions(w);
    settle(w);
    uint64_t head = w->head;
    struct order before = *stored(w, "A");
    memset(&w->committed, 0, sizeof w->committed);
    memset(w->stored, 0, sizeof w->stored);
    w->stored_n = 0;
    restart(w); /* a rebuild: the same path from an empty store */
    settle(w);
    assert_int_equal(w->head, head);
    assert_true(record_equal(&order_record, &before, stored(w, "A")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_concludes_once_and_reads_back, world_new, world_end),
        cmocka_unit_test_setup_teardown(test_flight_is_counted_until_read_back, world_new, world_end),
        cmocka_unit_test_setup_teardown(test_crash_between_ship_and_commit, world_new, world_end),
        cmocka_unit_test_setup_teardown(test_crash_before_ship, world_new, world_end),
        cmocka_unit_test_setup_teardown(test_timers_fire_once_and_only_on_knowledge, world_new, world_end),
        cmocka_unit_test_setup_teardown(test_a_timer_lost_in_a_crash_fires_again, world_new, world_end),
        cmocka_unit_test_setup_teardown(test_many_timers_come_in_transactions, world_new, world_end),
        cmocka_unit_test_setup_teardown(test_closed_rows_are_fetched_with_one_round, world_new, world_end),
        cmocka_unit_test_setup_teardown(test_a_broken_event_is_parked_with_its_key, world_new, world_end),
        cmocka_unit_test_setup_teardown(test_what_is_set_aside_is_not_in_flight, world_new, world_end),
        cmocka_unit_test_setup_teardown(test_what_is_set_aside_is_not_said_again, world_new, world_end),
        cmocka_unit_test_setup_teardown(test_events_below_upto_are_applied_only, world_new, world_end),
    };
    return cmocka_run_group_tests_name("worker run", tests, NULL, NULL);
}
