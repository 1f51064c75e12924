/* Tables and their mirror in PostgreSQL: what is sent is what is loaded and fetched again. */
#include "table/mirror.h"
#include "unit/common/pg/cluster.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct job {
    char key[24];
    bool open;
    int64_t due_us;
    int64_t load;
    int64_t pending;
};
static const struct field job_fields[] = {F_TEXT(job, key, FIELD_REQUIRED, "key"), F_BOOL(job, open, 0, "open"),
                                          F_TIME(job, due, 0, "due"), F_INT(job, load, 0, "load"),
                                          F_INT(job, pending, FIELD_VOLATILE, "in flight")};
static const struct record job_record = RECORD(job, job_fields, "a job");
/* The same with one field more. */
static const struct field other_fields[] = {F_TEXT(job, key, FIELD_REQUIRED, "key"), F_BOOL(job, open, 0, "open"),
                                            F_TIME(job, due, 0, "due"), F_INT(job, load, 0, "load"),
                                            F_INT(job, pending, 0, "stored")};
static const struct record other_record = RECORD(job, other_fields, "a job");

static int by_due(const void *a, const void *b)
{
    const struct job *x = a, *y = b;

    return (x->due_us > y->due_us) - (x->due_us < y->due_us);
}

static const struct index_def due_index[] = {{"due", by_due, NULL}};
static const struct table_def jobs = {.name = "job", .row = &job_record, .open_offset = offsetof(struct job, open), .indexes = due_index, .indexes_n = 1};
static const struct table_def rules = {.name = "rule", .row = &job_record, .whole = true};
static const struct table_def other_jobs = {.name = "job", .row = &other_record, .open_offset = offsetof(struct job, open)};
static const struct table_def *const defs[] = {&jobs, &rules}, *const other_defs[] = {&other_jobs};
enum { JOB, RULE, CACHE = 8 };

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
    struct pg *pg = cluster_connect(&cluster, "house");

    *state = pg;
    return pg_run(pg, "DROP SCHEMA IF EXISTS house CASCADE") == STATUS_OK && mirror_create(pg, "house", defs, 2) == STATUS_OK ? 0 : -1;
}

static int teardown(void **state)
{
    struct pg *pg = *state;

    pg_destroy(&pg);
    return 0;
}

static void send(struct pg *pg, struct tables *t)
{
    assert_int_equal(pg_begin(pg), STATUS_OK);
    assert_int_equal(mirror_send(pg, t), STATUS_OK);
    tables_forget(t);
    assert_int_equal(pg_commit(pg), STATUS_OK);
}

static struct job *job_new(struct tables *t, unsigned table, const char *key, bool open, int64_t load)
{
    struct job *job = table_new(t, table, key);

    job->open = open;
    job->load = load;
    job->pending = 7;
    return job;
}

static int64_t count(struct pg *pg, const char *sql)
{
    struct pg_result *result = NULL;

    assert_int_equal(pg_query(pg, sql, NULL, &result), STATUS_OK);
    int64_t n = pg_int(result, 0, 0);
    pg_result_destroy(&result);
    return n;
}

static void test_definition(void **state)
{
    struct pg *pg = *state;

    assert_int_equal(mirror_create(pg, "house", defs, 2), STATUS_OK);
    assert_int_equal(mirror_create(pg, "house", other_defs, 1), STATUS_REFUSED);
    assert_non_null(strstr(pg_error(pg), "rebuild"));
    assert_int_equal(count(pg, "SELECT count(*) FROM definition"), 2);
    assert_int_equal(mirror_create(pg, "elsewhere", other_defs, 1), STATUS_OK);
    assert_int_equal(count(pg, "SELECT count(*) FROM pg_indexes WHERE schemaname = 'house' AND indexdef LIKE '%WHERE open%'"), 1);
}

static void test_send_load_fetch(void **state)
{
    struct pg *pg = *state;
    struct tables *t = tables_new(defs, 2, CACHE);

    job_new(t, JOB, "open", true, 1)->due_us = 5;
    job_new(t, JOB, "closed", false, 2);
    job_new(t, RULE, "rule", false, 3);
    send(pg, t);
    ((struct job *)table_change(t, JOB, "open"))->load = 10;
    ((struct job *)table_change(t, JOB, "closed"))->pending = 9; /* nothing stored changes */
    send(pg, t);
    assert_int_equal(count(pg, "SELECT load FROM job WHERE key = 'open'"), 10);

    tables_clear(t);
    assert_int_equal(mirror_load(pg, t), STATUS_OK);
    const struct job *open = table_get(t, JOB, "open");
    assert_non_null(open);
    assert_int_equal(open->load, 10);
    assert_int_equal(open->due_us, 5);
    assert_int_equal(open->pending, 0);
    assert_ptr_equal(table_first(t, JOB, 0, NULL), open);
    assert_non_null(table_get(t, RULE, "rule"));
    assert_null(table_get(t, RULE, "no rule"));
    assert_int_equal(tables_rows(t, JOB), 1);
    assert_false(tables_missed(t));

    assert_null(table_get(t, JOB, "closed"));
    assert_null(table_get(t, JOB, "nothing"));
    assert_int_equal(mirror_fetch(pg, t), STATUS_OK);
    assert_false(tables_missed(t));
    assert_int_equal(((const struct job *)table_get(t, JOB, "closed"))->load, 2);
    assert_null(table_get(t, JOB, "nothing"));
    assert_false(tables_missed(t));
    assert_int_equal(mirror_fetch(pg, t), STATUS_OK); /* nothing to fetch */
    tables_destroy(&t);
}

/* More than a page of rows, more than a cache of closed ones; and a fetch sees what its own transaction wrote. */
static void test_many(void **state)
{
    enum { ROWS = 5000 };
    struct pg *pg = *state;
    struct tables *t = tables_new(defs, 2, CACHE);
    char key[24];

    for (int i = 0; i < ROWS; i++) {
        snprintf(key, sizeof key, "k%d", i);
        job_new(t, JOB, key, i % 2 == 0, i);
    }
    assert_int_equal(pg_begin(pg), STATUS_OK);
    assert_int_equal(mirror_send(pg, t), STATUS_OK);
    tables_forget(t);
    assert_int_equal(tables_rows(t, JOB), ROWS / 2 + CACHE);
    assert_null(table_get(t, JOB, "k1"));
    assert_int_equal(mirror_fetch(pg, t), STATUS_OK);
    assert_int_equal(((const struct job *)table_get(t, JOB, "k1"))->load, 1);
    assert_int_equal(pg_commit(pg), STATUS_OK);
    for (int i = 0; i < ROWS; i += 2) {
        snprintf(key, sizeof key, "k%d", i);
        ((struct job *)table_change(t, JOB, key))->load++;
    }
    send(pg, t);
    assert_int_equal(count(pg, "SELECT count(*) FROM job WHERE load % 2 = 1"), ROWS);
    tables_clear(t);
    assert_int_equal(mirror_load(pg, t), STATUS_OK);
    assert_int_equal(tables_rows(t, JOB), ROWS / 2);
    assert_int_equal(((const struct job *)table_get(t, JOB, "k4998"))->load, 4999);
    tables_destroy(&t);
}

/* After a refused transaction memory is dropped and read again: it equals what was there before. */
static void test_refused(void **state)
{
    struct pg *pg = *state;
    struct tables *t = tables_new(defs, 2, CACHE);

    job_new(t, JOB, "a", true, 1);
    send(pg, t);
    ((struct job *)table_change(t, JOB, "a"))->load = 2;
    assert_int_equal(pg_begin(pg), STATUS_OK);
    assert_int_equal(mirror_send(pg, t), STATUS_OK);
    tables_forget(t);
    assert_int_equal(pg_send(pg, "SELECT 1/0", NULL), STATUS_OK);
    assert_int_equal(pg_commit(pg), STATUS_REFUSED);
    tables_clear(t);
    assert_int_equal(mirror_load(pg, t), STATUS_OK);
    assert_int_equal(((const struct job *)table_get(t, JOB, "a"))->load, 1);
    tables_destroy(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_definition, setup, teardown),
        cmocka_unit_test_setup_teardown(test_send_load_fetch, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
