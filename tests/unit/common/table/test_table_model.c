/* Tables against a naive model of them: seeded random operations, every answer compared. The model keeps all rows in
 * arrays, copies everything at each mark, and sorts for each index walk. */
#include "base/text.h"
#include "table/table.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { KEYS = 48, MARKS = 12, CACHE = 5, STEPS = 60000, SEEDS = 6 };

struct row {
    char key[16];
    bool open;
    int64_t due_us;
    int64_t load;
    int64_t pending; /* volatile */
};
static const struct field row_fields[] = {
    F_TEXT(row, key, FIELD_REQUIRED, "key"), F_BOOL(row, open, 0, "open"), F_TIME(row, due, 0, "due"),
    F_INT(row, load, 0, "load"), F_INT(row, pending, FIELD_VOLATILE, "pending")};
static const struct record row_record = RECORD(row, row_fields, "a row");

static int by_due(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    return (x->due_us > y->due_us) - (x->due_us < y->due_us);
}

static int by_load(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    return (x->load + x->pending > y->load + y->pending) - (x->load + x->pending < y->load + y->pending);
}

static int by_nothing(const void *a, const void *b)
{
    (void)a;
    (void)b;
    return 0;
}

static bool is_due(const void *row)
{
    return ((const struct row *)row)->due_us != 0;
}

static bool is_light(const void *row)
{
    return ((const struct row *)row)->load < 4;
}

static const struct index_def indexes[] = {
    {"due", by_due, is_due}, {"load", by_load, NULL}, {"key", by_nothing, NULL}, {"light", by_load, is_light}};
static const struct table_def table = {
    .name = "t", .row = &row_record, .open_offset = offsetof(struct row, open), .indexes = indexes, .indexes_n = 4};
static const struct table_def *const defs[] = {&table};

/* What is undone: rows, and in which order they were first changed. */
struct story {
    bool exists[KEYS];
    struct row rows[KEYS];
    size_t first_change[KEYS]; /* 0: unchanged since the last forget */
    size_t changes;
};

struct model {
    struct story now;
    struct {
        size_t mark;
        struct story story;
    } marks[MARKS];
    size_t marks_n;
    bool stored[KEYS]; /* the database */
    struct row database[KEYS];
    bool resident[KEYS];
    size_t used[KEYS]; /* closed rows in the cache: when last used; 0: not in the cache */
    size_t uses;
    bool known_absent[KEYS];
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

    snprintf(text, sizeof text, "K%zu", k * 7919 % 1000);
    return text;
}

static void use(struct model *m, size_t k)
{
    if (m->used[k] != 0) {
        m->used[k] = ++m->uses;
    }
}

static bool row_same(const struct row *a, const struct row *b)
{
    return record_equal(&row_record, a, b) && a->pending == b->pending;
}

/* Fetches what is not there, as the runtime does; the row in memory, or NULL: there is none. */
static void fetch(struct tables *t, struct model *m, size_t k)
{
    const struct miss *misses;
    bool missing = !m->resident[k] && !m->known_absent[k];

    if (missing) {
        assert_null(table_get(t, 0, key_text(k)));
        assert_null(table_change(t, 0, key_text(k)));
        assert_int_equal(tables_misses(t, &misses), 1);
        assert_string_equal(misses[0].key, key_text(k));
        tables_fill(t, 0, misses[0].key, m->stored[k] ? &m->database[k] : NULL);
        m->resident[k] = m->stored[k];
        m->known_absent[k] = !m->stored[k];
        if (m->stored[k] && !m->database[k].open) {
            m->used[k] = ++m->uses;
        }
        tables_misses_reset(t);
    }
}

static void check_get(struct tables *t, struct model *m, size_t k)
{
    fetch(t, m, k);
    const struct row *row = table_get(t, 0, key_text(k));
    assert_false(tables_missed(t));
    assert_int_equal(row != NULL, m->now.exists[k]);
    if (row != NULL) {
        use(m, k);
        assert_true(row_same(row, &m->now.rows[k]));
    }
}

static void scribble(struct row *row)
{
    size_t what = roll(8);

    if (what < 2) {
        row->due_us = (int64_t)roll(6);
    } else if (what < 4) {
        row->load = (int64_t)roll(6);
    } else if (what < 6) {
        row->pending = (int64_t)roll(4);
    } else if (what < 7) {
        row->open = !row->open;
    } /* else: changed in name only */
}

static void note_change(struct model *m, size_t k)
{
    if (m->now.first_change[k] == 0) {
        m->now.first_change[k] = ++m->now.changes;
    }
}

static void step_change(struct tables *t, struct model *m, size_t k)
{
    fetch(t, m, k);
    if (m->now.exists[k]) {
        struct row *row = table_change(t, 0, key_text(k));
        assert_non_null(row);
        use(m, k);
        scribble(row);
        m->now.rows[k] = *row;
        note_change(m, k);
    }
}

static void step_new(struct tables *t, struct model *m, size_t k)
{
    if (m->now.exists[k]) {
        return;
    }
    struct row *row = table_new(t, 0, key_text(k));
    assert_string_equal(row->key, key_text(k));
    assert_int_equal(row->load, 0);
    row->open = roll(3) != 0;
    scribble(row);
    m->now.exists[k] = m->resident[k] = true;
    m->now.rows[k] = *row;
    note_change(m, k);
}

static void step_mark(struct tables *t, struct model *m)
{
    if (m->marks_n == MARKS) {
        m->marks_n = 0; /* earlier marks are never undone to */
    }
    m->marks[m->marks_n].mark = tables_mark(t);
    m->marks[m->marks_n].story = m->now;
    m->marks_n++;
}

static void step_undo(struct tables *t, struct model *m)
{
    if (m->marks_n == 0) {
        return;
    }
    m->marks_n = roll(m->marks_n) + (roll(4) != 0 ? 0 : 1);
    m->marks_n = m->marks_n == 0 ? 1 : m->marks_n;
    tables_undo(t, m->marks[m->marks_n - 1].mark);
    const struct story *story = &m->marks[m->marks_n - 1].story;
    for (size_t k = 0; k < KEYS; k++) {
        if (m->now.exists[k] && !story->exists[k]) {
            m->resident[k] = false;
        }
    }
    m->now = *story;
}

static size_t model_rows(const struct model *m)
{
    size_t n = 0;

    for (size_t k = 0; k < KEYS; k++) {
        n += m->resident[k];
    }
    return n;
}

static size_t cached_rows(const struct model *m)
{
    size_t n = 0;

    for (size_t k = 0; k < KEYS; k++) {
        n += m->used[k] != 0;
    }
    return n;
}

/* The changed rows in the order of their first change; a key past the last one when there is none. */
static size_t next_changed(const struct story *s, size_t after)
{
    size_t best = KEYS;

    for (size_t k = 0; k < KEYS; k++) {
        if (s->first_change[k] > after && (best == KEYS || s->first_change[k] < s->first_change[best])) {
            best = k;
        }
    }
    return best;
}

static void check_dirty(struct tables *t, struct model *m)
{
    const void *const *fresh, *const *changed;
    size_t fresh_n = tables_dirty(t, 0, true, &fresh), changed_n = tables_dirty(t, 0, false, &changed);
    size_t f = 0, c = 0;

    for (size_t k = next_changed(&m->now, 0); k < KEYS; k = next_changed(&m->now, m->now.first_change[k])) {
        const struct row *now = &m->now.rows[k];
        if (!m->stored[k]) {
            assert_true(f < fresh_n && row_same(fresh[f], now));
            f++;
        } else if (!record_equal(&row_record, now, &m->database[k])) {
            assert_true(c < changed_n && row_same(changed[c], now));
            c++;
        }
    }
    assert_int_equal(f, fresh_n);
    assert_int_equal(c, changed_n);
}

static void evict(struct model *m)
{
    while (cached_rows(m) > CACHE) {
        size_t oldest = KEYS;
        for (size_t k = 0; k < KEYS; k++) {
            if (m->used[k] != 0 && (oldest == KEYS || m->used[k] < m->used[oldest])) {
                oldest = k;
            }
        }
        m->used[oldest] = 0;
        m->resident[oldest] = false;
        m->now.rows[oldest].pending = 0;
    }
}

static void step_forget(struct tables *t, struct model *m)
{
    check_dirty(t, m);
    tables_forget(t);
    for (size_t k = next_changed(&m->now, 0); k < KEYS; k = next_changed(&m->now, m->now.first_change[k])) {
        bool closed = !m->now.rows[k].open;
        if (!closed) {
            m->used[k] = 0;
        } else if (m->used[k] == 0) {
            m->used[k] = ++m->uses;
        }
        m->stored[k] = true;
        m->database[k] = m->now.rows[k];
        m->database[k].pending = 0;
    }
    evict(m);
    memset(m->now.first_change, 0, sizeof m->now.first_change);
    memset(m->known_absent, 0, sizeof m->known_absent);
    m->now.changes = 0;
    m->marks_n = 0;
    assert_int_equal(tables_rows(t, 0), model_rows(m));
}

static void step_clear(struct tables *t, struct model *m)
{
    tables_clear(t);
    memset(&m->now, 0, sizeof m->now);
    memset(m->resident, 0, sizeof m->resident);
    memset(m->used, 0, sizeof m->used);
    memset(m->known_absent, 0, sizeof m->known_absent);
    m->marks_n = 0;
    for (size_t k = 0; k < KEYS; k++) {
        m->now.exists[k] = m->stored[k];
        m->now.rows[k] = m->database[k];
        if (m->stored[k] && m->database[k].open) {
            m->resident[k] = true;
            tables_load(t, 0, &m->database[k]);
        }
    }
}

static unsigned sorting;

static int sort_compare(const void *a, const void *b)
{
    const struct row *x = *(const struct row *const *)a, *y = *(const struct row *const *)b;
    int c = indexes[sorting].compare(x, y);

    return c != 0 ? c : strcmp(x->key, y->key);
}

static void check_walk(struct tables *t, struct model *m, unsigned index, const struct row *from)
{
    const struct row *sorted[KEYS];
    size_t n = 0, i = 0;

    for (size_t k = 0; k < KEYS; k++) {
        const struct row *row = &m->now.rows[k];
        if (m->now.exists[k] && row->open && (indexes[index].holds == NULL || indexes[index].holds(row))) {
            sorted[n++] = row;
        }
    }
    sorting = index;
    qsort(sorted, n, sizeof sorted[0], sort_compare);
    while (from != NULL && i < n && sort_compare(&sorted[i], &from) < 0) {
        i++;
    }
    const struct row *row = table_first(t, 0, index, from);
    for (; row != NULL; row = table_next(t, 0, index, row), i++) {
        assert_true(i < n && row_same(row, sorted[i]));
    }
    assert_int_equal(i, n);
}

static void step_walk(struct tables *t, struct model *m)
{
    struct row from = {.due_us = (int64_t)roll(6), .load = (int64_t)roll(6)};

    if (roll(2) == 0) {
        text_copy(from.key, sizeof from.key, key_text(roll(KEYS)));
    }
    check_walk(t, m, (unsigned)roll(COUNT_OF(indexes)), roll(2) == 0 ? &from : NULL);
}

static void visit(const void *row, void *arg)
{
    const struct row **last = arg;

    assert_true(*last == NULL || strcmp((*last)->key, ((const struct row *)row)->key) < 0);
    *last = row;
}

static void step(struct tables *t, struct model *m)
{
    size_t what = roll(100), k = roll(KEYS);

    if (what < 25) {
        check_get(t, m, k);
    } else if (what < 60) {
        step_change(t, m, k);
    } else if (what < 68) {
        step_new(t, m, k);
    } else if (what < 80) {
        step_walk(t, m);
    } else if (what < 90) {
        step_mark(t, m);
    } else if (what < 95) {
        step_undo(t, m);
    } else if (what < 97) {
        check_dirty(t, m);
    } else if (what < 99 || roll(10) != 0) {
        step_forget(t, m);
    } else {
        step_clear(t, m);
    }
}

static void test_model(void **state)
{
    struct model *m = test_calloc(1, sizeof *m);

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct tables *t = tables_new(defs, 1, CACHE);
        const struct row *last = NULL;
        memset(m, 0, sizeof *m);
        dice = seed * UINT64_C(0x9E3779B97F4A7C15);
        for (size_t i = 0; i < STEPS; i++) {
            step(t, m);
        }
        for (unsigned index = 0; index < COUNT_OF(indexes); index++) {
            check_walk(t, m, index, NULL);
        }
        tables_each(t, 0, visit, &last);
        assert_true(model_rows(m) > KEYS / 4);
        tables_destroy(&t);
    }
    test_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_model)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
