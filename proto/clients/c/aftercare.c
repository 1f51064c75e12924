/* libaftercare: the key file, and questions. Reading is reader.c, appending source.c. */
#include "inside.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *sure(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

bool fail(struct aftercare *client, const char *code, const char *why)
{
    snprintf(client->code, sizeof(client->code), "%s", code);
    snprintf(client->why, sizeof(client->why), "%s", why);
    return false;
}

bool fail_as_said(struct line *line, const char *head)
{
    char code[48], why[200], whole[64];
    snprintf(whole, sizeof(whole), "%s%s", head, aftercare_text(&line->map, "code", code, sizeof(code)));
    return fail(line->client, whole, aftercare_text(&line->map, "why", why, sizeof(why)));
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
    struct aftercare *client = sure(calloc(1, sizeof(*client)));
    const char *what = "";
    int version = 0;
    if (sodium_init() < 0)
        abort();
    client->stream = client->principal = "";
    client->patience_s = patience_s;
    client->context = sure(zmq_ctx_new());
    client->key = json_load_file(key_file, 0, NULL);
    int read = json_unpack(client->key, "{s:s s:i s:s s:s s?s s?s s?s s:{s?o s?o}}", "aftercare", &what, "version", &version,
                           "stream", &client->stream, "principal", &client->principal, "public_key", &client->public_key,
                           "secret_key", &client->secret_key, "server_key", &client->server_key,
                           "endpoints", "cmd", &client->endpoints[CMD], "feed", &client->endpoints[FEED]);
    if (read != 0 || strcmp(what, "key") != 0 || version != 1)
        fail(client, "key", "not a key file of version 1");
    line_init(&client->questions, client, FEED);
    return client;
}

void aftercare_close(struct aftercare **client_p)
{
    if (*client_p == NULL)
        return;
    line_release(&(*client_p)->questions);
    zmq_ctx_term((*client_p)->context);
    json_decref((*client_p)->key);
    free(*client_p);
    *client_p = NULL;
}

static bool is_for_later(const struct line *line)
{
    static const char *const codes[] = {"nobody", "timeout", "behind", "busy", "database", "unavailable"};
    bool later = false;
    for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
        later = later || text_is(&line->map, "code", codes[i]);
    return later;
}

bool aftercare_ask(struct aftercare *client, const char *to, const char *question, const struct aftercare_bytes *args, int64_t at_least,
                   aftercare_on_row *on_row, void *owner, int64_t *as_of)
{
    static const struct aftercare_bytes none = {"\x80", 1};
    struct line *line = &client->questions;
    char page[NAME_CAP] = "";
    args = args != NULL ? args : &none;
    for (bool more = true; more;) {
        bool heard = line->socket != NULL || line_connect(line);
        client->asked++;
        if (heard)
            say(line, "ASK", "isssir", "id", client->asked, "to", to, "question", question, "after", page, "at_least", at_least,
                "args", args->data, args->len);
        do /* answers to earlier ones may come (Q1) */
            heard = heard && hear(line, 2 * SILENCE_MS);
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
        msgpack_object_array rows = list_of(&line->map, "rows");
        for (uint32_t i = 0; i < rows.size; i++)
            on_row(owner, &rows.ptr[i]);
        if (as_of != NULL)
            *as_of = aftercare_int(&line->map, "as_of");
        aftercare_text(&line->map, "after", page, sizeof(page));
        more = is_true(&line->map, "more");
    }
    return true;
}
