/* What the skimmer passes can be read to its last byte, in either way, and printed. */
#include "common/record/sample.h"
#include "fuzz.h"
#include "mutate.h"
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
    struct chance chance = chance_of(seed);
    struct buf out = {0};
    if (chance_of_hundred(&chance, 40))
        return LLVMFuzzerMutate(data, n, cap);
    mutate_value(bytes_of(data, n), &chance, &out);
    n = out.len < cap ? out.len : cap;
    if (n > 0)
        memcpy(data, out.data, n);
    buf_release(&out);
    return n;
}

bool fuzz_seed(unsigned i, struct buf *out)
{
    struct arena *arena = arena_new(4096);
    uint64_t random = (uint64_t)(i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    struct sample s;
    sample_fill(&s, &random, arena);
    record_encode(&sample_record, RECORD_WHOLE, &s, out);
    arena_destroy(&arena);
    return i < 40;
}
