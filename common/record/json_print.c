#include "base/text.h"
#include "record/base64.h"
#include "record/head.h"
#include "record/parts.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void map_print(const struct record *, enum record_part, const void *object, struct buf *out);

static void text_print(const char *text, size_t n, struct buf *out)
{
    size_t from = 0;
    buf_append(out, "\"", 1);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
            continue;
        buf_append(out, text + from, i - from);
        if (c == '"' || c == '\\')
            buf_append_format(out, "\\%c", c);
        else if (c == '\n')
            buf_append(out, "\\n", 2);
        else
            buf_append_format(out, "\\u%04x", c);
        from = i + 1;
    }
    buf_append(out, text + from, n - from);
    buf_append(out, "\"", 1);
}

void json_text(struct buf *out, const char *text)
{
    text_print(text, strlen(text), out);
}

static void time_print(int64_t us, struct buf *out)
{
    char text[INSTANT_TEXT_MAX];
    instant_print(us, text);
    json_text(out, text);
}

static void bin_print(struct bytes b, struct buf *out)
{
    buf_append(out, "\"", 1);
    base64_print(b, out);
    buf_append(out, "\"", 1);
}

/* The fewest digits that read back as the same number. */
static void real_print(double v, struct buf *out)
{
    char text[40];
    if (!isfinite(v)) {
        buf_append_text(out, "null");
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        text_format(text, sizeof text, "%.*g", digits, v);
        double again = strtod(text, NULL);
        if (memcmp(&again, &v, sizeof v) == 0)
            break;
    }
    buf_append_text(out, text);
    if (!strpbrk(text, ".e"))
        buf_append_text(out, ".0");
}

static void value_print(struct unpack *u, struct buf *out)
{
    struct pack_value v = head_next(u);
    switch (v.type) {
    case PACK_NIL:
        buf_append_text(out, "null");
        return;
    case PACK_BOOL:
        buf_append_text(out, v.boolean ? "true" : "false");
        return;
    case PACK_INT:
        buf_append_format(out, "%" PRId64, v.integer);
        return;
    case PACK_UINT:
        buf_append_format(out, "%" PRIu64, v.large);
        return;
    case PACK_FLOAT:
        real_print(v.real, out);
        return;
    case PACK_STR:
        text_print((const char *)v.bytes.data, v.bytes.len, out);
        return;
    case PACK_BIN:
        bin_print(v.bytes, out);
        return;
    case PACK_TIME:
        time_print(v.time_us, out);
        return;
    case PACK_ARRAY:
        buf_append(out, "[", 1);
        for (uint32_t i = 0; i < v.n; i++) {
            if (i)
                buf_append(out, ",", 1);
            value_print(u, out);
        }
        buf_append(out, "]", 1);
        return;
    case PACK_MAP:
        buf_append(out, "{", 1);
        for (uint32_t i = 0; i < v.n; i++) {
            if (i)
                buf_append(out, ",", 1);
            value_print(u, out);
            buf_append(out, ":", 1);
            value_print(u, out);
        }
        buf_append(out, "}", 1);
        return;
    }
}

void raw_print_json(struct bytes value, struct buf *out)
{
    struct unpack u = unpack_of(value);
    value_print(&u, out);
}

static void field_print(const struct field *, enum record_part below, const void *object, struct buf *out);

static void elements_print(const struct field *f, enum record_part below, const void *object, struct buf *out)
{
    struct elements all = field_elements(f, object);
    buf_append(out, "[", 1);
    for (size_t i = 0; i < all.n; i++) {
        if (i)
            buf_append(out, ",", 1);
        field_print(f->elem, below, all.items + i * f->elem->size, out);
    }
    buf_append(out, "]", 1);
}

static void field_print(const struct field *f, enum record_part below, const void *object, struct buf *out)
{
    const void *member = member_of(f, object);
    char span[SPAN_TEXT_MAX];
    uint32_t n;
    switch (f->kind) {
    case FIELD_BOOL:
        buf_append_text(out, *(const bool *)member ? "true" : "false");
        return;
    case FIELD_INT:
        buf_append_format(out, "%" PRId64, *(const int64_t *)member);
        return;
    case FIELD_TIME:
        time_print(*(const int64_t *)member, out);
        return;
    case FIELD_SPAN:
        span_print(*(const struct span *)member, span);
        json_text(out, span);
        return;
    case FIELD_ENUM:
        json_text(out, f->names[*(const int *)member]);
        return;
    case FIELD_TEXT:
        json_text(out, member);
        return;
    case FIELD_BIN:
        bin_print(bytes_of(member, f->size), out);
        return;
    case FIELD_BYTES:
        bin_print(*(const struct bytes *)member, out);
        return;
    case FIELD_RAW:
        if (((const struct bytes *)member)->len == 0)
            buf_append_text(out, "null");
        else
            raw_print_json(*(const struct bytes *)member, out);
        return;
    case FIELD_BLOB:
        memcpy(&n, member, sizeof n);
        bin_print(bytes_of((const char *)member + sizeof n, n), out);
        return;
    case FIELD_RECORD:
        map_print(f->sub, below, member, out);
        return;
    case FIELD_LIST:
    case FIELD_SLICE:
        elements_print(f, below, object, out);
        return;
    }
}

static void map_print(const struct record *r, enum record_part part, const void *object, struct buf *out)
{
    const char *between = "";
    buf_append(out, "{", 1);
    for (size_t i = 0; i < r->n; i++) {
        const struct field *f = &r->fields[i];
        enum record_part below;
        if (!field_in_part(f, part, &below) || field_is_left_out(f, below, object))
            continue;
        buf_append_format(out, "%s\"%s\":", between, f->name);
        field_print(f, below, object, out);
        between = ",";
    }
    buf_append(out, "}", 1);
}

void record_print_json(const struct record *r, enum record_part part, const void *object, struct buf *out)
{
    map_print(r, part, object, out);
}
