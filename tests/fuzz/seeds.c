#include "seeds.h"
#include "base/text.h"
#include <stdio.h>
#include <stdlib.h>

bool fuzz_file(const char *path, struct buf *out)
{
    char whole[512];
    text_format(whole, sizeof(whole), "%s/%s", SOURCE_DIR, path);
    FILE *file = fopen(whole, "rb");
    if (file == NULL)
        return false;
    size_t got;
    while ((got = fread(buf_reserve(out, 4096), 1, 4096, file)) > 0)
        out->len += got;
    (void)fclose(file);
    return true;
}

static void seed_write(const char *folder, unsigned i, struct bytes content)
{
    char path[512];
    text_format(path, sizeof(path), "%s/seed-%03u", folder, i);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(content.data, 1, content.len, file) != content.len || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    if (*argc != 3 || !text_equal((*argv)[1], "seeds"))
        return 0;
    bool more = true;
    for (unsigned i = 0; more && i < 1000; i++) {
        struct buf out = {0};
        more = fuzz_seed(i, &out);
        if (out.len > 0)
            seed_write((*argv)[2], i, buf_bytes(&out));
        buf_release(&out);
    }
    exit(0);
}
