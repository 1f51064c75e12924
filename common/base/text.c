#include "base/text.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool text_copy_n(char *dst, size_t cap, const char *src, size_t n)
{
    assert(cap > 0);
    bool whole = n < cap;
    if (!whole) {
        n = cap - 1;
        while (n > 0 && ((unsigned char)src[n] & 0xc0) == 0x80)
            n--;
    }
    memcpy(dst, src, n);
    dst[n] = 0;
    return whole;
}

bool text_copy(char *dst, size_t cap, const char *src)
{
    return text_copy_n(dst, cap, src, strlen(src));
}

void text_format(char *dst, size_t cap, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(dst, cap, format, args);
    va_end(args);
    assert(n >= 0 && (size_t)n < cap);
}

bool text_equal(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

bool text_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* The length of the well-formed sequence at p (Unicode table 3-7), 0 when there is none. */
static size_t sequence_length(const unsigned char *p, size_t left)
{
    unsigned char low = 0x80, high = 0xbf;
    size_t n;
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        n = 2;
    else if (p[0] >= 0xe0 && p[0] <= 0xef)
        n = 3;
    else if (p[0] >= 0xf0 && p[0] <= 0xf4)
        n = 4;
    else
        return 0;
    if (left < n)
        return 0;
    if (p[0] == 0xe0)
        low = 0xa0; /* overlong */
    else if (p[0] == 0xed)
        high = 0x9f; /* surrogates */
    else if (p[0] == 0xf0)
        low = 0x90; /* overlong */
    else if (p[0] == 0xf4)
        high = 0x8f; /* above U+10FFFF */
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

bool text_is_utf8(const char *text, size_t n)
{
    const unsigned char *p = (const unsigned char *)text, *end = n > 0 ? p + n : p; /* nothing may be NULL */
    while (p < end) {
        if (end - p >= 8) {
            uint64_t word;
            memcpy(&word, p, sizeof word);
            if (!(word & UINT64_C(0x8080808080808080))) {
                p += 8;
                continue;
            }
        }
        size_t step = sequence_length(p, (size_t)(end - p));
        if (step == 0)
            return false;
        p += step;
    }
    return true;
}

bool text_is_key(const char *text, size_t n)
{
    if (n < 1 || n > 64)
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        bool ok = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
                  c == '_' || c == '-';
        if (!ok)
            return false;
    }
    return true;
}

static uint32_t code_point(const unsigned char *p, size_t n)
{
    switch (n) {
    case 2:
        return (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
    case 3:
        return (uint32_t)(p[0] & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
    case 4:
        return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3f) << 12 | (uint32_t)(p[2] & 0x3f) << 6 |
               (p[3] & 0x3f);
    default:
        return p[0];
    }
}

/* By ranges and not by wcwidth: the width must not depend on the locale a daemon was started in. */
static const struct {
    uint32_t first, last;
    unsigned columns;
} widths[] = {
    {0x0300, 0x036f, 0},   {0x1100, 0x115f, 2},   {0x200b, 0x200f, 0},   {0x2e80, 0x303e, 2},
    {0x3041, 0x33ff, 2},   {0x3400, 0x4dbf, 2},   {0x4e00, 0x9fff, 2},   {0xa000, 0xa4cf, 2},
    {0xac00, 0xd7a3, 2},   {0xf900, 0xfaff, 2},   {0xfe00, 0xfe0f, 0},   {0xfe30, 0xfe6f, 2},
    {0xff00, 0xff60, 2},   {0xffe0, 0xffe6, 2},   {0x1f300, 0x1f64f, 2}, {0x1f900, 0x1f9ff, 2},
    {0x20000, 0x3fffd, 2},
};

static unsigned code_point_columns(uint32_t c)
{
    for (size_t i = 0; i < COUNT_OF(widths) && widths[i].first <= c; i++)
        if (c <= widths[i].last)
            return widths[i].columns;
    return 1;
}

size_t text_columns(const char *text)
{
    size_t left = strlen(text), columns = 0;
    const unsigned char *p = (const unsigned char *)text;
    while (left > 0) {
        size_t n = sequence_length(p, left);
        columns += n > 1 ? code_point_columns(code_point(p, n)) : 1;
        n = n ? n : 1;
        p += n;
        left -= n;
    }
    return columns;
}

void hex_print(const uint8_t *data, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[data[i] >> 4];
        out[2 * i + 1] = digits[data[i] & 15];
    }
    out[2 * n] = 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool hex_parse(const char *text, size_t n_bytes, uint8_t *out)
{
    if (strlen(text) != 2 * n_bytes)
        return false;
    for (size_t i = 0; i < 2 * n_bytes; i++)
        if (hex_digit(text[i]) < 0)
            return false;
    for (size_t i = 0; i < n_bytes; i++)
        out[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
    return true;
}

/* FNV-1a mixes its high bits poorly in short texts; the finisher (MurmurHash3's fmix64) spreads them. */
uint64_t hash_bytes(const void *data, size_t n)
{
    const uint8_t *p = data;
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * UINT64_C(0x100000001b3);
    h ^= h >> 33;
    h *= UINT64_C(0xff51afd7ed558ccd);
    h ^= h >> 33;
    h *= UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ h >> 33;
}

uint64_t hash_text(const char *text)
{
    return hash_bytes(text, strlen(text));
}
