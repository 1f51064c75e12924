/* Any text: problems with a place, or an object that can be written. */
#include "common/record/sample.h"
#include "fuzz.h"
#include "seeds.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sample s;
    struct problems problems = {0};
    struct buf out = {0};
    struct arena *arena = arena_new(4096);
    if (record_parse_yaml(&sample_record, (const char *)data, n, arena, &s, &problems))
        record_encode(&sample_record, RECORD_WHOLE, &s, &out);
    else
        assert(problems.n > 0 && problems.items[0].line > 0);
    buf_release(&out);
    problems_release(&problems);
    arena_destroy(&arena);
    return 0;
}

bool fuzz_seed(unsigned i, struct buf *out)
{
    struct arena *arena = arena_new(4096);
    uint64_t random = (uint64_t)(i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    struct sample s;
    sample_fill(&s, &random, arena);
    record_print_json(&sample_record, RECORD_WHOLE, &s, out);
    arena_destroy(&arena);
    return i < 40;
}
