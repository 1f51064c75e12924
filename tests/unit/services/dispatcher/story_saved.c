/* A journal and what came of it as a file: what another build must come to. */
#include "unit/services/dispatcher/story_inside.h"

#include <assert.h>
#include <stdio.h>

static void write_all(FILE *file, const void *data, size_t n)
{
    size_t written = fwrite(data, 1, n, file);
    assert(written == n);
}

void story_save(const struct story *story, const char *path)
{
    FILE *file = fopen(path, "wb");
    assert(file != NULL);
    uint64_t counts[2] = {story->head, HASH_COUNT(story->store)};
    write_all(file, counts, sizeof counts);
    for (size_t i = 0; i < story->head; i++) {
        uint64_t length = story->bodies[i].bytes.len;
        write_all(file, &length, sizeof length);
        write_all(file, story->bodies[i].bytes.data, length);
    }
    for (const struct stored *row = story->store; row != NULL; row = row->hh.next) {
        const struct record *record = story_def(story, row->table)->row;
        struct buf packed = {.len = 0};
        uint64_t head[2] = {row->table, 0};
        record_encode(record, RECORD_WHOLE, row->row, &packed);
        head[1] = packed.len;
        write_all(file, head, sizeof head);
        write_all(file, packed.data, packed.len);
        buf_release(&packed);
    }
    int closed = fclose(file);
    assert(closed == 0);
}

static void read_all(FILE *file, void *data, size_t n)
{
    size_t got = fread(data, 1, n, file);
    assert(got == n);
}

bool story_repeats(const struct worker *worker, const char *path)
{
    FILE *file = fopen(path, "rb");
    assert(file != NULL);
    struct story *saved = story_empty(worker), *again = story_empty(worker);
    uint64_t counts[2];
    read_all(file, counts, sizeof counts);
    again->bodies = memory_new((counts[0] + 1) * sizeof again->bodies[0]);
    again->head = again->cap = counts[0];
    for (size_t i = 0; i < counts[0]; i++) {
        uint64_t length;
        read_all(file, &length, sizeof length);
        uint8_t *copy = arena_alloc(again->arena, length);
        read_all(file, copy, length);
        again->bodies[i].bytes = bytes_of(copy, length);
    }
    for (size_t i = 0; i < counts[1]; i++) {
        struct problem problem;
        uint64_t head[2];
        read_all(file, head, sizeof head);
        uint8_t *packed = arena_alloc(saved->arena, head[1]);
        read_all(file, packed, head[1]);
        const struct record *record = story_def(saved, (unsigned)head[0])->row;
        void *row = arena_alloc(saved->arena, record->size);
        bool fine = record_decode(record, RECORD_WHOLE, DECODE_STRICT, bytes_of(packed, head[1]),
                                  saved->arena, row, &problem);
        assert(fine);
        story_store(saved, (unsigned)head[0], row);
    }
    fclose(file);
    bool same = story_replay(again) && story_is_same(saved, again);
    story_destroy(&again);
    story_destroy(&saved);
    return same;
}
