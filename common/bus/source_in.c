/* What intake says to a source. */
#include "base/text.h"
#include "bus/source_inside.h"
#include "record/pack.h"

#define HB_MIN_US INT64_C(10000)
#define HB_MAX_US (60 * SECOND_US)
#define RETRY_MAX_US (60 * SECOND_US)
/* After a second NAK for the same number: the first resend crossed it, so wait for its answer. */
#define NAK_PAUSE_US INT64_C(50000)

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
    if (source_is_of_worker(s)) {
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
    s->hb_us = w.hb_ms > 0 ? 1000 * clamp(w.hb_ms, HB_MIN_US / 1000, HB_MAX_US / 1000) : SOURCE_HB_DEFAULT_US;
    s->hold_us = 0;
    s->nak_expected = -1;
    s->stall_us = now_us + SOURCE_STALL_BEATS * s->hb_us;
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
    s->stall_us = now_us + SOURCE_STALL_BEATS * s->hb_us;
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
