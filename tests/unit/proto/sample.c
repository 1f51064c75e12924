#include "sample.h"
#include "base/text.h"
#include <string.h>

static void field_fill(const struct field *field, void *member, int64_t number, struct arena *arena);

static void integer_fill(const struct field *field, void *member, int64_t number)
{
    int64_t value = number;
    if (field->min != 0 || field->max_int != 0) {
        value = field->min < 0 ? 0 : field->min + 1;
        if (value > field->max_int)
            value = field->max_int;
    }
    memcpy(member, &value, sizeof(value));
}

static void text_fill(const struct field *field, char *member, int64_t number)
{
    /* Text that is not a key shows that it may be Chinese. */
    char text[24];
    bool key = (field->flags & FIELD_KEYLIKE) != 0 || field->size < 16;
    text_format(text, sizeof(text), key ? "K-%lld" : "文-%lld", (long long)number);
    text_copy(member, field->size, text);
}

static void elements_fill(const struct field *field, char *items, uint32_t n, struct arena *arena)
{
    for (uint32_t i = 0; i < n; i++)
        field_fill(field->elem, items + (size_t)i * field->elem->size, 40 + i, arena);
}

static void field_fill(const struct field *field, void *member, int64_t number, struct arena *arena)
{
    static const uint8_t raw[] = {0x81, 0xA1, 'a', 0x01}; /* {"a": 1} */
    switch (field->kind) {
    case FIELD_BOOL:
        *(bool *)member = field->def == 0;
        break;
    case FIELD_INT:
        integer_fill(field, member, number);
        break;
    case FIELD_TIME: {
        int64_t us = (INT64_C(1314835200) + number) * SECOND_US;
        memcpy(member, &us, sizeof(us));
        break;
    }
    case FIELD_SPAN:
        *(struct span *)member = (struct span){3, SPAN_WORKING_DAYS};
        break;
    case FIELD_ENUM: {
        int value = field->names[1] != NULL ? 1 : 0;
        memcpy(member, &value, sizeof(value));
        break;
    }
    case FIELD_TEXT:
        text_fill(field, member, number);
        break;
    case FIELD_BIN:
        memset(member, (int)(number & 0x7F) + 1, field->size);
        break;
    case FIELD_BYTES:
    case FIELD_RAW:
        *(struct bytes *)member = bytes_of(raw, sizeof(raw));
        break;
    case FIELD_BLOB: {
        uint32_t len = sizeof(raw);
        memcpy(member, &len, sizeof(len));
        memcpy((char *)member + sizeof(len), raw, sizeof(raw));
        break;
    }
    case FIELD_RECORD:
        sample_fill(field->sub, member, arena);
        break;
    case FIELD_LIST: /* its count is the record's to set */
        elements_fill(field, member, 2 < field->max ? 2 : field->max, arena);
        break;
    case FIELD_SLICE: {
        struct slice *slice = member;
        slice->n = 2;
        slice->items = arena_alloc(arena, 2 * (size_t)field->elem->size);
        elements_fill(field, slice->items, 2, arena);
        break;
    }
    }
}

void sample_fill(const struct record *record, void *object, struct arena *arena)
{
    record_clear(record, object);
    for (size_t i = 0; i < record->n; i++) {
        const struct field *field = &record->fields[i];
        field_fill(field, (char *)object + field->offset, (int64_t)i + 2, arena);
        if (field->kind == FIELD_LIST) {
            uint32_t n = 2 < field->max ? 2 : field->max;
            memcpy((char *)object + field->count_offset, &n, sizeof(n));
        }
    }
}
