#include "event_print.h"
#include "base/text.h"
#include "cli.h"
#include "proto/catalogue.h"
#include "record/record.h"
#include <inttypes.h>
#include <string.h>

const char *event_title(const struct event *event, enum language language)
{
    const struct event_type *type = event_type_find(event->type, event->v);
    if (type == NULL)
        return event->type;
    return language == CHINESE ? type->title_zh : type->title_en;
}

static void record_words(const struct record *, const void *object, enum language, struct buf *out);

static void elements_words(const struct field *field, const uint8_t *items, uint32_t n,
                           enum language language, struct buf *out)
{
    if (field->elem->kind == FIELD_RECORD && n > 4) {
        buf_append_format(out, "%" PRIu32, n);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *item = items + (size_t)i * field->elem->size;
        if (i > 0)
            buf_append_text(out, field->elem->kind == FIELD_RECORD ? "; " : ",");
        field_words(field->elem, item - field->elem->offset, language, out);
    }
}

void field_words(const struct field *field, const void *object, enum language language,
                 struct buf *out)
{
    const uint8_t *at = (const uint8_t *)object + field->offset;
    char text[INSTANT_TEXT_MAX];
    switch (field->kind) {
    case FIELD_BOOL: {
        bool value;
        memcpy(&value, at, sizeof(value));
        buf_append_text(out, value ? in_words(language, "yes") : "");
        return;
    }
    case FIELD_INT: {
        int64_t value;
        memcpy(&value, at, sizeof(value));
        buf_append_format(out, "%" PRId64, value);
        return;
    }
    case FIELD_TIME: {
        int64_t value;
        memcpy(&value, at, sizeof(value));
        time_words(value, text);
        buf_append_text(out, text);
        return;
    }
    case FIELD_SPAN: {
        struct span value;
        memcpy(&value, at, sizeof(value));
        span_print(value, text);
        buf_append_text(out, text);
        return;
    }
    case FIELD_ENUM: {
        int value;
        memcpy(&value, at, sizeof(value));
        buf_append_text(out, value_words(language, field->name, field->names[value]));
        return;
    }
    case FIELD_TEXT:
        buf_append_text(out, value_words(language, field->name, (const char *)at));
        return;
    case FIELD_BIN:
        for (uint32_t i = 0; i < field->size && i < 8; i++)
            buf_append_format(out, "%02x", at[i]);
        return;
    case FIELD_RECORD:
        record_words(field->sub, at, language, out);
        return;
    case FIELD_LIST: {
        uint32_t n;
        memcpy(&n, (const uint8_t *)object + field->count_offset, sizeof(n));
        elements_words(field, at, n, language, out);
        return;
    }
    case FIELD_SLICE: {
        struct slice slice;
        memcpy(&slice, at, sizeof(slice));
        elements_words(field, slice.items, slice.n, language, out);
        return;
    }
    case FIELD_BYTES:
    case FIELD_RAW: {
        struct bytes bytes;
        memcpy(&bytes, at, sizeof(bytes));
        if (bytes.len > 0)
            buf_append_format(out, in_words(language, "(%zu bytes)"), bytes.len);
        return;
    }
    case FIELD_BLOB:
        return;
    }
}

static bool says_nothing(const struct field *field, const char *words)
{
    return words[0] == '\0' || ((field->kind == FIELD_INT || field->kind == FIELD_BIN) &&
                                strspn(words, "0") == strlen(words));
}

/* A record's fields that are not their defaults, "name value, name value". */
static void record_words(const struct record *record, const void *object, enum language language,
                         struct buf *out)
{
    struct buf value = {0};
    bool first = true;
    for (size_t i = 0; i < record->n; i++) {
        const struct field *field = &record->fields[i];
        if ((field->flags & FIELD_VOLATILE) != 0)
            continue;
        buf_reset(&value);
        field_words(field, object, language, &value);
        if (says_nothing(field, buf_text(&value)))
            continue;
        buf_append_text(out, first ? "" : ", ");
        if (field->kind != FIELD_RECORD)
            buf_append_format(out, "%s ", in_words(language, field->name));
        buf_append_text(out, buf_text(&value));
        first = false;
    }
    buf_release(&value);
}

void event_words(const struct event *event, enum language language, struct buf *out)
{
    const struct event_type *type = event_type_find(event->type, event->v);
    if (type == NULL) {
        raw_print_json(event->data, out);
        return;
    }
    struct arena *arena = arena_new(8192);
    void *data = arena_alloc(arena, type->data->size);
    struct problem problem;
    if (record_decode(type->data, RECORD_PLAIN, DECODE_LENIENT, event->data, arena, data,
                      &problem)) {
        struct bytes personal = event_personal(event);
        if (personal.len > 0 &&
            !record_decode(type->data, RECORD_PERSONAL, DECODE_LENIENT | DECODE_KEEP, personal,
                           arena, data, &problem))
            buf_append_format(out, "(%s) ", problem.code);
        record_words(type->data, data, language, out);
        if (event->has_pd && personal.len == 0)
            buf_append_format(out, "%s%s", out->len > 0 ? " " : "", in_words(language, "(personal data erased, or not for you)"));
    } else {
        raw_print_json(event->data, out);
    }
    arena_destroy(&arena);
}
