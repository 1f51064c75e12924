/* What one reader is sent next: gathered out of memory or the database, through its filter and its rights. */
#include "base/log.h"
#include "base/mutation.h"
#include "base/text.h"
#include "feed_inside.h"
#include <string.h>

#define SCAN_PER_TURN 16384
/* What a query that nobody shares counts as beside what it finds, in bytes sent: as such; for each key, sought in each partition; for each
 * position that PostgreSQL lets go by, and for each type that it is held against. */
#define QUERY_COST 65536
#define SOUGHT_COST 8192
#define SIEVED_COST 192
#define SIEVED_TYPE_COST 16
#define STRETCH_COST (4 * BATCH_MAP_BYTES) /* of the positions that a query goes through: some milliseconds, of which asking takes a small part */
#define STRETCH_BY_KEY 4000000
_Static_assert(QUERY_BYTES_MAX / QUERY_ROWS_LEAST >= 2 * EVENT_BYTES_MAX, "so few rows come whole, whatever they are");

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
    const struct page_place *place = gather->whole ? NULL : page_place(&gather->feed->pages, page, row);
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
            break;
    bool ended = page != NULL && row < page->rows;
    pages_fit(&feed->pages); /* from here on `page` may be another one */
    return ended;
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

/* How a reader's rows are found: by position; by the index of keys; by position with a sieve of types, which lets whole stretches go by inside
 * PostgreSQL. What is found is judged again here. No row is larger than its share ($3) of what a query may bring: by position such a one is
 * not among them, otherwise it comes without its body. */
#define FITS "octet_length(body) + coalesce(octet_length(priv), 0) <= $3::int8"
#define WHAT_FITS "CASE WHEN " FITS " THEN body END, CASE WHEN " FITS " THEN priv END, link"
static const char rows_sql[] =
    "SELECT pos, body, priv, link FROM journal WHERE pos > $1::int8 AND pos <= $2::int8 AND " FITS " ORDER BY pos";
/* The stretch's last row comes along for its link. Of each key as many positions as of all of them together, out of the index alone: what is
 * behind them is not read. */
static const char rows_by_key_sql[] =
    "SELECT pos, " WHAT_FITS " FROM (SELECT pos FROM (SELECT of.pos FROM unnest($5::text[]) one CROSS JOIN LATERAL"
    " (SELECT k.pos FROM journal k WHERE k.key = one AND k.pos > $1::int8 AND k.pos <= $2::int8 ORDER BY k.pos LIMIT $4::int8) of"
    " UNION SELECT $2::int8) found ORDER BY pos LIMIT $4::int8) first JOIN journal USING (pos) ORDER BY pos";
static const char rows_by_type_sql[] = "SELECT pos, " WHAT_FITS " FROM journal WHERE pos > $1::int8 AND pos <= $2::int8"
                                       " AND (type LIKE ANY($5::text[]) OR pos = $2::int8) ORDER BY pos LIMIT $4::int8";

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

/* So many rows at most behind `after` and not beyond `upto`. */
struct stretch {
    uint64_t after, upto, rows;
};

static bool query_rows(struct gather *gather, const struct stretch *stretch, struct pg_result **result)
{
    static const char *const statements[] = {rows_sql, rows_by_key_sql, rows_by_type_sql};
    struct feed *feed = gather->feed;
    enum replay replay = replay_of(gather);
    pg_args_reset(feed->args);
    pg_arg_int(feed->args, (int64_t)stretch->after);
    pg_arg_int(feed->args, (int64_t)stretch->upto);
    pg_arg_int(feed->args, QUERY_BYTES_MAX / (int64_t)stretch->rows);
    if (replay != REPLAY_ALL)
        pg_arg_int(feed->args, (int64_t)stretch->rows);
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
    else
        metric_add(feed->replayed, pg_rows(*result));
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

/* About as many rows as a helping has room for, and a power of two: pages that are read for different readers begin at the same positions. Behind
 * a row that was too large for so many they are few, and twice as many each time. */
static uint64_t page_rows(const struct gather *gather)
{
    const struct feed *feed = gather->feed;
    uint64_t row_bytes = feed->row_bytes > 0 ? feed->row_bytes : ROW_BYTES_GUESS, rows = feed->rows_most;
    while (rows > QUERY_ROWS_LEAST && rows * row_bytes > (uint64_t)reader_helping(feed, gather->reader))
        rows /= 2;
    return rows;
}

/* How many rows follow one another behind `after`, and their bytes. */
static int rows_together(const struct pg_result *result, uint64_t after, size_t *bytes)
{
    int n = 0;
    *bytes = 0;
    for (; n < pg_rows(result) && (uint64_t)pg_int(result, n, 0) == after + 1 + (uint64_t)n; n++)
        *bytes += pg_bytes(result, n, 1).len + (pg_is_null(result, n, 2) ? 0 : pg_bytes(result, n, 2).len) + 16;
    return n;
}

/* The page that has the next position, kept for whoever is about to read the same. It ends where a row is too large for so many; the next page
 * begins there, with few. False: trouble, or a hole; it has been said. */
static bool page_read(struct gather *gather)
{
    owned(pg_result_destroy) struct pg_result *result = NULL;
    struct feed *feed = gather->feed;
    uint64_t wanted = page_rows(gather), begin = gather->upto - gather->upto % wanted, end = begin + wanted, head = feed->state.head.pos;
    struct stretch stretch = {.after = feed->erasing ? gather->upto : pages_end(&feed->pages, begin), .upto = end < head ? end : head,
                              .rows = wanted};
    size_t bytes;
    if (!query_rows(gather, &stretch, &result))
        return false;
    int rows = rows_together(result, stretch.after, &bytes);
    if (stretch.after + (uint64_t)rows <= gather->upto) {
        stretch = (struct stretch){.after = gather->upto, .rows = QUERY_ROWS_LEAST};
        stretch.upto = head - stretch.after < stretch.rows ? head : stretch.after + stretch.rows;
        feed->replays_left -= feed->replays_left > 0 && !gather->reader->worker;
        pg_result_destroy(&result);
        if (!query_rows(gather, &stretch, &result))
            return false;
        rows = rows_together(result, stretch.after, &bytes);
        if (rows == 0)
            return hole_said(gather, stretch.after + 1, pg_rows(result) > 0 ? (uint64_t)pg_int(result, 0, 0) : stretch.upto);
    }
    bool whole = stretch.after + (uint64_t)rows == stretch.upto;
    feed->row_bytes = bytes / (size_t)rows;
    feed->rows_most = !whole || stretch.rows < wanted ? QUERY_ROWS_LEAST : feed->rows_most < QUERY_ROWS_MAX ? 2 * feed->rows_most : QUERY_ROWS_MAX;
    pages_keep(&feed->pages, stretch.after + 1, rows, &result);
    return true;
}

/* --- by key or by type: nobody else's --------------------------------------------------------------- */

static int64_t sieved_cost(const struct gather *gather)
{
    return SIEVED_COST + SIEVED_TYPE_COST * (int64_t)gather->reader->open.types_n;
}

/* As many rows as there is room for, by what the last ones gave it, and as many positions as one query may go through. */
static struct stretch own_stretch(const struct gather *gather)
{
    const struct feed *feed = gather->feed;
    size_t have = feed->deliveries.len, row_bytes = gather->reader->row_bytes > 0 ? gather->reader->row_bytes : ROW_BYTES_GUESS;
    uint64_t rows = gather->budget > have ? (gather->budget - have) / row_bytes : 0;
    uint64_t most = STRETCH_BY_KEY, left = feed->state.head.pos - gather->upto;
    if (replay_of(gather) == REPLAY_BY_TYPE)
        most = (uint64_t)(STRETCH_COST / sieved_cost(gather));
    rows = rows > QUERY_ROWS_LEAST ? rows : QUERY_ROWS_LEAST;
    rows = rows < QUERY_ROWS_MAX ? rows : QUERY_ROWS_MAX;
    return (struct stretch){.after = gather->upto, .upto = gather->upto + (left < most ? left : most), .rows = rows};
}

static int64_t own_cost(const struct gather *gather, const struct stretch *stretch, const struct pg_result *result)
{
    uint64_t upto = (uint64_t)pg_int(result, pg_rows(result) - 1, 0);
    return QUERY_COST + (replay_of(gather) == REPLAY_BY_TYPE ? (int64_t)(upto - stretch->after) * sieved_cost(gather)
                                                              : SOUGHT_COST * (int64_t)gather->reader->open.keys_n);
}

/* How many of the rows were looked at: all of them, or up to one that has no room, or came without its body. */
static int own_take(struct gather *gather, const struct pg_result *result)
{
    int row = 0;
    for (; row < pg_rows(result) && !pg_is_null(result, row, 1); row++) {
        struct bytes body = pg_bytes(result, row, 1);
        struct bytes priv = pg_is_null(result, row, 2) ? bytes_of(NULL, 0) : pg_bytes(result, row, 2);
        if (row_holds(gather, body) && !gather_add(gather, body, priv))
            break;
        gather->upto = (uint64_t)pg_int(result, row, 0);
        memcpy(gather->link_kept, pg_bytes(result, row, 3).data, LINK_BYTES);
        gather->link = gather->link_kept;
    }
    return row;
}

static bool own_rows(struct gather *gather)
{
    owned(pg_result_destroy) struct pg_result *result = NULL;
    struct stretch stretch = own_stretch(gather);
    struct reader_session *reader = gather->reader;
    size_t before = gather->feed->deliveries.len;
    if (!query_rows(gather, &stretch, &result))
        return false;
    if (pg_rows(result) == 0)
        return hole_said(gather, gather->upto + 1, stretch.upto);
    gather->cost += own_cost(gather, &stretch, result);
    int looked = own_take(gather, result);
    if (looked > 0)
        reader->row_bytes = (gather->feed->deliveries.len - before) / (size_t)looked + 1;
    if (looked < pg_rows(result) && pg_is_null(result, looked, 1)) /* those ahead are large: fewer of them next time, until they have room */
        reader->row_bytes = QUERY_BYTES_MAX / stretch.rows;
    return true;
}

/* Pages and results are gone, or moved, as soon as the next query is kept: nothing of them is left in a gather but copies (deliveries,
 * link_kept). What lies in the ring stays as long as no block comes in, and none does within a turn. */
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
