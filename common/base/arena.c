#include "base/arena.h"
#include "base/bytes.h"
#include <assert.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Blocks of the usual size kept over a reset; more than this was an unusual batch. */
#define SPARE_MAX 16

struct block {
    struct block *next;
    size_t cap, used;
    alignas(max_align_t) uint8_t data[];
};

struct arena {
    struct block *head, *spare;
    size_t block_bytes, spare_n, used;
};

struct arena *arena_new(size_t block_bytes)
{
    assert(block_bytes > 0);
    struct arena *a = memory_new(sizeof *a);
    a->block_bytes = block_bytes;
    return a;
}

static void blocks_free(struct block *b)
{
    while (b) {
        struct block *next = b->next;
        free(b);
        b = next;
    }
}

void arena_destroy(struct arena **self)
{
    struct arena *a = *self;
    if (!a)
        return;
    blocks_free(a->head);
    blocks_free(a->spare);
    free(a);
    *self = NULL;
}

void arena_reset(struct arena *a)
{
    for (struct block *b = a->head, *next; b; b = next) {
        next = b->next;
        if (b->cap != a->block_bytes || a->spare_n >= SPARE_MAX) {
            free(b);
            continue;
        }
        b->used = 0;
        b->next = a->spare;
        a->spare = b;
        a->spare_n++;
    }
    a->head = NULL;
    a->used = 0;
}

static struct block *block_for(struct arena *a, size_t n)
{
    struct block *b;
    if (n <= a->block_bytes && a->spare) {
        b = a->spare;
        a->spare = b->next;
        a->spare_n--;
    } else {
        size_t cap = n > a->block_bytes ? n : a->block_bytes;
        b = memory_grow(NULL, sizeof *b + cap);
        b->cap = cap;
        b->used = 0;
    }
    /* A block of its own for something big must not end the one that still has room. */
    if (b->cap > a->block_bytes && a->head) {
        b->next = a->head->next;
        a->head->next = b;
    } else {
        b->next = a->head;
        a->head = b;
    }
    return b;
}

void *arena_alloc(struct arena *a, size_t n)
{
    assert(n <= SIZE_MAX / 2);
    size_t aligned = (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if (aligned == 0)
        aligned = alignof(max_align_t);
    struct block *b = a->head;
    if (!b || b->cap - b->used < aligned)
        b = block_for(a, aligned);
    void *p = b->data + b->used;
    b->used += aligned;
    a->used += aligned;
    return memset(p, 0, aligned);
}

char *arena_text(struct arena *a, const char *text)
{
    size_t n = strlen(text) + 1;
    return memcpy(arena_alloc(a, n), text, n);
}

size_t arena_used(const struct arena *a)
{
    return a->used;
}
