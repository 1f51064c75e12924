#include "base/text.h"
#include "scenario.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool complain(struct complaint *complaint, const yaml_node_t *node, const char *format, ...)
{
    char text[2000];
    va_list args;
    if (complaint->text.len > 0)
        return false;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    complaint->line = node != NULL ? node_line(node) : complaint->line;
    buf_append_text(&complaint->text, text);
    return false;
}

static const yaml_node_t *node_of(const struct script *script, int id)
{
    /* libyaml reads a document through a pointer that is not const. */
    return yaml_document_get_node((yaml_document_t *)(uintptr_t)&script->document, id);
}

unsigned node_line(const yaml_node_t *node)
{
    return (unsigned)node->start_mark.line + 1;
}

const char *scalar(const yaml_node_t *node)
{
    return node != NULL && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value
                                                          : "";
}

bool node_is_null(const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (text_equal(scalar(node), "~") || text_equal(scalar(node), "null") ||
            text_equal(scalar(node), ""));
}

static bool pairs_have(const struct pair *pairs, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (text_equal(scalar(pairs[i].key), key))
            return true;
    return false;
}

static size_t pairs_add(const struct script *script, const yaml_node_t *map,
                        struct pair out[PAIRS_MAX], size_t n, int depth)
{
    const yaml_node_t *merged = NULL;
    if (map == NULL || map->type != YAML_MAPPING_NODE || depth > 8)
        return n;
    for (const yaml_node_pair_t *pair = map->data.mapping.pairs.start;
         pair < map->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = node_of(script, pair->key), *value = node_of(script, pair->value);
        if (text_equal(scalar(key), "<<"))
            merged = value;
        else if (n < PAIRS_MAX && !pairs_have(out, n, scalar(key)))
            out[n++] = (struct pair){key, value};
    }
    if (merged != NULL && merged->type == YAML_SEQUENCE_NODE)
        for (size_t i = 0; i < node_items(merged); i++)
            n = pairs_add(script, node_item(script, merged, i), out, n, depth + 1);
    else
        n = pairs_add(script, merged, out, n, depth + 1);
    return n;
}

size_t node_pairs(const struct script *script, const yaml_node_t *map, struct pair out[PAIRS_MAX])
{
    return pairs_add(script, map, out, 0, 0);
}

const yaml_node_t *node_get(const struct script *script, const yaml_node_t *map, const char *key)
{
    struct pair pairs[PAIRS_MAX];
    size_t n = node_pairs(script, map, pairs);
    for (size_t i = 0; i < n; i++)
        if (text_equal(scalar(pairs[i].key), key))
            return pairs[i].value;
    return NULL;
}

const char *node_text(const struct script *script, const yaml_node_t *map, const char *key)
{
    return scalar(node_get(script, map, key));
}

size_t node_items(const yaml_node_t *sequence)
{
    if (sequence == NULL || sequence->type != YAML_SEQUENCE_NODE)
        return 0;
    return (size_t)(sequence->data.sequence.items.top - sequence->data.sequence.items.start);
}

const yaml_node_t *node_item(const struct script *script, const yaml_node_t *sequence, size_t i)
{
    return node_of(script, sequence->data.sequence.items.start[i]);
}

bool node_keys(const struct script *script, const yaml_node_t *map, const char *const *known,
               const char *of, struct complaint *complaint)
{
    struct pair pairs[PAIRS_MAX];
    if (map->type != YAML_MAPPING_NODE)
        return complain(complaint, map, "%s must be a map", of);
    size_t n = node_pairs(script, map, pairs);
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (known[k] != NULL && !text_equal(known[k], scalar(pairs[i].key)))
            k++;
        if (known[k] == NULL)
            return complain(complaint, pairs[i].key, "%s has no \"%s\"", of, scalar(pairs[i].key));
    }
    return true;
}
