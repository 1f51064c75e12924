#include "record/pack.h"
#include "base/text.h"
#include "record/record.h"
#include <inttypes.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* "c7-0c-ff" */
static struct bytes dashed_parse(const char *text, uint8_t *out)
{
    size_t n = 0;
    for (; *text; text += text[2] ? 3 : 2) {
        char two[3] = {text[0], text[1], 0};
        assert_true(hex_parse(two, 1, out + n++));
    }
    return bytes_of(out, n);
}

/* An allocation of exactly the size, so that the sanitizer sees a read behind the end. */
static bool skim_exact(const void *data, size_t n, struct problem *p)
{
    uint8_t *copy = malloc(n ? n : 1);
    memcpy(copy, data, n);
    bool fine = skim(bytes_of(copy, n), p);
    free(copy);
    return fine;
}

static void real_check(struct pack_value v, double want)
{
    double found = v.type == PACK_FLOAT ? v.real : v.type == PACK_INT ? (double)v.integer : (double)v.large;
    assert_true(v.type == PACK_FLOAT || v.type == PACK_INT || v.type == PACK_UINT);
    assert_memory_equal(&found, &want, sizeof want);
}

static void time_check(struct pack_value v, const json_t *want)
{
    int64_t seconds = json_integer_value(json_array_get(want, 0));
    int64_t nanoseconds = json_integer_value(json_array_get(want, 1));
    assert_int_equal(v.type, PACK_TIME);
    assert_int_equal(v.time_us, seconds * SECOND_US + nanoseconds / 1000);
}

static void nested_check(struct bytes in, const json_t *want)
{
    struct buf out = {0};
    char *dumped = json_dumps(want, JSON_COMPACT | JSON_ENCODE_ANY);
    raw_print_json(in, &out);
    assert_string_equal(buf_text(&out), dumped);
    free(dumped);
    buf_release(&out);
}

/* Our writer's encoding of what was read. */
static void repack(struct bytes in, struct buf *out)
{
    struct unpack u = unpack_of(in);
    struct pack_value v = unpack_next(&u);
    switch (v.type) {
    case PACK_NIL:
        pack_nil(out);
        break;
    case PACK_BOOL:
        pack_bool(out, v.boolean);
        break;
    case PACK_INT:
        pack_int(out, v.integer);
        break;
    case PACK_UINT:
        pack_uint(out, v.large);
        break;
    case PACK_STR:
        pack_text_n(out, (const char *)v.bytes.data, v.bytes.len);
        break;
    case PACK_BIN:
        pack_bin(out, v.bytes);
        break;
    case PACK_TIME:
        pack_time(out, v.time_us);
        break;
    case PACK_FLOAT:
    case PACK_ARRAY:
    case PACK_MAP:
        pack_raw(out, in);
        break;
    }
}

static bool shortest_is_ours(const json_t *entry)
{
    const json_t *time = json_object_get(entry, "timestamp");
    if (time)
        return json_integer_value(json_array_get(time, 1)) % 1000 == 0; /* we keep microseconds */
    return !json_object_get(entry, "array") && !json_object_get(entry, "map") &&
           !json_is_real(json_object_get(entry, "number"));
}

/* To the last digit, but for those encodings that are floats. */
static void bignum_check(struct pack_value v, const char *want)
{
    char text[32];
    if (v.type == PACK_UINT)
        text_format(text, sizeof text, "%" PRIu64, v.large);
    else if (v.type == PACK_INT)
        text_format(text, sizeof text, "%" PRId64, v.integer);
    else
        real_check(v, strtod(want, NULL));
    if (v.type != PACK_FLOAT)
        assert_string_equal(text, want);
}

static void vector_check(const json_t *entry, const char *encoded)
{
    uint8_t data[400];
    struct bytes in = dashed_parse(encoded, data);
    struct problem p;
    const json_t *want;
    if (json_object_get(entry, "ext")) {
        assert_false(skim_exact(in.data, in.len, &p));
        assert_string_equal(p.code, "malformed");
        assert_string_equal(p.args, "an extension other than the timestamp"); /* the one kind of value that is refused */
        return;
    }
    assert_true(skim_exact(in.data, in.len, &p));
    struct unpack u = unpack_of(in);
    struct pack_value v = unpack_next(&u);
    if (json_object_get(entry, "nil"))
        assert_int_equal(v.type, PACK_NIL);
    else if ((want = json_object_get(entry, "bool")))
        assert_int_equal(v.boolean, json_is_true(want));
    else if ((want = json_object_get(entry, "bignum")))
        bignum_check(v, json_string_value(want));
    else if ((want = json_object_get(entry, "number")))
        real_check(v, json_number_value(want));
    else if ((want = json_object_get(entry, "string")))
        assert_true(bytes_equal(v.bytes, bytes_of_text(json_string_value(want))));
    else if ((want = json_object_get(entry, "timestamp")))
        time_check(v, want);
    else if ((want = json_object_get(entry, "binary"))) {
        uint8_t bin[100];
        assert_int_equal(v.type, PACK_BIN);
        assert_true(bytes_equal(v.bytes, dashed_parse(json_string_value(want), bin)));
    } else if ((want = json_object_get(entry, "array")) || (want = json_object_get(entry, "map")))
        nested_check(in, want);
    else
        fail_msg("a vector of a new kind");
}

/* What we write for a value is one of its listed encodings, and not longer than the first. */
static void writing_check(const json_t *entry)
{
    uint8_t data[400];
    const json_t *all = json_object_get(entry, "msgpack");
    size_t first = 0;
    bool listed = false;
    struct buf ours = {0};
    if (json_object_get(entry, "ext") || !shortest_is_ours(entry))
        return;
    repack(dashed_parse(json_string_value(json_array_get(all, 0)), data), &ours);
    for (size_t i = 0; i < json_array_size(all); i++) {
        struct bytes one = dashed_parse(json_string_value(json_array_get(all, i)), data);
        listed = listed || bytes_equal(one, buf_bytes(&ours));
        first = i == 0 ? one.len : first;
    }
    assert_true(listed);
    assert_true(ours.len <= first);
    buf_release(&ours);
}

static void vectors(void **state)
{
    (void)state;
    json_error_t error;
    json_t *suite = json_load_file(SOURCE_DIR "/tests/unit/common/record/msgpack-test-suite.json", 0, &error);
    assert_non_null(suite);
    const char *name;
    json_t *entries, *entry, *encoded;
    size_t i, j, n = 0;
    json_object_foreach(suite, name, entries)
        json_array_foreach(entries, i, entry) {
            json_array_foreach(json_object_get(entry, "msgpack"), j, encoded) {
                vector_check(entry, json_string_value(encoded));
                n++;
            }
            writing_check(entry);
        }
    assert_int_equal(n, 233);
    json_decref(suite);
}

#define HOSTILE(what, bytes, code) {what, bytes, sizeof(bytes) - 1, code}
static const struct {
    const char *what, *bytes;
    size_t n;
    const char *code;
} hostile[] = {
    HOSTILE("nothing", "", "malformed"),
    HOSTILE("never used", "\xc1", "malformed"),
    HOSTILE("two values", "\x01\x02", "malformed"),
    HOSTILE("bin of 4 GiB", "\xc6\xff\xff\xff\xff", "malformed"),
    HOSTILE("text of 4 GiB", "\xdb\xff\xff\xff\xff", "malformed"),
    HOSTILE("array of 4 G", "\xdd\xff\xff\xff\xff", "malformed"),
    HOSTILE("map of 4 G", "\xdf\xff\xff\xff\xff", "malformed"),
    HOSTILE("map of 2 in 2 bytes", "\x82\xa0\xc0", "malformed"),
    HOSTILE("array of 3, two there", "\x93\x01\x02", "malformed"),
    HOSTILE("cut length", "\xda\x00", "malformed"),
    HOSTILE("cut integer", "\xcf\x01\x02", "malformed"),
    HOSTILE("cut text", "\xa5" "abc", "malformed"),
    HOSTILE("cut timestamp", "\xd7\xff\x00\x00", "malformed"),
    HOSTILE("key is an integer", "\x81\x01\x02", "malformed"),
    HOSTILE("key is bin", "\x81\xc4\x01" "a\x02", "malformed"),
    HOSTILE("key twice", "\x82\xa1" "a\x01\xa1" "a\x02", "duplicate-key"),
    HOSTILE("key twice in two forms", "\x82\xa1" "a\x01\xd9\x01" "a\x02", "duplicate-key"),
    HOSTILE("key twice, deep", "\x91\x81\xa1" "x\x82\xa1" "b\x01\xa1" "b\x02", "duplicate-key"),
    HOSTILE("U+0000", "\xa3" "a\0b", "not-utf8"),
    HOSTILE("U+0000 in a long text", "\xac" "abcdefgh\0ijk", "not-utf8"),
    HOSTILE("lone continuation", "\xa1\x80", "not-utf8"),
    HOSTILE("overlong slash", "\xa2\xc0\xaf", "not-utf8"),
    HOSTILE("surrogate", "\xa3\xed\xa0\x80", "not-utf8"),
    HOSTILE("above U+10FFFF", "\xa4\xf4\x90\x80\x80", "not-utf8"),
    HOSTILE("cut sequence at the end of a long text", "\xa9" "abcdefgh\xe5", "not-utf8"),
    HOSTILE("bad key", "\x81\xa1\xff\x01", "not-utf8"),
    HOSTILE("extension", "\xd4\x01\x00", "malformed"),
    HOSTILE("extension 8", "\xc7\x01\xff\x00", "malformed"),
    HOSTILE("extension 32 of 4 GiB", "\xc9\xff\xff\xff\xff\xff", "malformed"),
    HOSTILE("a second of nanoseconds", "\xd7\xff\xee\x6b\x28\x00\x00\x00\x00\x00", "bad-time"),
    HOSTILE("time beyond int64 microseconds", "\xc7\x0c\xff\x00\x00\x00\x00\x7f\xff\xff\xff\xff\xff\xff\xff", "bad-time"),
    HOSTILE("year 10000", "\xc7\x0c\xff\x00\x00\x00\x00\x00\x00\x00\x3a\xff\xf4\x41\x80", "bad-time"),
};

static void hostile_inputs(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(hostile); i++) {
        struct problem p;
        if (skim_exact(hostile[i].bytes, hostile[i].n, &p))
            fail_msg("%s: passed", hostile[i].what);
        if (!text_equal(p.code, hostile[i].code))
            fail_msg("%s: %s %s", hostile[i].what, p.code, p.args);
    }
}

static void depth(void **state)
{
    (void)state;
    struct problem p;
    uint8_t deep[2 * SKIM_DEPTH_MAX + 3];
    memset(deep, 0x91, sizeof deep);
    deep[SKIM_DEPTH_MAX] = 0x01;
    assert_true(skim_exact(deep, SKIM_DEPTH_MAX + 1, &p));
    memset(deep, 0x91, sizeof deep);
    deep[SKIM_DEPTH_MAX + 1] = 0x01;
    assert_false(skim_exact(deep, SKIM_DEPTH_MAX + 2, &p));
    assert_string_equal(p.code, "too-deep");
}

/* n pairs whose keys all differ in the middle only, or which repeat the first one at the end. */
static bool keys_skim(uint32_t n, bool repeat, struct problem *p)
{
    struct buf out = {0};
    char key[40];
    pack_map(&out, n);
    for (uint32_t i = 0; i < n; i++) {
        text_format(key, sizeof key, "beginning%04" PRIu32 "endofit.", repeat && i == n - 1 ? 0 : i);
        pack_text(&out, key);
        pack_nil(&out);
    }
    bool fine = skim_exact(out.data, out.len, p);
    buf_release(&out);
    return fine;
}

static void many_keys(void **state)
{
    (void)state;
    struct problem p;
    assert_true(keys_skim(16, false, &p));
    assert_true(keys_skim(256, false, &p));
    assert_false(keys_skim(256, true, &p));
    assert_string_equal(p.code, "duplicate-key");
    assert_false(keys_skim(17, true, &p));
    assert_string_equal(p.code, "duplicate-key");
    assert_false(keys_skim(257, false, &p));
    assert_string_equal(p.code, "too-many");
}

static void long_key(void **state)
{
    (void)state;
    struct problem p;
    char key[66];
    for (size_t n = 63; n <= 65; n++) {
        struct buf out = {0};
        memset(key, 'k', sizeof key);
        pack_map(&out, 1);
        pack_text_n(&out, key, n);
        pack_nil(&out);
        assert_int_equal(skim_exact(out.data, out.len, &p), n <= 64);
        buf_release(&out);
    }
}

/* Every cut of a whole message is refused, and nothing is read behind its end. */
static void every_cut(void **state)
{
    (void)state;
    struct buf values = {0}, more = {0};
    struct problem p;
    const char *json = "[1,-1,300,-300,70000,-70000,5000000000,-5000000000,1.5,null,true,{\"c\":{\"d\":\"x\"}},"
                       "\"工单 with a longer text, more than thirty-one bytes\"]";
    assert_true(raw_parse_json(json, strlen(json), &values, &p));
    pack_map(&more, 2);
    pack_text(&more, "values");
    pack_raw(&more, buf_bytes(&values));
    pack_text(&more, "t");
    pack_array(&more, 4);
    pack_time(&more, SECOND_US);
    pack_time(&more, 1);
    pack_time(&more, -1);
    pack_bin(&more, bytes_of("abc", 3));
    assert_true(skim_exact(more.data, more.len, &p));
    for (size_t n = 0; n < more.len; n++)
        assert_false(skim_exact(more.data, n, &p));
    struct unpack u = unpack_of(buf_bytes(&more));
    assert_true(bytes_equal(unpack_raw(&u), buf_bytes(&more)));
    assert_ptr_equal(u.at, u.end);
    buf_release(&more);
    buf_release(&values);
}

static void integers(void **state)
{
    (void)state;
    static const int64_t edges[] = {0, 1, 127, 128, 255, 256, 65535, 65536, UINT32_MAX, INT64_C(4294967296), INT64_MAX,
                                    -1, -32, -33, -128, -129, -32768, -32769, INT32_MIN, INT64_C(-2147483649), INT64_MIN};
    static const size_t sizes[] = {1, 1, 1, 2, 2, 3, 3, 5, 5, 9, 9, 1, 1, 2, 2, 3, 3, 5, 5, 9, 9};
    for (size_t i = 0; i < COUNT_OF(edges); i++) {
        struct buf out = {0};
        struct problem p;
        pack_int(&out, edges[i]);
        assert_int_equal(out.len, sizes[i]);
        assert_true(skim_exact(out.data, out.len, &p));
        struct unpack u = unpack_of(buf_bytes(&out));
        struct pack_value v = unpack_next(&u);
        assert_int_equal(v.type, PACK_INT);
        assert_int_equal(v.integer, edges[i]);
        buf_release(&out);
    }
    struct buf out = {0};
    pack_uint(&out, UINT64_MAX);
    struct unpack u = unpack_of(buf_bytes(&out));
    struct pack_value v = unpack_next(&u);
    assert_int_equal(v.type, PACK_UINT);
    assert_true(v.large == UINT64_MAX);
    buf_release(&out);
}

/* Lengths at which the head changes its form. */
static void lengths(void **state)
{
    (void)state;
    static const size_t edges[] = {0, 7, 8, 15, 16, 31, 32, 255, 256, 65535, 65536};
    char *text = malloc(65536);
    memset(text, 'x', 65536);
    for (size_t i = 0; i < COUNT_OF(edges); i++) {
        struct buf out = {0};
        struct problem p;
        pack_array(&out, 2);
        pack_text_n(&out, text, edges[i]);
        pack_bin(&out, bytes_of(text, edges[i]));
        assert_true(skim_exact(out.data, out.len, &p));
        struct unpack u = unpack_of(buf_bytes(&out));
        assert_int_equal(unpack_next(&u).n, 2);
        assert_int_equal(unpack_next(&u).bytes.len, edges[i]);
        assert_int_equal(unpack_next(&u).bytes.len, edges[i]);
        buf_reset(&out);
        pack_array(&out, (uint32_t)edges[i]);
        for (size_t j = 0; j < edges[i]; j++)
            pack_nil(&out);
        assert_true(skim_exact(out.data, out.len, &p));
        buf_release(&out);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),   cmocka_unit_test(hostile_inputs), cmocka_unit_test(depth),
        cmocka_unit_test(many_keys), cmocka_unit_test(long_key),       cmocka_unit_test(every_cut),
        cmocka_unit_test(integers),  cmocka_unit_test(lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
