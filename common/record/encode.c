#include "record/parts.h"
#include <assert.h>
#include <string.h>

static void map_encode(const struct record *, enum record_part, const void *object, struct buf *out);
static void value_encode(const struct field *, enum record_part below, const void *object, struct buf *out);

static void enum_encode(const struct field *f, int value, struct buf *out)
{
    assert(value >= 0);
    for (int i = 0; i <= value; i++)
        assert(f->names[i]);
    pack_text(out, f->names[value]);
}

static void blob_encode(const struct field *f, const void *member, struct buf *out)
{
    uint32_t n;
    memcpy(&n, member, sizeof n);
    assert(n <= f->size - sizeof n);
    pack_bin(out, bytes_of((const char *)member + sizeof n, n));
}

/* The personal part of a list keeps its length, so that it can be laid over the plain one. */
static void elements_encode(const struct field *f, enum record_part below, const void *object, struct buf *out)
{
    struct elements all = field_elements(f, object);
    pack_array(out, all.n);
    for (size_t i = 0; i < all.n; i++)
        value_encode(f->elem, below, all.items + i * f->elem->size, out);
}

static void raw_encode(struct bytes value, struct buf *out)
{
    if (value.len == 0)
        pack_nil(out);
    else
        pack_raw(out, value);
}

static void span_encode(struct span value, struct buf *out)
{
    char text[SPAN_TEXT_MAX];
    span_print(value, text);
    pack_text(out, text);
}

static void value_encode(const struct field *f, enum record_part below, const void *object, struct buf *out)
{
    const void *member = member_of(f, object);
    switch (f->kind) {
    case FIELD_BOOL:
        pack_bool(out, *(const bool *)member);
        return;
    case FIELD_INT:
        pack_int(out, *(const int64_t *)member);
        return;
    case FIELD_TIME:
        pack_time(out, *(const int64_t *)member);
        return;
    case FIELD_SPAN:
        span_encode(*(const struct span *)member, out);
        return;
    case FIELD_ENUM:
        enum_encode(f, *(const int *)member, out);
        return;
    case FIELD_TEXT:
        pack_text(out, member);
        return;
    case FIELD_BIN:
        pack_bin(out, bytes_of(member, f->size));
        return;
    case FIELD_BYTES:
        pack_bin(out, *(const struct bytes *)member);
        return;
    case FIELD_RAW:
        raw_encode(*(const struct bytes *)member, out);
        return;
    case FIELD_BLOB:
        blob_encode(f, member, out);
        return;
    case FIELD_RECORD:
        map_encode(f->sub, below, member, out);
        return;
    case FIELD_LIST:
    case FIELD_SLICE:
        elements_encode(f, below, object, out);
        return;
    }
}

/* The number of pairs is known behind them: room for the longest head it can need is kept, and closed
 * when a shorter one does. */
static void map_encode(const struct record *r, enum record_part part, const void *object, struct buf *out)
{
    size_t head = out->len, room = r->n > 15 ? 3 : 1;
    uint32_t pairs = 0;
    buf_reserve(out, 256);
    out->len += room;
    for (size_t i = 0; i < r->n; i++) {
        const struct field *f = &r->fields[i];
        enum record_part below;
        if (!field_in_part(f, part, &below) || field_is_left_out(f, below, object))
            continue;
        pack_text(out, f->name);
        value_encode(f, below, object, out);
        pairs++;
    }
    if (pairs <= 15 && room > 1) {
        memmove(out->data + head + 1, out->data + head + room, out->len - head - room);
        out->len -= room - 1;
    }
    size_t end = out->len;
    out->len = head;
    pack_map(out, pairs);
    out->len = end;
}

void record_encode(const struct record *r, enum record_part part, const void *object, struct buf *out)
{
    map_encode(r, part, object, out);
}
