#include "record/record.h"
#include "base/text.h"
#include "common/record/sample.h"
#include "record/pack.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(4096);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_destroy(&arena);
    return 0;
}

/* From an allocation of exactly the size, which lives as long as the arena. */
static bool decode(enum record_part part, unsigned flags, const struct buf *in, struct sample *out, struct problem *p)
{
    assert_true(skim(buf_bytes(in), p));
    uint8_t *kept = memcpy(arena_alloc(arena, in->len), in->data, in->len);
    return record_decode(&sample_record, part, flags, bytes_of(kept, in->len), arena, out, p);
}

static void defaults(void **state)
{
    (void)state;
    struct sample s;
    memset(&s, 0xff, sizeof s);
    record_clear(&sample_record, &s);
    assert_true(s.on);
    assert_int_equal(s.n, 7);
    assert_int_equal(s.big, 0);
    assert_int_equal(s.parts_n, 0);
    assert_string_equal(s.who.name, "");
}

/* The bytes of one object: they are what other languages read, and must never change. */
static void golden(void **state)
{
    (void)state;
    struct sample s;
    struct buf out = {0};
    char hex[400];
    record_clear(&sample_record, &s);
    strcpy(s.key, "GD01-1");
    s.at_us = INT64_C(1309498353) * SECOND_US;
    s.limit = (struct span){3, SPAN_WORKING_DAYS};
    s.grade = GRADE_HIGH;
    s.on = false;
    s.blob = (struct blob_16){2, {1, 2}};
    strcpy(s.who.id, "c1");
    strcpy(s.who.phone, "123");
    s.words_n = 1;
    strcpy(s.words[0], "w");
    s.seen = 5;
    record_encode(&sample_record, RECORD_PLAIN, &s, &out);
    hex_print(out.data, out.len, hex);
    assert_string_equal(hex, "89a36b6579a6474430312d31a26f6ec2a47469657200a26174d6ff4e0d5bf1a56c696d6974a3337764"
                             "a56772616465a468696768a4626c6f62c4020102a377686f81a26964a26331a5776f72647391a177");
    buf_reset(&out);
    record_encode(&sample_record, RECORD_PERSONAL, &s, &out);
    hex_print(out.data, out.len, hex);
    assert_string_equal(hex, "81a377686f81a570686f6e65a3313233");
    buf_release(&out);
}

static void round_trips(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        uint64_t random = seed * UINT64_C(0x9e3779b97f4a7c15);
        struct sample in, out;
        struct problem p;
        struct buf whole = {0}, again = {0};
        sample_fill(&in, &random, arena);
        record_encode(&sample_record, RECORD_WHOLE, &in, &whole);
        if (!decode(RECORD_WHOLE, DECODE_STRICT, &whole, &out, &p))
            fail_msg("seed %lu: %s %s %s", (unsigned long)seed, p.code, p.field, p.args);
        assert_int_equal(out.seen, 0);
        assert_true(record_equal(&sample_record, &in, &out));
        record_encode(&sample_record, RECORD_WHOLE, &out, &again);
        assert_true(bytes_equal(buf_bytes(&whole), buf_bytes(&again)));
        buf_release(&whole);
        buf_release(&again);
        arena_reset(arena);
    }
}

/* data and priv, each read strictly, the second over the first, make the object again. */
static void two_parts(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        uint64_t random = seed * UINT64_C(0x9e3779b97f4a7c15);
        struct sample in, out;
        struct problem p;
        struct buf plain = {0}, personal = {0};
        sample_fill(&in, &random, arena);
        record_encode(&sample_record, RECORD_PLAIN, &in, &plain);
        record_encode(&sample_record, RECORD_PERSONAL, &in, &personal);
        if (strlen(in.remark) > 60)
            assert_null(memmem(plain.data, plain.len, in.remark, strlen(in.remark)));
        if (!decode(RECORD_PLAIN, DECODE_STRICT, &plain, &out, &p) ||
            !decode(RECORD_PERSONAL, DECODE_STRICT | DECODE_KEEP, &personal, &out, &p))
            fail_msg("seed %lu: %s %s %s", (unsigned long)seed, p.code, p.field, p.args);
        assert_true(record_equal(&sample_record, &in, &out));
        buf_release(&plain);
        buf_release(&personal);
        arena_reset(arena);
    }
}

/* Keys in any order, as another language's maps give them. */
static void any_order(void **state)
{
    (void)state;
    uint64_t random = 42;
    struct sample in, out;
    struct problem p;
    struct buf whole = {0}, mixed = {0};
    sample_fill(&in, &random, arena);
    record_encode(&sample_record, RECORD_WHOLE, &in, &whole);
    struct unpack u = unpack_of(buf_bytes(&whole));
    uint32_t n = unpack_next(&u).n;
    struct bytes pairs[64];
    for (uint32_t i = 0; i < n; i++) {
        struct bytes key = unpack_raw(&u), value = unpack_raw(&u);
        pairs[i] = bytes_of(key.data, key.len + value.len);
    }
    for (int round = 0; round < 200; round++) {
        for (uint32_t i = n - 1; i > 0; i--) {
            uint32_t j = (uint32_t)(random_next(&random) >> 32) % (i + 1);
            struct bytes swapped = pairs[i];
            pairs[i] = pairs[j];
            pairs[j] = swapped;
        }
        buf_reset(&mixed);
        pack_map(&mixed, n);
        for (uint32_t i = 0; i < n; i++)
            pack_raw(&mixed, pairs[i]);
        assert_true(decode(RECORD_WHOLE, DECODE_STRICT, &mixed, &out, &p));
        assert_true(record_equal(&sample_record, &in, &out));
    }
    buf_release(&whole);
    buf_release(&mixed);
}

#define TEN "0123456789"
#define SIXTY TEN TEN TEN TEN TEN TEN
static const struct {
    const char *name, *json;
    enum record_part part;
    unsigned flags;
    const char *code, *field, *args;
} refusals[] = {
    {"nothing required", "{\"tier\":1}", RECORD_PLAIN, DECODE_STRICT, "missing", "key", ""},
    {"empty text required", "{\"key\":\"\",\"tier\":1}", RECORD_PLAIN, DECODE_STRICT, "missing", "key", ""},
    {"nil required", "{\"key\":null,\"tier\":1}", RECORD_PLAIN, DECODE_STRICT, "missing", "key", ""},
    {"number required", "{\"key\":\"k\"}", RECORD_PLAIN, DECODE_STRICT, "missing", "tier", ""},
    {"nested required", "{\"key\":\"k\",\"tier\":1,\"who\":{\"name\":\"n\"}}", RECORD_WHOLE, 0, "missing", "who.phone", ""},
    {"element required", "{\"key\":\"k\",\"tier\":1,\"parts\":[{\"part\":\"a\"},{}]}", RECORD_PLAIN, 0, "missing",
     "parts[1].part", ""},
    {"unknown", "{\"key\":\"k\",\"tire\":1}", RECORD_PLAIN, DECODE_STRICT, "unknown-field", "tire", "tier"},
    {"unknown, nothing near", "{\"key\":\"k\",\"zzzzzz\":1}", RECORD_PLAIN, DECODE_STRICT, "unknown-field", "zzzzzz", ""},
    {"unknown, nested", "{\"parts\":[{\"quantty\":1}]}", RECORD_PLAIN, DECODE_STRICT, "unknown-field", "parts[0].quantty",
     "quantity"},
    {"volatile", "{\"seen\":1}", RECORD_WHOLE, DECODE_STRICT, "unknown-field", "seen", ""},
    {"too long", "{\"key\":\"" SIXTY "012345\"}", RECORD_PLAIN, 0, "too-long", "key", "64"},
    {"too long, element", "{\"words\":[\"a\",\"0123456789ab\"]}", RECORD_PLAIN, 0, "too-long", "words[1]", "11"},
    {"not a key", "{\"key\":\"a b\"}", RECORD_PLAIN, 0, "bad-key", "key", "a b"},
    {"not a key, element", "{\"words\":[\"a/b\"]}", RECORD_PLAIN, 0, "bad-key", "words[0]", "a/b"},
    {"not a key, nested", "{\"who\":{\"id\":\"ä\"}}", RECORD_PLAIN, 0, "bad-key", "who.id", "ä"},
    {"text for a number", "{\"n\":\"1\"}", RECORD_PLAIN, 0, "bad-type", "n", "an integer"},
    {"fraction", "{\"n\":1.0}", RECORD_PLAIN, 0, "bad-type", "n", "an integer"},
    {"number for a text", "{\"key\":1}", RECORD_PLAIN, 0, "bad-type", "key", "a text"},
    {"number for a flag", "{\"flag\":1}", RECORD_PLAIN, 0, "bad-type", "flag", "true or false"},
    {"map for a list", "{\"parts\":{}}", RECORD_PLAIN, 0, "bad-type", "parts", "a list"},
    {"list for a map", "{\"who\":[]}", RECORD_PLAIN, 0, "bad-type", "who", "a map"},
    {"text for an element", "{\"parts\":[\"a\"]}", RECORD_PLAIN, 0, "bad-type", "parts[0]", "a map"},
    {"below", "{\"n\":-6}", RECORD_PLAIN, 0, "range", "n", "-5 to 1000000"},
    {"above", "{\"n\":1000001}", RECORD_PLAIN, 0, "range", "n", "-5 to 1000000"},
    {"above, element", "{\"days\":[1,8]}", RECORD_PLAIN, 0, "range", "days[1]", "1 to 7"},
    {"above, nested", "{\"parts\":[{\"part\":\"a\",\"quantity\":100}]}", RECORD_PLAIN, 0, "range", "parts[0].quantity",
     "0 to 99"},
    {"no such name", "{\"grade\":\"hi\"}", RECORD_PLAIN, 0, "bad-value", "grade", "one of none, low, high"},
    {"half a name", "{\"grade\":\"highest\"}", RECORD_PLAIN, 0, "bad-value", "grade", "one of none, low, high"},
    {"no duration", "{\"limit\":\"3x\"}", RECORD_PLAIN, 0, "bad-span", "limit",
     "one number and one of s min h d w mo y wh wd, as in 30min or 3wd"},
    {"no time", "{\"at\":\"2011-02-29T00:00:00Z\"}", RECORD_PLAIN, 0, "bad-time", "at",
     "expected RFC 3339 as in 2026-11-22T08:00:00Z, found 2011-02-29T00:00:00Z"},
    {"number for a time", "{\"at\":1}", RECORD_PLAIN, 0, "bad-time", "at", "expected a timestamp"},
    {"bytes too short", "{\"hash\":\"AAAA\"}", RECORD_PLAIN, 0, "bad-value", "hash", "exactly 8 bytes"},
    {"blob too long", "{\"blob\":\"AAAAAAAAAAAAAAAAAAAAAAAA\"}", RECORD_PLAIN, 0, "too-long", "blob", "16"},
    {"no base64", "{\"file\":\"a-b=\"}", RECORD_PLAIN, 0, "bad-value", "file", "expected base64"},
    {"list too long", "{\"words\":[\"a\",\"b\",\"c\",\"d\"]}", RECORD_PLAIN, 0, "too-many", "words", "3"},
    {"slice too long", "{\"lines\":[{},{},{},{},{},{},{}]}", RECORD_PLAIN, 0, "too-many", "lines", "6"},
    {"slice in a slice too long", "{\"lines\":[{},{\"codes\":[1,2,3,4,5,6]}]}", RECORD_PLAIN, 0, "too-many",
     "lines[1].codes", "5"},
    {"raw too long", "{\"any\":\"" SIXTY SIXTY SIXTY SIXTY "\"}", RECORD_PLAIN, 0, "too-long", "any", "200"},
    {"personal in data", "{\"remark\":\"x\"}", RECORD_PLAIN, 0, "personal", "remark", ""},
    {"personal in data, nested", "{\"who\":{\"phone\":\"1\"}}", RECORD_PLAIN, 0, "personal", "who.phone", ""},
    {"personal in data, element", "{\"parts\":[{\"part\":\"a\",\"owner\":\"1\"}]}", RECORD_PLAIN, 0, "personal",
     "parts[0].owner", ""},
    {"plain in priv", "{\"tier\":1}", RECORD_PERSONAL, 0, "not-personal", "tier", ""},
    {"plain in priv, nested", "{\"who\":{\"id\":\"1\"}}", RECORD_PERSONAL, 0, "not-personal", "who.id", ""},
    {"personal required", "{\"who\":{\"name\":\"n\"}}", RECORD_PERSONAL, 0, "missing", "who.phone", ""},
    {"not a map", "[]", RECORD_PLAIN, 0, "bad-type", "", "a map"},
    {"given twice", "{\"n\":1,\"n\":2}", RECORD_PLAIN, 0, "syntax", "", NULL},
    {"nested too deeply", "{\"any\":[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]}", RECORD_PLAIN, 0, "too-deep", NULL, NULL},
};

static void each_refusal(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        struct sample s;
        struct problem p;
        if (record_parse_json(&sample_record, refusals[i].part, refusals[i].flags, refusals[i].json,
                              strlen(refusals[i].json), arena, &s, &p))
            fail_msg("%s: taken", refusals[i].name);
        if (!text_equal(p.code, refusals[i].code) || (refusals[i].field && !text_equal(p.field, refusals[i].field)) ||
            (refusals[i].args && !text_equal(p.args, refusals[i].args)))
            fail_msg("%s: %s | %s | %s", refusals[i].name, p.code, p.field, p.args);
    }
}

static const struct {
    const char *name, *json;
    enum record_part part;
    unsigned flags;
} takings[] = {
    {"least", "{\"key\":\"k\",\"tier\":0}", RECORD_PLAIN, DECODE_STRICT},
    {"nil is absent", "{\"key\":\"k\",\"tier\":0,\"n\":null,\"who\":null,\"parts\":null}", RECORD_PLAIN, DECODE_STRICT},
    {"unknown passed over", "{\"key\":\"k\",\"new\":{\"a\":[1,{\"b\":2}]},\"tier\":0}", RECORD_PLAIN, DECODE_LENIENT},
    {"retired still read", "{\"key\":\"k\",\"tier\":0,\"former\":\"x\"}", RECORD_PLAIN, DECODE_STRICT},
    {"no person", "{}", RECORD_PERSONAL, DECODE_STRICT},
    {"empty key-like text", "{\"key\":\"k\",\"tier\":0,\"who\":{\"id\":\"\"}}", RECORD_PLAIN, DECODE_STRICT},
    {"longest key", "{\"key\":\"" SIXTY "0123\",\"tier\":9}", RECORD_PLAIN, DECODE_STRICT},
    {"time with offset", "{\"key\":\"k\",\"tier\":0,\"at\":\"2011-07-01T05:32:33.5+08:00\"}", RECORD_PLAIN, DECODE_STRICT},
};

static void taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(takings); i++) {
        struct sample s;
        struct problem p;
        if (!record_parse_json(&sample_record, takings[i].part, takings[i].flags, takings[i].json,
                               strlen(takings[i].json), arena, &s, &p))
            fail_msg("%s: %s %s %s", takings[i].name, p.code, p.field, p.args);
        if (takings[i].part == RECORD_PLAIN)
            assert_int_equal(s.n, 7);
    }
}

/* Types that JSON cannot say. */
static void msgpack_types(void **state)
{
    (void)state;
    struct sample s;
    struct problem p;
    struct buf in = {0};
    pack_map(&in, 1);
    pack_text(&in, "key");
    pack_bin(&in, bytes_of("k", 1));
    assert_false(decode(RECORD_PLAIN, 0, &in, &s, &p));
    assert_string_equal(p.code, "bad-type");
    buf_reset(&in);
    pack_map(&in, 1);
    pack_text(&in, "big");
    pack_uint(&in, UINT64_MAX);
    assert_false(decode(RECORD_PLAIN, 0, &in, &s, &p));
    assert_string_equal(p.code, "range");
    assert_false(record_decode(&sample_record, RECORD_PLAIN, 0, bytes_of(NULL, 0), arena, &s, &p));
    assert_string_equal(p.code, "malformed");
    buf_release(&in);
}

/* The personal part of a list must fit the plain one that it is laid over. */
static void lists_fit(void **state)
{
    (void)state;
    struct sample s;
    struct problem p;
    const char *plain = "{\"key\":\"k\",\"tier\":0,\"parts\":[{\"part\":\"a\"},{\"part\":\"b\"}]}";
    const char *fits = "{\"parts\":[{},{\"owner\":\"o\"}]}", *longer = "{\"parts\":[{},{},{\"owner\":\"o\"}]}";
    assert_true(record_parse_json(&sample_record, RECORD_PLAIN, 0, plain, strlen(plain), arena, &s, &p));
    assert_true(record_parse_json(&sample_record, RECORD_PERSONAL, DECODE_KEEP, fits, strlen(fits), arena, &s, &p));
    assert_string_equal(s.parts[0].part, "a");
    assert_string_equal(s.parts[1].part, "b");
    assert_string_equal(s.parts[1].owner, "o");
    assert_false(record_parse_json(&sample_record, RECORD_PERSONAL, DECODE_KEEP, longer, strlen(longer), arena, &s, &p));
    assert_string_equal(p.code, "bad-value");
}

static void differences(void **state)
{
    (void)state;
    uint64_t random = 7;
    struct sample a, b;
    sample_fill(&a, &random, arena);
    a.parts_n = 1;
    b = a;
    assert_true(record_equal(&sample_record, &a, &b));
    b.seen++;
    assert_true(record_equal(&sample_record, &a, &b));
    memset(b.parts[3].part, 'x', 5); /* behind the count */
    assert_true(record_equal(&sample_record, &a, &b));
    b = a;
    b.on = !b.on;
    assert_false(record_equal(&sample_record, &a, &b));
    b = a;
    b.parts[0].quantity++;
    assert_false(record_equal(&sample_record, &a, &b));
    b = a;
    b.words_n = (a.words_n + 1) % 3;
    assert_false(record_equal(&sample_record, &a, &b));
    b = a;
    b.limit = (struct span){77777, SPAN_HOURS};
    assert_false(record_equal(&sample_record, &a, &b));
}

/* Cut anywhere or with any byte changed: refused, or read as something else, never more than that. */
static void mutations(void **state)
{
    (void)state;
    uint64_t random = 99;
    struct sample in, out;
    struct buf whole = {0};
    size_t taken_n = 0;
    for (int round = 0; round < 20000; round++) {
        if (round % 500 == 0) {
            arena_reset(arena);
            sample_fill(&in, &random, arena);
            buf_reset(&whole);
            record_encode(&sample_record, RECORD_WHOLE, &in, &whole);
        }
        struct problem p;
        uint8_t *copy = malloc(whole.len);
        memcpy(copy, whole.data, whole.len);
        for (int i = 0; i <= round % 3; i++)
            copy[(random_next(&random) >> 20) % whole.len] = (uint8_t)(random_next(&random) >> 30);
        if (skim(bytes_of(copy, whole.len), &p) &&
            record_decode(&sample_record, RECORD_WHOLE, 0, bytes_of(copy, whole.len), arena, &out, &p)) {
            struct buf again = {0};
            record_encode(&sample_record, RECORD_WHOLE, &out, &again);
            buf_release(&again);
            taken_n++;
        }
        free(copy);
    }
    assert_true(taken_n > 100 && taken_n < 19900);
    buf_release(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),      cmocka_unit_test(golden),    cmocka_unit_test(round_trips),
        cmocka_unit_test(two_parts),     cmocka_unit_test(any_order), cmocka_unit_test(each_refusal),
        cmocka_unit_test(taken),         cmocka_unit_test(lists_fit), cmocka_unit_test(msgpack_types),
        cmocka_unit_test(differences),   cmocka_unit_test(mutations),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
