/* What intake asks of PostgreSQL: a partition made beside whoever reads or writes the journal, and behind nobody; commits on the disk. */
#include "base/clock.h"
#include "store.h"
#include "unit/common/pg/cluster.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define HALF (STORE_PARTITION_ROWS / 2)

static struct cluster cluster;
static struct store store;

static int group_setup(void **state)
{
    (void)state;
    if (cluster_start(&cluster) != 0)
        return -1;
    store_init(&store, cluster.dsn, "test", 10000);
    return store_connect(&store) == STATUS_OK && store_migrate(&store) == STATUS_OK && store_partitions(&store, 0) == STATUS_OK ? 0 : -1;
}

static int group_teardown(void **state)
{
    (void)state;
    store_release(&store);
    return cluster_stop(&cluster);
}

static int64_t number(struct pg *pg, const char *sql)
{
    struct pg_result *result = NULL;
    assert_int_equal(pg_query(pg, sql, NULL, &result), STATUS_OK);
    int64_t n = pg_int(result, 0, 0);
    pg_result_destroy(&result);
    return n;
}

#define PARTITIONS "SELECT count(*) FROM pg_inherits WHERE inhparent = 'journal'::regclass"
#define INDEXES "SELECT count(*) FROM pg_inherits i JOIN pg_index x ON x.indexrelid = i.inhrelid WHERE x.indrelid = '%s'::regclass"

static void row_write(struct pg *pg, uint64_t pos)
{
    char sql[300];
    text_format(sql, sizeof(sql),
                "SET lock_timeout = 5000; INSERT INTO journal (pos, source, n, type, key, rec, body, link)"
                " VALUES (%llu, 2, %llu, 't', 'K', now(), '', '')",
                (unsigned long long)pos, (unsigned long long)pos);
    assert_int_equal(pg_run(pg, sql), STATUS_OK);
}

/* A dump reads for hours; another writes in the middle of it. */
static void test_beside_a_reader_and_a_writer(void **state)
{
    (void)state;
    struct pg *reader = cluster_connect(&cluster, STORE_SCHEMA), *writer = cluster_connect(&cluster, STORE_SCHEMA);
    row_write(writer, 7);
    assert_int_equal(pg_run(reader, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM journal"), STATUS_OK);
    assert_int_equal(pg_run(writer, "BEGIN; INSERT INTO journal (pos, source, n, type, key, rec, body, link)"
                                    " VALUES (8, 2, 8, 't', 'K', now(), '', '')"), STATUS_OK);
    assert_int_equal(number(store.pg, PARTITIONS), 1);
    assert_int_equal(store_partitions(&store, HALF + 1), STATUS_OK);
    assert_int_equal(number(store.pg, PARTITIONS), 2);
    assert_int_equal(pg_run(writer, "COMMIT"), STATUS_OK);
    row_write(writer, STORE_PARTITION_ROWS + 3);
    assert_int_equal(number(store.pg, "SELECT count(*) FROM journal_000001"), 1);
    assert_int_equal(pg_run(reader, "COMMIT"), STATUS_OK);
    /* Its indexes are the journal's, and nothing of a person gets into samples. */
    char sql[300];
    for (int i = 0; i < 2; i++) {
        text_format(sql, sizeof(sql), INDEXES, i == 0 ? "journal_000000" : "journal_000001");
        assert_int_equal(number(store.pg, sql), number(store.pg, "SELECT count(*) FROM pg_index WHERE indrelid = 'journal'::regclass"));
    }
    assert_int_equal(number(store.pg, "SELECT count(*) FROM pg_attribute WHERE attrelid IN ('journal_000000'::regclass, 'journal_000001'::regclass)"
                                      " AND attname = 'priv' AND attstattarget = 0"), 2);
    pg_destroy(&reader);
    pg_destroy(&writer);
}

/* Whose lock cannot be passed is not waited for while there is room; at the end of the room it is told as trouble. */
static void test_not_behind_a_lock(void **state)
{
    (void)state;
    struct pg *other = cluster_connect(&cluster, STORE_SCHEMA);
    assert_int_equal(pg_run(other, "BEGIN; LOCK TABLE journal IN SHARE UPDATE EXCLUSIVE MODE"), STATUS_OK);
    int64_t before = number(store.pg, PARTITIONS);
    uint64_t room = store.partitions_upto;
    assert_int_equal(store_partitions(&store, room - HALF + 1), STATUS_OK);
    assert_int_equal(number(store.pg, PARTITIONS), before);
    assert_true(store.partitions_rest_us > clock_boot_us());
    row_write(other, room - HALF + 1);
    assert_int_equal(store_partitions(&store, room - 1), STATUS_CLOSED); /* as a database that is away */
    assert_int_equal(pg_run(other, "COMMIT"), STATUS_OK);
    store.partitions_rest_us = 0;
    assert_int_equal(store_partitions(&store, room - HALF + 1), STATUS_OK);
    assert_int_equal(number(store.pg, PARTITIONS), before + 1);
    pg_destroy(&other);
}

/* At a start nothing is said of what is there: a partition may be locked for long by who cleans it up. */
static void test_what_is_there_is_left_alone(void **state)
{
    (void)state;
    struct pg *other = cluster_connect(&cluster, STORE_SCHEMA);
    assert_int_equal(pg_run(other, "BEGIN; LOCK TABLE journal_000000 IN ACCESS EXCLUSIVE MODE"), STATUS_OK);
    assert_int_equal(store_connect(&store), STATUS_OK);
    int64_t begun_us = clock_boot_us();
    assert_int_equal(store_partitions(&store, 5), STATUS_OK);
    assert_true(clock_boot_us() - begun_us < 20 * SECOND_US); /* it would wait for ever */
    pg_destroy(&other);
}

static void durable_is(const char *set, const char *want)
{
    struct pg_result *result = NULL;
    char sql[120];
    text_format(sql, sizeof(sql), "ALTER ROLE CURRENT_USER SET synchronous_commit = %s", set);
    assert_int_equal(pg_run(store.pg, sql), STATUS_OK);
    pg_disconnect(store.pg);
    pg_disconnect(store.fetch);
    assert_int_equal(store_connect(&store), STATUS_OK);
    assert_int_equal(pg_query(store.pg, "SHOW synchronous_commit", NULL, &result), STATUS_OK);
    assert_true(bytes_equal(pg_bytes(result, 0, 0), bytes_of_text(want)));
    pg_result_destroy(&result);
}

/* An acknowledgement is on the disk, whoever finds that too slow for the role. */
static void test_what_is_acknowledged_is_on_the_disk(void **state)
{
    (void)state;
    durable_is("off", "on");
    durable_is("local", "on");
    durable_is("remote_apply", "remote_apply");
    assert_int_equal(pg_run(store.pg, "ALTER ROLE CURRENT_USER RESET synchronous_commit"), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_beside_a_reader_and_a_writer),
        cmocka_unit_test(test_not_behind_a_lock),
        cmocka_unit_test(test_what_is_there_is_left_alone),
        cmocka_unit_test(test_what_is_acknowledged_is_on_the_disk),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
