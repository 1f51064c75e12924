/* proto-write FOLDER: writes the golden files and the printed documents of proto/ anew. */
#include "base/text.h"
#include "golden.h"
#include "proto/schema.h"
#include <stdio.h>

static bool file_write(const char *folder, const char *name, struct buf *content)
{
    char path[1024];
    text_format(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    bool written = file != NULL && fwrite(content->data, 1, content->len, file) == content->len;
    if (file == NULL || fclose(file) != 0 || !written) {
        perror(path);
        return false;
    }
    buf_release(content);
    return true;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: proto-write PROTO-FOLDER\n");
        return 2;
    }
    char name[128];
    struct golden golden;
    for (size_t i = 0; golden_at(i, &golden); i++) {
        text_format(name, sizeof(name), "golden/%s", golden.name);
        if (!file_write(argv[1], name, &golden.text))
            return 1;
    }
    struct buf out = {0};
    schema_print_json(&out);
    if (!file_write(argv[1], "schema.json", &out))
        return 1;
    schema_print_asyncapi(&out);
    return file_write(argv[1], "asyncapi.json", &out) ? 0 : 1;
}
