#include "base/text.h"
#include "record/head.h"
#include "record/parts.h"
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#define FIELDS_MAX 256

static bool map_decode(const struct decoder *, const struct record *, enum record_part, struct unpack *, void *object,
                       const struct place *);

static bool wrong_type(const struct decoder *d, const struct place *at, const char *expected)
{
    return place_refuse(at, d->problem, "bad-type", "%s", expected);
}

static bool int_decode(const struct decoder *d, const struct field *f, struct pack_value v, int64_t *out,
                       const struct place *at)
{
    bool ranged = f->min != 0 || f->max_int != 0;
    if (v.type == PACK_INT && (!ranged || (v.integer >= f->min && v.integer <= f->max_int))) {
        *out = v.integer;
        return true;
    }
    if (v.type != PACK_INT && v.type != PACK_UINT)
        return wrong_type(d, at, "an integer");
    return place_refuse(at, d->problem, "range", "%" PRId64 " to %" PRId64, ranged ? f->min : INT64_MIN,
                        ranged ? f->max_int : INT64_MAX);
}

static bool text_decode(const struct decoder *d, const struct field *f, struct pack_value v, char *out,
                        const struct place *at)
{
    if (v.type != PACK_STR)
        return wrong_type(d, at, "a text");
    if (v.bytes.len >= f->size)
        return place_refuse(at, d->problem, "too-long", "%" PRIu32, f->size - 1);
    if ((f->flags & FIELD_KEYLIKE) && v.bytes.len > 0 && !text_is_key((const char *)v.bytes.data, v.bytes.len))
        return place_refuse(at, d->problem, "bad-key", "%.*s", (int)v.bytes.len, (const char *)v.bytes.data);
    memcpy(out, v.bytes.data, v.bytes.len);
    out[v.bytes.len] = 0;
    return true;
}

static bool enum_decode(const struct decoder *d, const struct field *f, struct pack_value v, int *out,
                        const struct place *at)
{
    if (v.type != PACK_STR)
        return wrong_type(d, at, "a text");
    const char *text = (const char *)v.bytes.data;
    for (int i = 0; f->names[i]; i++) {
        if (strncmp(f->names[i], text, v.bytes.len) == 0 && f->names[i][v.bytes.len] == 0) {
            *out = i;
            return true;
        }
    }
    struct buf allowed = {0};
    for (int i = 0; f->names[i]; i++)
        buf_append_format(&allowed, "%s%s", i ? ", " : "", f->names[i]);
    place_refuse(at, d->problem, "bad-value", "one of %s", buf_text(&allowed));
    buf_release(&allowed);
    return false;
}

static bool span_decode(const struct decoder *d, struct pack_value v, struct span *out, const struct place *at)
{
    char text[SPAN_TEXT_MAX];
    if (v.type != PACK_STR)
        return wrong_type(d, at, "a duration as text");
    if (v.bytes.len == 0) {
        *out = (struct span){0};
        return true;
    }
    if (text_copy_n(text, sizeof text, (const char *)v.bytes.data, v.bytes.len) && span_parse(text, out))
        return true;
    return place_refuse(at, d->problem, "bad-span", "one number and one of s min h d w mo y wh wd, as in 30min or 3wd");
}

static bool bytes_decode(const struct decoder *d, const struct field *f, struct bytes b, struct bytes *out,
                         const struct place *at)
{
    if (f->max && b.len > f->max)
        return place_refuse(at, d->problem, "too-long", "%" PRIu32, f->max);
    *out = b;
    return true;
}

static bool blob_decode(const struct decoder *d, const struct field *f, struct bytes b, void *out,
                        const struct place *at)
{
    size_t cap = f->size - sizeof(uint32_t);
    if (f->max && f->max < cap)
        cap = f->max;
    if (b.len > cap)
        return place_refuse(at, d->problem, "too-long", "%zu", cap);
    uint32_t n = (uint32_t)b.len;
    memcpy(out, &n, sizeof n);
    memset((char *)out + sizeof n, 0, f->size - sizeof n);
    if (n > 0)
        memcpy((char *)out + sizeof n, b.data, n);
    return true;
}

static bool bin_decode(const struct decoder *d, const struct field *f, struct pack_value v, void *member,
                       const struct place *at)
{
    if (v.type != PACK_BIN)
        return wrong_type(d, at, "bytes (bin)");
    if (f->kind == FIELD_BYTES)
        return bytes_decode(d, f, v.bytes, member, at);
    if (f->kind == FIELD_BLOB)
        return blob_decode(d, f, v.bytes, member, at);
    if (v.bytes.len != f->size)
        return place_refuse(at, d->problem, "bad-value", "exactly %" PRIu32 " bytes", f->size);
    memcpy(member, v.bytes.data, f->size);
    return true;
}

/* Where n elements go. The personal part of a list is laid over the elements that its plain part made. */
static bool elements_room(const struct decoder *d, const struct field *f, enum record_part part, uint32_t n,
                          void *object, struct elements *room, const struct place *at)
{
    assert(f->max > 0);
    if (n > f->max)
        return place_refuse(at, d->problem, "too-many", "%" PRIu32, f->max);
    if ((d->flags & DECODE_KEEP) && part == RECORD_PERSONAL) {
        *room = field_elements(f, object);
        return room->n == n || place_refuse(at, d->problem, "bad-value", "%" PRIu32 " elements as in data", room->n);
    }
    if (f->kind == FIELD_LIST) {
        *room = (struct elements){member_at(f, object), n};
    } else {
        assert(d->arena);
        *room = (struct elements){n ? arena_alloc(d->arena, (size_t)n * f->elem->size) : NULL, n};
    }
    for (size_t i = 0; i < n; i++) {
        char *item = room->items + i * f->elem->size;
        if (f->kind == FIELD_LIST)
            memset(item, 0, f->elem->size);
        if (f->elem->kind == FIELD_RECORD)
            record_defaults(f->elem->sub, item);
    }
    return true;
}

static bool elements_decode(const struct decoder *d, const struct field *f, enum record_part part, struct unpack *u,
                            void *object, const struct place *at)
{
    struct unpack before = *u;
    struct pack_value v = head_next(u);
    struct elements room = {0};
    if (v.type != PACK_ARRAY && field_takes_one(f)) {
        *u = before;
        v = (struct pack_value){.type = PACK_ARRAY, .n = 1};
    }
    if (v.type != PACK_ARRAY)
        return wrong_type(d, at, "a list");
    if (!elements_room(d, f, part, v.n, object, &room, at))
        return false;
    for (size_t i = 0; i < v.n; i++) {
        struct place here = {.up = at, .index = i};
        if (!value_decode(d, f->elem, part, u, room.items + i * f->elem->size, &here))
            return false;
    }
    if (f->kind == FIELD_LIST)
        memcpy((char *)object + f->count_offset, &v.n, sizeof v.n);
    else
        *(struct slice *)member_at(f, object) = (struct slice){room.items, v.n};
    return true;
}

bool value_decode(const struct decoder *d, const struct field *f, enum record_part part, struct unpack *u,
                  void *object, const struct place *at)
{
    void *member = member_at(f, object);
    struct pack_value v;
    switch (f->kind) {
    case FIELD_TEXT:
        return text_decode(d, f, head_next(u), member, at);
    case FIELD_INT:
        return int_decode(d, f, head_next(u), member, at);
    case FIELD_TIME:
        v = head_next(u);
        if (v.type != PACK_TIME)
            return place_refuse(at, d->problem, "bad-time", "expected a timestamp");
        *(int64_t *)member = v.time_us;
        return true;
    case FIELD_BOOL:
        v = head_next(u);
        if (v.type != PACK_BOOL)
            return wrong_type(d, at, "true or false");
        *(bool *)member = v.boolean;
        return true;
    case FIELD_ENUM:
        return enum_decode(d, f, head_next(u), member, at);
    case FIELD_SPAN:
        return span_decode(d, head_next(u), member, at);
    case FIELD_BIN:
    case FIELD_BYTES:
    case FIELD_BLOB:
        return bin_decode(d, f, head_next(u), member, at);
    case FIELD_RAW:
        return bytes_decode(d, f, unpack_raw(u), member, at);
    case FIELD_RECORD:
        return map_decode(d, f->sub, part, u, member, at);
    case FIELD_LIST:
    case FIELD_SLICE:
        return elements_decode(d, f, part, u, object, at);
    }
    return false;
}

/* Keys come in table order from every writer of ours: the search begins behind the field met last. */
static size_t field_next(const struct record *r, size_t from, const char *name, size_t n)
{
    for (size_t tried = 0, i = from; tried < r->n; tried++, i++) {
        if (i == r->n)
            i = 0;
        const char *known = r->fields[i].name;
        size_t at = 0;
        while (at < n && known[at] == name[at])
            at++;
        /* A name has no U+0000, so that the loop never runs past the end of the known one. */
        if (at == n && known[at] == 0 && !(r->fields[i].flags & FIELD_VOLATILE))
            return i;
    }
    return r->n;
}

/* A key that the record does not have: its value is passed over, or refused. */
static bool unknown_pass(const struct decoder *d, const struct record *r, struct bytes name, struct unpack *u,
                         const struct place *up)
{
    if (d->flags & DECODE_STRICT) {
        struct place here = {.up = up, .name = (const char *)name.data, .len = name.len};
        const char *near = record_suggest(r, here.name, here.len);
        return place_refuse(&here, d->problem, "unknown-field", "%s", near ? near : "");
    }
    unpack_raw(u);
    return true;
}

static bool field_decode(const struct decoder *d, const struct field *f, enum record_part part, struct unpack *u,
                         void *object, const struct place *up, bool *said)
{
    struct place here = {.up = up, .name = f->name, .len = PLACE_TERMINATED};
    enum record_part below;
    if (!field_in_part(f, part, &below)) {
        /* A record of personal fields only: let it say which of them stands in the wrong place. */
        if (part != RECORD_PLAIN || f->kind != FIELD_RECORD || (f->flags & FIELD_PERSONAL))
            return place_refuse(&here, d->problem, part == RECORD_PLAIN ? "personal" : "not-personal", "%s", "");
    }
    if (*u->at == 0xc0) { /* nil is how other languages say absent */
        u->at++;
        return true;
    }
    if (!value_decode(d, f, below, u, object, &here))
        return false;
    *said = !(f->flags & FIELD_REQUIRED) || !field_zero_is_missing(f) || !field_is_absent(f, below, object);
    return true;
}

/* An absent record of the personal part is missing what it requires of that part, by its own name. */
static bool absent_check(const struct decoder *d, const struct field *f, enum record_part part, enum record_part below,
                         const struct place *at)
{
    if (part != RECORD_PERSONAL || below != RECORD_PERSONAL)
        return place_refuse(at, d->problem, "missing", "%s", "");
    if (f->kind != FIELD_RECORD)
        return true;
    for (size_t i = 0; i < f->sub->n; i++) {
        const struct field *g = &f->sub->fields[i];
        struct place here = {.up = at, .name = g->name, .len = PLACE_TERMINATED};
        enum record_part deeper;
        if ((g->flags & FIELD_REQUIRED) && !(g->flags & FIELD_RETIRED) && field_in_part(g, below, &deeper) &&
            !absent_check(d, g, below, deeper, &here))
            return false;
    }
    return true;
}

static bool required_check(const struct decoder *d, const struct record *r, enum record_part part,
                           const uint64_t said[FIELDS_MAX / 64], const struct place *up)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct field *f = &r->fields[i];
        enum record_part below;
        if (!(f->flags & FIELD_REQUIRED) || (said[i / 64] >> (i % 64) & 1) || (f->flags & FIELD_RETIRED))
            continue;
        struct place here = {.up = up, .name = f->name, .len = PLACE_TERMINATED};
        if (field_in_part(f, part, &below) && !absent_check(d, f, part, below, &here))
            return false;
    }
    return true;
}

/* The short form: a text that is the first field. */
static bool brief_decode(const struct decoder *d, const struct record *r, struct pack_value v, void *object,
                         const struct place *up)
{
    const struct field *f = &r->fields[0];
    struct place here = {.up = up, .name = f->name, .len = PLACE_TERMINATED};
    assert(f->kind == FIELD_TEXT);
    if (!text_decode(d, f, v, member_at(f, object), &here))
        return false;
    return !(f->flags & FIELD_REQUIRED) || v.bytes.len > 0 || place_refuse(&here, d->problem, "missing", "%s", "");
}

static bool map_decode(const struct decoder *d, const struct record *r, enum record_part part, struct unpack *u,
                       void *object, const struct place *up)
{
    struct pack_value v = head_next(u);
    if (v.type == PACK_STR && r->brief && part != RECORD_PERSONAL)
        return brief_decode(d, r, v, object, up);
    if (v.type != PACK_MAP)
        return wrong_type(d, up, "a map");
    assert(r->n <= FIELDS_MAX);
    uint64_t said[FIELDS_MAX / 64] = {0};
    size_t next = 0;
    for (uint32_t pairs = v.n; pairs > 0; pairs--) {
        struct bytes name = head_next(u).bytes; /* skimmed: a key is a text */
        size_t i = field_next(r, next, (const char *)name.data, name.len);
        if (i == r->n) {
            if (!unknown_pass(d, r, name, u, up))
                return false;
            continue;
        }
        bool is_said = false;
        if (!field_decode(d, &r->fields[i], part, u, object, up, &is_said))
            return false;
        said[i / 64] |= (uint64_t)is_said << (i % 64);
        next = i + 1;
    }
    return required_check(d, r, part, said, up);
}

bool record_decode(const struct record *r, enum record_part part, unsigned flags, struct bytes in,
                   struct arena *arena, void *object, struct problem *problem)
{
    struct decoder d = {arena, flags, problem};
    struct unpack u = unpack_of(in);
    if (!(flags & DECODE_KEEP))
        record_clear(r, object);
    if (in.len == 0)
        return problem_set(problem, "malformed", "", "no bytes at all");
    return map_decode(&d, r, part, &u, object, NULL);
}
