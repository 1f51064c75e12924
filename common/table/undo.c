/* The undo log of a transaction. It serves three ends: undoing an event, knowing which rows are to be
 * written, and telling (by a row's first image) whether anything that is stored has changed at all. */
#include "base/text.h"
#include "table/inside.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define IMAGE_ALIGN 16
#define IMAGES_KEPT_BYTES ((size_t)4 << 20)

size_t tables_mark(struct tables *all)
{
    index_settle(all);
    all->trouble[0] = '\0';
    all->barrier = all->log_n;
    return all->log_n;
}

static void undo_fresh(struct log_item *item)
{
    struct entry *e = item->entry;
    struct table *t = e->table;

    index_drop(e);
    keys_remove(t, e);
    if (item->displaced != NULL) {
        keys_put(t, item->displaced);
    }
    entry_free(e);
}

static void cache_follow(struct entry *e)
{
    bool kept = entry_is_kept(e);

    if (e->cached && kept) {
        cache_leave(e);
    } else if (!e->cached && !kept) {
        cache_enter(e);
    }
}

static void undo_change(struct tables *all, struct log_item *item)
{
    struct entry *e = item->entry;

    index_unsettle(e, false);
    memcpy(entry_row(e), all->images.data + item->image, e->table->def->row->size);
    all->images.len = item->image;
    e->logged = item->before;
    if (e->logged == LOG_NONE) {
        cache_follow(e); /* the horizon may have come to it as it was */
    }
}

void tables_undo(struct tables *all, size_t mark)
{
    assert(mark <= all->log_n);
    while (all->log_n > mark) {
        struct log_item *item = &all->log[--all->log_n];
        item->entry->table->logged--;
        if (item->fresh) {
            undo_fresh(item);
        } else {
            undo_change(all, item);
        }
    }
    all->barrier = mark;
    all->trouble[0] = '\0';
}

static struct log_item *log_add(struct entry *e)
{
    struct tables *all = e->table->tables;

    assert(all->log_n < LOG_NONE);
    all->log = array_room(all->log, all->log_n, &all->log_cap, sizeof *all->log);
    struct log_item *item = &all->log[all->log_n];
    *item = (struct log_item){.entry = e, .before = e->logged};
    e->logged = (uint32_t)all->log_n++;
    e->table->logged++;
    return item;
}

/* A row that was logged behind the last mark has all that an undo needs. */
static bool is_logged(const struct entry *e)
{
    return e->logged != LOG_NONE && e->logged >= e->table->tables->barrier;
}

void *table_change(struct tables *all, unsigned table, const char *key)
{
    const void *row = table_get(all, table, key);

    if (row == NULL) {
        return NULL;
    }
    struct entry *e = entry_of(&all->items[table], row);
    if (is_logged(e)) {
        if (e->unsettled == 0) {
            index_unsettle(e, false);
        }
        return entry_row(e);
    }
    struct log_item *item = log_add(e);
    size_t pad = (IMAGE_ALIGN - all->images.len % IMAGE_ALIGN) % IMAGE_ALIGN;
    size_t size = e->table->def->row->size;
    item->image = all->images.len + pad;
    memcpy(buf_reserve(&all->images, pad + size) + pad, row, size);
    all->images.len += pad + size;
    index_unsettle(e, true);
    return entry_row(e);
}

void *table_new(struct tables *all, unsigned table, const char *key)
{
    assert(table < all->n);
    struct table *t = &all->items[table];
    struct entry *e = entry_new(t, hash_text(key));
    char *row = entry_row(e);

    record_clear(t->def->row, row);
    bool fits = text_copy(row + t->key_offset, t->key_cap, key);
    assert(fits && key[0] != '\0');
    struct entry *displaced = keys_put(t, e);
    assert(displaced == NULL || displaced->kind != ENTRY_ROW);
    struct log_item *item = log_add(e);
    item->fresh = true;
    item->displaced = displaced;
    index_unsettle(e, false);
    return row;
}

static size_t list_add(struct row_list *list, size_t n, const void *row)
{
    list->items = array_room(list->items, n, &list->cap, sizeof *list->items);
    list->items[n] = row;
    return n + 1;
}

size_t tables_dirty(const struct tables *all, unsigned table, bool fresh, const void *const **rows)
{
    assert(table < all->n);
    struct table *t = &all->items[table];
    struct row_list *list = &t->dirty[fresh];
    size_t n = 0;

    for (size_t i = 0; t->logged > 0 && i < all->log_n; i++) {
        const struct log_item *item = &all->log[i];
        if (item->entry->table != t || item->before != LOG_NONE || item->fresh != fresh) {
            continue;
        }
        const void *row = entry_row(item->entry);
        if (fresh || !record_equal(t->def->row, all->images.data + item->image, row)) {
            n = list_add(list, n, row);
        }
    }
    *rows = list->items;
    return n;
}

/* Rows changed since the last forget stay: they are on their way, and nobody could fetch them as they are. */
static void cache_trim(struct table *t)
{
    struct entry *next;

    for (struct entry *e = t->oldest; e != NULL && !t->horizon.paging && t->cached > t->cache_rows; e = next) {
        next = e->newer;
        if (e->logged == LOG_NONE) {
            index_drop(e);
            cache_leave(e);
            keys_remove(t, e);
            entry_free(e);
        }
    }
}

/* Absent keys are known for one transaction; a miss that has not been answered yet stays one. */
static void markers_forget(struct tables *all)
{
    size_t kept = 0;

    for (size_t i = 0; i < all->markers_n; i++) {
        struct entry *m = all->markers[i];
        bool placed = keys_find(m->table, entry_key(m), m->hash) == m;
        if (placed && m->kind == ENTRY_MISSED && m->generation == all->generation) {
            all->markers[kept++] = m;
            continue;
        }
        if (placed) {
            keys_remove(m->table, m);
        }
        entry_free(m);
    }
    all->markers_n = kept;
}

static void caches_trim(struct tables *all)
{
    for (size_t i = 0; i < all->n; i++) {
        cache_trim(&all->items[i]);
    }
}

static void log_forget(struct tables *all)
{
    index_settle(all);
    for (size_t i = 0; i < all->log_n; i++) {
        struct entry *e = all->log[i].entry;
        if (all->log[i].before == LOG_NONE) {
            e->logged = LOG_NONE;
            cache_follow(e);
        }
        e->table->logged = 0;
    }
    all->log_n = 0;
    all->barrier = 0;
    buf_reset(&all->images);
    if (all->images.cap > IMAGES_KEPT_BYTES) {
        buf_release(&all->images);
    }
    markers_forget(all);
}

void tables_forget(struct tables *all)
{
    log_forget(all);
    caches_trim(all);
}

void tables_depart(struct tables *all)
{
    caches_trim(all);
    log_forget(all);
}
