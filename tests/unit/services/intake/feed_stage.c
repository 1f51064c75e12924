#include "feed_stage.h"

#include "base/clock.h"
#include "base/text.h"
#include "readings.h"
#include "record/pack.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TURNS_MAX 100000

struct stage stage;
static struct principal_row principals[STAGE_PRINCIPALS];
static int64_t args[4];
static int args_n;
static struct published *newest; /* NULL: nothing is in memory */

/* --- the rest of the feed -------------------------------------------------------------------------- */

static void told(const char *verb, const char *code)
{
    text_copy(stage.said, sizeof(stage.said), verb);
    text_copy(stage.code, sizeof(stage.code), code);
    stage.said_n++;
}

static uint32_t number_of(const struct bus_peer *peer)
{
    return (uint32_t)peer->id[1] << 24 | (uint32_t)peer->id[2] << 16 | (uint32_t)peer->id[3] << 8 | peer->id[4];
}

void feed_say(struct feed *feed, const struct bus_peer *peer, const char *verb, const struct record *record, const void *data)
{
    uint32_t i = number_of(peer);
    struct reader_session *reader = reader_of(feed, peer);
    (void)record;
    if (i >= stage.gone_from && i < stage.gone_to) {
        if (reader != NULL)
            reader->gone = true;
        return;
    }
    told(verb, text_equal(verb, "DENIED") ? ((const struct verb_denied *)data)->code : "");
}

void feed_deny(struct feed *feed, const struct bus_peer *peer, const char *id, const char *reason, const char *code, const char *why)
{
    (void)feed;
    (void)peer;
    (void)id;
    (void)reason;
    (void)why;
    told("DENIED", code);
}

void feed_error(struct feed *feed, const struct bus_peer *peer, int64_t id, const char *code, const char *why)
{
    (void)feed;
    (void)peer;
    (void)id;
    (void)why;
    told("ERROR", code);
}

bool feed_lets(struct feed *feed, const struct bus_peer *peer, char id[64], const char **why)
{
    (void)feed;
    (void)peer;
    *why = "";
    id[0] = '\0';
    return true;
}

bool feed_database(struct feed *feed)
{
    return clock_boot_us() >= feed->retry_us;
}

void feed_trouble(struct feed *feed, const char *doing)
{
    (void)feed;
    (void)doing;
    fail();
}

bool feed_is_sure(const struct feed *feed)
{
    (void)feed;
    return true;
}

const struct principal_row *feed_principal_named(struct feed *feed, const char *consumer)
{
    feed->principals_stale = !stage.principals_known;
    for (size_t i = 0; i < COUNT_OF(principals) && stage.principals_known; i++)
        if (text_equal(principals[i].id, consumer))
            return &principals[i];
    return NULL;
}

const struct principal_row *feed_principal(struct feed *feed, const struct bus_peer *peer)
{
    (void)peer;
    return feed_principal_named(feed, "a");
}

void doors_tell_denied(const struct doors *doors, const struct access_denied *denied)
{
    (void)doors;
    (void)denied;
}

void reading_opened(struct feed *feed, const struct principal_row *principal, struct verb_open *open)
{
    (void)feed;
    (void)principal;
    (void)open;
}

void own_answer(struct feed *feed, const struct asked *asked)
{
    feed_say(feed, &asked->asker, "ANSWER", NULL, NULL);
}

/* --- PostgreSQL: rows args[0]+1 … args[1], none larger than args[2], at most args[3] ------------------ */

struct row {
    int64_t pos;
    uint8_t *body; /* NULL: too large */
    size_t len;
};
struct pg_result {
    struct row *rows;
    int n;
    size_t bytes;
};
static struct body {
    uint32_t size;
    bool wanted;
    struct buf out;
} bodies[8];
static size_t bodies_n;

static bool wanted(uint64_t pos)
{
    return stage.is_wanted == NULL || stage.is_wanted(pos);
}

/* An event so large that can be read. */
static const struct body *body_of(uint64_t pos)
{
    uint32_t size = stage.size != NULL ? stage.size(pos) : STAGE_BODY_BYTES;
    bool is = wanted(pos);
    size_t i = 0;
    while (i < bodies_n && (bodies[i].size != size || bodies[i].wanted != is))
        i++;
    if (i < bodies_n)
        return &bodies[i];
    assert_true(i < COUNT_OF(bodies));
    struct body *body = &bodies[bodies_n++];
    static const uint8_t filling[EVENT_BYTES_MAX];
    struct event event = {.pos = 1, .v = 1, .n = 1, .at_us = 1, .rec_us = 1, .id = "i", .from = "f", .by = "b"};
    struct buf data = {0};
    *body = (struct body){.size = size, .wanted = is};
    text_copy(event.type, sizeof(event.type), is ? STAGE_TYPE : "job.assigned");
    text_copy(event.key, sizeof(event.key), is ? STAGE_KEY : "BOS-8");
    text_copy(event.region, sizeof(event.region), is ? STAGE_REGION : "BJ");
    for (size_t fill = 0; body->out.len < size; fill += body->out.len < size ? size - body->out.len : 1) {
        buf_reset(&data);
        buf_reset(&body->out);
        pack_map(&data, 1);
        pack_text(&data, "x");
        pack_bin(&data, bytes_of(filling, fill));
        event.data = buf_bytes(&data);
        event_encode(&event, &body->out);
    }
    assert_in_range(body->out.len, size, size + 8);
    buf_release(&data);
    return body;
}

static void row_add(struct pg_result *result, uint64_t pos, bool with_body)
{
    const struct body *body = body_of(pos);
    if ((result->n & (result->n - 1)) == 0) /* a power of two: full */
        result->rows = memory_grow(result->rows, 2 * ((size_t)result->n + 1) * sizeof(*result->rows));
    struct row *row = &result->rows[result->n++];
    *row = (struct row){.pos = (int64_t)pos, .len = body->out.len};
    if (with_body) {
        row->body = memory_new(row->len);
        memcpy(row->body, body->out.data, row->len);
        result->bytes += row->len;
    }
}

void pg_args_reset(struct pg_args *all)
{
    (void)all;
    args_n = 0;
}
void pg_arg_int(struct pg_args *all, int64_t value)
{
    (void)all;
    args[args_n++] = value;
}
enum status pg_query(struct pg *pg, const char *sql, const struct pg_args *all, struct pg_result **out)
{
    (void)pg;
    (void)all;
    struct pg_result *result = *out = memory_new(sizeof(*result));
    if (text_starts(sql, "SELECT link FROM journal")) {
        if (stage.link_there)
            row_add(result, (uint64_t)args[0], true);
    } else {
        bool by_type = strstr(sql, "LIKE ANY") != NULL, by_key = strstr(sql, "unnest(") != NULL, filtered = by_type || by_key;
        assert_int_equal(args_n, filtered ? 4 : 3);
        uint64_t upto = (uint64_t)args[1], pos = (uint64_t)args[0] + 1;
        for (; pos <= upto && (!filtered || result->n < args[3]); pos++) {
            if (pos == stage.hole || (filtered && pos < upto && !wanted(pos)))
                continue;
            bool fits = (int64_t)body_of(pos)->out.len <= args[2];
            if (filtered || fits)
                row_add(result, pos, fits);
        }
        stage.queries++;
        stage.rows += result->n;
        stage.passed += by_type ? (int64_t)pos - 1 - args[0] : 0;
        stage.wide_most = by_key && args[1] - args[0] > stage.wide_most ? args[1] - args[0] : stage.wide_most;
        stage.brought_most = (int64_t)result->bytes > stage.brought_most ? (int64_t)result->bytes : stage.brought_most;
    }
    result->bytes += sizeof(*result) + (size_t)result->n * (sizeof(*result->rows) + LINK_BYTES);
    stage.held += (int64_t)result->bytes;
    stage.held_most = stage.held > stage.held_most ? stage.held : stage.held_most;
    return STATUS_OK;
}
void pg_result_destroy(struct pg_result **result)
{
    if (*result == NULL)
        return;
    stage.held -= (int64_t)(*result)->bytes;
    for (int i = 0; i < (*result)->n; i++)
        free((*result)->rows[i].body);
    free((*result)->rows);
    free(*result);
    *result = NULL;
}
int pg_rows(const struct pg_result *result)
{
    return result->n;
}
size_t pg_result_bytes(const struct pg_result *result)
{
    return result->bytes;
}
struct bytes pg_bytes(const struct pg_result *result, int row, int column)
{
    assert_in_range(row, 0, result->n - 1);
    return bytes_of(result->rows[row].body, column == 1 ? result->rows[row].len : LINK_BYTES);
}
int64_t pg_int(const struct pg_result *result, int row, int column)
{
    assert_in_range(row, 0, result->n - 1);
    assert_int_equal(column, 0);
    return result->rows[row].pos;
}
bool pg_is_null(const struct pg_result *result, int row, int column)
{
    assert_in_range(row, 0, result->n - 1);
    return column == 2 || (column == 1 && result->rows[row].body == NULL);
}
void pg_arg_array_begin(struct pg_args *all, enum pg_array kind)
{
    (void)all;
    (void)kind;
}
void pg_arg_array_end(struct pg_args *all)
{
    (void)all;
}
void pg_elem_text(struct pg_args *all, const char *text, size_t n)
{
    (void)all;
    (void)text;
    (void)n;
}

/* --- sockets, memory of newest events, metrics ----------------------------------------------------- */

enum status bus_send_to(struct bus_socket *socket, const struct bus_peer *peer, const char *verb, struct bytes map)
{
    (void)socket;
    if (number_of(peer) >= stage.full_from && number_of(peer) < stage.full_to) {
        stage.refused++;
        return STATUS_AGAIN;
    }
    told(verb, "");
    stage.sent_bytes += (int64_t)map.len;
    if (number_of(peer) < STAGE_PEERS)
        stage.sent_to[number_of(peer)] += (int64_t)map.len;
    return STATUS_OK;
}
const struct published *ring_find(const struct ring *ring, uint64_t pos, uint32_t *index)
{
    (void)ring;
    stage.sought++;
    if (newest == NULL || pos < newest->first || pos >= newest->first + newest->entries_n)
        return NULL;
    *index = (uint32_t)(pos - newest->first);
    return newest;
}
struct bytes published_bytes(const struct published *published, struct extent extent)
{
    static const uint8_t body[STAGE_NEW_BYTES];
    (void)published;
    return bytes_of(body, extent.len);
}
void metric_add(struct metric *metric, int64_t n)
{
    (void)metric;
    (void)n;
}
void metric_set(struct metric *metric, int64_t n)
{
    (void)metric;
    (void)n;
}
void metrics_health(struct metrics *metrics, const char *reason)
{
    (void)metrics;
    (void)reason;
}

/* --- what a test does with it ---------------------------------------------------------------------- */

struct feed *stage_open(uint64_t head)
{
    static const char *const names[STAGE_PRINCIPALS] = {"a", "b", "c", "w"};
    struct feed *feed = memory_new(sizeof(*feed));
    text_copy(feed->state.stream, sizeof(feed->state.stream), "test-00000000");
    feed->state.head.pos = head;
    feed->slices = memory_new(EVENTS_PER_BATCH * sizeof(*feed->slices));
    feed->pages.bytes_max = PAGES_BYTES;
    feed->rows_most = QUERY_ROWS_MAX;
    feed->arena = arena_new(64 * 1024);
    for (size_t i = 0; i < COUNT_OF(principals); i++) {
        principals[i] = (struct principal_row){
            .open = true, .granted = {.kind = text_equal(names[i], "w") ? PRINCIPAL_WORKER : PRINCIPAL_OPERATOR, .personal = true}};
        text_copy(principals[i].id, sizeof(principals[i].id), names[i]);
    }
    stage = (struct stage){.principals_known = true, .link_there = true};
    return feed;
}

static void remember(uint64_t pos)
{
    if ((newest->entries_n & (newest->entries_n - 1)) == 0) /* a power of two: full */
        newest->entries = memory_grow(newest->entries, 2 * ((size_t)newest->entries_n + 1) * sizeof(*newest->entries));
    newest->entries[newest->entries_n++] = (struct entry){.pos = pos, .body = {0, STAGE_NEW_BYTES}};
}

void stage_remembers(struct feed *feed, uint32_t n)
{
    newest = memory_new(sizeof(*newest));
    newest->first = feed->state.head.pos - n + 1;
    for (uint32_t i = 0; i < n; i++)
        remember(newest->first + i);
}

void stage_appends(struct feed *feed)
{
    remember(++feed->state.head.pos);
}

void stage_close(struct feed **feed_p)
{
    struct feed *feed = *feed_p;
    if (newest != NULL)
        free(newest->entries);
    free(newest);
    newest = NULL;
    pages_clear(&feed->pages);
    for (size_t i = 0; i < feed->readers_n; i++)
        free(feed->readers[i]);
    buf_release(&feed->deliveries);
    buf_release(&feed->out);
    arena_destroy(&feed->arena);
    free(feed->slices);
    free(feed);
    while (bodies_n > 0)
        buf_release(&bodies[--bodies_n].out);
    assert_int_equal(stage.held, 0);
    *feed_p = NULL;
}

struct bus_peer stage_peer(uint32_t i)
{
    return (struct bus_peer){.len = 5, .id = {0, (uint8_t)(i >> 24), (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}};
}

void stage_says(struct feed *feed, uint32_t i, const char *verb, const struct record *record, const void *data,
                void (*take)(struct feed *, const struct bus_peer *, const struct frame *))
{
    struct buf map = {0};
    struct bus_peer peer = stage_peer(i);
    struct frame frame = {.verb = ""};
    record_encode(record, RECORD_WHOLE, data, &map);
    text_copy(frame.verb, sizeof(frame.verb), verb);
    frame.map = buf_bytes(&map);
    take(feed, &peer, &frame);
    buf_release(&map);
}

void stage_opens_narrowed(struct feed *feed, uint32_t i, const char *consumer, int64_t after, int64_t credit, const char *type, const char *key, const char *region)
{
    const char *const types[] = {type, NULL}, *const keys[] = {key, NULL}, *const regions[] = {region, NULL};
    struct verb_open open;
    record_clear(&verb_open_record, &open);
    text_copy(open.stream, sizeof(open.stream), feed->state.stream);
    text_copy(open.consumer, sizeof(open.consumer), consumer);
    open.after = after;
    open.follow = true;
    open.credit = credit;
    assert_true(verb_open_narrow(&open, types, regions, NULL, keys));
    stage_says(feed, i, "OPEN", &verb_open_record, &open, reader_on_open);
}

void stage_opens(struct feed *feed, uint32_t i, const char *consumer, int64_t after, int64_t credit)
{
    stage_opens_narrowed(feed, i, consumer, after, credit, NULL, NULL, NULL);
}

void stage_gives(struct feed *feed, uint32_t i, int64_t bytes)
{
    const struct verb_credit credit = {.bytes = bytes};
    stage_says(feed, i, "CREDIT", &verb_credit_record, &credit, reader_on_credit);
}

void stage_run_out(struct feed *feed)
{
    for (int turns = 0; readers_turn(feed); turns++)
        assert_true(turns < TURNS_MAX);
}
