/* What a record takes, it writes, reads again as the same, and writes in the same bytes. */
#include "common/record/sample.h"
#include "fuzz.h"
#include "mutate.h"
#include "sample_seed.h"
#include "seeds.h"
#include "record/pack.h"
#include <assert.h>
#include <string.h>

static void again(enum record_part part, const struct sample *first, struct arena *arena)
{
    struct sample second;
    struct problem p;
    struct buf once = {0}, twice = {0};
    record_encode(&sample_record, part, first, &once);
    bool skimmed = skim(buf_bytes(&once), &p);
    assert(skimmed);
    bool taken = record_decode(&sample_record, part, DECODE_STRICT, buf_bytes(&once), arena, &second, &p);
    assert(taken);
    record_encode(&sample_record, part, &second, &twice);
    assert(bytes_equal(buf_bytes(&once), buf_bytes(&twice)));
    if (part == RECORD_WHOLE)
        assert(record_equal(&sample_record, first, &second));
    buf_release(&once);
    buf_release(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const enum record_part parts[] = {RECORD_PLAIN, RECORD_PERSONAL, RECORD_WHOLE};
    struct sample s;
    struct problem p;
    if (!skim(bytes_of(data, n), &p))
        return 0;
    struct arena *arena = arena_new(4096);
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        if (!record_decode(&sample_record, parts[i], DECODE_LENIENT, bytes_of(data, n), arena, &s, &p))
            continue;
        again(parts[i], &s, arena);
        /* Laid over itself; refused or not, it must stay readable memory. */
        if (record_decode(&sample_record, parts[i], DECODE_STRICT | DECODE_KEEP, bytes_of(data, n), arena, &s, &p))
            again(parts[i], &s, arena);
    }
    arena_destroy(&arena);
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
