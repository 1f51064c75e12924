/* Life and loop of the feed thread. */
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "feed_inside.h"
#include "rights.h"
#include "sources.h"
#include "store.h"
#include "table/mirror.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define FRAMES_PER_TURN 256
#define RETRY_US (SECOND_US / 2)

void feed_say(struct feed *feed, const struct bus_peer *peer, const char *verb, const struct record *record, const void *data)
{
    buf_reset(&feed->out);
    record_encode(record, RECORD_WHOLE, data, &feed->out);
    enum status status = bus_send_to(feed->router, peer, verb, buf_bytes(&feed->out));
    struct reader_session *reader = status == STATUS_CLOSED ? reader_of(feed, peer) : NULL;
    if (reader != NULL)
        reader->gone = true;
}

void feed_error(struct feed *feed, const struct bus_peer *peer, int64_t id, const char *code, const char *why)
{
    struct verb_error error = {.id = id};
    text_copy(error.code, sizeof(error.code), code);
    text_copy(error.why, sizeof(error.why), why);
    feed_say(feed, peer, "ERROR", &verb_error_record, &error);
}

/* --- the database ---------------------------------------------------------------------------------- */

bool feed_database(struct feed *feed)
{
    if (feed->connected)
        return true;
    if (clock_boot_us() < feed->retry_us)
        return false;
    if (pg_connect(feed->pg) != STATUS_OK || pg_run(feed->pg, "SET enable_seqscan = off") != STATUS_OK) {
        feed_trouble(feed, "connect");
        return false;
    }
    feed->connected = true;
    return true;
}

void feed_trouble(struct feed *feed, const char *doing)
{
    log_warn("feed, %s: %s", doing, pg_error(feed->pg));
    pg_disconnect(feed->pg);
    pages_clear(&feed->pages);
    feed->connected = false;
    feed->retry_us = clock_boot_us() + RETRY_US;
}

static void principals_refresh(struct feed *feed)
{
    if (!feed->principals_stale || !feed_database(feed))
        return;
    tables_clear(feed->principals);
    if (mirror_load(feed->pg, feed->principals) != STATUS_OK)
        feed_trouble(feed, "principals");
    else
        feed->principals_stale = false;
}

const struct principal_row *feed_principal_named(struct feed *feed, const char *consumer)
{
    char id[64];
    principals_refresh(feed);
    return source_principal(consumer, id, sizeof(id)) ? table_get(feed->principals, 0, id) : NULL;
}

const struct principal_row *feed_principal(struct feed *feed, const struct bus_peer *peer)
{
    const struct reader_session *reader = reader_of(feed, peer);
    char id[64];
    const char *why;
    if (!feed_lets(feed, peer, id, &why))
        return NULL;
    return feed_principal_named(feed, id[0] != '\0' ? id : reader != NULL ? reader->principal : "operator");
}

bool feed_lets(struct feed *feed, const struct bus_peer *peer, char id[64], const char **why)
{
    principals_refresh(feed);
    return rights_caller(feed->principals, 0, doors_keyed(feed->doors), peer->user, id, why);
}

void feed_deny(struct feed *feed, const struct bus_peer *peer, const char *id, const char *reason, const char *code, const char *why)
{
    struct verb_denied denied = {.code = ""};
    struct access_denied record = {.count = 1};
    text_copy(denied.code, sizeof(denied.code), code);
    text_copy(denied.why, sizeof(denied.why), why);
    feed_say(feed, peer, "DENIED", &verb_denied_record, &denied);
    if (reason[0] == '\0')
        return;
    text_copy(record.principal, sizeof(record.principal), id);
    text_copy(record.code, sizeof(record.code), reason);
    doors_tell_denied(feed->doors, &record);
}

bool feed_is_sure(const struct feed *feed)
{
    return clock_boot_us() < feed->state.sure_until_us;
}

/* What is erased in the database must not come out of memory. */
static void erasure_begins(struct feed *feed)
{
    ring_clear(&feed->ring);
    pages_clear(&feed->pages);
    feed->erasing = true;
}

/* An erasure takes its time: rows that were read meanwhile may be erased the moment after. */
static void erasures_look(struct feed *feed)
{
    owned(pg_result_destroy) struct pg_result *result = NULL;
    if (!feed->erasing || feed->state.standing_by || !feed_database(feed))
        return;
    pg_args_reset(feed->args);
    if (pg_query(feed->pg,
                 "SELECT pos FROM journal WHERE type = 'personal.erased' AND pos > (SELECT coalesce(max(pos), 0) FROM erased)"
                 " UNION ALL SELECT pos FROM erased WHERE erased IS NULL LIMIT 1",
                 feed->args, &result) != STATUS_OK)
        feed_trouble(feed, "erasures");
    else
        feed->erasing = pg_rows(result) > 0;
}

/* --- what comes in --------------------------------------------------------------------------------- */

/* A block without entries whose epoch is −1 ends the thread. */
static void receive_blocks(struct feed *feed)
{
    struct published *block;
    while ((block = published_receive(feed->pair)) != NULL) {
        if (block->state.head.epoch < 0) {
            feed->stopping = true;
            published_destroy(&block);
            return;
        }
        /* One was dropped because we were behind: who may what could have changed in it, and somebody have been erased. */
        uint64_t before = block->entries_n > 0 ? block->first - 1 : block->state.head.pos;
        if (before != feed->state.head.pos) {
            feed->principals_stale = true;
            erasure_begins(feed);
            feed->next_tick_us = 0; /* looked at in this turn: at a start all readers come at once */
        }
        feed->state = block->state;
        bool erases = false;
        for (uint32_t i = 0; i < block->entries_n; i++)
            if (text_starts(block->entries[i].type, "principal."))
                feed->principals_stale = true;
            else if (text_equal(block->entries[i].type, "personal.erased"))
                erases = true;
        if (erases) /* itself not kept either: what is erased may stand in it before the order */
            erasure_begins(feed);
        if (block->entries_n > 0 && !erases)
            ring_add(&feed->ring, &block);
        else
            published_destroy(&block);
    }
}

/* Who may not speak any more is told so, and its reading ends. */
static bool peer_let(struct feed *feed, const struct bus_peer *peer)
{
    char id[64];
    const char *why;
    if (feed_lets(feed, peer, id, &why))
        return true;
    if (feed->principals_stale) { /* who may is not known now: no reason to send anybody away for good */
        feed_error(feed, peer, 0, "database", "the principals cannot be read now");
        return false;
    }
    struct reader_session *reader = reader_of(feed, peer);
    if (reader != NULL)
        reader->gone = true;
    feed_deny(feed, peer, id, why, "principal", why);
    return false;
}

static void on_frame(struct feed *feed, const struct bus_peer *peer, const struct frame *frame)
{
    const struct verb_moved moved = {.endpoints_n = 0};
    if (feed->state.standing_by)
        feed_say(feed, peer, "MOVED", &verb_moved_record, &moved);
    else if (!peer_let(feed, peer))
        return;
    else if (text_equal(frame->verb, "CREDIT"))
        reader_on_credit(feed, peer, frame);
    else if (text_equal(frame->verb, "OPEN"))
        reader_on_open(feed, peer, frame);
    else if (text_equal(frame->verb, "CLOSE"))
        reader_on_close(feed, peer);
    else if (text_equal(frame->verb, "ASK"))
        ask_on_ask(feed, peer, frame);
    else if (text_equal(frame->verb, "GET"))
        getter_on_get(feed, peer, frame);
    else if (text_equal(frame->verb, "SERVE"))
        ask_on_serve(feed, peer, frame);
    else if (text_equal(frame->verb, "ANSWER") || text_equal(frame->verb, "ERROR"))
        ask_on_answer(feed, peer, frame, frame->verb[0] == 'E');
    else if (caller_may(&feed->callers, peer, clock_boot_us()))
        feed_error(feed, peer, 0, "unknown-verb", frame->verb);
}

static void receive_frames(struct feed *feed)
{
    struct bus_peer peer = {0};
    struct frame frame;
    for (int i = 0; i < FRAMES_PER_TURN; i++) {
        enum status status = bus_receive_from(feed->router, &peer, &frame);
        receive_blocks(feed); /* what its sender knows to be acknowledged is known here first */
        if (status == STATUS_OK)
            on_frame(feed, &peer, &frame);
        else if (status != STATUS_REFUSED)
            return;
        else if (peer.len > 0 && caller_may(&feed->callers, &peer, clock_boot_us()))
            feed_error(feed, &peer, 0, "malformed", "not [verb][map]");
    }
}

static void *feed_run(void *arg)
{
    struct feed *feed = arg;
    bool more = false;
    while (!feed->stopping) {
        int64_t now_us = clock_boot_us();
        int64_t due_us = ask_deadline_us(feed) < feed->next_tick_us ? ask_deadline_us(feed) : feed->next_tick_us;
        bool known = feed->state.head.pos > 0;
        int64_t wait_ms = !known ? 1000 : more || due_us <= now_us ? 0 : (due_us - now_us + 999) / 1000;
        zmq_pollitem_t items[] = {{.socket = bus_raw(feed->pair), .events = ZMQ_POLLIN},
                                  {.socket = bus_raw(feed->router), .events = ZMQ_POLLIN},
                                  {.socket = feed->shelf != NULL ? bus_raw(feed->shelf) : NULL, .events = ZMQ_POLLIN}};
        const int sockets_n = feed->shelf != NULL ? 3 : 2;
        /* Readers are let in when the head is known; while another intake serves they are sent there. */
        if (zmq_poll(items, known || feed->state.standing_by ? sockets_n : 1, (long)wait_ms) < 0 && errno != EINTR)
            break;
        receive_blocks(feed);
        if (feed->state.standing_by)
            receive_frames(feed);
        if (!known)
            continue;
        if (!feed->local && !feed->state.standing_by)
            doors_local(feed->doors, feed->router, "feed", feed->doors->settings->intake.feed);
        feed->local = feed->local || !feed->state.standing_by;
        receive_frames(feed);
        getters_answer(feed);
        more = readers_turn(feed);
        if (more && !feed->connected && clock_boot_us() < feed->retry_us)
            more = false; /* the next tick tries again */
        now_us = clock_boot_us();
        ask_tick(feed, now_us);
        if (now_us >= feed->next_tick_us) {
            feed->next_tick_us = now_us + SECOND_US;
            readers_tell_head(feed);
            pages_age(&feed->pages, now_us);
            erasures_look(feed);
        }
    }
    return NULL;
}

/* --- life ------------------------------------------------------------------------------------------ */

static void feed_free(struct feed *feed)
{
    bus_close(&feed->router);
    bus_close(&feed->pair);
    getters_release(feed);
    for (size_t i = 0; i < feed->readers_n; i++)
        free(feed->readers[i]);
    ask_release(feed);
    callers_release(&feed->callers);
    ring_release(&feed->ring);
    pages_clear(&feed->pages);
    tables_destroy(&feed->principals);
    pg_destroy(&feed->pg);
    pg_args_destroy(&feed->args);
    arena_destroy(&feed->arena);
    buf_release(&feed->out);
    buf_release(&feed->rows);
    buf_release(&feed->deliveries);
    free(feed->slices);
    free(feed);
}

struct feed *feed_start(const struct doors *doors, const char *pair, const char *shelf, struct metrics *metrics)
{
    struct feed *feed = memory_new(sizeof(*feed));
    char error[200] = "";
    const struct settings *settings = doors->settings;
    feed->doors = doors;
    feed->metrics = metrics;
    callers_init(&feed->callers);
    feed->pg = pg_new(settings->intake.dsn, STORE_SCHEMA);
    feed->args = pg_args_new();
    feed->principals = tables_new(&archive_tables[ARCHIVE_PRINCIPALS], 1, 16);
    feed->principals_stale = true;
    feed->arena = arena_new(64 * 1024);
    feed->slices = memory_new(EVENTS_PER_BATCH * sizeof(struct bytes));
    ring_init(&feed->ring, RING_BYTES);
    feed->pages.bytes_max = PAGES_BYTES;
    feed->rows_most = QUERY_ROWS_MAX;
    feed->sent = metric_counter(metrics, "feed_events_total", "events sent to readers");
    feed->replayed = metric_counter(metrics, "feed_rows_total", "rows read from the database for readers");
    feed->queries = metric_counter(metrics, "feed_queries_total", "queries asked of the database for rows");
    feed->readers_gauge = metric_gauge(metrics, "feed_readers", "readers with a session");
    /* Opened here, where an error can be told, and handed over to the thread that is about to begin. */
    feed->pair = bus_bind(BUS_PAIR, pair, error, sizeof(error));
    feed->router = feed->pair != NULL ? doors_bind(doors, BUS_ROUTER, "feed", settings->intake.feed, error, sizeof(error)) : NULL;
    if (feed->router != NULL && shelf != NULL)
        feed->shelf = bus_connect(BUS_PAIR, shelf, error, sizeof(error));
    if (feed->router == NULL || pthread_create(&feed->thread, NULL, feed_run, feed) != 0) {
        log_error("feed %s: %s", settings->intake.feed, error);
        feed_free(feed);
        return NULL;
    }
    return feed;
}

void feed_stop(struct feed **feed_p)
{
    if (*feed_p == NULL)
        return;
    (void)pthread_join((*feed_p)->thread, NULL);
    feed_free(*feed_p);
    *feed_p = NULL;
}
