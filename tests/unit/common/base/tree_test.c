#include "base/tree.h"
#include "base/status.h"
#include "base/text.h"
#include <stddef.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MEMBERS 400

struct member {
    struct tree_node node;
    int64_t key;
    bool in;
};

static struct member members[MEMBERS];

static const struct member *member_of(const struct tree_node *n)
{
    return (const struct member *)(const void *)((const char *)n - offsetof(struct member, node));
}

static int compare(const struct tree_node *a, const struct tree_node *b)
{
    int64_t x = member_of(a)->key, y = member_of(b)->key;
    return x < y ? -1 : x > y;
}

static int probe(const struct tree_node *n, const void *arg)
{
    int64_t key = *(const int64_t *)arg;
    return member_of(n)->key < key ? -1 : member_of(n)->key > key;
}

static uint64_t random_next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static size_t depth_of(const struct tree_node *n)
{
    if (!n)
        return 0;
    size_t left = depth_of(n->left), right = depth_of(n->right);
    return 1 + (left > right ? left : right);
}

/* Parents, heap order and search order at every node. */
static void shape_check(const struct tree *t, const struct tree_node *n)
{
    const struct tree_node *children[] = {n->left, n->right};
    for (size_t i = 0; i < COUNT_OF(children); i++) {
        const struct tree_node *c = children[i];
        if (!c)
            continue;
        assert_ptr_equal(c->parent, n);
        assert_true(n->priority > c->priority || (n->priority == c->priority && compare(n, c) < 0));
        assert_true(i == 0 ? compare(c, n) < 0 : compare(n, c) < 0);
        shape_check(t, c);
    }
}

/* members stand in order of key: the sorted array that the tree must be equal to. */
static void content_check(const struct tree *t)
{
    const struct tree_node *n = tree_first(t);
    size_t count = 0;
    for (size_t i = 0; i < MEMBERS; i++) {
        if (!members[i].in)
            continue;
        assert_ptr_equal(n, &members[i].node);
        n = tree_next(n);
        count++;
    }
    assert_null(n);
    assert_int_equal(t->n, count);
    if (t->root) {
        assert_null(t->root->parent);
        shape_check(t, t->root);
    }
}

static void seek_check(const struct tree *t, int64_t key)
{
    const struct member *want = NULL;
    for (size_t i = MEMBERS; i-- > 0;)
        if (members[i].in && members[i].key >= key)
            want = &members[i];
    assert_ptr_equal(tree_seek(t, probe, &key), want ? &want->node : NULL);
}

static void members_reset(void)
{
    for (size_t i = 0; i < MEMBERS; i++)
        members[i] = (struct member){.key = (int64_t)i * 2};
}

static void against_array(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        uint64_t random = seed;
        struct tree t;
        tree_init(&t, compare);
        members_reset();
        for (int step = 0; step < 20000; step++) {
            /* Few priorities, so that ties are common. */
            struct member *m = &members[random_next(&random) % MEMBERS];
            if (m->in)
                tree_remove(&t, &m->node);
            else
                tree_insert(&t, &m->node, random_next(&random) % 50);
            m->in = !m->in;
            if (step % 100 == 0)
                content_check(&t);
            seek_check(&t, (int64_t)(random_next(&random) % (2 * MEMBERS + 4)) - 1);
        }
        content_check(&t);
    }
}

static void image(const struct tree_node *n, int64_t *out, size_t *at)
{
    if (!n) {
        out[(*at)++] = -1;
        return;
    }
    out[(*at)++] = member_of(n)->key;
    image(n->left, out, at);
    image(n->right, out, at);
}

/* The same content has the same shape, whatever order it came in and whatever was there meanwhile. */
static void one_shape(void **state)
{
    (void)state;
    static int64_t first[3 * MEMBERS], other[3 * MEMBERS];
    size_t first_n = 0;
    uint64_t random = 77;
    for (int round = 0; round < 20; round++) {
        struct tree t;
        tree_init(&t, compare);
        members_reset();
        for (int step = 0; step < 3000; step++) {
            struct member *m = &members[random_next(&random) % MEMBERS];
            if (m->in)
                tree_remove(&t, &m->node);
            else
                tree_insert(&t, &m->node, hash_bytes(&m->key, sizeof m->key) % 100);
            m->in = !m->in;
        }
        for (size_t i = 0; i < MEMBERS; i++) {
            bool wanted = i % 3 != 0;
            if (members[i].in && !wanted)
                tree_remove(&t, &members[i].node);
            else if (!members[i].in && wanted)
                tree_insert(&t, &members[i].node, hash_bytes(&members[i].key, sizeof members[i].key) % 100);
        }
        size_t n = 0;
        image(t.root, other, &n);
        if (round == 0) {
            memcpy(first, other, sizeof first);
            first_n = n;
        }
        assert_int_equal(n, first_n);
        assert_memory_equal(first, other, n * sizeof *first);
    }
}

static void stays_flat(void **state)
{
    (void)state;
    enum { MANY = 100000 };
    struct member *many = calloc(MANY, sizeof *many);
    struct tree t;
    tree_init(&t, compare);
    for (int64_t i = 0; i < MANY; i++) {
        many[i].key = i;
        tree_insert(&t, &many[i].node, hash_bytes(&i, sizeof i));
    }
    assert_true(depth_of(t.root) < 60); /* 17 at best; about 40 by chance */
    free(many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(against_array), cmocka_unit_test(one_shape),
                                       cmocka_unit_test(stays_flat)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
