/* The random life of run_far_test.c with its rows in PostgreSQL: loaded, fetched and written by the
 * mirror, the next pages fetched over a second connection and taken some transactions later. What
 * it says is what a worker says that has everything in memory. */
#include "far.h"

#include "base/text.h"
#include "table/mirror.h"
#include "unit/common/pg/cluster.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct postgres {
    struct pg *pg, *ahead;
    bool under_way;
    unsigned table;
    size_t commits, pages;
};

static struct cluster cluster;
static size_t pages_ahead;

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

static void page_take(struct world *w)
{
    struct postgres *p = w->store_data;
    if (!p->under_way)
        return;
    p->under_way = false;
    assert_int_equal(mirror_page_take(p->ahead, run_tables(w->run), p->table), STATUS_OK);
    p->pages++;
}

static void load(struct world *w)
{
    struct postgres *p = w->store_data;
    size_t n;
    const struct table_def *const *defs = run_table_defs(w->run, &n);
    if (p->under_way)
        pg_rollback(p->ahead); /* the process that asked for it is gone */
    p->under_way = false;
    assert_int_equal(mirror_create(p->pg, "toy", defs, n), STATUS_OK);
    assert_int_equal(mirror_load(p->pg, run_tables(w->run)), STATUS_OK);
}

static void fetch(struct world *w)
{
    struct postgres *p = w->store_data;
    if (!tables_missed(run_tables(w->run)))
        page_take(w);
    assert_int_equal(mirror_fetch(p->pg, run_tables(w->run)), STATUS_OK);
}

/* A page is asked for while nothing is under way, and taken some transactions later. */
static void commit(struct world *w)
{
    struct postgres *p = w->store_data;
    if (p->commits++ % 3 == 0)
        page_take(w);
    if (!p->under_way && run_look_ahead(w->run, &p->table)) {
        assert_int_equal(mirror_page_send(p->ahead, run_tables(w->run), p->table), STATUS_OK);
        p->under_way = true;
    }
    assert_int_equal(pg_begin(p->pg), STATUS_OK);
    assert_int_equal(mirror_send(p->pg, run_tables(w->run)), STATUS_OK);
    assert_int_equal(pg_commit(p->pg), STATUS_OK);
}

static const struct store store = {.load = load, .fetch = fetch, .commit = commit};

static void check_stored(struct world *w)
{
    struct postgres *p = w->store_data;
    struct table_def all = *far_toy.tables[ORDERS];
    const struct table_def *const defs[] = {&all};
    all.far = false;
    all.whole = true;
    all.due_offset = 0;
    struct tables *t = tables_new(defs, 1, 0);
    assert_int_equal(mirror_load(p->pg, t), STATUS_OK);
    assert_int_equal(tables_rows(t, 0), w->stored_n);
    for (size_t i = 0; i < w->stored_n; i++) {
        const struct order *row = table_get(t, 0, w->stored[i].id);
        assert_non_null(row);
        assert_true(record_equal(&far_order_record, row, &w->stored[i]));
    }
    tables_destroy(&t);
}

static void life(uint64_t seed, bool publishes)
{
    struct postgres p = {.pg = cluster_connect(&cluster, "toy"),
                         .ahead = cluster_connect(&cluster, "toy")};
    assert_int_equal(
        pg_run(p.pg, "DROP SCHEMA IF EXISTS toy CASCADE; SET client_min_messages = warning"),
        STATUS_OK);
    assert_int_equal(mirror_session(p.ahead), STATUS_OK);
    struct world *near = far_world_new(false, NULL, NULL), *far = far_world_new(true, &store, &p);
    far_live(near, seed, publishes);
    far_live(far, seed, publishes);
    assert_true(far_check_same_lates(near, far) > 50);
    far_check_recounts(far);
    far_check_same_rows(near, far, !publishes);
    far_check_rebuild(far);
    check_stored(far);
    pages_ahead += p.pages;
    assert_true(far->most_rows < near->most_rows * 2 / 3);
    for (uint64_t pos = 1; pos <= near->head && !publishes; pos++)
        assert_true(bytes_equal(buf_bytes(&near->bodies[pos]), buf_bytes(&far->bodies[pos])));
    far_world_destroy(near);
    far_world_destroy(far);
    pg_destroy(&p.pg);
    pg_destroy(&p.ahead);
}

static void test_fires_as_near(void **state)
{
    (void)state;
    for (uint64_t seed = 100; seed < 105; seed++)
        life(seed, false);
}

static void test_lives_as_near(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 6; seed++)
        life(seed, true);
    assert_true(pages_ahead > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fires_as_near),
                                       cmocka_unit_test(test_lives_as_near)};
    return cmocka_run_group_tests_name("worker run, far tables in PostgreSQL", tests, group_setup,
                                       group_teardown);
}
