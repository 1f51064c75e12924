/* Who appends: sessions of router peers, HELLO, PING, stored answers. */
#include "base/clock.h"
#include "base/log.h"
#include "base/mutation.h"
#include "base/text.h"
#include "rights.h"
#include "server_inside.h"
#include <stdlib.h>
#include <string.h>

/* --- the lists ------------------------------------------------------------------------------------- */

struct session *session_find(struct server *server, const struct bus_peer *peer)
{
    for (size_t i = 0; i < server->sessions_n; i++) {
        struct session *session = server->sessions[i];
        if (session->peer.len == peer->len && memcmp(session->peer.id, peer->id, peer->len) == 0)
            return session;
    }
    return NULL;
}

struct session *session_of(struct server *server, uint64_t id)
{
    for (size_t i = 0; i < server->sessions_n; i++)
        if (server->sessions[i]->id == id)
            return server->sessions[i];
    return NULL;
}

void session_end(struct server *server, struct session *session)
{
    session->ended = true;
    session->stored_upto = session->stored_next - 1;
    if (session->source->session == session->id)
        session->source->session = 0;
    if (server->settle_session == session->id)
        server->settle_session = 0;
}

static void session_remove(struct server *server, size_t i)
{
    session_end(server, server->sessions[i]);
    free(server->sessions[i]);
    server->sessions[i] = server->sessions[--server->sessions_n];
}

void sessions_clear(struct server *server)
{
    while (server->sessions_n > 0)
        session_remove(server, 0);
    for (size_t i = 0; i < server->sources_n; i++)
        free(server->sources[i]);
    server->sources_n = 0;
}

static bool source_is_worker(const struct server *server, const char *name)
{
    char id[64];
    if (!source_principal(name, id, sizeof(id)))
        return false;
    const struct principal_row *row = table_get(server->taker.tables, ARCHIVE_PRINCIPALS, id);
    return row != NULL && row->granted.kind == PRINCIPAL_WORKER;
}

/* A source without a session is read again when it comes back; workers' rows stay, for status and settling. */
static void sources_sweep(struct server *server)
{
    size_t kept = 0;
    for (size_t i = 0; i < server->sources_n; i++) {
        struct source_row *source = server->sources[i];
        bool used = source->session != 0 || source->dirty || source_is_worker(server, source->name);
        for (size_t k = 0; k < server->sessions_n && !used; k++)
            used = server->sessions[k]->source == source;
        if (used)
            server->sources[kept++] = source;
        else
            free(source);
    }
    server->sources_n = kept;
}

void sessions_sweep(struct server *server, int64_t boot_us)
{
    for (size_t i = server->sessions_n; i-- > 0;)
        if (boot_us - server->sessions[i]->heard_us > SESSION_SILENCE_US)
            session_remove(server, i);
    sources_sweep(server);
    metric_set(server->sessions_gauge, (int64_t)server->sessions_n);
}

/* NULL: database trouble (server->lost), or no room for a new one. */
static struct source_row *source_of(struct server *server, const char *name)
{
    for (size_t i = 0; i < server->sources_n; i++)
        if (text_equal(server->sources[i]->name, name))
            return server->sources[i];
    struct source_row *source = memory_new(sizeof(*source));
    enum status status = store_source(&server->store, name, source);
    if (status != STATUS_OK) {
        free(source);
        if (status != STATUS_ABSENT)
            server_lost(server, "source", status);
        return NULL;
    }
    if (server->sources_n == server->sources_cap) {
        server->sources_cap = server->sources_cap == 0 ? 16 : 2 * server->sources_cap;
        server->sources = memory_grow(server->sources, server->sources_cap * sizeof(struct source_row *));
    }
    return server->sources[server->sources_n++] = source;
}

bool source_is_clock(const struct server *server, const char *name)
{
    const struct stream_created *stream = &server->taker.journal.stream;
    char id[64];
    return stream->clock == CLOCK_STEPPED && source_principal(name, id, sizeof(id)) && text_equal(id, stream->clock_source);
}

void sessions_load_workers(struct server *server)
{
    const struct stream_created *stream = &server->taker.journal.stream;
    for (uint32_t i = 0; i < stream->workers_n; i++)
        if (source_of(server, stream->workers[i]) == NULL)
            return;
}

/* --- HELLO ----------------------------------------------------------------------------------------- */

const char *peer_refused(struct server *server, const struct bus_peer *peer, const struct session *session)
{
    char id[64];
    const char *why;
    if (!rights_caller(server->taker.tables, ARCHIVE_PRINCIPALS, doors_keyed(server->config->entrance), peer->user, id, &why)) {
        denial_journal(server, id, "", why, 1);
        return why;
    }
    if (session == NULL || !source_principal(session->source->name, id, sizeof(id)))
        return NULL;
    const struct principal_row *row = table_get(server->taker.tables, ARCHIVE_PRINCIPALS, id);
    if (row != NULL && row->open)
        return NULL;
    denial_journal(server, id, "", "revoked", 1);
    return "revoked";
}

void session_deny(struct server *server, const struct bus_peer *peer, struct session *session, const char *why)
{
    struct verb_denied denied = {.code = "principal"};
    text_copy(denied.why, sizeof(denied.why), why);
    if (session != NULL)
        session_end(server, session);
    server_say(server, peer, "DENIED", &verb_denied_record, &denied);
}

/* reason: for the record; code and why in `denied`: for who asks. */
static bool principal_judge(const struct server *server, const struct bus_peer *peer, const char *source, char asker[64],
                            const char **reason, struct verb_denied *denied)
{
    char id[64];
    *reason = "principal";
    text_copy(denied->code, sizeof(denied->code), "principal");
    if (!rights_caller(server->taker.tables, ARCHIVE_PRINCIPALS, doors_keyed(server->config->entrance), peer->user, asker, reason)) {
        text_copy(denied->why, sizeof(denied->why), *reason);
        return false;
    }
    if (!source_principal(source, id, sizeof(id))) {
        text_copy(denied->why, sizeof(denied->why), "a source is named PRINCIPAL or PRINCIPAL/suffix");
        return false;
    }
    if (!rights_name(asker, source)) {
        *reason = "name";
        text_format(denied->why, sizeof(denied->why), "this key is %s's", asker);
        return false;
    }
    text_copy(asker, 64, id);
    const struct principal_row *row = table_get(server->taker.tables, ARCHIVE_PRINCIPALS, id);
    if (row == NULL || !row->open) {
        text_format(denied->why, sizeof(denied->why), "%s is %s", id, row == NULL ? "unknown" : "revoked");
        return false;
    }
    return true;
}

/* Its owner, if it still lives, must know: greeting again would end the newer session, and so on for ever. Only a worker that
 * is the same process still greets again: what ended its session is an earlier HELLO of its own. */
static void session_supersede(struct server *server, struct session *session, bool same_process)
{
    struct verb_denied denied = {.code = "superseded", .why = "a newer session of this source has begun"};
    bool told = session->ended;
    session_end(server, session);
    if (!told && same_process)
        server_say_error(server, &session->peer, "hello", "say HELLO first");
    else if (!told)
        server_say(server, &session->peer, "DENIED", &verb_denied_record, &denied);
}

static struct session *session_begin(struct server *server, const struct bus_peer *peer, struct source_row *source,
                                     bool same_process)
{
    struct session *session = session_find(server, peer);
    for (size_t i = 0; i < server->sessions_n; i++)
        if (server->sessions[i]->source == source && server->sessions[i] != session && !MUTATION(MUTATION_SESSION_KEPT))
            session_supersede(server, server->sessions[i], same_process);
    if (session == NULL) {
        session = memory_new(sizeof(*session));
        server->sessions = memory_grow(server->sessions, (server->sessions_n + 1) * sizeof(struct session *));
        server->sessions[server->sessions_n++] = session;
    } else {
        session_end(server, session);
    }
    *session = (struct session){.id = ++server->session_last, .peer = *peer, .source = source, .heard_us = clock_boot_us(),
                                .stored_next = 1};
    source->session = session->id;
    return session;
}

#define WORKER_WINDOWS 4

/* False: who said HELLO is gone already. */
static bool welcome(struct server *server, const struct bus_peer *peer, const struct source_row *source)
{
    /* A worker that has fallen behind concludes by the thousand, and waits for the last answer before it commits. */
    int64_t windows = source_is_worker(server, source->name) ? WORKER_WINDOWS : 1;
    struct verb_welcome verb = {.epoch = server->durable.epoch,
                                .head = (int64_t)server->durable.pos,
                                .durable = source->last,
                                .upto = source->upto,
                                .window_events = windows * APPEND_EVENTS_MAX,
                                .window_bytes = windows * APPEND_BYTES_MAX,
                                .hb_ms = HEARTBEAT_MS};
    buf_reset(&server->out);
    record_encode(&verb_welcome_record, RECORD_WHOLE, &verb, &server->out);
    return bus_send_to(server->cmd, peer, "WELCOME", buf_bytes(&server->out)) == STATUS_OK;
}

/* One that has ended, or else the one that has been silent longest, past the time in which a living one says something. */
static bool sessions_make_room(struct server *server)
{
    size_t best = server->sessions_n;
    int64_t quiet_us = clock_boot_us() - 3 * HEARTBEAT_MS * INT64_C(1000);
    for (size_t i = 0; i < server->sessions_n; i++) {
        const struct session *session = server->sessions[i], *other = best < server->sessions_n ? server->sessions[best] : NULL;
        if (!session->ended && session->heard_us > quiet_us)
            continue;
        if (other == NULL || (session->ended && !other->ended) ||
            (session->ended == other->ended && session->heard_us < other->heard_us))
            best = i;
    }
    if (best == server->sessions_n)
        return false;
    session_remove(server, best);
    return true;
}

/* One principal, however many sources it names, leaves room for the others. */
static bool principal_is_full(const struct server *server, const char *source, const struct bus_peer *peer)
{
    size_t n = 0, length = strcspn(source, "/");
    for (size_t i = 0; i < server->sessions_n; i++) {
        const struct session *session = server->sessions[i];
        const char *name = session->source->name;
        bool same_peer = session->peer.len == peer->len && memcmp(session->peer.id, peer->id, peer->len) == 0;
        n += !session->ended && !same_peer && strncmp(name, source, length) == 0 && (name[length] == '\0' || name[length] == '/');
    }
    return n >= SESSIONS_PER_PRINCIPAL;
}

/* What no session uses and is stored goes. */
static bool sources_are_full(struct server *server)
{
    if (server->sources_n >= SOURCES_MAX)
        sources_sweep(server);
    return server->sources_n >= SOURCES_MAX;
}

/* Nothing tells that a peer has gone but a word to it. An ACK of nothing is one that changes nothing; who is not there has no session
 * from then on. When all clients were cut off and come back at once, their places are needed. */
static void sessions_probe(struct server *server, int64_t boot_us)
{
    const struct verb_ack nothing = {.answers = {.n = 0}};
    if (boot_us - server->probed_us < SECOND_US)
        return;
    server->probed_us = boot_us;
    for (size_t i = 0; i < server->sessions_n; i++)
        if (!server->sessions[i]->ended)
            server_say(server, &server->sessions[i]->peer, "ACK", &verb_ack_record, &nothing);
}

/* No place for one more session of this source. */
static bool sessions_are_full(struct server *server, const char *source, const struct bus_peer *peer)
{
    bool full = server->sessions_n >= SESSIONS_MAX && session_find(server, peer) == NULL && !sessions_make_room(server);
    return full || sources_are_full(server) || principal_is_full(server, source, peer);
}

void session_on_hello(struct server *server, const struct item *item)
{
    struct verb_hello hello;
    struct verb_denied denied = {.code = "malformed"};
    struct problem problem;
    if (!record_decode(&verb_hello_record, RECORD_WHOLE, DECODE_LENIENT, item->map, NULL, &hello, &problem)) {
        text_copy(denied.why, sizeof(denied.why), problem.field);
        server_say(server, &item->peer, "DENIED", &verb_denied_record, &denied);
        return;
    }
    bool full = sessions_are_full(server, hello.source, &item->peer);
    if (full) {
        sessions_probe(server, clock_boot_us());
        full = sessions_are_full(server, hello.source, &item->peer);
    }
    if (full) {
        struct verb_busy busy = {.retry_ms = 5000, .why = "too many sessions"};
        server_say(server, &item->peer, "BUSY", &verb_busy_record, &busy);
        return;
    }
    struct source_row *source = NULL;
    char asker[64] = "";
    const char *reason = "";
    bool worker = source_is_worker(server, hello.source);
    bool known = principal_judge(server, &item->peer, hello.source, asker, &reason, &denied);
    bool let_in = known && (source = source_of(server, hello.source)) != NULL;
    if (server->lost)
        return;
    if (known && !let_in) {
        text_copy(denied.code, sizeof(denied.code), "sources");
        text_format(denied.why, sizeof(denied.why), "%d new sources within %d days: go on with one that is there", SOURCES_NEW_MAX,
                    SOURCES_NEW_DAYS);
    }
    let_in = let_in && source_judge(source, &hello, server->taker.journal.stream.stream, worker, &denied);
    if (!let_in) {
        log_warn("denied %s: %s %s", hello.source, denied.code, denied.why);
        server_say(server, &item->peer, "DENIED", &verb_denied_record, &denied);
        denial_journal(server, asker, "", known ? denied.code : reason, 1);
        return;
    }
    /* A HELLO that waited while its sender went away must not end the session that came after it. */
    if (!welcome(server, &item->peer, source))
        return;
    bool same = source->enrolled && memcmp(source->incarnation, hello.incarnation, INCARNATION_BYTES) == 0;
    if (!same) {
        memcpy(source->incarnation, hello.incarnation, INCARNATION_BYTES);
        source->enrolled = source->dirty = true;
    }
    struct session *session = session_begin(server, &item->peer, source, worker && same);
    session->stored_next = hello.first > 0 ? hello.first : 1;
    session->stored_upto = hello.first > 0 ? source->last : 0;
}

/* --- stored answers -------------------------------------------------------------------------------- */

struct stored {
    struct server *server;
    struct session *session;
    struct buf bytes;
    struct extent extents[APPEND_EVENTS_MAX];
    uint32_t n;
};

static void stored_flush(struct stored *stored)
{
    struct bytes answers[APPEND_EVENTS_MAX];
    for (uint32_t i = 0; i < stored->n; i++)
        answers[i] = bytes_of(stored->bytes.data + stored->extents[i].at, stored->extents[i].len);
    struct verb_ack ack = {.answers = {.items = answers, .n = stored->n}};
    if (stored->n > 0)
        server_say(stored->server, &stored->session->peer, "ACK", &verb_ack_record, &ack);
    stored->n = 0;
    buf_reset(&stored->bytes);
}

static void on_stored(void *owner, const struct answer *answer, struct bytes digest)
{
    struct stored *stored = owner;
    (void)digest;
    size_t from = stored->bytes.len;
    answer_encode(answer, &stored->bytes);
    stored->extents[stored->n++] = (struct extent){(uint32_t)from, (uint32_t)(stored->bytes.len - from)};
    stored->session->stored_next = answer->n + 1;
    if (stored->n == APPEND_EVENTS_MAX)
        stored_flush(stored);
}

bool sessions_have_stored(const struct server *server)
{
    for (size_t i = 0; i < server->sessions_n; i++)
        if (server->sessions[i]->stored_next <= server->sessions[i]->stored_upto)
            return true;
    return false;
}

void sessions_send_stored(struct server *server)
{
    for (size_t i = 0; i < server->sessions_n; i++) {
        struct session *session = server->sessions[i];
        if (session->ended || session->stored_next > session->stored_upto)
            continue;
        struct stored stored = {.server = server, .session = session};
        int64_t before = session->stored_next;
        enum status status = store_answers(&server->store, session->source, session->stored_next, session->stored_upto,
                                           STORED_ANSWERS_CHUNK, on_stored, &stored);
        stored_flush(&stored);
        buf_release(&stored.bytes);
        if (status != STATUS_OK) {
            server_lost(server, "stored answers", status);
            return;
        }
        if (session->stored_next == before) { /* every number up to `last` was answered: a hole is corruption */
            log_error("no stored answer for %s/%lld", session->source->name, (long long)before);
            session->stored_next = session->stored_upto + 1;
        }
    }
}

/* --- PING ------------------------------------------------------------------------------------------ */

/* The lowest upto of the stream's workers; the head when it has none. */
static int64_t workers_upto(const struct server *server)
{
    const struct stream_created *stream = &server->taker.journal.stream;
    int64_t lowest = (int64_t)server->durable.pos;
    for (uint32_t w = 0; w < stream->workers_n; w++) {
        int64_t upto = 0;
        for (size_t i = 0; i < server->sources_n; i++)
            if (text_equal(server->sources[i]->name, stream->workers[w]))
                upto = server->sources[i]->upto;
        lowest = upto < lowest && !MUTATION(MUTATION_SETTLED_EARLY) ? upto : lowest;
    }
    return lowest;
}

static void settled(struct server *server, const struct session *session)
{
    struct verb_pong pong = {
        .head = (int64_t)server->durable.pos, .now_us = server_now_us(server), .upto = workers_upto(server)};
    server_say(server, &session->peer, "PONG", &verb_pong_record, &pong);
    server->settle_session = 0;
}

void sessions_settle(struct server *server, int64_t boot_us)
{
    if (server->settle_session == 0)
        return;
    const struct session *session = session_of(server, server->settle_session);
    if (session == NULL) {
        server->settle_session = 0;
        return;
    }
    bool all = server_is_idle(server) && server->queue == NULL && workers_upto(server) >= (int64_t)server->durable.pos;
    if (all || boot_us >= server->settle_until_us)
        settled(server, session);
}

void session_on_ping(struct server *server, struct session *session, const struct item *item)
{
    struct verb_ping ping;
    struct problem problem;
    if (!record_decode(&verb_ping_record, RECORD_WHOLE, DECODE_LENIENT, item->map, NULL, &ping, &problem))
        return;
    struct source_row *source = session->source;
    if (ping.upto > source->upto) {
        source->upto = ping.upto;
        source->dirty = true; /* stored with the next batch: too low is always safe */
    }
    if (ping.applied > 0)
        source->applied = ping.applied;
    if (ping.checked_us > 0)
        source->checked_us = ping.checked_us;
    if (ping.settle && source_is_clock(server, source->name)) {
        server->settle_session = session->id;
        server->settle_until_us = clock_boot_us() + 5 * SECOND_US;
        return;
    }
    /* Behind what this session has sent before it. One says as much as many: who asks faster than commits come is owed one. */
    if (!session->pong_owed)
        flight_reply(server->building, session->id, true, 0, 0);
    session->pong_owed = true;
}
