/* Ordered indexes. A row that is being changed in place is out of order until it is settled; nothing
 * is looked up or inserted in a tree before every such row has been taken out of it. */
#include "base/text.h"
#include "table/inside.h"
#include <assert.h>
#include <string.h>

/* The entry whose node i this is. */
static const struct entry *entry_at(const struct tree_node *node, unsigned i)
{
    return (const struct entry *)((uintptr_t)(node - i) - offsetof(struct entry, nodes));
}

static int rows_compare(const struct table *t, unsigned i, const void *a, const void *b)
{
    int c = t->def->indexes[i].compare(a, b);

    if (c != 0) {
        return c;
    }
    return strcmp((const char *)a + t->key_offset, (const char *)b + t->key_offset);
}

static int nodes_compare(const struct tree_node *a, const struct tree_node *b, unsigned i)
{
    /* One table for both, so that of the other entry only the row is touched: the rest of its head is a cache line more. */
    const struct entry *ea = entry_at(a, i), *eb = entry_at(b, i);
    const struct table *t = ea->table;

    return rows_compare(t, i, (const char *)ea + t->row_offset, (const char *)eb + t->row_offset);
}

/* A tree knows its nodes only: one function for each place a node may have in its entry. */
static int compare_0(const struct tree_node *a, const struct tree_node *b)
{
    return nodes_compare(a, b, 0);
}

static int compare_1(const struct tree_node *a, const struct tree_node *b)
{
    return nodes_compare(a, b, 1);
}

static int compare_2(const struct tree_node *a, const struct tree_node *b)
{
    return nodes_compare(a, b, 2);
}

static int compare_3(const struct tree_node *a, const struct tree_node *b)
{
    return nodes_compare(a, b, 3);
}

static tree_compare *const compares[] = {compare_0, compare_1, compare_2, compare_3};
_Static_assert(COUNT_OF(compares) == TABLE_INDEXES_MAX, "one for each index a table may have");

void index_init(struct table *t)
{
    assert(t->def->indexes_n <= TABLE_INDEXES_MAX);
    for (size_t i = 0; i < t->def->indexes_n; i++) {
        tree_init(&t->indexes[i], compares[i]);
    }
}

static bool index_holds(const struct entry *e, size_t i)
{
    const struct index_def *def = &e->table->def->indexes[i];

    return entry_is_open(e) && (def->holds == NULL || def->holds(entry_row(e)));
}

static void index_unlink(struct entry *e, size_t i)
{
    if ((e->linked & (1u << i)) != 0) {
        tree_remove(&e->table->indexes[i], &e->nodes[i]);
        e->linked = (uint8_t)(e->linked & ~(1u << i));
    }
}

static void index_unlink_all(struct entry *e)
{
    for (size_t i = 0; i < e->table->def->indexes_n; i++) {
        index_unlink(e, i);
    }
    e->lazy = false;
}

void index_unsettle(struct entry *e, bool lazy)
{
    struct tables *all = e->table->tables;

    if (e->table->def->indexes_n == 0) {
        return;
    }
    if (!lazy) {
        index_unlink_all(e);
    }
    if (e->unsettled != 0) {
        return;
    }
    e->lazy = lazy;
    all->unsettled =
        array_room(all->unsettled, all->unsettled_n, &all->unsettled_cap, sizeof *all->unsettled);
    all->unsettled[all->unsettled_n++] = e;
    e->unsettled = (uint32_t)all->unsettled_n;
}

void index_drop(struct entry *e)
{
    struct tables *all = e->table->tables;

    index_unlink_all(e);
    if (e->unsettled != 0) {
        struct entry *last = all->unsettled[--all->unsettled_n];
        all->unsettled[e->unsettled - 1] = last;
        last->unsettled = e->unsettled;
        e->unsettled = 0;
    }
}

/* Takes the row out of the indexes in which it has moved since its image was taken. Most changes move
 * nothing, and then the tree is not touched. */
static void index_unlink_moved(struct entry *e)
{
    const struct tables *all = e->table->tables;
    const void *image = all->images.data + all->log[e->logged].image;

    for (size_t i = 0; i < e->table->def->indexes_n; i++) {
        if ((e->linked & (1u << i)) != 0 &&
            (!index_holds(e, i) || e->table->def->indexes[i].compare(image, entry_row(e)) != 0)) {
            index_unlink(e, i);
        }
    }
    e->lazy = false;
}

static void index_link(struct entry *e)
{
    for (size_t i = 0; i < e->table->def->indexes_n; i++) {
        if ((e->linked & (1u << i)) == 0 && index_holds(e, i)) {
            tree_insert(&e->table->indexes[i], &e->nodes[i], e->hash);
            e->linked = (uint8_t)(e->linked | (1u << i));
        }
    }
}

void index_settle(struct tables *all)
{
    for (size_t i = 0; i < all->unsettled_n; i++) {
        if (all->unsettled[i]->lazy) {
            index_unlink_moved(all->unsettled[i]);
        }
    }
    for (size_t i = 0; i < all->unsettled_n; i++) {
        index_link(all->unsettled[i]);
        all->unsettled[i]->unsettled = 0;
    }
    all->unsettled_n = 0;
}

struct probe {
    const struct table *table;
    unsigned index;
    const void *row;
};

static int probe_compare(const struct tree_node *node, const void *arg)
{
    const struct probe *p = arg;

    return rows_compare(p->table, p->index, (const char *)entry_at(node, p->index) + p->table->row_offset, p->row);
}

static const void *node_row(const struct tree_node *node, unsigned index)
{
    return node == NULL ? NULL : entry_row(entry_at(node, index));
}

static struct table *table_settled(const struct tables *all, unsigned table, unsigned index)
{
    assert(table < all->n && index < all->items[table].def->indexes_n);
    /* Settling is invisible to the caller: what is const to a handler is the rows. */
    index_settle(all->items[table].tables);
    return &all->items[table];
}

const void *table_first(const struct tables *all, unsigned table, unsigned index, const void *from)
{
    const struct table *t = table_settled(all, table, index);
    const struct probe p = {t, index, from};

    return node_row(from == NULL ? tree_first(&t->indexes[index])
                                 : tree_seek(&t->indexes[index], probe_compare, &p),
                    index);
}

const void *table_next(const struct tables *all, unsigned table, unsigned index, const void *row)
{
    const struct table *t = table_settled(all, table, index);
    const struct entry *e = entry_of(t, row);
    const struct probe p = {t, index, row};

    if ((e->linked & (1u << index)) != 0) {
        return node_row(tree_next(&e->nodes[index]), index);
    }
    /* It has left the index since it was read: the walk goes on behind where it would stand. */
    return node_row(tree_seek(&t->indexes[index], probe_compare, &p), index);
}
