/* The key file, and questions. */
#include "inside.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The n-th text behind "name": in the key file, which has each name once. */
static void key_text(const char *json, const char *name, int n, char *out, size_t cap)
{
    char quoted[32];
    const char *at, *end;
    snprintf(quoted, sizeof(quoted), "\"%s\"", name);
    at = strstr(json, quoted);
    at = at != NULL ? at + strlen(quoted) : "";
    at += strspn(at, " \t\r\n:");
    end = *at == '[' ? at + strcspn(at, "]") : at + strlen(at);
    for (at = strchr(at, '"'); at != NULL && n > 0; n--)
        at = (at = strchr(at + 1, '"')) != NULL ? strchr(at + 1, '"') : NULL;
    if (at != NULL && at < end && (end = strchr(at + 1, '"')) != NULL)
        snprintf(out, cap, "%.*s", (int)(end - at - 1), at + 1);
}

struct aftercare *aftercare_open(const char *key_file, int patience_s)
{
    static const char *const which[] = {"cmd", "feed"};
    struct aftercare *client = calloc(1, sizeof(*client));
    char json[16384], kind[8] = "";
    FILE *file = fopen(key_file, "rb");
    if (client == NULL || sodium_init() < 0)
        abort();
    json[file != NULL ? fread(json, 1, sizeof(json) - 1, file) : 0] = '\0';
    if (file != NULL)
        fclose(file);
    client->patience_s = patience_s;
    client->context = zmq_ctx_new();
    key_text(json, "aftercare", 0, kind, sizeof(kind));
    key_text(json, "stream", 0, client->stream, TEXT_MAX);
    key_text(json, "principal", 0, client->principal, TEXT_MAX);
    key_text(json, "public_key", 0, client->public_key, sizeof(client->public_key));
    key_text(json, "secret_key", 0, client->secret_key, sizeof(client->secret_key));
    key_text(json, "server_key", 0, client->server_key, sizeof(client->server_key));
    for (int i = 0; i < 2 * ENDPOINTS_MAX; i++)
        key_text(json, which[i % 2], i / 2, client->endpoints[i % 2][i / 2], TEXT_MAX);
    if (strcmp(kind, "key") != 0 || client->stream[0] == '\0' || client->principal[0] == '\0')
        client_fail(client, "key", "not a key file");
    line_init(&client->questions, client, FEED);
    return client;
}

void aftercare_close(struct aftercare **client_p)
{
    if (*client_p == NULL)
        return;
    line_release(&(*client_p)->questions);
    zmq_ctx_term((*client_p)->context);
    free(*client_p);
    *client_p = NULL;
}

static bool is_for_later(const struct line *line)
{
    static const char *const codes[] = {"nobody", "timeout", "behind", "busy", "database", "unavailable"};
    bool later = false;
    for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
        later = later || code_is(line, codes[i]);
    return later;
}

bool aftercare_ask(struct aftercare *client, const char *to, const char *question, const struct aftercare_bytes *args, int64_t at_least,
                   aftercare_on_row *on_row, void *owner, int64_t *as_of)
{
    struct line *line = &client->questions;
    char page[256] = "";
    for (bool more = true; more;) {
        msgpack_sbuffer map;
        msgpack_packer out;
        msgpack_sbuffer_init(&map);
        msgpack_packer_init(&out, &map, msgpack_sbuffer_write);
        msgpack_pack_map(&out, 6);
        put_int(&out, "id", ++client->asked);
        put_text(&out, "to", to);
        put_text(&out, "question", question);
        put_text(&out, "after", page);
        put_int(&out, "at_least", at_least);
        put(&out, "args");
        msgpack_sbuffer_write(&map, args != NULL ? args->data : "\x80", args != NULL ? args->len : 1);
        bool heard = line->socket != NULL || line_connect(line);
        if (heard)
            line_say(line, "ASK", &map);
        msgpack_sbuffer_destroy(&map);
        do /* answers to earlier ones may come (Q1) */
            heard = heard && line_hear(line, 2 * SILENCE_MS);
        while (heard && !verb_is(line, "MOVED") && aftercare_int(&line->map, "id") != client->asked);
        if (heard && verb_is(line, "ERROR") && !is_for_later(line))
            return fail_as_said(line, "");
        if (heard && verb_is(line, "MOVED"))
            line_moved(line);
        if (!heard || !verb_is(line, "ANSWER")) { /* Q3: later, over a new connection */
            if (!line_connect(line))
                return false;
            continue;
        }
        line_good(line);
        const msgpack_object *rows = aftercare_get(&line->map, "rows"), *again = aftercare_get(&line->map, "more");
        for (uint32_t i = 0; rows != NULL && rows->type == MSGPACK_OBJECT_ARRAY && i < rows->via.array.size; i++)
            on_row(owner, &rows->via.array.ptr[i]);
        if (as_of != NULL)
            *as_of = aftercare_int(&line->map, "as_of");
        aftercare_text(&line->map, "after", page, sizeof(page));
        more = again != NULL && again->type == MSGPACK_OBJECT_BOOLEAN && again->via.boolean;
    }
    return true;
}
