#include "journal.h"
#include "base/mutation.h"
#include "base/text.h"
#include "record/pack.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const struct field posted_fields[] = {
    F_TEXT(posted, type, FIELD_REQUIRED, "event type"),
    F_INT_RANGE(posted, v, 0, 0, 1000, "version of its data, the newest when left out"),
    F_TEXT(posted, key, FIELD_KEYLIKE, "what it is about"),
    F_TIME(posted, at, 0, "when it happened"),
    F_TEXT(posted, by, 0, "who acted"),
    F_INT_RANGE(posted, cause, 0, 0, INT64_MAX, "position it follows from"),
    F_TEXT(posted, id, 0, "a worker's slot"),
    F_RAW(posted, data, 0, EVENT_BYTES_MAX, "by the type's field table"),
    F_RAW(posted, priv, 0, EVENT_BYTES_MAX, "personal fields"),
};
static const struct record posted_record = RECORD(posted, posted_fields, "an event as its sender makes it");

static bool is_map(struct bytes value)
{
    uint8_t first = value.data[0];
    return (first & 0xf0U) == 0x80 || first == 0xde || first == 0xdf;
}

static bool decode(struct bytes raw, unsigned flags, struct posted *posted, struct problem *problem)
{
    static const uint8_t empty_map[] = {0x80};
    if (raw.len > DRAFT_BYTES_MAX)
        return problem_set(problem, "too-long", "event", "%d", DRAFT_BYTES_MAX);
    if (raw.len == 0 || !is_map(raw))
        return problem_set(problem, "malformed", "event", "not a map");
    if (!record_decode(&posted_record, RECORD_WHOLE, flags, raw, NULL, posted, problem))
        return false;
    if (posted->data.len == 0)
        posted->data = bytes_of(empty_map, 1);
    if (!is_map(posted->data))
        return problem_set(problem, "malformed", "data", "not a map");
    if (posted->priv.len > 0 && !is_map(posted->priv))
        return problem_set(problem, "malformed", "priv", "not a map");
    if (posted->priv.len > 0 && bytes_equal(posted->priv, bytes_of(empty_map, 1)))
        posted->priv = bytes_of(NULL, 0);
    return true;
}

bool posted_decode(struct bytes raw, struct posted *posted, struct problem *problem)
{
    return decode(raw, DECODE_LENIENT, posted, problem);
}

bool posted_decode_strictly(struct bytes raw, struct posted *posted, struct problem *problem)
{
    return decode(raw, DECODE_STRICT, posted, problem);
}

static void text_read(char *out, size_t cap, struct bytes value)
{
    struct unpack at = unpack_of(value);
    struct pack_value read = unpack_next(&at);
    if (read.type == PACK_STR)
        text_copy_n(out, cap, (const char *)read.bytes.data, read.bytes.len);
}

/* The value under a name; empty: none. */
static struct bytes map_find(struct bytes map, const char *name)
{
    struct unpack at = unpack_of(map);
    uint32_t pairs = unpack_next(&at).n;
    for (uint32_t i = 0; i < pairs; i++) {
        struct bytes key = unpack_next(&at).bytes, value = unpack_raw(&at);
        if (bytes_equal(key, bytes_of_text(name)))
            return value;
    }
    return bytes_of(NULL, 0);
}

bool posted_peek(struct bytes raw, struct posted *posted, char job[JOB_CAP])
{
    posted->type[0] = posted->key[0] = job[0] = '\0';
    posted->v = 0;
    if (raw.len == 0 || raw.len > DRAFT_BYTES_MAX || !is_map(raw))
        return false;
    struct bytes type = map_find(raw, "type"), v = map_find(raw, "v"), key = map_find(raw, "key");
    if (type.len == 0)
        return false;
    text_read(posted->type, sizeof(posted->type), type);
    if (key.len > 0)
        text_read(posted->key, sizeof(posted->key), key);
    if (v.len > 0) {
        struct unpack at = unpack_of(v);
        struct pack_value read = unpack_next(&at);
        posted->v = read.type == PACK_INT ? read.integer : 0;
    }
    if (!text_starts(posted->type, "job."))
        return true;
    struct bytes data = map_find(raw, "data");
    struct bytes named = data.len > 0 && is_map(data) ? map_find(data, "job") : bytes_of(NULL, 0);
    if (named.len > 0)
        text_read(job, JOB_CAP, named);
    return true;
}

void journal_batch_release(struct batch *batch)
{
    free(batch->entries);
    free(batch->refusals);
    buf_release(&batch->bytes);
    *batch = (struct batch){0};
}

void journal_batch_begin(struct batch *batch, const struct journal *journal)
{
    batch->entries_n = 0;
    batch->refusals_n = 0;
    batch->unkept_n = 0;
    batch->enrolled_n = batch->corrected_n = 0;
    buf_reset(&batch->bytes);
    batch->before = batch->after = journal->head;
    batch->own_n = journal->own_n;
}

bool journal_batch_is_empty(const struct batch *batch)
{
    return batch->entries_n == 0 && batch->refusals_n == 0 && batch->unkept_n == 0;
}

bool journal_batch_is_full(const struct batch *batch, uint32_t events_max)
{
    return batch->entries_n + batch->refusals_n + batch->unkept_n >= events_max || batch->enrolled_n == BATCH_ENROLLED_MAX ||
           batch->corrected_n == BATCH_CORRECTED_MAX || batch->bytes.len >= BATCH_BYTES_MAX;
}

struct extent journal_batch_keep(struct batch *batch, struct bytes bytes)
{
    struct extent extent = {(uint32_t)batch->bytes.len, (uint32_t)bytes.len};
    assert(batch->bytes.len + bytes.len <= UINT32_MAX);
    if (bytes.len > 0)
        buf_append(&batch->bytes, bytes.data, bytes.len);
    return extent;
}

struct bytes journal_batch_bytes(const struct batch *batch, struct extent extent)
{
    return extent.len == 0 ? bytes_of(NULL, 0) : bytes_of(batch->bytes.data + extent.at, extent.len);
}

int64_t journal_rec(const struct journal *journal, int64_t now_us)
{
    if (journal->stream.clock == CLOCK_STEPPED)
        return journal->head.rec_us;
    return now_us > journal->head.rec_us ? now_us : journal->head.rec_us;
}

void journal_step(struct journal *journal, int64_t time_us)
{
    assert(journal->stream.clock == CLOCK_STEPPED);
    if (time_us > journal->head.rec_us)
        journal->head.rec_us = time_us;
}

void seal_half_next(const uint8_t before[SEAL_HALF], struct bytes of, uint8_t out[SEAL_HALF])
{
    uint8_t digest[DIGEST_BYTES];
    if (of.len == 0) {
        memmove(out, before, SEAL_HALF);
        return;
    }
    digest_of_two(bytes_of(before, SEAL_HALF), of, digest);
    memcpy(out, digest, SEAL_HALF);
}

void seal_next(const uint8_t before[SEAL_BYTES], struct bytes digest, struct bytes result, uint8_t out[SEAL_BYTES])
{
    seal_half_next(before, digest, out);
    seal_half_next(before + SEAL_HALF, result, out + SEAL_HALF);
}

static struct entry *entry_add(struct batch *batch)
{
    if (batch->entries_n == batch->entries_cap) {
        batch->entries_cap = batch->entries_cap == 0 ? 2 * BATCH_EVENTS_MAX : 2 * batch->entries_cap;
        batch->entries = memory_grow(batch->entries, batch->entries_cap * sizeof(*batch->entries));
    }
    return &batch->entries[batch->entries_n++];
}

uint64_t journal_append(struct journal *journal, struct batch *batch, struct event *event, int64_t source, int64_t rec_us,
                        struct bytes priv_map, const uint8_t salt[SALT_BYTES], const uint8_t *digest, struct bytes result)
{
    assert(rec_us >= journal->head.rec_us);
    event->pos = journal->head.pos + 1 + (MUTATION(MUTATION_POSITION_SKIPPED) && digest == NULL);
    event->rec_us = rec_us;
    event->cut = event->at_us > rec_us;
    if (event->at_us == 0 || event->cut)
        event->at_us = rec_us;

    struct entry *entry = entry_add(batch);
    entry->pos = event->pos;
    entry->source = source;
    entry->n = (int64_t)event->n;
    entry->rec_us = rec_us;
    memcpy(entry->type, event->type, sizeof(entry->type));
    memcpy(entry->key, event->key, sizeof(entry->key));
    memcpy(entry->region, event->region, sizeof(entry->region));
    memcpy(entry->site, event->site, sizeof(entry->site));
    entry->priv = (struct extent){0, 0};
    event->has_pd = priv_map.len > 0;
    if (event->has_pd) {
        entry->priv.at = (uint32_t)batch->bytes.len;
        priv_encode(salt, priv_map, &batch->bytes, event->pd);
        entry->priv.len = (uint32_t)batch->bytes.len - entry->priv.at;
    }
    entry->body.at = (uint32_t)batch->bytes.len;
    event_encode(event, &batch->bytes);
    entry->body.len = (uint32_t)batch->bytes.len - entry->body.at;
    entry->result = journal_batch_keep(batch, MUTATION(MUTATION_ANSWER_FORGOTTEN) ? bytes_of(NULL, 0) : result);
    link_next(journal->head.link, journal_batch_bytes(batch, entry->body), entry->link);
    if (digest != NULL)
        memcpy(entry->digest, digest, DIGEST_BYTES);
    else
        memset(entry->digest, 0, DIGEST_BYTES);
    seal_next(journal->head.seal, digest != NULL ? bytes_of(digest, DIGEST_BYTES) : bytes_of(NULL, 0),
              journal_batch_bytes(batch, entry->result), entry->seal);

    journal->head.pos = event->pos;
    journal->head.rec_us = journal->event_rec_us = rec_us;
    if (!MUTATION(MUTATION_LINK_KEPT))
        memcpy(journal->head.link, entry->link, LINK_BYTES);
    memcpy(journal->head.seal, entry->seal, SEAL_BYTES);
    batch->after = journal->head;
    return event->pos;
}

uint64_t journal_append_own(struct journal *journal, struct batch *batch, const char *type, uint32_t v, const char *key,
                            const char *region, const char *site, const struct record *record, const void *data,
                            uint64_t cause, int64_t rec_us, struct buf *scratch)
{
    struct event event = {.v = v, .cause = cause, .n = (uint64_t)++journal->own_n, .at_us = rec_us};
    batch->own_n = journal->own_n;
    text_format(event.type, sizeof(event.type), "%s", type);
    text_format(event.key, sizeof(event.key), "%s", key);
    text_format(event.region, sizeof(event.region), "%s", region);
    text_format(event.site, sizeof(event.site), "%s", site);
    text_format(event.from, sizeof(event.from), "%s", SOURCE_OWN_NAME);
    text_format(event.id, sizeof(event.id), "%s/%lld", SOURCE_OWN_NAME, (long long)journal->own_n);
    text_format(event.by, sizeof(event.by), "%s", SOURCE_OWN_NAME);
    buf_reset(scratch);
    record_encode(record, RECORD_PLAIN, data, scratch);
    event.data = buf_bytes(scratch);
    return journal_append(journal, batch, &event, SOURCE_OWN, rec_us, bytes_of(NULL, 0), NULL, NULL, bytes_of(NULL, 0));
}

void journal_refuse(struct batch *batch, int64_t source, int64_t n, int64_t rec_us, const uint8_t digest[DIGEST_BYTES],
                    const struct problem *problem, uint64_t repeat_of_pos, struct bytes result, struct bytes raw)
{
    if (batch->refusals_n == batch->refusals_cap) {
        batch->refusals_cap = batch->refusals_cap == 0 ? 16 : 2 * batch->refusals_cap;
        batch->refusals = memory_grow(batch->refusals, batch->refusals_cap * sizeof(*batch->refusals));
    }
    struct refusal *refusal = &batch->refusals[batch->refusals_n++];
    *refusal = (struct refusal){.source = source, .n = n, .rec_us = rec_us, .problem = *problem, .pos = repeat_of_pos};
    memcpy(refusal->digest, digest, DIGEST_BYTES);
    refusal->result = journal_batch_keep(batch, result);
    refusal->event = journal_batch_keep(batch, raw);
}
