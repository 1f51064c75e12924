#include "guests.h"
#include "base/text.h"
#include "guests_inside.h"
#include "record/pack.h"
#include <stdlib.h>
#include <string.h>

#define SILENCE_US (90 * SECOND_US)
#define BUSY_MS 2000

struct guests *guests_new(struct spool *spool, struct taking *taking)
{
    struct guests *g = memory_new(sizeof(*g));
    g->spool = spool;
    g->taking = taking;
    g->arena = arena_new(64 * 1024);
    return g;
}

void guests_remove(struct guests *g, size_t i)
{
    buf_release(&g->sessions[i]->answers);
    free(g->sessions[i]);
    g->sessions[i] = g->sessions[--g->sessions_n];
}

void guests_destroy(struct guests **g_p)
{
    struct guests *g = *g_p;
    if (g == NULL)
        return;
    while (g->sessions_n > 0)
        guests_remove(g, 0);
    free(g->greetings);
    free(g->replies);
    buf_release(&g->bytes);
    arena_destroy(&g->arena);
    free(g);
    *g_p = NULL;
}

size_t guests_taken_bytes(const struct guests *g)
{
    return g->taken_bytes;
}

size_t guests_taken(const struct guests *g)
{
    return g->taken;
}

size_t guests_sessions(const struct guests *g)
{
    return g->sessions_n;
}

/* --- what goes out -------------------------------------------------------------------------------- */

void guests_say(struct guests *g, const struct bus_peer *peer, const char *verb, const struct record *record, const void *data)
{
    if (g->replies_n == g->replies_cap) {
        g->replies_cap = g->replies_cap > 0 ? 2 * g->replies_cap : 16;
        g->replies = memory_grow(g->replies, g->replies_cap * sizeof(g->replies[0]));
    }
    struct reply *reply = &g->replies[g->replies_n++];
    reply->peer = *peer;
    text_format(reply->verb, sizeof(reply->verb), "%s", verb);
    reply->at = g->bytes.len;
    record_encode(record, RECORD_WHOLE, data, &g->bytes);
    reply->len = g->bytes.len - reply->at;
}

bool guests_out(struct guests *g, struct bus_peer *peer, struct frame *frame)
{
    if (g->replied == g->replies_n) {
        g->replied = g->replies_n = 0;
        buf_reset(&g->bytes);
        return false;
    }
    const struct reply *reply = &g->replies[g->replied++];
    *peer = reply->peer;
    text_format(frame->verb, sizeof(frame->verb), "%s", reply->verb);
    frame->map = bytes_of(g->bytes.data + reply->at, reply->len);
    return true;
}

static void say_error(struct guests *g, const struct bus_peer *peer, const char *code, const char *why)
{
    struct verb_error error = {.id = 0};
    (void)text_copy(error.code, sizeof(error.code), code);
    (void)text_copy(error.why, sizeof(error.why), why);
    guests_say(g, peer, "ERROR", &verb_error_record, &error);
}

void guests_busy(struct guests *g, const struct bus_peer *peer, const char *why)
{
    struct verb_busy busy = {.retry_ms = BUSY_MS};
    (void)text_copy(busy.why, sizeof(busy.why), why);
    guests_say(g, peer, "BUSY", &verb_busy_record, &busy);
}

void guests_denied(struct guests *g, const struct bus_peer *peer, const char *code, const char *why)
{
    struct verb_denied denied = {.code = ""};
    (void)text_copy(denied.code, sizeof(denied.code), code);
    (void)text_copy(denied.why, sizeof(denied.why), why);
    guests_say(g, peer, "DENIED", &verb_denied_record, &denied);
}

void guests_answers(struct guests *g, const struct bus_peer *peer, struct bytes packed, uint32_t n)
{
    struct bytes parts[APPEND_EVENTS_MAX];
    struct unpack at = unpack_of(packed);
    while (n > 0) {
        uint32_t count = n < APPEND_EVENTS_MAX ? n : APPEND_EVENTS_MAX;
        for (uint32_t i = 0; i < count; i++)
            parts[i] = unpack_raw(&at);
        const struct verb_ack ack = {.answers = {.items = parts, .n = count}};
        guests_say(g, peer, "ACK", &verb_ack_record, &ack);
        n -= count;
    }
}

/* --- sessions ------------------------------------------------------------------------------------- */

bool guests_same(const struct bus_peer *a, const struct bus_peer *b)
{
    return a->len == b->len && memcmp(a->id, b->id, a->len) == 0;
}

struct session *guests_session(struct guests *g, const struct bus_peer *peer)
{
    for (size_t i = 0; i < g->sessions_n; i++)
        if (guests_same(&g->sessions[i]->peer, peer))
            return g->sessions[i];
    return NULL;
}

void guests_sweep(struct guests *g, int64_t boot_us)
{
    for (size_t i = g->sessions_n; i-- > 0;)
        if (boot_us - g->sessions[i]->heard_us > SILENCE_US && !g->sessions[i]->dirty)
            guests_remove(g, i);
}

/* --- frames --------------------------------------------------------------------------------------- */

static void on_hello(struct guests *g, const struct bus_peer *peer, const struct frame *frame, int64_t boot_us)
{
    struct problem problem;
    g->greetings = memory_grow(g->greetings, (g->greetings_n + 1) * sizeof(g->greetings[0]));
    struct greeting *greeting = &g->greetings[g->greetings_n];
    greeting->peer = *peer;
    greeting->boot_us = boot_us;
    if (record_decode(&verb_hello_record, RECORD_WHOLE, DECODE_LENIENT, frame->map, NULL, &greeting->hello, &problem))
        g->greetings_n++;
    else
        guests_denied(g, peer, "malformed", problem.field);
}

static void on_ping(struct guests *g, struct session *session, int64_t wall_us)
{
    const struct verb_pong pong = {.head = spool_state(g->spool)->last, .now_us = wall_us, .upto = -1};
    guests_say(g, &session->peer, "PONG", &verb_pong_record, &pong);
}

static void nak(struct guests *g, struct session *session, int64_t n, const char *code)
{
    struct verb_nak nak = {.n = n, .expected = session->origin.last + 1};
    (void)text_copy(nak.code, sizeof(nak.code), code);
    guests_say(g, &session->peer, "NAK", &verb_nak_record, &nak);
    session->skipping = true;
}

/* A number that was answered: the same content gets the same answer. */
static enum status answer_again(struct guests *g, struct session *session, struct bytes raw, int64_t n)
{
    uint8_t digest[DIGEST_BYTES], before[DIGEST_BYTES];
    size_t mark = session->answers.len;
    enum status status = spool_answer(g->spool, session->origin.id, n, before, &session->answers);
    digest_of(raw, digest);
    if (status == STATUS_OK && memcmp(digest, before, DIGEST_BYTES) != 0) {
        session->answers.len = mark;
        nak(g, session, n, "conflict");
        return STATUS_OK;
    }
    if (status == STATUS_ABSENT) {
        const struct answer forgotten = {.n = n, .taken = true};
        answer_encode(&forgotten, &session->answers);
        status = STATUS_OK;
    }
    session->answers_n++;
    return status;
}

static enum status take_one(struct guests *g, struct session *session, struct bytes raw, int64_t n, int64_t wall_us)
{
    uint8_t digest[DIGEST_BYTES];
    size_t mark = session->answers.len;
    if (n <= session->origin.last)
        return answer_again(g, session, raw, n);
    enum status status = taking_take(g->taking, session->origin.name, raw, n, wall_us, &session->answers);
    if (status == STATUS_OK) {
        digest_of(raw, digest);
        status = spool_answer_keep(g->spool, session->origin.id, n, digest,
                                   bytes_of(session->answers.data + mark, session->answers.len - mark), wall_us);
    }
    if (status != STATUS_OK)
        return status;
    session->answers_n++;
    session->origin.last = n;
    session->dirty = true;
    g->taken++;
    g->taken_bytes += raw.len;
    return STATUS_OK;
}

static void on_append(struct guests *g, struct session *session, const struct frame *frame, int64_t wall_us)
{
    struct verb_append append;
    struct problem problem;
    arena_reset(g->arena);
    if (!record_decode(&verb_append_record, RECORD_WHOLE, DECODE_LENIENT, frame->map, g->arena, &append, &problem)) {
        say_error(g, &session->peer, "malformed", problem.field);
        return;
    }
    if (session->skipping && append.n != session->origin.last + 1)
        return;
    session->skipping = false;
    if (append.n > session->origin.last + 1) {
        nak(g, session, append.n, "gap");
        return;
    }
    const struct bytes *events = append.events.items;
    for (uint32_t i = 0; i < append.events.n && !session->skipping; i++) {
        bool room = append.n + i <= session->origin.last || (!spool_is_full(g->spool) && !spool_lacks_disk(g->spool));
        if (room && !g->failed)
            g->failed = take_one(g, session, events[i], append.n + i, wall_us) != STATUS_OK;
        if (!room || g->failed)
            session->busy = session->skipping = true;
    }
}

bool guests_frame(struct guests *g, const struct bus_peer *peer, const struct frame *frame, int64_t wall_us, int64_t boot_us)
{
    bool hello = text_equal(frame->verb, "HELLO"), append = text_equal(frame->verb, "APPEND");
    if (!hello && !append && !text_equal(frame->verb, "PING"))
        return false;
    struct session *session = guests_session(g, peer);
    if (session != NULL)
        session->heard_us = boot_us;
    if (hello)
        on_hello(g, peer, frame, boot_us);
    else if (session == NULL)
        say_error(g, peer, "hello", "say HELLO first");
    else if (append)
        on_append(g, session, frame, wall_us);
    else
        on_ping(g, session, wall_us);
    return true;
}

/* --- the end of a turn ---------------------------------------------------------------------------- */

enum status guests_keep(struct guests *g, int64_t wall_us)
{
    enum status status = g->failed ? STATUS_FULL : STATUS_OK;
    for (size_t i = 0; i < g->sessions_n && status == STATUS_OK; i++)
        if (g->sessions[i]->dirty)
            status = spool_origin_keep(g->spool, &g->sessions[i]->origin, wall_us);
    return status;
}

/* Back to what holds. */
static void session_undo(struct guests *g, struct session *session)
{
    struct spool_origin origin;
    enum status status = spool_origin(g->spool, session->origin.name, &origin);
    if (status == STATUS_OK)
        session->origin = origin;
    session->busy = session->skipping = true;
    buf_reset(&session->answers);
    session->answers_n = 0;
}

static void say_new(struct guests *g, struct session *session)
{
    guests_answers(g, &session->peer, buf_bytes(&session->answers), session->answers_n);
    buf_reset(&session->answers);
    session->answers_n = 0;
}

static const char disk_full[] = "disk.full: no room on the disk";

static enum status greet_all(struct guests *g, int64_t wall_us)
{
    enum status worst = STATUS_OK;
    for (size_t i = 0; i < g->greetings_n && worst != STATUS_DOUBT; i++) {
        enum status status = guests_greet(g, &g->greetings[i], wall_us);
        if (status == STATUS_OK)
            continue;
        worst = status == STATUS_DOUBT ? status : STATUS_FULL;
        spool_rollback(g->spool);
        guests_busy(g, &g->greetings[i].peer, disk_full);
    }
    g->greetings_n = 0;
    return worst;
}

enum status guests_settle(struct guests *g, bool kept, int64_t wall_us)
{
    const char *why = kept && !spool_lacks_disk(g->spool) ? "spool.full: the centre has not answered what waits here" : disk_full;
    for (size_t i = 0; i < g->sessions_n; i++) {
        struct session *session = g->sessions[i];
        if (!kept && (session->dirty || session->answers_n > 0))
            session_undo(g, session);
        session->dirty = false;
        if (session_has_stored(session) && session_say_stored(g, session) != STATUS_OK)
            session->stored_upto = session->stored_next - 1; /* he sees that some are missing, and greets again */
        if (!session_has_stored(session))
            say_new(g, session);
        if (session->busy)
            guests_busy(g, &session->peer, why);
        session->busy = false;
    }
    g->taken = g->taken_bytes = 0;
    g->failed = false;
    return greet_all(g, wall_us);
}
