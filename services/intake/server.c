/* Life and loop of the network thread. */
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "readings.h"
#include "server_inside.h"
#include "worker/reference.h"
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>
#include <zmq.h>

#define TICK_US SECOND_US
#define REOPEN_US 5000 /* until an address is free again */

bool server_is_idle(const struct server *server)
{
    return server->flying == NULL && journal_batch_is_empty(&server->building->batch);
}

static bool within_lease(const struct server *server, int64_t boot_us)
{
    return boot_us - server->renewed_us < server->store.lease_ms * 1000;
}

int64_t server_now_us(struct server *server)
{
    struct journal *journal = &server->taker.journal;
    int64_t wall_us = server_wall_us(server);
    /* The clocks in this order: a process that was stopped between them does not say a time at which another one may write. */
    bool sure = within_lease(server, clock_boot_us());
    if (server_is_idle(server) && sure) {
        server->announced_us = journal_rec(journal, wall_us);
        journal->head.rec_us = server->announced_us;
    } else if (server->durable.rec_us > server->announced_us) {
        server->announced_us = server->durable.rec_us; /* what is under way was recorded later */
    }
    return server->announced_us;
}

void server_state(struct server *server, struct intake_state *state)
{
    *state = (struct intake_state){.head = server->durable, .now_us = server_now_us(server)};
    state->sure_until_us = server->renewed_us + server->store.lease_ms * 1000;
    const struct policy *policy = reference_policy(server->taker.tables, "");
    state->reads_recorded = policy != NULL && policy->reads_recorded;
    text_copy(state->stream, sizeof(state->stream), server_stream(server));
    state->refused = metric_value(server->refused);
    state->sessions = (int64_t)server->sessions_n;
    state->table_bytes = (int64_t)tables_bytes(server->taker.tables);
    state->open_rows = (int64_t)(tables_rows(server->taker.tables, ARCHIVE_TICKETS) +
                                 tables_rows(server->taker.tables, ARCHIVE_JOBS));
    const struct stream_created *stream = &server->taker.journal.stream;
    for (uint32_t w = 0; w < stream->workers_n && w < PUBLISHED_WORKERS_MAX; w++) {
        struct worker_state *worker = &state->workers[state->workers_n++];
        text_copy(worker->name, sizeof(worker->name), stream->workers[w]);
        for (size_t i = 0; i < server->sources_n; i++) {
            const struct source_row *source = server->sources[i];
            if (!text_equal(source->name, worker->name))
                continue;
            worker->upto = source->upto;
            worker->applied = source->applied;
            worker->checked_us = source->checked_us;
        }
    }
}

void server_say(struct server *server, const struct bus_peer *peer, const char *verb, const struct record *record,
                const void *data)
{
    buf_reset(&server->out);
    record_encode(record, RECORD_WHOLE, data, &server->out);
    switch (bus_send_to(server->cmd, peer, verb, buf_bytes(&server->out))) {
    case STATUS_OK:
        return;
    case STATUS_AGAIN:
    case STATUS_FULL:
        /* It does not read. What it misses it learns after its next HELLO. */
    case STATUS_CLOSED:
    case STATUS_DOUBT:
    case STATUS_ABSENT:
    case STATUS_REFUSED: {
        struct session *session = session_find(server, peer);
        if (session != NULL)
            session_end(server, session);
        return;
    }
    }
}

void server_lost(struct server *server, const char *doing, enum status status)
{
    /* 22012: the compare-and-set of the head hit nothing. */
    bool head_lost = status == STATUS_REFUSED && text_equal(pg_sqlstate(server->store.pg), "22012");
    log_error("%s: %s", doing, head_lost ? "the head is another's" : pg_error(server->store.pg));
    server->lost = true;
    server->dead = head_lost || server_refused_for_good(server, status);
}

/* --- what comes in --------------------------------------------------------------------------------- */

void server_say_error(struct server *server, const struct bus_peer *peer, const char *code, const char *why)
{
    struct verb_error error = {.id = 0};
    text_copy(error.code, sizeof(error.code), code);
    text_copy(error.why, sizeof(error.why), why);
    server_say(server, peer, "ERROR", &verb_error_record, &error);
}

static void enqueue(struct server *server, enum item_kind kind, const struct bus_peer *peer, struct session *session,
                    const struct frame *frame)
{
    struct item *item = memory_new(sizeof(*item));
    uint8_t *copy = memory_new(frame->map.len + 1);
    memcpy(copy, frame->map.data, frame->map.len);
    item->kind = kind;
    item->peer = *peer;
    item->session = session != NULL ? session->id : 0;
    item->map = bytes_of(copy, frame->map.len);
    *server->queue_end = item;
    server->queue_end = &item->next;
    server->queue_bytes += sizeof(*item) + frame->map.len;
    if (session != NULL)
        session->queued_bytes += sizeof(*item) + frame->map.len;
}

/* What is out of turn: each peer has a measure of it, and beyond it is not heard. */
static bool is_heard(struct server *server, const struct bus_peer *peer)
{
    if (caller_may(&server->callers, peer, clock_boot_us()))
        return true;
    metric_add(server->passed_over, 1);
    return false;
}

static void say_busy(struct server *server, struct session *session, int64_t retry_ms, const char *why)
{
    struct verb_busy busy = {.retry_ms = retry_ms};
    bool told = session->skipping;
    text_copy(busy.why, sizeof(busy.why), why);
    session->skipping = true;
    if (!told || is_heard(server, &session->peer))
        server_say(server, &session->peer, "BUSY", &verb_busy_record, &busy);
}

static bool item_kind_of(const char *verb, enum item_kind *kind)
{
    static const char *const verbs[] = {[ITEM_HELLO] = "HELLO", [ITEM_APPEND] = "APPEND", [ITEM_PING] = "PING", [ITEM_FILE] = "PUT"};
    for (size_t i = 0; i < COUNT_OF(verbs); i++)
        if (text_equal(verbs[i], verb)) {
            *kind = (enum item_kind)i;
            return true;
        }
    return false;
}

static bool peer_let(struct server *server, const struct bus_peer *peer, struct session *session)
{
    const char *why = peer_refused(server, peer, session);
    if (why != NULL)
        session_deny(server, peer, session, why);
    return why == NULL;
}

static void on_frame(struct server *server, const struct bus_peer *peer, const struct frame *frame)
{
    enum item_kind kind;
    if (!item_kind_of(frame->verb, &kind)) {
        metric_add(server->malformed, 1);
        if (is_heard(server, peer))
            server_say_error(server, peer, "unknown-verb", frame->verb);
        return;
    }
    struct session *session = session_find(server, peer);
    if (kind == ITEM_HELLO) {
        if (is_heard(server, peer) && peer_let(server, peer, session))
            enqueue(server, kind, peer, NULL, frame);
        return;
    }
    if (session == NULL && !is_heard(server, peer))
        return;
    if (session == NULL) {
        /* A peer of an earlier life, or its HELLO still waits for its turn. */
        for (const struct item *item = server->queue; item != NULL; item = item->next)
            if (item->kind == ITEM_HELLO && item->peer.len == peer->len && memcmp(item->peer.id, peer->id, peer->len) == 0)
                return;
        server_say_error(server, peer, "hello", "say HELLO first");
        return;
    }
    session->heard_us = clock_boot_us();
    if (session->ended || !peer_let(server, peer, session))
        return;
    if (kind == ITEM_APPEND && server->clock_parted) {
        say_busy(server, session, 5000, "the clock was moved; a restart accepts it");
        return;
    }
    if (kind == ITEM_FILE) {
        session_on_put(server, session, frame);
        return;
    }
    if (session->queued_bytes + frame->map.len > SESSION_QUEUE_BYTES_MAX) {
        say_busy(server, session, 200, "more at once than WELCOME's window allows");
        return;
    }
    enqueue(server, kind, peer, session, frame);
}

void server_on_cmd(void *arg)
{
    struct server *server = arg;
    struct bus_peer peer;
    struct frame frame;
    for (int i = 0; i < FRAMES_PER_TURN && server->queue_bytes < QUEUE_BYTES_MAX; i++) {
        enum status status = bus_receive_from(server->cmd, &peer, &frame);
        if (status == STATUS_AGAIN)
            return;
        if (status == STATUS_OK) {
            on_frame(server, &peer, &frame);
            continue;
        }
        metric_add(server->malformed, 1);
        if (status == STATUS_REFUSED && is_heard(server, &peer))
            server_say_error(server, &peer, "malformed", "not [verb][map]");
    }
    if (server->queue_bytes >= QUEUE_BYTES_MAX)
        server_watch_cmd(server, false); /* the rest, PINGs too, waits as long as the commit takes */
}

void server_watch_cmd(struct server *server, bool watch)
{
    if (watch && !server->cmd_watched)
        loop_socket(server->loop, server->cmd, server_on_cmd, server);
    else if (!watch && server->cmd_watched)
        loop_forget(server->loop, server->cmd, -1);
    server->cmd_watched = watch;
}

static bool batch_is_full(const struct server *server)
{
    return journal_batch_is_full(&server->building->batch, (uint32_t)server->config->settings->intake.batch_events);
}

/* Whom the door or the feed turned away, and what was read. */
static void on_denied(void *arg)
{
    struct server *server = arg;
    struct access_denied denied;
    struct reading reading;
    /* The rest waits for the next batch, and for better times. */
    while (!server->lost && !server->dead && !batch_is_full(server))
        if (doors_hear_denied(server->config->entrance, &denied))
            denial_journal(server, denied.principal, denied.address, denied.code, denied.count);
        else if (doors_hear_read(server->config->entrance, &reading))
            reading_journal(server, &reading);
        else
            return;
    server_watch_doors(server, false); /* nobody looks at what he cannot take */
}

void server_watch_doors(struct server *server, bool watch)
{
    if (watch && !server->doors_watched)
        doors_watch(server->config->entrance, server->loop, on_denied, server);
    else if (!watch && server->doors_watched)
        doors_unwatch(server->config->entrance, server->loop);
    server->doors_watched = watch;
}

void server_tell_keys(struct server *server)
{
    bool worker_lost = false;
    if (!server->keys_stale || server->lost)
        return;
    server->keys_stale = !doors_tell_keys(server->config->entrance, server->taker.tables, ARCHIVE_PRINCIPALS, &worker_lost);
    server->live_reopen = server->live_reopen || worker_lost;
}

/* A connection outlives its key: whose key is no longer a worker's is cut off with the others, who come again and replay. */
static void reopen_live(struct server *server)
{
    if (!server->live_reopen)
        return;
    enum status status = doors_reopen(server->config->entrance, server->live, "live", server->config->settings->intake.live,
                                      &server->live_shut);
    if (status == STATUS_AGAIN)
        return;
    if (status != STATUS_OK)
        log_error("live %s cannot be opened again", server->config->settings->intake.live);
    server->live_shut = server->live_reopen = false;
}

/* --- life ------------------------------------------------------------------------------------------ */

const char *server_stream(const struct server *server)
{
    return server->taker.journal.stream.stream;
}

void server_stop_feed(struct server *server)
{
    struct intake_state state = {.head = {.epoch = -1}};
    struct published *end;
    char error[200];
    if (server->pair == NULL) /* it never served: only for this word */
        server->pair = bus_connect(BUS_PAIR, server->config->feed_pair, error, sizeof(error));
    if (server->pair == NULL)
        log_fatal("the feed cannot be told to end: %s", error);
    end = published_new(NULL, &state);
    while (published_send(server->pair, &end) != STATUS_OK) { /* the feed thread is emptying the pair */
        zmq_pollitem_t room = {.socket = bus_raw(server->pair), .events = ZMQ_POLLOUT};
        (void)zmq_poll(&room, 1, 1000);
    }
}

void server_destroy(struct server **server_p)
{
    struct server *server = *server_p;
    if (server == NULL)
        return;
    server_drop_queue(server);
    callers_release(&server->callers);
    sessions_clear(server);
    bus_close(&server->cmd);
    bus_close(&server->live);
    bus_close(&server->pair);
    if (server->loop != NULL)
        loop_destroy(&server->loop);
    store_release(&server->store);
    taker_release(&server->taker);
    flight_release(&server->flights[0]);
    flight_release(&server->flights[1]);
    free(server->sessions);
    free(server->sources);
    buf_release(&server->out);
    arena_destroy(&server->arena);
    free(server);
    *server_p = NULL;
}

/* --- each second ----------------------------------------------------------------------------------- */

static void publish_head(struct server *server)
{
    struct verb_head head = {.epoch = server->durable.epoch, .head = (int64_t)server->durable.pos, .now_us = server_now_us(server)};
    memcpy(head.link, server->durable.link, LINK_BYTES);
    buf_reset(&server->out);
    record_encode(&verb_head_record, RECORD_WHOLE, &head, &server->out);
    enum status status = bus_publish(server->live, "~head", buf_bytes(&server->out), bytes_of(NULL, 0));
    (void)status; /* the next one is a second away */
    struct intake_state state;
    server_state(server, &state);
    struct published *published = published_new(NULL, &state);
    if (published_send(server->pair, &published) != STATUS_OK)
        published_destroy(&published);
}

bool server_is_sure(struct server *server)
{
    int64_t boot_us = clock_boot_us();
    if (within_lease(server, boot_us))
        return true;
    enum status status = store_renew(&server->store, &server->durable, server->durable.rec_us, NULL, 0);
    if (status != STATUS_OK) {
        server_lost(server, "the lease had run out", status);
        return false;
    }
    server->renewed_us = boot_us;
    return true;
}

/* What was said to others and stands in no batch: the lease, the time, how far workers are. */
static enum status renew(struct server *server, int64_t boot_us)
{
    struct source_row **dirty;
    size_t dirty_n = sources_dirty(server, &dirty);
    if (dirty_n == 0 && boot_us - server->renewed_us < server->store.lease_ms * 1000 / 3)
        return STATUS_OK;
    server->renewed_us = boot_us;
    return store_renew(&server->store, &server->durable, server->taker.journal.head.rec_us, dirty, dirty_n);
}

static void housekeeping(struct server *server)
{
    int64_t boot_us = clock_boot_us();
    server_tell_keys(server);
    clock_watch(server);
    enum status status = STATUS_OK;
    if (server_is_idle(server) && !server->lost)
        status = renew(server, boot_us);
    if (status == STATUS_OK)
        publish_head(server);
    sessions_sweep(server, boot_us);
    if (status == STATUS_OK && server->flying == NULL)
        status = store_partitions(&server->store, server->durable.pos);
    if (status != STATUS_OK)
        server_lost(server, "housekeeping", status);
    (void)sd_notify(0, "WATCHDOG=1");
}

static void work(struct server *server)
{
    do {
        server->flight_landed = false;
        if (server_is_idle(server) && sessions_have_stored(server))
            sessions_send_stored(server);
        server_build(server);
        server_launch(server);
        server_poll(server);
    } while (server->flight_landed && !server->lost);
    if (!server->lost && !batch_is_full(server))
        server_watch_doors(server, true);
    if (!server->lost && server->queue_bytes < QUEUE_BYTES_MAX)
        server_watch_cmd(server, true);
}

/* Often enough that the lease does not run out between two looks at it. */
static int64_t tick_us(const struct server *server)
{
    int64_t third_us = server->store.lease_ms * 1000 / 3;
    return third_us < TICK_US ? third_us : TICK_US;
}

static int64_t deadline(const struct server *server)
{
    int64_t due_us = server->next_tick_us;
    if (server->settle_session != 0 && server->settle_until_us < due_us)
        due_us = server->settle_until_us;
    if (server->live_reopen && clock_boot_us() + REOPEN_US < due_us)
        due_us = clock_boot_us() + REOPEN_US;
    if (server->flying == NULL && (server->queue != NULL || sessions_have_stored(server)))
        due_us = 0;
    return due_us;
}

bool server_run(struct server *server)
{
    uint64_t told = 0;
    log_info("stream %s, epoch %lld, position %llu", server_stream(server), (long long)server->durable.epoch,
             (unsigned long long)server->durable.pos);
    (void)sd_notify(0, "READY=1\nSTATUS=serves");
    server_open_shelf(server);
    while (loop_once(server->loop, deadline(server))) {
        if (server->flying != NULL || server_is_sure(server))
            work(server);
        reopen_live(server);
        int64_t boot_us = clock_boot_us();
        if (!server->lost)
            sessions_settle(server, boot_us);
        bool quiet = server->flying == NULL && server->queue == NULL && told != server->durable.pos;
        if (!server->lost && (boot_us >= server->next_tick_us || quiet)) {
            if (boot_us >= server->next_tick_us) {
                server->next_tick_us = boot_us + tick_us(server);
                housekeeping(server);
            } else {
                publish_head(server);
            }
            told = server->durable.pos;
        }
        arena_reset(server->arena);
        if (server->dead || (server->lost && !server_recover(server)))
            break;
    }
    bool fine = !server->dead;
    server_close_shelf(server);
    if (fine && !server->lost && server->flying != NULL)
        server_finish(server, clock_boot_us() + 5 * SECOND_US);
    if (fine && !server->lost && server->flying == NULL)
        store_let_go(&server->store, &server->durable);
    return fine;
}
