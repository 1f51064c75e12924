/* A target's first corpus. `fuzz-TARGET seeds DIR` writes it and ends. */
#ifndef AFTERCARE_TESTS_FUZZ_SEEDS_H
#define AFTERCARE_TESTS_FUZZ_SEEDS_H

#include "base/bytes.h"

/* The i-th seed, each target's own. False: there was none (what is in `out` counts still where it is not empty). */
bool fuzz_seed(unsigned i, struct buf *out);
/* A file of the tree, appended; false: there is none. */
bool fuzz_file(const char *path, struct buf *out);

int LLVMFuzzerInitialize(int *argc, char ***argv);

#endif
