/* libaftercare: a face for who waits. What is said and heard, judged and kept in order is common/bus, as the daemons have it. */
#include "aftercare_inside.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/text.h"
#include "bus/inquiry.h"
#include "bus/reader.h"
#include "record/pack.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool client_fail(struct aftercare *client, const char *code, const char *why)
{
    text_copy(client->code, sizeof(client->code), code);
    text_copy(client->why, sizeof(client->why), why);
    return false;
}

bool client_is_well(const struct aftercare *client)
{
    return client->code[0] == '\0';
}

struct talk client_talk(struct aftercare *client, enum talk_machine kind, void *machine)
{
    struct bus_endpoints *all = &client->key.endpoints;
    struct talk talk = {.bus = client->bus, .kind = kind, .machine = machine, .patience_us = client->patience_us};
    bus_key_list(kind == TALK_SOURCE ? all->cmd : all->feed, kind == TALK_SOURCE ? all->cmd_n : all->feed_n, talk.list);
    return talk;
}

bool client_turn(struct aftercare *client, struct talk *talk)
{
    enum status status = talk_turn(talk);
    if (status == STATUS_CLOSED || status == STATUS_REFUSED)
        client_fail(client, status == STATUS_CLOSED ? "silent" : "key", talk->error);
    return status == STATUS_OK;
}

/* The principal's name, and what stands behind it. */
static void name_put(struct aftercare *client, const char *suffix, char out[EVENT_SOURCE_CAP])
{
    const char *name = suffix != NULL ? suffix : "", *slash = suffix != NULL ? "/" : "";
    if (snprintf(out, EVENT_SOURCE_CAP, "%s%s%s", client->key.principal, slash, name) >= EVENT_SOURCE_CAP)
        client_fail(client, "name", "a name has at most 95 bytes");
}

const char *aftercare_code(const struct aftercare *client)
{
    return client->code;
}

const char *aftercare_why(const struct aftercare *client)
{
    return client->why;
}

struct aftercare *aftercare_open(const char *key_file, int patience_s)
{
    struct aftercare *client = memory_new(sizeof(*client));
    struct problem problem;
    if (!bus_key_load(key_file, &client->key, &problem))
        client_fail(client, "key", problem.args);
    client->bus = bus_client_new(&client->key);
    client->patience_us = patience_s * SECOND_US;
    client->inquiry = inquiry_new();
    client->questions = client_talk(client, TALK_INQUIRY, client->inquiry);
    return client;
}

void aftercare_close(struct aftercare **client_p)
{
    struct aftercare *client = *client_p;
    if (client == NULL)
        return;
    talk_close(&client->questions);
    inquiry_destroy(&client->inquiry);
    bus_client_destroy(&client->bus);
    bus_key_forget(&client->key);
    free(client);
    *client_p = NULL;
}

/* Skimmed bytes: their lengths are true, and msgpack-c may believe them (T3). False: there are none. */
static bool unpack(struct bytes bytes, msgpack_zone *zone, msgpack_object *out)
{
    size_t at = 0;
    return bytes.len > 0 && msgpack_unpack((const char *)bytes.data, bytes.len, &at, zone, out) == MSGPACK_UNPACK_SUCCESS;
}

const msgpack_object *aftercare_get(const msgpack_object *map, const char *name)
{
    for (uint32_t i = 0; map != NULL && map->type == MSGPACK_OBJECT_MAP && i < map->via.map.size; i++) {
        const msgpack_object *key = &map->via.map.ptr[i].key;
        if (key->type == MSGPACK_OBJECT_STR && bytes_equal(bytes_of(key->via.str.ptr, key->via.str.size), bytes_of_text(name)))
            return &map->via.map.ptr[i].val;
    }
    return NULL;
}

int64_t aftercare_int(const msgpack_object *map, const char *name)
{
    const msgpack_object *value = aftercare_get(map, name);
    return value != NULL && value->type == MSGPACK_OBJECT_POSITIVE_INTEGER ? (int64_t)value->via.u64 : 0;
}

const char *aftercare_text(const msgpack_object *map, const char *name, char *out, size_t cap)
{
    const msgpack_object *value = aftercare_get(map, name);
    bool is = value != NULL && value->type == MSGPACK_OBJECT_STR;
    snprintf(out, cap, "%.*s", is ? (int)value->via.str.size : 0, is ? value->via.str.ptr : "");
    return out;
}

/* --- reading ----------------------------------------------------------------------------------------- */

struct aftercare_reader {
    struct aftercare *client;
    struct talk talk;
    struct reader *machine;
    msgpack_zone *zone; /* of the batch that was handed over last … */
    struct buf events;  /* … as struct aftercare_event */
};

static void on_event(void *owner, uint64_t pos, struct bytes body, struct bytes priv, const uint8_t link[LINK_BYTES])
{
    struct aftercare_reader *reader = owner;
    msgpack_object personal;
    (void)link;
    struct aftercare_event *event = (void *)buf_reserve(&reader->events, sizeof(*event));
    reader->events.len += sizeof(*event);
    *event = (struct aftercare_event){.pos = (int64_t)pos};
    unpack(body, reader->zone, &event->body);
    event->v = aftercare_int(&event->body, "v");
    aftercare_text(&event->body, "type", event->type, sizeof(event->type));
    aftercare_text(&event->body, "key", event->key, sizeof(event->key));
    event->data = aftercare_get(&event->body, "data");
    if (unpack(priv, reader->zone, &personal) && personal.type == MSGPACK_OBJECT_ARRAY && personal.via.array.size == 2)
        event->personal = &personal.via.array.ptr[1]; /* [salt, map] */
}

static void on_end(void *owner, const char *code, const char *why)
{
    client_fail(((struct aftercare_reader *)owner)->client, code, why);
}

struct aftercare_reader *aftercare_read(struct aftercare *client, const struct aftercare_reading *asked)
{
    static const struct reader_listener listener = {.event = on_event, .failed = on_end};
    struct aftercare_reader *reader = memory_new(sizeof(*reader));
    struct reader_config config = {.needs = asked->needs, .open = {.after = asked->after, .follow = asked->follow, .credit = asked->credit}};
    memcpy(config.open.link, asked->link, sizeof(config.open.link));
    memcpy(config.open.stream, client->key.stream, sizeof(config.open.stream));
    name_put(client, asked->name, config.open.consumer);
    if (!verb_open_narrow(&config.open, asked->types, asked->regions, asked->sites, asked->keys))
        client_fail(client, "filter", "too many of one kind, or one that is too long");
    *reader = (struct aftercare_reader){.client = client, .zone = msgpack_zone_new(8192)};
    reader->machine = reader_new(&config, &listener, reader);
    reader->talk = client_talk(client, TALK_READER, reader->machine);
    return reader;
}

void aftercare_reader_close(struct aftercare_reader **reader_p)
{
    struct aftercare_reader *reader = *reader_p;
    if (reader == NULL)
        return;
    talk_say(&reader->talk, "CLOSE", bytes_of("\x80", 1));
    talk_close(&reader->talk);
    reader_destroy(&reader->machine);
    msgpack_zone_free(reader->zone);
    buf_release(&reader->events);
    free(reader);
    *reader_p = NULL;
}

void aftercare_commit(struct aftercare_reader *reader, const struct aftercare_batch *batch)
{
    reader_applied(reader->machine, (uint64_t)batch->upto);
    talk_flush(&reader->talk);
}

enum aftercare_next aftercare_next(struct aftercare_reader *reader, struct aftercare_batch *out)
{
    if (reader_is_spent(reader->machine))
        client_fail(reader->client, "credit", "commit what was read before reading on");
    while (client_is_well(reader->client) && !reader_is_done(reader->machine)) {
        uint64_t after = reader_position(reader->machine), upto;
        buf_reset(&reader->events);
        msgpack_zone_clear(reader->zone);
        client_turn(reader->client, &reader->talk);
        reader_cursor(reader->machine, &upto, out->link);
        if (!client_is_well(reader->client) || upto == after) /* what came was no batch */
            continue;
        out->events = (void *)reader->events.data;
        out->n = reader->events.len / sizeof(*out->events);
        out->after = (int64_t)after;
        out->upto = (int64_t)upto;
        return AFTERCARE_BATCH;
    }
    return client_is_well(reader->client) ? AFTERCARE_CAUGHT_UP : AFTERCARE_FAILED;
}

/* --- appending --------------------------------------------------------------------------------------- */

#define PART_BYTES (APPEND_BYTES_MAX - 4096) /* of events at once; the rest is for what is around them, in APPEND and in the state file */

static const struct field event_elem = {.name = "", .kind = FIELD_BYTES, .size = sizeof(struct bytes)};
static const struct field state_fields[] = {
    {.name = "source", .kind = FIELD_TEXT, F_AT(state, config.name), .flags = FIELD_REQUIRED},
    {.name = "incarnation", .kind = FIELD_BIN, F_AT(state, config.incarnation), .flags = FIELD_REQUIRED},
    {.name = "n", .kind = FIELD_INT, F_AT(state, config.first), .flags = FIELD_REQUIRED, .min = 1, .max_int = INT64_MAX},
    F_SLICE(state, events, 0, &event_elem, APPEND_EVENTS_MAX, ""),
};
static const struct record state_record = RECORD(state, state_fields, "what a source keeps");

static bool state_save(struct aftercare_source *source)
{
    buf_reset(&source->image);
    record_encode(&state_record, RECORD_WHOLE, &source->state, &source->image);
    return source->path == NULL || file_replace(source->path, buf_bytes(&source->image)) ||
           client_fail(source->client, "state", "the state file cannot be written");
}

/* A file that is not there yet is a new source's. */
static bool state_load(struct aftercare_source *source, struct arena *arena)
{
    struct state kept = source->state;
    struct problem problem;
    if ((source->lock = file_lock(source->path)) < 0)
        return client_fail(source->client, "state", "the state file is in use, or its folder cannot be written");
    enum status status = file_load(source->path, APPEND_BYTES_MAX, &source->image);
    bool good = status == STATUS_OK && skim(buf_bytes(&source->image), &problem) &&
                record_decode(&state_record, RECORD_WHOLE, DECODE_STRICT | DECODE_KEEP, buf_bytes(&source->image), arena, &kept, &problem) &&
                text_equal(kept.config.name, source->state.config.name);
    if (good)
        source->state = kept;
    return good || status == STATUS_ABSENT || client_fail(source->client, "state", "the state file is another source's, or damaged");
}

static void on_answer(void *owner, const struct answer *said)
{
    struct aftercare_source *source = owner;
    struct aftercare_answer answer = {.n = said->n, .pos = said->pos, .code = said->problem.code, .field = said->problem.field};
    msgpack_zone *zone = msgpack_zone_new(1024);
    msgpack_object result;
    answer.result = unpack(said->result, zone, &result) ? &result : NULL;
    source->on_answer(source->owner, &answer);
    msgpack_zone_free(zone);
}

static void on_denied(void *owner, const char *code, const char *why)
{
    char whole[64];
    snprintf(whole, sizeof(whole), "denied.%s", code);
    client_fail(((struct aftercare_source *)owner)->client, whole, why);
}

static void on_conflict(void *owner, int64_t n)
{
    (void)n;
    client_fail(((struct aftercare_source *)owner)->client, "conflict", "other content stands under a number: this source is frozen");
}

/* What is kept is answered; then it is forgotten (A5). */
static bool deliver(struct aftercare_source *source)
{
    struct state *state = &source->state;
    source_append(source->machine, state->events.items, state->events.n, -1, 0);
    while (client_is_well(source->client) && source_pending(source->machine) > 0)
        client_turn(source->client, &source->talk);
    if (!client_is_well(source->client))
        return false;
    state->config.first += state->events.n;
    state->events.n = 0;
    return state_save(source);
}

struct aftercare_source *client_source(struct aftercare *client, const char *state, const char *name, const uint8_t *incarnation,
                                      aftercare_on_answer *tell, void *owner)
{
    static const struct source_listener listener = {.answer = on_answer, .denied = on_denied, .conflict = on_conflict};
    struct aftercare_source *source = memory_new(sizeof(*source));
    struct source_config *config = &source->state.config;
    struct arena *arena = arena_new(16384);
    char random[2 * 8 + 1];
    *source = (struct aftercare_source){.client = client, .lock = -1, .on_answer = tell, .owner = owner,
                                        .path = state != NULL ? memory_text(state) : NULL};
    *config = (struct source_config){.first = 1, .greeting_us = 5 * SECOND_US};
    memcpy(config->stream, client->key.stream, sizeof(config->stream));
    random_fill(config->incarnation, sizeof(config->incarnation));
    hex_print(config->incarnation, 8, random);
    if (incarnation != NULL)
        memcpy(config->incarnation, incarnation, sizeof(config->incarnation));
    name_put(client, name == NULL && state == NULL ? random : name, config->name);
    bool good = client_is_well(client) && (state == NULL || state_load(source, arena));
    config->last = config->first - 1;
    source->machine = source_new(config, &listener, source);
    source->talk = client_talk(client, TALK_SOURCE, source->machine);
    if (!good || (source->state.events.n > 0 && !deliver(source)))
        aftercare_source_close(&source);
    arena_destroy(&arena);
    return source;
}

struct aftercare_source *aftercare_source(struct aftercare *client, const char *state, const char *name, aftercare_on_answer *tell, void *owner)
{
    return client_source(client, state, name, NULL, tell, owner);
}

int64_t aftercare_source_n(const struct aftercare_source *source)
{
    return source_next_n(source->machine);
}

bool aftercare_append(struct aftercare_source *source, const struct aftercare_bytes *events, size_t n)
{
    struct bytes part[APPEND_EVENTS_MAX];
    struct problem problem;
    for (size_t at = 0, many, bytes; at < n && client_is_well(source->client); at += many) {
        for (many = bytes = 0; at + many < n && many < APPEND_EVENTS_MAX; many++) {
            struct bytes event = bytes_of(events[at + many].data, events[at + many].len);
            if (event.len > EVENT_BYTES_MAX || !skim(event, &problem))
                return client_fail(source->client, "malformed", "an event that is no msgpack of at most 64 KiB");
            if ((bytes += event.len) > PART_BYTES)
                break;
            part[many] = event;
        }
        source->state.events = (struct slice){.items = part, .n = (uint32_t)many};
        if (!state_save(source) || !deliver(source))
            return false;
    }
    return client_is_well(source->client);
}

void aftercare_source_close(struct aftercare_source **source_p)
{
    struct aftercare_source *source = *source_p;
    if (source == NULL)
        return;
    talk_close(&source->talk);
    source_destroy(&source->machine);
    buf_release(&source->image);
    if (source->lock >= 0)
        close(source->lock);
    free(source->path);
    free(source);
    *source_p = NULL;
}

/* --- asking ------------------------------------------------------------------------------------------ */

bool aftercare_ask(struct aftercare *client, const char *to, const char *question, const struct aftercare_bytes *args, int64_t at_least,
                   aftercare_on_row *on_row, void *owner, int64_t *as_of)
{
    struct verb_ask ask = {.at_least = at_least, .args = args != NULL ? bytes_of(args->data, args->len) : bytes_of(NULL, 0)};
    msgpack_zone *zone = msgpack_zone_new(8192);
    msgpack_object row;
    if (!text_copy(ask.to, sizeof(ask.to), to) || !text_copy(ask.question, sizeof(ask.question), question))
        client_fail(client, "unknown-question", "nothing has so long a name");
    inquiry_ask(client->inquiry, &ask);
    while (client_is_well(client) && !inquiry_is_over(client->inquiry)) {
        client_turn(client, &client->questions);
        msgpack_zone_clear(zone); /* a page at a time */
        const struct verb_answer *page = inquiry_page(client->inquiry);
        for (uint32_t i = 0; i < page->rows.n; i++)
            if (unpack(((const struct bytes *)page->rows.items)[i], zone, &row))
                on_row(owner, &row);
        if (as_of != NULL)
            *as_of = page->as_of;
    }
    msgpack_zone_free(zone);
    const struct verb_error *refusal = inquiry_refusal(client->inquiry);
    return client_is_well(client) && (refusal->code[0] == '\0' || client_fail(client, refusal->code, refusal->why));
}
