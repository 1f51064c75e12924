/* The journal in memory: bodies, personal parts and links by position, as intake made them. */
#ifndef AFTERCARE_SIMULATOR_BOOK_H
#define AFTERCARE_SIMULATOR_BOOK_H

#include "base/arena.h"
#include "event/event.h"

struct book_entry {
    struct bytes body, priv;
    uint8_t link[LINK_BYTES];
    bool from_worker; /* a conclusion */
};

struct book {
    struct arena *arena;
    struct book_entry *entries; /* of position i + 1 */
    size_t n, cap;
};

void book_init(struct book *);
void book_release(struct book *);
/* Copies. The position is the next one. */
void book_add(struct book *, struct bytes body, struct bytes priv, const uint8_t link[LINK_BYTES],
              bool from_worker);
/* NULL: beyond the head. Valid until the book is released; the entry itself until the next one is
 * added. */
const struct book_entry *book_at(const struct book *, uint64_t pos);

#endif
