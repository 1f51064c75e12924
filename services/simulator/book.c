#include "book.h"
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

void book_add(struct book *book, struct bytes body, struct bytes priv,
              const uint8_t link[LINK_BYTES], bool from_worker)
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
    entry->from_worker = from_worker;
}

const struct book_entry *book_at(const struct book *book, uint64_t pos)
{
    return pos >= 1 && pos <= book->n ? &book->entries[pos - 1] : NULL;
}
