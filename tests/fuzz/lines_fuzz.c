/* JSON lines as `append` reads them: a problem with a reason, or an event as a sender makes it, which intake reads. */
#include "fill.h"
#include "fuzz.h"
#include "proto/catalogue.h"
#include "record/pack.h"
#include "seeds.h"
#include "services/cli/draft_line.h"
#include "services/intake/journal.h"
#include <assert.h>
#include <string.h>

static void one(const char *text, size_t n)
{
    struct arena *arena = arena_new(4096);
    struct buf drafts = {0};
    struct problem problem = {0};
    struct posted posted;
    if (!draft_line_parse(text, n, arena, &drafts, &problem)) {
        assert(problem.code[0] != '\0' && drafts.len == 0);
    } else {
        bool fine = skim(buf_bytes(&drafts), &problem) && drafts.len <= DRAFT_BYTES_MAX;
        assert(fine);
        /* Too long a `by` is intake's to refuse. */
        if (posted_decode(buf_bytes(&drafts), &posted, &problem))
            assert(event_type_find(posted.type, (uint32_t)posted.v) != NULL);
    }
    buf_release(&drafts);
    arena_destroy(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    for (size_t at = 0; at < n;) {
        const uint8_t *end = memchr(data + at, '\n', n - at);
        size_t size = end != NULL ? (size_t)(end - data) - at : n - at;
        one((const char *)data + at, size);
        at += size + 1;
    }
    return 0;
}

bool fuzz_seed(unsigned i, struct buf *out)
{
    struct chance chance = chance_of(i);
    struct buf data = {0};
    struct problem problem;
    const struct event_type *type = event_type_at(i);
    if (type == NULL)
        return false;
    fill_map(type->data, RECORD_WHOLE, &chance, 0, &data);
    buf_append_format(out, "{\"type\":\"%s\",\"v\":1,\"key\":\"T-%u\",\"at\":\"2026-06-01T10:00:00Z\",\"by\":\"me\",\"data\":", type->name, i);
    if (skim(buf_bytes(&data), &problem))
        raw_print_json(buf_bytes(&data), out);
    buf_append_text(out, i % 3 ? "}\n" : ",\"personal\":{\"name\":\"李\"}}\n");
    buf_release(&data);
    return true;
}
