/* Two processes of one worker at their start: whoever begins a session later owns the cursor. What the earlier one has read may be old
 * by then, so that it neither commits nor takes what it has read for the cursor's. */
#include "toy.h"

#include "unit/common/pg/cluster.h"
#include "worker/cursor.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct cluster cluster;

static int group_setup(void **state)
{
    (void)state;
    return cluster_start(&cluster);
}

static int group_teardown(void **state)
{
    (void)state;
    return cluster_stop(&cluster);
}

static void begin(struct pg *pg, struct run *run, struct cursor *cursor)
{
    const char *why;
    assert_int_equal(cursor_open(pg, "toy", run, false, cursor, &why), STATUS_OK);
}

static enum status move(struct pg *pg, const struct cursor *cursor, uint64_t pos)
{
    struct run_state state = cursor->state;
    state.pos = pos;
    enum status status = pg_begin(pg);
    if (status == STATUS_OK)
        status = cursor_send(pg, "toy", cursor->session, cursor->state.pos, &state);
    return status == STATUS_OK ? pg_commit(pg) : status;
}

static void test_the_later_session_owns_the_cursor(void **state)
{
    (void)state;
    struct cursor first, second;
    struct run *run = run_new(&toy_worker, 8);
    struct pg *one = cluster_connect(&cluster, "toy"), *other = cluster_connect(&cluster, "toy");
    begin(one, run, &first);
    assert_int_equal(cursor_hold(one, "toy", first.session), STATUS_OK);
    assert_int_equal(move(one, &first, 5), STATUS_OK);
    first.state.pos = 5;

    begin(other, run, &second);
    assert_int_equal(second.state.pos, 5);
    /* Both stand at 5, and only one of them may go on. */
    assert_int_equal(cursor_hold(one, "toy", first.session), STATUS_REFUSED);
    assert_int_equal(cursor_hold(other, "toy", second.session), STATUS_OK);
    assert_int_not_equal(move(one, &first, 6), STATUS_OK);
    assert_int_equal(move(other, &second, 7), STATUS_OK);
    pg_destroy(&one);
    pg_destroy(&other);
    run_destroy(&run);
}

static int64_t starts(struct pg *pg, struct run *run)
{
    struct cursor cursor;
    begin(pg, run, &cursor);
    return cursor.starts;
}

/* A sweep commits what lies before the row that brings the process down: that is no sign of health, until it has come to its end. */
static void test_commits_of_a_sweep_do_not_hide_that_the_process_dies_again_and_again(void **state)
{
    (void)state;
    struct cursor cursor;
    struct run *run = run_new(&toy_worker, 8);
    struct pg *pg = cluster_connect(&cluster, "toy");
    assert_int_equal(starts(pg, run), 1);
    begin(pg, run, &cursor); /* the one before has committed nothing */
    assert_int_equal(cursor.starts, 2);
    cursor.state.sweeping = true;
    assert_int_equal(move(pg, &cursor, 1), STATUS_OK);
    cursor.state.pos = 1;
    assert_int_equal(move(pg, &cursor, 2), STATUS_OK);
    assert_int_equal(starts(pg, run), 3);
    begin(pg, run, &cursor);
    assert_int_equal(move(pg, &cursor, 3), STATUS_OK);
    assert_int_equal(starts(pg, run), 1);
    pg_destroy(&pg);
    run_destroy(&run);
}

static void test_tables_of_another_form_are_named_and_end_the_start(void **state)
{
    (void)state;
    const char *why = NULL;
    struct cursor cursor;
    struct run *run = run_new(&toy_worker, 8);
    struct pg *pg = cluster_connect(&cluster, "toy");
    begin(pg, run, &cursor);
    assert_int_equal(pg_run(pg, "UPDATE toy.definition SET digest = '\\x00'"), STATUS_OK);
    assert_int_equal(cursor_open(pg, "toy", run, false, &cursor, &why), STATUS_REFUSED);
    assert_non_null(strstr(why, "aftercare rebuild"));
    /* What the server refuses is tried again. */
    assert_int_equal(pg_run(pg, "DROP TABLE toy.definition; CREATE VIEW toy.definition AS SELECT 1 AS one"), STATUS_OK);
    assert_int_equal(cursor_open(pg, "toy", run, false, &cursor, &why), STATUS_REFUSED);
    assert_string_equal(why, "");
    assert_int_equal(pg_run(pg, "DROP SCHEMA toy CASCADE"), STATUS_OK);
    pg_destroy(&pg);
    run_destroy(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commits_of_a_sweep_do_not_hide_that_the_process_dies_again_and_again),
        cmocka_unit_test(test_the_later_session_owns_the_cursor),
        cmocka_unit_test(test_tables_of_another_form_are_named_and_end_the_start),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
