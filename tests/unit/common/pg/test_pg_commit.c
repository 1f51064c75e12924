/* What a COMMIT's end means: committed, refused, gone before it, or in doubt. */
#include "base/clock.h"
#include "base/instant.h"
#include "unit/common/pg/cluster.h"
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

#define DEADLINE_US (120 * SECOND_US)

static struct cluster cluster;
static struct pg *other; /* a second session that looks on and interferes */

static int group_setup(void **state)
{
    (void)state;
    if (cluster_start(&cluster) != 0) {
        return -1;
    }
    other = cluster_connect(&cluster, NULL);
    /* A COMMIT that waits as long as somebody holds the gate. */
    return pg_run(other, "SET synchronous_commit = off;"
                         "CREATE TABLE t (n bigint);"
                         "CREATE TABLE gate ();"
                         "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS"
                         " 'BEGIN LOCK TABLE gate IN ACCESS SHARE MODE; RETURN NULL; END';"
                         "CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED"
                         " FOR EACH ROW EXECUTE FUNCTION wait()") == STATUS_OK
               ? 0
               : -1;
}

static int group_teardown(void **state)
{
    (void)state;
    pg_destroy(&other);
    return cluster_stop(&cluster);
}

static int setup(void **state)
{
    *state = cluster_connect(&cluster, NULL);
    return pg_run(other, "TRUNCATE t") == STATUS_OK ? 0 : -1;
}

static int teardown(void **state)
{
    struct pg *pg = *state;

    pg_destroy(&pg);
    return 0;
}

static int64_t number(struct pg *pg, const char *sql, int64_t arg)
{
    struct pg_args *args = pg_args_new();
    struct pg_result *result = NULL;

    pg_arg_int(args, arg);
    assert_int_equal(pg_query(pg, sql, args, &result), STATUS_OK);
    int64_t n = pg_int(result, 0, 0);
    pg_result_destroy(&result);
    pg_args_destroy(&args);
    return n;
}

static int64_t backend(struct pg *pg)
{
    return number(pg, "SELECT pg_backend_pid()::bigint + 0 * $1", 0);
}

static int64_t stored(void)
{
    return number(other, "SELECT count(*) FROM t WHERE n = $1", 1);
}

/* Until that session waits for something of that kind. */
static void await_waiting(int64_t pid, const char *kind)
{
    char sql[200];
    int64_t deadline_us = clock_boot_us() + DEADLINE_US;

    snprintf(sql, sizeof sql, "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND '%s' IN (wait_event_type, wait_event)", kind);
    while (number(other, sql, pid) == 0) {
        assert_true(clock_boot_us() < deadline_us);
    }
}

static enum status commit_end(struct pg *pg)
{
    return pg_commit_wait(pg, clock_boot_us() + DEADLINE_US);
}

static void begin_insert(struct pg *pg)
{
    assert_int_equal(pg_begin(pg), STATUS_OK);
    assert_int_equal(pg_send(pg, "INSERT INTO t VALUES (1)", NULL), STATUS_OK);
}

static void test_halves(void **state)
{
    struct pg *pg = *state;

    begin_insert(pg);
    assert_int_equal(pg_commit_send(pg), STATUS_OK);
    assert_int_equal(commit_end(pg), STATUS_OK);
    assert_int_equal(stored(), 1);
    /* A question asked meanwhile waits for the commit and sees it; its end is still told. */
    begin_insert(pg);
    assert_int_equal(pg_commit_send(pg), STATUS_OK);
    assert_int_equal(number(pg, "SELECT count(*) FROM t WHERE n = $1", 1), 2);
    assert_int_equal(commit_end(pg), STATUS_OK);
    begin_insert(pg);
    assert_int_equal(pg_send(pg, "SELECT 1/0", NULL), STATUS_OK);
    assert_int_equal(pg_commit_send(pg), STATUS_OK);
    assert_int_equal(pg_query(pg, "SELECT 1", NULL, NULL), STATUS_REFUSED);
    assert_int_equal(commit_end(pg), STATUS_REFUSED);
    assert_int_equal(stored(), 2);
}

static void test_waits_for_the_server(void **state)
{
    struct pg *pg = *state;
    int64_t pid = backend(pg);

    begin_insert(pg);
    assert_int_equal(pg_begin(other), STATUS_OK);
    assert_int_equal(pg_run(other, "LOCK TABLE gate"), STATUS_OK);
    assert_int_equal(pg_commit_send(pg), STATUS_OK);
    await_waiting(pid, "Lock");
    assert_int_equal(pg_commit_poll(pg), STATUS_AGAIN);
    assert_int_equal(pg_commit_wait(pg, clock_boot_us() + 1000), STATUS_AGAIN);
    assert_int_equal(pg_commit(other), STATUS_OK);
    assert_int_equal(commit_end(pg), STATUS_OK);
    assert_int_equal(stored(), 1);
}

static void test_killed_before(void **state)
{
    struct pg *pg = *state;
    int64_t pid = backend(pg);

    begin_insert(pg);
    assert_int_equal(pg_flush(pg, NULL), STATUS_OK);
    assert_int_equal(number(other, "SELECT pg_terminate_backend($1::int, 10000)::int", pid), 1);
    (void)!pg_send(pg, "INSERT INTO t VALUES (1)", NULL);
    assert_int_equal(pg_flush(pg, NULL), STATUS_CLOSED);
    assert_false(pg_is_connected(pg));
    assert_string_equal(pg_sqlstate(pg), "57P01");
    assert_int_equal(pg_commit(pg), STATUS_CLOSED);
    pg_rollback(pg);
    assert_int_equal(stored(), 0);
    assert_int_equal(pg_connect(pg), STATUS_OK);
    begin_insert(pg);
    assert_int_equal(pg_commit(pg), STATUS_OK);
}

static void test_killed_during(void **state)
{
    struct pg *pg = *state;
    int64_t pid = backend(pg);

    begin_insert(pg);
    assert_int_equal(pg_begin(other), STATUS_OK);
    assert_int_equal(pg_run(other, "LOCK TABLE gate"), STATUS_OK);
    assert_int_equal(pg_commit_send(pg), STATUS_OK);
    await_waiting(pid, "Lock");
    assert_int_equal(number(other, "SELECT pg_terminate_backend($1::int, 10000)::int", pid), 1);
    assert_int_equal(commit_end(pg), STATUS_DOUBT);
    assert_int_equal(pg_commit(other), STATUS_OK);
    assert_int_equal(pg_connect(pg), STATUS_OK);
    assert_int_equal(number(pg, "SELECT $1", 4), 4);
}

static void test_connection_cut_during(void **state)
{
    struct pg *pg = *state;

    for (int whole = 0; whole < 2; whole++) {
        begin_insert(pg);
        assert_int_equal(pg_flush(pg, NULL), STATUS_OK);
        assert_int_equal(pg_begin(other), STATUS_OK);
        assert_int_equal(pg_run(other, "LOCK TABLE gate"), STATUS_OK);
        if (whole) {
            assert_int_equal(shutdown(pg_socket(pg), SHUT_RDWR), 0);
            assert_int_equal(pg_commit(pg), STATUS_DOUBT);
        } else {
            assert_int_equal(pg_commit_send(pg), STATUS_OK);
            assert_int_equal(shutdown(pg_socket(pg), SHUT_RDWR), 0);
            assert_int_equal(pg_query(pg, "SELECT 1", NULL, NULL), STATUS_CLOSED);
            assert_int_equal(pg_commit_poll(pg), STATUS_DOUBT);
        }
        assert_int_equal(pg_commit(other), STATUS_OK);
        assert_int_equal(pg_connect(pg), STATUS_OK);
    }
}

static void test_no_answer_in_time(void **state)
{
    struct pg *pg = *state;

    pg_limit_wait(pg, 200);
    assert_int_equal(pg_begin(other), STATUS_OK);
    assert_int_equal(pg_run(other, "LOCK TABLE gate"), STATUS_OK);
    begin_insert(pg);
    assert_int_equal(pg_commit(pg), STATUS_DOUBT);
    assert_false(pg_is_connected(pg));
    assert_int_equal(pg_connect(pg), STATUS_OK);
    begin_insert(pg);
    assert_int_equal(pg_commit_send(pg), STATUS_OK);
    assert_int_equal(commit_end(pg), STATUS_DOUBT);
    assert_int_equal(pg_commit(other), STATUS_OK);
}

/* The server answers COMMIT with an ordinary result, behind a warning: the row is here, and perhaps nowhere else. */
static void test_standby_wait_cancelled(void **state)
{
    struct pg *pg = *state;
    int64_t pid = backend(pg), deadline_us = clock_boot_us() + DEADLINE_US;
    enum status status = STATUS_OK;

    assert_int_equal(pg_run(other, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'"), STATUS_OK);
    assert_int_equal(pg_run(other, "SELECT pg_reload_conf()"), STATUS_OK);
    while (status == STATUS_OK) { /* until the setting has reached everybody */
        assert_true(clock_boot_us() < deadline_us);
        begin_insert(pg);
        assert_int_equal(pg_commit_send(pg), STATUS_OK);
        while ((status = pg_commit_poll(pg)) == STATUS_AGAIN) {
            assert_true(clock_boot_us() < deadline_us);
            number(other, "SELECT pg_cancel_backend(pid)::int FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'SyncRep'"
                          " UNION ALL SELECT 0 LIMIT 1", pid);
        }
    }
    assert_int_equal(status, STATUS_DOUBT);
    assert_string_equal(pg_sqlstate(pg), "01000");
    assert_true(pg_is_connected(pg));
    assert_true(stored() > 0);
    assert_int_equal(pg_run(other, "ALTER SYSTEM RESET synchronous_standby_names"), STATUS_OK);
    assert_int_equal(pg_run(other, "SELECT pg_reload_conf()"), STATUS_OK);
    /* The connection is good for another one. */
    assert_int_equal(pg_run(pg, "SET synchronous_commit = off"), STATUS_OK);
    begin_insert(pg);
    assert_int_equal(pg_commit(pg), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_halves, setup, teardown),
        cmocka_unit_test_setup_teardown(test_waits_for_the_server, setup, teardown),
        cmocka_unit_test_setup_teardown(test_killed_before, setup, teardown),
        cmocka_unit_test_setup_teardown(test_killed_during, setup, teardown),
        cmocka_unit_test_setup_teardown(test_connection_cut_during, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_answer_in_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_standby_wait_cancelled, setup, teardown),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
