#include "services/sla-watchdog/data.h"

#include "base/text.h"
#include "proto/catalogue.h"
#include "record/pack.h"

#include <stdlib.h>
#include <string.h>

/* The value that a path such as customer.grade leads to. */
static bool value_find(struct bytes map, const char *path, struct pack_value *out)
{
    size_t n = strcspn(path, ".");
    struct unpack at = unpack_of(map);
    if (map.len == 0)
        return false;
    struct pack_value head = unpack_next(&at);
    if (head.type != PACK_MAP)
        return false;
    for (uint32_t pairs = head.n; pairs > 0; pairs--) {
        struct bytes name = unpack_next(&at).bytes, raw = unpack_raw(&at);
        if (name.len != n || memcmp(name.data, path, n) != 0)
            continue;
        if (path[n])
            return value_find(raw, path + n + 1, out);
        struct unpack inside = unpack_of(raw);
        *out = unpack_next(&inside);
        return true;
    }
    return false;
}

static bool default_text(const struct event *event, const char *path, char *out, size_t cap)
{
    const struct event_type *type = event_type_find(event->type, event->v);
    const struct field *field = type && type->data ? record_field(type->data, path) : NULL;
    if (!field)
        return false;
    switch (field->kind) {
    case FIELD_BOOL:
        return text_copy(out, cap, field->def ? "true" : "false");
    case FIELD_INT:
        text_format(out, cap, "%lld", (long long)field->def);
        return true;
    case FIELD_ENUM:
        return text_copy(out, cap, field->names[field->def]);
    case FIELD_TIME:
    case FIELD_SPAN:
    case FIELD_TEXT:
    case FIELD_BIN:
    case FIELD_BYTES:
    case FIELD_RAW:
    case FIELD_BLOB:
    case FIELD_RECORD:
    case FIELD_LIST:
    case FIELD_SLICE:
        break;
    }
    return false;
}

static bool data_text(void *ctx, const char *path, char *out, size_t cap)
{
    const struct event *event = ctx;
    struct pack_value value;
    if (!value_find(event->data, path, &value))
        return default_text(event, path, out, cap);
    switch (value.type) {
    case PACK_STR:
        return text_copy_n(out, cap, (const char *)value.bytes.data, value.bytes.len);
    case PACK_BOOL:
        return text_copy(out, cap, value.boolean ? "true" : "false");
    case PACK_INT:
        text_format(out, cap, "%lld", (long long)value.integer);
        return true;
    case PACK_NIL:
    case PACK_UINT:
    case PACK_FLOAT:
    case PACK_BIN:
    case PACK_ARRAY:
    case PACK_MAP:
    case PACK_TIME:
        break;
    }
    return false;
}

struct policy_data sla_watchdog_data(const struct event *event)
{
    /* Nothing is written through it. */
    return (struct policy_data){data_text, (void *)(uintptr_t)event};
}

void sla_watchdog_data_text(const struct event *event, const char *field, char *out, size_t cap)
{
    const struct policy_data data = sla_watchdog_data(event);
    if (!data.text(data.ctx, field, out, cap))
        *out = 0;
}

int64_t sla_watchdog_data_int(const struct event *event, const char *field)
{
    char text[32];
    sla_watchdog_data_text(event, field, text, sizeof text);
    return strtoll(text, NULL, 10);
}

int64_t sla_watchdog_data_time(const struct event *event, const char *field)
{
    struct pack_value value;
    return value_find(event->data, field, &value) && value.type == PACK_TIME ? value.time_us : 0;
}
