/* An ordered set of intrusive nodes: a treap whose priorities come from the caller (a hash of the
 * row's key), so that its shape, and so every walk, is the same wherever the content is. */
#ifndef AFTERCARE_BASE_TREE_H
#define AFTERCARE_BASE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tree_node {
    struct tree_node *left, *right, *parent;
    uint64_t priority;
};

/* <0, 0, >0; must be a total order over the members (break ties by key). */
typedef int tree_compare(const struct tree_node *a, const struct tree_node *b);

struct tree {
    struct tree_node *root;
    tree_compare *compare;
    size_t n;
};

void tree_init(struct tree *, tree_compare *);
void tree_insert(struct tree *, struct tree_node *, uint64_t priority); /* asserts that no equal one is in */
void tree_remove(struct tree *, struct tree_node *);
struct tree_node *tree_first(const struct tree *);
/* The first node n with probe(n, arg) >= 0, where probe is monotone along the order. */
struct tree_node *tree_seek(const struct tree *, int (*probe)(const struct tree_node *, const void *arg),
                            const void *arg);
struct tree_node *tree_next(const struct tree_node *);

#endif
