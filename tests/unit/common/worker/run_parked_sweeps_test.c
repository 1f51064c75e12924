/* A sweep that brings the process down at one row: that story is set aside, every other one is swept, nobody asks its handler again before
 * somebody has seen to it. With all rows in memory, and with rows that lie in a store. */
#include "far.h"

#include "base/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static size_t said_n(const struct world *w, const char *type)
{
    size_t n = 0;
    for (uint64_t pos = 1; pos <= w->head; pos++) {
        struct event event;
        struct problem problem;
        assert_true(event_decode(buf_bytes(&w->bodies[pos]), (struct bytes){0}, &event, &problem));
        n += text_equal(event.type, type);
    }
    return n;
}

/* The first event.parked of the journal: the position that names what it set aside. */
static uint64_t parked_at(const struct world *w, struct event_parked *parked)
{
    struct event event;
    struct problem problem;
    for (uint64_t pos = 1; pos <= w->head; pos++) {
        assert_true(event_decode(buf_bytes(&w->bodies[pos]), (struct bytes){0}, &event, &problem));
        if (!text_equal(event.type, "event.parked"))
            continue;
        assert_true(record_decode(&event_parked_record, RECORD_PLAIN, DECODE_LENIENT, event.data, NULL, parked, &problem));
        return pos;
    }
    fail_msg("nothing was set aside");
    return 0;
}

static uint64_t resolve(struct world *w, const char *type, uint64_t pos)
{
    const struct event_released released = {.pos = (int64_t)pos, .worker = "toy", .reason = "seen to"};
    far_say(w, "operator", type, "B", &event_released_record, &released);
    return w->head;
}

static void open_order(struct world *w, const char *key, const char *edition)
{
    far_fact(w, "order.opened", key, T0 + 90 * HOUR_US, edition);
}

/* B's sweep has brought the process down, and is not tried again. */
static struct world *begin(bool far)
{
    struct world *w = far_world_new(far, NULL, NULL);
    open_order(w, "A", "e1");
    open_order(w, "B", "e1");
    open_order(w, "C", "e1");
    far_settle(w, 100);
    far_restart(w);
    far_poison = "B";
    run_park_timer(w->run, "order.edition~e1/B");
    far_fact(w, "edition.published", "the", 0, "e2");
    far_settle(w, 100);
    return w;
}

/* The rows of what is set aside, too. */
static void check_rebuild(struct world *w)
{
    struct world *again = calloc(1, sizeof *again);
    again->far = w->far;
    for (uint64_t pos = 1; pos <= w->head; pos++)
        buf_append(&again->bodies[pos], w->bodies[pos].data, w->bodies[pos].len);
    memcpy(again->links, w->links, sizeof again->links);
    again->head = again->upto = w->head;
    again->now_us = w->now_us;
    far_restart(again);
    far_handle(again, again->head);
    assert_int_equal(far_take_conclusions(again), 0);
    far_commit(again);
    far_check_same_rows(w, again, true);
    assert_true(bytes_equal(buf_bytes(&w->parked), buf_bytes(&again->parked)));
    far_settle(again, 100); /* and it does not begin anew with what is left as it is */
    assert_int_equal(again->head, w->head);
    far_world_destroy(again);
}

static int64_t moves(struct world *w, const char *key)
{
    return far_stored(w, key)->moves;
}

static void test_it_is_set_aside_and_the_others_are_swept(void **state)
{
    struct event_parked parked;
    (void)state;
    for (int far = 0; far < 2; far++) {
        struct world *w = begin(far == 1);
        assert_int_equal(moves(w, "A") + moves(w, "C"), 2);
        assert_int_equal(moves(w, "B"), 0);
        assert_int_equal(said_n(w, "event.parked"), 1);
        (void)parked_at(w, &parked);
        assert_string_equal(parked.timer, "order.edition");
        assert_string_equal(parked.row, "B");
        assert_string_equal(parked.follows, "e1");
        assert_string_equal(parked.worker, "toy");
        assert_int_equal(run_parked(w->run), 1);
        far_fact(w, "order.closed", "B", 0, ""); /* waits behind it */
        far_settle(w, 1);
        assert_int_equal(run_parked(w->run), 2);
        assert_true(far_stored(w, "B")->open);
        check_rebuild(w);
        /* Another process knows of it from the rows alone; another edition does not try it either. */
        far_restart(w);
        far_fact(w, "edition.published", "the", 0, "e3");
        far_settle(w, 1);
        assert_int_equal(moves(w, "A") + moves(w, "C"), 4);
        assert_int_equal(moves(w, "B"), 0);
        assert_int_equal(said_n(w, "event.parked"), 1);
        check_rebuild(w);
        far_world_destroy(w);
    }
}

static void test_it_is_tried_again(void **state)
{
    struct event_parked parked;
    (void)state;
    for (int far = 0; far < 2; far++) {
        struct world *w = begin(far == 1);
        far_fact(w, "order.moved", "B", T0 + 91 * HOUR_US, "");
        far_settle(w, 100);
        far_restart(w);
        far_poison = NULL;
        resolve(w, "event.released", parked_at(w, &parked));
        far_settle(w, 100);
        assert_int_equal(run_parked(w->run), 0);
        assert_int_equal(moves(w, "B"), 1);
        assert_true(far_stored(w, "B")->due_us == T0 + 91 * HOUR_US);
        check_rebuild(w);
        far_world_destroy(w);
    }
}

static void test_tried_again_too_late_it_has_nothing_to_say(void **state)
{
    struct event_parked parked;
    (void)state;
    struct world *w = begin(true);
    far_poison = NULL;
    far_stored(w, "B")->open = false; /* by what nobody told this process */
    far_restart(w);
    resolve(w, "event.released", parked_at(w, &parked));
    far_settle(w, 100);
    assert_int_equal(run_parked(w->run), 0);
    assert_int_equal(moves(w, "B"), 0);
    far_world_destroy(w);
}

static void test_tried_again_it_brings_the_process_down_and_stays(void **state)
{
    struct event_parked parked;
    (void)state;
    struct world *w = begin(true);
    far_restart(w);
    run_park_at(w->run, resolve(w, "event.released", parked_at(w, &parked)), 0);
    far_settle(w, 100);
    assert_int_equal(run_parked(w->run), 1);
    assert_int_equal(said_n(w, "event.parked"), 2);
    assert_int_equal(moves(w, "B"), 0);
    check_rebuild(w);
    far_world_destroy(w);
}

static void test_it_is_left_out_for_good(void **state)
{
    struct event_parked parked;
    (void)state;
    for (int far = 0; far < 2; far++) {
        struct world *w = begin(far == 1);
        far_fact(w, "order.moved", "B", T0 + 91 * HOUR_US, "");
        resolve(w, "event.dropped", parked_at(w, &parked));
        far_settle(w, 100);
        assert_int_equal(run_parked(w->run), 0);
        assert_true(far_stored(w, "B")->due_us == T0 + 91 * HOUR_US); /* what waited was handled */
        far_restart(w);
        far_fact(w, "edition.published", "the", 0, "e3");
        far_settle(w, 100);
        assert_int_equal(moves(w, "B"), 0);
        check_rebuild(w);
        /* Until it follows something else: that may be replaced like any other. */
        far_poison = NULL;
        far_fact(w, "order.recounted", "B", 0, "e2");
        far_settle(w, 100);
        assert_int_equal(moves(w, "B"), 2);
        assert_string_equal(far_stored(w, "B")->edition, "e3");
        far_world_destroy(w);
    }
}

/* A sweep looks at stories: what aborts at one row would abort at the next of the same, which waits until somebody has seen to it. */
static void test_rows_of_the_same_story_wait(void **state)
{
    struct event_parked parked;
    (void)state;
    for (int far = 0; far < 2; far++) {
        struct world *w = far_world_new(far == 1, NULL, NULL);
        open_order(w, "B/1", "e1");
        open_order(w, "B/2", "e1");
        open_order(w, "B/3", "e2");
        open_order(w, "BB/1", "e1");
        far_settle(w, 100);
        far_restart(w);
        far_poison = "B/1";
        run_park_timer(w->run, "order.edition~e1/B/1");
        far_fact(w, "edition.published", "the", 0, "e3");
        far_settle(w, 100);
        assert_int_equal(moves(w, "B/1") + moves(w, "B/2"), 0);
        assert_int_equal(moves(w, "B/3") + moves(w, "BB/1"), 2);
        far_poison = NULL;
        resolve(w, "event.released", parked_at(w, &parked));
        far_settle(w, 100);
        assert_int_equal(moves(w, "B/1") + moves(w, "B/2"), 2);
        assert_int_equal(run_parked(w->run), 0);
        check_rebuild(w);
        far_world_destroy(w);
    }
}

/* Said, and the process ended before it had read that back. */
static void test_it_is_said_once(void **state)
{
    (void)state;
    for (int far = 0; far < 2; far++) {
        struct world *w = far_world_new(far == 1, NULL, NULL);
        open_order(w, "B", "e1");
        far_settle(w, 100);
        far_poison = "B";
        run_park_timer(w->run, "order.edition~e1/B");
        far_fact(w, "edition.published", "the", 0, "e2");
        far_handle(w, w->head);
        assert_int_equal(far_take_conclusions(w), 1);
        far_restart(w);
        far_settle(w, 100);
        assert_int_equal(said_n(w, "event.parked"), 1);
        assert_int_equal(run_parked(w->run), 1);
        check_rebuild(w);
        far_world_destroy(w);
    }
}

static void assert_next(struct world *w, const char *name)
{
    char next[RUN_TIMER_CAP];
    enum run_result result;
    while ((result = run_next_swept(w->run, next)) == RUN_MISS)
        far_fetch(w);
    assert_int_equal(result, RUN_DONE);
    assert_string_equal(next, name);
}

/* While it is searched for what brings the process down nothing is swept by itself, and while one is tried nobody asks about others. */
static void test_rows_are_swept_one_by_one(void **state)
{
    static const char *const keys[] = {"A", "B", "C"};
    (void)state;
    for (int far = 0; far < 2; far++) {
        struct world *w = far_world_new(far == 1, NULL, NULL);
        far_poison = NULL;
        for (size_t i = 0; i < COUNT_OF(keys); i++)
            open_order(w, keys[i], "e1");
        far_settle(w, 100);
        far_restart(w);
        run_hold(w->run, true);
        far_fact(w, "edition.published", "the", 0, "e2");
        far_handle(w, w->head);
        assert_int_equal(far_take_conclusions(w), 0);
        assert_true(run_timers_left(w->run));
        assert_true(run_state(w->run).sweeping);
        far_commit(w);
        for (size_t i = 0; i < COUNT_OF(keys); i++) {
            char name[RUN_TIMER_CAP];
            enum run_result result;
            text_format(name, sizeof name, "order.edition~e1/%s", keys[i]);
            assert_next(w, name);
            far_poison = i == 0 ? "B" : "A";
            while ((result = run_sweep_next(w->run)) == RUN_MISS)
                far_fetch(w);
            far_poison = NULL;
            assert_int_equal(result, RUN_DONE);
            assert_int_equal(far_take_conclusions(w), 1);
            far_commit(w);
            assert_next(w, ""); /* not before that is read back */
            far_handle(w, w->head);
            far_commit(w);
            assert_int_equal(moves(w, keys[i]), 1);
        }
        assert_next(w, ""); /* the end of that pass; the last one has nothing to do */
        assert_next(w, "");
        assert_false(run_state(w->run).sweeping);
        far_world_destroy(w);
    }
}

static int teardown(void **state)
{
    (void)state;
    far_poison = NULL;
    return 0;
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_it_is_set_aside_and_the_others_are_swept),
        TEST(test_it_is_tried_again),
        TEST(test_tried_again_too_late_it_has_nothing_to_say),
        TEST(test_tried_again_it_brings_the_process_down_and_stays),
        TEST(test_it_is_left_out_for_good),
        TEST(test_rows_of_the_same_story_wait),
        TEST(test_it_is_said_once),
        TEST(test_rows_are_swept_one_by_one),
    };
    return cmocka_run_group_tests_name("worker run, sweeps set aside", tests, NULL, NULL);
}
