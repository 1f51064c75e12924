/* The source against a fake intake that drops, delays, is busy, restarts and forgets what is not committed. */
#include "bus/source.h"
#include "record/pack.h"
#include "unit/common/bus/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EVENTS 600
#define DURABLE_MAX 1024

struct intake {
    int64_t taken;   /* highest number taken, committed or not */
    int64_t durable; /* committed */
    int64_t content[DURABLE_MAX]; /* what each number said */
    bool session;
    uint64_t *dice;
    unsigned trouble; /* once in so many: loss, BUSY, … 0: never */
};

struct sim {
    struct source *source;
    struct intake intake;
    struct wire up, down;
    uint64_t dice;
    int64_t now_us;
    bool worker;
    int64_t hb_ms;
    int64_t answered, pongs, denials, conflicts, welcomes, busy;
};

static void draft_of(int64_t n, struct buf *out)
{
    pack_map(out, 1);
    pack_text(out, "said");
    pack_int(out, n);
}

static int64_t draft_read(struct bytes raw)
{
    struct unpack in = unpack_of(raw);

    assert_int_equal(unpack_next(&in).n, 1);
    (void)unpack_next(&in);
    return unpack_next(&in).integer;
}

static bool trouble(struct intake *i)
{
    return i->trouble && dice_once_in(i->dice, i->trouble);
}

/* Position of number n: what the answer must say. */
static int64_t pos_of(int64_t n)
{
    return n * 3;
}

static void ack(struct sim *s, int64_t from, int64_t to)
{
    struct buf map = {0};

    if (from > to)
        return;
    pack_map(&map, 1);
    pack_text(&map, "answers");
    pack_array(&map, (uint32_t)(to - from + 1));
    for (int64_t n = from; n <= to; n++) {
        struct answer a = {.n = n, .taken = true, .pos = pos_of(n)};
        if (n % 7 == 0) {
            a.taken = false;
            strcpy(a.problem.code, "missing");
            strcpy(a.problem.field, "customer.phone");
        }
        answer_encode(&a, &map);
    }
    wire_push(&s->down, "ACK", buf_bytes(&map));
    buf_release(&map);
}

static void decode(const struct record *record, const struct frame *frame, struct arena *arena, void *out)
{
    struct problem problem;

    assert_true(record_decode(record, RECORD_WHOLE, DECODE_STRICT, frame->map, arena, out, &problem));
}

static void on_hello(struct sim *s, const struct frame *frame)
{
    struct verb_hello hello;
    struct verb_welcome welcome = {.epoch = 1, .window_events = 64, .window_bytes = 700, .hb_ms = s->hb_ms};

    decode(&verb_hello_record, frame, NULL, &hello);
    assert_int_equal(hello.proto[0], 1);
    assert_string_equal(hello.stream, "test-00000000");
    if (!s->worker) {
        assert_true(hello.first >= 1 && hello.first <= s->intake.durable + 1);
        assert_true(hello.last >= s->intake.durable);
    } else {
        assert_int_equal(hello.first, -1);
        assert_int_equal(hello.last, -1);
    }
    s->intake.taken = s->intake.durable; /* what was not committed is gone */
    s->intake.session = true;
    welcome.durable = s->intake.durable;
    wire_push_record(&s->down, "WELCOME", &verb_welcome_record, &welcome);
    if (!s->worker)
        ack(s, hello.first, s->intake.durable);
}

static void on_append(struct sim *s, const struct frame *frame, struct arena *arena)
{
    struct verb_append append;
    struct intake *i = &s->intake;
    const struct bytes *raw;
    int64_t last;

    decode(&verb_append_record, frame, arena, &append);
    raw = append.events.items;
    last = append.n + append.events.n - 1;
    if (trouble(i)) {
        struct verb_busy busy = {.retry_ms = 5};
        wire_push_record(&s->down, "BUSY", &verb_busy_record, &busy);
        return;
    }
    if (append.n > i->taken + 1) {
        struct verb_nak nak = {.n = append.n, .code = "gap", .expected = i->taken + 1};
        wire_push_record(&s->down, "NAK", &verb_nak_record, &nak);
        return;
    }
    assert_int_equal(append.upto, last); /* this test's owner says so */
    ack(s, append.n, last < i->durable ? last : i->durable);
    for (int64_t n = append.n; n <= last; n++) {
        int64_t said = draft_read(raw[n - append.n]);
        if (n <= i->taken) {
            assert_int_equal(i->content[n], said);
            continue;
        }
        assert_true(n < DURABLE_MAX);
        i->content[n] = said;
        i->taken = n;
    }
}

static void on_ping(struct sim *s, const struct frame *frame)
{
    struct verb_ping ping;
    struct verb_pong pong = {.head = 9, .now_us = 77, .upto = -1};

    decode(&verb_ping_record, frame, NULL, &ping);
    /* It speaks only for what is acknowledged. */
    assert_true(ping.upto <= s->intake.durable);
    wire_push_record(&s->down, "PONG", &verb_pong_record, &pong);
}

static void intake_in(struct sim *s, const struct frame *frame)
{
    struct arena *arena = arena_new(4096);

    if (strcmp(frame->verb, "HELLO") == 0) {
        on_hello(s, frame);
    } else if (!s->intake.session) {
        struct verb_error error = {.code = "no-session"};
        wire_push_record(&s->down, "ERROR", &verb_error_record, &error);
    } else if (strcmp(frame->verb, "APPEND") == 0) {
        on_append(s, frame, arena);
    } else if (strcmp(frame->verb, "PING") == 0) {
        on_ping(s, frame);
    } else {
        fail_msg("%s", frame->verb);
    }
    arena_destroy(&arena);
}

static void intake_commit(struct sim *s)
{
    int64_t before = s->intake.durable;

    if (s->intake.taken == before)
        return;
    s->intake.durable = before + 1 + (int64_t)(dice_next(&s->dice) % (uint64_t)(s->intake.taken - before));
    if (s->intake.session)
        ack(s, before + 1, s->intake.durable);
}

/* --- the owner ---------------------------------------------------------------------------------- */

static void on_answer(void *owner, const struct answer *a)
{
    struct sim *s = owner;

    assert_int_equal(a->n, s->answered + 1);
    s->answered = a->n;
    assert_int_equal(a->taken, a->n % 7 != 0);
    if (a->taken)
        assert_int_equal(a->pos, pos_of(a->n));
    else
        assert_string_equal(a->problem.field, "customer.phone");
}

static void on_welcome(void *owner, const struct verb_welcome *w)
{
    struct sim *s = owner;

    s->welcomes++;
    if (s->worker)
        s->answered = w->durable; /* it learns what is in from reading, not from answers */
}

static void on_pong(void *owner, const struct verb_pong *pong)
{
    struct sim *s = owner;

    assert_int_equal(pong->now_us, 77);
    s->pongs++;
}

static void on_denied(void *owner, const char *code, const char *why)
{
    struct sim *s = owner;

    assert_string_equal(code, "incarnation");
    (void)why;
    s->denials++;
}

static void on_conflict(void *owner, int64_t n)
{
    struct sim *s = owner;

    assert_int_equal(n, 2);
    s->conflicts++;
}

static void on_busy(void *owner, int64_t retry_ms, const char *why)
{
    struct sim *s = owner;

    assert_true(retry_ms > 0);
    (void)why;
    s->busy++;
}

static void sim_open(struct sim *s, uint64_t seed, bool worker, unsigned trouble_once_in)
{
    static const struct source_listener listener = {.welcome = on_welcome, .answer = on_answer, .pong = on_pong,
                                                    .denied = on_denied, .conflict = on_conflict, .busy = on_busy};
    struct source_config config = {.stream = "test-00000000", .name = "branch", .incarnation = {1}, .first = 1, .last = 0};

    memset(s, 0, sizeof *s);
    s->dice = seed;
    s->worker = worker;
    s->now_us = 1;
    s->hb_ms = 100;
    s->intake.dice = &s->dice;
    s->intake.trouble = trouble_once_in;
    if (worker)
        config.first = config.last = -1;
    s->source = source_new(&config, &listener, s);
}

static void sim_close(struct sim *s)
{
    wire_cut(&s->up);
    wire_cut(&s->down);
    source_destroy(&s->source);
    assert_null(s->source);
}

static void append(struct sim *s, size_t count)
{
    struct bytes drafts[APPEND_EVENTS_MAX];
    struct buf bufs[APPEND_EVENTS_MAX] = {0};
    int64_t first = source_next_n(s->source);

    for (size_t i = 0; i < count; i++) {
        draft_of(first + (int64_t)i, &bufs[i]);
        drafts[i] = buf_bytes(&bufs[i]);
    }
    assert_int_equal(source_append(s->source, drafts, count, first + (int64_t)count - 1, 0), first);
    for (size_t i = 0; i < count; i++)
        buf_release(&bufs[i]);
}

static void reconnect(struct sim *s)
{
    wire_cut(&s->up);
    wire_cut(&s->down);
    s->intake.session = false;
    source_disconnected(s->source);
    source_connected(s->source, s->now_us);
}

static void pump(struct sim *s)
{
    struct frame frame;

    for (int i = 0; i < 100 && source_out(s->source, s->now_us, &frame); i++)
        if (!trouble(&s->intake) || strcmp(frame.verb, "HELLO") == 0)
            wire_push(&s->up, frame.verb, frame.map);
    for (size_t n = dice_next(&s->dice) % 4; n > 0 && wire_pop(&s->up, &frame); n--)
        intake_in(s, &frame);
    if (dice_once_in(&s->dice, 2))
        intake_commit(s);
    for (size_t n = dice_next(&s->dice) % 4; n > 0 && wire_pop(&s->down, &frame); n--)
        if (!source_in(s->source, &frame, s->now_us)) {
            reconnect(s);
            return;
        }
}

/* Returns how often it was told to wait: a run without any trouble proves nothing. */
static int64_t sim_run(uint64_t seed, bool worker)
{
    struct sim s;
    int64_t steps = 0;

    sim_open(&s, seed, worker, 20);
    source_connected(s.source, s.now_us);
    while (s.answered < EVENTS) {
        assert_true(++steps < 200000);
        s.now_us += 1000;
        bool may = !worker || source_state(s.source) == SOURCE_OPEN;
        int64_t left = EVENTS + 1 - source_next_n(s.source);
        if (may && left > 0 && dice_once_in(&s.dice, 3)) {
            int64_t n = 1 + (int64_t)(dice_next(&s.dice) % 20);
            append(&s, (size_t)(n < left ? n : left));
        }
        if (worker && may && dice_once_in(&s.dice, 10)) {
            struct verb_ping ping = {.upto = source_next_n(s.source) - 1, .applied = 5};
            source_ping(s.source, &ping);
        }
        if (dice_once_in(&s.dice, 300))
            reconnect(&s);
        if (dice_once_in(&s.dice, 400)) { /* intake is killed: what is not committed is lost, and so is the session */
            s.intake.taken = s.intake.durable;
            s.intake.session = false;
        }
        pump(&s);
        if (source_deadline_us(s.source) <= s.now_us && source_tick(s.source, s.now_us))
            reconnect(&s);
    }
    assert_int_equal(source_pending(s.source), 0);
    assert_int_equal(s.intake.durable, EVENTS);
    for (int64_t n = 1; n <= EVENTS; n++)
        assert_int_equal(s.intake.content[n], n);
    assert_true(s.welcomes > 0);
    sim_close(&s);
    return s.busy + s.welcomes - 1;
}

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

/* Moves everything both ways until nothing is left. */
static void settle(struct sim *s)
{
    struct frame frame;
    bool moved = true;

    while (moved) {
        moved = false;
        while (source_out(s->source, s->now_us, &frame)) {
            wire_push(&s->up, frame.verb, frame.map);
            moved = true;
        }
        while (wire_pop(&s->up, &frame))
            intake_in(s, &frame);
        while (s->intake.durable < s->intake.taken)
            intake_commit(s);
        while (wire_pop(&s->down, &frame)) {
            assert_true(source_in(s->source, &frame, s->now_us));
            moved = true;
        }
    }
}

static void say(struct sim *s, const char *verb, const struct record *record, const void *object)
{
    struct frame frame;

    wire_push_record(&s->down, verb, record, object);
    assert_true(wire_pop(&s->down, &frame));
    assert_true(source_in(s->source, &frame, s->now_us));
}

static void test_second_run_learns_stored_answers(void **state)
{
    struct sim s;

    (void)state;
    sim_open(&s, 1, false, 0);
    source_connected(s.source, s.now_us);
    append(&s, 40);
    settle(&s);
    assert_int_equal(s.answered, 40);
    source_destroy(&s.source);

    /* The same file again: number 1 onwards is handed in, nothing is taken twice, every answer comes again. */
    struct intake kept = s.intake;
    struct source_config config = {.stream = "test-00000000", .name = "branch", .incarnation = {1}, .first = 1, .last = 50};
    static const struct source_listener listener = {.answer = on_answer};
    s.answered = 0;
    s.source = source_new(&config, &listener, &s);
    source_connected(s.source, s.now_us);
    settle(&s);
    assert_int_equal(s.answered, 40);
    append(&s, 30);
    append(&s, 20);
    settle(&s);
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
    settle(&s);
    for (int i = 0; i < 10; i++)
        append(&s, 20);
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
        say(&s, "WELCOME", &verb_welcome_record, &welcome);
        append(&s, 200);
        for (int64_t next = 1; next <= 200; next += part.events.n, frames++) {
            size_t bytes = 0;
            assert_true(source_out(s.source, s.now_us, &frame));
            decode(&verb_append_record, &frame, arena, &part);
            assert_int_equal(part.n, next);
            for (uint32_t k = 0; k < part.events.n; k++) {
                assert_int_equal(draft_read(((const struct bytes *)part.events.items)[k]), next + k);
                bytes += ((const struct bytes *)part.events.items)[k].len;
            }
            assert_true(part.events.n <= rows[i].events && (part.events.n == 1 || (int64_t)bytes <= rows[i].bytes));
            assert_int_equal(part.upto, next + part.events.n > 200 ? 200 : -1);
            assert_false(source_out(s.source, s.now_us, &frame));
            ack(&s, next, next + part.events.n - 1);
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
    settle(&s);
    append(&s, 5);
    assert_true(source_out(s.source, s.now_us, &frame)); /* and is lost */
    for (int beat = 1; beat <= 12; beat++) {
        s.now_us += 100000;
        assert_false(source_tick(s.source, s.now_us));
        assert_true(source_out(s.source, s.now_us, &frame));
        assert_string_equal(frame.verb, beat < 12 ? "PING" : "APPEND");
        say(&s, "PONG", &verb_pong_record, &pong);
    }
    sim_close(&s);
}

static void test_a_greeting_without_an_answer(void **state)
{
    static const struct source_listener listener = {.answer = on_answer};
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
    say(&s, "BUSY", &verb_busy_record, &busy); /* what was agreed is no silence */
    s.now_us += 6 * SECOND_US;
    assert_false(source_tick(s.source, s.now_us));
    s.now_us += SECOND_US;
    assert_false(source_tick(s.source, s.now_us));
    assert_true(source_out(s.source, s.now_us, &frame));
    assert_string_equal(frame.verb, "HELLO");
    s.now_us += 5 * SECOND_US;
    assert_true(source_tick(s.source, s.now_us));
    s.hb_ms = 60000;
    reconnect(&s);
    settle(&s);
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
    settle(&s);
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
    settle(&s);
    assert_int_equal(source_deadline_us(s.source), s.now_us + 100000);
    s.now_us += 100000;
    assert_false(source_tick(s.source, s.now_us));
    settle(&s);
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
    settle(&s);
    s.now_us += 60 * SECOND_US;
    append(&s, 1);
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
    static const struct source_listener listener = {.answer = on_answer};
    struct source_config config = {.stream = "test-00000000", .name = "branch", .incarnation = {1}, .first = 1, .last = 0,
                                   .silence_us = 50000};
    struct frame frame;
    struct sim s;

    (void)state;
    sim_open(&s, 1, false, 0);
    source_destroy(&s.source);
    s.source = source_new(&config, &listener, &s);
    source_connected(s.source, s.now_us);
    settle(&s);
    s.now_us += 90000; /* nobody owes anything */
    assert_false(source_tick(s.source, s.now_us));
    append(&s, 1);
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
    settle(&s);
    assert_int_equal(source_deadline_us(s.source), s.now_us + 5000000);
    append(&s, 1);
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
    settle(&s);
    append(&s, 2);
    source_ping(s.source, &ping);
    assert_true(source_out(s.source, s.now_us, &frame));
    assert_string_equal(frame.verb, "APPEND");
    intake_in(&s, &frame);
    assert_false(source_out(s.source, s.now_us, &frame));
    settle(&s);
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
    say(&s, "DENIED", &verb_denied_record, &denied);
    assert_int_equal(s.denials, 1);
    assert_int_equal(source_state(s.source), SOURCE_DENIED);
    assert_false(source_out(s.source, s.now_us, &frame));
    assert_int_equal(source_deadline_us(s.source), INT64_MAX);
    source_connected(s.source, s.now_us);
    settle(&s);
    assert_int_equal(source_state(s.source), SOURCE_OPEN);
    say(&s, "NAK", &verb_nak_record, &nak);
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
        settle(&s);
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
