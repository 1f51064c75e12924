#include "base/tree.h"
#include <assert.h>

void tree_init(struct tree *t, tree_compare *compare)
{
    *t = (struct tree){.compare = compare};
}

/* Heap order: the higher priority is nearer the root. A tie goes by the walk's order, so that the shape is still one. */
static bool above(const struct tree *t, const struct tree_node *a, const struct tree_node *b)
{
    return a->priority != b->priority ? a->priority > b->priority : t->compare(a, b) < 0;
}

static struct tree_node **link_to(struct tree *t, struct tree_node *n)
{
    if (!n->parent)
        return &t->root;
    return n->parent->left == n ? &n->parent->left : &n->parent->right;
}

/* Lifts n over its parent. */
static void rotate_up(struct tree *t, struct tree_node *n)
{
    struct tree_node *p = n->parent, *moved;
    *link_to(t, p) = n;
    n->parent = p->parent;
    if (p->left == n) {
        moved = n->right;
        n->right = p;
        p->left = moved;
    } else {
        moved = n->left;
        n->left = p;
        p->right = moved;
    }
    p->parent = n;
    if (moved)
        moved->parent = p;
}

void tree_insert(struct tree *t, struct tree_node *n, uint64_t priority)
{
    struct tree_node *parent = NULL, **link = &t->root;
    while (*link) {
        int order = t->compare(n, *link);
        assert(order != 0);
        parent = *link;
        link = order < 0 ? &parent->left : &parent->right;
    }
    *n = (struct tree_node){.parent = parent, .priority = priority};
    *link = n;
    while (n->parent && above(t, n, n->parent))
        rotate_up(t, n);
    t->n++;
}

void tree_remove(struct tree *t, struct tree_node *n)
{
    assert(t->n > 0 && *link_to(t, n) == n);
    while (n->left && n->right)
        rotate_up(t, above(t, n->left, n->right) ? n->left : n->right);
    struct tree_node *child = n->left ? n->left : n->right;
    *link_to(t, n) = child;
    if (child)
        child->parent = n->parent;
    n->left = n->right = n->parent = NULL;
    t->n--;
}

static struct tree_node *leftmost(struct tree_node *n)
{
    while (n && n->left)
        n = n->left;
    return n;
}

struct tree_node *tree_first(const struct tree *t)
{
    return leftmost(t->root);
}

struct tree_node *tree_seek(const struct tree *t, int (*probe)(const struct tree_node *, const void *arg),
                            const void *arg)
{
    struct tree_node *found = NULL;
    for (struct tree_node *n = t->root; n;) {
        if (probe(n, arg) >= 0) {
            found = n;
            n = n->left;
        } else {
            n = n->right;
        }
    }
    return found;
}

struct tree_node *tree_next(const struct tree_node *n)
{
    if (n->right)
        return leftmost(n->right);
    const struct tree_node *p = n->parent;
    while (p && p->right == n) {
        n = p;
        p = n->parent;
    }
    return n->parent;
}
