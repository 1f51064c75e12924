/* How the network thread begins, and begins again after trouble: what is in memory comes from the database, and from there only;
 * until this intake holds the lease it stands by. */
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "refold.h"
#include "server_inside.h"
#include "table/mirror.h"
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define STAND_BY_US (SECOND_US / 5)
#define DATABASE_AGAIN_US (SECOND_US / 2)
#define KEYS_AGAIN_US SECOND_US
#define RECOVER_US (SECOND_US / 10)
#define RECOVER_MAX_US (2 * SECOND_US)

bool server_refused_for_good(const struct server *server, enum status status)
{
    static const char *const classes[] = {"22", "23", "42", "XX"};
    if (status == STATUS_REFUSED)
        for (size_t i = 0; i < COUNT_OF(classes); i++)
            if (text_starts(pg_sqlstate(server->store.pg), classes[i]))
                return true;
    return false;
}

/* Everything in memory is read anew: at the start, at takeover, after a commit whose result is not known. */
static enum status server_load(struct server *server)
{
    struct journal *journal = &server->taker.journal;
    int64_t asked_us = 0;
    tables_clear(server->taker.tables);
    enum status status = store_connect(&server->store);
    if (status == STATUS_OK)
        status = store_stream(&server->store, &journal->stream);
    if (status == STATUS_OK) {
        asked_us = clock_boot_us();
        status = store_take_over(&server->store, journal);
    }
    if (status == STATUS_OK)
        status = store_partitions(&server->store, journal->head.pos);
    if (status == STATUS_OK)
        status = mirror_load(server->store.pg, server->taker.tables);
    if (status != STATUS_OK)
        return status;
    if (journal->stream.clock != CLOCK_STEPPED && journal->head.rec_us < server->announced_us)
        journal->head.rec_us = server->announced_us; /* told by this process since it was stored last */
    server->durable = journal->head;
    server->keys_stale = true;
    server->lost = false;
    server->building = &server->flights[0];
    server->flying = NULL;
    flight_reset(&server->flights[0], journal);
    flight_reset(&server->flights[1], journal);
    memset(server->reads, 0, sizeof(server->reads)); /* what was said of them may not stand in the journal: once more does no harm */
    server->denials_n = 0;
    sessions_load_workers(server);
    server->renewed_us = asked_us;
    return server->lost ? STATUS_CLOSED : STATUS_OK;
}

/* Of server_load: another intake holds the lease, and the database says so itself. */
static bool server_is_anothers(const struct server *server, enum status status)
{
    return status == STATUS_AGAIN && pg_is_connected(server->store.pg) && pg_is_connected(server->store.fetch);
}

static bool bind_sockets(struct server *server)
{
    char error[200] = "";
    const struct settings_intake *settings = &server->config->settings->intake;
    const struct doors *doors = server->config->entrance;
    server->cmd = doors_bind(doors, BUS_ROUTER, "cmd", settings->cmd, error, sizeof(error));
    server->live = server->cmd != NULL ? doors_bind(doors, BUS_PUB, "live", settings->live, error, sizeof(error)) : NULL;
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
    server->unkept = metric_counter(metrics, "refused_unkept_total", "of these, answered without being kept: past a source's measure of the day");
    server->commits = metric_counter(metrics, "commits_total", "commits of the journal");
    server->fetches = metric_counter(metrics, "fetches_total", "times archive rows were fetched because they were not in memory");
    server->malformed = metric_counter(metrics, "malformed_total", "frames that are not of the protocol");
    server->passed_over = metric_counter(metrics, "passed_over_total", "frames beyond what one peer may say out of turn, left unanswered");
    server->reconnects = metric_counter(metrics, "reconnects_total", "times the database had to be asked what holds");
    server->batch_events = metric_gauge(metrics, "batch_events", "events in the last commit");
    server->head = metric_gauge(metrics, "head", "last position of the journal");
    server->writer = metric_gauge(metrics, "writer", "1: this intake writes the journal; 0: it does not, or stands by");
    server->ahead = metric_gauge(metrics, "clock_ahead_seconds", "the stream's time less the clock's, where it is ahead: no time passes");
    server->sessions_gauge = metric_gauge(metrics, "sessions", "sources with a session");
}

struct server *server_new(const struct server_config *config)
{
    struct server *server = memory_new(sizeof(*server));
    char host[64] = "", holder[200];
    server->config = config;
    server->queue_end = &server->queue;
    callers_init(&server->callers);
    server->arena = arena_new(256 * 1024);
    server->building = &server->flights[0];
    taker_init(&server->taker, config->cache_rows);
    server->taker.refused_per_day = config->settings->intake.refused_per_day;
    (void)gethostname(host, sizeof(host) - 1);
    text_copy(holder, sizeof(holder), host);
    (void)text_copy_n(holder + strlen(holder), sizeof(holder) - strlen(holder), config->settings->intake.cmd,
                      strlen(config->settings->intake.cmd));
    store_init(&server->store, config->settings->intake.dsn, holder, config->settings->intake.lease_ms);
    register_metrics(server);
    server->loop = loop_new();
    return server;
}

/* --- standing by ----------------------------------------------------------------------------------- */

struct standing_by {
    bool said;
    struct tables *principals; /* its own: of what another intake writes nothing is kept for the time when this one serves */
    int64_t keys_due_us;
};

/* Who comes here is told to try the next of his endpoints. */
static void on_cmd_standing_by(void *arg)
{
    struct server *server = arg;
    struct bus_peer peer;
    struct frame frame;
    const struct verb_moved moved = {.endpoints_n = 0};
    for (int i = 0; i < FRAMES_PER_TURN; i++) {
        enum status status = bus_receive_from(server->cmd, &peer, &frame);
        if (status == STATUS_AGAIN)
            return;
        if (status == STATUS_OK)
            server_say(server, &peer, "MOVED", &verb_moved_record, &moved);
    }
}

static void feed_tell_standing_by(struct server *server)
{
    const struct intake_state state = {.standing_by = true};
    struct published *published = published_new(NULL, &state);
    if (published_send(server->pair, &published) != STATUS_OK)
        published_destroy(&published);
}

/* Who comes by a key has to pass the door to be told where to go: by the principals as the other one has them now. One of another
 * release may store them otherwise; then the door is as it was, and who comes there tries his next endpoint after a silence. */
static void keys_follow(struct server *server, struct standing_by *standing)
{
    bool worker_lost;
    if (!doors_keyed(server->config->entrance) || clock_boot_us() < standing->keys_due_us)
        return;
    standing->keys_due_us = clock_boot_us() + KEYS_AGAIN_US;
    if (standing->principals == NULL)
        standing->principals = tables_new(&archive_tables[ARCHIVE_PRINCIPALS], 1, 16);
    tables_clear(standing->principals);
    server->config->entrance->standing_by = true;
    enum status status = mirror_load(server->store.fetch, standing->principals);
    if (status == STATUS_OK && !doors_tell_keys(server->config->entrance, standing->principals, 0, &worker_lost))
        standing->keys_due_us = 0;
    if (status == STATUS_REFUSED && !standing->said)
        log_warn("the keys cannot be read: %s", pg_error(server->store.fetch));
}

/* False: its addresses are taken. */
static bool stand_by(struct server *server, struct standing_by *standing)
{
    metrics_health(server->config->metrics, ""); /* the database answers, whatever was before */
    keys_follow(server, standing);
    if (standing->said)
        return true;
    standing->said = true;
    log_info("another intake holds the lease: standing by");
    metrics_note(server->config->metrics, "standing by");
    (void)sd_notify(0, "READY=1\nSTATUS=standing by");
    if (!server->config->doors || server->cmd != NULL)
        return true;
    if (!bind_sockets(server))
        return false;
    feed_tell_standing_by(server);
    return true;
}

static void wait_for_database(struct server *server, char said[200])
{
    metrics_health(server->config->metrics, "the database does not answer");
    if (text_equal(said, pg_error(server->store.pg)))
        return;
    text_copy(said, 200, pg_error(server->store.pg));
    log_warn("the database does not answer: %s", said);
}

/* False: told to stop. */
static bool rest(struct server *server, int64_t us)
{
    int64_t until_us = clock_boot_us() + us;
    bool go_on = true;
    if (server->cmd != NULL)
        loop_socket(server->loop, server->cmd, on_cmd_standing_by, server);
    while (go_on && clock_boot_us() < until_us)
        go_on = loop_once(server->loop, until_us);
    if (server->cmd != NULL)
        loop_forget(server->loop, server->cmd, -1);
    (void)sd_notify(0, "WATCHDOG=1");
    server->stopping = !go_on;
    return go_on;
}

/* An earlier release's tables become this one's; never under another intake that serves. An archive that was defined otherwise is
 * made anew: it is the journal's fold. */
static enum status tables_update(struct server *server)
{
    struct store *store = &server->store;
    enum status status = store_connect(store);
    if (status == STATUS_OK)
        status = store_may_change(store);
    if (status == STATUS_OK)
        status = store_migrate(store);
    server->dead = status == STATUS_REFUSED && pg_sqlstate(store->pg)[0] == '\0'; /* our word, not the server's: final */
    if (status != STATUS_OK)
        return status;
    status = store_archive(store);
    if (status == STATUS_REFUSED && pg_sqlstate(store->pg)[0] == '\0') {
        log_warn("%s", pg_error(store->pg));
        status = archive_rebuild(server->config->settings, false) == 0 ? STATUS_OK : STATUS_CLOSED;
    }
    pg_disconnect(store->pg); /* what it was told for this is not for what follows */
    return status;
}

/* Up to date, then loaded. */
static enum status load_first(struct server *server, bool *updated)
{
    enum status status = *updated ? STATUS_OK : tables_update(server);
    *updated = *updated || status == STATUS_OK;
    return status == STATUS_OK ? server_load(server) : status;
}

/* Until the lease is ours. False: told in the log, or told to stop. */
static bool wait_for_lease(struct server *server, struct standing_by *standing)
{
    char said[200] = "";
    bool updated = false;
    enum status status;
    while ((status = load_first(server, &updated)) != STATUS_OK) {
        bool anothers = server_is_anothers(server, status);
        if (server->dead || status == STATUS_ABSENT || server_refused_for_good(server, status)) {
            log_error("%s", status == STATUS_ABSENT ? "there is no stream yet: aftercare-intake --init NAME makes one"
                                                    : pg_error(server->store.pg));
            return false;
        }
        if (anothers && !stand_by(server, standing))
            return false;
        if (!anothers)
            wait_for_database(server, said);
        if (!rest(server, anothers ? STAND_BY_US : DATABASE_AGAIN_US))
            return false;
    }
    return true;
}

bool server_begin(struct server *server)
{
    struct standing_by standing = {.said = false};
    bool ours = wait_for_lease(server, &standing);
    tables_destroy(&standing.principals);
    if (!ours)
        return false;
    if (server->taker.journal.stream.operator_keys_n > 0 && !doors_keyed(server->config->entrance)) {
        log_error("this stream was begun with keys, and the server's is not there (DATA/keys/server.key, or intake.key)");
        return false;
    }
    if (!clock_accept(server))
        return false;
    server->config->entrance->standing_by = false;
    server_tell_keys(server);
    if (server->cmd == NULL && !bind_sockets(server))
        return false;
    /* Who stands by leaves the socket folder to who serves. */
    doors_local(server->config->entrance, server->cmd, "cmd", server->config->settings->intake.cmd);
    doors_local(server->config->entrance, server->live, "live", server->config->settings->intake.live);
    server_watch_doors(server, true);
    server_watch_cmd(server, true);
    metrics_note(server->config->metrics, "");
    metrics_health(server->config->metrics, "");
    clock_watch(server);
    metric_set(server->writer, 1);
    metric_set(server->head, (int64_t)server->durable.pos);
    return true;
}

bool server_is_stopped(const struct server *server)
{
    return server->stopping;
}

/* --- after trouble ----------------------------------------------------------------------------------- */

/* Longer each time, until a commit stands: a database that lets itself be read and not be written to (a full disk) is not asked at
 * once again, archive and all, only because it answered. Frames, refusals and readings wait meanwhile: nothing may be taken. */
static bool recover_wait(struct server *server)
{
    bool go_on = true;
    if (server->wait_us > 0) {
        int64_t until_us = clock_boot_us() + server->wait_us;
        server_watch_cmd(server, false);
        server_watch_doors(server, false);
        while (go_on && clock_boot_us() < until_us)
            go_on = loop_once(server->loop, until_us);
        server_watch_doors(server, true);
        server_watch_cmd(server, true);
    }
    (void)sd_notify(0, "WATCHDOG=1");
    server->wait_us = server->wait_us == 0 ? RECOVER_US : 2 * server->wait_us < RECOVER_MAX_US ? 2 * server->wait_us : RECOVER_MAX_US;
    return go_on;
}

bool server_recover(struct server *server)
{
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
    server_watch_cmd(server, true); /* there is room again */
    pg_disconnect(server->store.pg);
    pg_disconnect(server->store.fetch);
    for (;;) {
        if (!recover_wait(server))
            return false;
        enum status status = server_load(server);
        if (status == STATUS_OK)
            break;
        /* Its feed would go on telling readers of a head that is nobody's any more: it begins anew, and stands by. */
        if (server_is_anothers(server, status)) {
            log_error("another intake has taken over");
            server->dead = true;
            return false;
        }
        if (server_refused_for_good(server, status) || status == STATUS_ABSENT) {
            log_error("after trouble: %s", pg_error(server->store.pg));
            server->dead = true;
            return false;
        }
    }
    metrics_health(server->config->metrics, "");
    log_info("the database answers again: epoch %lld, position %llu", (long long)server->durable.epoch,
             (unsigned long long)server->durable.pos);
    return true;
}
