#include "unit/common/bus/fake_intake.h"

static void draft_of(int64_t n, struct buf *out)
{
    pack_map(out, 1);
    pack_text(out, "said");
    pack_int(out, n);
}

int64_t sim_draft_read(struct bytes raw)
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

void sim_ack(struct sim *s, int64_t from, int64_t to)
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

void sim_decode(const struct record *record, const struct frame *frame, struct arena *arena, void *out)
{
    struct problem problem;

    assert_true(record_decode(record, RECORD_WHOLE, DECODE_STRICT, frame->map, arena, out, &problem));
}

static void on_hello(struct sim *s, const struct frame *frame)
{
    struct verb_hello hello;
    struct verb_welcome welcome = {.epoch = 1, .window_events = 64, .window_bytes = 700, .hb_ms = s->hb_ms};

    sim_decode(&verb_hello_record, frame, NULL, &hello);
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
        sim_ack(s, hello.first, s->intake.durable);
}

static void on_append(struct sim *s, const struct frame *frame, struct arena *arena)
{
    struct verb_append append;
    struct intake *i = &s->intake;
    const struct bytes *raw;
    int64_t last;

    sim_decode(&verb_append_record, frame, arena, &append);
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
    sim_ack(s, append.n, last < i->durable ? last : i->durable);
    for (int64_t n = append.n; n <= last; n++) {
        int64_t said = sim_draft_read(raw[n - append.n]);
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

    sim_decode(&verb_ping_record, frame, NULL, &ping);
    /* It speaks only for what is acknowledged. */
    assert_true(ping.upto <= s->intake.durable);
    wire_push_record(&s->down, "PONG", &verb_pong_record, &pong);
}

void sim_intake_in(struct sim *s, const struct frame *frame)
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
        sim_ack(s, before + 1, s->intake.durable);
}

/* --- the owner ---------------------------------------------------------------------------------- */

void sim_on_answer(void *owner, const struct answer *a)
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

void sim_open(struct sim *s, uint64_t seed, bool worker, unsigned trouble_once_in)
{
    static const struct source_listener listener = {.welcome = on_welcome, .answer = sim_on_answer, .pong = on_pong,
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

void sim_close(struct sim *s)
{
    wire_cut(&s->up);
    wire_cut(&s->down);
    source_destroy(&s->source);
    assert_null(s->source);
}

void sim_append(struct sim *s, size_t count)
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

void sim_reconnect(struct sim *s)
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
        sim_intake_in(s, &frame);
    if (dice_once_in(&s->dice, 2))
        intake_commit(s);
    for (size_t n = dice_next(&s->dice) % 4; n > 0 && wire_pop(&s->down, &frame); n--)
        if (!source_in(s->source, &frame, s->now_us)) {
            sim_reconnect(s);
            return;
        }
}

int64_t sim_run(uint64_t seed, bool worker)
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
            sim_append(&s, (size_t)(n < left ? n : left));
        }
        if (worker && may && dice_once_in(&s.dice, 10)) {
            struct verb_ping ping = {.upto = source_next_n(s.source) - 1, .applied = 5};
            source_ping(s.source, &ping);
        }
        if (dice_once_in(&s.dice, 300))
            sim_reconnect(&s);
        if (dice_once_in(&s.dice, 400)) { /* intake is killed: what is not committed is lost, and so is the session */
            s.intake.taken = s.intake.durable;
            s.intake.session = false;
        }
        pump(&s);
        if (source_deadline_us(s.source) <= s.now_us && source_tick(s.source, s.now_us))
            sim_reconnect(&s);
    }
    assert_int_equal(source_pending(s.source), 0);
    assert_int_equal(s.intake.durable, EVENTS);
    for (int64_t n = 1; n <= EVENTS; n++)
        assert_int_equal(s.intake.content[n], n);
    assert_true(s.welcomes > 0);
    sim_close(&s);
    return s.busy + s.welcomes - 1;
}

void sim_settle(struct sim *s)
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
            sim_intake_in(s, &frame);
        while (s->intake.durable < s->intake.taken)
            intake_commit(s);
        while (wire_pop(&s->down, &frame)) {
            assert_true(source_in(s->source, &frame, s->now_us));
            moved = true;
        }
    }
}

void sim_say(struct sim *s, const char *verb, const struct record *record, const void *object)
{
    struct frame frame;

    wire_push_record(&s->down, verb, record, object);
    assert_true(wire_pop(&s->down, &frame));
    assert_true(source_in(s->source, &frame, s->now_us));
}
