/* Writes seed corpora into DIR/{skim,record,json,yaml}: seeded random objects of the sample record. YAML takes the JSON, which
 * is YAML too. */
#include "base/text.h"
#include "common/record/sample.h"
#include <stdio.h>

static void seed_write(const char *folder, const char *target, int n, struct bytes content)
{
    char path[512];
    text_format(path, sizeof path, "%s/%s/seed-%d", folder, target, n);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(content.data, 1, content.len, f) != content.len || fclose(f) != 0)
        perror(path);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    struct arena *arena = arena_new(4096);
    for (int i = 0; i < 40; i++) {
        uint64_t random = (uint64_t)(i + 1) * UINT64_C(0x9e3779b97f4a7c15);
        struct sample s;
        struct buf packed = {0}, json = {0};
        sample_fill(&s, &random, arena);
        record_encode(&sample_record, RECORD_WHOLE, &s, &packed);
        record_print_json(&sample_record, RECORD_WHOLE, &s, &json);
        seed_write(argv[1], "skim", i, buf_bytes(&packed));
        seed_write(argv[1], "record", i, buf_bytes(&packed));
        seed_write(argv[1], "json", i, buf_bytes(&json));
        seed_write(argv[1], "yaml", i, buf_bytes(&json));
        buf_release(&packed);
        buf_release(&json);
        arena_reset(arena);
    }
    arena_destroy(&arena);
    return 0;
}
