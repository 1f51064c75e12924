/* Any text: problems with a place, or an object that can be written. */
#include "common/record/sample.h"
#include "fuzz.h"
#include "sample_seed.h"
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
    return sample_seed(i, record_print_json, out);
}
