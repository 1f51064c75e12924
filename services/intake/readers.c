/* Sessions of readers: OPEN, credit, batches out of the ring or the database. */
#include "base/clock.h"
#include "base/log.h"
#include "base/mutation.h"
#include "base/text.h"
#include "feed_inside.h"
#include "rights.h"
#include "sources.h"
#include <stdlib.h>
#include <string.h>

#define EVENTS_PER_BATCH 4096
#define CREDIT_MAX (8 * 1024 * 1024)
#define SCAN_PER_TURN 16384
#define EMPTY_AFTER 50000
#define STRETCH_BY_TYPE 20000
#define READER_SILENCE_US (600 * SECOND_US)
#define READER_STALLED_US (120 * SECOND_US)

struct reader_session *reader_of(struct feed *feed, const struct bus_peer *peer)
{
    for (size_t i = 0; i < feed->readers_n; i++) {
        struct reader_session *reader = feed->readers[i];
        if (reader->peer.len == peer->len && memcmp(reader->peer.id, peer->id, peer->len) == 0)
            return reader;
    }
    return NULL;
}

/* Whatever a reader says it can take: what it does not read lies in our memory. */
static int64_t credit_capped(int64_t credit)
{
    return credit < CREDIT_MAX ? credit : CREDIT_MAX;
}

/* --- OPEN ------------------------------------------------------------------------------------------ */

/* The link at `pos` in the database. False: trouble. */
static bool link_at(struct feed *feed, uint64_t pos, uint8_t link[LINK_BYTES], bool *found)
{
    owned(pg_result_destroy) struct pg_result *result = NULL;
    *found = false;
    if (pos == 0) {
        link_first(feed->state.stream, link);
        *found = true;
        return true;
    }
    pg_args_reset(feed->args);
    pg_arg_int(feed->args, (int64_t)pos);
    if (!feed_database(feed))
        return false;
    if (pg_query(feed->pg, "SELECT link FROM journal WHERE pos = $1::int8", feed->args, &result) != STATUS_OK) {
        feed_trouble(feed, "link");
        return false;
    }
    if (pg_rows(result) == 1 && pg_bytes(result, 0, 0).len == LINK_BYTES) {
        memcpy(link, pg_bytes(result, 0, 0).data, LINK_BYTES);
        *found = true;
    }
    return true;
}

/* Where the reader stands has to be a place of our history. True: link is ours there. */
static bool place_judge(struct feed *feed, const struct bus_peer *peer, const struct verb_open *open, uint8_t link[LINK_BYTES])
{
    static const uint8_t unknown[LINK_BYTES];
    if (open->after < 0) {
        feed_deny(feed, peer, "", "", "malformed", "after");
        return false;
    }
    bool ahead = open->after > (int64_t)feed->state.head.pos, found;
    if (!link_at(feed, (uint64_t)open->after, link, &found)) {
        feed_error(feed, peer, 0, "database", "the journal cannot be read now");
        return false;
    }
    if (ahead && found) { /* another intake has taken over, and this one does not know yet */
        feed_error(feed, peer, 0, "behind", "this feed has not come so far");
        return false;
    }
    if (ahead) {
        struct verb_ahead verb = {.head = (int64_t)feed->state.head.pos};
        feed_say(feed, peer, "AHEAD", &verb_ahead_record, &verb);
        return false;
    }
    if (!found || (open->after > 0 && memcmp(open->link, unknown, LINK_BYTES) != 0 && memcmp(open->link, link, LINK_BYTES) != 0)) {
        struct verb_fork fork = {.pos = open->after};
        feed_say(feed, peer, "FORK", &verb_fork_record, &fork);
        return false;
    }
    return true;
}

static size_t readers_of(const struct feed *feed, const char *principal)
{
    size_t n = 0;
    for (size_t i = 0; i < feed->readers_n; i++)
        n += text_equal(feed->readers[i]->principal, principal);
    return n;
}

void reader_on_open(struct feed *feed, const struct bus_peer *peer, const struct frame *frame)
{
    struct verb_open open;
    struct problem problem;
    uint8_t link[LINK_BYTES];
    if (!record_decode(&verb_open_record, RECORD_WHOLE, DECODE_LENIENT, frame->map, NULL, &open, &problem)) {
        feed_deny(feed, peer, "", "", "malformed", problem.field);
        return;
    }
    if (open.stream[0] != '\0' && !text_equal(open.stream, feed->state.stream)) {
        feed_deny(feed, peer, "", "", "stream", feed->state.stream);
        return;
    }
    if (!feed_is_sure(feed)) {
        feed_error(feed, peer, 0, "database", "the journal's head is not confirmed now");
        return;
    }
    const struct principal_row *principal = feed_principal_named(feed, open.consumer);
    if (feed->principals_stale) { /* who may is not known now: no reason to send anybody away for good */
        feed_error(feed, peer, 0, "database", "the principals cannot be read now");
        return;
    }
    char id[64];
    const char *why;
    if (principal == NULL || !principal->open || !feed_lets(feed, peer, id, &why) || !rights_name(id, open.consumer)) {
        bool known = principal != NULL && principal->open;
        feed_deny(feed, peer, id, known ? "name" : "principal", "principal", open.consumer);
        return;
    }
    const char *beyond = rights_beyond(&principal->granted, &open);
    if (beyond != NULL) {
        feed_deny(feed, peer, principal->id, "rights", "rights", beyond);
        return;
    }
    struct reader_session *reader = reader_of(feed, peer);
    if (reader == NULL && (feed->readers_n == READERS_MAX || readers_of(feed, principal->id) >= READERS_PER_PRINCIPAL)) {
        feed_deny(feed, peer, "", "", "full", "too many readers");
        return;
    }
    if (!place_judge(feed, peer, &open, link))
        return;
    if (reader == NULL)
        reader = feed->readers[feed->readers_n++] = memory_new(sizeof(*reader));
    int64_t unread = reader->unread; /* opening anew does not take it out of our memory */
    *reader = (struct reader_session){.peer = *peer, .unread = unread, .open = open, .pos = (uint64_t)open.after, .sent = (uint64_t)open.after,
                                      .credit = credit_capped(open.credit), .heard_us = clock_boot_us()};
    text_copy(reader->principal, sizeof(reader->principal), principal->id);
    reader->worker = principal->granted.kind == PRINCIPAL_WORKER;
    memcpy(reader->link, link, LINK_BYTES);
    reader->whole = filter_is_whole(&open, &principal->granted);
    struct verb_opened opened = {
        .epoch = feed->state.head.epoch, .head = (int64_t)feed->state.head.pos, .first = 1, .whole = reader->whole};
    feed_say(feed, peer, "OPENED", &verb_opened_record, &opened);
}

void reader_on_credit(struct feed *feed, const struct bus_peer *peer, const struct frame *frame)
{
    struct verb_credit credit;
    struct problem problem;
    struct reader_session *reader = reader_of(feed, peer);
    if (reader == NULL || !record_decode(&verb_credit_record, RECORD_WHOLE, DECODE_LENIENT, frame->map, NULL, &credit, &problem))
        return;
    reader->heard_us = clock_boot_us();
    if (credit.bytes > 0 && reader->credit < INT64_MAX / 2 && credit.bytes < INT64_MAX / 2)
        reader->credit = credit_capped(reader->credit + credit.bytes);
    if (credit.bytes > 0)
        reader->unread = credit.bytes < reader->unread ? reader->unread - credit.bytes : 0;
}

void reader_on_close(struct feed *feed, const struct bus_peer *peer)
{
    struct reader_session *reader = reader_of(feed, peer);
    if (reader != NULL)
        reader->gone = true;
}

/* --- a batch --------------------------------------------------------------------------------------- */

struct gather {
    struct feed *feed;
    struct reader_session *reader;
    const struct principal *principal;
    bool whole;
    size_t budget;
    uint32_t n;
    uint64_t upto;
    const uint8_t *link; /* at upto; NULL: nothing was looked at */
    uint8_t link_kept[LINK_BYTES];
};

/* False: no room for it in this batch. */
static bool gather_add(struct gather *gather, struct bytes body, struct bytes priv)
{
    struct buf *out = &gather->feed->deliveries;
    if (gather->n == EVENTS_PER_BATCH || (gather->n > 0 && out->len + body.len + priv.len + 16 > gather->budget))
        return false;
    size_t from = out->len;
    delivery_encode(body, gather->principal->personal ? priv : bytes_of(NULL, 0), out);
    gather->feed->slices[gather->n++] = (struct bytes){.data = NULL, .len = out->len - from};
    return true;
}

static bool gather_ring(struct gather *gather)
{
    uint64_t head = gather->feed->state.head.pos;
    uint32_t scanned = 0;
    uint32_t index;
    while (gather->upto < head && scanned < SCAN_PER_TURN) {
        const struct published *block = ring_find(&gather->feed->ring, gather->upto + 1, &index);
        if (block == NULL)
            return scanned > 0;
        for (; index < block->entries_n; index++, scanned++) {
            const struct entry *entry = &block->entries[index];
            bool holds = gather->whole || filter_holds(&gather->reader->open, gather->principal, entry->type, entry->key,
                                                       entry->region, entry->site);
            if (holds && !gather_add(gather, published_bytes(block, entry->body), published_bytes(block, entry->priv)) &&
                !(MUTATION(MUTATION_FILTER_SKIPS) && !gather->whole))
                return true;
            gather->upto = entry->pos;
            gather->link = entry->link;
        }
    }
    return true;
}

static bool row_holds(const struct gather *gather, struct bytes body)
{
    struct event event;
    struct problem problem;
    return gather->whole ||
           (event_decode(body, bytes_of(NULL, 0), &event, &problem) &&
            filter_holds(&gather->reader->open, gather->principal, event.type, event.key, event.region, event.site));
}

/* How a reader's rows are found: by position; by the index of keys; by position with a sieve of types, which lets whole stretches
 * go by inside PostgreSQL. What is found is judged again here. */
static const char rows_sql[] =
    "SELECT pos, body, priv, link FROM journal WHERE pos > $1::int8 AND pos <= $2::int8 ORDER BY pos";
static const char rows_by_key_sql[] = "SELECT pos, body, priv, link FROM journal WHERE key = ANY($3::text[]) AND pos > $1::int8"
                                      " AND pos <= $2::int8 ORDER BY pos LIMIT 1024";
/* The stretch's last row comes along for its link. */
static const char rows_by_type_sql[] = "SELECT pos, body, priv, link FROM journal WHERE pos > $1::int8 AND pos <= $2::int8"
                                       " AND (type LIKE ANY($3::text[]) OR pos = $2::int8) ORDER BY pos LIMIT 1024";

enum replay { REPLAY_ALL, REPLAY_BY_KEY, REPLAY_BY_TYPE };

static enum replay replay_of(const struct gather *gather)
{
    const struct verb_open *open = &gather->reader->open;
    return open->keys_n > 0 ? REPLAY_BY_KEY : open->types_n > 0 ? REPLAY_BY_TYPE : REPLAY_ALL;
}

/* The last position of the stretch that one query looks at. */
static uint64_t stretch_end(const struct gather *gather)
{
    uint64_t head = gather->feed->state.head.pos, n = 0;
    size_t row_bytes = gather->reader->row_bytes > 0 ? gather->reader->row_bytes : 512;
    switch (replay_of(gather)) {
    case REPLAY_BY_KEY:
        return head;
    case REPLAY_BY_TYPE:
        n = STRETCH_BY_TYPE;
        break;
    case REPLAY_ALL: /* as many as fit into one batch */
        n = gather->budget / row_bytes + 16;
        n = n > REPLAY_ROWS ? REPLAY_ROWS : n;
        break;
    }
    return head - gather->upto > n ? gather->upto + n : head;
}

static void arg_prefixes(struct pg_args *args, const struct verb_open *open)
{
    pg_arg_array_begin(args, PG_TEXT_ARRAY);
    for (uint32_t i = 0; i < open->types_n; i++) {
        char pattern[EVENT_TYPE_CAP + 1];
        text_format(pattern, sizeof(pattern), "%s%%", open->types[i]);
        pg_elem_text(args, pattern, strlen(pattern));
    }
    pg_arg_array_end(args);
}

static void arg_keys(struct pg_args *args, const struct verb_open *open)
{
    pg_arg_array_begin(args, PG_TEXT_ARRAY);
    for (uint32_t i = 0; i < open->keys_n; i++)
        pg_elem_text(args, open->keys[i], strlen(open->keys[i]));
    pg_arg_array_end(args);
}

static bool query_rows(struct gather *gather, uint64_t upto, struct pg_result **result)
{
    static const char *const statements[] = {rows_sql, rows_by_key_sql, rows_by_type_sql};
    struct feed *feed = gather->feed;
    enum replay replay = replay_of(gather);
    pg_args_reset(feed->args);
    pg_arg_int(feed->args, (int64_t)gather->upto);
    pg_arg_int(feed->args, (int64_t)upto);
    if (replay == REPLAY_BY_KEY)
        arg_keys(feed->args, &gather->reader->open);
    else if (replay == REPLAY_BY_TYPE)
        arg_prefixes(feed->args, &gather->reader->open);
    if (!feed_database(feed))
        return false;
    enum status status = pg_query(feed->pg, statements[replay], feed->args, result);
    if (status != STATUS_OK)
        feed_trouble(feed, "replay");
    return status == STATUS_OK;
}

static bool hole_said(struct gather *gather, uint64_t expected, uint64_t found)
{
    log_error("the journal has a hole: position %llu expected, %llu found", (unsigned long long)expected,
              (unsigned long long)found);
    feed_error(gather->feed, &gather->reader->peer, 0, "corrupt", "a position is missing");
    metrics_health(gather->feed->metrics, "the journal has a hole");
    gather->reader->gone = true;
    return false;
}

static bool gather_rows(struct gather *gather)
{
    owned(pg_result_destroy) struct pg_result *result = NULL;
    enum replay replay = replay_of(gather);
    uint64_t end = stretch_end(gather);
    size_t bytes = 0;
    if (!query_rows(gather, end, &result))
        return false;
    int rows = pg_rows(result);
    metric_add(gather->feed->replayed, rows);
    for (int row = 0; row < rows; row++) {
        uint64_t pos = (uint64_t)pg_int(result, row, 0);
        struct bytes body = pg_bytes(result, row, 1);
        struct bytes priv = pg_is_null(result, row, 2) ? bytes_of(NULL, 0) : pg_bytes(result, row, 2);
        if (replay == REPLAY_ALL && pos != gather->upto + 1)
            return hole_said(gather, gather->upto + 1, pos);
        bytes += body.len + priv.len + 16;
        gather->reader->row_bytes = bytes / ((size_t)row + 1);
        if (row_holds(gather, body) && !gather_add(gather, body, priv))
            return true;
        gather->upto = pos;
        memcpy(gather->link_kept, pg_bytes(result, row, 3).data, LINK_BYTES);
        gather->link = gather->link_kept;
    }
    if (replay == REPLAY_BY_KEY && rows < 1024) { /* nothing more of these keys up to the head */
        gather->upto = end;
        gather->link = gather->feed->state.head.link;
    } else if (replay != REPLAY_BY_KEY && rows < 1024 && gather->upto != end) {
        return hole_said(gather, gather->upto + 1, end);
    }
    return true;
}

static enum status batch_say(struct feed *feed, struct reader_session *reader, const struct gather *gather)
{
    struct verb_batch batch = {.after = (int64_t)reader->sent, .upto = (int64_t)gather->upto};
    const uint8_t *at = feed->deliveries.data;
    for (uint32_t i = 0; i < gather->n; i++) {
        feed->slices[i].data = at;
        at += feed->slices[i].len;
    }
    batch.events = (struct slice){.items = feed->slices, .n = gather->n};
    memcpy(batch.link, gather->link != NULL ? gather->link : reader->link, LINK_BYTES);
    buf_reset(&feed->out);
    record_encode(&verb_batch_record, RECORD_WHOLE, &batch, &feed->out);
    return bus_send_to(feed->router, &reader->peer, "BATCH", buf_bytes(&feed->out));
}

static void batch_sent(struct feed *feed, struct reader_session *reader, const struct gather *gather, enum status status)
{
    if (status == STATUS_CLOSED)
        reader->gone = true;
    if (status != STATUS_OK)
        return;
    reader->credit -= (int64_t)feed->out.len;
    reader->unread += (int64_t)feed->out.len;
    reader->sent = gather->upto;
    metric_add(feed->sent, gather->n);
}

static void say_caught_up(struct feed *feed, struct reader_session *reader)
{
    if (!feed_is_sure(feed))
        return;
    struct verb_head head = {
        .epoch = feed->state.head.epoch, .head = (int64_t)feed->state.head.pos, .now_us = feed->state.now_us};
    memcpy(head.link, feed->state.head.link, LINK_BYTES);
    feed_say(feed, &reader->peer, "CAUGHT_UP", &verb_head_record, &head);
    reader->caught_up = true;
    if (!reader->open.follow)
        reader->gone = true;
}

/* Bytes it may be sent now. A reader that alone reads has all of its credit; workers are few, and ours. */
static int64_t allowance(const struct feed *feed, const struct reader_session *reader)
{
    if (reader->worker)
        return reader->credit;
    int64_t share = UNREAD_BYTES_MAX / (int64_t)(feed->readers_n > 0 ? feed->readers_n : 1);
    int64_t room = (share > UNREAD_BYTES_LEAST ? share : UNREAD_BYTES_LEAST) - reader->unread;
    if (MUTATION(MUTATION_CREDIT_IGNORED))
        return BATCH_MAP_BYTES;
    return room < reader->credit ? room : reader->credit;
}

/* It is owed events and takes none. Nothing is sent to it, so nothing else would tell that it is no longer there. */
static bool is_stalled(const struct feed *feed, const struct reader_session *reader, int64_t now_us)
{
    return reader->pos < feed->state.head.pos && allowance(feed, reader) <= 0 && now_us - reader->heard_us > READER_STALLED_US;
}

void readers_sweep(struct feed *feed)
{
    int64_t now_us = clock_boot_us();
    for (size_t i = feed->readers_n; i-- > 0;) {
        struct reader_session *reader = feed->readers[i];
        bool silent = !reader->open.follow && now_us - reader->heard_us > READER_SILENCE_US;
        if (!reader->gone && !silent && is_stalled(feed, reader, now_us)) {
            feed_error(feed, &reader->peer, 0, "stalled", "no credit was given back; open again behind what is applied");
            reader->gone = true;
        }
        if (!reader->gone && !silent)
            continue;
        free(reader);
        feed->readers[i] = feed->readers[--feed->readers_n];
    }
    metric_set(feed->readers_gauge, (int64_t)feed->readers_n);
}

/* True: the reader may go on at once. */
static bool reader_turn(struct feed *feed, struct reader_session *reader)
{
    const struct principal_row *principal = feed_principal_named(feed, reader->principal);
    if (feed->principals_stale)
        return false; /* the next tick tries again */
    char id[64];
    const char *why = "revoked";
    /* Checked with every batch: a revoked one stops at once. */
    if (principal == NULL || !principal->open || !feed_lets(feed, &reader->peer, id, &why)) {
        feed_deny(feed, &reader->peer, reader->principal, "revoked", "principal", why);
        reader->gone = true;
        return false;
    }
    struct gather gather = {.feed = feed, .reader = reader, .principal = &principal->granted, .upto = reader->pos};
    gather.whole = filter_is_whole(&reader->open, gather.principal);
    if (gather.whole != reader->whole) { /* it would take a right's end for a hole */
        feed_error(feed, &reader->peer, 0, "rights", "what this principal may see has changed: open again");
        reader->gone = true;
        return false;
    }
    int64_t left = allowance(feed, reader);
    gather.budget = left < 0 ? 0 : left < BATCH_MAP_BYTES ? (size_t)left : BATCH_MAP_BYTES;
    buf_reset(&feed->deliveries);
    if (reader->pos < feed->state.head.pos) {
        /* A few keys out of a long history are quicker by their index than by looking at everything. */
        bool sieved = reader->open.keys_n > 0 || reader->open.types_n > 0;
        bool far = sieved && feed->state.head.pos - reader->pos > 2 * SCAN_PER_TURN;
        if (far || !gather_ring(&gather)) {
            if (feed->replays_left == 0 && !reader->worker)
                return true;
            feed->replays_left -= feed->replays_left > 0;
            if (!gather_rows(&gather))
                return false;
        }
        bool at_head = gather.upto == feed->state.head.pos;
        bool tell = gather.n > 0 || gather.upto - reader->sent >= EMPTY_AFTER || (at_head && !reader->caught_up);
        if (tell) {
            enum status status = batch_say(feed, reader, &gather);
            batch_sent(feed, reader, &gather, status);
            if (status != STATUS_OK)
                return false;
        }
        reader->pos = gather.upto;
        if (gather.link != NULL)
            memcpy(reader->link, gather.link, LINK_BYTES);
    }
    if (reader->pos == feed->state.head.pos && !reader->caught_up && !reader->gone)
        say_caught_up(feed, reader);
    return reader->pos < feed->state.head.pos && allowance(feed, reader) > 0;
}

bool readers_turn(struct feed *feed)
{
    bool more = false;
    size_t n = feed->readers_n;
    size_t first = n > 0 ? feed->turn % n : 0, next = first + 1;
    feed->replays_left = REPLAYS_PER_TURN;
    for (size_t i = 0; i < n; i++) {
        struct reader_session *reader = feed->readers[(first + i) % n];
        bool behind = reader->pos < feed->state.head.pos || !reader->caught_up;
        if (reader->gone || !behind || (allowance(feed, reader) <= 0 && reader->pos != feed->state.head.pos))
            continue;
        bool waits = feed->replays_left == 0;
        more = reader_turn(feed, reader) || more;
        if (!waits)
            next = first + i + 1;
    }
    feed->turn = next; /* who had to wait for a query is the first of the next turn */
    readers_sweep(feed);
    return more;
}

void readers_tell_head(struct feed *feed)
{
    if (!feed_is_sure(feed))
        return;
    struct verb_head head = {
        .epoch = feed->state.head.epoch, .head = (int64_t)feed->state.head.pos, .now_us = feed->state.now_us};
    memcpy(head.link, feed->state.head.link, LINK_BYTES);
    for (size_t i = 0; i < feed->readers_n; i++) {
        struct reader_session *reader = feed->readers[i];
        if (reader->gone || !reader->open.follow || !reader->caught_up)
            continue;
        if (reader->sent < reader->pos && allowance(feed, reader) > 0) { /* nothing matched: its cursor moves all the same */
            struct gather gather = {.feed = feed, .reader = reader, .upto = reader->pos};
            buf_reset(&feed->deliveries);
            batch_sent(feed, reader, &gather, batch_say(feed, reader, &gather));
        }
        feed_say(feed, &reader->peer, "HEAD", &verb_head_record, &head);
    }
}
