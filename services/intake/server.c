/* Life and loop of the network thread. */
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "server_inside.h"
#include "table/mirror.h"
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>
#include <zmq.h>

#define TICK_US SECOND_US
#define CLOCK_PARTED_US MINUTE_US
#define FRAMES_PER_TURN 256
#define STAND_BY_MS 200

bool server_is_idle(const struct server *server)
{
    return server->flying == NULL && journal_batch_is_empty(&server->building->batch);
}

int64_t server_now_us(struct server *server)
{
    struct journal *journal = &server->taker.journal;
    if (server_is_idle(server)) {
        server->announced_us = journal_rec(journal, clock_wall_us());
        journal->head.rec_us = server->announced_us;
    } else if (server->durable.rec_us > server->announced_us) {
        server->announced_us = server->durable.rec_us; /* what is under way was recorded later */
    }
    return server->announced_us;
}

void server_state(struct server *server, struct intake_state *state)
{
    *state = (struct intake_state){.head = server->durable, .now_us = server_now_us(server)};
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

/* Our statement or what is stored is wrong; anything else (resources, shut-down, start-up) passes. */
static bool refused_for_good(const struct server *server, enum status status)
{
    static const char *const classes[] = {"22", "23", "42", "XX"};
    if (status == STATUS_REFUSED)
        for (size_t i = 0; i < COUNT_OF(classes); i++)
            if (text_starts(pg_sqlstate(server->store.pg), classes[i]))
                return true;
    return false;
}

void server_lost(struct server *server, const char *doing, enum status status)
{
    /* 22012: the compare-and-set of the head hit nothing. */
    bool head_lost = status == STATUS_REFUSED && text_equal(pg_sqlstate(server->store.pg), "22012");
    log_error("%s: %s", doing, head_lost ? "the head is another's" : pg_error(server->store.pg));
    server->lost = true;
    server->dead = head_lost || refused_for_good(server, status);
}

/* --- what comes in --------------------------------------------------------------------------------- */

void server_say_error(struct server *server, const struct bus_peer *peer, const char *code, const char *why)
{
    struct verb_error error = {.id = 0};
    text_copy(error.code, sizeof(error.code), code);
    text_copy(error.why, sizeof(error.why), why);
    server_say(server, peer, "ERROR", &verb_error_record, &error);
}

static void enqueue(struct server *server, enum item_kind kind, const struct bus_peer *peer, const struct session *session,
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
}

static bool item_kind_of(const char *verb, enum item_kind *kind)
{
    static const char *const verbs[] = {[ITEM_HELLO] = "HELLO", [ITEM_APPEND] = "APPEND", [ITEM_PING] = "PING"};
    for (size_t i = 0; i < COUNT_OF(verbs); i++)
        if (text_equal(verbs[i], verb)) {
            *kind = (enum item_kind)i;
            return true;
        }
    return false;
}

static void on_frame(struct server *server, const struct bus_peer *peer, const struct frame *frame)
{
    enum item_kind kind;
    if (!item_kind_of(frame->verb, &kind)) {
        metric_add(server->malformed, 1);
        server_say_error(server, peer, "unknown-verb", frame->verb);
        return;
    }
    struct session *session = session_find(server, peer);
    if (kind == ITEM_HELLO) {
        enqueue(server, kind, peer, NULL, frame);
        return;
    }
    if (session == NULL) {
        /* A peer of an earlier life, or its HELLO still waits for its turn. */
        for (const struct item *item = server->queue; item != NULL; item = item->next)
            if (item->kind == ITEM_HELLO && item->peer.len == peer->len && memcmp(item->peer.id, peer->id, peer->len) == 0)
                return;
        server_say_error(server, peer, "hello", "say HELLO first");
        return;
    }
    session->heard_us = clock_boot_us();
    if (session->ended)
        return;
    if (kind == ITEM_APPEND && server->clock_parted) {
        struct verb_busy busy = {.retry_ms = 5000, .why = "the clock was moved; a restart accepts it"};
        session->skipping = true;
        server_say(server, peer, "BUSY", &verb_busy_record, &busy);
        return;
    }
    enqueue(server, kind, peer, session, frame);
}

static void on_cmd(void *arg)
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
        if (status == STATUS_REFUSED)
            server_say_error(server, &peer, "malformed", "not [verb][map]");
    }
}

/* --- life ------------------------------------------------------------------------------------------ */

/* Everything in memory comes from the database: at the start, at takeover, after a commit whose result is not known. */
static enum status server_load(struct server *server)
{
    struct journal *journal = &server->taker.journal;
    tables_clear(server->taker.tables);
    enum status status = store_connect(&server->store);
    if (status == STATUS_OK)
        status = store_stream(&server->store, &journal->stream);
    if (status == STATUS_OK)
        status = store_take_over(&server->store, journal);
    if (status == STATUS_OK)
        status = store_partitions(&server->store, journal->head.pos);
    if (status == STATUS_OK)
        status = mirror_load(server->store.pg, server->taker.tables);
    if (status != STATUS_OK)
        return status;
    if (journal->stream.clock != CLOCK_STEPPED && journal->head.rec_us < server->announced_us)
        journal->head.rec_us = server->announced_us; /* told by this process since it was stored last */
    server->durable = journal->head;
    server->lost = false;
    server->building = &server->flights[0];
    server->flying = NULL;
    flight_reset(&server->flights[0], journal);
    flight_reset(&server->flights[1], journal);
    sessions_load_workers(server);
    server->renewed_us = clock_boot_us();
    return server->lost ? STATUS_CLOSED : STATUS_OK;
}

/* While another one holds the lease this one stands by. */
static enum status load_or_stand_by(struct server *server)
{
    bool said = false;
    enum status status;
    while ((status = server_load(server)) == STATUS_AGAIN && pg_is_connected(server->store.pg)) {
        if (!said)
            log_info("another intake holds the lease: standing by");
        said = true;
        usleep(STAND_BY_MS * 1000);
    }
    return status;
}

static bool bind_sockets(struct server *server)
{
    char error[200] = "";
    const struct settings_intake *settings = &server->config->settings->intake;
    server->cmd = bus_bind(BUS_ROUTER, settings->cmd, error, sizeof(error));
    server->live = server->cmd != NULL ? bus_bind(BUS_PUB, settings->live, error, sizeof(error)) : NULL;
    server->pair = server->live != NULL ? bus_connect(BUS_PAIR, server->config->feed_pair, error, sizeof(error)) : NULL;
    if (server->pair == NULL)
        log_error("bind: %s", error);
    return server->pair != NULL;
}

static void register_metrics(struct server *server)
{
    struct metrics *metrics = server->config->metrics;
    server->events = metric_counter(metrics, "events_total", "events journaled");
    server->refused = metric_counter(metrics, "refused_total", "events refused, idempotency repeats included");
    server->commits = metric_counter(metrics, "commits_total", "commits of the journal");
    server->fetches = metric_counter(metrics, "fetches_total", "times archive rows were fetched because they were not in memory");
    server->malformed = metric_counter(metrics, "malformed_total", "frames that are not of the protocol");
    server->reconnects = metric_counter(metrics, "reconnects_total", "times the database had to be asked what holds");
    server->batch_events = metric_gauge(metrics, "batch_events", "events in the last commit");
    server->head = metric_gauge(metrics, "head", "last position of the journal");
    server->sessions_gauge = metric_gauge(metrics, "sessions", "sources with a session");
}

struct server *server_new(const struct server_config *config)
{
    struct server *server = memory_new(sizeof(*server));
    char host[64] = "", holder[200];
    server->config = config;
    server->queue_end = &server->queue;
    server->arena = arena_new(256 * 1024);
    server->building = &server->flights[0];
    taker_init(&server->taker, config->cache_rows);
    (void)gethostname(host, sizeof(host) - 1);
    text_copy(holder, sizeof(holder), host);
    (void)text_copy_n(holder + strlen(holder), sizeof(holder) - strlen(holder), config->settings->intake.cmd,
                      strlen(config->settings->intake.cmd));
    store_init(&server->store, config->settings->intake.dsn, holder, config->settings->intake.lease_ms);
    register_metrics(server);
    enum status status = load_or_stand_by(server);
    if (status != STATUS_OK) {
        log_error("%s", status == STATUS_ABSENT ? "there is no stream yet: aftercare-intake --init NAME makes one"
                                                : pg_error(server->store.pg));
        server_destroy(&server);
        return NULL;
    }
    server->clock_gap_us = clock_wall_us() - clock_boot_us();
    server->loop = loop_new();
    if (!bind_sockets(server)) {
        server_destroy(&server);
        return NULL;
    }
    loop_socket(server->loop, server->cmd, on_cmd, server);
    metric_set(server->head, (int64_t)server->durable.pos);
    return server;
}

const char *server_stream(const struct server *server)
{
    return server->taker.journal.stream.stream;
}

void server_stop_feed(struct server *server)
{
    struct intake_state state = {.head = {.epoch = -1}};
    struct published *end = published_new(NULL, &state);
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

/* A wall clock that parts from the boot clock was set by somebody: nothing is recorded by it until a restart accepts it. */
static void watch_clock(struct server *server)
{
    if (server->taker.journal.stream.clock == CLOCK_STEPPED)
        return;
    int64_t parted_us = clock_wall_us() - clock_boot_us() - server->clock_gap_us;
    bool parted = parted_us > CLOCK_PARTED_US || parted_us < -CLOCK_PARTED_US;
    if (parted != server->clock_parted)
        log_error("the clock %s", parted ? "was moved by more than a minute: nothing is taken until a restart accepts it"
                                         : "is back");
    server->clock_parted = parted;
    metrics_health(server->config->metrics, parted ? "the clock was moved" : "");
}

/* What was said to others and stands in no batch: the lease, the time, how far workers are. */
static enum status renew(struct server *server, int64_t boot_us)
{
    struct source_row **dirty;
    size_t dirty_n = sources_dirty(server, &dirty);
    if (dirty_n == 0 && boot_us - server->renewed_us <= server->store.lease_ms * 1000 / 3)
        return STATUS_OK;
    server->renewed_us = boot_us;
    return store_renew(&server->store, &server->durable, server->taker.journal.head.rec_us, dirty, dirty_n);
}

static void housekeeping(struct server *server)
{
    int64_t boot_us = clock_boot_us();
    watch_clock(server);
    publish_head(server);
    sessions_sweep(server, boot_us);
    enum status status = STATUS_OK;
    if (server_is_idle(server) && !server->lost)
        status = renew(server, boot_us);
    if (status == STATUS_OK && server->flying == NULL)
        status = store_partitions(&server->store, server->durable.pos);
    if (status != STATUS_OK)
        server_lost(server, "housekeeping", status);
    (void)sd_notify(0, "WATCHDOG=1");
}

/* The barrier after trouble: nobody is answered from memory; everybody says HELLO again. */
static bool recover(struct server *server)
{
    int64_t wait_us = SECOND_US / 20;
    metric_add(server->reconnects, 1);
    metrics_health(server->config->metrics, "the database does not answer");
    if (server->flying != NULL)
        loop_forget(server->loop, NULL, server->flying_fd);
    /* Who is waiting for an answer need not wait for its next heartbeat to learn that it must greet again. */
    for (size_t i = 0; i < server->sessions_n; i++)
        if (!server->sessions[i]->ended)
            server_say_error(server, &server->sessions[i]->peer, "hello", "say HELLO first");
    sessions_clear(server);
    server_drop_queue(server);
    pg_disconnect(server->store.pg);
    pg_disconnect(server->store.fetch);
    for (;;) {
        enum status status = server_load(server);
        if (status == STATUS_OK)
            break;
        /* Its feed would go on telling readers of a head that is nobody's any more: it begins anew, and stands by. */
        if (status == STATUS_AGAIN && pg_is_connected(server->store.pg) && pg_is_connected(server->store.fetch)) {
            log_error("another intake has taken over");
            server->dead = true;
            return false;
        }
        if (refused_for_good(server, status) || status == STATUS_ABSENT) {
            log_error("after trouble: %s", pg_error(server->store.pg));
            server->dead = true;
            return false;
        }
        if (wait_us < 2 * SECOND_US)
            wait_us *= 2;
        /* Frames wait in the socket meanwhile: nothing may be taken. */
        loop_forget(server->loop, server->cmd, -1);
        bool go_on = loop_once(server->loop, clock_boot_us() + wait_us);
        loop_socket(server->loop, server->cmd, on_cmd, server);
        (void)sd_notify(0, "WATCHDOG=1");
        if (!go_on)
            return false;
    }
    metrics_health(server->config->metrics, "");
    log_info("the database answers again: epoch %lld, position %llu", (long long)server->durable.epoch,
             (unsigned long long)server->durable.pos);
    return true;
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
}

static int64_t deadline(const struct server *server)
{
    int64_t due_us = server->next_tick_us;
    if (server->settle_session != 0 && server->settle_until_us < due_us)
        due_us = server->settle_until_us;
    if (server->flying == NULL && (server->queue != NULL || sessions_have_stored(server)))
        due_us = 0;
    return due_us;
}

bool server_run(struct server *server)
{
    uint64_t told = 0;
    log_info("stream %s, epoch %lld, position %llu", server_stream(server), (long long)server->durable.epoch,
             (unsigned long long)server->durable.pos);
    (void)sd_notify(0, "READY=1");
    while (loop_once(server->loop, deadline(server))) {
        work(server);
        int64_t boot_us = clock_boot_us();
        sessions_settle(server, boot_us);
        bool quiet = server->flying == NULL && server->queue == NULL && told != server->durable.pos;
        if (!server->lost && (boot_us >= server->next_tick_us || quiet)) {
            if (boot_us >= server->next_tick_us) {
                server->next_tick_us = boot_us + TICK_US;
                housekeeping(server);
            } else {
                publish_head(server);
            }
            told = server->durable.pos;
        }
        arena_reset(server->arena);
        if (server->dead || (server->lost && !recover(server)))
            break;
    }
    bool fine = !server->dead;
    if (fine && !server->lost && server->flying != NULL)
        server_finish(server, clock_boot_us() + 5 * SECOND_US);
    if (fine && !server->lost && server->flying == NULL)
        store_let_go(&server->store, &server->durable);
    return fine;
}
