#include "record/record.h"
#include "base/text.h"
#include "record/parts.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static size_t name_print(const struct place *p, char *out, size_t cap)
{
    size_t n = p->up ? name_print(p->up, out, cap) : 0;
    int len = p->len == PLACE_TERMINATED ? -1 : (int)p->len; /* a negative precision is none */
    int more = p->name ? snprintf(out + n, cap - n, "%s%.*s", n ? "." : "", len, p->name)
                       : snprintf(out + n, cap - n, "[%zu]", p->index);
    n += (size_t)more;
    return n < cap ? n : cap - 1;
}

void place_print(const struct place *p, char *out, size_t cap)
{
    char path[1024] = "";
    if (p)
        name_print(p, path, sizeof path);
    text_copy(out, cap, path);
}

bool place_refuse(const struct place *p, struct problem *problem, const char *code, const char *format, ...)
{
    char path[sizeof problem->field], args[4 * sizeof problem->args];
    place_print(p, path, sizeof path);
    va_list list;
    va_start(list, format);
    vsnprintf(args, sizeof args, format, list);
    va_end(list);
    return problem_set(problem, code, path, "%s", args);
}

static bool has_sub(const struct field *f)
{
    return f->kind == FIELD_RECORD ||
           ((f->kind == FIELD_LIST || f->kind == FIELD_SLICE) && f->elem->kind == FIELD_RECORD);
}

static const struct record *sub_of(const struct field *f)
{
    return f->kind == FIELD_RECORD ? f->sub : f->elem->sub;
}

bool field_in_part_nested(const struct field *f, enum record_part part, enum record_part *below)
{
    *below = part;
    if (f->flags & FIELD_VOLATILE)
        return false;
    if (part == RECORD_WHOLE)
        return true;
    if (f->flags & FIELD_PERSONAL) {
        *below = RECORD_WHOLE;
        return part == RECORD_PERSONAL;
    }
    /* A list is plain itself, even where its elements are all personal: its length is. */
    if (f->kind == FIELD_RECORD || (has_sub(f) && part == RECORD_PERSONAL))
        return record_has(sub_of(f), part);
    return part == RECORD_PLAIN;
}

bool record_has(const struct record *r, enum record_part part)
{
    enum record_part below;
    for (size_t i = 0; i < r->n; i++)
        if (field_in_part(&r->fields[i], part, &below))
            return true;
    return r->n == 0 && part == RECORD_PLAIN;
}

void record_defaults(const struct record *r, void *object)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct field *f = &r->fields[i];
        if (f->kind == FIELD_RECORD)
            record_defaults(f->sub, member_at(f, object));
        if (f->def == 0)
            continue;
        if (f->kind == FIELD_INT)
            *(int64_t *)member_at(f, object) = f->def;
        else if (f->kind == FIELD_ENUM)
            *(int *)member_at(f, object) = (int)f->def;
        else if (f->kind == FIELD_BOOL)
            *(bool *)member_at(f, object) = true;
    }
}

void record_clear(const struct record *r, void *object)
{
    memset(object, 0, r->size);
    record_defaults(r, object);
}

struct elements field_elements(const struct field *f, const void *object)
{
    if (f->kind == FIELD_SLICE) {
        struct slice s;
        memcpy(&s, member_of(f, object), sizeof s);
        return (struct elements){s.items, s.n};
    }
    uint32_t n;
    memcpy(&n, (const char *)object + f->count_offset, sizeof n);
    assert(n <= f->max);
    union {
        const void *in;
        char *out;
    } items = {.in = member_of(f, object)};
    return (struct elements){items.out, n};
}

static struct bytes blob_bytes(const void *member)
{
    uint32_t n;
    memcpy(&n, member, sizeof n);
    return bytes_of((const char *)member + sizeof n, n);
}

static bool all_zero(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i])
            return false;
    return true;
}

static bool record_is_absent(const struct record *r, enum record_part part, const void *object)
{
    enum record_part below;
    for (size_t i = 0; i < r->n; i++)
        if (field_in_part(&r->fields[i], part, &below) && !field_is_absent(&r->fields[i], below, object))
            return false;
    return true;
}

/* A list is its length; its personal part is there when an element has one. */
static bool elements_are_absent(const struct field *f, enum record_part below, const void *object)
{
    struct elements all = field_elements(f, object);
    if (below != RECORD_PERSONAL)
        return all.n == 0;
    for (size_t i = 0; i < all.n; i++)
        if (!field_is_absent(f->elem, below, all.items + i * f->elem->size))
            return false;
    return true;
}

bool field_is_absent(const struct field *f, enum record_part below, const void *object)
{
    const void *member = member_of(f, object);
    switch (f->kind) {
    case FIELD_BOOL:
        return *(const bool *)member == (f->def != 0);
    case FIELD_INT:
        return *(const int64_t *)member == f->def;
    case FIELD_TIME:
        return *(const int64_t *)member == 0;
    case FIELD_SPAN:
        return ((const struct span *)member)->unit == SPAN_NONE;
    case FIELD_ENUM:
        return *(const int *)member == (int)f->def;
    case FIELD_TEXT:
        return *(const char *)member == 0;
    case FIELD_BIN:
        return all_zero(member, f->size);
    case FIELD_BYTES:
    case FIELD_RAW:
        return ((const struct bytes *)member)->len == 0;
    case FIELD_BLOB:
        return blob_bytes(member).len == 0;
    case FIELD_RECORD:
        return record_is_absent(f->sub, below, member);
    case FIELD_LIST:
    case FIELD_SLICE:
        return elements_are_absent(f, below, object);
    }
    return false;
}

bool field_is_left_out(const struct field *f, enum record_part below, const void *object)
{
    /* A record that is personal only here and there is required of the plain part. */
    bool required = (f->flags & (FIELD_REQUIRED | FIELD_RETIRED)) == FIELD_REQUIRED && below != RECORD_PERSONAL;
    return !required && field_is_absent(f, below, object);
}

bool field_zero_is_missing(const struct field *f)
{
    return f->kind != FIELD_BOOL && f->kind != FIELD_INT && f->kind != FIELD_ENUM && f->kind != FIELD_RECORD;
}

const struct field *record_find(const struct record *r, const char *name, size_t n)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct field *f = &r->fields[i];
        if (strncmp(f->name, name, n) == 0 && f->name[n] == 0 && !(f->flags & FIELD_VOLATILE))
            return f;
    }
    return NULL;
}

const struct field *record_field(const struct record *r, const char *name)
{
    for (size_t i = 0; i < r->n; i++)
        if (text_equal(r->fields[i].name, name))
            return &r->fields[i];
    return NULL;
}

bool record_has_personal(const struct record *r)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct field *field = &r->fields[i];
        const struct record *sub = field->sub != NULL ? field->sub : field->elem != NULL ? field->elem->sub : NULL;
        if ((field->flags & FIELD_PERSONAL) != 0 || (sub != NULL && record_has_personal(sub)))
            return true;
    }
    return false;
}

#define SUGGEST_LEN_MAX 48

static size_t least(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

/* Levenshtein's distance, one row at a time. */
static size_t distance(const char *a, size_t a_n, const char *b, size_t b_n)
{
    size_t row[SUGGEST_LEN_MAX + 1];
    for (size_t j = 0; j <= b_n; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_n; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_n; j++) {
            size_t cost = corner + (a[i - 1] != b[j - 1]);
            corner = row[j];
            row[j] = least(cost, row[j] + 1, row[j - 1] + 1);
        }
    }
    return row[b_n];
}

const char *record_suggest(const struct record *r, const char *name, size_t n)
{
    const char *best = NULL;
    size_t best_distance = n / 3 + 1; /* further away it would be a guess */
    for (size_t i = 0; i < r->n && n <= SUGGEST_LEN_MAX; i++) {
        const struct field *f = &r->fields[i];
        size_t len = strlen(f->name);
        if (len > SUGGEST_LEN_MAX || (f->flags & (FIELD_VOLATILE | FIELD_RETIRED)))
            continue;
        size_t d = distance(name, n, f->name, len);
        if (d < best_distance || (d == best_distance && !best)) {
            best = f->name;
            best_distance = d;
        }
    }
    return best;
}

static bool value_equal(const struct field *, const void *a, const void *b);

static bool elements_equal(const struct field *f, const void *a, const void *b)
{
    struct elements x = field_elements(f, a), y = field_elements(f, b);
    if (x.n != y.n)
        return false;
    for (size_t i = 0; i < x.n; i++)
        if (!value_equal(f->elem, x.items + i * f->elem->size, y.items + i * f->elem->size))
            return false;
    return true;
}

static bool span_equal(const struct span *a, const struct span *b)
{
    return a->unit == b->unit && (a->unit == SPAN_NONE || a->n == b->n);
}

static bool value_equal(const struct field *f, const void *a, const void *b)
{
    const void *x = member_of(f, a), *y = member_of(f, b);
    switch (f->kind) {
    case FIELD_BOOL:
        return *(const bool *)x == *(const bool *)y;
    case FIELD_INT:
    case FIELD_TIME:
        return *(const int64_t *)x == *(const int64_t *)y;
    case FIELD_ENUM:
        return *(const int *)x == *(const int *)y;
    case FIELD_SPAN:
        return span_equal(x, y);
    case FIELD_TEXT:
        return text_equal(x, y);
    case FIELD_BIN:
        return memcmp(x, y, f->size) == 0;
    case FIELD_BYTES:
    case FIELD_RAW:
        return bytes_equal(*(const struct bytes *)x, *(const struct bytes *)y);
    case FIELD_BLOB:
        return bytes_equal(blob_bytes(x), blob_bytes(y));
    case FIELD_RECORD:
        return record_equal(f->sub, x, y);
    case FIELD_LIST:
    case FIELD_SLICE:
        return elements_equal(f, a, b);
    }
    return false;
}

bool record_equal(const struct record *r, const void *a, const void *b)
{
    for (size_t i = 0; i < r->n; i++)
        if (!(r->fields[i].flags & FIELD_VOLATILE) && !value_equal(&r->fields[i], a, b))
            return false;
    return true;
}
