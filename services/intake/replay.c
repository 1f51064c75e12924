/* What one reader is sent next: gathered out of memory or the database, through its filter and its rights. */
#include "base/log.h"
#include "base/mutation.h"
#include "base/text.h"
#include "feed_inside.h"
#include <string.h>

#define SCAN_PER_TURN 16384
#define STRETCH_BY_TYPE 20000

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

enum replay { REPLAY_ALL, REPLAY_BY_KEY, REPLAY_BY_TYPE };

static enum replay replay_of(const struct gather *gather)
{
    const struct verb_open *open = &gather->reader->open;
    return open->keys_n > 0 ? REPLAY_BY_KEY : open->types_n > 0 ? REPLAY_BY_TYPE : REPLAY_ALL;
}

bool gather_ring(struct gather *gather)
{
    uint64_t head = gather->feed->state.head.pos;
    uint32_t scanned = 0;
    uint32_t index;
    /* A few keys out of a long history are quicker by their index than by looking at everything. */
    if (replay_of(gather) != REPLAY_ALL && head - gather->upto > 2 * SCAN_PER_TURN)
        return false;
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

bool gather_rows(struct gather *gather)
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

enum status gather_send(struct gather *gather)
{
    struct feed *feed = gather->feed;
    struct reader_session *reader = gather->reader;
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
    enum status status = bus_send_to(feed->router, &reader->peer, "BATCH", buf_bytes(&feed->out));
    if (status == STATUS_CLOSED)
        reader->gone = true;
    if (status != STATUS_OK)
        return status;
    reader->credit -= (int64_t)feed->out.len;
    reader_owes(feed, reader, (int64_t)feed->out.len);
    reader->sent = gather->upto;
    metric_add(feed->sent, gather->n);
    return STATUS_OK;
}
