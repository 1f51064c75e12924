/* The newest events in memory, so that readers near the head do not touch PostgreSQL. Bounded; belongs to the feed thread. */
#ifndef AFTERCARE_INTAKE_RING_H
#define AFTERCARE_INTAKE_RING_H

#include "published.h"

struct ring {
    struct published **blocks; /* contiguous positions, oldest at `at` */
    size_t at, n, cap;         /* n: past the newest */
    size_t bytes, bytes_max;
};

void ring_init(struct ring *, size_t bytes_max);
void ring_release(struct ring *);
/* Forgets all of it, and goes on. */
void ring_clear(struct ring *);
/* Takes a block that has entries. One that does not follow begins the ring anew. */
void ring_add(struct ring *, struct published **);
/* The block holding pos and the entry's index; NULL: not in memory. The block behind it is its `next`. */
const struct published *ring_find(const struct ring *, uint64_t pos, uint32_t *index);

#endif
