/* Appending: numbers, a window, answers, and the state file. The rules of proto/README.md are cited as A1, A5 … */
#include "inside.h"
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define EVENTS_MAX 256
#define BYTES_MAX (256 * 1024)
#define ELEMENT_BYTES 16 /* what an event costs beside its bytes */

struct aftercare_source {
    struct aftercare *client;
    struct line line;
    char name[2 * TEXT_MAX], state[1024];
    int lock;
    uint8_t incarnation[16];
    int64_t n;      /* of the first event that is kept */
    struct aftercare_bytes events[EVENTS_MAX];
    size_t events_n;
    int64_t answered, sent, durable; /* numbers */
    size_t window_events, window_bytes;
    int64_t beat_ms;
    int missed;
    aftercare_on_answer *on_answer;
    void *owner;
};

static void events_drop(struct aftercare_source *source)
{
    for (size_t i = 0; i < source->events_n; i++)
        free((void *)(uintptr_t)source->events[i].data);
    source->n += (int64_t)source->events_n;
    source->events_n = 0;
}

static void event_keep(struct aftercare_source *source, const void *data, size_t len)
{
    void *copy = malloc(len + 1);
    if (copy == NULL)
        abort();
    memcpy(copy, data, len);
    source->events[source->events_n++] = (struct aftercare_bytes){copy, len};
}

/* --- the state file: {source, incarnation, n, events: [bin …]}, always whole ------------------------- */

static bool written(const char *path, const msgpack_sbuffer *bytes)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return false;
    bool good = fwrite(bytes->data, 1, bytes->size, file) == bytes->size && fflush(file) == 0 && fsync(fileno(file)) == 0;
    return fclose(file) == 0 && good;
}

static bool folder_synced(const char *path)
{
    char folder[1024];
    snprintf(folder, sizeof(folder), "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash != NULL)
        slash[slash == folder] = '\0';
    int fd = open(slash != NULL ? folder : ".", O_RDONLY | O_DIRECTORY);
    bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return good;
}

static bool state_save(struct aftercare_source *source)
{
    char fresh[1040];
    msgpack_sbuffer bytes;
    msgpack_packer out;
    if (source->state[0] == '\0')
        return true;
    msgpack_sbuffer_init(&bytes);
    msgpack_packer_init(&out, &bytes, msgpack_sbuffer_write);
    msgpack_pack_map(&out, 4);
    put_text(&out, "source", source->name);
    put_bin(&out, "incarnation", source->incarnation, sizeof(source->incarnation));
    put_int(&out, "n", source->n);
    put(&out, "events");
    msgpack_pack_array(&out, source->events_n);
    for (size_t i = 0; i < source->events_n; i++)
        msgpack_pack_bin_with_body(&out, source->events[i].data, source->events[i].len);
    snprintf(fresh, sizeof(fresh), "%s.new", source->state);
    bool good = written(fresh, &bytes) && rename(fresh, source->state) == 0 && folder_synced(source->state);
    msgpack_sbuffer_destroy(&bytes);
    return good || client_fail(source->client, "state", "the state file cannot be written");
}

static bool state_read(struct aftercare_source *source, const msgpack_object *kept)
{
    char name[2 * TEXT_MAX];
    const msgpack_object *incarnation = aftercare_get(kept, "incarnation"), *events = aftercare_get(kept, "events");
    if (strcmp(aftercare_text(kept, "source", name, sizeof(name)), source->name) != 0 || incarnation == NULL ||
        incarnation->type != MSGPACK_OBJECT_BIN || incarnation->via.bin.size != 16 || events == NULL ||
        events->type != MSGPACK_OBJECT_ARRAY || events->via.array.size > EVENTS_MAX || aftercare_int(kept, "n") < 1)
        return client_fail(source->client, "state", "the state file is another source's");
    memcpy(source->incarnation, incarnation->via.bin.ptr, 16);
    source->n = aftercare_int(kept, "n");
    for (uint32_t i = 0; i < events->via.array.size; i++)
        if (events->via.array.ptr[i].type != MSGPACK_OBJECT_BIN)
            return client_fail(source->client, "state", "the state file is damaged");
    for (uint32_t i = 0; i < events->via.array.size; i++)
        event_keep(source, events->via.array.ptr[i].via.bin.ptr, events->via.array.ptr[i].via.bin.size);
    return true;
}

/* A file that is not there yet is a new source's. */
static bool state_load(struct aftercare_source *source)
{
    char lock[1040];
    snprintf(lock, sizeof(lock), "%s.lock", source->state);
    source->lock = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (source->lock < 0 || flock(source->lock, LOCK_EX | LOCK_NB) != 0)
        return client_fail(source->client, "state", "the state file is in use, or its folder cannot be written");
    FILE *file = fopen(source->state, "rb");
    if (file == NULL)
        return true;
    char *bytes = malloc(2 * BYTES_MAX);
    msgpack_zone zone;
    msgpack_object kept;
    if (bytes == NULL || !msgpack_zone_init(&zone, 4096))
        abort();
    size_t len = fread(bytes, 1, 2 * BYTES_MAX, file);
    fclose(file);
    bool good = unpack(bytes, len, &zone, &kept) ? state_read(source, &kept) : client_fail(source->client, "state", "the state file is damaged");
    msgpack_zone_destroy(&zone);
    free(bytes);
    return good;
}

/* --- the session ------------------------------------------------------------------------------------- */

static int64_t last_of(const struct aftercare_source *source)
{
    return source->n + (int64_t)source->events_n - 1;
}

/* From number n on, what the window lets go; more follows the answers. */
static void send_from(struct aftercare_source *source, int64_t n)
{
    msgpack_sbuffer map;
    msgpack_packer out;
    size_t at = (size_t)(n - source->n), end = at, size = 0;
    source->sent = n - 1;
    for (; end < source->events_n && end - at < source->window_events; end++) {
        if (end > at && size + source->events[end].len + ELEMENT_BYTES > source->window_bytes)
            break;
        size += source->events[end].len + ELEMENT_BYTES;
    }
    if (end <= at)
        return;
    msgpack_sbuffer_init(&map);
    msgpack_packer_init(&out, &map, msgpack_sbuffer_write);
    msgpack_pack_map(&out, 2);
    put_int(&out, "n", n);
    put(&out, "events");
    msgpack_pack_array(&out, end - at);
    for (size_t i = at; i < end; i++)
        msgpack_sbuffer_write(&map, source->events[i].data, source->events[i].len);
    line_say(&source->line, "APPEND", &map);
    msgpack_sbuffer_destroy(&map);
    source->sent = n + (int64_t)(end - at) - 1;
}

static void busy_wait(struct line *line)
{
    int64_t ms = aftercare_int(&line->map, "retry_ms");
    pause_for(ms < 1 ? 1 : ms > 60000 ? 60000 : ms);
}

static void hello_say(struct aftercare_source *source)
{
    msgpack_sbuffer map;
    msgpack_packer out;
    msgpack_sbuffer_init(&map);
    msgpack_packer_init(&out, &map, msgpack_sbuffer_write);
    msgpack_pack_map(&out, 6);
    put(&out, "proto");
    msgpack_pack_array(&out, 2);
    msgpack_pack_int(&out, 1);
    msgpack_pack_int(&out, 1);
    put_text(&out, "stream", source->client->stream);
    put_text(&out, "source", source->name);
    put_bin(&out, "incarnation", source->incarnation, 16);
    put_int(&out, "first", source->answered + 1);
    put_int(&out, "last", last_of(source));
    line_say(&source->line, "HELLO", &map);
    msgpack_sbuffer_destroy(&map);
}

/* HELLO until WELCOME, then on behind `durable`. */
static bool greet(struct aftercare_source *source)
{
    struct line *line = &source->line;
    do {
        if (!line_connect(line))
            return false;
        source->missed = 0;
        hello_say(source);
        bool heard = line_hear(line, SILENCE_MS);
        if (heard && verb_is(line, "BUSY"))
            busy_wait(line);
        else if (heard && verb_is(line, "MOVED"))
            line_moved(line);
        else if (heard && verb_is(line, "DENIED"))
            return fail_as_said(line, "denied.");
        else if (!heard)
            line->verb[0] = '\0';
    } while (!verb_is(line, "WELCOME"));
    const msgpack_object *window = aftercare_get(&line->map, "window");
    int64_t events = aftercare_int(window, "events"), bytes = aftercare_int(window, "bytes"), beat = aftercare_int(&line->map, "hb_ms");
    source->window_events = events > 0 && events < EVENTS_MAX ? (size_t)events : EVENTS_MAX;
    source->window_bytes = bytes > 0 && bytes < BYTES_MAX ? (size_t)bytes : BYTES_MAX;
    source->beat_ms = beat > 0 ? beat : SILENCE_MS;
    source->durable = aftercare_int(&line->map, "durable");
    send_from(source, (source->durable > source->answered ? source->durable : source->answered) + 1);
    return true;
}

static void answers_take(struct aftercare_source *source)
{
    const msgpack_object *list = aftercare_get(&source->line.map, "answers");
    for (uint32_t i = 0; list != NULL && list->type == MSGPACK_OBJECT_ARRAY && i < list->via.array.size; i++) {
        const msgpack_object *answer = &list->via.array.ptr[i], *at = answer->via.array.ptr;
        if (answer->type != MSGPACK_OBJECT_ARRAY || answer->via.array.size < 3 || at[0].type != MSGPACK_OBJECT_POSITIVE_INTEGER ||
            (int64_t)at[0].via.u64 != source->answered + 1 || source->answered == last_of(source))
            continue; /* of an answer heard before */
        struct aftercare_answer out = {.n = ++source->answered};
        if (at[1].type == MSGPACK_OBJECT_POSITIVE_INTEGER) {
            out.pos = (int64_t)at[1].via.u64;
            out.result = at[2].type == MSGPACK_OBJECT_MAP ? &at[2] : NULL;
        } else if (at[1].type == MSGPACK_OBJECT_STR) {
            snprintf(out.code, sizeof(out.code), "%.*s", (int)at[1].via.str.size, at[1].via.str.ptr);
            if (at[2].type == MSGPACK_OBJECT_STR)
                snprintf(out.field, sizeof(out.field), "%.*s", (int)at[2].via.str.size, at[2].via.str.ptr);
        }
        source->on_answer(source->owner, &out);
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
    } else if (verb_is(line, "NAK") && code_is(line, "gap")) { /* A7 */
        if (expected <= source->answered || expected > last_of(source))
            return false;
        send_from(source, expected);
    } else if (verb_is(line, "NAK")) {
        return client_fail(source->client, "conflict", "other content stands under a number: this source is frozen");
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
    msgpack_sbuffer nothing = {0};
    if (source->line.socket == NULL ? !greet(source) : (send_from(source, source->answered + 1), false))
        return false;
    while (source->answered < last_of(source)) {
        bool heard = line_hear(&source->line, source->beat_ms);
        source->missed = heard ? 0 : source->missed + 1;
        if (!heard && source->missed < 3)
            line_say(&source->line, "PING", &nothing);
        else if ((!heard || !answer_take(source)) && (source->client->code[0] != '\0' || !greet(source)))
            return false;
    }
    events_drop(source);
    return state_save(source);
}

struct aftercare_source *aftercare_source(struct aftercare *client, const char *state, const char *name, aftercare_on_answer *on_answer, void *owner)
{
    struct aftercare_source *source = calloc(1, sizeof(*source));
    char random[17];
    if (source == NULL)
        abort();
    source->client = client;
    source->on_answer = on_answer;
    source->owner = owner;
    source->n = 1;
    source->lock = -1;
    source->window_events = EVENTS_MAX;
    source->window_bytes = BYTES_MAX;
    randombytes_buf(source->incarnation, sizeof(source->incarnation));
    sodium_bin2hex(random, sizeof(random), source->incarnation, 8);
    bool plain = name == NULL && state != NULL;
    snprintf(source->name, sizeof(source->name), "%s%s%s", client->principal, plain ? "" : "/", plain ? "" : name != NULL ? name : random);
    snprintf(source->state, sizeof(source->state), "%s", state != NULL ? state : "");
    line_init(&source->line, client, CMD);
    bool good = client->code[0] == '\0' && (state == NULL || state_load(source));
    source->answered = source->n - 1;
    if (!good || (source->events_n > 0 && !deliver(source)))
        aftercare_source_close(&source);
    return source;
}

int64_t aftercare_source_n(const struct aftercare_source *source)
{
    return last_of(source) + 1;
}

bool aftercare_append(struct aftercare_source *source, const struct aftercare_bytes *events, size_t n)
{
    for (size_t i = 0; i < n && source->client->code[0] == '\0';) {
        for (size_t size = 0; i < n && source->events_n < EVENTS_MAX; i++) {
            size += events[i].len + ELEMENT_BYTES;
            if (source->events_n > 0 && size > BYTES_MAX - 64)
                break;
            event_keep(source, events[i].data, events[i].len);
        }
        if (!state_save(source) || !deliver(source))
            return false;
    }
    return source->client->code[0] == '\0';
}

void aftercare_source_close(struct aftercare_source **source_p)
{
    if (*source_p == NULL)
        return;
    events_drop(*source_p);
    line_release(&(*source_p)->line);
    if ((*source_p)->lock >= 0)
        close((*source_p)->lock);
    free(*source_p);
    *source_p = NULL;
}
