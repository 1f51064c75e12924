/* One connection against a real server: parameters, results, pipelines, errors, migrations. */
#include "base/clock.h"
#include "base/instant.h"
#include "record/pack.h"
#include "record/record.h"
#include "unit/common/pg/cluster.h"
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

static int setup(void **state)
{
    struct pg *pg = cluster_connect(&cluster, "public");

    *state = pg;
    return pg_run(pg, "DROP TABLE IF EXISTS t; CREATE TABLE t (k text COLLATE \"C\" PRIMARY KEY, n bigint NOT NULL)") == STATUS_OK
               ? 0
               : -1;
}

static int teardown(void **state)
{
    struct pg *pg = *state;

    pg_destroy(&pg);
    return 0;
}

static int64_t count(struct pg *pg, const char *sql)
{
    struct pg_result *result = NULL;

    assert_int_equal(pg_query(pg, sql, NULL, &result), STATUS_OK);
    int64_t n = pg_int(result, 0, 0);
    pg_result_destroy(&result);
    return n;
}

static void test_parameters(void **state)
{
    struct pg *pg = *state;
    struct pg_args *args = pg_args_new();
    struct pg_result *result = NULL;
    const uint8_t blob[] = {0, 1, 255};

    pg_arg_int(args, INT64_MIN);
    pg_arg_bool(args, true);
    pg_arg_text(args, "工单");
    pg_arg_text(args, NULL);
    pg_arg_text(args, "");
    pg_arg_bytea(args, bytes_of(blob, sizeof blob));
    pg_arg_time(args, 0);
    pg_arg_time(args, -1);
    pg_arg_time(args, INT64_C(1322000000123456));
    static const char sql[] = "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $9 = '2011-11-22 22:13:20.123456+00'::timestamptz,"
                              " 7::int4 AS four, (-2)::int2, 4000000000::oid";
    for (int again = 0; again < 2; again++) { /* prepared, then used as prepared */
        assert_int_equal(pg_query(pg, sql, args, &result), STATUS_OK);
        assert_int_equal(pg_rows(result), 1);
        assert_int_equal(pg_columns(result), 13);
        assert_true(pg_int(result, 0, 0) == INT64_MIN);
        assert_true(pg_bool(result, 0, 1));
        assert_true(bytes_equal(pg_bytes(result, 0, 2), bytes_of_text("工单")));
        assert_true(pg_is_null(result, 0, 3));
        assert_false(pg_is_null(result, 0, 4));
        assert_int_equal(pg_bytes(result, 0, 4).len, 0);
        assert_true(bytes_equal(pg_bytes(result, 0, 5), bytes_of(blob, sizeof blob)));
        assert_true(pg_is_null(result, 0, 6));
        assert_int_equal(pg_time(result, 0, 6), 0);
        assert_int_equal(pg_time(result, 0, 7), -1);
        assert_int_equal(pg_time(result, 0, 8), INT64_C(1322000000123456));
        assert_true(pg_bool(result, 0, 9));
        assert_int_equal(pg_int(result, 0, 10), 7);
        assert_string_equal(pg_column_name(result, 10), "four");
        assert_int_equal(pg_int(result, 0, 11), -2);
        assert_int_equal(pg_int(result, 0, 12), INT64_C(4000000000));
        pg_result_destroy(&result);
    }
    pg_args_destroy(&args);
}

static void test_arrays(void **state)
{
    struct pg *pg = *state;
    struct pg_args *args = pg_args_new();
    struct pg_result *result = NULL;

    pg_arg_array_begin(args, PG_INT8_ARRAY);
    pg_elem_int(args, 5);
    pg_elem_null(args);
    pg_elem_int(args, -5);
    pg_arg_array_end(args);
    pg_arg_array_begin(args, PG_TEXT_ARRAY);
    pg_elem_text(args, "abc", 2);
    pg_elem_text(args, "", 0);
    pg_elem_text(args, "\"{},", 4);
    pg_arg_array_end(args);
    pg_arg_array_begin(args, PG_TIME_ARRAY);
    pg_elem_time(args, 0);
    pg_elem_time(args, DAY_US);
    pg_elem_time(args, 1);
    pg_arg_array_end(args);
    pg_arg_array_begin(args, PG_BOOL_ARRAY);
    pg_arg_array_end(args);
    pg_arg_array_begin(args, PG_BYTEA_ARRAY);
    pg_elem_bytea(args, bytes_of("\0x", 2));
    pg_arg_array_end(args);
    assert_int_equal(pg_query(pg, "SELECT a, b, c, cardinality($4), $5[1] FROM unnest($1, $2, $3) u(a, b, c)", args, &result), STATUS_OK);
    assert_int_equal(pg_rows(result), 3);
    assert_int_equal(pg_int(result, 0, 0), 5);
    assert_true(pg_is_null(result, 1, 0));
    assert_int_equal(pg_int(result, 2, 0), -5);
    assert_true(bytes_equal(pg_bytes(result, 0, 1), bytes_of_text("ab")));
    assert_true(bytes_equal(pg_bytes(result, 2, 1), bytes_of_text("\"{},")));
    assert_true(pg_is_null(result, 0, 2));
    assert_int_equal(pg_time(result, 1, 2), DAY_US);
    assert_int_equal(pg_int(result, 0, 3), 0);
    assert_true(bytes_equal(pg_bytes(result, 0, 4), bytes_of("\0x", 2)));
    pg_result_destroy(&result);
    pg_args_destroy(&args);
}

static void test_pack_any_column(void **state)
{
    static const struct {
        const char *sql, *json;
    } cases[] = {
        {"SELECT true", "true"},
        {"SELECT 12::int2", "12"},
        {"SELECT (-9000000000)::int8", "-9000000000"},
        {"SELECT NULL::text", "null"},
        {"SELECT 'a'::varchar(3)", "\"a\""},
        {"SELECT timestamptz '2011-07-01 05:32:33+00'", "\"2011-07-01T05:32:33Z\""},
        {"SELECT date '1999-12-31'", "\"1999-12-31\""},
        {"SELECT 0.1::float8", "\"0.1\""},
        {"SELECT 1::float8 / 3", "\"0.33333333333333331\""},
        {"SELECT 0.25::float4", "\"0.25\""},
        {"SELECT 0::numeric", "\"0\""},
        {"SELECT 123456789.0100::numeric", "\"123456789.0100\""},
        {"SELECT -0.00001::numeric", "\"-0.00001\""},
        {"SELECT 100000000::numeric", "\"100000000\""},
        {"SELECT 20000.5::numeric", "\"20000.5\""},
        {"SELECT 'NaN'::numeric", "\"NaN\""},
        {"SELECT sum(n) FROM (VALUES (5::bigint), (6)) v(n)", "\"11\""},
        {"SELECT ARRAY['a', NULL, 'c']", "[\"a\",null,\"c\"]"},
        {"SELECT '{}'::text[]", "[]"},
        {"SELECT ARRAY[1, 2]::bigint[]", "[1,2]"},
        {"SELECT '{\"a\": 1}'::jsonb", "\"{\\\"a\\\": 1}\""},
    };
    struct pg *pg = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct pg_result *result = NULL;
        struct buf packed = {0}, json = {0};
        struct problem problem;
        assert_int_equal(pg_query(pg, cases[i].sql, NULL, &result), STATUS_OK);
        pg_pack(result, 0, 0, &packed);
        assert_true(skim(buf_bytes(&packed), &problem));
        raw_print_json(buf_bytes(&packed), &json);
        assert_string_equal(buf_text(&json), cases[i].json);
        buf_release(&packed);
        buf_release(&json);
        pg_result_destroy(&result);
    }
}

/* Each statement carries and returns more than the sockets hold together: who only wrote, or only read, would stand still. */
static void test_long_pipeline(void **state)
{
    enum { STATEMENTS = 10000, BYTES = 2000 };
    struct pg *pg = *state;
    struct pg_args *args = pg_args_new();
    struct pg_result *last = NULL;
    char text[BYTES + 1];

    memset(text, 'x', BYTES);
    text[BYTES] = '\0';
    assert_int_equal(pg_begin(pg), STATUS_OK);
    for (int i = 0; i < STATEMENTS; i++) {
        pg_args_reset(args);
        pg_arg_text(args, text);
        pg_arg_int(args, i);
        assert_int_equal(pg_send(pg, "SELECT $1 || $1, $2", args), STATUS_OK);
    }
    assert_int_equal(pg_flush(pg, &last), STATUS_OK);
    assert_int_equal(pg_int(last, 0, 1), STATEMENTS - 1);
    assert_int_equal(pg_bytes(last, 0, 0).len, 2 * BYTES);
    assert_int_equal(pg_commit(pg), STATUS_OK);
    pg_result_destroy(&last);
    pg_args_destroy(&args);
}

static enum status insert(struct pg *pg, const char *key, int64_t n)
{
    struct pg_args *args = pg_args_new();

    pg_arg_text(args, key);
    pg_arg_int(args, n);
    enum status status = pg_send(pg, "INSERT INTO t (k, n) VALUES ($1, $2)", args);
    pg_args_destroy(&args);
    return status;
}

static void test_transaction(void **state)
{
    struct pg *pg = *state;
    struct pg_result *last = NULL;

    assert_int_equal(pg_begin(pg), STATUS_OK);
    assert_int_equal(insert(pg, "a", 1), STATUS_OK);
    assert_int_equal(pg_ship(pg), STATUS_OK);
    assert_int_equal(pg_send(pg, "UPDATE t SET n = n + 1", NULL), STATUS_OK);
    assert_int_equal(pg_flush(pg, &last), STATUS_OK);
    assert_int_equal(pg_affected(last), 1);
    pg_result_destroy(&last);
    assert_int_equal(count(pg, "SELECT n FROM t"), 2); /* a question inside sees it */
    assert_int_equal(pg_commit(pg), STATUS_OK);
    assert_int_equal(pg_begin(pg), STATUS_OK);
    assert_int_equal(insert(pg, "b", 1), STATUS_OK);
    pg_rollback(pg);
    assert_int_equal(count(pg, "SELECT count(*) FROM t"), 1);
}

static void test_error_in_the_middle(void **state)
{
    struct pg *pg = *state;

    assert_int_equal(pg_begin(pg), STATUS_OK);
    assert_int_equal(insert(pg, "a", 1), STATUS_OK);
    assert_int_equal(insert(pg, "a", 2), STATUS_OK);
    /* Prepared behind the error: skipped, and prepared again when it is needed again. */
    assert_int_equal(pg_send(pg, "DELETE FROM t WHERE k = 'x'", NULL), STATUS_OK);
    assert_int_equal(pg_flush(pg, NULL), STATUS_REFUSED);
    assert_string_equal(pg_sqlstate(pg), "23505");
    assert_non_null(strstr(pg_error(pg), "duplicate key"));
    assert_int_equal(insert(pg, "b", 1), STATUS_REFUSED);
    assert_int_equal(pg_query(pg, "SELECT 1", NULL, NULL), STATUS_REFUSED);
    assert_int_equal(pg_commit(pg), STATUS_REFUSED);
    assert_int_equal(count(pg, "SELECT count(*) FROM t"), 0);

    assert_int_equal(pg_begin(pg), STATUS_OK);
    assert_int_equal(pg_send(pg, "DELETE FROM t WHERE k = 'x'", NULL), STATUS_OK);
    assert_int_equal(insert(pg, "b", 1), STATUS_OK);
    assert_int_equal(pg_commit(pg), STATUS_OK);
    assert_int_equal(count(pg, "SELECT count(*) FROM t"), 1);

    /* Not looked at before the COMMIT. */
    assert_int_equal(pg_begin(pg), STATUS_OK);
    assert_int_equal(insert(pg, "b", 1), STATUS_OK);
    assert_int_equal(pg_commit(pg), STATUS_REFUSED);
    assert_string_equal(pg_sqlstate(pg), "23505");
    assert_int_equal(pg_query(pg, "SELECT nonsense", NULL, NULL), STATUS_REFUSED);
    assert_int_equal(pg_query(pg, "SELECT nonsense", NULL, NULL), STATUS_REFUSED);
    assert_int_equal(count(pg, "SELECT count(*) FROM t"), 1);
}

/* A pipelined UPDATE of no row lets the COMMIT behind it through; this form does not. */
static void test_compare_and_set(void **state)
{
    static const char sql[] = "WITH c AS (UPDATE t SET n = $2 WHERE k = 'cursor' AND n = $1 RETURNING 1) SELECT 1/count(*) FROM c";
    static const struct {
        int64_t from, to;
        enum status want;
    } cases[] = {{0, 10, STATUS_OK}, {10, 20, STATUS_OK}, {10, 30, STATUS_REFUSED}, {20, 40, STATUS_OK}};
    struct pg *pg = *state;
    struct pg_args *args = pg_args_new();

    assert_int_equal(pg_run(pg, "INSERT INTO t VALUES ('cursor', 0)"), STATUS_OK);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        pg_args_reset(args);
        pg_arg_int(args, cases[i].from);
        pg_arg_int(args, cases[i].to);
        assert_int_equal(pg_begin(pg), STATUS_OK);
        assert_int_equal(insert(pg, cases[i].want == STATUS_OK ? (char[]){(char)('a' + (int)i), 0} : "lost", 0), STATUS_OK);
        assert_int_equal(pg_send(pg, sql, args), STATUS_OK);
        assert_int_equal(pg_commit(pg), cases[i].want);
    }
    assert_int_equal(count(pg, "SELECT n FROM t WHERE k = 'cursor'"), 40);
    assert_int_equal(count(pg, "SELECT count(*) FROM t WHERE k = 'lost'"), 0);
    pg_args_destroy(&args);
}

static void test_run(void **state)
{
    struct pg *pg = *state;

    assert_int_equal(pg_run(pg, "INSERT INTO t VALUES ('a', 1); SELECT * FROM t; INSERT INTO t VALUES ('b', 2)"), STATUS_OK);
    assert_int_equal(count(pg, "SELECT count(*) FROM t"), 2);
    assert_int_equal(pg_run(pg, "INSERT INTO t VALUES ('c', 1); INSERT INTO t VALUES ('a', 1)"), STATUS_REFUSED);
    assert_string_equal(pg_sqlstate(pg), "23505");
    assert_int_equal(count(pg, "SELECT count(*) FROM t"), 2);
    assert_int_equal(pg_run(pg, "BEGIN; INSERT INTO t VALUES ('d', 1); SELECT 1/0"), STATUS_REFUSED);
    assert_string_equal(pg_sqlstate(pg), "22012");
    assert_int_equal(count(pg, "SELECT count(*) FROM t"), 2);
    assert_int_equal(pg_begin(pg), STATUS_OK);
    assert_int_equal(insert(pg, "e", 1), STATUS_OK);
    assert_int_equal(pg_run(pg, "UPDATE t SET n = 9"), STATUS_OK); /* among pipelined ones, in order */
    assert_int_equal(pg_commit(pg), STATUS_OK);
    assert_int_equal(count(pg, "SELECT sum(n)::bigint FROM t"), 27);
}

static void test_migrations(void **state)
{
    struct pg *pg = *state;
    struct pg_migration steps[] = {{1, "CREATE TABLE one (n bigint)"},
                                   {2, "CREATE TABLE two (n bigint); INSERT INTO two VALUES (2)"},
                                   {7, "INSERT INTO two VALUES (1); SELECT 1/0"}};

    assert_int_equal(pg_run(pg, "DROP SCHEMA IF EXISTS house CASCADE"), STATUS_OK);
    assert_int_equal(pg_migrate(pg, "house", steps, 1), STATUS_OK);
    assert_int_equal(pg_migrate(pg, "house", steps, 2), STATUS_OK);
    assert_int_equal(pg_migrate(pg, "house", steps, 3), STATUS_REFUSED);
    assert_string_equal(pg_sqlstate(pg), "22012");
    assert_int_equal(count(pg, "SELECT count(*) FROM house.two"), 1);
    steps[2].sql = "INSERT INTO two VALUES (7)";
    assert_int_equal(pg_migrate(pg, "house", steps, 3), STATUS_OK);
    assert_int_equal(pg_migrate(pg, "house", steps, 3), STATUS_OK);
    assert_int_equal(count(pg, "SELECT sum(n)::bigint FROM house.two"), 9);
    assert_int_equal(count(pg, "SELECT sum(number)::bigint FROM house.migration"), 10);
    steps[0].sql = "CREATE TABLE one (n text)";
    assert_int_equal(pg_migrate(pg, "house", steps, 3), STATUS_REFUSED);
    assert_non_null(strstr(pg_error(pg), "another text"));
    assert_int_equal(count(pg, "SELECT 1"), 1);
}

static void test_connect(void **state)
{
    struct pg *nobody = pg_new("host=/tmp/aftercare-nowhere dbname=x", NULL);
    struct pg *pg = *state, *named = cluster_connect(&cluster, "a \"strange\" name");
    struct pg_result *result = NULL;

    assert_int_equal(pg_connect(nobody), STATUS_AGAIN);
    assert_true(pg_error(nobody)[0] != '\0');
    assert_false(pg_is_connected(nobody));
    assert_int_equal(pg_socket(nobody), -1);
    assert_int_equal(pg_query(nobody, "SELECT 1", NULL, NULL), STATUS_CLOSED);
    pg_destroy(&nobody);
    assert_int_equal(pg_query(named, "SHOW search_path", NULL, &result), STATUS_OK);
    assert_true(bytes_equal(pg_bytes(result, 0, 0), bytes_of_text("\"a \"\"strange\"\" name\"")));
    pg_result_destroy(&result);
    pg_destroy(&named);
    assert_int_equal(pg_connect(pg), STATUS_OK);
    pg_disconnect(pg);
    assert_int_equal(pg_connect(pg), STATUS_OK);
    assert_int_equal(count(pg, "SELECT 1"), 1);
}

static void test_silent_server(void **state)
{
    struct pg *pg = *state;
    int64_t start_us = clock_boot_us();

    pg_limit_wait(pg, 200);
    assert_int_equal(pg_query(pg, "SELECT pg_sleep(60)", NULL, NULL), STATUS_CLOSED);
    assert_true(clock_boot_us() - start_us < 50 * SECOND_US);
    assert_false(pg_is_connected(pg));
    assert_int_equal(pg_connect(pg), STATUS_OK);
    assert_int_equal(pg_run(pg, "SELECT pg_sleep(60)"), STATUS_CLOSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_parameters, setup, teardown),
        cmocka_unit_test_setup_teardown(test_arrays, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pack_any_column, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_pipeline, setup, teardown),
        cmocka_unit_test_setup_teardown(test_transaction, setup, teardown),
        cmocka_unit_test_setup_teardown(test_error_in_the_middle, setup, teardown),
        cmocka_unit_test_setup_teardown(test_compare_and_set, setup, teardown),
        cmocka_unit_test_setup_teardown(test_run, setup, teardown),
        cmocka_unit_test_setup_teardown(test_migrations, setup, teardown),
        cmocka_unit_test_setup_teardown(test_connect, setup, teardown),
        cmocka_unit_test_setup_teardown(test_silent_server, setup, teardown),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
