#include "book.h"
#include "base/text.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

void book_init(struct book *book)
{
    *book = (struct book){.arena = arena_new(1 << 20)};
}

void book_release(struct book *book)
{
    arena_destroy(&book->arena);
    free(book->entries);
    *book = (struct book){0};
}

struct book_entry *book_add(struct book *book, struct bytes body, struct bytes priv,
                            const uint8_t link[LINK_BYTES])
{
    if (book->n == book->cap) {
        book->cap = book->cap > 0 ? 2 * book->cap : 1024;
        book->entries = memory_grow(book->entries, book->cap * sizeof(*book->entries));
    }
    uint8_t *copy = arena_alloc(book->arena, body.len + priv.len);
    memcpy(copy, body.data, body.len);
    if (priv.len > 0)
        memcpy(copy + body.len, priv.data, priv.len);
    struct book_entry *entry = &book->entries[book->n++];
    entry->body = bytes_of(copy, body.len);
    entry->priv = priv.len > 0 ? bytes_of(copy + body.len, priv.len) : bytes_of(NULL, 0);
    memcpy(entry->link, link, LINK_BYTES);
    entry->rec_us = 0;
    entry->type = 0;
    entry->from_worker = false;
    return entry;
}

uint16_t book_type(struct book *book, const char *type)
{
    uint16_t i = 0;
    while (i < book->types_n && !text_equal(book->types[i], type))
        i++;
    if (i == book->types_n) {
        assert(i < BOOK_TYPES_MAX);
        text_copy(book->types[book->types_n++], EVENT_TYPE_CAP, type);
    }
    return i;
}

const struct book_entry *book_at(const struct book *book, uint64_t pos)
{
    return pos >= 1 && pos <= book->n ? &book->entries[pos - 1] : NULL;
}
