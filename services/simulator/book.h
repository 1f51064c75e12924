/* The journal in memory: bodies, personal parts and links by position, as intake made them. */
#ifndef AFTERCARE_SIMULATOR_BOOK_H
#define AFTERCARE_SIMULATOR_BOOK_H

#include "base/arena.h"
#include "event/event.h"

struct book_entry {
    struct bytes body, priv;
    uint8_t link[LINK_BYTES];
    int64_t rec_us;
    uint16_t type;    /* its number among the book's types */
    bool from_worker; /* a conclusion */
};
#define BOOK_TYPES_MAX 256

struct book {
    struct arena *arena;
    struct book_entry *entries; /* of position i + 1 */
    size_t n, cap;
    char types[BOOK_TYPES_MAX][EVENT_TYPE_CAP]; /* met so far */
    uint16_t types_n;
};

void book_init(struct book *);
void book_release(struct book *);
/* Copies. The position is the next one. The entry to be filled in further is returned. */
struct book_entry *book_add(struct book *, struct bytes body, struct bytes priv,
                            const uint8_t link[LINK_BYTES]);
uint16_t book_type(struct book *, const char *type);
/* NULL: beyond the head. Valid until the book is released; the entry itself until the next one is
 * added. */
const struct book_entry *book_at(const struct book *, uint64_t pos);

#endif
