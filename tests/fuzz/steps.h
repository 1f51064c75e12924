/* Inputs that are stories: steps, each [kind][peer][length, 2 bytes, low first][payload]. Any bytes are a story. */
#ifndef AFTERCARE_TESTS_FUZZ_STEPS_H
#define AFTERCARE_TESTS_FUZZ_STEPS_H

#include "base/bytes.h"
#include "chance.h"

#define STEPS_MAX 48
#define STEP_PEERS 4

struct step {
    uint8_t kind, peer;
    struct bytes payload; /* borrowed */
};

/* False: that was all. */
bool step_next(struct bytes *rest, struct step *);
void step_print(unsigned kind, unsigned peer, struct bytes payload, struct buf *out);
/* A new payload for a step of that kind, out of field tables. */
typedef void step_make(unsigned kind, struct chance *, unsigned wild, struct buf *out);
/* For LLVMFuzzerCustomMutator. */
size_t steps_mutate(uint8_t *data, size_t n, size_t cap, unsigned seed, unsigned kinds, step_make *);

#endif
