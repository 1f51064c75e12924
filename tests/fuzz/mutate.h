/* Mutations that know msgpack: what comes out still passes the skimmer, mostly, so that what stands behind it is reached. */
#ifndef AFTERCARE_TESTS_FUZZ_MUTATE_H
#define AFTERCARE_TESTS_FUZZ_MUTATE_H

#include "base/bytes.h"
#include "chance.h"

/* One value with something in it changed, taken out, doubled or put in from elsewhere in it. `in` that is no msgpack is
 * handed to libFuzzer's own mutations. */
void mutate_value(struct bytes in, struct chance *, struct buf *out);
/* For LLVMFuzzerCustomMutator, of a target whose input is one value. */
size_t mutate_input(uint8_t *data, size_t n, size_t cap, unsigned seed);

#endif
