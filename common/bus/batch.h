/* A BATCH being delivered, and the credit that it holds until it is applied. Internal to the reader. */
#ifndef AFTERCARE_BUS_BATCH_H
#define AFTERCARE_BUS_BATCH_H

#include "bus/verbs.h"
#include "record/pack.h"

struct batch {
    struct batch *next;
    uint64_t after, upto;
    uint8_t link[LINK_BYTES]; /* all zero: not said */
    struct unpack events;     /* what is not delivered yet */
    uint32_t left;
    size_t cost;
};

/* Reads the frame (skimmed); events borrow from it. False: not a BATCH. */
bool batch_read(const struct frame *, struct batch *) MUST_CHECK;
/* A copy of what is left, on the heap, to be kept beyond the frame's life. free() it. */
struct batch *batch_keep(const struct batch *);
/* The next event. False: malformed. */
bool batch_next(struct batch *, struct bytes *body, struct bytes *priv) MUST_CHECK;

/* Delivered, not applied, in order. */
struct debt {
    uint64_t last_event, upto;
    size_t cost;
};
struct debts {
    struct debt *items;
    size_t at, n, cap; /* the oldest is items[at]; n: past the newest */
};
void debts_release(struct debts *);
void debts_add(struct debts *, const struct debt *);
/* Takes the oldest when its events are all applied. */
bool debts_settle(struct debts *, uint64_t applied, struct debt *);

#endif
