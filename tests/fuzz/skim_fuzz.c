/* What the skimmer passes can be read to its last byte, in either way, and printed. */
#include "common/record/sample.h"
#include "fuzz.h"
#include "mutate.h"
#include "sample_seed.h"
#include "seeds.h"
#include "record/pack.h"
#include "record/record.h"
#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct problem p;
    if (!skim(bytes_of(data, n), &p))
        return 0;
    struct unpack values = unpack_of(bytes_of(data, n)), whole = values;
    while (values.at < values.end)
        unpack_next(&values);
    assert(unpack_raw(&whole).len == n && whole.at == whole.end);
    struct buf json = {0};
    raw_print_json(bytes_of(data, n), &json);
    buf_release(&json);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t cap, unsigned seed)
{
    return mutate_input(data, n, cap, seed);
}

bool fuzz_seed(unsigned i, struct buf *out)
{
    return sample_seed(i, record_encode, out);
}
