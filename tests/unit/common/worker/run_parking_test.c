/* What is parked, over replays: the same at the same positions, whatever handlers think of it by then. */
#include "toy.h"

#include "base/text.h"
#include "record/pack.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define T0 (INT64_C(1700000000) * SECOND_US)
#define EVENTS_MAX 1200
#define PARKED_MOST 1000
#define PARKED (ORDERS + 3) /* behind the worker's table: policies, calendars */

/* A worker of one table: its handler fails on what is broken, until it is mended. */
static bool mended;
static size_t asked; /* how often it was asked about what is broken */

static bool happened(struct tables *tables, const struct event *event, const void *data)
{
    const struct order_opened *opened = data;
    struct order *row = table_change(tables, ORDERS, event->key);
    if (row == NULL && !tables_missed(tables)) /* otherwise it runs again */
        row = table_new(tables, ORDERS, event->key);
    asked += opened->broken;
    if (opened->broken && !mended)
        return tables_trouble(tables, "broken at %llu", (unsigned long long)event->pos);
    if (row != NULL)
        row->notes++;
    return true;
}

static void decides(struct run *run, const struct tables *tables, const struct event *event, const void *data)
{
    char slot[EVENT_ID_CAP];
    const struct order_noted noted = {.number = 1};
    (void)tables;
    (void)data;
    text_format(slot, sizeof slot, "toy/%s/note/%llu", event->key, (unsigned long long)event->pos);
    conclude(run, slot, "order.noted", event->key, &order_noted_record, &noted);
}

static bool published(struct tables *tables, const struct event *event, const void *data)
{
    (void)tables;
    (void)event;
    (void)data;
    return true;
}

static const struct handler handlers[] = {
    {.type = "order.opened", .data = &order_opened_record, .apply = happened, .decide = decides},
    {.type = "policy.published", .data = &order_opened_record, .apply = published},
};

static struct worker worker;

/* --- a journal ---------------------------------------------------------------------------------------- */

static struct journal {
    struct buf bodies[EVENTS_MAX + 1];
    uint64_t n;
} journal;

static void say(const char *from, const char *id, const char *type, const char *key, uint64_t cause, const struct record *record,
                const void *data)
{
    struct buf map = {0};
    struct event event = {.pos = ++journal.n, .v = 1, .n = journal.n, .at_us = T0, .rec_us = T0, .cause = cause};
    assert_true(journal.n <= EVENTS_MAX);
    record_encode(record, RECORD_PLAIN, data, &map);
    event.data = buf_bytes(&map);
    text_copy(event.id, sizeof event.id, id);
    text_copy(event.type, sizeof event.type, type);
    text_copy(event.key, sizeof event.key, key);
    text_copy(event.from, sizeof event.from, from);
    event_encode(&event, &journal.bodies[journal.n]);
    buf_release(&map);
}

static uint64_t open(const char *key, bool broken)
{
    char id[24];
    const struct order_opened opened = {.broken = broken};
    text_format(id, sizeof id, "b/%llu", (unsigned long long)journal.n + 1);
    say("b", id, "order.opened", key, 0, &order_opened_record, &opened);
    return journal.n;
}

static uint64_t resolve(const char *type, uint64_t pos)
{
    char id[24];
    struct event_released released = {.pos = (int64_t)pos, .worker = "toy", .reason = "seen to"};
    text_format(id, sizeof id, "o/%llu", (unsigned long long)journal.n + 1);
    say("operator", id, type, "A", 0, &event_released_record, &released);
    return journal.n;
}

/* What it has concluded goes into the journal. Gives how much that was. */
static size_t take(const struct run *run)
{
    const struct run_conclusion *conclusions;
    size_t n = run_conclusions(run, &conclusions);
    for (size_t i = 0; i < n; i++) {
        struct unpack at = unpack_of(conclusions[i].draft);
        struct event event = {.pos = ++journal.n, .v = 1, .n = journal.n, .at_us = T0, .rec_us = T0};
        assert_true(journal.n <= EVENTS_MAX);
        text_copy(event.from, sizeof event.from, "toy");
        for (uint32_t pairs = unpack_next(&at).n; pairs > 0; pairs--) {
            struct bytes name = unpack_next(&at).bytes, raw = unpack_raw(&at);
            struct unpack in = unpack_of(raw);
            struct pack_value value = unpack_next(&in);
            if (bytes_equal(name, bytes_of_text("type")))
                text_copy_n(event.type, sizeof event.type, (const char *)value.bytes.data, value.bytes.len);
            else if (bytes_equal(name, bytes_of_text("key")))
                text_copy_n(event.key, sizeof event.key, (const char *)value.bytes.data, value.bytes.len);
            else if (bytes_equal(name, bytes_of_text("id")))
                text_copy_n(event.id, sizeof event.id, (const char *)value.bytes.data, value.bytes.len);
            else if (bytes_equal(name, bytes_of_text("cause")))
                event.cause = (uint64_t)value.integer;
            else if (bytes_equal(name, bytes_of_text("data")))
                event.data = raw;
        }
        event_encode(&event, &journal.bodies[journal.n]);
    }
    return n;
}

/* --- its readers -------------------------------------------------------------------------------------- */

static struct run *begin(uint64_t upto)
{
    const struct run_state nothing = {.pos = 0};
    struct run *run = run_new(&worker, 8);
    tables_keep_all(run_tables(run));
    run_start(run, &nothing, upto);
    return run;
}

static enum run_result handle(struct run *run, uint64_t upto)
{
    static const uint8_t link[LINK_BYTES];
    for (uint64_t pos = run_state(run).pos + 1; pos <= upto; pos++)
        run_add(run, buf_bytes(&journal.bodies[pos]), bytes_of(NULL, 0), link);
    return run_process(run);
}

/* Lives until nothing more follows. */
static void live(struct run *run)
{
    size_t more = 1;
    while (more > 0) {
        assert_int_equal(handle(run, journal.n), RUN_DONE);
        more = take(run);
        run_committed(run);
    }
}

static struct run *replay(void)
{
    struct run *run = begin(journal.n);
    for (uint64_t pos = 1; pos <= journal.n; pos++)
        assert_int_equal(run_expect(run, buf_bytes(&journal.bodies[pos]), bytes_of(NULL, 0)), RUN_DONE);
    assert_int_equal(handle(run, journal.n), RUN_DONE);
    return run;
}

struct printing {
    struct run *run;
    struct buf out;
    unsigned table;
};

static void print(const void *row, void *arg)
{
    struct printing *printing = arg;
    record_encode(tables_def(run_tables(printing->run), printing->table)->row, RECORD_WHOLE, row, &printing->out);
}

/* All rows, as they are stored. */
static struct buf rows(struct run *run)
{
    struct printing printing = {.run = run};
    for (; printing.table < tables_count(run_tables(run)); printing.table++)
        tables_each(run_tables(run), printing.table, print, &printing);
    return printing.out;
}

static void assert_replayed(struct run *living)
{
    struct run *again = replay();
    struct buf left = rows(living), right = rows(again);
    assert_true(bytes_equal(buf_bytes(&left), buf_bytes(&right)));
    buf_release(&left);
    buf_release(&right);
    run_destroy(&again);
}

static size_t said(const char *type)
{
    size_t n = 0;
    for (uint64_t pos = 1; pos <= journal.n; pos++) {
        struct event event;
        struct problem problem;
        assert_true(event_decode(buf_bytes(&journal.bodies[pos]), bytes_of(NULL, 0), &event, &problem));
        n += text_equal(event.type, type);
    }
    return n;
}

static int setup(void **state)
{
    struct journal *all = &journal;
    for (size_t i = 0; i < COUNT_OF(all->bodies); i++)
        buf_reset(&all->bodies[i]);
    journal.n = 0;
    mended = false;
    asked = 0;
    worker = toy_worker;
    worker.handlers = handlers;
    worker.handlers_n = COUNT_OF(handlers);
    worker.timers_n = worker.sweeps_n = worker.questions_n = 0;
    worker.flight = NULL;
    (void)state;
    return 0;
}

static void test_a_replay_keeps_the_reason(void **state)
{
    (void)state;
    struct run *run = begin(0);
    open("A", true);
    open("A", false);
    open("B", false);
    live(run);
    assert_int_equal(run_parked(run), 2);
    assert_replayed(run);
    run_destroy(&run);
}

static void test_a_replay_by_mended_handlers_parks_and_stays_parked(void **state)
{
    (void)state;
    struct run *run = begin(0);
    uint64_t pos = open("A", true);
    live(run);
    resolve("event.released", pos);
    live(run);
    assert_int_equal(run_parked(run), 1);
    assert_int_equal(said("event.parked"), 2);
    mended = true;
    asked = 0;
    assert_replayed(run);
    assert_int_equal(asked, 0);
    /* The next release finds them mended. */
    resolve("event.released", pos);
    live(run);
    assert_int_equal(run_parked(run), 0);
    assert_replayed(run);
    run_destroy(&run);
}

static void test_what_was_concluded_before_the_next_one_failed_stays(void **state)
{
    (void)state;
    struct run *run = begin(0);
    uint64_t first = open("A", true);
    open("A", false);
    open("A", true);
    live(run);
    resolve("event.dropped", first);
    live(run);
    assert_int_equal(run_parked(run), 1);
    assert_int_equal(said("order.noted"), 1);
    assert_replayed(run);
    run_destroy(&run);
}

static void test_one_that_only_waits_can_be_left_out(void **state)
{
    (void)state;
    struct run *run = begin(0);
    uint64_t first = open("A", true), second = open("A", false);
    live(run);
    asked = 0;
    resolve("event.dropped", second);
    live(run);
    assert_int_equal(asked, 0);
    assert_int_equal(run_parked(run), 1);
    mended = true;
    resolve("event.released", first);
    live(run);
    assert_int_equal(run_parked(run), 0);
    assert_int_equal(said("order.noted"), 1);
    run_destroy(&run);
}

static void test_a_release_that_brings_the_process_down_is_not_tried_again(void **state)
{
    (void)state;
    struct run *run = begin(0);
    uint64_t pos = open("A", true);
    live(run);
    asked = 0;
    run_park_at(run, resolve("event.released", pos), 0);
    live(run);
    assert_int_equal(asked, 0);
    assert_int_equal(run_parked(run), 1);
    assert_int_equal(said("event.parked"), 2);
    assert_replayed(run);
    run_destroy(&run);
}

/* Of four that waited one brings the process down: tried are half of them, then the half of that. */
static void test_a_release_that_brings_the_process_down_tries_fewer(void **state)
{
    (void)state;
    for (unsigned times = 0; times < 3; times++) {
        struct run *run = begin(0);
        setup(NULL);
        open("A", true);
        uint64_t first = journal.n;
        for (int i = 0; i < 4; i++)
            open("A", false);
        live(run);
        assert_int_equal(run_parked(run), 5);
        run_park_at(run, resolve("event.dropped", first), times);
        live(run);
        assert_int_equal(run_parked(run), 4 - (4 >> (times + 1)));
        assert_int_equal(said("order.noted"), 4 >> (times + 1));
        assert_replayed(run);
        run_destroy(&run);
    }
}

/* One that is known to bring the process down is not asked while the rows of others are looked for. */
static void test_the_look_ahead_leaves_out_what_is_parked(void **state)
{
    (void)state;
    const struct run_state nothing = {.pos = 0};
    struct run *run = begin(0);
    open("B", false);
    open("A", true);
    open("A", true); /* waits, and would bring the process down itself */
    live(run);
    run_destroy(&run);
    asked = 0;
    run = run_new(&worker, 8); /* rows are not all in memory */
    run_start(run, &nothing, journal.n);
    for (uint64_t pos = 1; pos <= journal.n; pos++)
        assert_int_equal(run_expect(run, buf_bytes(&journal.bodies[pos]), bytes_of(NULL, 0)), RUN_DONE);
    assert_int_equal(handle(run, journal.n), RUN_MISS);
    assert_int_equal(asked, 0);
    run_destroy(&run);
}

static void test_what_all_rests_on_is_not_parked(void **state)
{
    (void)state;
    struct run *run = begin(0);
    const struct order_opened opened = {.broken = false};
    say("operator", "o/1", "policy.published", "p", 0, &order_opened_record, &opened);
    run_park_at(run, 1, 0);
    assert_int_equal(handle(run, 1), RUN_STOP);
    run_destroy(&run);
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i <= EVENTS_MAX; i++)
        buf_release(&journal.bodies[i]);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* A worker that cannot handle so many is wrong itself: it stops, and says so. */
static void test_so_many_are_set_aside_and_no_more(void **state)
{
    (void)state;
    struct run *run = begin(0);
    open("A", true);
    for (int i = 1; i < PARKED_MOST; i++)
        open("A", false);
    live(run);
    assert_int_equal(run_parked(run), PARKED_MOST);
    open("B", false); /* another story goes on */
    live(run);
    open("A", false);
    assert_int_equal(handle(run, journal.n), RUN_STOP);
    assert_int_equal(run_parked(run), PARKED_MOST);
    run_destroy(&run);
}

/* --- timers -------------------------------------------------------------------------------------------- */

static int setup_timers(void **state)
{
    setup(state);
    worker = toy_worker;
    return 0;
}

static void due(const char *key)
{
    char id[24];
    const struct order_opened opened = {.due_us = T0};
    text_format(id, sizeof id, "b/%llu", (unsigned long long)journal.n + 1);
    say("b", id, "order.opened", key, 0, &order_opened_record, &opened);
}

static void close_order(const char *key)
{
    char id[24];
    const struct order_closed closed = {.reason = "done"};
    text_format(id, sizeof id, "b/%llu", (unsigned long long)journal.n + 1);
    say("b", id, "order.closed", key, 0, &order_closed_record, &closed);
}

static uint64_t first_of_type(const char *type)
{
    struct event event;
    struct problem problem;
    for (uint64_t pos = 1; pos <= journal.n; pos++)
        if (event_decode(buf_bytes(&journal.bodies[pos]), bytes_of(NULL, 0), &event, &problem) && text_equal(event.type, type))
            return pos;
    return 0;
}

static void name_of(const char *key, char out[RUN_TIMER_CAP])
{
    text_format(out, RUN_TIMER_CAP, "order.due/%lld/%s", (long long)T0, key);
}

/* A's timer has brought the process down, B's has not. Gives the position that names it. */
static uint64_t set_aside(struct run *run)
{
    char name[RUN_TIMER_CAP];
    name_of("A", name);
    run_park_timer(run, name);
    due("A");
    due("B");
    live(run);
    assert_int_equal(run_parked(run), 1);
    assert_int_equal(said("order.late"), 1);
    assert_int_equal(said("event.parked"), 1);
    close_order("A"); /* waits behind it */
    live(run);
    assert_int_equal(run_parked(run), 2);
    assert_replayed(run);
    return first_of_type("event.parked");
}

/* Another process, that does not know of what the one before died, fires nothing. */
static void assert_still(void)
{
    const struct run_conclusion *conclusions;
    struct run *run = replay();
    run_committed(run);
    assert_int_equal(run_head(run, T0 + HOUR_US), RUN_DONE);
    assert_int_equal(run_conclusions(run, &conclusions), 0);
    run_destroy(&run);
}

static void test_a_timer_is_set_aside_and_tried_again(void **state)
{
    (void)state;
    struct run *run = begin(0);
    uint64_t pos = set_aside(run);
    assert_still();
    resolve("event.released", pos);
    live(run);
    assert_int_equal(run_parked(run), 0);
    assert_int_equal(said("order.late"), 2);
    assert_int_equal(said("event.parked"), 1);
    assert_replayed(run);
    assert_still();
    run_destroy(&run);
}

static void test_a_timer_is_left_out(void **state)
{
    (void)state;
    struct run *run = begin(0);
    uint64_t pos = set_aside(run);
    resolve("event.dropped", pos);
    live(run);
    assert_int_equal(run_parked(run), 0); /* what waited is handled */
    assert_int_equal(said("order.late"), 1);
    assert_replayed(run);
    resolve("event.released", pos);
    live(run);
    assert_int_equal(said("order.late"), 1);
    assert_replayed(run);
    run_destroy(&run);
}

/* An order that stays open: its timer is due for ever, and does not fire. */
static void test_a_timer_that_is_left_out_stays_so(void **state)
{
    char name[RUN_TIMER_CAP];
    (void)state;
    struct run *run = begin(0);
    name_of("A", name);
    run_park_timer(run, name);
    due("A");
    live(run);
    resolve("event.dropped", first_of_type("event.parked"));
    live(run);
    assert_int_equal(run_parked(run), 0);
    assert_replayed(run);
    assert_still();
    run_destroy(&run);
}

static void test_a_timer_that_is_tried_again_and_brings_it_down_stays(void **state)
{
    (void)state;
    struct run *run = begin(0);
    uint64_t pos = set_aside(run);
    run_park_at(run, resolve("event.released", pos), 9);
    live(run);
    assert_int_equal(run_parked(run), 2);
    assert_int_equal(said("order.late"), 1);
    assert_int_equal(said("event.parked"), 2);
    assert_replayed(run);
    resolve("event.released", pos);
    live(run);
    assert_int_equal(run_parked(run), 0);
    assert_int_equal(said("order.late"), 2);
    assert_replayed(run);
    run_destroy(&run);
}

/* Concluded and not read back when the process ended. */
static void test_a_timer_whose_setting_aside_is_in_flight_does_not_fire(void **state)
{
    const struct run_conclusion *conclusions;
    char name[RUN_TIMER_CAP];
    (void)state;
    struct run *run = begin(0);
    name_of("A", name);
    run_park_timer(run, name);
    due("A");
    assert_int_equal(handle(run, 1), RUN_DONE);
    assert_int_equal(take(run), 2);
    run_destroy(&run);
    run = begin(0);
    for (uint64_t pos = 2; pos <= journal.n; pos++)
        assert_int_equal(run_expect(run, buf_bytes(&journal.bodies[pos]), bytes_of(NULL, 0)), RUN_DONE);
    assert_int_equal(handle(run, 1), RUN_DONE);
    assert_int_equal(run_conclusions(run, &conclusions), 0);
    live(run);
    assert_int_equal(run_parked(run), 1);
    assert_replayed(run);
    run_destroy(&run);
}

static void test_timers_fire_one_by_one(void **state)
{
    const struct run_conclusion *conclusions;
    char name[RUN_TIMER_CAP], wanted[RUN_TIMER_CAP];
    static const char *const keys[] = {"A", "B"};
    (void)state;
    struct run *run = begin(0);
    run_hold(run, true);
    due("A");
    due("B");
    assert_int_equal(handle(run, 2), RUN_DONE);
    assert_true(run_timers_left(run));
    size_t n = run_conclusions(run, &conclusions);
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        assert_int_equal(run_next_timer(run, name), RUN_DONE);
        name_of(keys[i], wanted);
        assert_string_equal(name, wanted);
        assert_int_equal(run_fire_next(run), RUN_DONE);
        assert_int_equal(run_conclusions(run, &conclusions), n + i + 1);
    }
    assert_int_equal(run_next_timer(run, name), RUN_DONE);
    assert_string_equal(name, "");
    run_destroy(&run);
}

#define TIMER_TEST(name) cmocka_unit_test_setup_teardown(name, setup_timers, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_replay_keeps_the_reason),
        TEST(test_a_replay_by_mended_handlers_parks_and_stays_parked),
        TEST(test_what_was_concluded_before_the_next_one_failed_stays),
        TEST(test_one_that_only_waits_can_be_left_out),
        TEST(test_a_release_that_brings_the_process_down_is_not_tried_again),
        TEST(test_a_release_that_brings_the_process_down_tries_fewer),
        TEST(test_the_look_ahead_leaves_out_what_is_parked),
        TEST(test_what_all_rests_on_is_not_parked),
        TEST(test_so_many_are_set_aside_and_no_more),
        TIMER_TEST(test_a_timer_is_set_aside_and_tried_again),
        TIMER_TEST(test_a_timer_is_left_out),
        TIMER_TEST(test_a_timer_that_is_left_out_stays_so),
        TIMER_TEST(test_a_timer_that_is_tried_again_and_brings_it_down_stays),
        TIMER_TEST(test_a_timer_whose_setting_aside_is_in_flight_does_not_fire),
        TIMER_TEST(test_timers_fire_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
