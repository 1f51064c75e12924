/* msgpack, and a line: one DEALER to one endpoint. */
#include "inside.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

bool client_fail(struct aftercare *client, const char *code, const char *why)
{
    snprintf(client->code, sizeof(client->code), "%s", code);
    snprintf(client->why, sizeof(client->why), "%s", why);
    return false;
}

const char *aftercare_code(const struct aftercare *client)
{
    return client->code;
}

const char *aftercare_why(const struct aftercare *client)
{
    return client->why;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void pause_for(int64_t ms)
{
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
}

/* --- msgpack ----------------------------------------------------------------------------------------- */

/* How many bytes one value takes; 0: it is none. msgpack-c allocates what a length declares, so it is asked first. */
static size_t measure(const uint8_t *at, size_t left, int depth)
{
    static const uint8_t widths[32] = {0, 0, 0, 0, 1, 2, 4, 2, 3, 5, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 3, 5, 9, 17, 1, 2, 4, 2, 4, 2, 4};
    if (left == 0 || depth > 16 || *at == 0xc1)
        return 0;
    uint8_t byte = *at;
    size_t width = byte >= 0xc0 && byte < 0xe0 ? widths[byte - 0xc0] : 0, size = 1 + width, n = 0, values = 0;
    if (size > left)
        return 0;
    for (size_t i = 0; i < width && i < 4; i++)
        n = n << 8 | at[1 + i];
    if (byte >= 0xc4 && byte <= 0xc9) /* bin, ext: the length, and ext's type behind it */
        size += byte <= 0xc6 ? n : n >> (byte == 0xc9 ? 0 : 8);
    else if (byte >= 0xd9 && byte <= 0xdb)
        size += n;
    else if (byte >= 0xa0 && byte < 0xc0)
        size += byte & 31;
    else if (byte >= 0xdc && byte < 0xe0)
        values = byte < 0xde ? n : 2 * n;
    else if (byte >= 0x80 && byte < 0xa0)
        values = byte < 0x90 ? 2 * (byte & 15U) : byte & 15U;
    if (size > left || values > left - size)
        return 0;
    for (; values > 0; values--) {
        size_t one = measure(at + size, left - size, depth + 1);
        if (one == 0)
            return 0;
        size += one;
    }
    return size;
}

bool unpack(const void *data, size_t len, msgpack_zone *zone, msgpack_object *out)
{
    size_t at = 0;
    return measure(data, len, 0) == len && msgpack_unpack(data, len, &at, zone, out) == MSGPACK_UNPACK_SUCCESS;
}

const msgpack_object *aftercare_get(const msgpack_object *map, const char *name)
{
    for (uint32_t i = 0; map != NULL && map->type == MSGPACK_OBJECT_MAP && i < map->via.map.size; i++) {
        const msgpack_object_kv *pair = &map->via.map.ptr[i];
        if (pair->key.type == MSGPACK_OBJECT_STR && pair->key.via.str.size == strlen(name) &&
            memcmp(pair->key.via.str.ptr, name, strlen(name)) == 0)
            return &pair->val;
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

void put(msgpack_packer *out, const char *name)
{
    msgpack_pack_str_with_body(out, name, strlen(name));
}

void put_text(msgpack_packer *out, const char *name, const char *value)
{
    put(out, name);
    put(out, value);
}

void put_int(msgpack_packer *out, const char *name, int64_t value)
{
    put(out, name);
    msgpack_pack_int64(out, value);
}

void put_bin(msgpack_packer *out, const char *name, const void *data, size_t len)
{
    put(out, name);
    msgpack_pack_bin_with_body(out, data, len);
}

/* --- the line ---------------------------------------------------------------------------------------- */

void line_init(struct line *line, struct aftercare *client, enum which which)
{
    *line = (struct line){.client = client, .which = which, .turn = -1};
    memcpy(line->endpoints, client->endpoints[which], sizeof(line->endpoints));
    zmq_msg_init(&line->held);
    if (!msgpack_zone_init(&line->zone, 8192))
        abort();
}

void line_release(struct line *line)
{
    if (line->socket != NULL)
        zmq_close(line->socket);
    zmq_msg_close(&line->held);
    msgpack_zone_destroy(&line->zone);
}

/* Anew, not sooner than the pause allows. False: out of patience. */
bool line_connect(struct line *line)
{
    const struct aftercare *key = line->client;
    const int options[][2] = {{ZMQ_LINGER, line->which == CMD ? 2000 : 0}, {ZMQ_HANDSHAKE_IVL, 5000}, {ZMQ_HEARTBEAT_IVL, 5000},
                              {ZMQ_HEARTBEAT_TIMEOUT, 15000}, {ZMQ_RECONNECT_IVL, 100}, {ZMQ_RECONNECT_IVL_MAX, 1000}};
    int64_t largest = 1 << 20;
    if (line->client->code[0] != '\0')
        return false;
    if (line->silent_ms == 0)
        line->silent_ms = now_ms();
    if (key->patience_s > 0 && now_ms() - line->silent_ms > 1000 * (int64_t)key->patience_s)
        return client_fail(line->client, "silent", "nobody answers");
    if (line->socket != NULL)
        zmq_close(line->socket);
    pause_for(line->pause_ms);
    line->pause_ms = line->pause_ms == 0 ? 100 : line->pause_ms < 2500 ? 2 * line->pause_ms : 5000;
    line->turn = (line->turn + 1) % ENDPOINTS_MAX;
    if (line->endpoints[line->turn][0] == '\0')
        line->turn = 0;
    if ((line->socket = zmq_socket(key->context, ZMQ_DEALER)) == NULL)
        abort();
    for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
        zmq_setsockopt(line->socket, options[i][0], &options[i][1], sizeof(int));
    zmq_setsockopt(line->socket, ZMQ_MAXMSGSIZE, &largest, sizeof(largest));
    bool good = key->server_key[0] == '\0' || (zmq_setsockopt(line->socket, ZMQ_CURVE_SERVERKEY, key->server_key, 41) == 0 &&
                                               zmq_setsockopt(line->socket, ZMQ_CURVE_PUBLICKEY, key->public_key, 41) == 0 &&
                                               zmq_setsockopt(line->socket, ZMQ_CURVE_SECRETKEY, key->secret_key, 41) == 0);
    return (good && zmq_connect(line->socket, line->endpoints[line->turn]) == 0) || client_fail(line->client, "key", "a key or an endpoint is none");
}

void line_good(struct line *line)
{
    line->pause_ms = 0;
    line->silent_ms = 0;
}

void line_say(struct line *line, const char *verb, const msgpack_sbuffer *map)
{
    if (zmq_send(line->socket, verb, strlen(verb), ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0)
        zmq_send(line->socket, map->size > 0 ? map->data : "\x80", map->size > 0 ? map->size : 1, ZMQ_DONTWAIT);
}

/* One message off the socket. False: it is none of the protocol's, and dropped (T3). */
static bool line_take(struct line *line)
{
    int frames = 0, more = 1;
    bool good = true;
    for (size_t size = sizeof(more); more; frames++, zmq_getsockopt(line->socket, ZMQ_RCVMORE, &more, &size)) {
        zmq_msg_t frame;
        zmq_msg_init(&frame);
        if (zmq_msg_recv(&frame, line->socket, 0) < 0)
            return false;
        if (frames == 0 && (good = zmq_msg_size(&frame) < sizeof(line->verb)))
            snprintf(line->verb, sizeof(line->verb), "%.*s", (int)zmq_msg_size(&frame), (const char *)zmq_msg_data(&frame));
        if (frames == 1)
            zmq_msg_move(&line->held, &frame);
        zmq_msg_close(&frame);
    }
    line->size = zmq_msg_size(&line->held);
    msgpack_zone_clear(&line->zone);
    return good && frames == 2 && unpack(zmq_msg_data(&line->held), line->size, &line->zone, &line->map) &&
           line->map.type == MSGPACK_OBJECT_MAP;
}

/* False: silence. Else verb, map and size hold until the next call. */
bool line_hear(struct line *line, int64_t ms)
{
    for (int64_t until = now_ms() + ms;;) {
        zmq_pollitem_t item = {.socket = line->socket, .events = ZMQ_POLLIN};
        int64_t left = until - now_ms();
        int ready = zmq_poll(&item, 1, left > 0 ? (long)left : 0);
        if (ready > 0 && line_take(line))
            return true;
        if (ready == 0 && left <= 0)
            return false;
    }
}

bool verb_is(const struct line *line, const char *verb)
{
    return strcmp(line->verb, verb) == 0;
}

bool code_is(const struct line *line, const char *code)
{
    char have[TEXT_MAX];
    return strcmp(aftercare_text(&line->map, "code", have, sizeof(have)), code) == 0;
}

bool fail_as_said(struct line *line, const char *head)
{
    char code[48], why[200], whole[64];
    snprintf(whole, sizeof(whole), "%s%s", head, aftercare_text(&line->map, "code", code, sizeof(code)));
    return client_fail(line->client, whole, aftercare_text(&line->map, "why", why, sizeof(why)));
}

/* The endpoints that MOVED names, if any: the next connection goes there. */
void line_moved(struct line *line)
{
    const msgpack_object *list = aftercare_get(&line->map, "endpoints");
    if (list == NULL || list->type != MSGPACK_OBJECT_ARRAY || list->via.array.size == 0)
        return;
    memset(line->endpoints, 0, sizeof(line->endpoints));
    for (uint32_t i = 0; i < list->via.array.size && i < ENDPOINTS_MAX; i++)
        if (list->via.array.ptr[i].type == MSGPACK_OBJECT_STR)
            snprintf(line->endpoints[i], TEXT_MAX, "%.*s", (int)list->via.array.ptr[i].via.str.size, list->via.array.ptr[i].via.str.ptr);
    line->turn = -1;
}
