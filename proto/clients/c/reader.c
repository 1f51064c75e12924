/* Reading: batches judged before anybody sees them. The rules of proto/README.md are cited as F3, F6 … */
#include "inside.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 3 /* the same damage at the same place: it is not the line's */

struct aftercare_reader {
    struct aftercare *client;
    struct line line;
    struct aftercare_reading asked;
    int64_t have, owed, silence_ms, failed_at;
    uint8_t link[AFTERCARE_LINK]; /* all zero: not known */
    bool whole, opened, over;
    int session, failed;
    struct aftercare_event *events;
    size_t events_cap;
};

static void digest(const void *before, size_t before_len, const void *body, size_t len, uint8_t out[AFTERCARE_LINK])
{
    crypto_hash_sha256_state state;
    uint8_t all[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, before, before_len);
    crypto_hash_sha256_update(&state, body, len);
    crypto_hash_sha256_final(&state, all);
    memcpy(out, all, AFTERCARE_LINK);
}

static bool is_filtered(const struct aftercare_reading *asked)
{
    const char *const *const lists[] = {asked->types, asked->regions, asked->sites, asked->keys};
    bool any = false;
    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
        any = any || (lists[i] != NULL && lists[i][0] != NULL);
    return any;
}

/* A session where the last batch ended, over a new connection, so that nothing of the old one comes (F7). */
static void session_open(struct aftercare_reader *reader)
{
    const struct aftercare_reading *asked = &reader->asked;
    char consumer[NAME_CAP];
    if (!line_connect(&reader->line))
        return; /* a failure shows in aftercare_next() */
    reader->session++;
    reader->owed = 0;
    reader->opened = false;
    snprintf(consumer, sizeof(consumer), "%s%s%s", reader->client->principal, asked->name != NULL ? "/" : "", asked->name != NULL ? asked->name : "");
    bool linked = reader->have > 0 && !sodium_is_zero(reader->link, AFTERCARE_LINK);
    say(&reader->line, "OPEN", linked ? "ssilllltix" : "ssillllti", "stream", reader->client->stream, "consumer", consumer,
        "after", reader->have, "types", asked->types, "regions", asked->regions, "sites", asked->sites, "keys", asked->keys,
        "follow", (int)asked->follow, "credit", asked->credit, "link", reader->link, (size_t)AFTERCARE_LINK);
}

struct aftercare_reader *aftercare_read(struct aftercare *client, const struct aftercare_reading *asked)
{
    struct aftercare_reader *reader = sure(calloc(1, sizeof(*reader)));
    reader->client = client;
    reader->asked = *asked;
    reader->asked.credit = asked->credit > 0 ? asked->credit : 1 << 20;
    reader->have = asked->after;
    memcpy(reader->link, asked->link, AFTERCARE_LINK);
    if (reader->have == 0)
        digest("", 0, client->stream, strlen(client->stream), reader->link);
    reader->silence_ms = SILENCE_MS;
    reader->failed_at = -1;
    line_init(&reader->line, client, FEED);
    session_open(reader);
    return reader;
}

void aftercare_reader_close(struct aftercare_reader **reader_p)
{
    if (*reader_p == NULL)
        return;
    if ((*reader_p)->line.socket != NULL)
        say(&(*reader_p)->line, "CLOSE", "");
    line_release(&(*reader_p)->line);
    free((*reader_p)->events);
    free(*reader_p);
    *reader_p = NULL;
}

void aftercare_commit(struct aftercare_reader *reader, const struct aftercare_batch *batch)
{
    if (batch->session != reader->session)
        return;
    reader->owed -= (int64_t)batch->cost;
    say(&reader->line, "CREDIT", "ii", "bytes", (int64_t)batch->cost, "applied", batch->upto);
}

static bool is_understood(const struct aftercare_reader *reader, const struct aftercare_event *event)
{
    size_t n = strlen(event->type);
    for (const char *const *need = reader->asked.needs; need != NULL && *need != NULL; need++)
        if (strncmp(*need, event->type, n) == 0 && (*need)[n] == '/')
            return event->v <= strtol(*need + n + 1, NULL, 10);
    return true;
}

/* The personal part, where it is the one that was recorded (F15). */
static bool is_recorded(const struct aftercare_event *event, const msgpack_object_bin *priv, msgpack_zone *zone, const msgpack_object **out)
{
    msgpack_object whole;
    uint8_t digest[crypto_hash_sha256_BYTES];
    const void *recorded = bin_of(aftercare_get(&event->body, "pd"), sizeof(digest));
    crypto_hash_sha256(digest, (const uint8_t *)priv->ptr, priv->size);
    if (recorded == NULL || memcmp(recorded, digest, sizeof(digest)) != 0 || !unpack(priv->ptr, priv->size, zone, &whole) ||
        whole.type != MSGPACK_OBJECT_ARRAY || whole.via.array.size != 2)
        return false;
    *out = &whole.via.array.ptr[1];
    return true;
}

/* One [body, priv] behind position `at`. What is wrong with it, or NULL. */
static const char *event_judge(struct aftercare_reader *reader, msgpack_object_array pair, int64_t at, int64_t upto, struct aftercare_event *out)
{
    msgpack_zone *zone = &reader->line.zone;
    if (pair.size != 2 || pair.ptr[0].type != MSGPACK_OBJECT_BIN ||
        !unpack(pair.ptr[0].via.bin.ptr, pair.ptr[0].via.bin.size, zone, &out->body))
        return "corrupt";
    out->pos = aftercare_int(&out->body, "pos");
    out->v = aftercare_int(&out->body, "v");
    aftercare_text(&out->body, "type", out->type, sizeof(out->type));
    aftercare_text(&out->body, "key", out->key, sizeof(out->key));
    out->data = aftercare_get(&out->body, "data");
    out->personal = NULL;
    if (out->pos <= at || out->pos > upto || (reader->whole && out->pos != at + 1))
        return "hole";
    if (pair.ptr[1].type == MSGPACK_OBJECT_BIN && !is_recorded(out, &pair.ptr[1].via.bin, zone, &out->personal))
        return "priv";
    return is_understood(reader, out) ? NULL : "version";
}

/* The events decoded and the link at the end, where all is as it has to be (F3 to F6); else what is wrong. */
static const char *batch_judge(struct aftercare_reader *reader, struct aftercare_batch *out)
{
    const msgpack_object *map = &reader->line.map;
    const void *said = bin_of(aftercare_get(map, "link"), AFTERCARE_LINK);
    msgpack_object_array events = list_of(map, "events");
    int64_t at = reader->have;
    uint8_t link[AFTERCARE_LINK];
    memcpy(link, reader->link, sizeof(link));
    *out = (struct aftercare_batch){.n = events.size, .after = at, .upto = aftercare_int(map, "upto")};
    if (aftercare_int(map, "after") != at || out->upto < at || said == NULL)
        return "hole";
    if (out->n > reader->events_cap)
        reader->events = sure(realloc(reader->events, (reader->events_cap = out->n) * sizeof(*reader->events)));
    for (uint32_t i = 0; i < events.size; i++) {
        msgpack_object_array pair = events.ptr[i].type == MSGPACK_OBJECT_ARRAY ? events.ptr[i].via.array : (msgpack_object_array){0};
        const char *wrong = event_judge(reader, pair, at, out->upto, &reader->events[i]);
        if (wrong != NULL)
            return wrong;
        at = reader->events[i].pos;
        digest(link, sizeof(link), pair.ptr[0].via.bin.ptr, pair.ptr[0].via.bin.size, link);
    }
    if (reader->whole && at != out->upto)
        return "hole";
    if (reader->whole && !sodium_is_zero(reader->link, sizeof(link)) && memcmp(link, said, sizeof(link)) != 0)
        return "link";
    memcpy(out->link, said, sizeof(link));
    out->events = reader->events;
    out->cost = zmq_msg_size(&reader->line.data);
    out->session = reader->session;
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
            return fail(reader->client, wrong, why);
        session_open(reader);
        return false;
    }
    reader->have = out->upto;
    memcpy(reader->link, out->link, AFTERCARE_LINK);
    reader->owed += (int64_t)out->cost;
    reader->silence_ms = SILENCE_MS;
    line_good(&reader->line);
    return true;
}

/* All but BATCH. */
static void verb_take(struct aftercare_reader *reader)
{
    struct line *line = &reader->line;
    if (verb_is(line, "OPENED")) {
        reader->opened = true;
        reader->whole = is_true(&line->map, "whole") && !is_filtered(&reader->asked);
    } else if (verb_is(line, "FORK")) {
        fail(reader->client, "fork", "this journal is another than the one that was read");
    } else if (verb_is(line, "AHEAD")) {
        fail(reader->client, "ahead", "more was read than the journal holds: it was restored");
    } else if (verb_is(line, "DENIED") && !text_is(&line->map, "code", "full")) {
        fail_as_said(line, "denied.");
    } else if (verb_is(line, "ERROR") && text_is(&line->map, "code", "corrupt")) {
        fail_as_said(line, "");
    } else if (verb_is(line, "DENIED") || verb_is(line, "ERROR") || verb_is(line, "MOVED")) {
        line_moved(line);
        session_open(reader);
    } else if (reader->opened && (verb_is(line, "HEAD") || verb_is(line, "CAUGHT_UP"))) {
        line_good(line);
        reader->silence_ms = SILENCE_MS;
        reader->over = verb_is(line, "CAUGHT_UP") && !reader->asked.follow;
    }
}

enum aftercare_next aftercare_next(struct aftercare_reader *reader, struct aftercare_batch *out)
{
    while (reader->client->code[0] == '\0' && !reader->over) {
        if (reader->owed >= reader->asked.credit) {
            fail(reader->client, "credit", "commit what was read before reading on");
        } else if (!hear(&reader->line, reader->silence_ms)) { /* F12 */
            reader->silence_ms = reader->silence_ms < 20000 ? 2 * reader->silence_ms : 40000;
            session_open(reader);
        } else if (!verb_is(&reader->line, "BATCH")) {
            verb_take(reader);
        } else if (reader->opened && batch_take(reader, out)) {
            return AFTERCARE_BATCH;
        }
    }
    return reader->client->code[0] == '\0' ? AFTERCARE_CAUGHT_UP : AFTERCARE_FAILED;
}
