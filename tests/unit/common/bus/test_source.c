/* The source against a fake intake that drops, delays, is busy, restarts and forgets what is not committed. */
#include "unit/common/bus/fake_intake.h"

static void test_spool_survives_everything(void **state)
{
    int64_t troubles = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++)
        troubles += sim_run(seed, false);
    assert_true(troubles > 1000);
}

static void test_worker_survives_everything(void **state)
{
    int64_t troubles = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++)
        troubles += sim_run(seed, true);
    assert_true(troubles > 1000);
}

static void test_second_run_learns_stored_answers(void **state)
{
    struct sim s;

    (void)state;
    sim_open(&s, 1, false, 0);
    source_connected(s.source, s.now_us);
    sim_append(&s, 40);
    sim_settle(&s);
    assert_int_equal(s.answered, 40);
    source_destroy(&s.source);

    /* The same file again: number 1 onwards is handed in, nothing is taken twice, every answer comes again. */
    struct intake kept = s.intake;
    struct source_config config = {.stream = "test-00000000", .name = "branch", .incarnation = {1}, .first = 1, .last = 50};
    static const struct source_listener listener = {.answer = sim_on_answer};
    s.answered = 0;
    s.source = source_new(&config, &listener, &s);
    source_connected(s.source, s.now_us);
    sim_settle(&s);
    assert_int_equal(s.answered, 40);
    sim_append(&s, 30);
    sim_append(&s, 20);
    sim_settle(&s);
    assert_int_equal(s.answered, 50);
    assert_memory_equal(kept.content, s.intake.content, 41 * sizeof kept.content[0]);
    assert_int_equal(s.intake.durable, 50);
    sim_close(&s);
}

static void test_window_bounds_what_is_in_flight(void **state)
{
    struct sim s;
    struct frame frame;
    size_t frames = 0;

    (void)state;
    sim_open(&s, 1, false, 0);
    source_connected(s.source, s.now_us);
    sim_settle(&s);
    for (int i = 0; i < 10; i++)
        sim_append(&s, 20);
    while (source_out(s.source, s.now_us, &frame))
        frames++;
    assert_int_equal(frames, 3); /* 64 events: three messages of 20 */
    sim_close(&s);
}

/* A3: what is larger than the window goes in pieces, each when the one before it is answered; `upto` speaks for all of it. */
static void test_a_message_larger_than_the_window(void **state)
{
    static const struct {
        int64_t events, bytes;
        size_t frames;
    } rows[] = {{64, 1 << 18, 4}, {1000, 700, 3}, {1000, 1, 200}, {1, 1 << 18, 200}, {200, 1 << 18, 1}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct verb_welcome welcome = {.epoch = 1, .window_events = rows[i].events, .window_bytes = rows[i].bytes, .hb_ms = 100};
        struct arena *arena = arena_new(4096);
        struct frame frame;
        struct verb_append part;
        struct sim s;
        size_t frames = 0;
        sim_open(&s, 1, false, 0);
        source_connected(s.source, s.now_us);
        assert_true(source_out(s.source, s.now_us, &frame));
        sim_say(&s, "WELCOME", &verb_welcome_record, &welcome);
        sim_append(&s, 200);
        for (int64_t next = 1; next <= 200; next += part.events.n, frames++) {
            size_t bytes = 0;
            assert_true(source_out(s.source, s.now_us, &frame));
            sim_decode(&verb_append_record, &frame, arena, &part);
            assert_int_equal(part.n, next);
            for (uint32_t k = 0; k < part.events.n; k++) {
                assert_int_equal(sim_draft_read(((const struct bytes *)part.events.items)[k]), next + k);
                bytes += ((const struct bytes *)part.events.items)[k].len;
            }
            assert_true(part.events.n <= rows[i].events && (part.events.n == 1 || (int64_t)bytes <= rows[i].bytes));
            assert_int_equal(part.upto, next + part.events.n > 200 ? 200 : -1);
            assert_false(source_out(s.source, s.now_us, &frame));
            sim_ack(&s, next, next + part.events.n - 1);
            assert_true(wire_pop(&s.down, &frame));
            assert_true(source_in(s.source, &frame, s.now_us));
        }
        assert_int_equal(frames, rows[i].frames);
        assert_int_equal(s.answered, 200);
        arena_destroy(&arena);
        sim_close(&s);
    }
}

/* A11: an answer that takes long, while PING is answered, is waited for. Only behind many beats it must have been lost. */
static void test_an_answer_that_takes_long(void **state)
{
    struct verb_pong pong = {.head = 9, .now_us = 77, .upto = -1};
    struct sim s;
    struct frame frame;

    (void)state;
    sim_open(&s, 1, false, 0);
    source_connected(s.source, s.now_us);
    sim_settle(&s);
    sim_append(&s, 5);
    assert_true(source_out(s.source, s.now_us, &frame)); /* and is lost */
    for (int beat = 1; beat <= 12; beat++) {
        s.now_us += 100000;
        assert_false(source_tick(s.source, s.now_us));
        assert_true(source_out(s.source, s.now_us, &frame));
        assert_string_equal(frame.verb, beat < 12 ? "PING" : "APPEND");
        sim_say(&s, "PONG", &verb_pong_record, &pong);
    }
    sim_close(&s);
}

static void test_a_greeting_without_an_answer(void **state)
{
    static const struct source_listener listener = {.answer = sim_on_answer};
    struct source_config config = {.stream = "test-00000000", .name = "branch", .incarnation = {1}, .first = 1, .last = 0,
                                   .greeting_us = 5 * SECOND_US};
    struct verb_busy busy = {.retry_ms = 7000};
    struct frame frame;
    struct sim s;

    (void)state;
    sim_open(&s, 1, false, 0);
    source_destroy(&s.source);
    s.source = source_new(&config, &listener, &s);
    source_connected(s.source, s.now_us);
    assert_true(source_out(s.source, s.now_us, &frame));
    assert_int_equal(source_deadline_us(s.source), s.now_us + 5 * SECOND_US);
    sim_say(&s, "BUSY", &verb_busy_record, &busy); /* what was agreed is no silence */
    s.now_us += 6 * SECOND_US;
    assert_false(source_tick(s.source, s.now_us));
    s.now_us += SECOND_US;
    assert_false(source_tick(s.source, s.now_us));
    assert_true(source_out(s.source, s.now_us, &frame));
    assert_string_equal(frame.verb, "HELLO");
    s.now_us += 5 * SECOND_US;
    assert_true(source_tick(s.source, s.now_us));
    s.hb_ms = 60000;
    sim_reconnect(&s);
    sim_settle(&s);
    assert_int_equal(source_state(s.source), SOURCE_OPEN);
    assert_true(source_deadline_us(s.source) > s.now_us + 50 * SECOND_US); /* of HELLO alone */
    sim_close(&s);
}

static void test_a_greeting_is_not_hurried_by_the_last_sessions_beat(void **state)
{
    struct frame frame;
    struct sim s;

    (void)state;
    sim_open(&s, 1, false, 0); /* a beat of 100 ms */
    source_connected(s.source, s.now_us);
    sim_settle(&s);
    assert_int_equal(source_state(s.source), SOURCE_OPEN);
    source_disconnected(s.source);
    source_connected(s.source, s.now_us);
    assert_true(source_out(s.source, s.now_us, &frame));
    assert_string_equal(frame.verb, "HELLO");
    assert_int_equal(source_deadline_us(s.source), s.now_us + 15 * SECOND_US);
    sim_close(&s);
}

static void test_heartbeat_and_silence(void **state)
{
    struct sim s;

    (void)state;
    sim_open(&s, 1, false, 0);
    source_connected(s.source, s.now_us);
    sim_settle(&s);
    assert_int_equal(source_deadline_us(s.source), s.now_us + 100000);
    s.now_us += 100000;
    assert_false(source_tick(s.source, s.now_us));
    sim_settle(&s);
    assert_int_equal(s.pongs, 1);
    s.now_us += 299999;
    assert_false(source_tick(s.source, s.now_us));
    s.now_us += 1;
    assert_true(source_tick(s.source, s.now_us));
    sim_close(&s);
}

/* Whoever has nothing unanswered owes no beat: a library's source is not turned until something is appended. */
static void test_who_was_away_is_not_told_of_silence(void **state)
{
    struct sim s;
    struct frame frame;

    (void)state;
    sim_open(&s, 1, false, 0);
    source_connected(s.source, s.now_us);
    sim_settle(&s);
    s.now_us += 60 * SECOND_US;
    sim_append(&s, 1);
    assert_true(source_out(s.source, s.now_us, &frame));
    assert_string_equal(frame.verb, "APPEND");
    assert_false(source_tick(s.source, s.now_us));
    s.now_us += 299999; /* from now on it is told */
    assert_false(source_tick(s.source, s.now_us));
    s.now_us += 1;
    assert_true(source_tick(s.source, s.now_us));
    sim_close(&s);
}

/* Who knows of another intake does not wait for three beats: an answer that is owed counts, quiet does not. */
static void test_an_answer_owed_too_long(void **state)
{
    static const struct source_listener listener = {.answer = sim_on_answer};
    struct source_config config = {.stream = "test-00000000", .name = "branch", .incarnation = {1}, .first = 1, .last = 0,
                                   .silence_us = 50000};
    struct frame frame;
    struct sim s;

    (void)state;
    sim_open(&s, 1, false, 0);
    source_destroy(&s.source);
    s.source = source_new(&config, &listener, &s);
    source_connected(s.source, s.now_us);
    sim_settle(&s);
    s.now_us += 90000; /* nobody owes anything */
    assert_false(source_tick(s.source, s.now_us));
    sim_append(&s, 1);
    assert_true(source_out(s.source, s.now_us, &frame));
    assert_int_equal(source_deadline_us(s.source), s.now_us + 50000);
    s.now_us += 49999;
    assert_false(source_tick(s.source, s.now_us));
    s.now_us++;
    assert_true(source_tick(s.source, s.now_us));
    assert_false(source_tick(s.source, s.now_us));
    sim_close(&s);
}

/* Who is owed an answer asks after a second whether there is still somebody who owes it, however slow the beat. */
static void test_who_waits_asks_sooner(void **state)
{
    struct sim s;
    struct frame frame;

    (void)state;
    sim_open(&s, 1, false, 0);
    s.hb_ms = 5000;
    source_connected(s.source, s.now_us);
    sim_settle(&s);
    assert_int_equal(source_deadline_us(s.source), s.now_us + 5000000);
    sim_append(&s, 1);
    assert_true(source_out(s.source, s.now_us, &frame)); /* and is lost */
    assert_string_equal(frame.verb, "APPEND");
    assert_int_equal(source_deadline_us(s.source), s.now_us + 1000000);
    s.now_us += 1000000;
    assert_false(source_tick(s.source, s.now_us));
    assert_true(source_out(s.source, s.now_us, &frame));
    assert_string_equal(frame.verb, "PING");
    sim_close(&s);
}

static void test_ping_waits_for_what_it_speaks_for(void **state)
{
    struct sim s;
    struct frame frame;
    struct verb_ping ping = {.upto = 2};

    (void)state;
    sim_open(&s, 1, true, 0);
    source_connected(s.source, s.now_us);
    sim_settle(&s);
    sim_append(&s, 2);
    source_ping(s.source, &ping);
    assert_true(source_out(s.source, s.now_us, &frame));
    assert_string_equal(frame.verb, "APPEND");
    sim_intake_in(&s, &frame);
    assert_false(source_out(s.source, s.now_us, &frame));
    sim_settle(&s);
    assert_int_equal(s.pongs, 1);
    sim_close(&s);
}

static void test_denied_and_conflict_are_final(void **state)
{
    struct sim s;
    struct frame frame;
    struct verb_denied denied = {.code = "incarnation", .why = "another spool"};
    struct verb_nak nak = {.n = 2, .code = "conflict"};

    (void)state;
    sim_open(&s, 1, false, 0);
    source_connected(s.source, s.now_us);
    assert_true(source_out(s.source, s.now_us, &frame));
    sim_say(&s, "DENIED", &verb_denied_record, &denied);
    assert_int_equal(s.denials, 1);
    assert_int_equal(source_state(s.source), SOURCE_DENIED);
    assert_false(source_out(s.source, s.now_us, &frame));
    assert_int_equal(source_deadline_us(s.source), INT64_MAX);
    source_connected(s.source, s.now_us);
    sim_settle(&s);
    assert_int_equal(source_state(s.source), SOURCE_OPEN);
    sim_say(&s, "NAK", &verb_nak_record, &nak);
    assert_int_equal(s.conflicts, 1);
    assert_int_equal(source_state(s.source), SOURCE_DENIED);
    sim_close(&s);
}

static void test_garbage_is_malformed(void **state)
{
    static const struct {
        const char *verb;
        uint8_t map[16];
        size_t len;
    } rows[] = {
        {"ACK", {0xc1}, 1},
        {"ACK", {0x90}, 1},                                                           /* not a map */
        {"ACK", {0x81, 0xa7, 'a', 'n', 's', 'w', 'e', 'r', 's', 0x91, 0x01}, 11},     /* answer is no array */
        {"ACK", {0x81, 0xa7, 'a', 'n', 's', 'w', 'e', 'r', 's', 0x93, 0xff, 1, 1}, 13},
        {"NAK", {0x80}, 1},                                                           /* no code */
        {"ERROR", {0x80}, 1},
        {"MOVED", {0x80}, 1},
        {"PONG", {0x81, 0xa4, 'h', 'e', 'a', 'd', 0xa1, 'x'}, 8},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct sim s;
        struct frame frame;
        sim_open(&s, 1, false, 0);
        source_connected(s.source, s.now_us);
        sim_settle(&s);
        strcpy(frame.verb, rows[i].verb);
        frame.map = bytes_of(rows[i].map, rows[i].len);
        assert_false(source_in(s.source, &frame, s.now_us));
        sim_close(&s);
    }
}

/* Numbers at the end of what there is: refused, or bounded. */
static void test_a_welcome_of_anything(void **state)
{
    static const struct {
        int64_t durable, hb_ms;
        bool fine;
    } rows[] = {{INT64_MAX, 100, false}, {-1, 100, false}, {INT64_MAX - 1, 100, true}, {0, INT64_MAX, true}, {0, INT64_MIN, true}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct sim s;
        struct frame frame, out;
        struct buf map = {0};
        struct verb_welcome welcome = {
            .epoch = 1, .durable = rows[i].durable, .window_events = 64, .window_bytes = 700, .hb_ms = rows[i].hb_ms};
        sim_open(&s, 1, true, 0);
        source_connected(s.source, s.now_us);
        while (source_out(s.source, s.now_us, &out))
            continue;
        record_encode(&verb_welcome_record, RECORD_WHOLE, &welcome, &map);
        strcpy(frame.verb, "WELCOME");
        frame.map = buf_bytes(&map);
        assert_int_equal(source_in(s.source, &frame, s.now_us), rows[i].fine);
        if (rows[i].fine)
            assert_true(source_deadline_us(s.source) <= s.now_us + 60 * SECOND_US);
        buf_release(&map);
        sim_close(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spool_survives_everything),
        cmocka_unit_test(test_worker_survives_everything),
        cmocka_unit_test(test_second_run_learns_stored_answers),
        cmocka_unit_test(test_window_bounds_what_is_in_flight),
        cmocka_unit_test(test_a_message_larger_than_the_window),
        cmocka_unit_test(test_an_answer_that_takes_long),
        cmocka_unit_test(test_a_greeting_without_an_answer),
        cmocka_unit_test(test_a_greeting_is_not_hurried_by_the_last_sessions_beat),
        cmocka_unit_test(test_heartbeat_and_silence),
        cmocka_unit_test(test_who_was_away_is_not_told_of_silence),
        cmocka_unit_test(test_an_answer_owed_too_long),
        cmocka_unit_test(test_who_waits_asks_sooner),
        cmocka_unit_test(test_ping_waits_for_what_it_speaks_for),
        cmocka_unit_test(test_denied_and_conflict_are_final),
        cmocka_unit_test(test_garbage_is_malformed),
        cmocka_unit_test(test_a_welcome_of_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
