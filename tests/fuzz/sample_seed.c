#include "sample_seed.h"
#include "common/record/sample.h"

bool sample_seed(unsigned i, sample_write *write, struct buf *out)
{
    struct arena *arena = arena_new(4096);
    uint64_t random = (uint64_t)(i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    struct sample s;
    sample_fill(&s, &random, arena);
    write(&sample_record, RECORD_WHOLE, &s, out);
    arena_destroy(&arena);
    return i < 40;
}
