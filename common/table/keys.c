/* Entries and the key table that finds them. */
#include "base/text.h"
#include "table/inside.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_CAP_FIRST 64

void *array_room(void *items, size_t n, size_t *cap, size_t size)
{
    if (n < *cap) {
        return items;
    }
    *cap = *cap == 0 ? 32 : *cap * 2;
    return memory_grow(items, *cap * size);
}

void *entry_row(const struct entry *e)
{
    assert(e->kind == ENTRY_ROW);
    return (char *)(uintptr_t)e + e->table->row_offset;
}

const char *entry_key(const struct entry *e)
{
    if (e->kind != ENTRY_ROW) {
        return (const char *)e->nodes;
    }
    return (const char *)e + e->table->row_offset + e->table->key_offset;
}

struct entry *entry_of(const struct table *t, const void *row)
{
    struct entry *e = (struct entry *)((uintptr_t)row - t->row_offset);

    assert(e->table == t);
    return e;
}

static size_t entry_bytes(const struct entry *e)
{
    if (e->kind == ENTRY_ROW) {
        return e->table->row_offset + e->table->def->row->size;
    }
    return sizeof *e + strlen(entry_key(e)) + 1;
}

static struct entry *entry_begin(struct table *t, size_t bytes, uint64_t hash, enum entry_kind kind)
{
    struct entry *e = memory_new(bytes);

    e->table = t;
    e->hash = hash;
    e->logged = LOG_NONE;
    e->kind = (uint8_t)kind;
    t->tables->block_bytes += bytes;
    return e;
}

struct entry *entry_new(struct table *t, uint64_t hash)
{
    t->rows++;
    return entry_begin(t, t->row_offset + t->def->row->size, hash, ENTRY_ROW);
}

struct entry *marker_new(struct table *t, const char *key, uint64_t hash, enum entry_kind kind)
{
    struct tables *all = t->tables;
    size_t n = strlen(key) + 1;
    struct entry *e = entry_begin(t, sizeof *e + n, hash, kind);

    memcpy(e->nodes, key, n);
    all->markers = array_room(all->markers, all->markers_n, &all->markers_cap, sizeof *all->markers);
    all->markers[all->markers_n++] = e;
    return e;
}

void entry_free(struct entry *e)
{
    e->table->tables->block_bytes -= entry_bytes(e);
    if (e->kind == ENTRY_ROW) {
        e->table->rows--;
    }
    free(e);
}

bool entry_is_open(const struct entry *e)
{
    const struct table_def *def = e->table->def;

    if (def->open_offset == 0) {
        return def->whole;
    }
    return *(const bool *)((const char *)entry_row(e) + def->open_offset);
}

bool entry_is_kept(const struct entry *e)
{
    const struct table_def *def = e->table->def;

    return def->whole || (entry_is_open(e) && (!def->far || horizon_holds(e->table, entry_row(e))));
}

/* The slot of the key, or the free one where it belongs. */
static struct slot *keys_slot(const struct keys *keys, const char *key, uint64_t hash)
{
    size_t at = hash & (keys->cap - 1);

    for (;; at = (at + 1) & (keys->cap - 1)) {
        struct slot *s = &keys->slots[at];
        if (s->entry == NULL || (s->hash == hash && strcmp(entry_key(s->entry), key) == 0)) {
            return s;
        }
    }
}

struct entry *keys_find(const struct table *t, const char *key, uint64_t hash)
{
    return t->keys.cap == 0 ? NULL : keys_slot(&t->keys, key, hash)->entry;
}

static void keys_grow(struct keys *keys)
{
    struct keys old = *keys;

    keys->cap = old.cap == 0 ? KEYS_CAP_FIRST : old.cap * 2;
    keys->slots = memory_new(keys->cap * sizeof *keys->slots);
    for (size_t i = 0; i < old.cap; i++) {
        if (old.slots[i].entry != NULL) {
            *keys_slot(keys, entry_key(old.slots[i].entry), old.slots[i].hash) = old.slots[i];
        }
    }
    free(old.slots);
}

struct entry *keys_put(struct table *t, struct entry *e)
{
    struct keys *keys = &t->keys;

    if ((keys->n + 1) * 4 > keys->cap * 3) {
        keys_grow(keys);
    }
    struct slot *s = keys_slot(keys, entry_key(e), e->hash);
    struct entry *before = s->entry;
    if (before == NULL) {
        keys->n++;
    }
    *s = (struct slot){e->hash, e};
    return before;
}

void keys_remove(struct table *t, const struct entry *e)
{
    struct keys *keys = &t->keys;
    struct slot *s = keys_slot(keys, entry_key(e), e->hash);
    size_t mask = keys->cap - 1;

    assert(s->entry == e);
    size_t hole = (size_t)(s - keys->slots);
    for (size_t at = (hole + 1) & mask; keys->slots[at].entry != NULL; at = (at + 1) & mask) {
        size_t home = keys->slots[at].hash & mask;
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            keys->slots[hole] = keys->slots[at];
            hole = at;
        }
    }
    keys->slots[hole] = (struct slot){0, NULL};
    keys->n--;
}

void cache_enter(struct entry *e)
{
    struct table *t = e->table;

    assert(!e->cached);
    e->cached = true;
    e->newer = NULL;
    e->older = t->newest;
    if (t->newest != NULL) {
        t->newest->newer = e;
    } else {
        t->oldest = e;
    }
    t->newest = e;
    t->cached++;
}

void cache_leave(struct entry *e)
{
    struct table *t = e->table;

    assert(e->cached);
    e->cached = false;
    if (e->newer != NULL) {
        e->newer->older = e->older;
    } else {
        t->newest = e->older;
    }
    if (e->older != NULL) {
        e->older->newer = e->newer;
    } else {
        t->oldest = e->newer;
    }
    e->newer = e->older = NULL;
    t->cached--;
}

void cache_touch(struct entry *e)
{
    if (e->cached && e->table->newest != e) {
        cache_leave(e);
        cache_enter(e);
    }
}
