/* Live messages kept while they cannot be delivered: one run of bytes, bounded, the oldest dropped. Internal to the reader. */
#ifndef AFTERCARE_BUS_BACKLOG_H
#define AFTERCARE_BUS_BACKLOG_H

#include "base/bytes.h"

struct backlog {
    struct buf bytes;
    size_t at;        /* where the oldest begins */
    size_t bytes_max; /* 0: keeps nothing */
};

void backlog_release(struct backlog *);
bool backlog_is_empty(const struct backlog *);
void backlog_push(struct backlog *, uint64_t pos, struct bytes body, struct bytes priv);
/* The oldest; false: none. Valid until the next push. */
bool backlog_peek(const struct backlog *, uint64_t *pos, struct bytes *body, struct bytes *priv);
void backlog_pop(struct backlog *);

#endif
