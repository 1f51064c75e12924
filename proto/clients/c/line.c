/* msgpack, and a line: one DEALER to one endpoint. */
#include "inside.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- msgpack ----------------------------------------------------------------------------------------- */

/* Whether the bytes are one value and no more. msgpack-c allocates what a length declares, so this is asked first (T3). */
static bool is_one_value(const uint8_t *data, size_t len)
{
    /* Of 0xc0 … 0xdf: how many bytes of a number, or of a length and an ext's type, stand behind the first one. */
    static const uint8_t widths[32] = {0, 0, 0, 0, 1, 2, 4, 2, 3, 5, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 3, 5, 9, 17, 1, 2, 4, 2, 4, 2, 4};
    size_t at = 0;
    for (size_t values = 1; values > 0; values--) {
        if (at == len)
            return false;
        uint8_t byte = data[at++];
        size_t width = byte >= 0xc0 && byte < 0xe0 ? widths[byte - 0xc0] : 0, n = 0, bytes = 0, inside = 0;
        if (width > len - at)
            return false;
        for (size_t i = 0; i < width; i++)
            n = n << 8 | data[at++];
        if (byte >= 0x80 && byte < 0xa0)
            inside = byte < 0x90 ? 2 * (byte & 15U) : byte & 15U;
        else if (byte >= 0xa0 && byte < 0xc0)
            bytes = byte & 31;
        else if (byte >= 0xc7 && byte <= 0xc9)
            bytes = n >> 8;
        else if ((byte >= 0xc4 && byte <= 0xc6) || (byte >= 0xd9 && byte <= 0xdb))
            bytes = n;
        else if (byte >= 0xdc && byte < 0xe0)
            inside = byte < 0xde ? n : 2 * n;
        if (bytes > len - at || inside > len - at - bytes)
            return false;
        at += bytes;
        values += inside;
    }
    return at == len;
}

bool unpack(const void *data, size_t len, msgpack_zone *zone, msgpack_object *out)
{
    size_t at = 0;
    return is_one_value(data, len) && msgpack_unpack(data, len, &at, zone, out) == MSGPACK_UNPACK_SUCCESS;
}

const msgpack_object *aftercare_get(const msgpack_object *map, const char *name)
{
    for (uint32_t i = 0; map != NULL && map->type == MSGPACK_OBJECT_MAP && i < map->via.map.size; i++) {
        const msgpack_object *key = &map->via.map.ptr[i].key;
        if (key->type == MSGPACK_OBJECT_STR && key->via.str.size == strlen(name) && memcmp(key->via.str.ptr, name, strlen(name)) == 0)
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

bool is_true(const msgpack_object *map, const char *name)
{
    const msgpack_object *value = aftercare_get(map, name);
    return value != NULL && value->type == MSGPACK_OBJECT_BOOLEAN && value->via.boolean;
}

bool text_is(const msgpack_object *map, const char *name, const char *text)
{
    char have[NAME_CAP];
    return strcmp(aftercare_text(map, name, have, sizeof(have)), text) == 0;
}

msgpack_object_array list_of(const msgpack_object *map, const char *name)
{
    const msgpack_object *value = aftercare_get(map, name);
    return value != NULL && value->type == MSGPACK_OBJECT_ARRAY ? value->via.array : (msgpack_object_array){0};
}

const void *bin_of(const msgpack_object *value, size_t len)
{
    return value != NULL && value->type == MSGPACK_OBJECT_BIN && value->via.bin.size == len ? value->via.bin.ptr : NULL;
}

static void put_text(msgpack_packer *out, const char *text)
{
    msgpack_pack_str_with_body(out, text, strlen(text));
}

static void put_texts(msgpack_packer *out, const char *const *texts)
{
    size_t n = 0;
    while (texts != NULL && texts[n] != NULL)
        n++;
    msgpack_pack_array(out, n);
    for (size_t i = 0; i < n; i++)
        put_text(out, texts[i]);
}

static void put_bytes(msgpack_packer *out, char letter, const void *data, size_t len)
{
    const struct aftercare_bytes *events = data;
    if (letter == 'x') {
        msgpack_pack_bin_with_body(out, data, len);
    } else if (letter == 'r') {
        msgpack_sbuffer_write(out->data, data, len);
    } else {
        msgpack_pack_array(out, len);
        for (size_t i = 0; i < len; i++)
            put_bytes(out, letter == 'e' ? 'r' : 'x', events[i].data, events[i].len);
    }
}

static void put_map(msgpack_sbuffer *map, const char *form, va_list args)
{
    msgpack_packer out;
    msgpack_sbuffer_init(map);
    msgpack_packer_init(&out, map, msgpack_sbuffer_write);
    msgpack_pack_map(&out, strlen(form));
    for (const char *letter = form; *letter != '\0'; letter++) {
        put_text(&out, va_arg(args, const char *));
        if (*letter == 'i') {
            msgpack_pack_int64(&out, va_arg(args, int64_t));
        } else if (*letter == 't') {
            va_arg(args, int) ? msgpack_pack_true(&out) : msgpack_pack_false(&out);
        } else if (*letter == 's') {
            put_text(&out, va_arg(args, const char *));
        } else if (*letter == 'l') {
            put_texts(&out, va_arg(args, const char *const *));
        } else {
            const void *data = va_arg(args, const void *);
            put_bytes(&out, *letter, data, va_arg(args, size_t));
        }
    }
}

void pack(msgpack_sbuffer *out, const char *form, ...)
{
    va_list args;
    va_start(args, form);
    put_map(out, form, args);
    va_end(args);
}

/* --- the line ---------------------------------------------------------------------------------------- */

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void line_init(struct line *line, struct aftercare *client, enum which which)
{
    *line = (struct line){.client = client, .endpoints = json_incref(client->endpoints[which]), .linger_ms = which == CMD ? 2000 : 0};
    zmq_msg_init(&line->verb);
    zmq_msg_init(&line->data);
    if (!msgpack_zone_init(&line->zone, 8192))
        abort();
}

void line_release(struct line *line)
{
    if (line->socket != NULL)
        zmq_close(line->socket);
    zmq_msg_close(&line->verb);
    zmq_msg_close(&line->data);
    msgpack_zone_destroy(&line->zone);
    json_decref(line->endpoints);
}

static bool socket_new(struct line *line)
{
    const struct aftercare *key = line->client;
    const int options[][2] = {{ZMQ_LINGER, line->linger_ms},  {ZMQ_HANDSHAKE_IVL, 5000},     {ZMQ_RECONNECT_IVL, 100},
                              {ZMQ_RECONNECT_IVL_MAX, 1000},  {ZMQ_TCP_KEEPALIVE, 1},        {ZMQ_TCP_KEEPALIVE_IDLE, 10},
                              {ZMQ_TCP_KEEPALIVE_INTVL, 5},   {ZMQ_TCP_KEEPALIVE_CNT, 3}};
    const int64_t largest = 1 << 20;
    size_t n = json_array_size(line->endpoints);
    const char *endpoint = n > 0 ? json_string_value(json_array_get(line->endpoints, line->turn++ % n)) : NULL;
    line->socket = sure(zmq_socket(key->context, ZMQ_DEALER));
    for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
        zmq_setsockopt(line->socket, options[i][0], &options[i][1], sizeof(int));
    zmq_setsockopt(line->socket, ZMQ_MAXMSGSIZE, &largest, sizeof(largest));
    bool good = key->server_key == NULL || (zmq_setsockopt(line->socket, ZMQ_CURVE_SERVERKEY, key->server_key, 41) == 0 &&
                                            zmq_setsockopt(line->socket, ZMQ_CURVE_PUBLICKEY, key->public_key, 41) == 0 &&
                                            zmq_setsockopt(line->socket, ZMQ_CURVE_SECRETKEY, key->secret_key, 41) == 0);
    return good && endpoint != NULL && zmq_connect(line->socket, endpoint) == 0;
}

bool line_connect(struct line *line)
{
    struct aftercare *client = line->client;
    int64_t now = now_ms();
    if (client->code[0] != '\0')
        return false;
    line->silent_ms = line->silent_ms == 0 ? now : line->silent_ms;
    if (client->patience_s > 0 && now - line->silent_ms > 1000 * (int64_t)client->patience_s)
        return fail(client, "silent", "nobody answers");
    const int now_or_never = 0; /* a HELLO left over would end the new session (T6) */
    if (line->socket != NULL) {
        zmq_setsockopt(line->socket, ZMQ_LINGER, &now_or_never, sizeof(now_or_never));
        zmq_close(line->socket);
    }
    zmq_poll(NULL, 0, line->pause_ms);
    line->pause_ms = line->pause_ms == 0 ? 100 : line->pause_ms < 2500 ? 2 * line->pause_ms : 5000;
    return socket_new(line) || fail(client, "key", "a key or an endpoint is none");
}

void line_good(struct line *line)
{
    line->pause_ms = 0;
    line->silent_ms = 0;
}

void line_moved(struct line *line)
{
    msgpack_object_array list = list_of(&line->map, "endpoints");
    if (list.size == 0)
        return;
    json_decref(line->endpoints);
    line->endpoints = sure(json_array());
    line->turn = 0;
    for (uint32_t i = 0; i < list.size; i++)
        if (list.ptr[i].type == MSGPACK_OBJECT_STR)
            json_array_append_new(line->endpoints, json_stringn(list.ptr[i].via.str.ptr, list.ptr[i].via.str.size));
}

void say(struct line *line, const char *verb, const char *form, ...)
{
    msgpack_sbuffer map;
    va_list args;
    va_start(args, form);
    put_map(&map, form, args);
    va_end(args);
    if (zmq_send(line->socket, verb, strlen(verb), ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0)
        zmq_send(line->socket, map.data, map.size, ZMQ_DONTWAIT);
    msgpack_sbuffer_destroy(&map);
}

/* What is no message of the protocol is dropped (T3). */
bool hear(struct line *line, int64_t ms)
{
    for (int64_t now = now_ms(), until = now + ms;; now = now_ms()) {
        int left = until > now ? (int)(until - now) : 0, frames = 0, more = 1;
        zmq_setsockopt(line->socket, ZMQ_RCVTIMEO, &left, sizeof(left));
        for (; more; frames++) {
            zmq_msg_t *frame = frames == 0 ? &line->verb : &line->data;
            if (zmq_msg_recv(frame, line->socket, 0) < 0)
                break;
            more = zmq_msg_more(frame);
        }
        if (frames == 0 && errno == EAGAIN)
            return false;
        msgpack_zone_clear(&line->zone);
        if (frames == 2 && !more && unpack(zmq_msg_data(&line->data), zmq_msg_size(&line->data), &line->zone, &line->map) &&
            line->map.type == MSGPACK_OBJECT_MAP)
            return true;
    }
}

bool verb_is(struct line *line, const char *verb)
{
    return zmq_msg_size(&line->verb) == strlen(verb) && memcmp(zmq_msg_data(&line->verb), verb, strlen(verb)) == 0;
}
