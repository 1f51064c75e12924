/* Tables: what each function promises, one by one. */
#include "base/text.h"
#include "table/table.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct job {
    char key[24];
    int64_t due_us;
    int64_t load;
    int64_t pending;
    char note[32];
    bool open;
};
static const struct field job_fields[] = {
    F_TEXT(job, key, FIELD_REQUIRED | FIELD_KEYLIKE, "key"), F_TIME(job, due, 0, "due"),
    F_INT(job, load, 0, "load"),                             F_INT(job, pending, FIELD_VOLATILE, "in flight"),
    F_TEXT(job, note, 0, "note"),                            F_BOOL(job, open, 0, "open")};
static const struct record job_record = RECORD(job, job_fields, "a job");

static int by_due(const void *a, const void *b)
{
    const struct job *x = a, *y = b;

    return (x->due_us > y->due_us) - (x->due_us < y->due_us);
}

static bool has_due(const void *row)
{
    return ((const struct job *)row)->due_us != 0;
}

static int by_load(const void *a, const void *b)
{
    const struct job *x = a, *y = b;

    return (x->load + x->pending > y->load + y->pending) - (x->load + x->pending < y->load + y->pending);
}

enum { DUE, LOAD };
static const struct index_def job_indexes[] = {{"due", by_due, has_due}, {"load", by_load, NULL}};
static const struct table_def job_table = {
    .name = "job", .row = &job_record, .open_offset = offsetof(struct job, open), .indexes = job_indexes, .indexes_n = 2};
static const struct table_def rule_table = {.name = "rule", .row = &job_record, .indexes = job_indexes, .indexes_n = 2, .whole = true};
static const struct table_def *const defs[] = {&job_table, &rule_table};
enum { JOB, RULE };

static int setup(void **state)
{
    *state = tables_new(defs, 2, 2);
    return 0;
}

static int teardown(void **state)
{
    struct tables *t = *state;

    tables_destroy(&t);
    assert_null(t);
    return 0;
}

static struct job *job_new(struct tables *t, const char *key, int64_t due_us, int64_t load)
{
    struct job *job = table_new(t, JOB, key);

    job->due_us = due_us;
    job->load = load;
    job->open = true;
    return job;
}

static size_t dirty(struct tables *t, bool fresh)
{
    const void *const *rows;

    return tables_dirty(t, JOB, fresh, &rows);
}

/* The keys of an index in its order, "a b c". */
static const char *walk(struct tables *t, unsigned index, const void *from)
{
    static char text[256];

    text[0] = '\0';
    for (const struct job *j = table_first(t, JOB, index, from); j != NULL; j = table_next(t, JOB, index, j)) {
        size_t n = strlen(text);
        snprintf(text + n, sizeof text - n, "%s%s", n > 0 ? " " : "", j->key);
    }
    return text;
}

static void test_miss_then_fill(void **state)
{
    struct tables *t = *state;
    const struct miss *misses;

    assert_null(table_get(t, JOB, "a"));
    assert_null(table_change(t, JOB, "a"));
    assert_null(table_get(t, JOB, "b"));
    assert_true(tables_missed(t));
    assert_int_equal(tables_misses(t, &misses), 2);
    assert_string_equal(misses[0].key, "a");
    assert_string_equal(misses[1].key, "b");

    const struct job a = {.key = "a", .load = 7};
    tables_fill(t, JOB, "a", &a);
    tables_fill(t, JOB, "b", NULL);
    tables_misses_reset(t);
    assert_false(tables_missed(t));
    assert_int_equal(((const struct job *)table_get(t, JOB, "a"))->load, 7);
    assert_null(table_get(t, JOB, "b"));
    assert_false(tables_missed(t));

    tables_forget(t);
    assert_null(table_get(t, JOB, "b"));
    assert_true(tables_missed(t));
}

/* Whoever resets the list without an answer sees the miss again. */
static void test_miss_unanswered(void **state)
{
    struct tables *t = *state;

    assert_null(table_get(t, JOB, "a"));
    tables_misses_reset(t);
    assert_null(table_get(t, JOB, "a"));
    assert_true(tables_missed(t));
    tables_forget(t);
    const struct miss *misses;
    assert_null(table_get(t, JOB, "a"));
    assert_int_equal(tables_misses(t, &misses), 1);
}

static void test_undo_of_new_restores_what_was_known(void **state)
{
    struct tables *t = *state;

    tables_fill(t, JOB, "a", NULL);
    size_t mark = tables_mark(t);
    job_new(t, "a", 5, 0);
    job_new(t, "b", 6, 0);
    assert_string_equal(walk(t, DUE, NULL), "a b");
    tables_undo(t, mark);
    assert_string_equal(walk(t, DUE, NULL), "");
    assert_null(table_get(t, JOB, "a"));
    assert_false(tables_missed(t));
    assert_null(table_get(t, JOB, "b"));
    assert_true(tables_missed(t));
    assert_int_equal(tables_rows(t, JOB), 0);
}

static void test_fill_leaves_rows_alone(void **state)
{
    struct tables *t = *state;
    const struct job old = {.key = "a", .load = 1};

    assert_null(table_get(t, JOB, "a"));
    job_new(t, "a", 0, 9);
    tables_fill(t, JOB, "a", &old);
    tables_fill(t, JOB, "a", NULL);
    assert_int_equal(((const struct job *)table_get(t, JOB, "a"))->load, 9);
}

static void test_whole_tables_never_miss(void **state)
{
    struct tables *t = *state;

    assert_null(table_get(t, RULE, "a"));
    assert_null(table_change(t, RULE, "a"));
    tables_fill(t, RULE, "a", NULL);
    assert_false(tables_missed(t));
    for (int i = 0; i < 10; i++) {
        char key[16];
        snprintf(key, sizeof key, "r%d", i);
        table_new(t, RULE, key);
    }
    tables_forget(t);
    assert_int_equal(tables_rows(t, RULE), 10);
    assert_string_equal(((const struct job *)table_first(t, RULE, LOAD, NULL))->key, "r0");
}

static void test_dirty(void **state)
{
    struct tables *t = *state;
    const void *const *rows;

    job_new(t, "b", 1, 0);
    job_new(t, "a", 2, 0);
    tables_mark(t);
    ((struct job *)table_change(t, JOB, "b"))->load = 4;
    assert_int_equal(tables_dirty(t, JOB, true, &rows), 2);
    assert_string_equal(((const struct job *)rows[0])->key, "b");
    assert_int_equal(((const struct job *)rows[0])->load, 4);
    assert_int_equal(dirty(t, false), 0);
    assert_int_equal(tables_dirty(t, RULE, true, &rows), 0);
    tables_forget(t);
    assert_int_equal(dirty(t, true), 0);

    ((struct job *)table_change(t, JOB, "a"))->load = 1;
    tables_mark(t);
    ((struct job *)table_change(t, JOB, "b"))->load = 1;
    assert_int_equal(tables_dirty(t, JOB, false, &rows), 2);
    assert_string_equal(((const struct job *)rows[0])->key, "a");
    tables_mark(t);
    ((struct job *)table_change(t, JOB, "a"))->load = 0; /* as it was at first */
    assert_int_equal(tables_dirty(t, JOB, false, &rows), 1);
    assert_string_equal(((const struct job *)rows[0])->key, "b");
}

static void test_volatile_is_in_indexes_and_undo_but_not_dirty(void **state)
{
    struct tables *t = *state;

    job_new(t, "a", 0, 1);
    job_new(t, "b", 0, 2);
    tables_forget(t);
    size_t mark = tables_mark(t);
    ((struct job *)table_change(t, JOB, "a"))->pending = 5;
    assert_string_equal(walk(t, LOAD, NULL), "b a");
    assert_int_equal(dirty(t, false), 0);
    tables_undo(t, mark);
    assert_string_equal(walk(t, LOAD, NULL), "a b");
    ((struct job *)table_change(t, JOB, "a"))->pending = 5;
    tables_forget(t);
    assert_int_equal(((const struct job *)table_get(t, JOB, "a"))->pending, 5);
}

static void test_index_follows(void **state)
{
    struct tables *t = *state;

    job_new(t, "c", 30, 0);
    job_new(t, "a", 10, 0);
    job_new(t, "b", 10, 0);
    job_new(t, "d", 0, 0);
    assert_string_equal(walk(t, DUE, NULL), "a b c");
    assert_string_equal(walk(t, LOAD, NULL), "a b c d");
    struct job *a = table_change(t, JOB, "a");
    a->due_us = 40;
    assert_string_equal(walk(t, DUE, NULL), "b c a");
    a = table_change(t, JOB, "a"); /* the second time behind the same mark */
    a->due_us = 5;
    assert_string_equal(walk(t, DUE, NULL), "a b c");
    tables_mark(t);
    ((struct job *)table_change(t, JOB, "b"))->open = false;
    assert_string_equal(walk(t, DUE, NULL), "a c");
    const struct job from = {.due_us = 6};
    assert_string_equal(walk(t, DUE, &from), "c");
    const struct job tie = {.key = "c", .due_us = 30};
    assert_string_equal(walk(t, DUE, &tie), "c");
    const struct job behind = {.key = "cc", .due_us = 30};
    assert_string_equal(walk(t, DUE, &behind), "");
}

/* A walk goes on where a row stood that left the index under it. */
static void test_walk_goes_on(void **state)
{
    struct tables *t = *state;

    job_new(t, "a", 10, 0);
    job_new(t, "b", 20, 0);
    job_new(t, "c", 30, 0);
    const struct job *b = table_next(t, JOB, DUE, table_first(t, JOB, DUE, NULL));
    ((struct job *)table_change(t, JOB, "b"))->open = false;
    assert_string_equal(((const struct job *)table_next(t, JOB, DUE, b))->key, "c");
}

/* What is on its way to the database stays until it has arrived, beyond the cache's bound. */
static void test_departed_rows_stay_once(void **state)
{
    struct tables *t = *state;
    static const char *const keys[] = {"a", "b", "c", "d", "e"};

    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        job_new(t, keys[i], 0, 0)->open = false;
    }
    tables_depart(t);
    assert_int_equal(tables_rows(t, JOB), COUNT_OF(keys));
    ((struct job *)table_change(t, JOB, "a"))->due_us = 7; /* the oldest, on its way again */
    tables_depart(t);
    assert_true(tables_rows(t, JOB) < COUNT_OF(keys));
    assert_non_null(table_get(t, JOB, "a"));
    assert_false(tables_missed(t));
}

static void test_closed_rows_are_cached(void **state)
{
    struct tables *t = *state;
    static const char *const keys[] = {"a", "b", "c", "d"};

    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        job_new(t, keys[i], 0, 0)->open = i == 3;
    }
    assert_int_equal(tables_rows(t, JOB), 4);
    assert_non_null(table_get(t, JOB, "a"));
    tables_forget(t); /* entered in the order of their change: c newest, a out */
    assert_int_equal(tables_rows(t, JOB), 3);
    assert_non_null(table_get(t, JOB, "b")); /* b newest */
    assert_false(tables_missed(t));
    assert_null(table_get(t, JOB, "a"));
    const struct job a = {.key = "a"};
    tables_fill(t, JOB, "a", &a);
    tables_misses_reset(t);
    tables_forget(t); /* c out */
    assert_non_null(table_get(t, JOB, "a"));
    assert_non_null(table_get(t, JOB, "b"));
    assert_false(tables_missed(t));
    assert_null(table_get(t, JOB, "c"));
    assert_true(tables_missed(t));
    tables_misses_reset(t);
    ((struct job *)table_change(t, JOB, "a"))->open = true; /* comes back */
    tables_forget(t);
    for (size_t i = 1; i < 3; i++) {
        tables_fill(t, JOB, keys[i], &(struct job){.key = {keys[i][0]}});
        tables_fill(t, JOB, keys[i], NULL);
    }
    tables_forget(t);
    assert_non_null(table_get(t, JOB, "a"));
    assert_string_equal(walk(t, LOAD, NULL), "a d");
}

static void test_trouble(void **state)
{
    struct tables *t = *state;

    assert_false(tables_trouble(t, "no site %s", "X"));
    assert_string_equal(tables_trouble_text(t), "no site X");
    size_t mark = tables_mark(t);
    assert_string_equal(tables_trouble_text(t), "");
    tables_trouble(t, "again");
    tables_undo(t, mark);
    assert_string_equal(tables_trouble_text(t), "");
}

static void test_clear(void **state)
{
    struct tables *t = *state;

    job_new(t, "a", 1, 0);
    assert_null(table_get(t, JOB, "b"));
    tables_clear(t);
    assert_int_equal(tables_rows(t, JOB), 0);
    assert_int_equal(dirty(t, true), 0);
    assert_false(tables_missed(t));
    assert_string_equal(walk(t, DUE, NULL), "");
    assert_null(table_get(t, JOB, "a"));
    assert_true(tables_missed(t));
    tables_load(t, JOB, &(struct job){.key = "a", .open = true, .due_us = 3});
    assert_string_equal(walk(t, DUE, NULL), "a");
}

static void test_bytes_near_struct_size(void **state)
{
    struct tables *t = *state;
    enum { ROWS = 20000 };

    for (int i = 0; i < ROWS; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        job_new(t, key, i, i);
        if (i % 500 == 0) {
            tables_forget(t);
        }
    }
    tables_forget(t);
    assert_in_range(tables_bytes(t) / ROWS, sizeof(struct job), sizeof(struct job) + 224);
}

/* The floor promises that tables stand without a database. */
static void test_links_without_libpq(void **state)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    bool libc = false;

    (void)state;
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps) != NULL) {
        libc = libc || strstr(line, "libc.so") != NULL;
        assert_null(strstr(line, "libpq"));
        assert_null(strstr(line, "libzmq"));
    }
    fclose(maps);
    assert_true(libc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_miss_then_fill, setup, teardown),
        cmocka_unit_test_setup_teardown(test_miss_unanswered, setup, teardown),
        cmocka_unit_test_setup_teardown(test_undo_of_new_restores_what_was_known, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fill_leaves_rows_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_whole_tables_never_miss, setup, teardown),
        cmocka_unit_test_setup_teardown(test_dirty, setup, teardown),
        cmocka_unit_test_setup_teardown(test_volatile_is_in_indexes_and_undo_but_not_dirty, setup, teardown),
        cmocka_unit_test_setup_teardown(test_index_follows, setup, teardown),
        cmocka_unit_test_setup_teardown(test_walk_goes_on, setup, teardown),
        cmocka_unit_test_setup_teardown(test_departed_rows_stay_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_closed_rows_are_cached, setup, teardown),
        cmocka_unit_test_setup_teardown(test_trouble, setup, teardown),
        cmocka_unit_test_setup_teardown(test_clear, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bytes_near_struct_size, setup, teardown),
        cmocka_unit_test(test_links_without_libpq),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
