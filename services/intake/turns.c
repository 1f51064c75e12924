/* Whose turn it is to be sent a batch. Workers first, each one; then the others, who has been sent least before, until a turn's measure is full. */
#include "base/clock.h"
#include "base/text.h"
#include "feed_inside.h"
#include <string.h>

#define EMPTY_AFTER 50000
#define VISIT_BYTES 512 /* what looking after a reader costs at least, whatever comes of it */
#define PASSED_BYTES 32 /* what a position costs that is looked at and not sent */

enum went {
    WENT_ON,   /* and may go on at once */
    WENT_REST, /* nothing can be done for it now */
    WENT_WAITS /* for a query in a later turn */
};

static void say_caught_up(struct feed *feed, struct reader_session *reader)
{
    if (!feed_is_sure(feed))
        return;
    const struct verb_head head = readers_head(feed);
    feed_say(feed, &reader->peer, "CAUGHT_UP", &verb_head_record, &head);
    reader->caught_up = true;
    if (!reader->open.follow)
        reader->gone = true;
}

/* Checked with every batch: a revoked one stops at once. NULL: it is not sent anything. */
static const struct principal_row *principal_of(struct feed *feed, struct reader_session *reader)
{
    const struct principal_row *principal = feed_principal_named(feed, reader->principal);
    char id[64];
    const char *why = "revoked";
    if (feed->principals_stale)
        return NULL; /* the next tick tries again */
    if (principal == NULL || !principal->open || !feed_lets(feed, &reader->peer, id, &why)) {
        feed_deny(feed, &reader->peer, reader->principal, "revoked", "principal", why);
        reader->gone = true;
        return NULL;
    }
    if (filter_is_whole(&reader->open, &principal->granted) != reader->whole) { /* it would take a right's end for a hole */
        feed_error(feed, &reader->peer, 0, "rights", "what this principal may see has changed: open again");
        reader->gone = true;
        return NULL;
    }
    return principal;
}

/* PostgreSQL is away, and it is too early to ask again: nobody waits for a query then, nor behind one who would. */
static bool database_rests(const struct feed *feed)
{
    return !feed->connected && clock_boot_us() < feed->retry_us;
}

/* Gathered, sent, and its place moved. */
static enum went reader_batch(struct feed *feed, struct gather *gather)
{
    struct reader_session *reader = gather->reader;
    buf_reset(&feed->deliveries);
    if (!gather_memory(gather) && (gather->n == 0 || feed->deliveries.len < gather->budget / 2)) {
        bool may = feed->replays_left > 0 || reader->worker;
        if (!may && gather->looked == 0)
            return database_rests(feed) ? WENT_REST : WENT_WAITS;
        feed->replays_left -= may && !reader->worker;
        if (may && !gather_rows(gather))
            return WENT_REST;
    }
    bool at_head = gather->upto == feed->state.head.pos;
    bool tell = gather->n > 0 || gather->upto - reader->sent >= EMPTY_AFTER || (at_head && !reader->caught_up);
    if (tell && gather_send(gather) != STATUS_OK)
        return WENT_REST;
    reader->pos = gather->upto;
    if (gather->link != NULL)
        memcpy(reader->link, gather->link, LINK_BYTES);
    return WENT_ON;
}

static enum went reader_turn(struct feed *feed, struct reader_session *reader)
{
    const struct principal_row *principal = principal_of(feed, reader);
    int64_t left = reader_allowance(feed, reader), helping = reader_helping(feed, reader);
    enum went went = WENT_ON;
    if (principal == NULL)
        return WENT_REST;
    struct gather gather = {.feed = feed, .reader = reader, .principal = &principal->granted, .upto = reader->pos, .whole = reader->whole};
    gather.budget = left < 0 ? 0 : (size_t)(left < helping ? left : helping);
    if (reader->pos < feed->state.head.pos)
        went = reader_batch(feed, &gather);
    if (went == WENT_WAITS)
        return went;
    gather.cost += PASSED_BYTES * (int64_t)gather.passed;
    fair_give(&reader->place, gather.cost > VISIT_BYTES ? gather.cost : VISIT_BYTES);
    if (went == WENT_ON && reader->pos == feed->state.head.pos && !reader->caught_up && !reader->gone)
        say_caught_up(feed, reader);
    return went == WENT_ON && (reader->pos == feed->state.head.pos || !reader_has_room(feed, reader)) ? WENT_REST : went;
}

/* Something can be done for it. */
static bool is_waiting(const struct feed *feed, const struct reader_session *reader)
{
    if (reader->gone || reader->full)
        return false;
    return reader->pos < feed->state.head.pos ? reader_has_room(feed, reader) : !reader->caught_up;
}

/* Workers are few, and ours: they do not wait for others. */
static bool workers_turn(struct feed *feed)
{
    bool more = false;
    for (size_t i = 0; i < feed->readers_n; i++)
        if (feed->readers[i]->worker && is_waiting(feed, feed->readers[i]))
            more = reader_turn(feed, feed->readers[i]) == WENT_ON || more;
    return more;
}

/* Bytes, as far as they are known before they are looked at. */
static int64_t wants(const struct feed *feed, const struct reader_session *reader)
{
    int64_t helping = reader_helping(feed, reader), behind = (int64_t)(feed->state.head.pos - reader->pos);
    return behind < helping / ROW_BYTES_GUESS ? behind * ROW_BYTES_GUESS : helping;
}

static size_t readers_waiting(struct feed *feed)
{
    size_t n = 0;
    for (size_t i = 0; i < feed->readers_n; i++) {
        struct reader_session *reader = feed->readers[i];
        if (reader->worker)
            continue;
        if (!is_waiting(feed, reader)) {
            fair_leave(&reader->place);
            continue;
        }
        reader->place.who = reader;
        fair_wait(&feed->fair, &reader->place, wants(feed, reader));
        feed->waiting[n++] = &reader->place;
    }
    fair_order(&feed->fair, feed->waiting, n);
    return n;
}

bool readers_turn(struct feed *feed)
{
    feed->replays_left = REPLAYS_PER_TURN;
    bool more = workers_turn(feed);
    size_t n = readers_waiting(feed), i = 0;
    int64_t left = TURN_BYTES;
    for (; i < n && left > 0; i++) {
        struct fair_place *place = feed->waiting[i];
        int64_t given = place->given;
        enum went went = reader_turn(feed, place->who);
        left -= place->given - given;
        more = more || went != WENT_REST;
        if (went == WENT_REST)
            fair_leave(place);
        if (went == WENT_WAITS)
            break; /* it is the next one, then */
    }
    readers_sweep(feed);
    return more || i < n;
}
