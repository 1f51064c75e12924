/* Far tables: which rows stay in memory, and that a page read meanwhile never wins over what is
 * newer. The second half is a model: a database that is behind by a transaction, pages read from it
 * at one time and taken at another, seeded random operations. */
#include "base/text.h"
#include "table/table.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { KEYS = 60, CACHE = 6, PAGE = 5, TIMES = 40, STEPS = 40000, SEEDS = 8 };

struct row {
    char key[16];
    bool open;
    int64_t due_us;
    int64_t fired_us; /* volatile */
    int64_t load;
    char version[16];
};
static const struct field row_fields[] = {F_TEXT(row, key, FIELD_REQUIRED, "key"),
                                          F_BOOL(row, open, 0, "open"),
                                          F_TIME(row, due, 0, "due"),
                                          F_TIME(row, fired, FIELD_VOLATILE, "fired"),
                                          F_INT(row, load, 0, "load"),
                                          F_TEXT(row, version, 0, "version")};
static const struct record row_record = RECORD(row, row_fields, "a row");

static int by_due(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    return (x->due_us > y->due_us) - (x->due_us < y->due_us);
}

static bool waits(const void *row)
{
    const struct row *r = row;

    return r->due_us != 0 && r->due_us != r->fired_us;
}

static const struct index_def indexes[] = {{"due", by_due, waits}};
static const struct table_def timed = {.name = "timed",
                                       .row = &row_record,
                                       .open_offset = offsetof(struct row, open),
                                       .indexes = indexes,
                                       .indexes_n = 1,
                                       .far = true,
                                       .due_offset = offsetof(struct row, due_us),
                                       .sweep_offset = offsetof(struct row, version)};
static const struct table_def untimed = {
    .name = "untimed", .row = &row_record, .open_offset = offsetof(struct row, open), .far = true};
static const struct table_def *const defs[] = {&timed, &untimed};
enum { TIMED, UNTIMED };

static struct row *row_new(struct tables *t, unsigned table, const char *key, int64_t due_us)
{
    struct row *row = table_new(t, table, key);

    row->open = true;
    row->due_us = due_us;
    return row;
}

static bool in_memory(struct tables *t, unsigned table, const char *key)
{
    bool there = table_get(t, table, key) != NULL;

    tables_misses_reset(t);
    return there;
}

static void page(struct tables *t, int64_t due_us, const char *key)
{
    tables_page_begin(t, TIMED);
    tables_page_end(t, TIMED, due_us, key);
}

/* Fills the cache with others. */
static void crowd_out(struct tables *t, unsigned table)
{
    static int n;
    char key[16];

    for (int i = 0; i < CACHE; i++) {
        snprintf(key, sizeof key, "x%d", n++);
        row_new(t, table, key, 0);
    }
    tables_forget(t);
}

static void test_everything_is_kept_until_told(void **state)
{
    struct tables *t = tables_new(defs, 2, CACHE);

    (void)state;
    row_new(t, TIMED, "a", 100);
    row_new(t, UNTIMED, "b", 0);
    crowd_out(t, TIMED);
    crowd_out(t, UNTIMED);
    assert_true(in_memory(t, TIMED, "a"));
    assert_true(in_memory(t, UNTIMED, "b"));
    assert_true(tables_reach(t, TIMED, INT64_MAX, NULL));
    assert_true(tables_horizon_us(t, TIMED) == INT64_MAX);
    tables_destroy(&t);
}

static void test_near_stays_far_goes(void **state)
{
    struct tables *t = tables_new(defs, 2, CACHE);

    (void)state;
    tables_keep_near(t);
    page(t, 100, NULL);
    row_new(t, TIMED, "near", 100);
    row_new(t, TIMED, "far", 101);
    row_new(t, UNTIMED, "never", 1);
    tables_forget(t);
    assert_int_equal(tables_kept(t, TIMED), 1);
    assert_int_equal(tables_kept(t, UNTIMED), 0);
    crowd_out(t, TIMED);
    crowd_out(t, UNTIMED);
    assert_true(in_memory(t, TIMED, "near"));
    assert_false(in_memory(t, TIMED, "far"));
    assert_false(in_memory(t, UNTIMED, "never"));
    assert_string_equal(((const struct row *)table_first(t, TIMED, 0, NULL))->key, "near");
    tables_destroy(&t);
}

/* The horizon lies between two rows that come due at the same instant. */
static void test_equal_dues(void **state)
{
    struct tables *t = tables_new(defs, 2, CACHE);

    (void)state;
    tables_keep_near(t);
    page(t, 100, "k");
    assert_true(tables_reach(t, TIMED, 100, "k"));
    assert_false(tables_reach(t, TIMED, 100, "l"));
    assert_false(tables_reach(t, TIMED, 100, NULL));
    assert_true(tables_reach(t, TIMED, 99, NULL));
    row_new(t, TIMED, "j", 100);
    row_new(t, TIMED, "l", 100);
    tables_forget(t);
    crowd_out(t, TIMED);
    assert_true(in_memory(t, TIMED, "j"));
    assert_false(in_memory(t, TIMED, "l"));
    tables_destroy(&t);
}

static void test_due_moves_near_and_away(void **state)
{
    struct tables *t = tables_new(defs, 2, CACHE);

    (void)state;
    tables_keep_near(t);
    page(t, 100, NULL);
    row_new(t, TIMED, "a", 500);
    row_new(t, TIMED, "b", 50);
    tables_forget(t);
    ((struct row *)table_change(t, TIMED, "a"))->due_us = 60;
    ((struct row *)table_change(t, TIMED, "b"))->due_us = 700;
    tables_forget(t);
    crowd_out(t, TIMED);
    assert_true(in_memory(t, TIMED, "a"));
    assert_false(in_memory(t, TIMED, "b"));
    tables_destroy(&t);
}

/* A row in the cache becomes near because the horizon comes to it. */
static void test_horizon_comes_to_a_cached_row(void **state)
{
    struct tables *t = tables_new(defs, 2, CACHE);

    (void)state;
    tables_keep_near(t);
    page(t, 100, NULL);
    row_new(t, TIMED, "a", 500);
    tables_forget(t);
    assert_int_equal(tables_kept(t, TIMED), 0);
    page(t, 500, "a");
    assert_int_equal(tables_kept(t, TIMED), 1);
    crowd_out(t, TIMED);
    assert_true(in_memory(t, TIMED, "a"));
    tables_destroy(&t);
}

/* Read as near, closed and written meanwhile: it does not come back, although the cache is crowded.
 */
static void test_closed_while_the_page_is_on_its_way(void **state)
{
    struct tables *t = tables_new(defs, 2, CACHE);
    struct row image = {.key = "a", .open = true, .due_us = 200, .load = 1};

    (void)state;
    tables_keep_near(t);
    page(t, 100, NULL);
    tables_page_begin(t, TIMED);
    tables_fill(t, TIMED, "a", &image);
    struct row *row = table_change(t, TIMED, "a");
    row->open = false;
    row->load = 2;
    tables_forget(t);
    crowd_out(t, TIMED);
    tables_page_row(t, TIMED, &image);
    tables_page_end(t, TIMED, 300, NULL);
    assert_int_equal(((const struct row *)table_get(t, TIMED, "a"))->load, 2);
    assert_null(table_first(t, TIMED, 0, NULL));
    tables_destroy(&t);
}

static void test_wanted(void **state)
{
    struct tables *t = tables_new(defs, 2, CACHE);
    struct due_page wanted;

    (void)state;
    tables_want_due(t, TIMED, 50);
    assert_false(tables_wanted(t, TIMED, &wanted)); /* everything is there */
    tables_keep_near(t);
    tables_want_due(t, TIMED, 50);
    assert_true(tables_wanted(t, TIMED, &wanted));
    assert_true(wanted.until_us == 50 && wanted.due_us < 0);
    tables_page_begin(t, TIMED);
    tables_want_due(t, TIMED, 90); /* asks again when it has come */
    assert_false(tables_wanted(t, TIMED, &wanted));
    assert_true(tables_page_until_us(t, TIMED) == 50);
    tables_page_end(t, TIMED, 50, NULL);
    assert_false(tables_wanted(t, TIMED, &wanted));
    tables_want_due(t, TIMED, 50);
    assert_false(tables_wanted(t, TIMED, &wanted));
    tables_clear(t);
    assert_true(tables_reach(t, TIMED, INT64_MAX, NULL));
    tables_destroy(&t);
}

static void version_set(struct tables *t, const char *key, const char *version, bool open)
{
    struct row *row = row_new(t, TIMED, key, 0);

    row->open = open;
    text_copy(row->version, sizeof row->version, version);
}

static void test_questions_from_memory(void **state)
{
    struct tables *t = tables_new(defs, 2, CACHE);
    struct sweep_question question;
    const char *const *texts;
    bool more;

    (void)state;
    version_set(t, "c", "v1", true);
    version_set(t, "a", "v2", true);
    version_set(t, "b", "v1", true);
    version_set(t, "d", "v0", false);
    version_set(t, "e", "", true);
    tables_ask_values(t, TIMED);
    assert_false(tables_asked(t, TIMED, &question));
    assert_int_equal(tables_answer(t, TIMED, &texts, &more), 2);
    assert_string_equal(texts[0], "v1");
    assert_string_equal(texts[1], "v2");
    tables_ask_keys(t, TIMED, texts[0], "");
    assert_int_equal(tables_answer(t, TIMED, &texts, &more), 2);
    assert_string_equal(texts[0], "b");
    assert_string_equal(texts[1], "c");
    assert_false(more);
    tables_ask_keys(t, TIMED, "v1", texts[0]);
    assert_int_equal(tables_answer(t, TIMED, &texts, &more), 1);
    tables_clear(t);
    tables_keep_near(t);
    tables_ask_keys(t, TIMED, "v1", "b"); /* somebody else has to answer */
    assert_true(tables_asked(t, TIMED, &question));
    assert_string_equal(question.value, "v1");
    assert_string_equal(question.after_key, "b");
    tables_answer_add(t, TIMED, "c");
    tables_answer_end(t, TIMED, true);
    assert_int_equal(tables_answer(t, TIMED, &texts, &more), 1);
    assert_true(more);
    tables_destroy(&t);
}

/* --- model ---------------------------------------------------------------------------------------
 */

struct image {
    bool exists;
    struct row row;
};

struct model {
    struct image now[KEYS];     /* as handlers must see it */
    struct image marked[KEYS];  /* at the last mark */
    struct image sent[KEYS];    /* what the last transaction wrote, perhaps not visible yet */
    struct image visible[KEYS]; /* what another connection sees */
    size_t mark;
    bool has_mark, paging;
    struct image snapshot[KEYS]; /* the page's */
    int64_t until_us;
    int64_t due_us; /* the horizon */
    char key[16];
};

static uint64_t dice;

static size_t roll(size_t n)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (size_t)((dice >> 11) % n);
}

static const char *key_text(size_t k)
{
    static char text[16];

    snprintf(text, sizeof text, "K%02zu", k * 37 % KEYS);
    return text;
}

/* Handlers' gets: what is missed is fetched from what is visible. */
static const struct row *get(struct tables *t, struct model *m, size_t k)
{
    const struct row *row = table_get(t, TIMED, key_text(k));
    const struct miss *misses;

    if (row == NULL && tables_missed(t)) {
        assert_int_equal(tables_misses(t, &misses), 1);
        tables_fill(t, TIMED, key_text(k), m->visible[k].exists ? &m->visible[k].row : NULL);
        tables_misses_reset(t);
        row = table_get(t, TIMED, key_text(k));
        assert_false(tables_missed(t));
    }
    return row;
}

static void check_get(struct tables *t, struct model *m, size_t k)
{
    const struct row *row = get(t, m, k);

    assert_int_equal(row != NULL, m->now[k].exists);
    assert_true(row == NULL || record_equal(&row_record, row, &m->now[k].row));
}

static void scribble(struct row *row)
{
    switch (roll(4)) {
    case 0:
        row->open = roll(3) != 0;
        break;
    case 1:
        row->load++;
        break;
    default:
        row->due_us = (int64_t)roll(TIMES);
        break;
    }
}

static void step_change(struct tables *t, struct model *m, size_t k)
{
    struct row *row;

    check_get(t, m, k);
    if (m->now[k].exists) {
        row = table_change(t, TIMED, key_text(k));
        scribble(row);
    } else {
        row = row_new(t, TIMED, key_text(k), (int64_t)roll(TIMES));
    }
    m->now[k] = (struct image){true, *row};
}

static bool is_near(const struct model *m, const struct row *row)
{
    return row->open && row->due_us != 0 &&
           (row->due_us < m->due_us || (row->due_us == m->due_us && strcmp(row->key, m->key) <= 0));
}

/* All rows up to the horizon are in memory and in order; a row in the index is as it should be. */
static void check_near(struct tables *t, struct model *m)
{
    size_t near = 0, met = 0;
    const struct row *row, *last = NULL;

    for (size_t k = 0; k < KEYS; k++) {
        if (m->now[k].exists && is_near(m, &m->now[k].row)) {
            near++;
            assert_non_null(table_get(t, TIMED, key_text(k)));
        }
    }
    for (row = table_first(t, TIMED, 0, NULL); row != NULL; row = table_next(t, TIMED, 0, row)) {
        assert_true(last == NULL || last->due_us < row->due_us ||
                    (last->due_us == row->due_us && strcmp(last->key, row->key) < 0));
        met += is_near(m, row);
        last = row;
    }
    assert_int_equal(met, near);
}

static void land(struct model *m)
{
    memcpy(m->visible, m->sent, sizeof m->visible);
}

/* The transaction before has landed by now; this one may land at any time from here on. */
static void step_depart(struct tables *t, struct model *m)
{
    land(m);
    tables_depart(t);
    memcpy(m->sent, m->now, sizeof m->sent);
    m->has_mark = false;
}

static void step_forget(struct tables *t, struct model *m)
{
    tables_forget(t);
    memcpy(m->sent, m->now, sizeof m->sent);
    land(m);
    m->has_mark = false;
    size_t near = 0;
    for (size_t k = 0; k < KEYS; k++) {
        near += m->now[k].exists && is_near(m, &m->now[k].row);
    }
    assert_int_equal(tables_kept(t, TIMED), near);
    assert_true(m->paging || tables_rows(t, TIMED) <= near + CACHE);
}

static void step_mark(struct tables *t, struct model *m)
{
    m->mark = tables_mark(t);
    m->has_mark = true;
    memcpy(m->marked, m->now, sizeof m->marked);
}

static void step_undo(struct tables *t, struct model *m)
{
    if (m->has_mark) {
        tables_undo(t, m->mark);
        memcpy(m->now, m->marked, sizeof m->now);
    }
}

static bool is_behind(const struct row *row, int64_t due_us, const char *key)
{
    return row->due_us > due_us || (row->due_us == due_us && strcmp(row->key, key) > 0);
}

static const struct image *first_behind(const struct model *m, int64_t due_us, const char *key)
{
    const struct image *first = NULL;

    for (size_t k = 0; k < KEYS; k++) {
        const struct image *i = &m->snapshot[k];
        if (i->exists && i->row.open && i->row.due_us != 0 && i->row.due_us <= m->until_us &&
            is_behind(&i->row, due_us, key) &&
            (first == NULL || is_behind(&first->row, i->row.due_us, i->row.key))) {
            first = i;
        }
    }
    return first;
}

static void step_page_begin(struct tables *t, struct model *m)
{
    struct due_page wanted;

    m->until_us = m->due_us + (int64_t)roll(4);
    tables_want_due(t, TIMED, m->until_us);
    if (!m->paging && tables_wanted(t, TIMED, &wanted)) {
        m->until_us = wanted.until_us;
        m->paging = true;
        tables_page_begin(t, TIMED);
        memcpy(m->snapshot, m->visible, sizeof m->snapshot);
    }
}

static void step_page_end(struct tables *t, struct model *m)
{
    int64_t due_us = m->due_us;
    char key[16];
    const struct image *i;
    size_t n = 0;

    text_copy(key, sizeof key, m->key);
    while (n < PAGE && (i = first_behind(m, due_us, key)) != NULL) {
        tables_page_row(t, TIMED, &i->row);
        due_us = i->row.due_us;
        text_copy(key, sizeof key, i->row.key);
        n++;
    }
    bool full = n == PAGE;
    m->due_us = full ? due_us : m->until_us;
    text_copy(m->key, sizeof m->key, full ? key : "~");
    tables_page_end(t, TIMED, m->due_us, full ? key : NULL);
    m->paging = false;
}

static void step_clear(struct tables *t, struct model *m)
{
    land(m);
    memcpy(m->now, m->visible, sizeof m->now);
    m->has_mark = m->paging = false;
    m->due_us = -1;
    text_copy(m->key, sizeof m->key, "~");
    tables_clear(t);
    tables_keep_near(t);
    tables_page_begin(t, TIMED);
    tables_page_end(t, TIMED, m->due_us, NULL);
}

static void step(struct tables *t, struct model *m)
{
    size_t what = roll(1000), k = roll(KEYS);

    if (what < 250) {
        check_get(t, m, k);
    } else if (what < 600) {
        step_change(t, m, k);
    } else if (what < 680) {
        step_mark(t, m);
    } else if (what < 730) {
        step_undo(t, m);
    } else if (what < 780) {
        step_forget(t, m);
    } else if (what < 830) {
        step_depart(t, m);
    } else if (what < 880) {
        land(m);
    } else if (what < 997) {
        (m->paging ? step_page_end : step_page_begin)(t, m);
    } else {
        step_clear(t, m);
    }
    check_near(t, m);
}

static void test_model(void **state)
{
    struct model *m = test_calloc(1, sizeof *m);
    size_t far = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct tables *t = tables_new(defs, 2, CACHE);
        memset(m, 0, sizeof *m);
        dice = seed * UINT64_C(0x9E3779B97F4A7C15);
        step_clear(t, m);
        for (size_t i = 0; i < STEPS; i++) {
            step(t, m);
            far += tables_rows(t, TIMED) < KEYS / 2;
        }
        tables_destroy(&t);
    }
    assert_true(far > STEPS / 10);
    test_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_is_kept_until_told),
        cmocka_unit_test(test_near_stays_far_goes),
        cmocka_unit_test(test_equal_dues),
        cmocka_unit_test(test_due_moves_near_and_away),
        cmocka_unit_test(test_horizon_comes_to_a_cached_row),
        cmocka_unit_test(test_closed_while_the_page_is_on_its_way),
        cmocka_unit_test(test_wanted),
        cmocka_unit_test(test_questions_from_memory),
        cmocka_unit_test(test_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
