/* Far tables over PostgreSQL: nothing is loaded at start, pages come in the order of due, then key,
 * by the index, on the connection that writes or on a second one while the first is in a
 * transaction; rows are found by what they follow. */
#include "base/text.h"
#include "table/mirror.h"
#include "unit/common/pg/cluster.h"
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CLOCK, CACHE = 16, PAGE = 512, TIE = 700, ROWS = 3000 };

struct clock_row {
    char key[24];
    bool open;
    int64_t due_us, fired_us;
    int64_t load;
    char version[16];
};
static const struct field clock_fields[] = {F_TEXT(clock_row, key, FIELD_REQUIRED, "key"),
                                            F_BOOL(clock_row, open, 0, "open"),
                                            F_TIME(clock_row, due, 0, "due"),
                                            F_TIME(clock_row, fired, FIELD_VOLATILE, "fired"),
                                            F_INT(clock_row, load, 0, "load"),
                                            F_TEXT(clock_row, version, 0, "version")};
static const struct record clock_record = RECORD(clock_row, clock_fields, "a clock");

static int by_due(const void *a, const void *b)
{
    const struct clock_row *x = a, *y = b;

    return (x->due_us > y->due_us) - (x->due_us < y->due_us);
}

static bool waits(const void *row)
{
    const struct clock_row *r = row;

    return r->due_us != 0 && r->due_us != r->fired_us;
}

static const struct index_def due_index[] = {{"due", by_due, waits}};
static const struct table_def clocks = {.name = "clock",
                                        .row = &clock_record,
                                        .open_offset = offsetof(struct clock_row, open),
                                        .indexes = due_index,
                                        .indexes_n = 1,
                                        .far = true,
                                        .due_offset = offsetof(struct clock_row, due_us),
                                        .sweep_offset = offsetof(struct clock_row, version)};
static const struct table_def *const defs[] = {&clocks};

static struct cluster cluster;
struct pair {
    struct pg *write, *read;
};

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
    struct pair *pair = memory_new(sizeof *pair);

    pair->write = cluster_connect(&cluster, "house");
    pair->read = cluster_connect(&cluster, "house");
    *state = pair;
    return pg_run(pair->write, "DROP SCHEMA IF EXISTS house CASCADE") == STATUS_OK &&
                   mirror_create(pair->write, "house", defs, 1) == STATUS_OK &&
                   mirror_session(pair->read) == STATUS_OK
               ? 0
               : -1;
}

static int teardown(void **state)
{
    struct pair *pair = *state;

    pg_destroy(&pair->write);
    pg_destroy(&pair->read);
    free(pair);
    return 0;
}

static struct clock_row *clock_make(struct tables *t, int i, int64_t due_us)
{
    char key[24];

    snprintf(key, sizeof key, "k%05d", i);
    struct clock_row *row = table_new(t, CLOCK, key);
    row->open = true;
    row->due_us = due_us;
    return row;
}

static void send(struct pg *pg, struct tables *t)
{
    assert_int_equal(pg_begin(pg), STATUS_OK);
    assert_int_equal(mirror_send(pg, t), STATUS_OK);
    tables_forget(t);
    assert_int_equal(pg_commit(pg), STATUS_OK);
}

/* 1 … ROWS: TIE of them come due at the same instant in the middle, some are closed, some never
 * due. */
static struct tables *fill(struct pg *pg)
{
    struct tables *t = tables_new(defs, 1, CACHE);

    assert_int_equal(mirror_load(pg, t), STATUS_OK);
    for (int i = 0; i < ROWS; i++) {
        int64_t due_us = i < 1000 ? 1 + i : i < 1000 + TIE ? 2000 : 3000 + i;
        struct clock_row *row = clock_make(t, i, i % 100 == 7 ? 0 : due_us * SECOND_US);
        row->open = i % 100 != 8;
        text_copy(row->version, sizeof row->version,
                  i % 4 == 0   ? ""
                  : i % 4 == 1 ? "cn@1"
                  : i % 4 == 2 ? "cn@2"
                               : "us@1");
    }
    send(pg, t);
    return t;
}

static void page(struct pg *pg, struct tables *t, int64_t until_us)
{
    tables_want_due(t, CLOCK, until_us);
    assert_int_equal(mirror_fetch(pg, t), STATUS_OK);
}

static size_t walk(struct tables *t)
{
    size_t n = 0;
    const struct clock_row *row, *last = NULL;

    for (row = table_first(t, CLOCK, 0, NULL); row != NULL;
         row = table_next(t, CLOCK, 0, row), n++) {
        assert_true(last == NULL || last->due_us < row->due_us ||
                    (last->due_us == row->due_us && strcmp(last->key, row->key) < 0));
        last = row;
    }
    return n;
}

static int64_t count(struct pg *pg, const char *sql)
{
    struct pg_result *result = NULL;

    assert_int_equal(pg_query(pg, sql, NULL, &result), STATUS_OK);
    int64_t n = pg_int(result, 0, 0);
    pg_result_destroy(&result);
    return n;
}

static void test_pages(void **state)
{
    struct pair *pair = *state;
    struct tables *t = fill(pair->write);
    size_t due = (size_t)count(pair->write,
                               "SELECT count(*) FROM clock WHERE open AND due IS NOT NULL"),
           pages = 0;
    const int64_t end_us = 100000 * SECOND_US;

    tables_clear(t);
    assert_int_equal(mirror_load(pair->write, t), STATUS_OK);
    assert_int_equal(tables_rows(t, CLOCK), 0);
    /* As far as asked: 499 seconds hold fewer rows than a page. */
    page(pair->write, t, 499 * SECOND_US);
    assert_true(tables_horizon_us(t, CLOCK) == 499 * SECOND_US);
    assert_int_equal(walk(t), 499 - 2 * 5);
    while (!tables_reach(t, CLOCK, end_us, NULL)) {
        page(pair->write, t, end_us);
        pages++;
    }
    assert_true(pages >= due / PAGE);
    assert_int_equal(walk(t), due);
    assert_int_equal(tables_rows(t, CLOCK), due);
    /* The horizon has stood among rows of one instant; none is there twice or missing. */
    tables_destroy(&t);
}

static void explained(struct pg *pg, const char *sql, const char *wanted)
{
    struct pg_result *plan = NULL;
    bool found = false;

    assert_int_equal(pg_query(pg, sql, NULL, &plan), STATUS_OK);
    for (int i = 0; i < pg_rows(plan); i++) {
        struct bytes line = pg_bytes(plan, i, 0);
        char text[512];
        text_copy_n(text, sizeof text, (const char *)line.data,
                    line.len < sizeof text ? line.len : sizeof text - 1);
        found = found || strstr(text, wanted) != NULL;
        assert_null(strstr(text, "Sort"));
    }
    pg_result_destroy(&plan);
    assert_true(found);
}

/* What pages and sweeps ask is answered by an index, in its order, in a young table too. */
static void test_plans(void **state)
{
    struct pair *pair = *state;

    explained(pair->write,
              "EXPLAIN SELECT key FROM clock WHERE open AND (due, key) > "
              "('2011-07-01'::timestamptz, 'k'::text)"
              " AND due <= '2011-07-02'::timestamptz ORDER BY due, key LIMIT 512",
              "clock_due_key_idx");
    explained(pair->write,
              "EXPLAIN SELECT key FROM clock WHERE open AND version <> '' AND version = 'cn@1' AND "
              "key > 'k'"
              " ORDER BY version, key LIMIT 512",
              "clock_version_key_idx");
}

static void await(struct pg *pg)
{
    struct pollfd socket = {.fd = pg_socket(pg), .events = POLLIN};

    assert_int_equal(poll(&socket, 1, 10000), 1);
}

/* While the page is on its way over a second connection, rows it holds are closed, moved and made;
 * the first connection's transaction is not committed when the page is asked for, and is when it
 * comes. */
static void test_second_connection(void **state)
{
    struct pair *pair = *state;
    struct tables *t = fill(pair->write);
    char key[24];

    tables_clear(t);
    assert_int_equal(mirror_load(pair->write, t), STATUS_OK);
    page(pair->write, t, 10 * SECOND_US);
    /* 20 becomes 15 in a transaction that the page does not see. */
    assert_null(table_get(t, CLOCK, "k00019"));
    assert_null(table_get(t, CLOCK, "k00021"));
    assert_null(table_get(t, CLOCK, "k00029"));
    assert_int_equal(mirror_fetch(pair->write, t), STATUS_OK);
    ((struct clock_row *)table_change(t, CLOCK, "k00019"))->due_us = 15 * SECOND_US + 1;
    assert_int_equal(pg_begin(pair->write), STATUS_OK);
    assert_int_equal(mirror_send(pair->write, t), STATUS_OK);
    tables_depart(t);
    tables_want_due(t, CLOCK, 40 * SECOND_US);
    assert_int_equal(mirror_page_send(pair->read, t, CLOCK), STATUS_OK);
    await(pair->read); /* it has been read */
    assert_int_equal(pg_commit(pair->write), STATUS_OK);
    ((struct clock_row *)table_change(t, CLOCK, "k00021"))->open = false;
    ((struct clock_row *)table_change(t, CLOCK, "k00029"))->due_us = 9000 * SECOND_US;
    clock_make(t, 99999, 12 * SECOND_US);
    send(pair->write, t);
    for (int i = 0; i < 2 * CACHE; i++) { /* crowds the cache */
        snprintf(key, sizeof key, "none%d", i);
        ((struct clock_row *)table_new(t, CLOCK, key))->open = false;
    }
    send(pair->write, t);
    assert_int_equal(mirror_page_take(pair->read, t, CLOCK), STATUS_OK);
    assert_true(tables_reach(t, CLOCK, 40 * SECOND_US, NULL));
    assert_int_equal(((const struct clock_row *)table_get(t, CLOCK, "k00019"))->due_us,
                     15 * SECOND_US + 1);
    assert_false(((const struct clock_row *)table_get(t, CLOCK, "k00021"))->open);
    assert_int_equal(((const struct clock_row *)table_get(t, CLOCK, "k00029"))->due_us,
                     9000 * SECOND_US);
    send(pair->write, t);
    size_t near = (size_t)count(
        pair->write, "SELECT count(*) FROM clock WHERE open AND due <= to_timestamp(40)");
    assert_int_equal(tables_kept(t, CLOCK), near);
    tables_destroy(&t);
}

static void test_sweep(void **state)
{
    struct pair *pair = *state;
    struct tables *t = fill(pair->write);
    const char *const *texts;
    size_t n, keys = 0;
    char after[24] = "";
    bool more = true;

    tables_ask_values(t, CLOCK);
    assert_int_equal(mirror_fetch(pair->write, t), STATUS_OK);
    assert_int_equal(tables_answer(t, CLOCK, &texts, &more), 3);
    assert_string_equal(texts[0], "cn@1");
    assert_string_equal(texts[1], "cn@2");
    assert_string_equal(texts[2], "us@1");
    for (more = true; more;) {
        tables_ask_keys(t, CLOCK, "us@1", after);
        assert_int_equal(mirror_fetch(pair->write, t), STATUS_OK);
        n = tables_answer(t, CLOCK, &texts, &more);
        assert_true(n <= PAGE);
        for (size_t i = 0; i < n; i++) {
            assert_true(strcmp(texts[i], after) > 0);
            text_copy(after, sizeof after, texts[i]);
            const struct clock_row *row = table_get(t, CLOCK, after);
            assert_non_null(row); /* the page brought it */
            assert_string_equal(row->version, "us@1");
        }
        keys += n;
        tables_forget(t);
    }
    assert_int_equal(
        keys, count(pair->write, "SELECT count(*) FROM clock WHERE open AND version = 'us@1'"));
    assert_true(keys > PAGE);
    tables_ask_keys(t, CLOCK, "nobody", "");
    assert_int_equal(mirror_fetch(pair->write, t), STATUS_OK);
    assert_int_equal(tables_answer(t, CLOCK, &texts, &more), 0);
    tables_destroy(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_plans, setup, teardown),
        cmocka_unit_test_setup_teardown(test_second_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sweep, setup, teardown),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
