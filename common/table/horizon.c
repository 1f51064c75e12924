/* Far tables: of their open rows only those up to a horizon are kept. It moves on by pages that
 * somebody reads in the order of due, then key; a row that is in memory when its page comes is
 * newer than what was read, since none leaves meanwhile. */
#include "base/text.h"
#include "table/inside.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BEHIND_ALL_KEYS                                                                            \
    "\xf4\x8f\xbf\xbf" /* U+10FFFF, the last character there is; no key has it */
#define BEFORE_ALL_DUE_US (-62135596800 * SECOND_US) /* the year 1 */

static bool has_time_at(const struct record *row, uint32_t offset)
{
    for (size_t i = 0; i < row->n; i++) {
        if (row->fields[i].kind == FIELD_TIME && row->fields[i].offset == offset &&
            (row->fields[i].flags & FIELD_VOLATILE) == 0) {
            return true;
        }
    }
    return false;
}

void horizon_init(struct table *t)
{
    const struct table_def *def = t->def;

    assert(!def->far ||
           (def->open_offset != 0 && !def->whole && def->indexes_n == (def->due_offset != 0)));
    assert(def->due_offset == 0 || (def->far && has_time_at(def->row, def->due_offset)));
    t->horizon.key = memory_new(t->key_cap + sizeof BEHIND_ALL_KEYS);
    horizon_clear(t);
}

void horizon_release(struct table *t)
{
    free(t->horizon.key);
}

void horizon_clear(struct table *t)
{
    t->horizon = (struct horizon){.everything = true, .key = t->horizon.key};
}

static void horizon_set(struct horizon *h, int64_t due_us, const char *key)
{
    const char *at = key == NULL ? BEHIND_ALL_KEYS : key;

    h->due_us = due_us;
    memmove(h->key, at, strlen(at) + 1);
}

static int64_t row_due_us(const struct table *t, const void *row)
{
    int64_t due_us;

    memcpy(&due_us, (const char *)row + t->def->due_offset, sizeof due_us);
    return due_us;
}

static bool horizon_covers(const struct horizon *h, int64_t due_us, const char *key)
{
    return h->everything || due_us < h->due_us || (due_us == h->due_us && strcmp(key, h->key) <= 0);
}

bool horizon_holds(const struct table *t, const void *row)
{
    if (t->horizon.everything) {
        return true;
    }
    int64_t due_us = t->def->due_offset == 0 ? 0 : row_due_us(t, row);
    return due_us != 0 && horizon_covers(&t->horizon, due_us, (const char *)row + t->key_offset);
}

void tables_keep_near(struct tables *all)
{
    for (size_t i = 0; i < all->n; i++) {
        struct table *t = &all->items[i];
        if (t->def->far) {
            assert(t->rows == 0);
            t->horizon.everything = false;
            horizon_set(&t->horizon, BEFORE_ALL_DUE_US, NULL);
        }
    }
}

bool tables_reach(const struct tables *all, unsigned table, int64_t due_us, const char *key)
{
    assert(table < all->n);
    return horizon_covers(&all->items[table].horizon, due_us, key == NULL ? BEHIND_ALL_KEYS : key);
}

int64_t tables_horizon_us(const struct tables *all, unsigned table)
{
    assert(table < all->n);
    const struct horizon *h = &all->items[table].horizon;

    return h->everything ? INT64_MAX : h->due_us;
}

void tables_want_due(struct tables *all, unsigned table, int64_t until_us)
{
    struct horizon *h = &all->items[table].horizon;

    /* A page on its way was asked for with another end; who still wants more asks again behind it.
     */
    if (!h->paging && !tables_reach(all, table, until_us, NULL)) {
        h->wanted = true;
        h->until_us = until_us;
    }
}

bool tables_wanted(const struct tables *all, unsigned table, struct due_page *page)
{
    assert(table < all->n);
    const struct horizon *h = &all->items[table].horizon;

    if (h->wanted && !h->paging) {
        *page = (struct due_page){.due_us = h->due_us, .until_us = h->until_us, .key = h->key};
    }
    return h->wanted && !h->paging;
}

void tables_page_begin(struct tables *all, unsigned table)
{
    assert(table < all->n && !all->items[table].horizon.paging);
    all->items[table].horizon.paging = true;
}

void tables_page_row(struct tables *all, unsigned table, const void *row)
{
    assert(table < all->n && all->items[table].horizon.paging);
    struct table *t = &all->items[table];
    const char *key = (const char *)row + t->key_offset;
    uint64_t hash = hash_text(key);
    struct entry *e = keys_find(t, key, hash);

    if (e == NULL || e->kind != ENTRY_ROW) {
        row_enter(t, key, hash, row);
    }
}

/* What came near with the new horizon is no longer the cache's. */
static void keep_from(struct table *t, int64_t due_us)
{
    char *probe = memory_new(t->def->row->size);

    record_clear(t->def->row, probe);
    memcpy(probe + t->def->due_offset, &due_us, sizeof due_us);
    const void *row = table_first(t->tables, t->number, 0, probe);
    for (; row != NULL && horizon_holds(t, row); row = table_next(t->tables, t->number, 0, row)) {
        struct entry *e = entry_of(t, row);
        if (e->cached) {
            cache_leave(e);
        }
    }
    free(probe);
}

void tables_page_end(struct tables *all, unsigned table, int64_t due_us, const char *key)
{
    assert(table < all->n && all->items[table].horizon.paging);
    struct table *t = &all->items[table];
    struct horizon *h = &t->horizon;
    int64_t from_us = h->due_us;

    assert(!h->everything && due_us >= from_us);
    h->paging = h->wanted = false;
    horizon_set(h, due_us, key);
    keep_from(t, from_us);
}

int64_t tables_page_until_us(const struct tables *all, unsigned table)
{
    assert(table < all->n && all->items[table].horizon.paging);
    return all->items[table].horizon.until_us;
}

void tables_cache(struct tables *all, unsigned table, size_t rows)
{
    assert(table < all->n);
    all->items[table].cache_rows = rows;
}

size_t tables_kept(const struct tables *all, unsigned table)
{
    assert(table < all->n);
    return all->items[table].rows - all->items[table].cached;
}
