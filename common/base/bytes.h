/* Byte ranges and a growable buffer. */
#ifndef AFTERCARE_BASE_BYTES_H
#define AFTERCARE_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes: the owner is whoever made them. data may be NULL when len is 0. */
struct bytes {
    const uint8_t *data;
    size_t len;
};

struct bytes bytes_of(const void *data, size_t len);
struct bytes bytes_of_text(const char *text);
bool bytes_equal(struct bytes a, struct bytes b);

/* Grows by doubling; running out of memory is fatal. All zero is a valid empty buffer. */
struct buf {
    uint8_t *data;
    size_t len;
    size_t cap;
};

void buf_release(struct buf *);
/* Forgets the content, keeps the memory. */
void buf_reset(struct buf *);
/* Room for n more bytes at data + len; the caller raises len. */
uint8_t *buf_reserve(struct buf *, size_t n);
void buf_append(struct buf *, const void *data, size_t n);
void buf_append_text(struct buf *, const char *text);
void buf_append_format(struct buf *, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct bytes buf_bytes(const struct buf *);
/* The content as a C string (a NUL behind it, not counted). */
const char *buf_text(struct buf *);

/* Heap allocation that does not return on failure. */
void *memory_new(size_t n); /* zeroed */
void *memory_grow(void *old, size_t n);
char *memory_text(const char *text); /* a copy */

#endif
