/* A BATCH that is judged and then delivered, and the credit that it holds until it is applied. Internal to the reader. */
#ifndef AFTERCARE_BUS_BATCH_H
#define AFTERCARE_BUS_BATCH_H

#include "bus/verbs.h"
#include "record/pack.h"

struct reader_item {
    uint64_t pos;
    struct bytes body, priv;
    uint8_t link[LINK_BYTES]; /* behind it; all zero: not known */
};
struct reader_batch {
    struct reader_batch *next;
    uint64_t after, upto;
    uint8_t link[LINK_BYTES]; /* all zero: not said */
    size_t cost;
    struct unpack events;      /* as they came … */
    struct reader_item *items; /* … and judged: what is not delivered yet */
    size_t left;
};

/* Reads the frame (skimmed); events borrow from it, left says how many there are. False: not a BATCH. */
bool reader_batch_read(const struct frame *, struct reader_batch *) MUST_CHECK;
/* A copy of what is left of a judged one, on the heap, to be kept beyond the frame's life. free() it. */
struct reader_batch *reader_batch_keep(const struct reader_batch *);

/* Delivered, not applied, in order. */
struct reader_debt {
    uint64_t last_event, upto;
    size_t cost;
};
struct reader_debts {
    struct reader_debt *items;
    size_t at, n, cap; /* the oldest is items[at]; n: past the newest */
};
void reader_debts_release(struct reader_debts *);
void reader_debts_add(struct reader_debts *, const struct reader_debt *);
/* Takes the oldest when its events are all applied. */
bool reader_debts_settle(struct reader_debts *, uint64_t applied, struct reader_debt *);

#endif
