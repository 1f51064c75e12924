/* Batches under way: gathering, launching, landing. */
#include "base/clock.h"
#include "base/log.h"
#include "base/mutation.h"
#include "base/text.h"
#include "server_inside.h"
#include "table/mirror.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

void flight_reset(struct flight *flight, const struct journal *journal)
{
    journal_batch_begin(&flight->batch, journal);
    buf_reset(&flight->answer_bytes);
    flight->answers_n = flight->replies_n = 0;
}

void flight_release(struct flight *flight)
{
    journal_batch_release(&flight->batch);
    buf_release(&flight->answer_bytes);
    free(flight->answers);
    free(flight->replies);
}

void flight_reply(struct flight *flight, uint64_t session, bool pong, uint32_t first, uint32_t n)
{
    if (flight->replies_n == flight->replies_cap) {
        flight->replies_cap = flight->replies_cap == 0 ? 16 : 2 * flight->replies_cap;
        flight->replies = memory_grow(flight->replies, flight->replies_cap * sizeof(*flight->replies));
    }
    flight->replies[flight->replies_n++] = (struct reply){.session = session, .pong = pong, .first = first, .n = n};
}

static void flight_answered(struct flight *flight, size_t from)
{
    if (flight->answers_n == flight->answers_cap) {
        flight->answers_cap = flight->answers_cap == 0 ? BATCH_EVENTS_MAX : 2 * flight->answers_cap;
        flight->answers = memory_grow(flight->answers, flight->answers_cap * sizeof(*flight->answers));
    }
    flight->answers[flight->answers_n++] =
        (struct extent){(uint32_t)from, (uint32_t)(flight->answer_bytes.len - from)};
}

/* --- gathering ------------------------------------------------------------------------------------- */

enum step { STEP_NEXT, STEP_WAIT };

/* The frame's map read once; its events stay where they are in the item's bytes. */
static bool item_read(struct server *server, struct item *item, struct problem *problem)
{
    if (item->events != NULL)
        return true;
    if (!record_decode(&verb_append_record, RECORD_WHOLE, DECODE_LENIENT, item->map, server->arena, &item->append, problem))
        return false;
    size_t bytes = item->append.events.n * sizeof(struct bytes);
    item->events = memory_new(bytes + 1);
    if (bytes > 0)
        memcpy(item->events, item->append.events.items, bytes);
    item->append.events.items = item->events;
    return true;
}

static void touch_item(struct server *server, struct item *item, const struct session *session, uint32_t *left)
{
    struct problem problem;
    if (session == NULL || !item_read(server, item, &problem))
        return;
    for (uint32_t i = item->taken; i < item->append.events.n && *left > 0; i++, --*left)
        taker_touch(&server->taker, session->source, item->events[i]);
}

/* Rows are missing: all that the next events need are fetched together, beside the commit that may be under way. */
bool server_fetch_rows(struct server *server)
{
    uint32_t left = BATCH_EVENTS_MAX;
    metric_add(server->fetches, 1);
    for (struct item *item = server->queue; item != NULL && left > 0; item = item->next)
        if (item->kind == ITEM_APPEND)
            touch_item(server, item, session_of(server, item->session), &left);
        else if (item->kind == ITEM_FILE)
            left -= server_touch_stored(server, item);
    enum status status = mirror_fetch(server->store.fetch, server->taker.tables);
    if (status != STATUS_OK)
        server_lost(server, "fetch", status);
    return status == STATUS_OK;
}

struct seen_before {
    struct server *server;
    struct session *session;
    const struct bytes *events;
    int64_t n;
    uint32_t first;
    bool conflict;
    int64_t conflict_n;
};

static void on_seen_before(void *owner, const struct answer *answer, struct bytes digest)
{
    struct seen_before *seen = owner;
    uint8_t now[DIGEST_BYTES];
    digest_of(seen->events[answer->n - seen->n], now);
    if (digest.len > 0 && !bytes_equal(digest, bytes_of(now, DIGEST_BYTES))) {
        if (!seen->conflict)
            seen->conflict_n = answer->n;
        seen->conflict = true;
        return;
    }
    struct flight *flight = seen->server->building;
    size_t from = flight->answer_bytes.len;
    answer_encode(answer, &flight->answer_bytes);
    flight_answered(flight, from);
}

/* Other content under a number that was answered: the source stands still until an operator has looked at it. */
static void freeze(struct server *server, struct session *session, int64_t n)
{
    struct source_frozen frozen = {.n = n};
    struct source_row *source = session->source;
    struct verb_nak nak = {.n = n, .code = "conflict", .expected = source->last + 1};
    char principal[64];
    source->frozen = source->dirty = true;
    memcpy(frozen.source, source->name, sizeof(frozen.source));
    memcpy(frozen.reason, "other content under the same number", sizeof("other content under the same number"));
    if (!source_principal(source->name, principal, sizeof(principal)))
        principal[0] = '\0';
    taker_say(&server->taker, &server->building->batch, "source.frozen", principal, &frozen, server_wall_us(server));
    server_say(server, &session->peer, "NAK", &verb_nak_record, &nak);
    session_end(server, session);
}

/* Numbers that were answered: same bytes, the stored answer again; other bytes, CONFLICT. */
static enum step answer_again(struct server *server, struct session *session, const struct verb_append *append,
                              struct item *item)
{
    if (!server_is_idle(server)) {
        server->needs_idle = true;
        return STEP_WAIT;
    }
    int64_t last = session->source->last;
    int64_t upto = append->n + append->events.n - 1 < last ? append->n + append->events.n - 1 : last;
    struct seen_before seen = {.server = server,
                               .session = session,
                               .events = append->events.items,
                               .n = append->n,
                               .first = server->building->answers_n};
    enum status status = store_answers(&server->store, session->source, append->n + item->taken, upto, APPEND_EVENTS_MAX,
                                       on_seen_before, &seen);
    if (status != STATUS_OK) {
        server_lost(server, "stored answers", status);
        return STEP_WAIT;
    }
    item->taken = (uint32_t)(upto - append->n + 1);
    flight_reply(server->building, session->id, false, seen.first, server->building->answers_n - seen.first);
    session->pong_owed = false;
    if (seen.conflict)
        freeze(server, session, seen.conflict_n);
    return STEP_NEXT;
}

static void nak_gap(struct server *server, struct session *session, int64_t n)
{
    struct verb_nak nak = {.n = n, .code = "gap", .expected = session->source->last + 1};
    if (!session->skipping)
        server_say(server, &session->peer, "NAK", &verb_nak_record, &nak);
    session->skipping = true;
}

static void upto_keep(struct source_row *source, int64_t upto)
{
    if (upto > source->upto) {
        source->upto = upto;
        source->dirty = true;
    }
}

/* A salt that nobody has had; one not used is thrown away. */
static const uint8_t *salt_next(struct server *server)
{
    if (server->salts_left == 0) {
        random_fill(server->salts, sizeof(server->salts));
        server->salts_left = COUNT_OF(server->salts);
    }
    return server->salts[--server->salts_left];
}

/* The refusal is kept with the event; that somebody tried is on record too, once an hour. */
static void denied_note(struct server *server, const struct session *session, const char *code)
{
    char principal[64];
    if (code[0] != '\0' && source_principal(session->source->name, principal, sizeof(principal)))
        denial_journal(server, principal, "", code, 1);
}

static enum step take_events(struct server *server, struct session *session, const struct verb_append *append, struct item *item)
{
    struct flight *flight = server->building;
    const struct bytes *events = append->events.items;
    uint32_t first = flight->answers_n;
    enum step step = STEP_NEXT;
    int64_t unkept = server->taker.unkept;
    while (item->taken < append->events.n && step == STEP_NEXT) {
        if (journal_batch_is_full(&flight->batch, (uint32_t)server->config->settings->intake.batch_events)) {
            step = STEP_WAIT;
            break;
        }
        size_t from = flight->answer_bytes.len;
        if (taker_take(&server->taker, &flight->batch, session->source, events[item->taken], append->n + item->taken,
                       server_wall_us(server), salt_next(server), &flight->answer_bytes) == TAKE_MISS) {
            step = server_fetch_rows(server) ? STEP_NEXT : STEP_WAIT;
            continue;
        }
        flight_answered(flight, from);
        item->taken++;
        if (server->taker.unkept > unkept)
            denied_note(server, session, "refused-measure");
        unkept = server->taker.unkept;
        denied_note(server, session, server->taker.denied);
    }
    if (flight->answers_n > first) {
        flight_reply(flight, session->id, false, first, flight->answers_n - first);
        session->pong_owed = false;
    }
    return step;
}

static enum step on_append(struct server *server, struct item *item)
{
    struct session *session = session_of(server, item->session);
    const struct verb_append *append = &item->append;
    struct problem problem;
    struct taker *taker = &server->taker;
    if (session == NULL || session->ended)
        return STEP_NEXT;
    arena_reset(server->arena);
    if (!item_read(server, item, &problem)) {
        struct verb_error error = {.code = "malformed"};
        memcpy(error.why, problem.field, sizeof(problem.field));
        server_say(server, &session->peer, "ERROR", &verb_error_record, &error);
        return STEP_NEXT;
    }
    if (session->stored_next <= session->stored_upto) { /* answers go out in order */
        server->needs_idle = true;
        return STEP_WAIT;
    }
    switch (source_place(session->source, append->n + item->taken)) {
    case PLACE_GAP:
        nak_gap(server, session, append->n);
        return STEP_NEXT;
    case PLACE_BEFORE:
        if (append->n < 1)
            return STEP_NEXT;
        if (item->taken < append->events.n && answer_again(server, session, append, item) == STEP_WAIT)
            return STEP_WAIT;
        if (session->ended)
            return STEP_NEXT;
        break;
    case PLACE_NEXT:
        break;
    }
    session->skipping = false;
    if (append->time_us != 0 && source_is_clock(server, session->source->name))
        journal_step(&taker->journal, append->time_us);
    enum step step = take_events(server, session, append, item);
    if (step == STEP_NEXT)
        upto_keep(session->source, append->upto);
    return step;
}

static void item_drop(struct server *server)
{
    struct item *item = server->queue;
    server->queue = item->next;
    if (server->queue == NULL)
        server->queue_end = &server->queue;
    struct session *session = item->session != 0 ? session_of(server, item->session) : NULL;
    server->queue_bytes -= sizeof(*item) + item->map.len;
    if (session != NULL)
        session->queued_bytes -= sizeof(*item) + item->map.len;
    free((void *)(uintptr_t)item->map.data);
    free(item->events);
    free(item);
}

void server_drop_queue(struct server *server)
{
    while (server->queue != NULL)
        item_drop(server);
}

void server_build(struct server *server)
{
    server->needs_idle = false;
    while (server->queue != NULL && !server->lost && !server->dead) {
        struct item *item = server->queue;
        struct session *session;
        switch (item->kind) {
        case ITEM_HELLO:
            if (!server_is_idle(server)) {
                server->needs_idle = true;
                return;
            }
            session_on_hello(server, item);
            break;
        case ITEM_APPEND:
            if (on_append(server, item) == STEP_WAIT)
                return;
            break;
        case ITEM_PING:
            session = session_of(server, item->session);
            if (session != NULL && !session->ended)
                session_on_ping(server, session, item);
            break;
        case ITEM_FILE:
            if (!server_say_stored(server, item))
                return;
            break;
        }
        item_drop(server);
    }
}

/* --- launching and landing ------------------------------------------------------------------------- */

static void on_pg_ready(void *arg)
{
    struct server *server = arg;
    server_poll(server);
}

size_t sources_dirty(struct server *server, struct source_row ***dirty_out)
{
    struct source_row **dirty = arena_alloc(server->arena, (server->sources_n + 1) * sizeof(struct source_row *));
    size_t n = 0;
    *dirty_out = dirty;
    for (size_t i = 0; i < server->sources_n; i++)
        if (server->sources[i]->dirty) {
            server->sources[i]->dirty = false;
            dirty[n++] = server->sources[i];
        }
    return n;
}

static void land(struct server *server, struct flight *flight);
static void publish_live(struct server *server, const struct batch *batch);
static void send_replies(struct server *server, const struct flight *flight);

/* An operator let a source in: what is in memory of it follows what the transaction stores. */
static void let_in(struct server *server, const struct batch *batch)
{
    for (uint32_t e = 0; e < batch->enrolled_n; e++)
        for (size_t i = 0; i < server->sources_n; i++) {
            struct source_row *source = server->sources[i];
            if (!text_equal(source->name, batch->enrolled[e].source))
                continue;
            memcpy(source->incarnation, batch->enrolled[e].incarnation, INCARNATION_BYTES);
            source->enrolled = !source_is_any(batch->enrolled[e].incarnation);
            source->frozen = false;
        }
}

void server_launch(struct server *server)
{
    struct flight *flight = server->building;
    if (server->flying != NULL || server->lost || server->dead)
        return;
    if (journal_batch_is_empty(&flight->batch)) {
        if (flight->replies_n > 0) /* stored answers, PONGs: there is nothing to wait for */
            land(server, flight);
        return;
    }
    /* A batch of refusals alone begins before the time that was told while there was nothing to do: what is stored never goes back. */
    flight->batch.after.rec_us = server->taker.journal.head.rec_us;
    struct source_row **dirty;
    size_t dirty_n = sources_dirty(server, &dirty);
    int64_t launched_us = clock_boot_us();
    enum status status = store_send(&server->store, &flight->batch, dirty, dirty_n, server->taker.tables);
    if (status != STATUS_OK) {
        server_lost(server, "batch", status);
        return;
    }
    let_in(server, &flight->batch);
    if (MUTATION(MUTATION_PUBLISH_EARLY))
        publish_live(server, &flight->batch);
    if (MUTATION(MUTATION_ACK_EARLY))
        send_replies(server, flight);
    server->flying = flight;
    flight->launched_us = launched_us;
    server->building = flight == &server->flights[0] ? &server->flights[1] : &server->flights[0];
    flight_reset(server->building, &server->taker.journal);
    server->flying_fd = pg_socket(server->store.pg);
    loop_fd(server->loop, server->flying_fd, on_pg_ready, server);
    server_poll(server);
}

static void send_ack(struct server *server, const struct flight *flight, const struct reply *reply, const struct session *session)
{
    struct bytes answers[APPEND_EVENTS_MAX];
    assert(reply->n <= APPEND_EVENTS_MAX);
    for (uint32_t i = 0; i < reply->n; i++) {
        struct extent extent = flight->answers[reply->first + i];
        answers[i] = bytes_of(flight->answer_bytes.data + extent.at, extent.len);
    }
    struct verb_ack ack = {.answers = {.items = answers, .n = reply->n}};
    server_say(server, &session->peer, "ACK", &verb_ack_record, &ack);
}

static void send_replies(struct server *server, const struct flight *flight)
{
    for (uint32_t i = 0; i < flight->replies_n; i++) {
        const struct reply *reply = &flight->replies[i];
        struct session *session = session_of(server, reply->session);
        if (session == NULL)
            continue;
        if (reply->pong) {
            session->pong_owed = false;
            struct verb_pong pong = {.head = (int64_t)server->durable.pos, .now_us = server_now_us(server), .upto = -1};
            server_say(server, &session->peer, "PONG", &verb_pong_record, &pong);
        } else if (!session->ended) {
            send_ack(server, flight, reply, session);
        }
    }
}

static void publish_live(struct server *server, const struct batch *batch)
{
    for (uint32_t i = 0; i < batch->entries_n; i++) {
        const struct entry *entry = &batch->entries[i];
        /* A live message that is not taken is a hole to its readers, and replay fills holes. */
        enum status status = bus_publish(server->live, entry->type, journal_batch_bytes(batch, entry->body),
                                         journal_batch_bytes(batch, entry->priv));
        (void)status;
    }
}

static void publish_feed(struct server *server, const struct batch *batch)
{
    struct intake_state state;
    server_state(server, &state);
    struct published *published = published_new(batch, &state);
    if (published_send(server->pair, &published) != STATUS_OK)
        published_destroy(&published);
}

/* The commit's own result is here: now, and not before, somebody may know. */
static void land(struct server *server, struct flight *flight)
{
    bool appended = flight->batch.entries_n > 0;
    for (uint32_t i = 0; i < flight->batch.entries_n; i++)
        server->keys_stale = server->keys_stale || text_starts(flight->batch.entries[i].type, "principal.");
    if (!journal_batch_is_empty(&flight->batch)) {
        server->durable = flight->batch.after;
        server->renewed_us = flight->launched_us;
        server->wait_us = 0;
        metric_add(server->commits, 1);
        metric_add(server->events, flight->batch.entries_n);
        metric_add(server->refused, flight->batch.refusals_n + flight->batch.unkept_n);
        metric_add(server->unkept, flight->batch.unkept_n);
        metric_set(server->batch_events, flight->batch.entries_n);
        metric_set(server->head, (int64_t)server->durable.pos);
    }
    server->flying = NULL;
    /* What is durable stays so, but the head may have gone on in another's hands while this process, or the commit, stood still. */
    if (!server_is_sure(server))
        return;
    /* The feed first: who is acknowledged and then reads there finds its event. */
    if (appended)
        publish_feed(server, &flight->batch);
    server_tell_keys(server); /* and whose key is acknowledged may come by it */
    send_replies(server, flight);
    publish_live(server, &flight->batch);
    flight_reset(flight, &server->taker.journal);
    server->flight_landed = true;
}

static void commit_ended(struct server *server, enum status status)
{
    if (status == STATUS_AGAIN)
        return;
    /* By what it was: a lost connection has no socket any more. */
    loop_forget(server->loop, NULL, server->flying_fd);
    if (status != STATUS_OK && !MUTATION(MUTATION_MEMORY_KEPT)) {
        server->flying = NULL; /* whether it landed is the database's to tell */
        server_lost(server, "commit", status);
        return;
    }
    land(server, server->flying);
}

void server_poll(struct server *server)
{
    if (server->flying != NULL)
        commit_ended(server, store_poll(&server->store));
}

void server_finish(struct server *server, int64_t until_us)
{
    if (server->flying != NULL)
        commit_ended(server, store_wait(&server->store, until_us));
}
