#include "record/parts.h"
#include <assert.h>
#include <string.h>

static uint32_t map_encode(const struct record *, enum record_part, const void *object, struct buf *out);
static bool value_encode(const struct field *, enum record_part below, const void *object, struct buf *out);

static bool enum_encode(const struct field *f, int value, struct buf *out)
{
    assert(value >= 0);
    for (int i = 0; i <= value; i++)
        assert(f->names[i]);
    pack_text(out, f->names[value]);
    return true;
}

static bool blob_encode(const struct field *f, const void *member, struct buf *out)
{
    uint32_t n;
    memcpy(&n, member, sizeof n);
    assert(n <= f->size - sizeof n);
    pack_bin(out, bytes_of((const char *)member + sizeof n, n));
    return true;
}

/* The personal part of a list keeps its length, so that it can be laid over the plain one, and is left out when no
 * element has anything personal in it. */
static bool elements_encode(const struct field *f, enum record_part below, const void *object, struct buf *out)
{
    struct elements all = field_elements(f, object);
    bool written = false;
    pack_array(out, all.n);
    for (size_t i = 0; i < all.n; i++)
        if (value_encode(f->elem, below, all.items + i * f->elem->size, out))
            written = true;
    return below == RECORD_PERSONAL ? written : all.n > 0;
}

/* Whether there was anything to write. */
static bool value_encode(const struct field *f, enum record_part below, const void *object, struct buf *out)
{
    const void *member = member_of(f, object);
    char span[SPAN_TEXT_MAX];
    switch (f->kind) {
    case FIELD_BOOL:
        pack_bool(out, *(const bool *)member);
        return true;
    case FIELD_INT:
        pack_int(out, *(const int64_t *)member);
        return true;
    case FIELD_TIME:
        pack_time(out, *(const int64_t *)member);
        return true;
    case FIELD_SPAN:
        span_print(*(const struct span *)member, span);
        pack_text(out, span);
        return true;
    case FIELD_ENUM:
        return enum_encode(f, *(const int *)member, out);
    case FIELD_TEXT:
        pack_text(out, member);
        return true;
    case FIELD_BIN:
        pack_bin(out, bytes_of(member, f->size));
        return true;
    case FIELD_BYTES:
        pack_bin(out, *(const struct bytes *)member);
        return true;
    case FIELD_RAW:
        if (((const struct bytes *)member)->len == 0)
            pack_nil(out);
        else
            pack_raw(out, *(const struct bytes *)member);
        return true;
    case FIELD_BLOB:
        return blob_encode(f, member, out);
    case FIELD_RECORD:
        return map_encode(f->sub, below, member, out) > 0;
    case FIELD_LIST:
    case FIELD_SLICE:
        return elements_encode(f, below, object, out);
    }
    return false;
}

static bool field_encode(const struct field *f, enum record_part part, const void *object, struct buf *out)
{
    enum record_part below;
    if (!field_in_part(f, part, &below))
        return false;
    bool required = (f->flags & (FIELD_REQUIRED | FIELD_RETIRED)) == FIELD_REQUIRED;
    if (!required && field_is_absent(f, member_of(f, object)))
        return false;
    /* A record that is personal only here and there is required of the plain part. */
    if (below == RECORD_PERSONAL)
        required = false;
    size_t mark = out->len;
    pack_text(out, f->name);
    if (value_encode(f, below, object, out) || required)
        return true;
    out->len = mark;
    return false;
}

/* The number of pairs is known behind them: room for the longest head it can need is kept, and closed
 * when a shorter one does. */
static uint32_t map_encode(const struct record *r, enum record_part part, const void *object, struct buf *out)
{
    size_t head = out->len, room = r->n > 15 ? 3 : 1;
    uint32_t pairs = 0;
    buf_reserve(out, 256);
    out->len += room;
    for (size_t i = 0; i < r->n; i++)
        pairs += field_encode(&r->fields[i], part, object, out);
    if (pairs <= 15 && room > 1) {
        memmove(out->data + head + 1, out->data + head + room, out->len - head - room);
        out->len -= room - 1;
    }
    size_t end = out->len;
    out->len = head;
    pack_map(out, pairs);
    out->len = end;
    return pairs;
}

void record_encode(const struct record *r, enum record_part part, const void *object, struct buf *out)
{
    map_encode(r, part, object, out);
}
