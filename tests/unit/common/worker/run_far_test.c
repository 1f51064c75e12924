/* The core with a far table and a sweep. One script of facts, hours, restarts and new editions is
 * lived through twice: by a worker that has every open row in memory, and by one whose rows lie in
 * a store, of which it sees what it asks for. Both must have said the same and hold the same rows;
 * a rebuild must, too. */
#include "far.h"

#include "base/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- directed
 * ------------------------------------------------------------------------------------- */

static size_t late_n(const struct world *w)
{
    static struct said said[EVENTS_MAX];
    return far_said_of(w, "order.late", said);
}

/* Far away when opened, in the store only; it fires at its instant, without being late and without
 * being early. */
static void test_a_far_timer_fires_at_its_instant(void **state)
{
    (void)state;
    struct world *w = far_world_new(true, NULL, NULL);
    far_fact(w, "order.opened", "A", T0 + 30 * HOUR_US, "");
    far_settle(w, 100);
    far_restart(w);
    assert_int_equal(tables_rows(run_tables(w->run), ORDERS), 0);
    for (int hour = 0; hour < 29; hour++) {
        w->now_us += HOUR_US;
        far_settle(w, 100);
        assert_int_equal(late_n(w), 0);
    }
    w->now_us = T0 + 30 * HOUR_US - 1;
    far_settle(w, 100);
    assert_int_equal(late_n(w), 0);
    assert_true(run_next_due_us(w->run) == T0 + 30 * HOUR_US);
    w->now_us++;
    far_settle(w, 100);
    assert_int_equal(late_n(w), 1);
    far_world_destroy(w);
}

/* An event brings a row from beyond the horizon to before it, and another one closes a row that has
 * been loaded. */
static void test_due_moves_across_the_horizon(void **state)
{
    (void)state;
    struct world *w = far_world_new(true, NULL, NULL);
    far_fact(w, "order.opened", "A", T0 + 30 * HOUR_US, "");
    far_fact(w, "order.opened", "B", T0 + 20 * MINUTE_US, "");
    far_fact(w, "order.opened", "C", T0 + 21 * MINUTE_US, "");
    far_settle(w, 100);
    far_restart(w);
    far_settle(w, 100);
    far_fact(w, "order.moved", "A", T0 + 10 * MINUTE_US, "");
    far_fact(w, "order.closed", "B", 0, "");
    far_fact(w, "order.moved", "C", T0 + 40 * HOUR_US, "");
    far_settle(w, 100);
    w->now_us += 15 * MINUTE_US;
    far_settle(w, 100);
    assert_int_equal(late_n(w), 1);
    assert_int_equal(far_stored(w, "A")->lates, 1);
    w->now_us += 10 * MINUTE_US;
    far_settle(w, 100);
    assert_int_equal(late_n(w), 1);
    far_world_destroy(w);
}

/* Not seen for two days: everything that came due meanwhile is said, page by page, in order, in
 * several transactions. */
static void test_after_a_long_stop(void **state)
{
    static struct said said[EVENTS_MAX];
    (void)state;
    struct world *w = far_world_new(true, NULL, NULL);
    char key[16];
    for (int i = 0; i < 200; i++) {
        text_format(key, sizeof key, "K%03d", i * 77 % 200);
        far_fact(w, "order.opened", key, T0 + (i / 4) * 40 * MINUTE_US + HOUR_US, "");
    }
    far_settle(w, 100);
    far_restart(w);
    w->now_us += 100 * HOUR_US;
    far_look_at_the_clock(w);
    size_t n = far_said_of(w, "order.late", said);
    assert_int_equal(n, 200);
    for (size_t i = 1; i < n; i++)
        assert_true(
            said[i - 1].due_us < said[i].due_us ||
            (said[i - 1].due_us == said[i].due_us && strcmp(said[i - 1].id, said[i].id) < 0));
    assert_true(w->pages > 200 / PAGE);
    far_settle(w, 100);
    assert_int_equal(late_n(w), 600);
    far_check_rebuild(w);
    far_world_destroy(w);
}

static void test_look_ahead(void **state)
{
    unsigned table = 99;
    (void)state;
    struct world *w = far_world_new(true, NULL, NULL);
    far_fact(w, "order.opened", "A", T0 + 50 * MINUTE_US, "");
    far_settle(w, 100);
    far_restart(w);
    assert_true(run_next_due_us(w->run) < T0); /* anything may be */
    while (run_head(w->run, w->now_us) == RUN_MISS)
        far_fetch(w);
    assert_true(run_next_due_us(w->run) == T0 + 50 * MINUTE_US);
    assert_false(run_look_ahead(w->run, &table)); /* the page that was needed went an hour ahead */
    w->now_us += 31 * MINUTE_US;
    while (run_head(w->run, w->now_us) == RUN_MISS)
        fail_msg("loaded already");
    assert_true(run_look_ahead(w->run, &table));
    assert_int_equal(table, ORDERS);
    far_serve_page(w);
    assert_false(run_look_ahead(w->run, &table));
    assert_true(tables_horizon_us(run_tables(w->run), ORDERS) == w->now_us + HOUR_US);
    far_world_destroy(w);
}

static void open_many(struct world *w, int n, const char *edition)
{
    char key[16];
    for (int i = 0; i < n; i++) {
        text_format(key, sizeof key, "K%03d", i);
        far_fact(w, "order.opened", key, T0 + 90 * HOUR_US, edition);
    }
}

/* Three rows a transaction, events between; a stop in the middle; a row made behind the sweep's
 * back by an older edition. */
static void test_a_sweep_is_paced_and_goes_on(void **state)
{
    static struct said said[EVENTS_MAX];
    (void)state;
    for (int far = 0; far < 2; far++) {
        struct world *w = far_world_new(far == 1, NULL, NULL);
        open_many(w, 40, "e1");
        far_fact(w, "order.opened", "N", T0 + HOUR_US, "");
        far_settle(w, 100);
        far_restart(w);
        far_fact(w, "edition.published", "the", 0, "e2");
        for (int turn = 0; turn < 3; turn++) {
            far_handle(w, w->head);
            assert_int_equal(far_take_conclusions(w), 3);
            far_commit(w);
            assert_false(run_sweep_ready(w->run)); /* not before they are read back */
            assert_true(run_sweeping(w->run));
            assert_true(run_upto(w->run) < run_state(w->run).pos);
        }
        far_restart(w); /* three in flight */
        far_fact(w, "order.opened", "A", T0 + 90 * HOUR_US, "e1");
        far_settle(w, 2);
        assert_int_equal(far_said_of(w, "order.recounted", said), 41);
        for (size_t i = 0; i < w->stored_n; i++)
            assert_int_equal(w->stored[i].moves, text_equal(w->stored[i].id, "N") ? 0 : 1);
        far_fact(w, "order.opened", "B", T0 + 90 * HOUR_US, "e1"); /* long after it has ended */
        far_settle(w, 2);
        assert_int_equal(far_stored(w, "B")->moves, 1);
        far_check_rebuild(w);
        far_world_destroy(w);
    }
}

/* --- random ---------------------------------------------------------------------------------- */

/* Without sweeps even the journals are the same, byte for byte: what fires, in which order, and
 * when. */
static void test_far_fires_as_near(void **state)
{
    (void)state;
    for (uint64_t seed = 100; seed <= 120; seed++) {
        struct world *near = far_world_new(false, NULL, NULL),
                     *far = far_world_new(true, NULL, NULL);
        far_live(near, seed, false);
        far_live(far, seed, false);
        assert_int_equal(near->head, far->head);
        for (uint64_t pos = 1; pos <= near->head; pos++)
            assert_true(bytes_equal(buf_bytes(&near->bodies[pos]), buf_bytes(&far->bodies[pos])));
        far_check_same_rows(near, far, true);
        far_check_rebuild(far);
        assert_true(far->pages > 20);
        assert_true(far->most_rows < near->most_rows * 2 / 3);
        far_world_destroy(near);
        far_world_destroy(far);
    }
}

static void test_far_lives_as_near(void **state)
{
    (void)state;
    size_t lates = 0, recounts = 0;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct world *near = far_world_new(false, NULL, NULL),
                     *far = far_world_new(true, NULL, NULL);
        far_live(near, seed, true);
        far_live(far, seed, true);
        lates += far_check_same_lates(near, far);
        recounts += far_check_recounts(far);
        far_check_recounts(near);
        far_check_same_rows(near, far, false);
        far_check_rebuild(far);
        assert_true(far->pages > 20 && far->sweep_pages > 10);
        assert_true(far->most_rows < near->most_rows * 2 / 3);
        far_world_destroy(near);
        far_world_destroy(far);
    }
    assert_true(lates > 1000 && recounts > 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_far_timer_fires_at_its_instant),
        cmocka_unit_test(test_due_moves_across_the_horizon),
        cmocka_unit_test(test_after_a_long_stop),
        cmocka_unit_test(test_look_ahead),
        cmocka_unit_test(test_a_sweep_is_paced_and_goes_on),
        cmocka_unit_test(test_far_fires_as_near),
        cmocka_unit_test(test_far_lives_as_near),
    };
    return cmocka_run_group_tests_name("worker run, far tables", tests, NULL, NULL);
}
