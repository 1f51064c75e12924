#include "bus/verbs.h"
#include "record/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_every_verb_has_its_record(void **state)
{
    static const char *const verbs[] = {"HELLO", "APPEND", "PING",  "WELCOME", "DENIED", "MOVED",     "ACK",  "BUSY",
                                        "NAK",   "PONG",   "OPEN",  "CREDIT",  "CLOSE",  "ASK",       "SERVE", "OPENED",
                                        "FORK",  "AHEAD",  "BATCH", "CAUGHT_UP", "HEAD", "ANSWER",    "ERROR"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        const struct record *record = verb_record(verbs[i]);
        assert_non_null(record);
        for (size_t f = 0; f < record->n; f++)
            assert_non_null(record->fields[f].doc);
    }
    assert_null(verb_record("hello"));
    assert_null(verb_record(""));
}

static void json_of(const struct record *record, const void *object, const char *want)
{
    struct buf text = {0};

    record_print_json(record, RECORD_WHOLE, object, &text);
    assert_string_equal(buf_text(&text), want);
    buf_release(&text);
}

static void test_wire_names_and_defaults(void **state)
{
    struct verb_hello hello = {.proto = {1, 1}, .proto_n = 2, .stream = "s-1", .source = "dispatcher", .first = -1, .last = -1};
    struct verb_welcome welcome = {.epoch = 2, .head = 9, .durable = 4, .upto = 7, .window_events = 256,
                                   .window_bytes = 262144, .hb_ms = 5000};
    struct verb_pong pong = {.head = 9, .now_us = 1000000, .upto = -1};
    struct verb_ping ping;
    struct problem problem;

    (void)state;
    json_of(&verb_hello_record, &hello, "{\"proto\":[1,1],\"stream\":\"s-1\",\"source\":\"dispatcher\"}");
    json_of(&verb_welcome_record, &welcome,
            "{\"epoch\":2,\"head\":9,\"durable\":4,\"upto\":7,\"window\":{\"events\":256,\"bytes\":262144},\"hb_ms\":5000}");
    json_of(&verb_pong_record, &pong, "{\"head\":9,\"now\":\"1970-01-01T00:00:01Z\"}");
    assert_true(record_decode(&verb_ping_record, RECORD_WHOLE, DECODE_STRICT, bytes_of("\x80", 1), NULL, &ping, &problem));
    assert_int_equal(ping.upto, -1);
}

/* GET's bytes, to the bounds: left out it is as many as a PART may hold, and so it is written. */
static void test_how_many_bytes_get_may_ask_for(void **state)
{
    static const struct {
        int64_t bytes;
        bool good;
    } cases[] = {{1, true}, {PART_BYTES_MAX, true}, {0, false}, {-1, false}, {PART_BYTES_MAX + 1, false}, {INT64_MAX, false}, {INT64_MIN, false}};
    struct verb_get get = {.bytes = PART_BYTES_MAX};
    struct problem problem;
    struct buf map = {0};

    (void)state;
    assert_int_equal(PART_BYTES_MAX, 131072);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        buf_reset(&map);
        pack_map(&map, 2);
        pack_text(&map, "sha256");
        pack_bin(&map, bytes_of("0123456789abcdef0123456789abcdef", 32));
        pack_text(&map, "bytes");
        pack_int(&map, cases[i].bytes);
        assert_int_equal(record_decode(&verb_get_record, RECORD_WHOLE, DECODE_LENIENT, buf_bytes(&map), NULL, &get, &problem), cases[i].good);
        if (cases[i].good)
            assert_int_equal(get.bytes, cases[i].bytes);
        else {
            assert_string_equal(problem.code, "range");
            assert_string_equal(problem.field, "bytes");
        }
    }
    get = (struct verb_get){.sha256 = {1}, .bytes = PART_BYTES_MAX};
    buf_reset(&map);
    record_encode(&verb_get_record, RECORD_WHOLE, &get, &map);
    get.bytes = 0;
    assert_true(record_decode(&verb_get_record, RECORD_WHOLE, DECODE_STRICT, buf_bytes(&map), NULL, &get, &problem));
    assert_int_equal(get.bytes, PART_BYTES_MAX);
    assert_int_equal(map.len, 1 + 7 + 34); /* the digest, nothing else */
    buf_release(&map);
}

static void test_answers_go_round(void **state)
{
    struct answer rows[] = {
        {.n = 1, .taken = true, .pos = 77},
        {.n = 2, .taken = true, .pos = 78, .result = {.data = (const uint8_t *)"\x80", .len = 1}},
        {.n = 3, .problem = {.code = "missing", .field = "customer.phone", .args = "x"}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf out = {0};
        struct answer back;
        answer_encode(&rows[i], &out);
        assert_true(answer_decode(buf_bytes(&out), &back));
        assert_int_equal(back.n, rows[i].n);
        assert_int_equal(back.taken, rows[i].taken);
        assert_int_equal(back.pos, rows[i].pos);
        assert_true(bytes_equal(back.result, rows[i].result));
        assert_string_equal(back.problem.code, rows[i].problem.code);
        assert_string_equal(back.problem.field, rows[i].problem.field);
        assert_string_equal(back.problem.args, rows[i].problem.args);
        buf_release(&out);
    }
}

static void test_wrong_elements_are_refused(void **state)
{
    static const char *const answers[] = {"\x80", "\x92\x01\x02", "\x93\xff\x01\xc0", "\x93\x01\x01\x07", "\x93\x01\xa1x\xa0"};
    static const char *const deliveries[] = {"\x80", "\x91\xc4\x00", "\x92\xa1x\xc0", "\x92\xc4\x01x\xa0"};
    struct answer answer;
    struct bytes body, priv;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(answers); i++)
        assert_false(answer_decode(bytes_of_text(answers[i]), &answer));
    for (size_t i = 0; i < COUNT_OF(deliveries); i++)
        assert_false(delivery_decode(bytes_of(deliveries[i], i == 1 ? 3 : strlen(deliveries[i])), &body, &priv));
}

static void test_arguments_of_a_question_have_a_bound(void **state)
{
    static char text[8192];
    struct verb_ask ask, again;
    struct problem problem;
    struct buf args = {0}, map = {0};

    (void)state;
    memset(text, 'x', sizeof text);
    for (size_t over = 0; over < 2; over++) {
        record_clear(&verb_ask_record, &ask);
        memcpy(ask.to, "intake", sizeof "intake");
        memcpy(ask.question, "status", sizeof "status");
        buf_reset(&args);
        buf_reset(&map);
        pack_map(&args, 1);
        pack_text(&args, "k");
        pack_text_n(&args, text, 8192 - 6 + over); /* behind the heads of map, key and text */
        assert_int_equal(args.len, 8192 + over);
        ask.args = buf_bytes(&args);
        record_encode(&verb_ask_record, RECORD_WHOLE, &ask, &map);
        assert_int_equal(record_decode(&verb_ask_record, RECORD_WHOLE, DECODE_LENIENT, buf_bytes(&map), NULL, &again, &problem), !over);
    }
    assert_string_equal(problem.field, "args");
    buf_release(&args);
    buf_release(&map);
}

static void test_an_open_is_narrowed(void **state)
{
    static const char *const types[] = {"sla.", "job.", NULL}, *const none[] = {NULL};
    static const char *const longest[] = {"ABCDEFGHIJKLMNOPQRSTUVW", NULL}, *const too_long[] = {"ABCDEFGHIJKLMNOPQRSTUVWX", NULL};
    const char *many[18] = {0};
    struct verb_open open;

    (void)state;
    for (size_t i = 0; i < 17; i++)
        many[i] = "T-1";
    record_clear(&verb_open_record, &open);
    assert_true(verb_open_narrow(&open, types, longest, none, NULL));
    assert_int_equal(open.types_n, 2);
    assert_string_equal(open.types[1], "job.");
    assert_string_equal(open.regions[0], longest[0]);
    assert_int_equal(open.sites_n + open.keys_n, 0);
    assert_false(verb_open_narrow(&open, types, too_long, NULL, NULL));
    assert_false(verb_open_narrow(&open, NULL, NULL, NULL, many));
    many[16] = NULL;
    assert_true(verb_open_narrow(&open, NULL, NULL, NULL, many));
    assert_int_equal(open.keys_n, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_verb_has_its_record),
        cmocka_unit_test(test_wire_names_and_defaults),
        cmocka_unit_test(test_how_many_bytes_get_may_ask_for),
        cmocka_unit_test(test_answers_go_round),
        cmocka_unit_test(test_wrong_elements_are_refused),
        cmocka_unit_test(test_arguments_of_a_question_have_a_bound),
        cmocka_unit_test(test_an_open_is_narrowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
