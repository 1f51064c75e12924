/* A file put to a fake intake: from where it says, with breaks, with all that passes and what does not. */
#include "base/text.h"
#include "bus/putting.h"
#include "unit/common/bus/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIZE (700 * 1024 + 5)

static const uint8_t sha256[32] = {1, 2, 3};
static struct putting *putting;
static struct wire down;
static struct verb_put said;
static int64_t now_us, kept;
static bool disk_is_gone;

static bool on_read(void *owner, int64_t offset, size_t most, struct buf *out)
{
    assert_ptr_equal(owner, &kept);
    size_t left = SIZE - (size_t)offset, n = left < most ? left : most;
    memset(buf_reserve(out, n), (int)offset & 0xff, n);
    out->len += n;
    return !disk_is_gone;
}

static void begin(void)
{
    now_us = 1000;
    kept = 0;
    disk_is_gone = false;
    putting = putting_new(sha256, SIZE, on_read, &kept);
}

static void end(void)
{
    wire_cut(&down);
    putting_destroy(&putting);
    assert_null(putting);
}

/* The PUT that is due; false: none is. Its bytes are counted, not kept. */
static bool is_said(void)
{
    struct frame frame;
    struct problem problem;

    if (!putting_out(putting, now_us, &frame))
        return false;
    assert_string_equal(frame.verb, "PUT");
    assert_true(record_decode(&verb_put_record, RECORD_WHOLE, DECODE_STRICT, frame.map, NULL, &said, &problem));
    assert_memory_equal(said.sha256, sha256, sizeof sha256);
    if (said.bytes.len > 0)
        assert_true(said.bytes.len >= PART_BYTES_LEAST || said.offset + (int64_t)said.bytes.len == SIZE);
    assert_false(putting_out(putting, now_us, &frame)); /* one at a time */
    return true;
}

static void hear(int64_t upto, const char *code)
{
    struct verb_have have = {.upto = upto, .whole = upto == SIZE && code[0] == '\0'};
    struct frame frame;

    memcpy(have.sha256, sha256, sizeof have.sha256);
    text_format(have.code, sizeof have.code, "%s", code);
    wire_push_record(&down, "HAVE", &verb_have_record, &have);
    assert_true(wire_pop(&down, &frame));
    assert_true(putting_in(putting, &frame, now_us));
}

/* As a shelf keeps it. */
static void keep(void)
{
    if (said.bytes.len > 0 && said.offset == kept)
        kept += (int64_t)said.bytes.len;
    hear(kept, "");
}

/* The line breaks every few pieces, before an answer or behind it; the database forgets some. */
static void test_put_over_breaks(void **state)
{
    uint64_t dice = 7;

    (void)state;
    for (int run = 0; run < 50; run++) {
        begin();
        assert_false(is_said()); /* no session yet */
        putting_connected(putting, now_us);
        for (bool asked = false; !putting_is_over(putting);) {
            assert_true(is_said());
            assert_true(asked || said.bytes.len == 0); /* first: how far is it? */
            assert_true(said.bytes.len == 0 || said.offset == putting_upto(putting));
            if (dice_once_in(&dice, 4)) {
                if (dice_once_in(&dice, 2) && said.bytes.len > 0 && said.offset == kept)
                    kept += (int64_t)said.bytes.len;
                kept -= dice_once_in(&dice, 3) && kept >= 8192 && kept < SIZE ? 8192 : 0;
                putting_disconnected(putting);
                assert_false(is_said());
                putting_connected(putting, now_us);
                asked = false;
                continue;
            }
            keep();
            asked = true;
        }
        assert_string_equal(putting_refusal(putting)->code, "");
        assert_int_equal(kept, SIZE);
        assert_int_equal(putting_upto(putting), SIZE);
        assert_int_equal(putting_deadline_us(putting), INT64_MAX);
        end();
    }
}

/* Later: not at once, and then it asks. What stands still without a word waits too. */
static void test_later(void **state)
{
    static const char *const codes[] = {"busy", "database"};

    (void)state;
    begin();
    putting_connected(putting, now_us);
    assert_true(is_said());
    keep();
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        assert_true(is_said());
        hear(kept, codes[i]);
        assert_true(putting_is_later(putting));
        assert_false(is_said());
        now_us = putting_deadline_us(putting);
        assert_true(is_said());
        assert_int_equal(said.bytes.len, 0);
        keep();
        assert_false(putting_is_later(putting));
    }
    assert_true(is_said());
    assert_true(said.bytes.len > 0);
    hear(said.offset, "");
    assert_true(putting_is_later(putting) && !putting_is_over(putting));
    assert_false(is_said());
    now_us = putting_deadline_us(putting);
    assert_true(is_said());
    assert_true(said.bytes.len > 0);
    end();
}

static void test_what_ends_it(void **state)
{
    static const char *const codes[] = {"unknown", "denied", "erased", "too-large", "too-small", "quota", "measure", "sha256"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        begin();
        putting_connected(putting, now_us);
        assert_true(is_said());
        hear(0, codes[i]);
        assert_true(putting_is_over(putting));
        assert_string_equal(putting_refusal(putting)->code, codes[i]);
        assert_false(is_said());
        end();
    }
    for (int i = 0; i < 2; i++) { /* all of it, and not whole; less than nothing */
        struct verb_have have = {.upto = i == 0 ? SIZE : -1};
        struct frame frame;
        memcpy(have.sha256, sha256, sizeof have.sha256);
        begin();
        putting_connected(putting, now_us);
        assert_true(is_said());
        wire_push_record(&down, "HAVE", &verb_have_record, &have);
        assert_true(wire_pop(&down, &frame));
        assert_true(putting_in(putting, &frame, now_us));
        assert_string_equal(putting_refusal(putting)->code, "sha256");
        assert_false(putting_in(putting, &frame, now_us)); /* nothing was said */
        end();
    }
    begin();
    putting_connected(putting, now_us);
    assert_true(is_said());
    keep();
    disk_is_gone = true;
    assert_false(is_said());
    assert_true(putting_is_over(putting));
    end();
}

/* Who is there and does not answer has lost it. */
static void test_unanswered(void **state)
{
    (void)state;
    begin();
    putting_connected(putting, now_us);
    assert_true(is_said());
    assert_false(putting_tick(putting, now_us + 89 * SECOND_US));
    now_us = putting_deadline_us(putting);
    assert_true(putting_tick(putting, now_us));
    end();
}

/* The names are the protocol's: other clients make the same. */
static void test_sources(void **state)
{
    char name[EVENT_SOURCE_CAP], long_one[64];
    uint8_t incarnation[INCARNATION_BYTES];
    static const uint8_t want[INCARNATION_BYTES] = {0x96, 0xdb, 0xb1, 0xdd, 0x72, 0x0e, 0x01, 0x02, 0x07, 0xce, 0xfb, 0x44, 0xb5, 0xc9, 0xa2, 0x01};

    (void)state;
    putting_source("branch-gz", "T-1", "报告.pdf", "application/pdf", sha256, name);
    assert_string_equal(name, "branch-gz/09a2cf1c717940e242d7f7bc0e349316");
    putting_incarnation(name, incarnation);
    assert_memory_equal(incarnation, want, sizeof want);
    memset(long_one, 'p', sizeof long_one - 1);
    long_one[sizeof long_one - 1] = '\0';
    putting_source(long_one, "T-1", "报告.pdf", "application/pdf", sha256, name);
    assert_int_equal(strlen(name), EVENT_SOURCE_CAP - 1);
    assert_string_equal(name + sizeof long_one, "09a2cf1c717940e242d7f7bc0e34931");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put_over_breaks), cmocka_unit_test(test_later),   cmocka_unit_test(test_what_ends_it),
        cmocka_unit_test(test_unanswered),      cmocka_unit_test(test_sources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
