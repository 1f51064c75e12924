/* A line between a machine and its fake server: frames copied, in order, dropped when it is cut. */
#ifndef AFTERCARE_TESTS_UNIT_BUS_WIRE_H
#define AFTERCARE_TESTS_UNIT_BUS_WIRE_H

#include "bus/verbs.h"

struct wire {
    struct wire_frame *first, *last;
    size_t n;
};

void wire_push(struct wire *, const char *verb, struct bytes map);
void wire_push_record(struct wire *, const char *verb, const struct record *, const void *object);
/* The oldest frame, valid until the next pop; false: none. */
bool wire_pop(struct wire *, struct frame *);
void wire_cut(struct wire *);

/* A small generator: the same seed, the same run. */
uint64_t dice_next(uint64_t *state);
/* True about once in n. */
bool dice_once_in(uint64_t *state, uint64_t n);

#endif
