/* The mapping's YAML, by libyaml's documents: every error with line, column and path. */
#include "base/text.h"
#include "mapping_form.h"
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct yaml_reading {
    struct mapping *mapping;
    yaml_document_t document;
    struct problems *problems;
    char path[120];
};

static void wrong(struct yaml_reading *reading, const yaml_node_t *node, const char *code,
                  const char *args)
{
    struct problem problem;
    problem_set(&problem, code, reading->path, "%s", args);
    if (node != NULL) {
        problem.line = (unsigned)node->start_mark.line + 1;
        problem.column = (unsigned)node->start_mark.column + 1;
    }
    problems_add(reading->problems, &problem);
}

static const char *scalar(struct yaml_reading *reading, const yaml_node_t *node)
{
    if (node->type != YAML_SCALAR_NODE) {
        wrong(reading, node, "bad-type", "a text");
        return "";
    }
    return arena_text(reading->mapping->arena, (const char *)node->data.scalar.value);
}

static yaml_node_t *node_at(struct yaml_reading *reading, int index)
{
    return yaml_document_get_node(&reading->document, index);
}

typedef void entry_reader(struct yaml_reading *, const char *name, yaml_node_t *value, void *into);

/* Calls `read` for each pair of a map. */
/* YAML lets a name stand twice; what is made room for is counted by one of them. */
static bool is_given_before(struct yaml_reading *reading, const yaml_node_t *map, const yaml_node_pair_t *pair, const char *name)
{
    for (const yaml_node_pair_t *at = map->data.mapping.pairs.start; at < pair; at++)
        if (text_equal(scalar(reading, node_at(reading, at->key)), name))
            return true;
    return false;
}

static void map_each(struct yaml_reading *reading, yaml_node_t *node, entry_reader *read,
                     void *into)
{
    if (node->type != YAML_MAPPING_NODE) {
        wrong(reading, node, "bad-type", "a map of names and values");
        return;
    }
    size_t path_len = strlen(reading->path);
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = node_at(reading, pair->key);
        const char *name = scalar(reading, key);
        snprintf(reading->path + path_len, sizeof(reading->path) - path_len, "%s%s",
                 path_len > 0 ? "." : "", name);
        if (is_given_before(reading, node, pair, name))
            wrong(reading, key, "duplicate-key", "");
        else
            read(reading, name, node_at(reading, pair->value), into);
        reading->path[path_len] = '\0';
    }
}

/* Calls `read` for each item; a node that is no list is its only item. */
static void list_each(struct yaml_reading *reading, yaml_node_t *node, entry_reader *read,
                      void *into)
{
    if (node->type != YAML_SEQUENCE_NODE) {
        read(reading, "", node, into);
        return;
    }
    size_t path_len = strlen(reading->path), i = 0;
    for (yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top; item++) {
        snprintf(reading->path + path_len, sizeof(reading->path) - path_len, "[%zu]", i++);
        read(reading, "", node_at(reading, *item), into);
        reading->path[path_len] = '\0';
    }
}

static void piece_add(struct yaml_reading *reading, const yaml_node_t *node,
                      struct mapping_text *text, const char *literal, const char *column)
{
    if (text->n == PIECES_MAX) {
        wrong(reading, node, "too-many", "12");
        return;
    }
    text->pieces[text->n++] = (struct mapping_piece){
        .literal = literal, .column = column, .line = (unsigned)node->start_mark.line + 1};
}

static void template_read(struct yaml_reading *reading, const yaml_node_t *node,
                          struct mapping_text *text)
{
    char *rest = arena_text(reading->mapping->arena, scalar(reading, node));
    for (;;) {
        char *open = strchr(rest, '{'), *close = open != NULL ? strchr(open, '}') : NULL;
        if (open == NULL) {
            if (*rest != '\0')
                piece_add(reading, node, text, rest, NULL);
            return;
        }
        if (close == NULL || close == open + 1) {
            wrong(reading, node, "bad-value", "text with {column} in it");
            return;
        }
        *open = *close = '\0';
        piece_add(reading, node, text, rest, open + 1);
        rest = close + 1;
    }
}

/* "column", or "text with {column}". */
static void short_read(struct yaml_reading *reading, const yaml_node_t *node,
                       struct mapping_text *text)
{
    const char *word = scalar(reading, node);
    if (strchr(word, '{') != NULL)
        template_read(reading, node, text);
    else if (*word == '\0')
        wrong(reading, node, "missing", "a column, or a text with {column}");
    else
        piece_add(reading, node, text, "", word);
}

static void text_entry(struct yaml_reading *reading, const char *name, yaml_node_t *node,
                       void *into)
{
    struct mapping_text *text = into;
    if (text_equal(name, "column")) {
        piece_add(reading, node, text, "", scalar(reading, node));
    } else if (text_equal(name, "template")) {
        template_read(reading, node, text);
    } else if (text_equal(name, "text")) {
        piece_add(reading, node, text, scalar(reading, node), NULL);
    } else if (text_equal(name, "blank")) {
        text->blank = scalar(reading, node);
    } else if (text_equal(name, "form")) {
        text->as_key = text_equal(scalar(reading, node), "key");
        if (!text->as_key)
            wrong(reading, node, "bad-value", "key");
    } else if (text_equal(name, "cut")) {
        text->cut = text_equal(scalar(reading, node), "true");
    } else if (text_equal(name, "lookup")) {
        const char *wanted = scalar(reading, node);
        for (size_t i = 0; i < reading->mapping->lookups_n; i++)
            if (text_equal(reading->mapping->lookups[i].name, wanted))
                text->lookup = &reading->mapping->lookups[i];
        if (text->lookup == NULL)
            wrong(reading, node, "bad-value", "a name under lookups:");
    } else {
        wrong(reading, node, "unknown-field", "column, template, text, lookup, form, blank or cut");
    }
}

static void text_read(struct yaml_reading *reading, yaml_node_t *node, struct mapping_text *text)
{
    if (node->type == YAML_MAPPING_NODE) {
        map_each(reading, node, text_entry, text);
        if (text->n == 0)
            wrong(reading, node, "missing", "column, template or text");
    } else {
        short_read(reading, node, text);
    }
}

static void lookup_pair(struct yaml_reading *reading, const char *name, yaml_node_t *node,
                        void *into)
{
    struct mapping_lookup *lookup = into;
    const char *to = scalar(reading, node);
    if (text_equal(name, "*")) {
        lookup->other = to;
        return;
    }
    lookup->from[lookup->n] = name;
    lookup->to[lookup->n++] = to;
}

static void lookup_entry(struct yaml_reading *reading, const char *name, yaml_node_t *node,
                         void *into)
{
    struct mapping *mapping = into;
    struct mapping_lookup *lookup = &mapping->lookups[mapping->lookups_n];
    if (node->type != YAML_MAPPING_NODE) {
        wrong(reading, node, "bad-type", "values and what they become");
        return;
    }
    size_t n = (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start) + 1;
    lookup->name = name;
    lookup->from = arena_alloc(mapping->arena, n * sizeof(*lookup->from));
    lookup->to = arena_alloc(mapping->arena, n * sizeof(*lookup->to));
    map_each(reading, node, lookup_pair, lookup);
    mapping->lookups_n++;
}

static void when_value(struct yaml_reading *reading, const char *name, yaml_node_t *node,
                       void *into)
{
    struct mapping_when *when = into;
    (void)name;
    if (when->values_n < 32)
        when->values[when->values_n++] = scalar(reading, node);
    else
        wrong(reading, node, "too-many", "32");
}

static bool comparison(const char *name, enum when_kind *kind)
{
    static const char *const names[] = {"is", "is_not", "was", "was_not"};
    static const enum when_kind kinds[] = {WHEN_IS, WHEN_IS_NOT, WHEN_WAS, WHEN_WAS_NOT};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (text_equal(name, names[i])) {
            *kind = kinds[i];
            return true;
        }
    return false;
}

static void when_entry(struct yaml_reading *reading, const char *name, yaml_node_t *node,
                       void *into)
{
    struct mapping_when *when = into;
    if (text_equal(name, "column")) {
        short_read(reading, node, &when->column);
    } else if (comparison(name, &when->kind)) {
        when->values = arena_alloc(reading->mapping->arena, 32 * sizeof(*when->values));
        list_each(reading, node, when_value, when);
    } else if (text_equal(name, "set") || text_equal(name, "empty") ||
               text_equal(name, "changed")) {
        when->kind = *name == 's' ? WHEN_SET : *name == 'e' ? WHEN_EMPTY : WHEN_CHANGED;
        short_read(reading, node, &when->column);
    } else if (text_equal(name, "first")) {
        when->kind = WHEN_FIRST;
        if (!text_equal(scalar(reading, node), "true"))
            wrong(reading, node, "bad-value", "true");
    } else {
        wrong(reading, node, "unknown-field",
              "set, empty, changed, first, or column with is, is_not, was or was_not");
    }
}

static void when_read(struct yaml_reading *reading, const char *name, yaml_node_t *node, void *into)
{
    struct mapping_event *event = into;
    (void)name;
    if (event->whens_n == WHENS_MAX) {
        wrong(reading, node, "too-many", "8");
        return;
    }
    struct mapping_when *when = &event->whens[event->whens_n++];
    if (node->type == YAML_MAPPING_NODE)
        map_each(reading, node, when_entry, when);
    else
        short_read(reading, node, &when->column);
    if (when->kind == WHEN_CHANGED || when->kind == WHEN_WAS || when->kind == WHEN_WAS_NOT ||
        when->kind == WHEN_FIRST)
        reading->mapping->remembers = true;
    if (when->kind != WHEN_FIRST && when->column.n != 1)
        wrong(reading, node, "missing", "one column");
}

static void value_entry(struct yaml_reading *reading, const char *name, yaml_node_t *node,
                        void *into)
{
    struct mapping_event *event = into;
    size_t offset = 0;
    if (event->values_n == VALUES_MAX) {
        wrong(reading, node, "too-many", "48");
        return;
    }
    if (event->type != NULL && field_find(event->type->data, name, &offset) == NULL)
        wrong(reading, node, "unknown-field", "");
    struct mapping_value *value = &event->values[event->values_n++];
    value->field = name;
    text_read(reading, node, &value->text);
}

static void event_entry(struct yaml_reading *reading, const char *name, yaml_node_t *node,
                        void *into)
{
    struct mapping_event *event = into;
    if (text_equal(name, "type"))
        return;
    if (text_equal(name, "when"))
        list_each(reading, node, when_read, event);
    else if (text_equal(name, "at"))
        text_read(reading, node, &event->at);
    else if (text_equal(name, "key"))
        text_read(reading, node, &event->key);
    else if (text_equal(name, "by"))
        text_read(reading, node, &event->by);
    else if (text_equal(name, "data"))
        map_each(reading, node, value_entry, event);
    else
        wrong(reading, node, "unknown-field", "type, when, at, key, by or data");
}

static void type_entry(struct yaml_reading *reading, const char *name, yaml_node_t *node,
                       void *into)
{
    struct mapping_event *event = into;
    if (!text_equal(name, "type"))
        return;
    event->type = event_type_find(scalar(reading, node), 0);
    if (event->type == NULL)
        wrong(reading, node, "bad-value", "an event type (`aftercare schema` lists them)");
    else
        event->object = arena_alloc(reading->mapping->arena, event->type->data->size);
}

static void event_read(struct yaml_reading *reading, const char *name, yaml_node_t *node,
                       void *into)
{
    struct mapping *mapping = into;
    (void)name;
    if (mapping->events_n == EVENTS_MAX) {
        wrong(reading, node, "too-many", "16");
        return;
    }
    struct mapping_event *event = &mapping->events[mapping->events_n++];
    size_t wrong_before = reading->problems->n;
    map_each(reading, node, type_entry, event);
    bool typed = event->type != NULL || reading->problems->n > wrong_before;
    if (node->type == YAML_MAPPING_NODE)
        map_each(reading, node, event_entry, event);
    if (!typed && node->type == YAML_MAPPING_NODE)
        wrong(reading, node, "missing", "type");
}

static void format_entry(struct yaml_reading *reading, const char *name, yaml_node_t *node,
                         void *into)
{
    struct mapping *mapping = into;
    (void)name;
    const char *format = scalar(reading, node);
    if (!time_format_fits(format))
        wrong(reading, node, "bad-value", "no %Z (a zone's name says no offset, %z does), and %s alone");
    else if (mapping->time.formats_n < TIME_FORMATS_MAX)
        mapping->time.formats[mapping->time.formats_n++] = format;
    else
        wrong(reading, node, "too-many", "8");
}

static void zone_read(struct yaml_reading *reading, yaml_node_t *node)
{
    reading->mapping->time.zone = zone_find(scalar(reading, node));
    if (reading->mapping->time.zone == NULL)
        wrong(reading, node, "unknown", "a time zone like Asia/Shanghai");
}

static void top_entry(struct yaml_reading *reading, const char *name, yaml_node_t *node, void *into)
{
    struct mapping *mapping = into;
    if (text_equal(name, "lookups")) {
        return;
    } else if (text_equal(name, "key")) {
        text_read(reading, node, &mapping->key);
    } else if (text_equal(name, "by")) {
        text_read(reading, node, &mapping->by);
    } else if (text_equal(name, "zone")) {
        zone_read(reading, node);
    } else if (text_equal(name, "time")) {
        list_each(reading, node, format_entry, mapping);
    } else if (text_equal(name, "encoding")) {
        mapping->encoding = scalar(reading, node);
    } else if (text_equal(name, "delimiter")) {
        const char *text = scalar(reading, node);
        mapping->delimiter = text_equal(text, "tab") ? '\t' : *text;
        if (strlen(text) != 1 && !text_equal(text, "tab"))
            wrong(reading, node, "bad-value", "one character, or tab");
    } else if (text_equal(name, "events")) {
        list_each(reading, node, event_read, mapping);
    } else {
        wrong(reading, node, "unknown-field",
              "key, by, zone, time, encoding, delimiter, lookups or events");
    }
}

/* Lookups first: values name them. */
static void lookups_entry(struct yaml_reading *reading, const char *name, yaml_node_t *node,
                          void *into)
{
    struct mapping *mapping = into;
    if (!text_equal(name, "lookups"))
        return;
    size_t n = node->type == YAML_MAPPING_NODE
                   ? (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start)
                   : 0;
    mapping->lookups = arena_alloc(mapping->arena, (n + 1) * sizeof(*mapping->lookups));
    map_each(reading, node, lookup_entry, mapping);
}

static void document_read(struct yaml_reading *reading)
{
    yaml_node_t *root = yaml_document_get_root_node(&reading->document);
    if (root == NULL || root->type != YAML_MAPPING_NODE) {
        wrong(reading, root, "bad-type", "a mapping: key, zone, time, events");
        return;
    }
    map_each(reading, root, lookups_entry, reading->mapping);
    map_each(reading, root, top_entry, reading->mapping);
    text_copy(reading->path, sizeof(reading->path), "events");
    if (reading->mapping->events_n == 0)
        wrong(reading, root, "missing", "at least one event");
    text_copy(reading->path, sizeof(reading->path), "key");
    for (size_t i = 0; i < reading->mapping->events_n; i++)
        if (reading->mapping->key.n == 0 && reading->mapping->events[i].key.n == 0) {
            wrong(reading, root, "missing", "which column is the key");
            return;
        }
}

struct mapping *mapping_parse(const char *text, size_t n, struct problems *problems)
{
    struct mapping *mapping = memory_new(sizeof(*mapping));
    mapping->arena = arena_new(16384);
    mapping->scratch = arena_new(16384);
    mapping->encoding = "auto";
    mapping->delimiter = ',';
    mapping->events = arena_alloc(mapping->arena, EVENTS_MAX * sizeof(*mapping->events));
    struct yaml_reading reading = {.mapping = mapping, .problems = problems};
    size_t before = problems->n;
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        abort();
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
    if (yaml_parser_load(&parser, &reading.document)) {
        document_read(&reading);
        yaml_document_delete(&reading.document);
    } else {
        struct problem problem;
        problem_set(&problem, "syntax", "", "%.150s",
                    parser.problem != NULL ? parser.problem : "not YAML");
        problem.line = (unsigned)parser.problem_mark.line + 1;
        problem.column = (unsigned)parser.problem_mark.column + 1;
        problems_add(problems, &problem);
    }
    yaml_parser_delete(&parser);
    if (problems->n > before)
        mapping_destroy(&mapping);
    return mapping;
}
