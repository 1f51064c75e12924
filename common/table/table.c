/* Tables of records in memory: making, reading, filling and listing them. */
#include "base/text.h"
#include "table/inside.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MISS_KEYS_BLOCK_BYTES 4096

static bool has_bool_at(const struct record *row, uint32_t offset)
{
    for (size_t i = 0; i < row->n; i++) {
        if (row->fields[i].kind == FIELD_BOOL && row->fields[i].offset == offset &&
            (row->fields[i].flags & FIELD_VOLATILE) == 0) {
            return true;
        }
    }
    return false;
}

static void table_init(struct table *t, struct tables *all, unsigned number, const struct table_def *def)
{
    size_t head = sizeof(struct entry) + def->indexes_n * sizeof(struct tree_node);

    assert(def->row->n > 0 && def->row->fields[0].kind == FIELD_TEXT);
    assert(def->open_offset == 0 || has_bool_at(def->row, def->open_offset));
    t->tables = all;
    t->def = def;
    t->number = number;
    t->row_offset = (head + 15) / 16 * 16;
    t->key_offset = def->row->fields[0].offset;
    t->key_cap = def->row->fields[0].size;
    index_init(t);
    horizon_init(t);
    sweep_init(t);
}

struct tables *tables_new(const struct table_def *const *defs, size_t n, size_t cache_rows)
{
    struct tables *all = memory_new(sizeof *all);

    all->items = memory_new((n > 0 ? n : 1) * sizeof *all->items);
    all->n = n;
    all->miss_keys = arena_new(MISS_KEYS_BLOCK_BYTES);
    all->generation = 1;
    for (size_t i = 0; i < n; i++) {
        table_init(&all->items[i], all, (unsigned)i, defs[i]);
        all->items[i].cache_rows = cache_rows;
    }
    return all;
}

void tables_keep_all(struct tables *all)
{
    all->keeps_all = true;
    for (size_t i = 0; i < all->n; i++) {
        all->items[i].cache_rows = SIZE_MAX;
    }
}

static void table_clear(struct table *t)
{
    for (size_t i = 0; i < t->keys.cap; i++) {
        struct entry *e = t->keys.slots[i].entry;
        if (e != NULL && e->kind == ENTRY_ROW) {
            entry_free(e);
        }
    }
    free(t->keys.slots);
    t->keys = (struct keys){0};
    t->newest = t->oldest = NULL;
    t->cached = 0;
    t->logged = 0;
    index_init(t);
    horizon_clear(t);
    sweep_clear(t);
}

void tables_clear(struct tables *all)
{
    for (size_t i = 0; i < all->n; i++) {
        table_clear(&all->items[i]);
    }
    for (size_t i = 0; i < all->markers_n; i++) {
        entry_free(all->markers[i]);
    }
    all->markers_n = 0;
    all->unsettled_n = 0;
    all->log_n = 0;
    all->barrier = 0;
    all->trouble[0] = '\0';
    buf_reset(&all->images);
    tables_misses_reset(all);
}

void tables_destroy(struct tables **self)
{
    struct tables *all = *self;

    if (all == NULL) {
        return;
    }
    tables_clear(all);
    for (size_t i = 0; i < all->n; i++) {
        free(all->items[i].dirty[0].items);
        free(all->items[i].dirty[1].items);
        horizon_release(&all->items[i]);
        sweep_release(&all->items[i]);
    }
    arena_destroy(&all->miss_keys);
    buf_release(&all->images);
    free(all->items);
    free(all->log);
    free(all->unsettled);
    free(all->markers);
    free(all->misses);
    free(all);
    *self = NULL;
}

size_t tables_count(const struct tables *all)
{
    return all->n;
}

const struct table_def *tables_def(const struct tables *all, unsigned table)
{
    assert(table < all->n);
    return all->items[table].def;
}

static void miss_add(struct table *t, const char *key)
{
    struct tables *all = t->tables;

    all->misses = array_room(all->misses, all->misses_n, &all->misses_cap, sizeof *all->misses);
    all->misses[all->misses_n++] = (struct miss){t->number, arena_text(all->miss_keys, key)};
}

/* The key is not in memory: unless it is known that there is none, somebody has to look. */
static void key_missed(struct table *t, const char *key, uint64_t hash, struct entry *marker)
{
    if (t->def->whole || t->tables->keeps_all || (marker != NULL && marker->kind == ENTRY_ABSENT)) {
        return;
    }
    if (marker == NULL) {
        marker = marker_new(t, key, hash, ENTRY_MISSED);
        keys_put(t, marker);
    } else if (marker->generation == t->tables->generation) {
        return;
    }
    marker->generation = t->tables->generation;
    miss_add(t, key);
}

const void *table_get(const struct tables *all, unsigned table, const char *key)
{
    assert(table < all->n);
    /* Misses and the order of use are not what const promises a handler: the rows are. */
    struct table *t = &all->items[table];
    uint64_t hash = hash_text(key);
    struct entry *e = keys_find(t, key, hash);

    if (e == NULL || e->kind != ENTRY_ROW) {
        key_missed(t, key, hash, e);
        return NULL;
    }
    cache_touch(e);
    return entry_row(e);
}

bool tables_trouble(struct tables *all, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(all->trouble, sizeof all->trouble, format, args);
    va_end(args);
    return false;
}

const char *tables_trouble_text(const struct tables *all)
{
    return all->trouble;
}

size_t tables_misses(const struct tables *all, const struct miss **misses)
{
    *misses = all->misses;
    return all->misses_n;
}

bool tables_missed(const struct tables *all)
{
    return all->misses_n > 0;
}

void tables_misses_reset(struct tables *all)
{
    all->misses_n = 0;
    all->generation++;
    arena_reset(all->miss_keys);
}

void row_enter(struct table *t, const char *key, uint64_t hash, const void *row)
{
    struct entry *e = entry_new(t, hash);

    memcpy(entry_row(e), row, t->def->row->size);
    assert(strcmp(entry_key(e), key) == 0);
    keys_put(t, e); /* a marker that stood there is freed by tables_forget */
    if (!entry_is_kept(e)) {
        cache_enter(e);
    }
    if (entry_is_open(e)) {
        index_unsettle(e, false);
    }
}

void tables_fill(struct tables *all, unsigned table, const char *key, const void *row)
{
    assert(table < all->n);
    struct table *t = &all->items[table];
    uint64_t hash = hash_text(key);
    struct entry *e = keys_find(t, key, hash);

    if (e != NULL && e->kind == ENTRY_ROW) {
        return;
    }
    if (row != NULL) {
        row_enter(t, key, hash, row);
    } else if (e != NULL) {
        e->kind = ENTRY_ABSENT;
    } else if (!t->def->whole) {
        keys_put(t, marker_new(t, key, hash, ENTRY_ABSENT));
    }
}

void tables_load(struct tables *all, unsigned table, const void *row)
{
    assert(table < all->n);
    struct table *t = &all->items[table];
    const char *key = (const char *)row + t->key_offset;
    uint64_t hash = hash_text(key);
    struct entry *e = keys_find(t, key, hash);

    assert(e == NULL || e->kind != ENTRY_ROW);
    row_enter(t, key, hash, row);
}

size_t tables_rows(const struct tables *all, unsigned table)
{
    assert(table < all->n);
    return all->items[table].rows;
}

size_t tables_bytes(const struct tables *all)
{
    size_t bytes = sizeof *all + all->n * sizeof *all->items + all->block_bytes + all->images.cap +
                   all->log_cap * sizeof *all->log + all->unsettled_cap * sizeof *all->unsettled +
                   all->markers_cap * sizeof *all->markers + all->misses_cap * sizeof *all->misses +
                   arena_used(all->miss_keys);

    for (size_t i = 0; i < all->n; i++) {
        const struct table *t = &all->items[i];
        bytes += t->keys.cap * sizeof *t->keys.slots;
        bytes += (t->dirty[0].cap + t->dirty[1].cap) * sizeof *t->dirty[0].items;
    }
    return bytes;
}

static int entries_compare(const void *a, const void *b)
{
    return strcmp(entry_key(*(struct entry *const *)a), entry_key(*(struct entry *const *)b));
}

void tables_each(const struct tables *all, unsigned table, void (*visit)(const void *row, void *arg), void *arg)
{
    assert(table < all->n);
    const struct table *t = &all->items[table];
    struct entry **sorted = memory_new((t->rows + 1) * sizeof(struct entry *));
    size_t n = 0;

    for (size_t i = 0; i < t->keys.cap; i++) {
        struct entry *e = t->keys.slots[i].entry;
        if (e != NULL && e->kind == ENTRY_ROW) {
            sorted[n++] = e;
        }
    }
    assert(n == t->rows);
    qsort(sorted, n, sizeof(struct entry *), entries_compare);
    for (size_t i = 0; i < n; i++) {
        visit(entry_row(sorted[i]), arg);
    }
    free(sorted);
}
