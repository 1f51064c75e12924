#include "fact.h"
#include "base/text.h"
#include "proto/ticket.h"
#include "record/pack.h"
#include <stdlib.h>
#include <string.h>

/* An event as its sender makes it, beside what an event may hold the branch's own word `corrects`. */
static const struct field fact_fields[] = {
    F_TEXT(fact, type, FIELD_REQUIRED, "event type"),
    F_INT_RANGE(fact, v, 0, 0, 1000, "version of its data, the newest when left out"),
    F_TEXT(fact, key, FIELD_KEYLIKE, "what it is about"),
    F_TIME(fact, at, 0, "when it happened"),
    F_TEXT(fact, by, 0, "who acted"),
    F_INT_RANGE(fact, cause, 0, 0, INT64_MAX, "position it follows from"),
    F_INT_RANGE(fact, corrects, 0, 0, INT64_MAX, "a refused one that this takes the place of"),
    F_RAW(fact, data, 0, EVENT_BYTES_MAX, "by the type's field table"),
    F_RAW(fact, priv, 0, EVENT_BYTES_MAX, "personal fields"),
};
static const struct record fact_record = RECORD(fact, fact_fields, "an event as its sender makes it");

/* What is added here (number, time) and at the centre (the envelope) must still fit. */
#define ADDED_BYTES_MAX (1024 + 256)

struct fact_reader {
    struct arena *arena;
    void *object;
    size_t object_cap;
};

struct fact_reader *fact_reader_new(void)
{
    struct fact_reader *reader = memory_new(sizeof(*reader));
    reader->arena = arena_new(64 * 1024);
    return reader;
}

void fact_reader_destroy(struct fact_reader **reader_p)
{
    if (*reader_p == NULL)
        return;
    arena_destroy(&(*reader_p)->arena);
    free((*reader_p)->object);
    free(*reader_p);
    *reader_p = NULL;
}

static bool is_map(struct bytes value)
{
    if (value.len == 0)
        return false;
    struct unpack at = unpack_of(value);
    return unpack_next(&at).type == PACK_MAP;
}

static bool envelope_read(struct bytes raw, struct fact *fact, struct problem *problem)
{
    static const uint8_t empty_map[] = {0x80};
    if (raw.len > EVENT_BYTES_MAX - ADDED_BYTES_MAX)
        return problem_set(problem, "too-long", "event", "%zu bytes, at most %d", raw.len, EVENT_BYTES_MAX - ADDED_BYTES_MAX);
    if (!is_map(raw))
        return problem_set(problem, "malformed", "event", "not a map");
    if (!record_decode(&fact_record, RECORD_WHOLE, DECODE_STRICT, raw, NULL, fact, problem))
        return false;
    if (fact->data.len == 0)
        fact->data = bytes_of(empty_map, 1);
    if (fact->priv.len > 0 && bytes_equal(fact->priv, bytes_of(empty_map, 1)))
        fact->priv = bytes_of(NULL, 0);
    if (!is_map(fact->data))
        return problem_set(problem, "malformed", "data", "not a map");
    return fact->priv.len == 0 || is_map(fact->priv) || problem_set(problem, "malformed", "priv", "not a map");
}

static void *object_of(struct fact_reader *reader, const struct record *record)
{
    if (record->size > reader->object_cap) {
        reader->object = memory_grow(reader->object, record->size);
        reader->object_cap = record->size;
    }
    return reader->object;
}

bool fact_is_registration(const struct fact *fact)
{
    return text_equal(fact->type, "ticket.registered");
}

bool fact_read(struct fact_reader *reader, struct bytes raw, struct fact *fact, struct problem *problem)
{
    arena_reset(reader->arena);
    memset(fact, 0, sizeof(*fact));
    if (!envelope_read(raw, fact, problem))
        return false;
    fact->known = event_type_find(fact->type, (uint32_t)fact->v);
    if (fact->known == NULL)
        return problem_set(problem, "type.unknown", "type", "%s %lld", fact->type, (long long)fact->v);
    if (fact->known->speaker != SPEAKER_FACT)
        return problem_set(problem, "denied", "type", "%s", fact->type);
    fact->v = fact->known->v;
    if (fact->key[0] == '\0' && !fact_is_registration(fact))
        return problem_set(problem, "missing", "key", "%s", "what it is about");
    void *object = object_of(reader, fact->known->data);
    if (!record_decode(fact->known->data, RECORD_PLAIN, DECODE_STRICT, fact->data, reader->arena, object, problem))
        return false;
    if (fact->priv.len > 0 && !record_decode(fact->known->data, RECORD_PERSONAL, DECODE_STRICT | DECODE_KEEP, fact->priv,
                                             reader->arena, object, problem))
        return false;
    if (fact_is_registration(fact))
        (void)text_copy(fact->request_id, sizeof(fact->request_id), ((const struct ticket_registered *)object)->request_id);
    return true;
}

void fact_print(const struct fact *fact, struct buf *out)
{
    const struct draft draft = {.type = fact->type,
                                .v = (uint32_t)fact->v,
                                .key = fact->key,
                                .at_us = fact->at_us,
                                .by = fact->by,
                                .cause = (uint64_t)fact->cause,
                                .data = fact->data,
                                .priv = fact->priv};
    draft_encode(&draft, out);
}

bool fact_names_file(const struct fact *fact, struct file_attached *file)
{
    struct problem problem;
    return text_equal(fact->type, "file.attached") && is_map(fact->data) &&
           record_decode(&file_attached_record, RECORD_PLAIN, DECODE_LENIENT, fact->data, NULL, file, &problem);
}

static bool envelope_decode(struct bytes draft, struct fact *fact)
{
    struct problem problem;
    memset(fact, 0, sizeof(*fact));
    return is_map(draft) && record_decode(&fact_record, RECORD_WHOLE, DECODE_LENIENT, draft, NULL, fact, &problem);
}

bool draft_names_file(struct bytes draft, struct file_attached *file, char ticket[EVENT_KEY_CAP])
{
    struct fact fact;
    return envelope_decode(draft, &fact) && fact_names_file(&fact, file) && text_copy(ticket, EVENT_KEY_CAP, fact.key);
}

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

static bool text_take(struct bytes value, char out[EVENT_KEY_CAP])
{
    if (value.len == 0)
        return false;
    struct unpack at = unpack_of(value);
    struct pack_value read = unpack_next(&at);
    return read.type == PACK_STR && text_copy_n(out, EVENT_KEY_CAP, (const char *)read.bytes.data, read.bytes.len);
}

/* `customer` is an id, or a map with one. */
static void customer_take(struct bytes data, char out[EVENT_KEY_CAP])
{
    struct bytes named = data.len > 0 ? map_find(data, "customer") : data;
    if (!text_take(named, out) && !(is_map(named) && text_take(map_find(named, "id"), out)))
        out[0] = '\0';
}

bool draft_read(struct bytes draft, struct fact *fact, char customer[EVENT_KEY_CAP])
{
    if (!envelope_decode(draft, fact))
        return false;
    customer_take(fact->data, customer);
    return true;
}

bool draft_request_id(struct bytes draft, char request_id[EVENT_KEY_CAP])
{
    struct fact fact;
    return envelope_decode(draft, &fact) && fact_is_registration(&fact) && fact.data.len > 0 &&
           text_take(map_find(fact.data, "request_id"), request_id);
}

bool fact_blank(const struct fact *fact, struct buf *without)
{
    struct fact blank = *fact;
    if (fact->priv.len == 0)
        return false;
    blank.priv = bytes_of(NULL, 0);
    fact_print(&blank, without);
    return true;
}
