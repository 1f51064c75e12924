#include "golden.h"
#include "base/digest.h"
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
                                    "ANSWER", "SERVE", "ERROR", "PUT", "HAVE", "GET", "PART"};

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

/* --- sessions: what is said, in order ---------------------------------------------------------------- */

struct session {
    struct arena *arena;
    struct buf map; /* of the frame told last */
    struct buf *out;
};

static void tell(struct session *session, const char *who, const char *verb, const void *object)
{
    char title[64];
    buf_reset(&session->map);
    record_encode(verb_record(verb), RECORD_WHOLE, object, &session->map);
    text_format(title, sizeof(title), "%s %s", who, verb);
    value_out(session->out, title, buf_bytes(&session->map));
}

static void *blank(struct session *session, const char *verb)
{
    const struct record *record = verb_record(verb);
    void *object = arena_alloc(session->arena, record->size + 1);
    record_clear(record, object);
    return object;
}

/* A reader of everything: three events, their links, the credit given back. */
static void session_read(struct session *session)
{
    struct verb_open *open = blank(session, "OPEN");
    struct verb_opened *opened = blank(session, "OPENED");
    struct verb_batch *batch = blank(session, "BATCH");
    struct verb_credit *credit = blank(session, "CREDIT");
    struct verb_head *head = blank(session, "CAUGHT_UP");
    text_copy(open->stream, sizeof(open->stream), STREAM);
    text_copy(open->consumer, sizeof(open->consumer), "GD01/table");
    open->credit = 1 << 20;
    tell(session, "→", "OPEN", open);
    *opened = (struct verb_opened){.epoch = 1, .head = 3, .first = 1, .whole = true};
    tell(session, "←", "OPENED", opened);
    struct bytes *items = arena_alloc(session->arena, 3 * sizeof(*items));
    link_first(STREAM, batch->link);
    for (size_t i = 0; i < 3; i++) {
        struct buf body = {0}, priv = {0}, raw = {0};
        struct slice one;
        event_make(i, session->arena, &body, &priv);
        delivery_encode(buf_bytes(&body), buf_bytes(&priv), &raw);
        one_item(&one, &raw, session->arena);
        items[i] = *(const struct bytes *)one.items;
        uint8_t before[LINK_BYTES];
        memcpy(before, batch->link, sizeof(before));
        link_next(before, buf_bytes(&body), batch->link);
        buf_release(&body);
        buf_release(&priv);
        buf_release(&raw);
    }
    batch->upto = 3;
    batch->events = (struct slice){.items = items, .n = 3};
    tell(session, "←", "BATCH", batch);
    *credit = (struct verb_credit){.bytes = (int64_t)session->map.len, .applied = 3};
    tell(session, "→", "CREDIT", credit);
    *head = (struct verb_head){.epoch = 1, .head = 3, .now_us = AT_US + HOUR_US};
    memcpy(head->link, batch->link, sizeof(head->link));
    tell(session, "←", "CAUGHT_UP", head);
}

static void answer_tell(struct session *session, const struct answer *answer)
{
    struct verb_ack *ack = blank(session, "ACK");
    struct buf raw = {0};
    answer_encode(answer, &raw);
    one_item(&ack->answers, &raw, session->arena);
    tell(session, "←", "ACK", ack);
    buf_release(&raw);
}

static void draft_tell(struct session *session, int64_t n, const char *kind)
{
    struct verb_append *append = blank(session, "APPEND");
    struct buf data = {0}, priv = {0}, raw = {0};
    pack_map(&data, kind != NULL ? 2 : 1);
    if (kind != NULL) {
        pack_text(&data, "kind");
        pack_text(&data, kind);
    }
    pack_text(&data, "region");
    pack_text(&data, "440103");
    pack_map(&priv, 1);
    pack_text(&priv, "customer");
    pack_map(&priv, 1);
    pack_text(&priv, "name");
    pack_text(&priv, "王小明");
    struct draft draft = {.type = "ticket.registered", .v = 1, .at_us = AT_US, .by = "0032 for GD01", .data = buf_bytes(&data),
                          .priv = buf_bytes(&priv)};
    draft_encode(&draft, &raw);
    append->n = n;
    one_item(&append->events, &raw, session->arena);
    tell(session, "→", "APPEND", append);
    buf_release(&data);
    buf_release(&priv);
    buf_release(&raw);
}

/* A new source: a registration without a number is taken and gets one, a second one lacks its kind and is refused. */
static void session_append(struct session *session)
{
    struct verb_hello *hello = blank(session, "HELLO");
    struct verb_welcome *welcome = blank(session, "WELCOME");
    struct verb_pong *pong = blank(session, "PONG");
    struct buf result = {0};
    hello->proto[0] = hello->proto[1] = PROTO_VERSION;
    hello->proto_n = 2;
    text_copy(hello->stream, sizeof(hello->stream), STREAM);
    text_copy(hello->source, sizeof(hello->source), "GD01");
    for (uint8_t i = 0; i < INCARNATION_BYTES; i++)
        hello->incarnation[i] = i;
    hello->first = 1;
    hello->last = 2;
    tell(session, "→", "HELLO", hello);
    *welcome = (struct verb_welcome){.epoch = 1, .head = 3, .window_events = APPEND_EVENTS_MAX, .window_bytes = APPEND_BYTES_MAX, .hb_ms = 5000};
    tell(session, "←", "WELCOME", welcome);
    draft_tell(session, 1, "repair");
    pack_map(&result, 2);
    pack_text(&result, "number");
    pack_text(&result, "GD01-20110701-000124");
    pack_text(&result, "priority");
    pack_text(&result, "normal");
    struct answer taken = {.n = 1, .taken = true, .pos = 4, .result = buf_bytes(&result)}, refused = {.n = 2};
    answer_tell(session, &taken);
    draft_tell(session, 2, NULL);
    problem_set(&refused.problem, "missing", "kind", "%s", "ticket.registered");
    answer_tell(session, &refused);
    tell(session, "→", "PING", blank(session, "PING"));
    pong->head = 5;
    pong->now_us = AT_US + HOUR_US;
    tell(session, "←", "PONG", pong);
    buf_release(&result);
}

/* A file of ten bytes that file.attached has named: how far is it, its bytes, and read back. */
static void session_file(struct session *session)
{
    static const char content[] = "aftercare\n";
    struct bytes bytes = bytes_of(content, sizeof(content) - 1);
    struct verb_put *put = blank(session, "PUT");
    struct verb_have *have = blank(session, "HAVE");
    struct verb_get *get = blank(session, "GET");
    struct verb_part *part = blank(session, "PART");
    digest_of(bytes, put->sha256);
    memcpy(have->sha256, put->sha256, sizeof(have->sha256));
    memcpy(get->sha256, put->sha256, sizeof(get->sha256));
    memcpy(part->sha256, put->sha256, sizeof(part->sha256));
    tell(session, "→", "PUT", put);
    tell(session, "←", "HAVE", have);
    put->bytes = bytes;
    tell(session, "→", "PUT", put);
    have->upto = (int64_t)bytes.len;
    have->whole = true;
    tell(session, "←", "HAVE", have);
    get->bytes = 8192;
    tell(session, "→", "GET", get);
    part->bytes = bytes;
    part->size = (int64_t)bytes.len;
    memcpy(part->receipt, "\1\2\3\4\5\6\7\10", RECEIPT_BYTES);
    tell(session, "←", "PART", part);
}

static void (*const sessions[])(struct session *) = {session_read, session_append, session_file};
static const char *const session_names[] = {"session-read.hex", "session-append.hex", "session-file.hex"};

static void session_golden(size_t index, struct golden *out)
{
    struct session session = {.arena = arena_new(4096), .out = &out->text};
    text_copy(out->name, sizeof(out->name), session_names[index]);
    sessions[index](&session);
    buf_release(&session.map);
    arena_destroy(&session.arena);
}

bool golden_at(size_t i, struct golden *out)
{
    *out = (struct golden){.name = ""};
    if (i < COUNT_OF(types))
        event_golden(i, out);
    else if (i - COUNT_OF(types) < COUNT_OF(verbs))
        frame_golden(i - COUNT_OF(types), out);
    else if (i - COUNT_OF(types) - COUNT_OF(verbs) < COUNT_OF(sessions))
        session_golden(i - COUNT_OF(types) - COUNT_OF(verbs), out);
    else
        return false;
    return true;
}
