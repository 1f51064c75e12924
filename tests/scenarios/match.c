/* Events against expectations: a subset of the data, by the type's field table, instants as
 * instants. */
#include "base/text.h"
#include "scenario.h"
#include <stdlib.h>
#include <string.h>

static const char *const expectation_keys[] = {"type",   "key",  "at",   "by",    "from",
                                               "region", "site", "data", "times", NULL};

/* --- the form ------------------------------------------------------------------------------------
 */

static bool value_check(const struct script *, const struct field *, const yaml_node_t *, int64_t,
                        struct complaint *);

static bool map_check(const struct script *script, const struct record *record,
                      const yaml_node_t *map, int64_t base_us, struct complaint *complaint)
{
    struct pair pairs[PAIRS_MAX];
    if (map->type != YAML_MAPPING_NODE)
        return complain(complaint, map, "%s must be a map", record->name);
    size_t n = node_pairs(script, map, pairs);
    for (size_t i = 0; i < n; i++) {
        const struct field *field = record_field(record, scalar(pairs[i].key));
        if (field == NULL)
            return complain(complaint, pairs[i].key, "%s has no field \"%s\"", record->name,
                            scalar(pairs[i].key));
        if (!value_check(script, field, pairs[i].value, base_us, complaint))
            return false;
    }
    return true;
}

static bool scalar_check(const struct script *script, const struct field *field,
                         const yaml_node_t *node, int64_t base_us, struct complaint *complaint)
{
    const char *text = scalar(node);
    struct span span;
    int64_t us;
    char *end;
    bool fine = true;
    switch (field->kind) {
    case FIELD_BOOL:
        fine = text_equal(text, "true") || text_equal(text, "false");
        break;
    case FIELD_INT:
        (void)strtoll(text, &end, 10);
        fine = *text != '\0' && *end == '\0';
        break;
    case FIELD_TIME:
        fine = when_parse(script, text, base_us, false, &us);
        break;
    case FIELD_SPAN:
        fine = span_parse(text, &span);
        break;
    case FIELD_ENUM: {
        int i = 0;
        while (field->names[i] != NULL && !text_equal(field->names[i], text))
            i++;
        fine = field->names[i] != NULL;
        break;
    }
    case FIELD_TEXT:
        break;
    case FIELD_BIN:
    case FIELD_BYTES:
    case FIELD_RAW:
    case FIELD_BLOB:
    case FIELD_RECORD:
    case FIELD_LIST:
    case FIELD_SLICE:
        fine = false;
        break;
    }
    return fine || complain(complaint, node, "%s cannot be \"%s\"%s", field->name, text,
                            field->kind == FIELD_TIME && text[0] == '+'
                                ? ": an expected time is said in full, or as HH:MM"
                                : "");
}

static bool value_check(const struct script *script, const struct field *field,
                        const yaml_node_t *node, int64_t base_us, struct complaint *complaint)
{
    if (node_is_null(node))
        return true;
    if (field->kind == FIELD_RECORD)
        return map_check(script, field->sub, node, base_us, complaint);
    if (field->kind != FIELD_LIST && field->kind != FIELD_SLICE) {
        if (node->type != YAML_SCALAR_NODE)
            return complain(complaint, node, "%s is one value", field->name);
        return scalar_check(script, field, node, base_us, complaint);
    }
    if (node->type != YAML_SEQUENCE_NODE)
        return complain(complaint, node, "%s is a list", field->name);
    for (size_t i = 0; i < node_items(node); i++)
        if (!value_check(script, field->elem, node_item(script, node, i), base_us, complaint))
            return false;
    return true;
}

bool expectation_check(const struct script *script, const yaml_node_t *node, int64_t base_us,
                       struct complaint *complaint)
{
    int64_t us;
    if (!node_keys(script, node, expectation_keys, "an expectation", complaint))
        return false;
    const char *type = node_text(script, node, "type"), *at = node_text(script, node, "at");
    const struct event_type *known = event_type_find(type, 0);
    if (known == NULL)
        return complain(complaint, node, "there is no event type \"%s\"", type);
    if (*at != '\0' && !when_parse(script, at, base_us, false, &us))
        return complain(complaint, node_get(script, node, "at"), "\"%s\" is no time", at);
    const yaml_node_t *data = node_get(script, node, "data");
    return data == NULL || map_check(script, known->data, data, base_us, complaint);
}

/* --- comparing -----------------------------------------------------------------------------------
 */

static bool value_meets(const struct script *, const struct field *, const yaml_node_t *, int64_t,
                        const void *object);

static size_t list_of(const struct field *field, const void *object, const char **items)
{
    const char *at = (const char *)object + field->offset;
    if (field->kind == FIELD_SLICE) {
        const struct slice *slice = (const void *)at;
        *items = slice->items;
        return slice->n;
    }
    uint32_t n;
    memcpy(&n, (const char *)object + field->count_offset, sizeof(n));
    *items = at;
    return n;
}

/* Each expected element is there, in this order; others may stand between. */
static bool list_meets(const struct script *script, const struct field *field,
                       const yaml_node_t *node, int64_t base_us, const void *object)
{
    const char *items;
    size_t n = list_of(field, object, &items), at = 0;
    if (node_is_null(node))
        return n == 0;
    for (size_t i = 0; i < node_items(node); i++) {
        while (at < n && !value_meets(script, field->elem, node_item(script, node, i), base_us,
                                      items + at * field->elem->size))
            at++;
        if (at++ >= n)
            return false;
    }
    return true;
}

static bool map_meets(const struct script *script, const struct record *record,
                      const yaml_node_t *map, int64_t base_us, const void *object)
{
    struct pair pairs[PAIRS_MAX];
    size_t n = node_pairs(script, map, pairs);
    for (size_t i = 0; i < n; i++) {
        const struct field *field = record_field(record, scalar(pairs[i].key));
        if (field == NULL || !value_meets(script, field, pairs[i].value, base_us, object))
            return false;
    }
    return true;
}

static bool value_meets(const struct script *script, const struct field *field,
                        const yaml_node_t *node, int64_t base_us, const void *object)
{
    const char *at = (const char *)object + field->offset;
    const char *text = scalar(node);
    bool nothing = node_is_null(node);
    switch (field->kind) {
    case FIELD_BOOL:
        return *(const bool *)at == text_equal(text, "true");
    case FIELD_INT:
    case FIELD_TIME: {
        int64_t have, want = nothing ? field->def : 0;
        memcpy(&have, at, sizeof(have));
        if (!nothing && field->kind == FIELD_INT)
            want = strtoll(text, NULL, 10);
        else if (!nothing && !when_parse(script, text, base_us, false, &want))
            return false;
        return have == want;
    }
    case FIELD_SPAN: {
        struct span have, want = {0};
        memcpy(&have, at, sizeof(have));
        return (nothing || span_parse(text, &want)) && have.n == want.n && have.unit == want.unit;
    }
    case FIELD_ENUM: {
        int have;
        memcpy(&have, at, sizeof(have));
        return nothing ? have == (int)field->def : text_equal(field->names[have], text);
    }
    case FIELD_TEXT:
        return nothing ? *at == '\0' : text_equal(at, text);
    case FIELD_RECORD:
        return map_meets(script, field->sub, node, base_us, at);
    case FIELD_LIST:
    case FIELD_SLICE:
        return list_meets(script, field, node, base_us, object);
    case FIELD_BIN:
    case FIELD_BYTES:
    case FIELD_RAW:
    case FIELD_BLOB:
        return false;
    }
    return false;
}

static bool said(const struct script *script, const yaml_node_t *node, const char *key,
                 const char *have)
{
    const yaml_node_t *value = node_get(script, node, key);
    return value == NULL || text_equal(scalar(value), have);
}

static bool envelope_meets(const struct script *script, const yaml_node_t *node, int64_t base_us,
                           const struct told *told)
{
    const struct event *event = &told->event;
    const char *at = node_text(script, node, "at");
    int64_t us;
    if (*at != '\0' && (!when_parse(script, at, base_us, false, &us) || us != event->at_us))
        return false;
    return said(script, node, "by", event->by) && said(script, node, "from", event->from) &&
           said(script, node, "region", event->region) && said(script, node, "site", event->site);
}

bool expectation_meets(const struct script *script, const yaml_node_t *node, int64_t base_us,
                       const struct told *told)
{
    const yaml_node_t *data = node_get(script, node, "data");
    return told->type != NULL && said(script, node, "type", told->event.type) &&
           said(script, node, "key", told->event.key) &&
           envelope_meets(script, node, base_us, told) &&
           (data == NULL || map_meets(script, told->type->data, data, base_us, told->data));
}

int expectation_nearness(const struct script *script, const yaml_node_t *node, int64_t base_us,
                         const struct told *told)
{
    struct pair pairs[PAIRS_MAX];
    const char *type = node_text(script, node, "type");
    size_t family = strcspn(type, ".") + 1;
    int nearness = text_equal(type, told->event.type)             ? 100
                   : strncmp(type, told->event.type, family) == 0 ? 20
                                                                  : 0;
    if (node_get(script, node, "key") != NULL && said(script, node, "key", told->event.key))
        nearness += 50;
    if (nearness < 100 || told->type == NULL)
        return nearness;
    size_t n = node_pairs(script, node_get(script, node, "data"), pairs);
    for (size_t i = 0; i < n; i++) {
        const struct field *field = record_field(told->type->data, scalar(pairs[i].key));
        if (field != NULL && value_meets(script, field, pairs[i].value, base_us, told->data))
            nearness++;
    }
    return nearness;
}

/* --- printing ------------------------------------------------------------------------------------
 */

static void record_print(const struct script *, const struct record *, const void *, struct buf *);

/* Quoted where YAML would read something else. */
static void word_print(const char *text, struct buf *out)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/";
    if (*text != '\0' && *text != '-' && strspn(text, plain) == strlen(text)) {
        buf_append_text(out, text);
        return;
    }
    buf_append(out, "\"", 1);
    for (const char *at = text; *at != '\0'; at++)
        if (*at == '"' || *at == '\\')
            buf_append_format(out, "\\%c", *at);
        else if (*at == '\n')
            buf_append_text(out, "\\n");
        else
            buf_append(out, at, 1);
    buf_append(out, "\"", 1);
}

/* False: it is the default and was not printed. */
static bool value_print(const struct script *script, const struct field *field, const void *object,
                        struct buf *out)
{
    const char *at = (const char *)object + field->offset, *items;
    char text[INSTANT_TEXT_MAX];
    int64_t number = 0;
    switch (field->kind) {
    case FIELD_BOOL:
        if (*(const bool *)at == (field->def != 0))
            return false;
        buf_append_text(out, *(const bool *)at ? "true" : "false");
        return true;
    case FIELD_INT:
        memcpy(&number, at, sizeof(number));
        if (number == field->def)
            return false;
        buf_append_format(out, "%lld", (long long)number);
        return true;
    case FIELD_TIME:
        memcpy(&number, at, sizeof(number));
        if (number == 0)
            return false;
        when_print(script, number, text);
        buf_append_format(out, "\"%s\"", text);
        return true;
    case FIELD_SPAN: {
        struct span span;
        memcpy(&span, at, sizeof(span));
        span_print(span, text);
        buf_append_text(out, text);
        return text[0] != '\0';
    }
    case FIELD_ENUM: {
        int choice;
        memcpy(&choice, at, sizeof(choice));
        if (choice == (int)field->def)
            return false;
        word_print(field->names[choice], out);
        return true;
    }
    case FIELD_TEXT:
        if (*at == '\0')
            return false;
        word_print(at, out);
        return true;
    case FIELD_RECORD: {
        size_t before = out->len;
        record_print(script, field->sub, at, out);
        if (out->len - before > 2)
            return true;
        out->len = before;
        return false;
    }
    case FIELD_LIST:
    case FIELD_SLICE: {
        size_t n = list_of(field, object, &items);
        if (n == 0)
            return false;
        buf_append(out, "[", 1);
        for (size_t i = 0; i < n; i++) {
            if (i > 0)
                buf_append(out, ", ", 2);
            if (!value_print(script, field->elem, items + i * field->elem->size, out))
                buf_append_text(out, field->elem->kind == FIELD_RECORD ? "{}" : "~");
        }
        buf_append(out, "]", 1);
        return true;
    }
    case FIELD_BIN:
    case FIELD_BYTES:
    case FIELD_RAW:
    case FIELD_BLOB:
        return false;
    }
    return false;
}

static void record_print(const struct script *script, const struct record *record,
                         const void *object, struct buf *out)
{
    bool any = false;
    buf_append(out, "{", 1);
    for (size_t i = 0; i < record->n; i++) {
        size_t before = out->len;
        if (any)
            buf_append(out, ", ", 2);
        buf_append_format(out, "%s: ", record->fields[i].name);
        if (value_print(script, &record->fields[i], object, out))
            any = true;
        else
            out->len = before;
    }
    buf_append(out, "}", 1);
}

void told_print(const struct script *script, const struct told *told, struct buf *out)
{
    char at[INSTANT_TEXT_MAX];
    when_print(script, told->event.at_us, at);
    buf_append_format(out, "{type: %s", told->event.type);
    if (told->event.key[0] != '\0')
        buf_append_format(out, ", key: %s", told->event.key);
    buf_append_format(out, ", at: \"%s\"", at);
    if (told->type != NULL) {
        size_t before = out->len;
        buf_append_text(out, ", data: ");
        size_t begin = out->len;
        record_print(script, told->type->data, told->data, out);
        if (out->len - begin <= 2)
            out->len = before;
    }
    buf_append(out, "}", 1);
}
