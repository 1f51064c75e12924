/* Reading: batches judged before anybody sees them. The rules of proto/README.md are cited as F3, F6 … */
#include "inside.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 3 /* the same damage at the same place: it is not the line's */

static bool bin_is(const msgpack_object *value, const void *data, size_t len)
{
    return value != NULL && value->type == MSGPACK_OBJECT_BIN && value->via.bin.size == len && memcmp(value->via.bin.ptr, data, len) == 0;
}

static void link_next(const void *before, size_t before_len, const void *body, size_t len, uint8_t out[AFTERCARE_LINK])
{
    crypto_hash_sha256_state state;
    uint8_t whole[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, before, before_len);
    crypto_hash_sha256_update(&state, body, len);
    crypto_hash_sha256_final(&state, whole);
    memcpy(out, whole, AFTERCARE_LINK);
}

struct aftercare_reader {
    struct aftercare *client;
    struct line line;
    struct aftercare_reading asked;
    int64_t have, owed, silence_ms, failed_at;
    uint8_t link[AFTERCARE_LINK];
    bool linked, filtered, whole, opened, over;
    int session, failed;
    struct aftercare_event *events;
    size_t events_cap;
};

static bool is_said(const uint8_t link[AFTERCARE_LINK])
{
    static const uint8_t none[AFTERCARE_LINK];
    return memcmp(link, none, AFTERCARE_LINK) != 0;
}

static uint32_t put_filter(msgpack_packer *out, const char *name, const char *const *texts)
{
    uint32_t n = 0;
    while (texts != NULL && texts[n] != NULL)
        n++;
    put(out, name);
    msgpack_pack_array(out, n);
    for (uint32_t i = 0; i < n; i++)
        put(out, texts[i]);
    return n;
}

/* A session where the last batch ended, over a new connection, so that nothing of the old one comes (F7). */
static bool reader_open(struct aftercare_reader *reader)
{
    const struct aftercare_reading *asked = &reader->asked;
    char consumer[2 * TEXT_MAX];
    msgpack_sbuffer map;
    msgpack_packer out;
    if (!line_connect(&reader->line))
        return false;
    reader->session++;
    reader->owed = 0;
    reader->opened = false;
    snprintf(consumer, sizeof(consumer), "%s%s%s", reader->client->principal, asked->name != NULL ? "/" : "", asked->name != NULL ? asked->name : "");
    msgpack_sbuffer_init(&map);
    msgpack_packer_init(&out, &map, msgpack_sbuffer_write);
    bool linked = reader->have > 0 && reader->linked;
    msgpack_pack_map(&out, linked ? 10 : 9);
    put_text(&out, "stream", reader->client->stream);
    put_text(&out, "consumer", consumer);
    put_int(&out, "after", reader->have);
    if (linked)
        put_bin(&out, "link", reader->link, AFTERCARE_LINK);
    reader->filtered = put_filter(&out, "types", asked->types) + put_filter(&out, "regions", asked->regions) +
                           put_filter(&out, "sites", asked->sites) + put_filter(&out, "keys", asked->keys) > 0;
    put(&out, "follow");
    asked->follow ? msgpack_pack_true(&out) : msgpack_pack_false(&out);
    put_int(&out, "credit", asked->credit);
    line_say(&reader->line, "OPEN", &map);
    msgpack_sbuffer_destroy(&map);
    return true;
}

struct aftercare_reader *aftercare_read(struct aftercare *client, const struct aftercare_reading *asked)
{
    struct aftercare_reader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL)
        abort();
    reader->client = client;
    reader->asked = *asked;
    reader->asked.credit = asked->credit > 0 ? asked->credit : 1 << 20;
    reader->have = asked->after;
    memcpy(reader->link, asked->link, AFTERCARE_LINK);
    if (reader->have == 0)
        link_next("", 0, client->stream, strlen(client->stream), reader->link);
    reader->linked = is_said(reader->link);
    reader->silence_ms = SILENCE_MS;
    reader->failed_at = -1;
    line_init(&reader->line, client, FEED);
    reader_open(reader); /* a failure shows in aftercare_next() */
    return reader;
}

void aftercare_reader_close(struct aftercare_reader **reader_p)
{
    msgpack_sbuffer nothing = {0};
    if (*reader_p == NULL)
        return;
    if ((*reader_p)->line.socket != NULL)
        line_say(&(*reader_p)->line, "CLOSE", &nothing);
    line_release(&(*reader_p)->line);
    free((*reader_p)->events);
    free(*reader_p);
    *reader_p = NULL;
}

void aftercare_commit(struct aftercare_reader *reader, const struct aftercare_batch *batch)
{
    msgpack_sbuffer map;
    msgpack_packer out;
    if (batch->session != reader->session)
        return;
    reader->owed -= (int64_t)batch->cost;
    msgpack_sbuffer_init(&map);
    msgpack_packer_init(&out, &map, msgpack_sbuffer_write);
    msgpack_pack_map(&out, 2);
    put_int(&out, "bytes", (int64_t)batch->cost);
    put_int(&out, "applied", batch->upto);
    line_say(&reader->line, "CREDIT", &map);
    msgpack_sbuffer_destroy(&map);
}

static bool is_understood(const struct aftercare_reader *reader, const struct aftercare_event *event)
{
    size_t n = strlen(event->type);
    for (const char *const *need = reader->asked.needs; need != NULL && *need != NULL; need++)
        if (strncmp(*need, event->type, n) == 0 && (*need)[n] == '/')
            return event->v <= strtol(*need + n + 1, NULL, 10);
    return true;
}

/* One [body, priv]. What is wrong with it, or NULL. */
static const char *event_judge(struct aftercare_reader *reader, const msgpack_object *pair, int64_t at, int64_t upto, struct aftercare_event *out)
{
    msgpack_zone *zone = &reader->line.zone;
    const msgpack_object *body, *priv;
    msgpack_object personal;
    uint8_t digest[crypto_hash_sha256_BYTES];
    if (pair->type != MSGPACK_OBJECT_ARRAY || pair->via.array.size != 2 || pair->via.array.ptr[0].type != MSGPACK_OBJECT_BIN)
        return "corrupt";
    body = &pair->via.array.ptr[0];
    priv = &pair->via.array.ptr[1];
    if (!unpack(body->via.bin.ptr, body->via.bin.size, zone, &out->body))
        return "corrupt";
    out->pos = aftercare_int(&out->body, "pos");
    out->v = aftercare_int(&out->body, "v");
    aftercare_text(&out->body, "type", out->type, sizeof(out->type));
    aftercare_text(&out->body, "key", out->key, sizeof(out->key));
    out->data = aftercare_get(&out->body, "data");
    out->personal = NULL;
    if (out->pos <= at || out->pos > upto || (reader->whole && out->pos != at + 1))
        return "hole";
    if (priv->type == MSGPACK_OBJECT_BIN) { /* F15 */
        crypto_hash_sha256(digest, (const uint8_t *)priv->via.bin.ptr, priv->via.bin.size);
        if (!bin_is(aftercare_get(&out->body, "pd"), digest, sizeof(digest)) || !unpack(priv->via.bin.ptr, priv->via.bin.size, zone, &personal) ||
            personal.type != MSGPACK_OBJECT_ARRAY || personal.via.array.size != 2)
            return "priv";
        out->personal = &personal.via.array.ptr[1];
    }
    return is_understood(reader, out) ? NULL : "version";
}

/* The events decoded and the link at the end, where all is as it has to be (F3 to F6); else what is wrong. */
static const char *batch_judge(struct aftercare_reader *reader, struct aftercare_batch *out)
{
    const msgpack_object *map = &reader->line.map, *events = aftercare_get(map, "events"), *link = aftercare_get(map, "link");
    uint32_t n = events != NULL && events->type == MSGPACK_OBJECT_ARRAY ? events->via.array.size : 0;
    int64_t at = reader->have;
    memcpy(out->link, reader->link, AFTERCARE_LINK);
    out->after = at;
    out->upto = aftercare_int(map, "upto");
    if (aftercare_int(map, "after") != at || out->upto < at)
        return "hole";
    if (n > reader->events_cap && (reader->events = realloc(reader->events, (reader->events_cap = n) * sizeof(*reader->events))) == NULL)
        abort();
    for (uint32_t i = 0; i < n; i++) {
        struct aftercare_event *event = &reader->events[i];
        const char *wrong = event_judge(reader, &events->via.array.ptr[i], at, out->upto, event);
        if (wrong != NULL)
            return wrong;
        const msgpack_object *body = &events->via.array.ptr[i].via.array.ptr[0];
        at = event->pos;
        link_next(out->link, AFTERCARE_LINK, body->via.bin.ptr, body->via.bin.size, out->link);
    }
    if (link == NULL || link->type != MSGPACK_OBJECT_BIN || link->via.bin.size != AFTERCARE_LINK || (reader->whole && at != out->upto))
        return "hole";
    if (reader->whole && reader->linked && !bin_is(link, out->link, AFTERCARE_LINK))
        return "link";
    memcpy(out->link, link->via.bin.ptr, AFTERCARE_LINK);
    out->events = reader->events;
    out->n = n;
    return NULL;
}

/* True: the batch is the caller's. */
static bool batch_take(struct aftercare_reader *reader, struct aftercare_batch *out)
{
    const char *wrong = batch_judge(reader, out);
    if (wrong != NULL) {
        char why[96];
        snprintf(why, sizeof(why), "the batch after %lld is not what it has to be", (long long)reader->have);
        reader->failed = reader->failed_at == reader->have ? reader->failed + 1 : 1;
        reader->failed_at = reader->have;
        if (reader->failed >= TRIES || strcmp(wrong, "version") == 0)
            return client_fail(reader->client, wrong, why);
        reader_open(reader);
        return false;
    }
    out->cost = reader->line.size;
    out->session = reader->session;
    reader->have = out->upto;
    memcpy(reader->link, out->link, AFTERCARE_LINK);
    reader->linked = true;
    reader->owed += (int64_t)out->cost;
    reader->silence_ms = SILENCE_MS;
    line_good(&reader->line);
    return true;
}

static void verb_take(struct aftercare_reader *reader)
{
    struct line *line = &reader->line;
    const msgpack_object *whole = aftercare_get(&line->map, "whole");
    bool heads = verb_is(line, "HEAD") || verb_is(line, "CAUGHT_UP");
    if (verb_is(line, "OPENED")) {
        reader->opened = true;
        reader->whole = whole != NULL && whole->type == MSGPACK_OBJECT_BOOLEAN && whole->via.boolean && !reader->filtered;
    } else if (verb_is(line, "FORK")) {
        client_fail(reader->client, "fork", "this journal is another than the one that was read");
    } else if (verb_is(line, "AHEAD")) {
        client_fail(reader->client, "ahead", "more was read than the journal holds: it was restored");
    } else if (verb_is(line, "DENIED") && !code_is(line, "full")) {
        fail_as_said(line, "denied.");
    } else if (verb_is(line, "ERROR") && code_is(line, "corrupt")) {
        fail_as_said(line, "");
    } else if (verb_is(line, "DENIED") || verb_is(line, "ERROR") || verb_is(line, "MOVED")) {
        line_moved(line);
        reader_open(reader);
    } else if (heads && reader->opened) {
        line_good(line);
        reader->silence_ms = SILENCE_MS;
        reader->over = verb_is(line, "CAUGHT_UP") && !reader->asked.follow;
    }
}

enum aftercare_next aftercare_next(struct aftercare_reader *reader, struct aftercare_batch *out)
{
    while (reader->client->code[0] == '\0' && !reader->over) {
        if (reader->owed >= reader->asked.credit) {
            client_fail(reader->client, "credit", "commit what was read before reading on");
        } else if (!line_hear(&reader->line, reader->silence_ms)) { /* F12 */
            reader->silence_ms = reader->silence_ms < 20000 ? 2 * reader->silence_ms : 40000;
            reader_open(reader);
        } else if (!verb_is(&reader->line, "BATCH")) {
            verb_take(reader);
        } else if (reader->opened && batch_take(reader, out)) {
            return AFTERCARE_BATCH;
        }
    }
    return reader->client->code[0] == '\0' ? AFTERCARE_CAUGHT_UP : AFTERCARE_FAILED;
}
