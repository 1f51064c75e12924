/* What JSON makes of a record, the record prints, and reads again as the same. */
#include "common/record/sample.h"
#include "fuzz.h"
#include "sample_seed.h"
#include "seeds.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sample s, again;
    struct problem p;
    struct buf out = {0};
    struct arena *arena = arena_new(4096);
    if (raw_parse_json((const char *)data, n, &out, &p))
        buf_reset(&out);
    if (record_parse_json(&sample_record, RECORD_WHOLE, DECODE_LENIENT, (const char *)data, n, arena, &s, &p)) {
        record_print_json(&sample_record, RECORD_WHOLE, &s, &out);
        bool taken = record_parse_json(&sample_record, RECORD_WHOLE, DECODE_STRICT, buf_text(&out), out.len, arena,
                                       &again, &p);
        assert(taken && record_equal(&sample_record, &s, &again));
    }
    buf_release(&out);
    arena_destroy(&arena);
    return 0;
}

bool fuzz_seed(unsigned i, struct buf *out)
{
    return sample_seed(i, record_print_json, out);
}
