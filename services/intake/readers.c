/* Sessions of readers: who is let in (OPEN), what each may be sent (credit and shares), who has gone. */
#include "base/clock.h"
#include "base/mutation.h"
#include "base/text.h"
#include "feed_inside.h"
#include "readings.h"
#include "rights.h"
#include "sources.h"
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define CREDIT_MAX (8 * 1024 * 1024)
#define READER_SILENCE_US (600 * SECOND_US)
#define READER_STALLED_US (120 * SECOND_US)
#define CROWD 100
#define CROWD_GONE_US (2 * SECOND_US)

struct reader_session *reader_of(struct feed *feed, const struct bus_peer *peer)
{
    for (size_t i = 0; i < feed->readers_n; i++) {
        struct reader_session *reader = feed->readers[i];
        if (reader->peer.len == peer->len && memcmp(reader->peer.id, peer->id, peer->len) == 0)
            return reader;
    }
    return NULL;
}

void reader_owes(struct feed *feed, struct reader_session *reader, int64_t bytes)
{
    if (reader->unread + bytes < 0)
        bytes = -reader->unread;
    reader->unread += bytes;
    feed->unread += reader->worker ? 0 : bytes;
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

struct verb_head readers_head(const struct feed *feed)
{
    struct verb_head head = {
        .epoch = feed->state.head.epoch, .head = (int64_t)feed->state.head.pos, .now_us = feed->state.now_us};
    memcpy(head.link, feed->state.head.link, LINK_BYTES);
    return head;
}

/* Nothing tells that a peer has gone but a word to it. Of those that have the places are needed, when a thousand come back at once, and what was
 * on its way to them counts no longer. */
static void readers_probe(struct feed *feed)
{
    const struct verb_head head = readers_head(feed);
    int64_t now_us = clock_boot_us();
    if (now_us - feed->probed_us < SECOND_US)
        return;
    feed->probed_us = now_us;
    for (size_t i = 0; i < feed->readers_n; i++)
        if (!feed->readers[i]->gone)
            feed_say(feed, &feed->readers[i]->peer, "HEAD", &verb_head_record, &head);
    readers_sweep(feed);
}

static bool readers_are_full(const struct feed *feed, const char *principal)
{
    return feed->readers_n == READERS_MAX || readers_of(feed, principal) >= READERS_PER_PRINCIPAL;
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
    if (reader == NULL && readers_are_full(feed, principal->id))
        readers_probe(feed);
    if (reader == NULL && readers_are_full(feed, principal->id)) {
        feed_deny(feed, peer, "", "", "full", "too many readers");
        return;
    }
    if (!place_judge(feed, peer, &open, link))
        return;
    if (reader == NULL)
        reader = feed->readers[feed->readers_n++] = memory_new(sizeof(*reader));
    int64_t unread = reader->unread; /* opening anew does not take it out of our memory */
    reader_owes(feed, reader, -unread);
    *reader = (struct reader_session){.place = reader->place, .peer = *peer, .open = open, .pos = (uint64_t)open.after, .sent = (uint64_t)open.after,
                                      .credit = credit_capped(open.credit), .heard_us = clock_boot_us()};
    text_copy(reader->principal, sizeof(reader->principal), principal->id);
    reader->worker = principal->granted.kind == PRINCIPAL_WORKER;
    reader_owes(feed, reader, unread);
    memcpy(reader->link, link, LINK_BYTES);
    reader->whole = filter_is_whole(&open, &principal->granted);
    struct verb_opened opened = {
        .epoch = feed->state.head.epoch, .head = (int64_t)feed->state.head.pos, .first = 1, .whole = reader->whole};
    text_copy(opened.stream, sizeof(opened.stream), feed->state.stream);
    feed_say(feed, peer, "OPENED", &verb_opened_record, &opened);
    reading_opened(feed, principal, &open);
}

void reader_on_credit(struct feed *feed, const struct bus_peer *peer, const struct frame *frame)
{
    struct verb_credit credit;
    struct problem problem;
    struct reader_session *reader = reader_of(feed, peer);
    if (reader == NULL || !record_decode(&verb_credit_record, RECORD_WHOLE, DECODE_LENIENT, frame->map, NULL, &credit, &problem))
        return;
    reader->heard_us = clock_boot_us();
    reader->full = reader->pressed = false;
    if (credit.bytes > 0 && reader->credit < INT64_MAX / 2 && credit.bytes < INT64_MAX / 2)
        reader->credit = credit_capped(reader->credit + credit.bytes);
    if (credit.bytes > 0) {
        reader->owed -= credit.bytes < reader->owed ? credit.bytes : reader->owed;
        reader_owes(feed, reader, -credit.bytes);
    }
}

void reader_on_close(struct feed *feed, const struct bus_peer *peer)
{
    struct reader_session *reader = reader_of(feed, peer);
    if (reader != NULL)
        reader->gone = true;
}

/* --- what it may be sent, and whether it is there --------------------------------------------------- */

/* Bytes it may be sent now. A reader that alone reads has all of its credit; workers are few, and ours. */
int64_t reader_allowance(const struct feed *feed, const struct reader_session *reader)
{
    if (reader->worker)
        return reader->credit;
    int64_t part = (UNREAD_BYTES_MAX - feed->unread) / UNREAD_PART, share = UNREAD_BYTES_MAX / (int64_t)(feed->readers_n + 1);
    int64_t most = part < share ? part : share;
    int64_t room = (most > UNREAD_BYTES_LEAST ? most : UNREAD_BYTES_LEAST) - reader->unread;
    if (MUTATION(MUTATION_CREDIT_IGNORED))
        return BATCH_MAP_BYTES;
    return room < reader->credit ? room : reader->credit;
}

int64_t reader_helping(const struct feed *feed, const struct reader_session *reader)
{
    int64_t helping = ROUND_BYTES / (int64_t)(feed->readers_n + 1), part = (reader->credit + reader->owed) / WINDOW_HELPINGS;
    helping = helping < part ? helping : part;
    helping = helping < BATCH_MAP_BYTES ? helping : BATCH_MAP_BYTES;
    return helping > HELPING_LEAST ? helping : HELPING_LEAST;
}

/* Who may be sent less than a helping, and has more than that on its way, waits until some is given back: many small batches would cost
 * all the others. */
bool reader_has_room(const struct feed *feed, const struct reader_session *reader)
{
    int64_t left = reader_allowance(feed, reader);
    return left > 0 && (reader->pressed || left >= reader_helping(feed, reader) || left >= reader->owed);
}

/* It is owed events and takes none. Nothing is sent to it, so nothing else would tell that it is no longer there. */
static bool is_stalled(const struct feed *feed, const struct reader_session *reader, int64_t now_us)
{
    return reader->pos < feed->state.head.pos && !reader_has_room(feed, reader) && now_us - reader->heard_us > READER_STALLED_US;
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
        reader_owes(feed, reader, -reader->unread);
        feed->left++;
        feed->left_us = now_us;
        free(reader);
        feed->readers[i] = feed->readers[--feed->readers_n];
    }
    metric_set(feed->readers_gauge, (int64_t)feed->readers_n);
}

/* A crowd has gone. What was sent to it was made by one thread and freed by another, which leaves an allocator many holes; they are given
 * back to the kernel, once libzmq has freed what lay in its pipes. */
static void memory_give_back(struct feed *feed)
{
    if (feed->left < CROWD || clock_boot_us() - feed->left_us < CROWD_GONE_US)
        return;
    feed->left = 0;
    (void)malloc_trim(0);
}

void readers_tell_head(struct feed *feed)
{
    memory_give_back(feed);
    for (size_t i = 0; i < feed->readers_n; i++) {
        struct reader_session *reader = feed->readers[i];
        reader->full = false;
        reader->pressed = reader->pressed || (reader->pos < feed->state.head.pos && !reader_has_room(feed, reader));
    }
    if (!feed_is_sure(feed))
        return;
    if (feed->unread > UNREAD_BYTES_MAX / UNREAD_PART)
        readers_probe(feed);
    const struct verb_head head = readers_head(feed);
    for (size_t i = 0; i < feed->readers_n; i++) {
        struct reader_session *reader = feed->readers[i];
        if (reader->gone || !reader->open.follow || !reader->caught_up)
            continue;
        if (reader->sent < reader->pos && reader_allowance(feed, reader) > 0) { /* nothing matched: its cursor moves all the same */
            struct gather gather = {.feed = feed, .reader = reader, .upto = reader->pos};
            buf_reset(&feed->deliveries);
            enum status status = gather_send(&gather);
            (void)status; /* the next HEAD tries again */
        }
        feed_say(feed, &reader->peer, "HEAD", &verb_head_record, &head);
    }
}
