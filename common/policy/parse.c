#include "policy/policy.h"

#include "policy/check.h"
#include "record/pack.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

/* The node that a path such as sla[0].limits[3].limit leads to, or the last one on the way that is
 * there. */
static yaml_node_t *node_child(yaml_document_t *doc, yaml_node_t *map, const char *name, size_t n)
{
    if (map->type == YAML_SEQUENCE_NODE &&
        map->data.sequence.items.top - map->data.sequence.items.start == 1) /* a list of one */
        map = yaml_document_get_node(doc, *map->data.sequence.items.start);
    if (map->type != YAML_MAPPING_NODE)
        return NULL;
    for (yaml_node_pair_t *pair = map->data.mapping.pairs.start; pair < map->data.mapping.pairs.top;
         pair++) {
        yaml_node_t *key = yaml_document_get_node(doc, pair->key);
        if (key->type == YAML_SCALAR_NODE && key->data.scalar.length == n &&
            memcmp(key->data.scalar.value, name, n) == 0)
            return yaml_document_get_node(doc, pair->value);
    }
    return NULL;
}

static yaml_node_t *node_item(yaml_document_t *doc, yaml_node_t *list, unsigned index)
{
    if (list->type != YAML_SEQUENCE_NODE)
        return index == 0 ? list : NULL; /* one in place of a list */
    if (list->data.sequence.items.top - list->data.sequence.items.start <= (long)index)
        return NULL;
    return yaml_document_get_node(doc, list->data.sequence.items.start[index]);
}

static void place_find(yaml_document_t *doc, struct problem *problem)
{
    yaml_node_t *node = yaml_document_get_root_node(doc);
    const char *at = problem->field;
    while (node && *at) {
        yaml_node_t *next;
        unsigned index;
        int used = 0;
        if (sscanf(at, "[%u]%n", &index, &used) == 1 && used > 0) {
            next = node_item(doc, node, index);
        } else {
            at += *at == '.';
            used = (int)strcspn(at, ".[");
            next = node_child(doc, node, at, (size_t)used);
        }
        if (!next)
            break;
        node = next;
        at += used;
    }
    if (node) {
        problem->line = (unsigned)node->start_mark.line + 1;
        problem->column = (unsigned)node->start_mark.column + 1;
    }
}

void policy_places_find(const char *text, size_t n, struct problems *problems, size_t from)
{
    yaml_parser_t parser;
    yaml_document_t doc;
    size_t kept = problems->n < PROBLEMS_MAX ? problems->n : PROBLEMS_MAX;
    if (from >= kept || !yaml_parser_initialize(&parser))
        return;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
    if (yaml_parser_load(&parser, &doc)) {
        for (size_t i = from; i < kept; i++)
            place_find(&doc, &problems->items[i]);
        yaml_document_delete(&doc);
    }
    yaml_parser_delete(&parser);
}

bool policy_parse(const char *text, size_t n, struct arena *arena, struct policy *out,
                  struct problems *problems, const struct record *(*event_data)(const char *type))
{
    struct policy policy;
    if (!record_parse_yaml(&policy_record, text, n, arena, &policy, problems))
        return false;
    size_t before = problems->n;
    policy_check(&policy, event_data, problems);
    if (problems->n > before) {
        policy_places_find(text, n, problems, before);
        return false;
    }
    *out = policy;
    return true;
}

bool policy_decode(struct bytes in, struct arena *arena, struct policy *out,
                   struct problem *problem)
{
    struct policy policy;
    struct problems problems = {0};
    if (!skim(in, problem) ||
        !record_decode(&policy_record, RECORD_WHOLE, DECODE_LENIENT, in, arena, &policy, problem))
        return false;
    policy_check_published(&policy, &problems);
    bool sound = problems.n == 0;
    if (sound)
        *out = policy;
    else
        *problem = problems.items[0];
    problems_release(&problems);
    return sound;
}
