/* The branch as the server of its applications: nothing is said before it holds, each number has one answer for ever. */
#include "bench.h"
#include "guests.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct stand {
    char folder[64];
    struct spool *spool;
    struct taking taking;
    struct guests *guests;
    struct bus_peer peer;
    int64_t boot_us;
    struct frame heard; /* the last reply */
    struct buf out;
};

static void guests_begin(struct stand *stand)
{
    taking_init(&stand->taking, stand->spool, "GD01", zone_find("Asia/Shanghai"));
    stand->guests = guests_new(stand->spool, &stand->taking);
}

static int set_up(void **state)
{
    struct stand *stand = memory_new(sizeof *stand);
    bench_folder_fast(stand->folder);
    stand->spool = bench_spool(stand->folder, 8);
    stand->peer = (struct bus_peer){.len = 1, .id = {1}};
    stand->boot_us = HOUR_US;
    guests_begin(stand);
    *state = stand;
    return 0;
}

static int tear_down(void **state)
{
    struct stand *stand = *state;
    guests_destroy(&stand->guests);
    taking_release(&stand->taking);
    spool_close(&stand->spool);
    bench_remove(stand->folder);
    buf_release(&stand->out);
    free(stand);
    return 0;
}

/* --- what an application says ----------------------------------------------------------------------- */

static bool say(struct stand *stand, const char *verb, const struct record *record, const void *data)
{
    struct frame frame;
    buf_reset(&stand->out);
    record_encode(record, RECORD_WHOLE, data, &stand->out);
    (void)text_copy(frame.verb, sizeof frame.verb, verb);
    frame.map = buf_bytes(&stand->out);
    return guests_frame(stand->guests, &stand->peer, &frame, MORNING_US, stand->boot_us);
}

static void hello(struct stand *stand, const char *source, uint8_t incarnation, int64_t first, int64_t last)
{
    struct verb_hello verb = {.proto = {1, 1}, .proto_n = 2, .stream = "-", .incarnation = {incarnation}, .first = first, .last = last};
    (void)text_copy(verb.source, sizeof verb.source, source);
    assert_true(say(stand, "HELLO", &verb_hello_record, &verb));
}

/* Notes "word0", "word1" … from number n on. */
static void append(struct stand *stand, int64_t n, uint32_t count, const char *word)
{
    struct buf drafts[16] = {0};
    struct bytes items[16];
    for (uint32_t i = 0; i < count; i++) {
        char text[40];
        snprintf(text, sizeof text, "%s%u", word, i);
        bench_note("T-1", text, &drafts[i]);
        items[i] = buf_bytes(&drafts[i]);
    }
    const struct verb_append verb = {.n = n, .events = {.items = items, .n = count}, .upto = -1};
    assert_true(say(stand, "APPEND", &verb_append_record, &verb));
    for (uint32_t i = 0; i < count; i++)
        buf_release(&drafts[i]);
}

/* The end of a turn as the office makes it. */
static void turn(struct stand *stand, bool room)
{
    bool kept = guests_keep(stand->guests, MORNING_US) == STATUS_OK && room;
    if (kept)
        assert_int_equal(spool_commit(stand->spool), STATUS_OK);
    else
        spool_rollback(stand->spool);
    assert_int_equal(guests_settle(stand->guests, kept, MORNING_US), STATUS_OK);
}

/* --- what it hears --------------------------------------------------------------------------------- */

static void silent(struct stand *stand)
{
    struct bus_peer peer;
    assert_false(guests_out(stand->guests, &peer, &stand->heard));
}

static void hears(struct stand *stand, const char *verb)
{
    struct bus_peer peer;
    if (!guests_out(stand->guests, &peer, &stand->heard))
        fail_msg("%s: nothing was said", verb);
    assert_string_equal(stand->heard.verb, verb);
}

static void hears_denied(struct stand *stand, const char *code)
{
    struct verb_denied denied;
    struct problem problem;
    hears(stand, "DENIED");
    assert_true(record_decode(&verb_denied_record, RECORD_WHOLE, DECODE_LENIENT, stand->heard.map, NULL, &denied, &problem));
    assert_string_equal(denied.code, code);
}

static void hears_busy(struct stand *stand, const char *why)
{
    struct verb_busy busy;
    struct problem problem;
    hears(stand, "BUSY");
    assert_true(record_decode(&verb_busy_record, RECORD_WHOLE, DECODE_LENIENT, stand->heard.map, NULL, &busy, &problem));
    if (strstr(busy.why, why) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", why, busy.why);
}

static void hears_nak(struct stand *stand, const char *code, int64_t expected)
{
    struct verb_nak nak;
    struct problem problem;
    hears(stand, "NAK");
    assert_true(record_decode(&verb_nak_record, RECORD_WHOLE, DECODE_LENIENT, stand->heard.map, NULL, &nak, &problem));
    assert_string_equal(nak.code, code);
    assert_int_equal(nak.expected, expected);
}

static void hears_welcome(struct stand *stand, int64_t durable)
{
    struct verb_welcome welcome;
    struct problem problem;
    hears(stand, "WELCOME");
    assert_true(record_decode(&verb_welcome_record, RECORD_WHOLE, DECODE_LENIENT, stand->heard.map, NULL, &welcome, &problem));
    assert_int_equal(welcome.durable, durable);
}

/* Answers to numbers n … n + count − 1, all taken; the branch's own number of the first is `own`. */
static void hears_taken(struct stand *stand, int64_t n, uint32_t count, int64_t own)
{
    struct arena *arena = arena_new(4096);
    struct verb_ack ack;
    struct problem problem;
    hears(stand, "ACK");
    assert_true(record_decode(&verb_ack_record, RECORD_WHOLE, DECODE_LENIENT, stand->heard.map, arena, &ack, &problem));
    assert_int_equal(ack.answers.n, count);
    for (uint32_t i = 0; i < count; i++) {
        struct answer answer;
        assert_true(answer_decode(((const struct bytes *)ack.answers.items)[i], &answer));
        assert_int_equal(answer.n, n + i);
        assert_true(answer.taken);
        assert_int_equal(answer.pos, 0); /* the centre's to give */
        struct unpack in = unpack_of(answer.result);
        assert_int_equal(unpack_next(&in).n, 2);
        (void)unpack_next(&in);
        assert_int_equal(unpack_next(&in).integer, own + i);
    }
    arena_destroy(&arena);
}

static void let_in(struct stand *stand, const char *source)
{
    hello(stand, source, 7, 1, 0);
    turn(stand, true);
    hears_welcome(stand, 0);
    silent(stand);
}

/* --- the tests ------------------------------------------------------------------------------------- */

static void test_nothing_is_said_before_it_holds(void **state)
{
    struct stand *stand = *state;
    append(stand, 1, 1, "a");
    hears(stand, "ERROR"); /* HELLO first */
    let_in(stand, "counter/1");
    append(stand, 1, 2, "a");
    assert_int_equal(guests_taken(stand->guests), 2);
    silent(stand);
    turn(stand, true);
    hears_taken(stand, 1, 2, 1);
    silent(stand);
    assert_int_equal(spool_state(stand->spool)->facts, 2);
    const struct verb_ask ask = {.id = 1};
    assert_false(say(stand, "ASK", &verb_ask_record, &ask)); /* somebody else's verb */
}

static void test_one_answer_for_ever(void **state)
{
    struct stand *stand = *state;
    let_in(stand, "counter/1");
    append(stand, 1, 2, "a");
    turn(stand, true);
    hears_taken(stand, 1, 2, 1);
    append(stand, 2, 1, "other"); /* another content under number 2 */
    turn(stand, true);
    hears_nak(stand, "conflict", 3);
    append(stand, 1, 2, "a"); /* passed over: it is told to go on at 3 */
    turn(stand, true);
    silent(stand);
    append(stand, 3, 1, "b");
    turn(stand, true);
    hears_taken(stand, 3, 1, 3);
    append(stand, 1, 2, "a");
    turn(stand, true);
    hears_taken(stand, 1, 2, 1);
    append(stand, 5, 1, "c");
    turn(stand, true);
    hears_nak(stand, "gap", 4);
    assert_int_equal(spool_state(stand->spool)->facts, 3);
    /* After a break, and in another process, the stored answers come again from where it says. */
    guests_destroy(&stand->guests);
    taking_release(&stand->taking);
    guests_begin(stand);
    hello(stand, "counter/1", 7, 2, 3);
    turn(stand, true);
    hears_welcome(stand, 3);
    hears_taken(stand, 2, 2, 2);
    silent(stand);
}

static void test_what_found_no_room_was_never_taken(void **state)
{
    struct stand *stand = *state;
    let_in(stand, "counter/1");
    append(stand, 1, 2, "a");
    turn(stand, false);
    hears_busy(stand, "disk.full");
    silent(stand);
    assert_int_equal(spool_state(stand->spool)->last, 0);
    append(stand, 1, 2, "a");
    turn(stand, true);
    hears_taken(stand, 1, 2, 1);
    /* The spool's own bound: what finds room is taken, the rest is to come again. */
    append(stand, 3, 9, "b");
    turn(stand, true);
    hears_taken(stand, 3, 6, 3);
    hears_busy(stand, "spool.full");
    silent(stand);
    assert_int_equal(spool_trim(stand->spool, 8), STATUS_OK);
    assert_int_equal(spool_commit(stand->spool), STATUS_OK);
    append(stand, 9, 1, "c");
    turn(stand, true);
    hears_taken(stand, 9, 1, 9);
}

static void test_who_is_let_in(void **state)
{
    static const struct {
        const char *source;
        uint8_t incarnation;
        int64_t first, last;
        const char *denied;
    } cases[] = {
        {"counter/1", 7, 3, 2, ""},
        {"counter/1", 8, 3, 2, "incarnation"}, /* another one's name */
        {"counter/1", 7, 1, 1, "behind"},
        {"counter/1", 7, 4, 3, "gap"},
        {"/x", 7, 1, 0, "principal"},
        {"counter/", 7, 1, 0, "principal"},
        {"a name", 7, 1, 0, "principal"},
        {"counter/2", 8, 2, 1, "gap"},
    };
    struct stand *stand = *state;
    let_in(stand, "counter/1");
    append(stand, 1, 2, "a");
    turn(stand, true);
    hears_taken(stand, 1, 2, 1);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        hello(stand, cases[i].source, cases[i].incarnation, cases[i].first, cases[i].last);
        turn(stand, true);
        if (cases[i].denied[0] != '\0')
            hears_denied(stand, cases[i].denied);
        else
            hears_welcome(stand, 2);
        silent(stand);
    }
    struct verb_hello verb = {.proto = {2, 3}, .proto_n = 2, .stream = "-", .source = "counter/3", .last = 0, .first = 1};
    assert_true(say(stand, "HELLO", &verb_hello_record, &verb));
    turn(stand, true);
    hears_denied(stand, "proto");
}

static void test_a_newer_session_ends_the_older(void **state)
{
    struct stand *stand = *state;
    struct bus_peer first = stand->peer, peer;
    let_in(stand, "counter/1");
    stand->peer.id[0] = 2;
    hello(stand, "counter/1", 7, 1, 0);
    turn(stand, true);
    assert_true(guests_out(stand->guests, &peer, &stand->heard));
    assert_string_equal(stand->heard.verb, "DENIED");
    assert_int_equal(peer.id[0], first.id[0]);
    hears_welcome(stand, 0);
    assert_int_equal(guests_sessions(stand->guests), 1);
    guests_sweep(stand->guests, HOUR_US + 100 * SECOND_US); /* silent for long */
    assert_int_equal(guests_sessions(stand->guests), 0);
}

/* One too many is told so, and nothing is wrong with the disk; who comes back has its place. */
static void test_so_many_sessions(void **state)
{
    struct stand *stand = *state;
    char name[40];
    for (int i = 0; i < 257; i++) {
        snprintf(name, sizeof name, "counter/%d", i);
        stand->peer = (struct bus_peer){.len = 2, .id = {(uint8_t)(i / 256), (uint8_t)(i % 256)}};
        hello(stand, name, 7, 1, 0);
        turn(stand, true);
        if (i < 256)
            hears_welcome(stand, 0);
        else
            hears_busy(stand, "too many sessions");
        silent(stand);
    }
    assert_int_equal(guests_sessions(stand->guests), 256);
    hello(stand, "counter/0", 7, 1, 0); /* by a new connection */
    turn(stand, true);
    hears(stand, "DENIED");
    hears_welcome(stand, 0);
    /* Commands that are over leave their places to who comes. */
    stand->boot_us += 2 * SECOND_US;
    for (int i = 1; i < 256; i++) {
        snprintf(name, sizeof name, "later/%d", i);
        stand->peer = (struct bus_peer){.len = 2, .id = {2, (uint8_t)i}};
        hello(stand, name, 7, 1, 0);
        turn(stand, true);
        hears_welcome(stand, 0);
        silent(stand);
    }
    assert_int_equal(guests_sessions(stand->guests), 256);
    hello(stand, "later/1", 7, 1, 0);
    turn(stand, true);
    hears(stand, "DENIED"); /* it was there: nobody who spoke lately had to go */
    hears_welcome(stand, 0);
}

/* Answers that were said in this turn: they go on at *n. How many they were. */
static uint32_t hears_answers(struct stand *stand, int64_t *n)
{
    struct arena *arena = arena_new(64 * 1024);
    struct bus_peer peer;
    uint32_t count = 0;
    while (guests_out(stand->guests, &peer, &stand->heard)) {
        struct verb_ack ack;
        struct problem problem;
        assert_string_equal(stand->heard.verb, "ACK");
        arena_reset(arena);
        assert_true(record_decode(&verb_ack_record, RECORD_WHOLE, DECODE_LENIENT, stand->heard.map, arena, &ack, &problem));
        for (uint32_t i = 0; i < ack.answers.n; i++, ++*n, count++) {
            struct answer answer;
            assert_true(answer_decode(((const struct bytes *)ack.answers.items)[i], &answer));
            assert_int_equal(answer.n, *n);
        }
    }
    arena_destroy(&arena);
    return count;
}

/* An application that remembers nothing is told a little at a time, in order: what it says meanwhile is answered behind that. */
static void test_many_answers_again(void **state)
{
    struct stand *stand = *state;
    struct spool_origin origin = {.name = "counter/1", .incarnation = {7}, .last = 3000};
    int64_t n = 1;
    assert_int_equal(spool_origin_keep(stand->spool, &origin, MORNING_US), STATUS_OK);
    assert_int_equal(spool_commit(stand->spool), STATUS_OK);
    hello(stand, "counter/1", 7, 1, 3000);
    turn(stand, true);
    hears_welcome(stand, 3000);
    assert_int_equal(hears_answers(stand, &n), 1024);
    assert_true(guests_are_owed(stand->guests));
    append(stand, 3001, 2, "a");
    turn(stand, true);
    assert_int_equal(hears_answers(stand, &n), 1024);
    append(stand, 3003, 1, "b");
    turn(stand, true);
    assert_int_equal(hears_answers(stand, &n), 3000 - 2048 + 3);
    assert_false(guests_are_owed(stand->guests));
    append(stand, 3004, 1, "c");
    turn(stand, true);
    assert_int_equal(hears_answers(stand, &n), 1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {CASE(test_nothing_is_said_before_it_holds), CASE(test_one_answer_for_ever), CASE(test_many_answers_again),
                                       CASE(test_what_found_no_room_was_never_taken), CASE(test_who_is_let_in),
                                       CASE(test_a_newer_session_ends_the_older), CASE(test_so_many_sessions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
