#include "golden.h"
#include "base/text.h"
#include "bus/verbs.h"
#include "event/event.h"
#include "event/stream.h"
#include "proto/catalogue.h"
#include "proto/followup.h"
#include "proto/job.h"
#include "proto/sla.h"
#include "proto/ticket.h"
#include "record/pack.h"
#include "sample.h"
#include <assert.h>
#include <string.h>

#define STREAM "demo-0badcafe"
#define AT_US (INT64_C(1309498353) * SECOND_US) /* 2011-07-01T05:32:33Z */

/* Data of the types shown; others of the catalogue have their schema only. */
static const char *const types[] = {"stream.created", "ticket.registered", "ticket.assessed", "job.offered", "job.accepted",
                                    "job.reported", "sla.scheduled", "sla.breached", "followup.recorded", "report.closed"};
static const char *const verbs[] = {"HELLO", "WELCOME", "DENIED", "MOVED", "APPEND", "ACK", "BUSY", "NAK", "PING", "PONG",
                                    "OPEN", "OPENED", "FORK", "AHEAD", "BATCH", "CREDIT", "CAUGHT_UP", "HEAD", "CLOSE", "ASK",
                                    "ANSWER", "SERVE", "ERROR"};

static void hex_out(struct buf *out, struct bytes bytes)
{
    for (size_t at = 0; at < bytes.len; at += 32) {
        char line[65];
        size_t n = bytes.len - at < 32 ? bytes.len - at : 32;
        hex_print(bytes.data + at, n, line);
        buf_append_format(out, "%s\n", line);
    }
}

static void value_out(struct buf *out, const char *title, struct bytes value)
{
    buf_append_format(out, "# %s: ", title);
    raw_print_json(value, out);
    buf_append_text(out, "\n");
    hex_out(out, value);
}

/* The i-th event of a stream that holds the types above in order. */
static void event_make(size_t i, struct arena *arena, struct buf *body, struct buf *priv)
{
    static const uint8_t salt[SALT_BYTES] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const struct event_type *type = event_type_find(types[i], 1);
    assert(type != NULL);
    struct buf data = {0}, personal = {0};
    void *object = arena_alloc(arena, type->data->size);
    sample_fill(type->data, object, arena);
    record_encode(type->data, RECORD_PLAIN, object, &data);
    record_encode(type->data, RECORD_PERSONAL, object, &personal);
    struct event e = {.pos = i + 1, .v = type->v, .n = i + 1, .at_us = AT_US + (int64_t)i * MINUTE_US + 250000, .cause = i};
    e.rec_us = e.at_us + SECOND_US;
    text_copy(e.type, sizeof(e.type), type->name);
    text_copy(e.key, sizeof(e.key), i == 0 ? STREAM : "GD01-20110701-000123");
    text_copy(e.region, sizeof(e.region), i == 0 ? "" : "440103");
    text_copy(e.from, sizeof(e.from), i == 0 ? "intake" : "GD01");
    text_format(e.id, sizeof(e.id), "%s/%zu", e.from, i + 1);
    text_copy(e.by, sizeof(e.by), i == 0 ? "" : "0032 for GD01");
    if (personal.len > 1) {
        priv_encode(salt, buf_bytes(&personal), priv, e.pd);
        e.has_pd = true;
    }
    e.data = buf_bytes(&data);
    event_encode(&e, body);
    buf_release(&data);
    buf_release(&personal);
}

static void event_golden(size_t index, struct golden *out)
{
    struct arena *arena = arena_new(4096);
    struct buf body = {0}, priv = {0};
    uint8_t link[LINK_BYTES], next[LINK_BYTES];
    link_first(STREAM, link);
    for (size_t i = 0; i <= index; i++) {
        buf_reset(&body);
        buf_reset(&priv);
        event_make(i, arena, &body, &priv);
        link_next(link, buf_bytes(&body), next);
        if (i < index)
            memcpy(link, next, sizeof(link));
    }
    text_format(out->name, sizeof(out->name), "event-%s.hex", types[index]);
    value_out(&out->text, "body", buf_bytes(&body));
    if (priv.len > 0)
        value_out(&out->text, "priv", buf_bytes(&priv));
    buf_append_format(&out->text, "# link before it (stream %s)\n", STREAM);
    hex_out(&out->text, bytes_of(link, sizeof(link)));
    buf_append_text(&out->text, "# its link\n");
    hex_out(&out->text, bytes_of(next, sizeof(next)));
    buf_release(&body);
    buf_release(&priv);
    arena_destroy(&arena);
}

static void one_item(struct slice *slice, const struct buf *raw, struct arena *arena)
{
    struct bytes *item = arena_alloc(arena, sizeof(*item));
    uint8_t *kept = arena_alloc(arena, raw->len);
    memcpy(kept, raw->data, raw->len);
    *item = bytes_of(kept, raw->len);
    *slice = (struct slice){.items = item, .n = 1};
}

/* Frames that carry others' bytes carry real ones. */
static void carried(const char *verb, void *object, struct arena *arena)
{
    struct buf raw = {0}, body = {0}, priv = {0};
    event_make(1, arena, &body, &priv);
    if (text_equal(verb, "APPEND")) {
        struct event e;
        struct problem problem;
        bool decoded = event_decode(buf_bytes(&body), buf_bytes(&priv), &e, &problem);
        assert(decoded);
        (void)decoded;
        struct draft draft = {.type = e.type, .v = e.v, .key = e.key, .at_us = e.at_us, .by = e.by, .cause = e.cause,
                              .data = e.data, .priv = event_personal(&e)};
        draft_encode(&draft, &raw);
        one_item(&((struct verb_append *)object)->events, &raw, arena);
    } else if (text_equal(verb, "BATCH")) {
        delivery_encode(buf_bytes(&body), buf_bytes(&priv), &raw);
        one_item(&((struct verb_batch *)object)->events, &raw, arena);
    } else if (text_equal(verb, "ACK")) {
        struct answer refused = {.n = 8};
        problem_set(&refused.problem, "missing", "customer.phone", "%s", "repair");
        answer_encode(&refused, &raw);
        one_item(&((struct verb_ack *)object)->answers, &raw, arena);
    }
    buf_release(&raw);
    buf_release(&body);
    buf_release(&priv);
}

static void frame_golden(size_t index, struct golden *out)
{
    struct arena *arena = arena_new(4096);
    struct buf map = {0};
    const struct record *record = verb_record(verbs[index]);
    assert(record != NULL);
    void *object = arena_alloc(arena, record->size + 1);
    sample_fill(record, object, arena);
    carried(verbs[index], object, arena);
    record_encode(record, RECORD_WHOLE, object, &map);
    text_format(out->name, sizeof(out->name), "frame-%s.hex", verbs[index]);
    buf_append_text(&out->text, "# first frame: the verb\n");
    hex_out(&out->text, bytes_of_text(verbs[index]));
    value_out(&out->text, "second frame, a map", buf_bytes(&map));
    buf_release(&map);
    arena_destroy(&arena);
}

bool golden_at(size_t i, struct golden *out)
{
    *out = (struct golden){.name = ""};
    if (i < COUNT_OF(types))
        event_golden(i, out);
    else if (i - COUNT_OF(types) < COUNT_OF(verbs))
        frame_golden(i - COUNT_OF(types), out);
    else
        return false;
    return true;
}
