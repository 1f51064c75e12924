/* What a reader may be sent, reckoned beside the feed: it never gets a BATCH without credit, nor more than its credit in one, unless
 * that is a single event. */
#include "bus/verbs.h"
#include "net.h"
#include "base/arena.h"
#include "base/text.h"

#define FRAME_AROUND 128 /* of a BATCH, beside its events */

void credit_hear(int64_t *credit, const char *verb, struct bytes map)
{
    struct verb_open open;
    struct verb_credit more;
    struct problem problem;
    if (text_equal(verb, "OPEN") && record_decode(&verb_open_record, RECORD_WHOLE, DECODE_LENIENT, map, NULL, &open, &problem))
        *credit = open.credit;
    else if (text_equal(verb, "CREDIT") &&
             record_decode(&verb_credit_record, RECORD_WHOLE, DECODE_LENIENT, map, NULL, &more, &problem))
        *credit += more.bytes;
}

void credit_spend(int64_t *credit, const char *client, const char *verb, struct bytes map)
{
    struct verb_batch batch;
    struct problem problem;
    if (!text_equal(verb, "BATCH"))
        return;
    struct arena *arena = arena_new(1 << 10);
    bool fine = record_decode(&verb_batch_record, RECORD_WHOLE, DECODE_LENIENT, map, arena, &batch, &problem);
    if (!fine || *credit <= 0)
        world_broken("%s is sent a BATCH, its credit is %lld", client, (long long)*credit);
    if (batch.events.n > 1 && (int64_t)map.len > *credit + FRAME_AROUND)
        world_broken("%s is sent %zu bytes, its credit is %lld", client, map.len, (long long)*credit);
    *credit -= (int64_t)map.len;
    arena_destroy(&arena);
}
