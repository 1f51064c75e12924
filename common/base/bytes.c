#include "base/bytes.h"
#include "base/log.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bytes bytes_of(const void *data, size_t len)
{
    return (struct bytes){data, len};
}

struct bytes bytes_of_text(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

void buf_release(struct buf *b)
{
    free(b->data);
    *b = (struct buf){0};
}

void buf_reset(struct buf *b)
{
    b->len = 0;
}

static void buf_grow(struct buf *b, size_t n)
{
    assert(n <= SIZE_MAX / 4 && b->len <= SIZE_MAX / 4);
    size_t cap = b->cap ? b->cap : 128;
    while (cap - b->len < n)
        cap *= 2;
    b->data = memory_grow(b->data, cap);
    b->cap = cap;
}

uint8_t *buf_reserve(struct buf *b, size_t n)
{
    if (b->cap - b->len < n || !b->data)
        buf_grow(b, n);
    return b->data + b->len;
}

void buf_append(struct buf *b, const void *data, size_t n)
{
    if (n == 0)
        return;
    memcpy(buf_reserve(b, n), data, n);
    b->len += n;
}

void buf_append_text(struct buf *b, const char *text)
{
    buf_append(b, text, strlen(text));
}

void buf_append_format(struct buf *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    assert(n >= 0);
    size_t room = (size_t)n + 1;
    int written = vsnprintf((char *)buf_reserve(b, room), room, format, again);
    assert(written == n);
    b->len += (size_t)n;
    va_end(again);
    va_end(args);
}

struct bytes buf_bytes(const struct buf *b)
{
    return (struct bytes){b->data, b->len};
}

const char *buf_text(struct buf *b)
{
    *buf_reserve(b, 1) = 0;
    return (const char *)b->data;
}

void *memory_new(size_t n)
{
    void *p = calloc(1, n ? n : 1);
    if (!p)
        log_panic("out of memory (%zu bytes)", n);
    return p;
}

void *memory_grow(void *old, size_t n)
{
    void *p = realloc(old, n ? n : 1);
    if (!p)
        log_panic("out of memory (%zu bytes)", n);
    return p;
}

char *memory_text(const char *text)
{
    size_t n = strlen(text) + 1;
    return memcpy(memory_grow(NULL, n), text, n);
}
