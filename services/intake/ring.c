#include "ring.h"
#include <stdlib.h>
#include <string.h>

void ring_init(struct ring *ring, size_t bytes_max)
{
    *ring = (struct ring){.bytes_max = bytes_max};
}

static void ring_drop(struct ring *ring)
{
    ring->bytes -= ring->blocks[ring->at]->size;
    published_destroy(&ring->blocks[ring->at++]);
}

void ring_clear(struct ring *ring)
{
    while (ring->at < ring->n)
        ring_drop(ring);
    ring->at = ring->n = 0;
}

void ring_release(struct ring *ring)
{
    ring_clear(ring);
    free(ring->blocks);
    *ring = (struct ring){0};
}

static uint64_t block_end(const struct published *block)
{
    return block->first + block->entries_n;
}

void ring_add(struct ring *ring, struct published **block_p)
{
    struct published *block = *block_p;
    *block_p = NULL;
    while (ring->at < ring->n && block_end(ring->blocks[ring->n - 1]) != block->first)
        ring_drop(ring);
    if (ring->n == ring->cap) {
        if (ring->at > ring->cap / 2) {
            memmove(ring->blocks, ring->blocks + ring->at, (ring->n - ring->at) * sizeof(struct published *));
            ring->n -= ring->at;
            ring->at = 0;
        } else {
            ring->cap = ring->cap == 0 ? 64 : 2 * ring->cap;
            ring->blocks = memory_grow(ring->blocks, ring->cap * sizeof(struct published *));
        }
    }
    if (ring->at < ring->n)
        ring->blocks[ring->n - 1]->next = block;
    ring->blocks[ring->n++] = block;
    ring->bytes += block->size;
    while (ring->bytes > ring->bytes_max && ring->n - ring->at > 1)
        ring_drop(ring);
}

const struct published *ring_find(const struct ring *ring, uint64_t pos, uint32_t *index)
{
    size_t low = ring->at, high = ring->n;
    if (low == high || pos < ring->blocks[low]->first || pos >= block_end(ring->blocks[high - 1]))
        return NULL;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (ring->blocks[middle]->first <= pos)
            low = middle;
        else
            high = middle;
    }
    *index = (uint32_t)(pos - ring->blocks[low]->first);
    return ring->blocks[low];
}
