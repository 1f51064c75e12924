/* Batch lifetime: memory that is given back all at once by arena_reset. */
#ifndef AFTERCARE_BASE_ARENA_H
#define AFTERCARE_BASE_ARENA_H

#include <stddef.h>

struct arena;

struct arena *arena_new(size_t block_bytes);
void arena_destroy(struct arena **);
void arena_reset(struct arena *);
/* Zeroed, aligned for any type. Never NULL. */
void *arena_alloc(struct arena *, size_t n);
char *arena_text(struct arena *, const char *text);
size_t arena_used(const struct arena *);

#endif
