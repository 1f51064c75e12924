/* What every target is: one function that libFuzzer feeds. */
#ifndef AFTERCARE_TESTS_FUZZ_H
#define AFTERCARE_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
/* Of a target that knows how its inputs are made. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t cap, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t n, size_t cap);

#endif
