/* Seeds out of filled samples (tests/unit/common/record/sample.h), each another one. */
#ifndef AFTERCARE_TESTS_FUZZ_SAMPLE_SEED_H
#define AFTERCARE_TESTS_FUZZ_SAMPLE_SEED_H

#include "record/record.h"

typedef void sample_write(const struct record *, enum record_part, const void *object, struct buf *out);
/* False: that was the last one. */
bool sample_seed(unsigned i, sample_write *, struct buf *out);

#endif
