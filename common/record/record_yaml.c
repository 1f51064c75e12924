#include "base/text.h"
#include "record/base64.h"
#include "record/parts.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* Aliases make a small text large, and may even bite their own tail: the walk is bounded, not the text. */
#define VISITS_MAX 200000
#define DEPTH_MAX 40
#define FIELDS_MAX 256

struct reader {
    yaml_document_t *document;
    struct arena *arena;
    struct problems *problems;
    unsigned visits;
};

static void node_read(struct reader *, const struct field *, const yaml_node_t *, void *object, unsigned depth,
                      const struct place *);

static void mark_report(struct reader *r, struct problem *p, yaml_mark_t mark)
{
    p->line = (unsigned)mark.line + 1;
    p->column = (unsigned)mark.column + 1;
    problems_add(r->problems, p);
}

static void node_report(struct reader *r, const yaml_node_t *node, struct problem *p)
{
    mark_report(r, p, node->start_mark);
}

static void report(struct reader *r, const yaml_node_t *node, const struct place *at, const char *code,
                   const char *args)
{
    struct problem p;
    place_refuse(at, &p, code, "%s", args);
    node_report(r, node, &p);
}

static yaml_node_t *node_of(struct reader *r, int id)
{
    yaml_node_t *node = yaml_document_get_node(r->document, id);
    assert(node);
    return node;
}

static const char *scalar_text(const yaml_node_t *node)
{
    return (const char *)node->data.scalar.value;
}

/* A word that is not quoted: what YAML gives a meaning of its own. */
static bool scalar_is(const yaml_node_t *node, const char *word)
{
    return node->type == YAML_SCALAR_NODE && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           text_equal(scalar_text(node), word);
}

static bool node_is_nothing(const yaml_node_t *node)
{
    return scalar_is(node, "") || scalar_is(node, "~") || scalar_is(node, "null");
}

static bool integer_parse(const char *text, int64_t *out)
{
    char *end;
    if (!(*text == '-' || (*text >= '0' && *text <= '9')))
        return false;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (*end || errno || end == text)
        return false;
    *out = v;
    return true;
}

static const char *expected_of(const struct field *f)
{
    switch (f->kind) {
    case FIELD_BOOL:
        return "true or false";
    case FIELD_INT:
        return "an integer";
    case FIELD_TIME:
        return "a time as in 2026-11-22T08:00:00Z";
    case FIELD_SPAN:
        return "a duration as in 30min or 3wd";
    case FIELD_ENUM:
    case FIELD_TEXT:
        return "a text";
    case FIELD_BIN:
    case FIELD_BYTES:
    case FIELD_BLOB:
        return "base64";
    case FIELD_RAW:
        return "a value";
    case FIELD_RECORD:
        return "a map";
    case FIELD_LIST:
    case FIELD_SLICE:
        return "a list";
    }
    return "";
}

/* The scalar as the msgpack value the field wants. False: it is not one. */
static bool scalar_pack(const struct field *f, const yaml_node_t *node, struct buf *out)
{
    const char *text = scalar_text(node);
    size_t n = node->data.scalar.length;
    struct buf raw = {0};
    int64_t v;
    bool fine;
    switch (f->kind) {
    case FIELD_BOOL:
        pack_bool(out, scalar_is(node, "true"));
        return scalar_is(node, "true") || scalar_is(node, "false");
    case FIELD_INT:
        if (!integer_parse(text, &v))
            return false;
        pack_int(out, v);
        return true;
    case FIELD_TIME:
        if (!instant_parse(text, &v))
            return false;
        pack_time(out, v);
        return true;
    case FIELD_BIN:
    case FIELD_BYTES:
    case FIELD_BLOB:
        fine = base64_parse(text, n, &raw);
        pack_bin(out, buf_bytes(&raw));
        buf_release(&raw);
        return fine;
    case FIELD_SPAN:
    case FIELD_ENUM:
    case FIELD_TEXT:
        pack_text_n(out, text, n);
        return true;
    case FIELD_RAW:
    case FIELD_RECORD:
    case FIELD_LIST:
    case FIELD_SLICE:
        return false;
    }
    return false;
}

/* Through the same decoder as a message: the same checks, the same codes. */
static void packed_read(struct reader *r, const struct field *f, const yaml_node_t *node, struct buf *packed,
                        void *object, const struct place *at)
{
    struct problem p;
    struct decoder d = {r->arena, DECODE_STRICT, &p};
    struct bytes in = buf_bytes(packed);
    if (f->kind == FIELD_BYTES || f->kind == FIELD_RAW) { /* borrowed by the object */
        assert(r->arena);
        in.data = memcpy(arena_alloc(r->arena, in.len), in.data, in.len);
    }
    struct unpack u = unpack_of(in);
    if (!value_decode(&d, f, RECORD_WHOLE, &u, object, at))
        node_report(r, node, &p);
}

static void scalar_read(struct reader *r, const struct field *f, const yaml_node_t *node, void *object,
                        const struct place *at)
{
    struct buf packed = {0};
    if (node->type != YAML_SCALAR_NODE)
        report(r, node, at, "bad-type", expected_of(f));
    else if (memchr(scalar_text(node), 0, node->data.scalar.length))
        report(r, node, at, "not-utf8", "U+0000");
    else if (scalar_pack(f, node, &packed))
        packed_read(r, f, node, &packed, object, at);
    else
        report(r, node, at, f->kind == FIELD_TIME ? "bad-time" : "bad-type", expected_of(f));
    buf_release(&packed);
}

static bool raw_pack(struct reader *r, const yaml_node_t *node, unsigned depth, struct buf *out);

static bool raw_children_pack(struct reader *r, const yaml_node_t *node, unsigned depth, struct buf *out)
{
    if (depth >= SKIM_DEPTH_MAX)
        return false;
    if (node->type == YAML_SEQUENCE_NODE) {
        yaml_node_item_t *item = node->data.sequence.items.start, *top = node->data.sequence.items.top;
        pack_array(out, (uint32_t)(top - item));
        for (; item < top; item++)
            if (!raw_pack(r, node_of(r, *item), depth + 1, out))
                return false;
        return true;
    }
    yaml_node_pair_t *pair = node->data.mapping.pairs.start, *top = node->data.mapping.pairs.top;
    pack_map(out, (uint32_t)(top - pair));
    for (; pair < top; pair++) {
        const yaml_node_t *key = node_of(r, pair->key);
        if (key->type != YAML_SCALAR_NODE)
            return false;
        pack_text_n(out, scalar_text(key), key->data.scalar.length);
        if (!raw_pack(r, node_of(r, pair->value), depth + 1, out))
            return false;
    }
    return true;
}

static bool raw_pack(struct reader *r, const yaml_node_t *node, unsigned depth, struct buf *out)
{
    int64_t v;
    if (++r->visits > VISITS_MAX)
        return false;
    if (node->type != YAML_SCALAR_NODE)
        return raw_children_pack(r, node, depth, out);
    if (node_is_nothing(node))
        pack_nil(out);
    else if (scalar_is(node, "true") || scalar_is(node, "false"))
        pack_bool(out, scalar_is(node, "true"));
    else if (node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && integer_parse(scalar_text(node), &v))
        pack_int(out, v);
    else
        pack_text_n(out, scalar_text(node), node->data.scalar.length);
    return true;
}

static void raw_read(struct reader *r, const struct field *f, const yaml_node_t *node, void *object,
                     const struct place *at)
{
    struct buf packed = {0};
    struct problem p;
    if (!raw_pack(r, node, 0, &packed)) {
        report(r, node, at, "malformed", "nested too deeply, too large, or a key that is not a text");
    } else if (!skim(buf_bytes(&packed), &p)) {
        place_print(at, p.field, sizeof p.field);
        node_report(r, node, &p);
    } else {
        packed_read(r, f, node, &packed, object, at);
    }
    buf_release(&packed);
}

static char *elements_room(struct reader *r, const struct field *f, uint32_t n, void *object)
{
    if (f->kind == FIELD_SLICE) {
        assert(r->arena);
        char *items = n ? arena_alloc(r->arena, (size_t)n * f->elem->size) : NULL;
        *(struct slice *)member_at(f, object) = (struct slice){items, n};
        return items;
    }
    memcpy((char *)object + f->count_offset, &n, sizeof n);
    return member_at(f, object);
}

static void elements_read(struct reader *r, const struct field *f, const yaml_node_t *node, void *object,
                          unsigned depth, const struct place *at)
{
    bool listed = node->type == YAML_SEQUENCE_NODE;
    if (!listed && !field_takes_one(f) && (node->type != YAML_SCALAR_NODE || f->elem->kind == FIELD_RECORD)) {
        report(r, node, at, "bad-type", expected_of(f));
        return;
    }
    const yaml_node_item_t *items = listed ? node->data.sequence.items.start : NULL;
    size_t n = listed ? (size_t)(node->data.sequence.items.top - items) : 1;
    if (n > f->max) {
        struct problem p;
        place_refuse(at, &p, "too-many", "%u", f->max);
        node_report(r, node, &p);
        n = f->max; /* what fits is still looked at */
    }
    char *room = elements_room(r, f, (uint32_t)n, object);
    for (size_t i = 0; i < n; i++) {
        struct place here = {.up = at, .index = i};
        char *item = room + i * f->elem->size;
        memset(item, 0, f->elem->size);
        if (f->elem->kind == FIELD_RECORD)
            record_defaults(f->elem->sub, item);
        node_read(r, f->elem, listed ? node_of(r, items[i]) : node, item, depth + 1, &here);
    }
}

static void unknown_report(struct reader *r, const struct record *record, const yaml_node_t *key,
                           const struct place *here)
{
    const char *near = record_suggest(record, here->name, here->len);
    report(r, key, here, "unknown-field", near ? near : "");
}

static void missing_report(struct reader *r, const struct record *record, const yaml_node_t *node,
                           const bool said[FIELDS_MAX], const struct place *up)
{
    for (size_t i = 0; i < record->n; i++) {
        const struct field *f = &record->fields[i];
        struct place here = {.up = up, .name = f->name, .len = PLACE_TERMINATED};
        if ((f->flags & FIELD_REQUIRED) && !(f->flags & (FIELD_RETIRED | FIELD_VOLATILE)) && !said[i])
            report(r, node, &here, "missing", "");
    }
}

/* The short form: a text that is the first field. */
static void brief_read(struct reader *r, const struct field *f, const yaml_node_t *node, void *object,
                       const struct place *up)
{
    struct place here = {.up = up, .name = f->name, .len = PLACE_TERMINATED};
    size_t before = r->problems->n;
    assert(f->kind == FIELD_TEXT);
    scalar_read(r, f, node, object, &here);
    if ((f->flags & FIELD_REQUIRED) && r->problems->n == before && field_is_absent(f, RECORD_WHOLE, object))
        report(r, node, &here, "missing", "");
}

static void map_read(struct reader *r, const struct record *record, const yaml_node_t *node, void *object,
                     unsigned depth, const struct place *up)
{
    bool met[FIELDS_MAX] = {false}, said[FIELDS_MAX] = {false};
    assert(record->n <= FIELDS_MAX);
    if (record->brief && node->type == YAML_SCALAR_NODE) {
        brief_read(r, &record->fields[0], node, object, up);
        return;
    }
    if (node->type != YAML_MAPPING_NODE) {
        report(r, node, up, "bad-type", "a map");
        return;
    }
    const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
    for (; pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = node_of(r, pair->key), *value = node_of(r, pair->value);
        if (key->type != YAML_SCALAR_NODE) {
            report(r, key, up, "bad-type", "a name before the colon");
            continue;
        }
        struct place here = {.up = up, .name = scalar_text(key), .len = key->data.scalar.length};
        const struct field *f = record_find(record, here.name, here.len);
        if (!f) {
            unknown_report(r, record, key, &here);
            continue;
        }
        size_t i = (size_t)(f - record->fields), before = r->problems->n;
        if (met[i]) {
            report(r, key, &here, "duplicate-key", "");
            continue;
        }
        met[i] = true;
        node_read(r, f, value, object, depth + 1, &here);
        /* What was wrong is not missing as well. */
        said[i] = r->problems->n > before ||
                  (!node_is_nothing(value) &&
                   (!field_zero_is_missing(f) || !field_is_absent(f, RECORD_WHOLE, object)));
    }
    missing_report(r, record, node, said, up);
}

static void node_read(struct reader *r, const struct field *f, const yaml_node_t *node, void *object, unsigned depth,
                      const struct place *at)
{
    if (++r->visits > VISITS_MAX || depth > DEPTH_MAX) {
        if (r->visits <= VISITS_MAX + 1)
            report(r, node, at, "too-deep", "");
        r->visits = VISITS_MAX + 1;
        return;
    }
    bool elements = f->kind == FIELD_LIST || f->kind == FIELD_SLICE;
    if (node_is_nothing(node)) {
        if (!at->name)
            report(r, node, at, "bad-type", expected_of(f));
        return;
    }
    if (f->kind == FIELD_RECORD)
        map_read(r, f->sub, node, member_at(f, object), depth, at);
    else if (elements)
        elements_read(r, f, node, object, depth, at);
    else if (f->kind == FIELD_RAW)
        raw_read(r, f, node, object, at);
    else
        scalar_read(r, f, node, object, at);
}

static void syntax_report(const yaml_parser_t *parser, struct problems *problems)
{
    struct problem p;
    problem_set(&p, "syntax", "", "%s%s%s", parser->context ? parser->context : "", parser->context ? ": " : "",
                parser->problem ? parser->problem : "not YAML");
    p.line = (unsigned)parser->problem_mark.line + 1;
    p.column = (unsigned)parser->problem_mark.column + 1;
    problems_add(problems, &p);
}

static void document_read(const struct record *record, yaml_document_t *document, struct arena *arena, void *object,
                          struct problems *problems)
{
    struct reader r = {document, arena, problems, 0};
    const yaml_node_t *root = yaml_document_get_root_node(document);
    struct problem p;
    if (root) {
        map_read(&r, record, root, object, 0, NULL);
        return;
    }
    problem_set(&p, "malformed", "", "%s", "the text is empty");
    p.line = p.column = 1;
    problems_add(problems, &p);
}

static void end_check(yaml_parser_t *parser, struct problems *problems)
{
    yaml_document_t more;
    if (!yaml_parser_load(parser, &more)) {
        syntax_report(parser, problems);
        return;
    }
    const yaml_node_t *root = yaml_document_get_root_node(&more);
    if (root) {
        struct problem p;
        problem_set(&p, "syntax", "", "%s", "more than one document");
        p.line = (unsigned)root->start_mark.line + 1;
        p.column = (unsigned)root->start_mark.column + 1;
        problems_add(problems, &p);
    }
    yaml_document_delete(&more);
}

bool record_parse_yaml(const struct record *record, const char *text, size_t n, struct arena *arena, void *object,
                       struct problems *problems)
{
    yaml_parser_t parser;
    yaml_document_t document;
    size_t before = problems->n;
    record_clear(record, object);
    int started = yaml_parser_initialize(&parser);
    assert(started);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
    if (yaml_parser_load(&parser, &document)) {
        document_read(record, &document, arena, object, problems);
        end_check(&parser, problems);
        yaml_document_delete(&document);
    } else {
        syntax_report(&parser, problems);
    }
    yaml_parser_delete(&parser);
    return problems->n == before;
}
