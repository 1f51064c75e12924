#include "base/text.h"
#include "common/record/sample.h"
#include "record/pack.h"
#include "record/record.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One object, as people and other programs see it. */
static void printed(void **state)
{
    (void)state;
    struct sample s;
    struct buf out = {0};
    record_clear(&sample_record, &s);
    strcpy(s.key, "k");
    s.on = false;
    s.at_us = INT64_C(1309498353500000);
    s.limit = (struct span){-2, SPAN_HOURS};
    s.grade = GRADE_LOW;
    s.hash[0] = 255;
    s.file = bytes_of("ab", 2);
    s.any = bytes_of("\x92\x01\xc3", 3);
    s.blob = (struct blob_16){1, {0}};
    strcpy(s.who.phone, "1\"2\\3\n\x01");
    s.parts_n = 1;
    strcpy(s.parts[0].part, "轴承");
    s.parts[0].quantity = 2;
    strcpy(s.parts[0].owner, "o");
    s.seen = 3;
    record_print_json(&sample_record, RECORD_WHOLE, &s, &out);
    assert_string_equal(buf_text(&out),
                        "{\"key\":\"k\",\"on\":false,\"tier\":0,\"at\":\"2011-07-01T05:32:33.5Z\",\"limit\":\"-2h\","
                        "\"grade\":\"low\",\"hash\":\"/wAAAAAAAAA=\",\"file\":\"YWI=\",\"any\":[1,true],\"blob\":\"AA==\","
                        "\"who\":{\"phone\":\"1\\\"2\\\\3\\n\\u0001\"},"
                        "\"parts\":[{\"part\":\"轴承\",\"quantity\":2,\"owner\":\"o\"}]}");
    buf_reset(&out);
    record_print_json(&sample_record, RECORD_PERSONAL, &s, &out);
    assert_string_equal(buf_text(&out), "{\"who\":{\"phone\":\"1\\\"2\\\\3\\n\\u0001\"},\"parts\":[{\"owner\":\"o\"}]}");
    buf_release(&out);
}

static void round_trips(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        static const enum record_part parts[] = {RECORD_PLAIN, RECORD_PERSONAL, RECORD_WHOLE};
        uint64_t random = seed * UINT64_C(0x9e3779b97f4a7c15);
        struct sample in, out;
        struct problem p;
        sample_fill(&in, &random, arena);
        record_clear(&sample_record, &out);
        for (size_t i = 0; i < COUNT_OF(parts); i++) {
            struct buf json = {0};
            unsigned flags = parts[i] == RECORD_PERSONAL ? DECODE_STRICT | DECODE_KEEP : DECODE_STRICT;
            record_print_json(&sample_record, parts[i], &in, &json);
            if (!record_parse_json(&sample_record, parts[i], flags, buf_text(&json), json.len, arena, &out, &p))
                fail_msg("seed %lu: %s %s %s in %s", (unsigned long)seed, p.code, p.field, p.args, buf_text(&json));
            if (parts[i] != RECORD_PLAIN)
                assert_true(record_equal(&sample_record, &in, &out));
            buf_release(&json);
        }
        arena_reset(arena);
    }
    arena_destroy(&arena);
}

static const char *const raws[] = {
    "null", "true", "0", "-1", "9223372036854775807", "-9223372036854775808", "1.5", "-0.1", "1e+100", "\"\"", "[]", "{}",
    "[1,[2,[3]],{\"a\":{\"b\":null}}]", "\"工单 \\\" \\\\ \\n\"", "{\"b\":1,\"a\":2}",
};
static const char *const no_raws[] = {
    "", "{", "[1,]", "{\"a\":1,\"a\":2}", "nul", "'a'", "1 2", "18446744073709551616", "\"a\\u0000b\"", "{\"a\\u0000\":1}",
    "\"\xff\"", "[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "01", "+1", "NaN",
};

static void raw_both_ways(void **state)
{
    (void)state;
    struct problem p;
    for (size_t i = 0; i < COUNT_OF(raws); i++) {
        struct buf packed = {0}, json = {0};
        if (!raw_parse_json(raws[i], strlen(raws[i]), &packed, &p))
            fail_msg("%s: %s", raws[i], p.args);
        assert_true(skim(buf_bytes(&packed), &p));
        raw_print_json(buf_bytes(&packed), &json);
        assert_string_equal(buf_text(&json), raws[i]);
        buf_release(&packed);
        buf_release(&json);
    }
    for (size_t i = 0; i < COUNT_OF(no_raws); i++) {
        struct buf packed = {0};
        buf_append_text(&packed, "before");
        if (raw_parse_json(no_raws[i], strlen(no_raws[i]), &packed, &p))
            fail_msg("taken: %s", no_raws[i]);
        assert_int_equal(packed.len, 6);
        buf_release(&packed);
    }
}

static void syntax_has_a_place(void **state)
{
    (void)state;
    struct problem p;
    struct buf out = {0};
    assert_false(raw_parse_json("{\n \"a\": x}", 10, &out, &p));
    assert_string_equal(p.code, "syntax");
    assert_int_equal(p.line, 2);
    assert_true(p.column > 0);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(printed), cmocka_unit_test(round_trips),
                                       cmocka_unit_test(raw_both_ways), cmocka_unit_test(syntax_has_a_place)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
