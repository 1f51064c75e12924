/* A file got from a fake feed: over lines of any width, with breaks, with all that passes and what does not. */
#include "base/text.h"
#include "bus/getting.h"
#include "unit/common/bus/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIZE (200 * 1024)

static const uint8_t sha256[32] = {1, 2, 3};
static uint8_t file[SIZE];
static struct getting *getting;
static struct wire down;
static struct buf got;
static struct verb_get said;
static int64_t now_us;
static bool disk_is_full;

static bool on_piece(void *owner, struct bytes piece)
{
    assert_ptr_equal(owner, &got);
    buf_append(&got, piece.data, piece.len);
    return !disk_is_full;
}

static void begin(int64_t have)
{
    now_us = 1000;
    disk_is_full = false;
    for (size_t i = 0; i < SIZE; i++)
        file[i] = (uint8_t)(i * 7 + i / 251);
    buf_reset(&got);
    buf_append(&got, file, (size_t)have);
    getting = getting_new(sha256, have, on_piece, &got);
    getting_connected(getting, now_us);
}

static void end(void)
{
    wire_cut(&down);
    buf_release(&got);
    getting_destroy(&getting);
    assert_null(getting);
}

/* The GET that is due; false: none is. */
static bool is_asked(void)
{
    struct frame frame;
    struct problem problem;

    if (!getting_out(getting, now_us, &frame))
        return false;
    assert_string_equal(frame.verb, "GET");
    assert_true(record_decode(&verb_get_record, RECORD_WHOLE, DECODE_STRICT, frame.map, NULL, &said, &problem));
    assert_memory_equal(said.sha256, sha256, sizeof sha256);
    assert_false(getting_out(getting, now_us, &frame)); /* one at a time */
    return true;
}

static bool hear(const char *verb, const struct record *record, const void *object)
{
    struct frame frame;

    wire_push_record(&down, verb, record, object);
    assert_true(wire_pop(&down, &frame));
    return getting_in(getting, &frame, now_us);
}

/* As a feed answers, but at most so many bytes. */
static size_t answer(size_t most)
{
    struct verb_part part = {.offset = said.offset, .size = SIZE, .receipt = {9, (uint8_t)(said.offset >> 8)}};
    size_t left = SIZE - (size_t)said.offset;

    memcpy(part.sha256, sha256, sizeof part.sha256);
    part.bytes = bytes_of(file + said.offset, left < most ? left : most);
    if (left == 0)
        memset(part.receipt, 0, sizeof part.receipt);
    assert_true(hear("PART", &verb_part_record, &part));
    return part.bytes.len;
}

static bool hear_code(const char *code)
{
    struct verb_part part = {.size = 0};

    memcpy(part.sha256, sha256, sizeof part.sha256);
    text_format(part.code, sizeof part.code, "%s", code);
    return hear("PART", &verb_part_record, &part);
}

/* Everything, over a line of so many bytes a second: each answer in its time, or given up where the machine gives it up. Microseconds. */
static int64_t line_get(int64_t bytes_a_second, int64_t trip_us, int *breaks)
{
    int64_t began_us = now_us;

    for (*breaks = 0; !getting_is_over(getting);) {
        assert_true(is_asked());
        size_t left = SIZE - (size_t)said.offset, n = left < (size_t)said.bytes ? left : (size_t)said.bytes;
        int64_t took_us = trip_us + (int64_t)n * SECOND_US / bytes_a_second, due_us = getting_deadline_us(getting);
        if (now_us + took_us > due_us) {
            now_us = due_us;
            assert_true(getting_tick(getting, now_us));
            getting_disconnected(getting);
            getting_connected(getting, now_us);
            ++*breaks;
            continue;
        }
        now_us += took_us;
        assert_false(getting_tick(getting, now_us));
        answer((size_t)said.bytes);
    }
    assert_string_equal(getting_refusal(getting)->code, "");
    assert_int_equal(got.len, SIZE);
    assert_memory_equal(got.data, file, SIZE);
    return now_us - began_us;
}

/* 200 KiB on lines down to 4.8 kbit/s: it comes, in little more time than the line needs. */
static void test_over_lines_of_any_width(void **state)
{
    static const struct {
        int64_t bits, trip_us;
        int breaks; /* at most */
    } lines[] = {{1000000000, 300, 0}, {256000, 200000, 0}, {64000, 200000, 0}, {30000, 600000, 0}, {16000, 600000, 0}, {9600, 600000, 1}, {4800, 600000, 2}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        int breaks;
        begin(0);
        int64_t took_us = line_get(lines[i].bits / 8, lines[i].trip_us, &breaks), needs_us = SIZE * INT64_C(8) * SECOND_US / lines[i].bits;
        if (breaks > lines[i].breaks || took_us > needs_us + needs_us / 2 + 10 * lines[i].trip_us)
            fail_msg("%lld bit/s: %lld ms, %d breaks", (long long)lines[i].bits, (long long)took_us / 1000, breaks);
        end();
    }
}

/* The next GET hands in the receipt, the one behind the last piece too; one that is said again the same; another connection has none. */
static void test_receipts(void **state)
{
    static const uint8_t none[RECEIPT_BYTES];

    (void)state;
    begin(0);
    assert_true(is_asked());
    assert_memory_equal(said.receipt, none, RECEIPT_BYTES);
    answer(100);
    for (int again = 0; again < 2; again++) {
        assert_true(is_asked());
        assert_int_equal(said.offset, 100);
        assert_int_equal(said.receipt[0], 9);
        assert_true(hear_code("busy"));
        assert_true(getting_is_later(getting));
        assert_false(is_asked());
        now_us = getting_deadline_us(getting);
    }
    getting_disconnected(getting);
    assert_false(is_asked());
    getting_connected(getting, now_us);
    assert_true(is_asked());
    assert_memory_equal(said.receipt, none, RECEIPT_BYTES);
    while (answer(PART_BYTES_MAX) > 0) {
        assert_false(getting_is_later(getting));
        assert_false(getting_is_over(getting));
        assert_true(is_asked());
        assert_int_equal(said.receipt[0], 9);
    }
    assert_true(getting_is_over(getting));
    assert_false(is_asked());
    assert_int_equal(getting_deadline_us(getting), INT64_MAX);
    assert_memory_equal(got.data, file, SIZE);
    end();
}

/* Shorter pieces than were asked for, and longer ones, as a feed gives that knows nothing of `bytes`; from the middle. */
static void test_pieces_of_any_size(void **state)
{
    static const size_t sizes[] = {1, 4096, 77, PART_BYTES_MAX};

    (void)state;
    begin(5000);
    for (size_t i = 0; !getting_is_over(getting); i++) {
        assert_true(is_asked());
        assert_int_equal(said.offset, got.len);
        answer(sizes[i % COUNT_OF(sizes)]);
    }
    assert_int_equal(got.len, SIZE);
    assert_memory_equal(got.data, file, SIZE);
    end();
}

/* The quick answer of a few bytes does not tell that the line bears many. */
static void test_short_ones_tell_nothing(void **state)
{
    (void)state;
    begin(0);
    assert_true(is_asked());
    int64_t first = said.bytes;
    for (int i = 0; i < 20; i++) {
        answer(100);
        assert_true(is_asked());
        assert_int_equal(said.bytes, first);
    }
    end();
}

static void test_what_is_passed_over(void **state)
{
    struct verb_part other = {.sha256 = {4}, .bytes = {.data = file, .len = 9}}, elsewhere = {.offset = 77, .bytes = {.data = file, .len = 9}};
    struct verb_head head = {.head = 3};

    (void)state;
    begin(0);
    memcpy(elsewhere.sha256, sha256, sizeof sha256);
    assert_true(is_asked());
    assert_true(hear("PART", &verb_part_record, &other));
    assert_true(hear("PART", &verb_part_record, &elsewhere));
    assert_true(hear("HEAD", &verb_head_record, &head));
    assert_int_equal(got.len, 0);
    answer(10);
    assert_true(hear("PART", &verb_part_record, &elsewhere)); /* nothing is asked */
    assert_int_equal(got.len, 10);
    end();
}

static void test_what_ends_it(void **state)
{
    static const char *const codes[] = {"unknown", "denied", "erased", "awaited", "receipt", "any-other"};
    struct verb_denied full = {.code = "full"}, denied = {.code = "principal"};
    struct verb_moved moved = {.endpoints_n = 0};
    struct verb_error error = {.code = "malformed"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        begin(0);
        assert_true(is_asked());
        assert_true(hear_code(codes[i]));
        assert_true(getting_is_over(getting));
        assert_string_equal(getting_refusal(getting)->code, codes[i]);
        assert_false(getting_is_denied(getting));
        assert_false(is_asked());
        end();
    }
    begin(0);
    assert_false(hear("MOVED", &verb_moved_record, &moved));
    assert_false(hear("ERROR", &verb_error_record, &error));
    assert_false(hear("DENIED", &verb_denied_record, &full));
    assert_false(getting_is_over(getting));
    assert_true(hear("DENIED", &verb_denied_record, &denied));
    assert_true(getting_is_over(getting) && getting_is_denied(getting));
    assert_string_equal(getting_refusal(getting)->code, "principal");
    end();
    begin(0);
    disk_is_full = true;
    assert_true(is_asked());
    answer(10);
    assert_true(getting_is_over(getting));
    assert_string_equal(getting_refusal(getting)->code, "");
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_over_lines_of_any_width), cmocka_unit_test(test_receipts),        cmocka_unit_test(test_pieces_of_any_size),
        cmocka_unit_test(test_short_ones_tell_nothing), cmocka_unit_test(test_what_is_passed_over), cmocka_unit_test(test_what_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
