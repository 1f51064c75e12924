#include "bus/source.h"

#include "base/mutation.h"
#include "base/text.h"
#include "bus/source_inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Who waits for an answer asks sooner whether there is still somebody who owes it. */
#define ASK_US SECOND_US

struct source *source_new(const struct source_config *config, const struct source_listener *listener, void *owner)
{
    struct source *s = memory_new(sizeof *s);

    s->config = *config;
    s->listener = *listener;
    s->owner = owner;
    s->state = SOURCE_DOWN;
    s->hb_us = SOURCE_HB_DEFAULT_US;
    s->answer_next = source_is_of_worker(s) ? 1 : config->first;
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

int64_t source_durable(const struct source *s)
{
    return s->durable;
}

void source_connected(struct source *s, int64_t now_us)
{
    s->state = SOURCE_GREETING;
    s->hello_due = true;
    s->heartbeat_due = false;
    s->hold_us = 0;
    s->nak_expected = -1;
    s->hb_us = SOURCE_HB_DEFAULT_US; /* until WELCOME tells: the last session's says nothing of how soon HELLO is answered */
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

void source_skip(struct source *s, int64_t n)
{
    assert(n <= s->durable + 1);
    if (s->outbox.next_n < n)
        s->outbox.next_n = n;
}

void source_ping(struct source *s, const struct verb_ping *ping)
{
    struct queued_ping *slot;

    if (s->pings_n == SOURCE_PINGS_MAX) { /* the newest says all that the one before it said */
        slot = &s->pings[SOURCE_PINGS_MAX - 1];
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
    if (!source_is_of_worker(s)) {
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

    if (flight <= 0) /* one that is larger than the window is cut */
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
        s->stall_us = now_us + SOURCE_STALL_BEATS * s->hb_us;
    outbox_take(&s->outbox, s->window_events, s->window_bytes, &s->out);
    if (s->owed_us == 0) /* who had nothing unanswered may have been silent, and unheard, for long (A11) */
        s->heard_us = now_us;
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
    int64_t at = s->heard_us + SOURCE_SILENCE_BEATS * s->hb_us;

    if (s->config.silence_us > 0 && s->owed_us != 0 && s->owed_us + s->config.silence_us < at)
        at = s->owed_us + s->config.silence_us;
    if (s->state == SOURCE_GREETING && s->config.greeting_us > 0 && s->heard_us + s->config.greeting_us < at)
        at = s->heard_us + s->config.greeting_us;
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
        s->stall_us = now_us + SOURCE_STALL_BEATS * s->hb_us;
        if (s->hold_us == 0)
            outbox_go_back(&s->outbox, s->answer_next);
    }
    if (now_us >= beat_us(s))
        s->heartbeat_due = true;
    return false;
}
