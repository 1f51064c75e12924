/* A fact's data: YAML as a person writes it, by the type's field table, as the JSON that the record
 * reads. */
#include "base/text.h"
#include "scenario.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static void text_print(struct buf *out, const char *text)
{
    buf_append(out, "\"", 1);
    for (const char *at = text; *at != '\0'; at++) {
        unsigned char c = (unsigned char)*at;
        if (c == '"' || c == '\\')
            buf_append_format(out, "\\%c", c);
        else if (c < 0x20)
            buf_append_format(out, "\\u%04x", c);
        else
            buf_append(out, at, 1);
    }
    buf_append(out, "\"", 1);
}

static bool is_integer(const char *text)
{
    if (*text == '-')
        text++;
    return *text != '\0' && strspn(text, "0123456789") == strlen(text);
}

static bool is_plain(const yaml_node_t *node)
{
    return node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static bool scalar_print(const struct script *script, const struct field *field,
                         const yaml_node_t *node, int64_t base_us, struct buf *out,
                         struct complaint *complaint)
{
    const char *text = scalar(node);
    bool word = text_equal(text, "true") || text_equal(text, "false");
    bool number = is_integer(text);
    if (field != NULL && field->kind == FIELD_TIME) {
        char instant[INSTANT_TEXT_MAX];
        int64_t us;
        if (!when_parse(script, text, base_us, true, &us))
            return complain(complaint, node, "\"%s\" is no time", text);
        instant_print(us, instant);
        text_print(out, instant);
    } else if (field == NULL
                   ? is_plain(node) && (word || number)
                   : (field->kind == FIELD_BOOL && word) || (field->kind == FIELD_INT && number)) {
        buf_append_text(out, text);
    } else {
        text_print(out, text);
    }
    return true;
}

static bool value_print(const struct script *script, const struct field *field,
                        const yaml_node_t *node, int64_t base_us, struct buf *out,
                        struct complaint *complaint)
{
    if (node->type == YAML_SCALAR_NODE)
        return scalar_print(script, field, node, base_us, out, complaint);
    if (node->type == YAML_MAPPING_NODE) {
        const struct record *sub = field != NULL && field->kind == FIELD_RECORD ? field->sub : NULL;
        return data_print(script, sub, node, base_us, out, complaint);
    }
    buf_append(out, "[", 1);
    for (size_t i = 0; i < node_items(node); i++) {
        if (i > 0)
            buf_append(out, ",", 1);
        if (!value_print(script, field != NULL ? field->elem : NULL, node_item(script, node, i),
                         base_us, out, complaint))
            return false;
    }
    buf_append(out, "]", 1);
    return true;
}

bool data_print(const struct script *script, const struct record *record, const yaml_node_t *map,
                int64_t base_us, struct buf *json, struct complaint *complaint)
{
    struct pair pairs[PAIRS_MAX];
    size_t n = node_pairs(script, map, pairs), told = 0;
    buf_append(json, "{", 1);
    for (size_t i = 0; i < n; i++) {
        const char *name = scalar(pairs[i].key);
        const struct field *field = record != NULL ? record_field(record, name) : NULL;
        if (record != NULL && field == NULL)
            return complain(complaint, pairs[i].key, "%s has no field \"%s\"", record->name, name);
        if (node_is_null(pairs[i].value))
            continue;
        if (told++ > 0)
            buf_append(json, ",", 1);
        text_print(json, name);
        buf_append(json, ":", 1);
        if (!value_print(script, field, pairs[i].value, base_us, json, complaint))
            return false;
    }
    buf_append(json, "}", 1);
    return true;
}
