/* A question against a fake feed: pages, answers that are another's, what passes and what does not. */
#include "bus/inquiry.h"
#include "record/pack.h"
#include "unit/common/bus/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct inquiry *inquiry;
static struct wire down;
static struct verb_ask said;
static struct buf args;
static int64_t now_us;

static void begin(void)
{
    struct verb_ask ask = {.to = "reporting", .question = "tickets", .args = bytes_of("\x81\xa1k\x07", 4), .at_least = 9};

    now_us = 1000;
    inquiry = inquiry_new();
    assert_true(inquiry_is_over(inquiry));
    inquiry_connected(inquiry, now_us);
    inquiry_ask(inquiry, &ask);
}

static void end(void)
{
    wire_cut(&down);
    buf_release(&args);
    inquiry_destroy(&inquiry);
    assert_null(inquiry);
}

/* The ASK that is due; false: none is. */
static bool is_asked(void)
{
    struct frame frame;
    struct problem problem;

    if (!inquiry_out(inquiry, now_us, &frame))
        return false;
    assert_string_equal(frame.verb, "ASK");
    assert_true(record_decode(&verb_ask_record, RECORD_WHOLE, DECODE_STRICT, frame.map, NULL, &said, &problem));
    buf_reset(&args);
    buf_append(&args, said.args.data, said.args.len);
    assert_false(inquiry_out(inquiry, now_us, &frame));
    return true;
}

static bool hear(const char *verb, const struct record *record, const void *object)
{
    struct frame frame;

    wire_push_record(&down, verb, record, object);
    assert_true(wire_pop(&down, &frame));
    return inquiry_in(inquiry, &frame, now_us);
}

static bool hear_page(int64_t id, uint32_t n, const char *after)
{
    struct bytes rows[3];
    struct verb_answer answer = {.id = id, .rows = {rows, n}, .as_of = 40 + n, .more = after[0] != '\0'};

    for (uint32_t i = 0; i < n; i++)
        rows[i] = bytes_of("\x81\xa1n\x05", 4);
    strcpy(answer.after, after);
    return hear("ANSWER", &verb_answer_record, &answer);
}

static bool hear_error(int64_t id, const char *code)
{
    struct verb_error error = {.id = id, .why = "for people"};

    strcpy(error.code, code);
    return hear("ERROR", &verb_error_record, &error);
}

static void test_pages(void **state)
{
    const struct verb_answer *page;

    (void)state;
    begin();
    page = inquiry_page(inquiry);
    assert_true(is_asked());
    assert_string_equal(said.to, "reporting");
    assert_string_equal(said.question, "tickets");
    assert_string_equal(said.after, "");
    assert_int_equal(said.at_least, 9);
    assert_true(bytes_equal(buf_bytes(&args), bytes_of("\x81\xa1k\x07", 4)));
    assert_true(hear_page(said.id + 7, 3, "")); /* another question's (Q1) */
    assert_int_equal(page->rows.n, 0);
    assert_true(hear_page(said.id, 3, "p1"));
    assert_int_equal(page->rows.n, 3);
    assert_true(bytes_equal(((const struct bytes *)page->rows.items)[2], bytes_of("\x81\xa1n\x05", 4)));
    assert_false(inquiry_is_over(inquiry));
    int64_t id = said.id;
    assert_true(is_asked());
    assert_int_equal(page->rows.n, 0);
    assert_true(said.id != id);
    assert_string_equal(said.after, "p1");
    assert_true(bytes_equal(buf_bytes(&args), bytes_of("\x81\xa1k\x07", 4)));
    assert_true(hear_page(said.id, 1, ""));
    assert_int_equal(page->rows.n, 1);
    assert_int_equal(page->as_of, 41);
    assert_true(inquiry_is_over(inquiry));
    assert_string_equal(inquiry_refusal(inquiry)->code, "");
    assert_false(is_asked());
    assert_int_equal(inquiry_deadline_us(inquiry), INT64_MAX);
    end();
}

/* Q3: over a new connection the same page again, under another id. */
static void test_what_passes(void **state)
{
    static const char *const codes[] = {"nobody", "timeout", "behind", "busy", "database", "unavailable", NULL};
    const struct verb_moved moved = {.endpoints_n = 0};

    (void)state;
    begin();
    assert_true(is_asked());
    assert_true(hear_page(said.id, 2, "p1"));
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        assert_true(is_asked());
        int64_t id = said.id;
        if (codes[i])
            assert_true(hear_error(id + 1, codes[i])); /* of another */
        assert_false(codes[i] ? hear_error(i % 2 == 0 ? id : 0, codes[i]) : hear("MOVED", &verb_moved_record, &moved));
        assert_string_equal(inquiry_refusal(inquiry)->code, codes[i] ? codes[i] : "");
        inquiry_disconnected(inquiry);
        assert_false(is_asked());
        inquiry_connected(inquiry, now_us);
    }
    assert_true(is_asked());
    assert_string_equal(said.after, "p1");
    assert_string_equal(inquiry_refusal(inquiry)->code, "");
    assert_int_equal(inquiry_deadline_us(inquiry), now_us + 10 * SECOND_US);
    now_us += 10 * SECOND_US;
    assert_true(inquiry_tick(inquiry, now_us));
    assert_false(inquiry_is_over(inquiry));
    end();
}

static void test_what_does_not(void **state)
{
    struct verb_ask next = {.to = "reporting", .question = "sites"};

    (void)state;
    begin();
    assert_true(is_asked());
    assert_true(hear_error(said.id, "denied"));
    assert_true(inquiry_is_over(inquiry));
    assert_string_equal(inquiry_refusal(inquiry)->code, "denied");
    assert_string_equal(inquiry_refusal(inquiry)->why, "for people");
    inquiry_ask(inquiry, &next); /* the next question knows nothing of it */
    assert_string_equal(inquiry_refusal(inquiry)->code, "");
    int64_t id = said.id;
    assert_true(is_asked());
    assert_string_equal(said.question, "sites");
    assert_true(said.id != id);
    assert_true(hear_page(id, 2, "")); /* late, to the one before */
    assert_false(inquiry_is_over(inquiry));
    assert_true(hear_error(0, "malformed")); /* this connection has said nothing else */
    assert_true(inquiry_is_over(inquiry));
    assert_string_equal(inquiry_refusal(inquiry)->code, "malformed");
    end();
}

static void test_what_is_none(void **state)
{
    struct frame frame = {.verb = "ANSWER", .map = bytes_of("\x81\xa2id\xa1x", 6)}, error = {.verb = "ERROR", .map = bytes_of("\x80", 1)};
    struct frame other = {.verb = "WEATHER", .map = bytes_of("\x80", 1)};

    (void)state;
    begin();
    assert_true(is_asked());
    assert_false(inquiry_in(inquiry, &frame, now_us)); /* a field of another type */
    assert_false(inquiry_in(inquiry, &error, now_us));
    assert_true(inquiry_in(inquiry, &other, now_us));
    assert_false(inquiry_is_over(inquiry));
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_what_passes),
        cmocka_unit_test(test_what_does_not),
        cmocka_unit_test(test_what_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
