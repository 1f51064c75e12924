/* Small text: bounded copies, UTF-8, keys. */
#ifndef AFTERCARE_BASE_TEXT_H
#define AFTERCARE_BASE_TEXT_H

#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copies into dst[cap], always terminated. False when it had to be cut (at a UTF-8 boundary). */
bool text_copy(char *dst, size_t cap, const char *src);
bool text_copy_n(char *dst, size_t cap, const char *src, size_t n);
/* snprintf that asserts that the result fits: for texts whose bound we know. */
void text_format(char *dst, size_t cap, const char *format, ...) PRINTF_LIKE(3, 4);
bool text_equal(const char *a, const char *b);
bool text_starts(const char *text, const char *prefix);
bool text_is_utf8(const char *text, size_t n);
/* 1–64 of A–Z a–z 0–9 . _ - : the form of an event's key. */
bool text_is_key(const char *text, size_t n);
/* Terminal columns a UTF-8 text takes (Chinese characters take two). */
size_t text_columns(const char *text);
void hex_print(const uint8_t *data, size_t n, char *out /* 2n + 1 */);
bool hex_parse(const char *text, size_t n_bytes, uint8_t *out);
/* 64-bit FNV-1a with a finisher; stable for ever: it stands in slots and tie-breaks. */
uint64_t hash_bytes(const void *data, size_t n);
uint64_t hash_text(const char *text);

#endif
