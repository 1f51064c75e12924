#include "bus/source.h"

#include "base/mutation.h"
#include "base/text.h"
#include "bus/outbox.h"
#include "record/pack.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define HB_DEFAULT_US (5 * SECOND_US)
#define HB_MIN_US INT64_C(10000)
#define HB_MAX_US (60 * SECOND_US)
#define SILENCE_BEATS 3
/* Who waits for an answer asks sooner whether there is still somebody who owes it. */
#define ASK_US SECOND_US
#define RETRY_MAX_US (60 * SECOND_US)
/* After a second NAK for the same number: the first resend crossed it, so wait for its answer. */
#define NAK_PAUSE_US INT64_C(50000)
#define PINGS_MAX 8

/* A PING waits until what was queued before it is sent; one that says `upto`, or waits for all to settle, until
 * it is answered: said earlier it would speak for conclusions that a BUSY or NAK may still throw back. */
struct queued_ping {
    struct verb_ping ping;
    int64_t behind_n;
};

struct source {
    struct source_config config;
    struct source_listener listener;
    void *owner;
    enum source_state state;
    struct outbox outbox;
    int64_t answer_next; /* the next number to be answered */
    int64_t durable;     /* as WELCOME said */
    int64_t window_events, window_bytes;
    int64_t hb_us;
    int64_t heard_us, sent_us;
    int64_t owed_us;  /* since when an answer is owed; 0: none is */
    int64_t hold_us;  /* nothing is appended (or greeted) before; 0: no */
    int64_t stall_us; /* without an answer until then everything unanswered goes again */
    int64_t nak_expected;
    bool hello_due, heartbeat_due;
    struct verb_ping last_ping; /* what a heartbeat repeats */
    struct queued_ping pings[PINGS_MAX];
    size_t pings_n;
    struct buf out;
};

static bool is_worker(const struct source *s)
{
    return s->config.first < 0;
}

struct source *source_new(const struct source_config *config, const struct source_listener *listener, void *owner)
{
    struct source *s = memory_new(sizeof *s);

    s->config = *config;
    s->listener = *listener;
    s->owner = owner;
    s->state = SOURCE_DOWN;
    s->hb_us = HB_DEFAULT_US;
    s->answer_next = is_worker(s) ? 1 : config->first;
    s->last_ping.upto = -1;
    outbox_restart(&s->outbox, s->answer_next);
    return s;
}

void source_destroy(struct source **s_p)
{
    struct source *s = *s_p;

    if (!s)
        return;
    outbox_release(&s->outbox);
    buf_release(&s->out);
    free(s);
    *s_p = NULL;
}

enum source_state source_state(const struct source *s)
{
    return s->state;
}

size_t source_pending(const struct source *s)
{
    return s->outbox.next_n > s->answer_next ? (size_t)(s->outbox.next_n - s->answer_next) : 0;
}

int64_t source_next_n(const struct source *s)
{
    return s->outbox.next_n;
}

void source_connected(struct source *s, int64_t now_us)
{
    s->state = SOURCE_GREETING;
    s->hello_due = true;
    s->heartbeat_due = false;
    s->hold_us = 0;
    s->nak_expected = -1;
    s->heard_us = s->sent_us = now_us;
    s->owed_us = 0;
}

void source_disconnected(struct source *s)
{
    if (s->state != SOURCE_DENIED)
        s->state = SOURCE_DOWN;
}

int64_t source_append(struct source *s, const struct bytes *drafts, size_t n, int64_t upto, int64_t time_us)
{
    size_t bytes = 0;
    int64_t first;

    assert(n > 0 && n <= APPEND_EVENTS_MAX);
    for (size_t i = 0; i < n; i++)
        bytes += drafts[i].len;
    assert(bytes <= APPEND_BYTES_MAX);
    first = outbox_add(&s->outbox, drafts, n, upto, time_us);
    /* A file handed in a second time: its stored answers may have come already. */
    outbox_trim(&s->outbox, s->answer_next);
    return first;
}

void source_ping(struct source *s, const struct verb_ping *ping)
{
    struct queued_ping *slot;

    if (s->pings_n == PINGS_MAX) { /* the newest says all that the one before it said */
        slot = &s->pings[PINGS_MAX - 1];
        bool settle = slot->ping.settle;
        slot->ping = *ping;
        slot->ping.settle = ping->settle || settle;
    } else {
        slot = &s->pings[s->pings_n++];
        slot->ping = *ping;
    }
    slot->behind_n = s->outbox.next_n;
}

/* --- out ---------------------------------------------------------------------------------------- */

static bool frame_ready(struct source *s, const char *verb, int64_t now_us, struct frame *frame)
{
    text_format(frame->verb, sizeof frame->verb, "%s", verb);
    frame->map = buf_bytes(&s->out);
    s->sent_us = now_us;
    if (s->owed_us == 0)
        s->owed_us = now_us;
    return true;
}

static bool hello_out(struct source *s, int64_t now_us, struct frame *frame)
{
    struct verb_hello hello;

    record_clear(&verb_hello_record, &hello);
    hello.proto[0] = hello.proto[1] = PROTO_VERSION;
    hello.proto_n = 2;
    text_format(hello.stream, sizeof hello.stream, "%s", s->config.stream);
    text_format(hello.source, sizeof hello.source, "%s", s->config.name);
    memcpy(hello.incarnation, s->config.incarnation, sizeof hello.incarnation);
    if (!is_worker(s)) {
        hello.first = s->answer_next;
        hello.last = s->outbox.next_n - 1 > s->config.last ? s->outbox.next_n - 1 : s->config.last;
    }
    s->hello_due = false;
    record_encode(&verb_hello_record, RECORD_WHOLE, &hello, &s->out);
    return frame_ready(s, "HELLO", now_us, frame);
}

static int64_t flight_start(const struct source *s)
{
    return s->answer_next > s->durable ? s->answer_next : s->durable + 1;
}

static bool window_has_room(const struct source *s, size_t events, size_t bytes)
{
    int64_t flight = s->outbox.send_next - flight_start(s);

    if (flight <= 0)
        return true;
    return (flight + (int64_t)events <= s->window_events &&
            (int64_t)(s->outbox.flight_bytes + bytes) <= s->window_bytes) ||
           MUTATION(MUTATION_WINDOW_IGNORED);
}

static bool append_out(struct source *s, int64_t now_us, struct frame *frame)
{
    size_t events, bytes;

    if (!outbox_peek(&s->outbox, &events, &bytes) || !window_has_room(s, events, bytes))
        return false;
    if (s->outbox.send_next <= flight_start(s))
        s->stall_us = now_us + SILENCE_BEATS * s->hb_us;
    outbox_take(&s->outbox, &s->out);
    return frame_ready(s, "APPEND", now_us, frame);
}

static bool ping_out(struct source *s, const struct verb_ping *ping, int64_t now_us, struct frame *frame)
{
    record_encode(&verb_ping_record, RECORD_WHOLE, ping, &s->out);
    s->last_ping = *ping;
    s->last_ping.settle = false;
    s->heartbeat_due = false;
    return frame_ready(s, "PING", now_us, frame);
}

static bool queued_ping_out(struct source *s, int64_t now_us, struct frame *frame)
{
    struct queued_ping *first = &s->pings[0];
    bool waits = first->ping.upto >= 0 || first->ping.settle;
    struct verb_ping ping;

    if (s->pings_n == 0 || (waits ? s->answer_next : s->outbox.send_next) < first->behind_n)
        return false;
    ping = first->ping;
    s->pings_n--;
    memmove(s->pings, s->pings + 1, s->pings_n * sizeof s->pings[0]);
    return ping_out(s, &ping, now_us, frame);
}

/* A wait after BUSY or a repeated NAK is over: say again what was not taken. */
static void hold_end(struct source *s, int64_t now_us)
{
    if (s->hold_us == 0 || now_us < s->hold_us)
        return;
    s->hold_us = 0;
    s->nak_expected = -1;
    if (s->state == SOURCE_GREETING)
        s->hello_due = true;
    else
        outbox_go_back(&s->outbox, flight_start(s));
}

bool source_out(struct source *s, int64_t now_us, struct frame *frame)
{
    buf_reset(&s->out);
    hold_end(s, now_us);
    switch (s->state) {
    case SOURCE_GREETING: return s->hello_due && hello_out(s, now_us, frame);
    case SOURCE_OPEN:
        if (s->hold_us == 0 && (append_out(s, now_us, frame) || queued_ping_out(s, now_us, frame)))
            return true;
        return s->heartbeat_due && ping_out(s, &s->last_ping, now_us, frame);
    case SOURCE_DOWN:
    case SOURCE_DENIED: return false;
    }
    return false;
}

/* --- in ----------------------------------------------------------------------------------------- */

static bool map_read(const struct record *record, const struct frame *frame, void *out)
{
    struct problem problem;

    return record_decode(record, RECORD_WHOLE, DECODE_LENIENT, frame->map, NULL, out, &problem);
}

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

static bool on_welcome(struct source *s, const struct frame *frame, int64_t now_us)
{
    struct verb_welcome w;

    if (!map_read(&verb_welcome_record, frame, &w) || w.durable < 0 || w.durable == INT64_MAX) /* there is a next number */
        return false;
    if (s->state != SOURCE_GREETING)
        return true;
    if (is_worker(s)) {
        outbox_restart(&s->outbox, w.durable + 1);
        s->answer_next = w.durable + 1;
        s->pings_n = 0;
        s->last_ping.upto = -1;
    } else {
        if (w.durable < s->answer_next - 1) /* it has lost what it acknowledged */
            return false;
        outbox_go_back(&s->outbox, s->answer_next);
        outbox_trim(&s->outbox, s->answer_next);
        if (s->outbox.send_next < w.durable + 1)
            s->outbox.send_next = w.durable + 1;
    }
    s->state = SOURCE_OPEN;
    s->durable = w.durable;
    s->window_events = w.window_events > 0 ? w.window_events : APPEND_EVENTS_MAX;
    s->window_bytes = w.window_bytes > 0 ? w.window_bytes : APPEND_BYTES_MAX;
    s->hb_us = w.hb_ms > 0 ? 1000 * clamp(w.hb_ms, HB_MIN_US / 1000, HB_MAX_US / 1000) : HB_DEFAULT_US;
    s->hold_us = 0;
    s->nak_expected = -1;
    s->stall_us = now_us + SILENCE_BEATS * s->hb_us;
    if (s->listener.welcome)
        s->listener.welcome(s->owner, &w);
    return true;
}

static bool on_answer(struct source *s, const struct answer *answer)
{
    if (answer->n < s->answer_next)
        return true;
    /* One that is missing, or of what was never sent: only a new session tells what holds. */
    if (answer->n > s->answer_next || (answer->n >= s->outbox.next_n && answer->n > s->durable))
        return false;
    s->answer_next++;
    s->nak_expected = -1;
    outbox_trim(&s->outbox, s->answer_next);
    if (s->listener.answer)
        s->listener.answer(s->owner, answer);
    return true;
}

static bool on_ack(struct source *s, const struct frame *frame, int64_t now_us)
{
    struct unpack in = unpack_of(frame->map);
    uint32_t pairs = unpack_next(&in).n;

    for (uint32_t i = 0; i < pairs; i++) {
        struct pack_value key = unpack_next(&in), list;
        if (key.type != PACK_STR || !bytes_equal(key.bytes, bytes_of_text("answers"))) {
            (void)unpack_raw(&in);
            continue;
        }
        list = unpack_next(&in);
        if (list.type != PACK_ARRAY)
            return false;
        for (uint32_t k = 0; k < list.n; k++) {
            struct answer answer;
            if (!answer_decode(unpack_raw(&in), &answer) || !on_answer(s, &answer))
                return false;
            if (s->state != SOURCE_OPEN) /* the owner ended the session on what it learnt */
                return true;
        }
    }
    s->stall_us = now_us + SILENCE_BEATS * s->hb_us;
    return true;
}

static bool on_busy(struct source *s, const struct frame *frame, int64_t now_us)
{
    struct verb_busy busy;

    if (!map_read(&verb_busy_record, frame, &busy))
        return false;
    busy.retry_ms = clamp(busy.retry_ms, 1, RETRY_MAX_US / 1000);
    s->hold_us = now_us + busy.retry_ms * 1000;
    if (s->listener.busy)
        s->listener.busy(s->owner, busy.retry_ms, busy.why);
    return true;
}

static bool on_gap(struct source *s, int64_t expected, int64_t now_us)
{
    if (expected < s->answer_next || expected > s->outbox.next_n)
        return false;
    if (s->hold_us != 0) /* all of it goes again then anyway */
        return true;
    if (expected == s->nak_expected) {
        s->hold_us = now_us + NAK_PAUSE_US;
        return true;
    }
    s->nak_expected = expected;
    outbox_go_back(&s->outbox, expected);
    return true;
}

static bool on_nak(struct source *s, const struct frame *frame, int64_t now_us)
{
    struct verb_nak nak;

    if (!map_read(&verb_nak_record, frame, &nak))
        return false;
    if (text_equal(nak.code, "gap"))
        return on_gap(s, nak.expected, now_us);
    if (!text_equal(nak.code, "conflict"))
        return false;
    s->state = SOURCE_DENIED;
    if (s->listener.conflict)
        s->listener.conflict(s->owner, nak.n);
    return true;
}

static bool on_denied(struct source *s, const struct frame *frame)
{
    struct verb_denied denied;

    if (!map_read(&verb_denied_record, frame, &denied))
        return false;
    s->state = SOURCE_DENIED;
    if (s->listener.denied)
        s->listener.denied(s->owner, denied.code, denied.why);
    return true;
}

static bool on_pong(struct source *s, const struct frame *frame)
{
    struct verb_pong pong;

    if (!map_read(&verb_pong_record, frame, &pong))
        return false;
    if (s->listener.pong)
        s->listener.pong(s->owner, &pong);
    return true;
}

bool source_in(struct source *s, const struct frame *frame, int64_t now_us)
{
    struct problem problem;
    struct unpack in;
    bool open = s->state == SOURCE_OPEN;

    if (s->state == SOURCE_DOWN || s->state == SOURCE_DENIED)
        return true;
    if (!skim(frame->map, &problem))
        return false;
    in = unpack_of(frame->map);
    if (unpack_next(&in).type != PACK_MAP)
        return false;
    s->heard_us = now_us;
    s->owed_us = 0;
    if (text_equal(frame->verb, "ACK"))
        return !open || on_ack(s, frame, now_us);
    if (text_equal(frame->verb, "PONG"))
        return !open || on_pong(s, frame);
    if (text_equal(frame->verb, "WELCOME"))
        return on_welcome(s, frame, now_us);
    if (text_equal(frame->verb, "DENIED"))
        return on_denied(s, frame);
    if (text_equal(frame->verb, "BUSY"))
        return on_busy(s, frame, now_us);
    if (text_equal(frame->verb, "NAK"))
        return !open || on_nak(s, frame, now_us);
    /* ERROR (it does not know this session) and MOVED: only a new connection helps. */
    return !text_equal(frame->verb, "ERROR") && !text_equal(frame->verb, "MOVED");
}

/* --- time --------------------------------------------------------------------------------------- */

static bool is_waiting(const struct source *s)
{
    return s->outbox.send_next > s->answer_next && source_pending(s) > 0;
}

/* When something has to be said again, whatever it is. */
static int64_t beat_us(const struct source *s)
{
    return s->sent_us + (is_waiting(s) && s->hb_us > ASK_US ? ASK_US : s->hb_us);
}

/* When silence has lasted too long. */
static int64_t silent_at_us(const struct source *s)
{
    int64_t at = s->heard_us + SILENCE_BEATS * s->hb_us;

    if (s->config.silence_us > 0 && s->owed_us != 0 && s->owed_us + s->config.silence_us < at)
        at = s->owed_us + s->config.silence_us;
    return at;
}

int64_t source_deadline_us(const struct source *s)
{
    int64_t due;

    if (s->state == SOURCE_DOWN || s->state == SOURCE_DENIED)
        return INT64_MAX;
    due = silent_at_us(s);
    if (s->hold_us != 0 && s->hold_us < due)
        due = s->hold_us;
    if (s->state != SOURCE_OPEN)
        return due;
    if (is_waiting(s) && s->stall_us < due)
        due = s->stall_us;
    return !s->heartbeat_due && beat_us(s) < due ? beat_us(s) : due;
}

bool source_tick(struct source *s, int64_t now_us)
{
    if (s->state == SOURCE_DOWN || s->state == SOURCE_DENIED)
        return false;
    /* While told to wait before greeting again, silence is what was agreed. */
    if (s->state == SOURCE_GREETING && s->hold_us != 0)
        s->heard_us = now_us;
    if (now_us >= silent_at_us(s)) {
        s->heard_us = now_us;
        s->owed_us = 0;
        return true;
    }
    hold_end(s, now_us);
    if (s->state != SOURCE_OPEN)
        return false;
    if (is_waiting(s) && now_us >= s->stall_us) {
        s->stall_us = now_us + SILENCE_BEATS * s->hb_us;
        if (s->hold_us == 0)
            outbox_go_back(&s->outbox, s->answer_next);
    }
    if (now_us >= beat_us(s))
        s->heartbeat_due = true;
    return false;
}
