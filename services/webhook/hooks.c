#include "hooks.h"
#include "base/text.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static const struct field type_elem = ELEM_TEXT(EVENT_TYPE_CAP);
static const struct field region_elem = ELEM_TEXT(EVENT_REGION_CAP);
static const struct field site_elem = ELEM_TEXT(EVENT_SITE_CAP);
static const struct field key_elem = ELEM_TEXT(EVENT_KEY_CAP);

static const struct field hook_fields[] = {
    F_TEXT(hook, name, FIELD_REQUIRED | FIELD_KEYLIKE, "what it is called; its cursor and its secret have that name"),
    F_TEXT(hook, url, FIELD_REQUIRED, "where events are POSTed: https://…, or http:// to this machine"),
    F_LIST(hook, types, 0, &type_elem, "prefixes of types; none: all"),
    F_LIST(hook, regions, 0, &region_elem, "prefixes of regions; none: all"),
    F_LIST(hook, sites, 0, &site_elem, "sites; none: all"),
    F_LIST(hook, keys, 0, &key_elem, "keys; none: all"),
    F_TEXT(hook, from, 0, "where a new one begins: now (default), start, or a position"),
    F_INT_DEF(hook, timeout_ms, 0, 10000, 100, 120000, "how long an answer may take"),
    F_INT_DEF(hook, parallel, 0, 8, 1, 64, "requests under way at once; events of one key always follow each other"),
    F_SPAN(hook, give_up, 0, "how long an event is tried before it is parked; default 24h"),
    F_BOOL(hook, insecure, 0, "http:// to another machine is meant"),
};
static const struct record hook_record = RECORD(hook, hook_fields, "one webhook");
static const struct field hook_elem = ELEM_RECORD(&hook_record, struct hook);

static const struct field hooks_fields[] = {
    F_TEXT(hooks, metrics, 0, "address and port of metrics and health over HTTP; default 127.0.0.1:7416"),
    F_TEXT(hooks, principal, FIELD_KEYLIKE, "as whom they read: what it may not see they do not get; over TCP by DATA/keys/PRINCIPAL.key; default operator"),
    {.name = "hooks", .kind = FIELD_LIST, F_AT(hooks, items), .flags = FIELD_REQUIRED, .elem = &hook_elem, .max = HOOKS_MAX,
     .count_offset = (uint32_t)offsetof(struct hooks, items_n), .doc = "the webhooks, at most 16"},
};
static const struct record hooks_record = RECORD(hooks, hooks_fields, "where events are sent to by HTTP");

static void complain(struct problems *problems, size_t at, const char *field, const char *code, const char *args)
{
    struct problem problem;
    char path[64];
    text_format(path, sizeof(path), "hooks[%zu].%s", at, field);
    problem_set(&problem, code, path, "%s", args);
    problems_add(problems, &problem);
}

/* The host stands behind "//" and before a port or a path. */
static bool is_this_machine(const char *url)
{
    static const char *const own[] = {"localhost", "[::1]"};
    const char *host = url + strlen("http://");
    size_t n = strcspn(host, ":/?#");
    if (host[0] == '[')
        n = strcspn(host, "]") + 1;
    for (size_t i = 0; i < COUNT_OF(own); i++)
        if (n == strlen(own[i]) && text_starts(host, own[i]) && strchr(":/", host[n]) != NULL)
            return true;
    /* 127.0.0.1 and its neighbours; not 127.example.com */
    char text[16];
    struct in_addr address;
    return text_copy_n(text, sizeof(text), host, n) && inet_pton(AF_INET, text, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

static bool is_position(const char *text)
{
    return text[0] != '\0' && strspn(text, "0123456789") == strlen(text) && strlen(text) < 19;
}

static void hook_check(const struct hooks *hooks, size_t at, struct problems *problems)
{
    const struct hook *hook = &hooks->items[at];
    for (size_t i = 0; i < at; i++)
        if (text_equal(hooks->items[i].name, hook->name))
            complain(problems, at, "name", "twice", hook->name);
    if (strpbrk(hook->url, " \t\r\n@") != NULL || (!text_starts(hook->url, "https://") && !text_starts(hook->url, "http://")))
        complain(problems, at, "url", "bad-value", "expected https://HOST/PATH, without a password in it");
    else if (text_starts(hook->url, "http://") && !hook->insecure && !is_this_machine(hook->url))
        complain(problems, at, "url", "bad-value", "expected https://; http:// to another machine wants insecure: true");
    if (!text_equal(hook->from, "now") && !text_equal(hook->from, "start") && !is_position(hook->from))
        complain(problems, at, "from", "bad-value", "now, start, or a position");
    if (hook->give_up.unit > SPAN_WEEKS || hook->give_up.n < 1)
        complain(problems, at, "give_up", "bad-value", "expected a time like 24h");
}

bool hooks_parse(const char *text, size_t n, struct hooks *hooks, struct problems *problems)
{
    size_t before = problems->n;
    if (!record_parse_yaml(&hooks_record, text, n, NULL, hooks, problems))
        return false;
    if (hooks->metrics[0] == '\0')
        text_copy(hooks->metrics, sizeof(hooks->metrics), "127.0.0.1:7416");
    if (hooks->principal[0] == '\0')
        text_copy(hooks->principal, sizeof(hooks->principal), "operator");
    for (size_t i = 0; i < hooks->items_n; i++) {
        struct hook *hook = &hooks->items[i];
        if (hook->from[0] == '\0')
            text_copy(hook->from, sizeof(hook->from), "now");
        if (hook->give_up.unit == SPAN_NONE)
            hook->give_up = (struct span){.n = 24, .unit = SPAN_HOURS};
        hook_check(hooks, i, problems);
    }
    return problems->n == before;
}

void hook_filter(const struct hook *hook, uint8_t out[DIGEST_BYTES])
{
    struct buf text = {0};
    for (uint32_t i = 0; i < hook->types_n; i++)
        buf_append_format(&text, "type %s\n", hook->types[i]);
    for (uint32_t i = 0; i < hook->regions_n; i++)
        buf_append_format(&text, "region %s\n", hook->regions[i]);
    for (uint32_t i = 0; i < hook->sites_n; i++)
        buf_append_format(&text, "site %s\n", hook->sites[i]);
    for (uint32_t i = 0; i < hook->keys_n; i++)
        buf_append_format(&text, "key %s\n", hook->keys[i]);
    digest_of(buf_bytes(&text), out);
    buf_release(&text);
}

const struct hook *hooks_find(const struct hooks *hooks, const char *name)
{
    for (size_t i = 0; i < hooks->items_n; i++)
        if (text_equal(hooks->items[i].name, name))
            return &hooks->items[i];
    return NULL;
}
