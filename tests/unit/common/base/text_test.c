#include "base/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void copies(void **state)
{
    (void)state;
    char four[5];
    assert_true(text_copy(four, sizeof four, "abcd"));
    assert_string_equal(four, "abcd");
    assert_false(text_copy(four, sizeof four, "abcde"));
    assert_string_equal(four, "abcd");
    assert_false(text_copy(four, sizeof four, "工单"));
    assert_string_equal(four, "工");
    assert_true(text_copy_n(four, sizeof four, "xyz", 2));
    assert_string_equal(four, "xy");
    assert_true(text_starts("ticket.registered", "ticket."));
    assert_false(text_starts("tick", "ticket"));
}

#define UTF8(text, fine) {text, sizeof(text) - 1, fine}
static const struct {
    const char *text;
    size_t n;
    bool fine;
} texts[] = {
    UTF8("", true), UTF8("plain", true), UTF8("工单 é 😀", true), UTF8("a\0b", true), UTF8("\xf4\x8f\xbf\xbf", true),
    UTF8("\xed\x9f\xbf\xee\x80\x80", true), UTF8("\x80", false), UTF8("\xc0\x80", false), UTF8("\xc1\xbf", false),
    UTF8("\xe0\x9f\xbf", false), UTF8("\xed\xa0\x80", false), UTF8("\xf0\x8f\xbf\xbf", false),
    UTF8("\xf4\x90\x80\x80", false), UTF8("\xf5\x80\x80\x80", false), UTF8("\xe5\xb7", false), UTF8("\xe5", false),
    UTF8("12345678\xff", false), UTF8("1234567\xe5\xb7\xa5", true), UTF8("\xc3(", false), UTF8("\xe5\xb7(", false),
};

static void utf8(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        char *exact = malloc(texts[i].n ? texts[i].n : 1);
        memcpy(exact, texts[i].text, texts[i].n);
        if (text_is_utf8(exact, texts[i].n) != texts[i].fine)
            fail_msg("%zu", i);
        free(exact);
    }
    assert_true(text_is_utf8(NULL, 0)); /* an empty file */
}

static void keys(void **state)
{
    (void)state;
    const char *longest = "0123456789012345678901234567890123456789012345678901234567890123";
    assert_true(text_is_key("GD01-20261122-000123", 20));
    assert_true(text_is_key("a.b_c", 5));
    assert_true(text_is_key(longest, 64));
    assert_false(text_is_key("", 0));
    assert_false(text_is_key("0123456789012345678901234567890123456789012345678901234567890123x", 65));
    assert_false(text_is_key("a/b", 3));
    assert_false(text_is_key("a b", 3));
    assert_false(text_is_key("工", 3));
}

static void columns(void **state)
{
    (void)state;
    assert_int_equal(text_columns(""), 0);
    assert_int_equal(text_columns("abc"), 3);
    assert_int_equal(text_columns("工单"), 4);
    assert_int_equal(text_columns("é→"), 2);
    assert_int_equal(text_columns("e\xcc\x81"), 1);
    assert_int_equal(text_columns("（全角）"), 8);
    assert_int_equal(text_columns("😀"), 2);
}

static void hex(void **state)
{
    (void)state;
    uint8_t out[3] = {9, 9, 9};
    char text[7];
    assert_true(hex_parse("00fFa5", 3, out));
    hex_print(out, 3, text);
    assert_string_equal(text, "00ffa5");
    assert_false(hex_parse("00ff", 3, out));
    assert_false(hex_parse("00ffag", 3, out));
    assert_int_equal(out[2], 0xa5);
}

/* These stand in slots and break ties: another value would be another journal. */
static void hashes(void **state)
{
    (void)state;
    assert_true(hash_text("") == hash_bytes(NULL, 0));
    assert_true(hash_text("") == UINT64_C(0xefd01f60ba992926));
    assert_true(hash_text("a") == UINT64_C(0x82a2a958a9bece5b));
    assert_true(hash_text("dispatcher/GD01-1/offer/2") == UINT64_C(0x325a5e6be4e1c208));
    assert_true(hash_text("ab") != hash_text("ba"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(copies),  cmocka_unit_test(utf8), cmocka_unit_test(keys),
                                       cmocka_unit_test(columns), cmocka_unit_test(hex),  cmocka_unit_test(hashes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
