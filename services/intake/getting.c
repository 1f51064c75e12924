/* GET and PART: the feed thread's side of the shelf. Who may see personal data of the ticket's place gets the bytes, a piece at a time: the next
 * one when it has the last, which it shows by the receipt in it. */
#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "feed_inside.h"
#include "readings.h"
#include <stdlib.h>
#include <string.h>

static bool same(const struct bus_peer *a, const struct bus_peer *b)
{
    return a->len == b->len && memcmp(a->id, b->id, a->len) == 0;
}

static struct getter *getter_of(struct feed *feed, const struct bus_peer *peer)
{
    for (size_t i = 0; i < feed->getters_n; i++)
        if (same(&feed->getters[i].peer, peer))
            return &feed->getters[i];
    return NULL;
}

static void getter_remove(struct feed *feed, struct getter *getter)
{
    *getter = feed->getters[--feed->getters_n];
}

/* NULL: no room now. */
static struct getter *getter_new(struct feed *feed, const struct bus_peer *peer, const char *who)
{
    size_t own = 0;
    int64_t now_us = clock_boot_us();
    for (size_t i = feed->getters_n; i-- > 0;)
        if (!feed->getters[i].asked && now_us - feed->getters[i].since_us > GETTER_SILENT_US)
            getter_remove(feed, &feed->getters[i]);
    for (size_t i = 0; i < feed->getters_n; i++)
        own += text_equal(feed->getters[i].who, who);
    if (feed->getters_n == GETTERS_MAX || own >= GETTERS_PER_PRINCIPAL)
        return NULL;
    struct getter *getter = &feed->getters[feed->getters_n++];
    *getter = (struct getter){.peer = *peer, .since_us = now_us};
    text_copy(getter->who, sizeof(getter->who), who);
    return getter;
}

static enum status part_say(struct feed *feed, const struct bus_peer *peer, const struct slip *slip, const struct getter *getter)
{
    struct verb_part part = {.offset = slip->offset, .bytes = slip->bytes, .size = slip->size};
    memcpy(part.sha256, slip->sha256, sizeof(part.sha256));
    if (getter != NULL)
        memcpy(part.receipt, getter->receipt, sizeof(part.receipt));
    text_copy(part.code, sizeof(part.code), slip->code);
    text_copy(part.why, sizeof(part.why), slip->why);
    buf_reset(&feed->out);
    record_encode(&verb_part_record, RECORD_WHOLE, &part, &feed->out);
    return bus_send_to(feed->router, peer, "PART", buf_bytes(&feed->out));
}

static void denied_tell(const struct feed *feed, const char *who)
{
    struct access_denied denied = {.code = "file", .count = 1};
    text_copy(denied.principal, sizeof(denied.principal), who);
    doors_tell_denied(feed->doors, &denied);
}

/* True: the shelf has it. */
static bool ask(struct feed *feed, const struct bus_peer *peer, const uint8_t receipt[RECEIPT_BYTES], struct slip **slip_p)
{
    struct slip *slip = *slip_p;
    const struct principal_row *row = feed_principal(feed, peer);
    struct getter *getter = getter_of(feed, peer);
    if (row == NULL || !row->open || !row->granted.personal) {
        slip_refuse(slip, "denied", "files are personal data");
        denied_tell(feed, row != NULL ? row->id : "");
        return false;
    }
    if (getter != NULL && !getter->asked && memcmp(getter->receipt, receipt, RECEIPT_BYTES) != 0) {
        slip_refuse(slip, "receipt", "a GET hands in the receipt of the last PART");
        return false;
    }
    bool busy = getter != NULL && getter->asked;
    if (getter == NULL)
        getter = getter_new(feed, peer, row->id);
    slip->peer = *peer;
    slip->granted = row->granted;
    text_copy(slip->who, sizeof(slip->who), row->id);
    if (getter != NULL && memcmp(getter->sha256, slip->sha256, sizeof(getter->sha256)) == 0)
        text_copy(slip->ticket, sizeof(slip->ticket), getter->ticket);
    if (busy || getter == NULL || feed->shelf == NULL || slip_send(feed->shelf, slip_p) != STATUS_OK) {
        slip_refuse(slip, "busy", busy ? "one piece at a time" : "too many pieces under way");
        return false;
    }
    getter->asked = true;
    return true;
}

void getter_on_get(struct feed *feed, const struct bus_peer *peer, const struct frame *frame)
{
    struct verb_get get;
    struct problem problem;
    if (!record_decode(&verb_get_record, RECORD_WHOLE, DECODE_LENIENT, frame->map, NULL, &get, &problem)) {
        feed_error(feed, peer, 0, "malformed", problem.field);
        return;
    }
    struct slip *slip = slip_new(SLIP_GET, get.sha256, get.offset, bytes_of(NULL, 0));
    slip->most = get.bytes;
    if (!ask(feed, peer, get.receipt, &slip)) {
        enum status status = part_say(feed, peer, slip, NULL);
        (void)status; /* gone, or it does not read: it asks again */
    }
    slip_destroy(&slip);
}

/* Whose personal data it is given, on record where that is asked for: once a content and connection. */
static void reading_tell(struct feed *feed, struct getter *getter, const struct slip *slip)
{
    if (memcmp(getter->sha256, slip->sha256, sizeof(getter->sha256)) == 0)
        return;
    memcpy(getter->sha256, slip->sha256, sizeof(getter->sha256));
    text_copy(getter->ticket, sizeof(getter->ticket), slip->ticket);
    reading_story(feed, feed_principal_named(feed, slip->who), slip->ticket);
}

/* A piece is answered for by the next GET; where there were no bytes there is nothing to answer for. */
static void answer(struct feed *feed, const struct slip *slip)
{
    struct getter *getter = getter_of(feed, &slip->peer);
    if (getter == NULL)
        return;
    getter->asked = false;
    getter->since_us = clock_boot_us();
    bool bytes = slip->code[0] == '\0' && slip->bytes.len > 0;
    if (bytes) {
        random_fill(getter->receipt, sizeof(getter->receipt));
        reading_tell(feed, getter, slip);
    }
    if (text_equal(slip->code, "denied"))
        denied_tell(feed, slip->who);
    if (part_say(feed, &slip->peer, slip, bytes ? getter : NULL) != STATUS_OK || !bytes)
        getter_remove(feed, getter);
}

void getters_answer(struct feed *feed)
{
    struct slip *slip;
    while (feed->shelf != NULL && (slip = slip_receive(feed->shelf)) != NULL) {
        answer(feed, slip);
        slip_destroy(&slip);
    }
}

void getters_release(struct feed *feed)
{
    struct slip *slip;
    while (feed->shelf != NULL && (slip = slip_receive(feed->shelf)) != NULL)
        slip_destroy(&slip);
    bus_close(&feed->shelf);
}
