/* Appending: numbers, a window, answers, and the state file. The rules of proto/README.md are cited as A5, A6 … */
#include "inside.h"
#include <fcntl.h>
#include <libgen.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define PATH_CAP 1024
#define EVENTS_MAX 256
#define BYTES_MAX (256 * 1024)
#define ELEMENT_BYTES 16 /* what an event costs beside its bytes */

struct aftercare_source {
    struct aftercare *client;
    struct line line;
    char name[NAME_CAP], state[PATH_CAP];
    int lock, folder;
    uint8_t incarnation[16];
    int64_t n; /* of the first event that is kept */
    const struct aftercare_bytes *events; /* the caller's, or what the state file held */
    size_t events_n;
    int64_t answered, sent, durable; /* numbers */
    size_t window_events, window_bytes;
    int64_t beat_ms;
    int missed;
    aftercare_on_answer *on_answer;
    void *owner;
};

static int64_t last_of(const struct aftercare_source *source)
{
    return source->n + (int64_t)source->events_n - 1;
}

/* --- the state file: {source, incarnation, n, events: [bin …]}, always whole ------------------------- */

static bool state_save(struct aftercare_source *source)
{
    char fresh[PATH_CAP + 8];
    msgpack_sbuffer bytes;
    if (source->state[0] == '\0')
        return true;
    snprintf(fresh, sizeof(fresh), "%s.new", source->state);
    pack(&bytes, "sxiE", "source", source->name, "incarnation", source->incarnation, sizeof(source->incarnation), "n", source->n,
         "events", source->events, source->events_n);
    FILE *file = fopen(fresh, "wb");
    bool good = file != NULL && fwrite(bytes.data, 1, bytes.size, file) == bytes.size && fflush(file) == 0 && fsync(fileno(file)) == 0;
    good = (file == NULL || fclose(file) == 0) && good && rename(fresh, source->state) == 0 && fsync(source->folder) == 0;
    msgpack_sbuffer_destroy(&bytes);
    return good || fail(source->client, "state", "the state file cannot be written");
}

static bool deliver(struct aftercare_source *);

/* What an earlier process was given and heard no answer to is sent again. */
static bool state_take(struct aftercare_source *source, const msgpack_object *kept)
{
    struct aftercare_bytes events[EVENTS_MAX];
    const void *incarnation = bin_of(aftercare_get(kept, "incarnation"), sizeof(source->incarnation));
    msgpack_object_array list = list_of(kept, "events");
    bool good = text_is(kept, "source", source->name) && incarnation != NULL && list.size <= EVENTS_MAX && aftercare_int(kept, "n") > 0;
    for (uint32_t i = 0; good && i < list.size; i++) {
        good = list.ptr[i].type == MSGPACK_OBJECT_BIN;
        events[i] = (struct aftercare_bytes){list.ptr[i].via.bin.ptr, list.ptr[i].via.bin.size};
    }
    if (!good)
        return fail(source->client, "state", "the state file is another source's, or damaged");
    memcpy(source->incarnation, incarnation, sizeof(source->incarnation));
    source->n = aftercare_int(kept, "n");
    source->answered = source->n - 1;
    source->events = events;
    source->events_n = list.size;
    good = list.size == 0 || deliver(source);
    source->events = NULL;
    return good;
}

/* A file that is not there yet is a new source's. */
static bool state_load(struct aftercare_source *source)
{
    char path[PATH_CAP + 8];
    snprintf(path, sizeof(path), "%s.lock", source->state);
    source->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    source->folder = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (source->lock < 0 || source->folder < 0 || flock(source->lock, LOCK_EX | LOCK_NB) != 0)
        return fail(source->client, "state", "the state file is in use, or its folder cannot be written");
    FILE *file = fopen(source->state, "rb");
    if (file == NULL)
        return true;
    char *bytes = sure(malloc(2 * BYTES_MAX));
    msgpack_zone zone;
    msgpack_object kept;
    size_t len = fread(bytes, 1, 2 * BYTES_MAX, file);
    fclose(file);
    if (!msgpack_zone_init(&zone, 4096))
        abort();
    bool good = unpack(bytes, len, &zone, &kept) ? state_take(source, &kept) : fail(source->client, "state", "the state file is damaged");
    msgpack_zone_destroy(&zone);
    free(bytes);
    return good;
}

/* --- the session ------------------------------------------------------------------------------------- */

/* From number n on, what the window lets go; more follows the answers. */
static void send_from(struct aftercare_source *source, int64_t n)
{
    const struct aftercare_bytes *first = source->events + (n - source->n);
    size_t left = (size_t)(last_of(source) - n + 1), count = 0, size = 0;
    for (; count < left && count < source->window_events; count++) {
        size += first[count].len + ELEMENT_BYTES;
        if (count > 0 && size > source->window_bytes)
            break;
    }
    source->sent = n + (int64_t)count - 1;
    if (count > 0)
        say(&source->line, "APPEND", "ie", "n", n, "events", first, count);
}

static void busy_wait(struct line *line)
{
    int64_t ms = aftercare_int(&line->map, "retry_ms");
    zmq_poll(NULL, 0, ms < 1 ? 1 : ms > 60000 ? 60000 : (long)ms);
}

static void welcome_take(struct aftercare_source *source)
{
    const msgpack_object *map = &source->line.map, *window = aftercare_get(map, "window");
    int64_t events = aftercare_int(window, "events"), bytes = aftercare_int(window, "bytes"), beat = aftercare_int(map, "hb_ms");
    source->window_events = events > 0 && events < EVENTS_MAX ? (size_t)events : EVENTS_MAX;
    source->window_bytes = bytes > 0 && bytes < BYTES_MAX ? (size_t)bytes : BYTES_MAX;
    source->beat_ms = beat > 0 ? beat : SILENCE_MS;
    source->durable = aftercare_int(map, "durable");
    int64_t taken = source->durable < last_of(source) ? source->durable : last_of(source); /* their answers come by themselves (A2) */
    send_from(source, (taken > source->answered ? taken : source->answered) + 1);
}

/* HELLO until WELCOME, then on behind `durable`. */
static bool greet(struct aftercare_source *source)
{
    struct line *line = &source->line;
    for (;;) {
        if (!line_connect(line))
            return false;
        source->missed = 0;
        say(line, "HELLO", "rssxii", "proto", "\x92\x01\x01", (size_t)3, "stream", source->client->stream, "source", source->name,
            "incarnation", source->incarnation, sizeof(source->incarnation), "first", source->answered + 1, "last", last_of(source));
        if (!hear(line, SILENCE_MS))
            continue;
        if (verb_is(line, "WELCOME"))
            break;
        if (verb_is(line, "DENIED"))
            return fail_as_said(line, "denied.");
        if (verb_is(line, "BUSY"))
            busy_wait(line);
        else if (verb_is(line, "MOVED"))
            line_moved(line);
    }
    welcome_take(source);
    return true;
}

/* [n, pos, result] or [n, code, field, args]. */
static struct aftercare_answer answer_of(msgpack_object_array said, int64_t n)
{
    struct aftercare_answer answer = {.n = n};
    const msgpack_object *at = said.ptr;
    if (at[1].type == MSGPACK_OBJECT_POSITIVE_INTEGER) {
        answer.pos = (int64_t)at[1].via.u64;
        answer.result = at[2].type == MSGPACK_OBJECT_MAP ? &at[2] : NULL;
    } else if (at[1].type == MSGPACK_OBJECT_STR) {
        snprintf(answer.code, sizeof(answer.code), "%.*s", (int)at[1].via.str.size, at[1].via.str.ptr);
        if (at[2].type == MSGPACK_OBJECT_STR)
            snprintf(answer.field, sizeof(answer.field), "%.*s", (int)at[2].via.str.size, at[2].via.str.ptr);
    }
    return answer;
}

static void answers_take(struct aftercare_source *source)
{
    msgpack_object_array answers = list_of(&source->line.map, "answers");
    for (uint32_t i = 0; i < answers.size && source->answered < last_of(source); i++) {
        msgpack_object_array said = answers.ptr[i].type == MSGPACK_OBJECT_ARRAY ? answers.ptr[i].via.array : (msgpack_object_array){0};
        if (said.size < 3 || said.ptr[0].type != MSGPACK_OBJECT_POSITIVE_INTEGER || (int64_t)said.ptr[0].via.u64 != source->answered + 1)
            continue; /* of an answer heard before */
        struct aftercare_answer answer = answer_of(said, ++source->answered);
        source->on_answer(source->owner, &answer);
    }
    line_good(&source->line);
    if (source->sent < last_of(source) && source->answered >= source->sent)
        send_from(source, source->sent + 1);
}

/* False: the session is over, greet again (or the client has failed). */
static bool answer_take(struct aftercare_source *source)
{
    struct line *line = &source->line;
    int64_t expected = aftercare_int(&line->map, "expected");
    if (verb_is(line, "ACK")) {
        answers_take(source);
    } else if (verb_is(line, "BUSY")) { /* A6 */
        busy_wait(line);
        send_from(source, source->answered + 1);
    } else if (verb_is(line, "NAK") && text_is(&line->map, "code", "gap")) { /* A7 */
        if (expected <= source->answered || expected > last_of(source))
            return false;
        send_from(source, expected);
    } else if (verb_is(line, "NAK")) {
        return fail(source->client, "conflict", "other content stands under a number: this source is frozen");
    } else if (verb_is(line, "DENIED")) {
        return fail_as_said(line, "denied.");
    } else if (verb_is(line, "MOVED")) {
        line_moved(line);
        return false;
    }
    return !verb_is(line, "ERROR");
}

/* Everything kept is answered; then it is forgotten (A5). */
static bool deliver(struct aftercare_source *source)
{
    if (source->line.socket != NULL)
        send_from(source, source->answered + 1);
    else if (!greet(source))
        return false;
    while (source->answered < last_of(source)) {
        bool heard = hear(&source->line, source->beat_ms);
        source->missed = heard ? 0 : source->missed + 1;
        if (!heard && source->missed < 3)
            say(&source->line, "PING", "");
        else if ((!heard || !answer_take(source)) && (source->client->code[0] != '\0' || !greet(source)))
            return false;
    }
    source->n += (int64_t)source->events_n;
    source->events_n = 0;
    return state_save(source);
}

struct aftercare_source *aftercare_source(struct aftercare *client, const char *state, const char *name, aftercare_on_answer *on_answer, void *owner)
{
    struct aftercare_source *source = sure(calloc(1, sizeof(*source)));
    char random[17];
    *source = (struct aftercare_source){.client = client, .on_answer = on_answer, .owner = owner, .n = 1, .lock = -1, .folder = -1};
    randombytes_buf(source->incarnation, sizeof(source->incarnation));
    sodium_bin2hex(random, sizeof(random), source->incarnation, 8);
    bool plain = name == NULL && state != NULL;
    snprintf(source->name, sizeof(source->name), "%s%s%s", client->principal, plain ? "" : "/", plain ? "" : name != NULL ? name : random);
    snprintf(source->state, sizeof(source->state), "%s", state != NULL ? state : "");
    line_init(&source->line, client, CMD);
    if (client->code[0] != '\0' || (state != NULL && !state_load(source)))
        aftercare_source_close(&source);
    return source;
}

int64_t aftercare_source_n(const struct aftercare_source *source)
{
    return last_of(source) + 1;
}

bool aftercare_append(struct aftercare_source *source, const struct aftercare_bytes *events, size_t n)
{
    while (n > 0 && source->client->code[0] == '\0') {
        size_t part = 0;
        for (size_t size = 0; part < n && part < EVENTS_MAX; part++) {
            size += events[part].len + ELEMENT_BYTES;
            if (part > 0 && size > BYTES_MAX)
                break;
        }
        source->events = events;
        source->events_n = part;
        if (!state_save(source) || !deliver(source))
            return false;
        events += part;
        n -= part;
    }
    return source->client->code[0] == '\0';
}

void aftercare_source_close(struct aftercare_source **source_p)
{
    if (*source_p == NULL)
        return;
    line_release(&(*source_p)->line);
    if ((*source_p)->lock >= 0)
        close((*source_p)->lock);
    if ((*source_p)->folder >= 0)
        close((*source_p)->folder);
    free(*source_p);
    *source_p = NULL;
}
