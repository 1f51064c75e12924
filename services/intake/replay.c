/* What one reader is sent next: gathered out of memory or the database, through its filter and its rights. */
#include "base/log.h"
#include "base/mutation.h"
#include "base/text.h"
#include "feed_inside.h"
#include <string.h>

#define SCAN_PER_TURN 16384
#define STRETCH_BY_TYPE 20000
#define QUERY_BYTES 65536 /* what a query that nobody shares counts as, however little it finds */
#define PAGE_ROW_BYTES 96 /* around a row in memory */

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

/* False: no room for it. */
static bool gather_entry(struct gather *gather, const struct published *block, const struct entry *entry)
{
    bool holds = gather->whole || filter_holds(&gather->reader->open, gather->principal, entry->type, entry->key, entry->region,
                                               entry->site);
    if (holds && !gather_add(gather, published_bytes(block, entry->body), published_bytes(block, entry->priv)) &&
        !(MUTATION(MUTATION_FILTER_SKIPS) && !gather->whole))
        return false;
    gather->upto = entry->pos;
    gather->link = entry->link;
    gather->looked++;
    gather->passed += !holds;
    return true;
}

static bool gather_row(struct gather *gather, struct page *page, int row)
{
    const struct page_place *place = gather->whole ? NULL : page_place(page, row);
    bool holds = place == NULL || (place->readable && filter_holds(&gather->reader->open, gather->principal, place->type, place->key,
                                                                   place->region, place->site));
    if (holds && !gather_add(gather, page_body(page, row), page_priv(page, row)))
        return false;
    gather->upto = page->first + (uint64_t)row;
    memcpy(gather->link_kept, page_link(page, row), LINK_BYTES);
    gather->link = gather->link_kept;
    gather->looked++;
    gather->passed += !holds;
    return true;
}

/* What comes next, as far as it lies together in memory. True: nothing more has room, or it has looked at enough. */
static bool gather_stretch(struct gather *gather)
{
    struct feed *feed = gather->feed;
    uint32_t index;
    int row;
    const struct published *block = ring_find(&feed->ring, gather->upto + 1, &index);
    for (; block != NULL; block = block->next, index = 0)
        for (; index < block->entries_n; index++)
            if (gather->looked >= SCAN_PER_TURN || !gather_entry(gather, block, &block->entries[index]))
                return true;
    struct page *page = replay_of(gather) == REPLAY_ALL ? pages_find(&feed->pages, gather->upto + 1, &row) : NULL;
    for (; page != NULL && row < page->rows; row++)
        if (gather->looked >= SCAN_PER_TURN || !gather_row(gather, page, row))
            return true;
    return false;
}

bool gather_memory(struct gather *gather)
{
    uint64_t head = gather->feed->state.head.pos;
    /* A few keys out of a long history are quicker by their index than by looking at everything. */
    if (replay_of(gather) != REPLAY_ALL && head - gather->upto > 2 * SCAN_PER_TURN)
        return false;
    uint64_t from;
    do {
        from = gather->upto;
        if (gather_stretch(gather))
            return true;
    } while (gather->upto > from && gather->upto < head);
    return gather->upto == head;
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

static bool query_rows(struct gather *gather, uint64_t after, uint64_t upto, struct pg_result **result)
{
    static const char *const statements[] = {rows_sql, rows_by_key_sql, rows_by_type_sql};
    struct feed *feed = gather->feed;
    enum replay replay = replay_of(gather);
    pg_args_reset(feed->args);
    pg_arg_int(feed->args, (int64_t)after);
    pg_arg_int(feed->args, (int64_t)upto);
    if (replay == REPLAY_BY_KEY)
        arg_keys(feed->args, &gather->reader->open);
    else if (replay == REPLAY_BY_TYPE)
        arg_prefixes(feed->args, &gather->reader->open);
    if (!feed_database(feed))
        return false;
    metric_add(feed->queries, 1);
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

/* About as many rows as a helping has room for, and a power of two: pages that are read for different readers begin at the same positions. */
static uint64_t page_rows(const struct gather *gather)
{
    const struct feed *feed = gather->feed;
    uint64_t row_bytes = feed->row_bytes > 0 ? feed->row_bytes : ROW_BYTES_GUESS, rows = PAGE_ROWS_MAX;
    while (rows > PAGE_ROWS_LEAST && rows * row_bytes > (uint64_t)reader_helping(feed, gather->reader))
        rows /= 2;
    return rows;
}

/* The page that has the next position, kept for whoever is about to read the same. False: trouble, or a hole; it has been said. */
static bool page_read(struct gather *gather)
{
    owned(pg_result_destroy) struct pg_result *result = NULL;
    struct feed *feed = gather->feed;
    uint64_t wanted = page_rows(gather), after = gather->upto - gather->upto % wanted, end = after + wanted;
    size_t bytes = 0;
    end = end < feed->state.head.pos ? end : feed->state.head.pos;
    if (!query_rows(gather, after, end, &result))
        return false;
    uint64_t rows = (uint64_t)pg_rows(result);
    metric_add(feed->replayed, (int64_t)rows);
    for (uint64_t row = 0; row < rows; row++) {
        uint64_t pos = (uint64_t)pg_int(result, (int)row, 0);
        if (pos != after + 1 + row)
            return hole_said(gather, after + 1 + row, pos);
        bytes += pg_bytes(result, (int)row, 1).len + (pg_is_null(result, (int)row, 2) ? 0 : pg_bytes(result, (int)row, 2).len) + 16;
    }
    if (after + rows != end)
        return hole_said(gather, after + 1 + rows, end);
    feed->row_bytes = bytes / rows;
    pages_keep(&feed->pages, after + 1, bytes + rows * PAGE_ROW_BYTES, &result);
    return true;
}

/* By key or by type: nobody else's. */
static bool own_rows(struct gather *gather)
{
    owned(pg_result_destroy) struct pg_result *result = NULL;
    enum replay replay = replay_of(gather);
    uint64_t head = gather->feed->state.head.pos, end = head;
    if (replay == REPLAY_BY_TYPE && head - gather->upto > STRETCH_BY_TYPE)
        end = gather->upto + STRETCH_BY_TYPE;
    if (!query_rows(gather, gather->upto, end, &result))
        return false;
    int rows = pg_rows(result);
    metric_add(gather->feed->replayed, rows);
    gather->cost += QUERY_BYTES;
    for (int row = 0; row < rows; row++) {
        struct bytes body = pg_bytes(result, row, 1);
        struct bytes priv = pg_is_null(result, row, 2) ? bytes_of(NULL, 0) : pg_bytes(result, row, 2);
        if (row_holds(gather, body) && !gather_add(gather, body, priv))
            return true;
        gather->upto = (uint64_t)pg_int(result, row, 0);
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

bool gather_rows(struct gather *gather)
{
    if (replay_of(gather) != REPLAY_ALL)
        return own_rows(gather);
    bool fine = page_read(gather);
    if (fine)
        (void)gather_memory(gather);
    if (gather->feed->erasing) /* what was read before an erasure is not sent behind it */
        pages_clear(&gather->feed->pages);
    return fine;
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
    gather->cost += (int64_t)feed->out.len; /* taken or not: it was made */
    enum status status = bus_send_to(feed->router, &reader->peer, "BATCH", buf_bytes(&feed->out));
    if (status == STATUS_CLOSED)
        reader->gone = true;
    reader->full = status == STATUS_AGAIN;
    if (status != STATUS_OK)
        return status;
    reader->credit -= (int64_t)feed->out.len;
    reader->owed += (int64_t)feed->out.len;
    reader_owes(feed, reader, (int64_t)feed->out.len);
    reader->sent = gather->upto;
    metric_add(feed->sent, gather->n);
    return STATUS_OK;
}
