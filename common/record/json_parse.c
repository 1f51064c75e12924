#include "base/text.h"
#include "record/base64.h"
#include "record/parts.h"
#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

/* JSON is turned into the msgpack that it stands for, so that there is one reader that validates. What the field
 * says is a time or bytes becomes that; everything else is taken by its JSON type. */
struct converter {
    struct buf *out;
    struct problem *problem;
};

static bool value_convert(const struct converter *, const struct field *, const json_t *, unsigned depth,
                          const struct place *);

static bool too_deep(const struct converter *c, const struct place *at)
{
    return place_refuse(at, c->problem, "too-deep", "%d", SKIM_DEPTH_MAX);
}

static bool object_convert(const struct converter *c, const struct record *r, const json_t *object, unsigned depth,
                           const struct place *up)
{
    if (depth >= SKIM_DEPTH_MAX)
        return too_deep(c, up);
    pack_map(c->out, (uint32_t)json_object_size(object));
    union {
        const json_t *in;
        json_t *out;
    } whole = {.in = object};
    const char *key;
    json_t *value;
    json_object_foreach(whole.out, key, value)
    {
        struct place here = {.up = up, .name = key, .len = strlen(key)};
        const struct field *f = r ? record_find(r, key, here.len) : NULL;
        pack_text(c->out, key);
        if (!value_convert(c, f, value, depth + 1, &here))
            return false;
    }
    return true;
}

static bool array_convert(const struct converter *c, const struct field *f, const json_t *array, unsigned depth,
                          const struct place *at)
{
    bool listed = f && (f->kind == FIELD_LIST || f->kind == FIELD_SLICE);
    size_t n = json_array_size(array);
    if (depth >= SKIM_DEPTH_MAX)
        return too_deep(c, at);
    pack_array(c->out, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        struct place here = {.up = at, .index = i};
        if (!value_convert(c, listed ? f->elem : NULL, json_array_get(array, i), depth + 1, &here))
            return false;
    }
    return true;
}

static bool text_convert(const struct converter *c, const struct field *f, const char *text, size_t n,
                         const struct place *at)
{
    int64_t us;
    if (f && f->kind == FIELD_TIME) {
        if (strlen(text) != n || !instant_parse(text, &us))
            return place_refuse(at, c->problem, "bad-time", "expected RFC 3339 as in 2026-11-22T08:00:00Z, found %s", text);
        pack_time(c->out, us);
        return true;
    }
    if (!f || (f->kind != FIELD_BIN && f->kind != FIELD_BYTES && f->kind != FIELD_BLOB)) {
        pack_text_n(c->out, text, n);
        return true;
    }
    struct buf raw = {0};
    bool fine = base64_parse(text, n, &raw);
    if (fine)
        pack_bin(c->out, buf_bytes(&raw));
    buf_release(&raw);
    return fine || place_refuse(at, c->problem, "bad-value", "expected base64");
}

static bool value_convert(const struct converter *c, const struct field *f, const json_t *value, unsigned depth,
                          const struct place *at)
{
    double real;
    uint64_t bits;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        if (f && field_takes_one(f))
            f = f->elem;
        return object_convert(c, f && f->kind == FIELD_RECORD ? f->sub : NULL, value, depth, at);
    case JSON_ARRAY:
        return array_convert(c, f, value, depth, at);
    case JSON_STRING:
        return text_convert(c, f, json_string_value(value), json_string_length(value), at);
    case JSON_INTEGER:
        pack_int(c->out, json_integer_value(value));
        return true;
    case JSON_REAL:
        real = json_real_value(value);
        memcpy(&bits, &real, sizeof bits);
        bits = __builtin_bswap64(bits);
        buf_append(c->out, "\xcb", 1);
        buf_append(c->out, &bits, sizeof bits);
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        pack_bool(c->out, json_is_true(value));
        return true;
    case JSON_NULL:
        pack_nil(c->out);
        return true;
    }
    return false;
}

static json_t *text_load(const char *text, size_t n, struct problem *problem)
{
    json_error_t error;
    json_t *value = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!value) {
        problem_set(problem, "syntax", "", "%s", error.text);
        problem->line = error.line > 0 ? (unsigned)error.line : 0;
        problem->column = error.column > 0 ? (unsigned)error.column : 0;
    }
    return value;
}

/* The text as msgpack that skim() has passed. */
static bool text_convert_whole(const struct record *r, const char *text, size_t n, struct buf *out,
                               struct problem *problem)
{
    size_t mark = out->len;
    json_t *value = text_load(text, n, problem);
    if (!value)
        return false;
    struct field whole = {.name = "", .kind = FIELD_RECORD, .sub = r};
    struct converter c = {out, problem};
    bool fine = value_convert(&c, r ? &whole : NULL, value, 0, NULL) &&
                skim(bytes_of(out->data + mark, out->len - mark), problem);
    json_decref(value);
    if (!fine)
        out->len = mark;
    return fine;
}

static bool record_borrows(const struct record *r)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct field *f = &r->fields[i];
        if (f->kind == FIELD_LIST || f->kind == FIELD_SLICE)
            f = f->elem;
        if (f->kind == FIELD_BYTES || f->kind == FIELD_RAW || (f->kind == FIELD_RECORD && record_borrows(f->sub)))
            return true;
    }
    return false;
}

bool record_parse_json(const struct record *r, enum record_part part, unsigned flags, const char *text, size_t n,
                       struct arena *arena, void *object, struct problem *problem)
{
    struct buf packed = {0};
    assert(arena || !record_borrows(r));
    bool fine = text_convert_whole(r, text, n, &packed, problem);
    if (fine) {
        struct bytes in = buf_bytes(&packed);
        if (arena && record_borrows(r))
            in.data = memcpy(arena_alloc(arena, in.len), in.data, in.len);
        fine = record_decode(r, part, flags, in, arena, object, problem);
    }
    buf_release(&packed);
    return fine;
}

bool raw_parse_json(const char *text, size_t n, struct buf *out, struct problem *problem)
{
    return text_convert_whole(NULL, text, n, out, problem);
}
