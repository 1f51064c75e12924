#include "fill.h"
#include "base/text.h"
#include "event/event.h"
#include "proto/catalogue.h"
#include "record/pack.h"
#include <string.h>

static const char *const *words;
static size_t words_n;

void fill_words(const char *const *list, size_t n)
{
    words = list;
    words_n = n;
}

static const struct fill_habits usual = {.optional = 40};
static const struct fill_habits *habits = &usual;

void fill_habits(const struct fill_habits *new_habits)
{
    habits = new_habits != NULL ? new_habits : &usual;
}

static bool at_edge(struct chance *chance)
{
    return habits->edges > 0 && chance_of_hundred(chance, habits->edges);
}

static const char *some_word(struct chance *chance)
{
    static const char *const fallback[] = {"a", "b1", "T-1", "2026-01-01", "08:30", "3wd", "工单", "", "no", "tcp://127.0.0.1:7401"};
    return words_n > 0 && chance_of_hundred(chance, 80) ? words[chance_below(chance, words_n)]
                                                        : fallback[chance_below(chance, COUNT_OF(fallback))];
}

static int64_t some_int(struct chance *chance)
{
    static const int64_t edges[] = {0, 1, -1, 2, 255, 256, 65536, INT32_MAX, INT64_MAX, INT64_MIN, 86400};
    if (chance_of_hundred(chance, 50))
        return (int64_t)chance_below(chance, 10);
    if (chance_of_hundred(chance, 50))
        return edges[chance_below(chance, COUNT_OF(edges))];
    return (int64_t)(chance_next(chance) >> chance_below(chance, 64));
}

static int64_t some_time(struct chance *chance)
{
    static const int64_t edges[] = {INT64_C(-62135596800000000), INT64_C(253402300799999999), 1, INT64_C(1782205200000000)};
    static const int64_t bounds[] = {INSTANT_MIN_US, INSTANT_MIN_US + 1, -1, 1, SECOND_US, INSTANT_MAX_US, INSTANT_MAX_US - HOUR_US,
                                     INSTANT_MAX_US - 400 * DAY_US};
    if (at_edge(chance))
        return bounds[chance_below(chance, COUNT_OF(bounds))];
    if (chance_of_hundred(chance, 20))
        return edges[chance_below(chance, COUNT_OF(edges))];
    return INT64_C(1782205200000000) + (int64_t)chance_below(chance, UINT64_C(30) * 86400 * 1000000) - INT64_C(86400000000);
}

static void bin_fill(struct chance *chance, size_t n, struct buf *out)
{
    uint8_t data[256];
    n = n < sizeof(data) ? n : sizeof(data);
    for (size_t i = 0; i < n; i++)
        data[i] = (uint8_t)chance_next(chance);
    pack_bin(out, bytes_of(data, n));
}

void fill_any(struct chance *chance, unsigned depth, struct buf *out)
{
    char key[8];
    uint32_t n = (uint32_t)chance_below(chance, 4);
    switch (chance_below(chance, depth > 3 ? 6 : 8)) {
    case 0:
        pack_nil(out);
        break;
    case 1:
        pack_bool(out, chance_of_hundred(chance, 50));
        break;
    case 2:
        pack_int(out, some_int(chance));
        break;
    case 3:
        pack_text(out, some_word(chance));
        break;
    case 4:
        bin_fill(chance, chance_below(chance, 40), out);
        break;
    case 5:
        pack_time(out, some_time(chance));
        break;
    case 6:
        pack_array(out, n);
        for (uint32_t i = 0; i < n; i++)
            fill_any(chance, depth + 1, out);
        break;
    default:
        pack_map(out, n);
        for (uint32_t i = 0; i < n; i++) {
            text_format(key, sizeof(key), "k%u", i);
            pack_text(out, key);
            fill_any(chance, depth + 1, out);
        }
    }
}

static void span_fill(struct chance *chance, struct buf *out)
{
    static const char *const units[] = {"s", "min", "h", "d", "wh", "wd", "mo", "y"};
    char text[32];
    text_format(text, sizeof(text), "%s%u%s", chance_of_hundred(chance, 10) ? "-" : "", (unsigned)chance_below(chance, 50),
                units[chance_below(chance, COUNT_OF(units))]);
    pack_text(out, text);
}

static void enum_fill(const struct field *field, struct chance *chance, struct buf *out)
{
    size_t n = 0;
    while (field->names[n] != NULL)
        n++;
    pack_text(out, field->names[chance_below(chance, n)]);
}

static void text_fill(const struct field *field, struct chance *chance, struct buf *out)
{
    char text[400];
    const char *word = habits->pick != NULL ? habits->pick(habits->owner, field, chance) : NULL;
    if (word == NULL)
        word = some_word(chance);
    size_t cap = field->size < sizeof(text) ? field->size : sizeof(text);
    if (at_edge(chance)) {
        memset(text, 'x', cap - 1);
        pack_text_n(out, text, cap - 1);
        return;
    }
    if (habits == &usual && chance_of_hundred(chance, 4)) { /* to the brim, or one over */
        size_t n = cap - chance_below(chance, 2);
        memset(text, 'x', n);
        pack_text_n(out, text, n);
        return;
    }
    pack_text_n(out, word, strlen(word) < cap ? strlen(word) : cap - 1);
}

static void value_fill(const struct field *field, enum record_part part, struct chance *chance, unsigned wild, struct buf *out);

static void list_fill(const struct field *field, enum record_part part, struct chance *chance, unsigned wild, struct buf *out)
{
    uint32_t n = (uint32_t)chance_below(chance, 3);
    if (chance_of_hundred(chance, wild))
        n = field->max + (uint32_t)chance_below(chance, 2);
    if (at_edge(chance))
        n = field->max;
    n = n > 300 ? 300 : n;
    pack_array(out, n);
    for (uint32_t i = 0; i < n; i++)
        value_fill(field->elem, part, chance, wild, out);
}

static void int_at_edge(const struct field *field, struct chance *chance, struct buf *out)
{
    bool bound = field->min != 0 || field->max_int != 0, low = chance_of_hundred(chance, 50);
    pack_int(out, low ? (bound ? field->min : INT64_MIN) : (bound ? field->max_int : INT64_MAX));
}

static void value_fill(const struct field *field, enum record_part part, struct chance *chance, unsigned wild, struct buf *out)
{
    if (chance_of_hundred(chance, wild)) {
        fill_any(chance, 0, out);
        return;
    }
    switch (field->kind) {
    case FIELD_BOOL:
        pack_bool(out, chance_of_hundred(chance, 50));
        break;
    case FIELD_INT:
        if (at_edge(chance)) {
            int_at_edge(field, chance, out);
            break;
        }
        pack_int(out, field->min != field->max_int && !chance_of_hundred(chance, wild)
                          ? field->min + (int64_t)chance_below(chance, (uint64_t)field->max_int - (uint64_t)field->min)
                          : some_int(chance));
        break;
    case FIELD_TIME:
        pack_time(out, some_time(chance));
        break;
    case FIELD_SPAN:
        span_fill(chance, out);
        break;
    case FIELD_ENUM:
        enum_fill(field, chance, out);
        break;
    case FIELD_TEXT:
        text_fill(field, chance, out);
        break;
    case FIELD_BIN:
        bin_fill(chance, field->size, out);
        break;
    case FIELD_BYTES:
    case FIELD_BLOB:
        bin_fill(chance, chance_below(chance, 60), out);
        break;
    case FIELD_RAW: {
        struct buf inner = {0};
        fill_any(chance, 1, &inner);
        pack_raw(out, buf_bytes(&inner));
        buf_release(&inner);
        break;
    }
    case FIELD_RECORD:
        fill_map(field->sub, part, chance, wild, out);
        break;
    case FIELD_LIST:
    case FIELD_SLICE:
        list_fill(field, part, chance, wild, out);
        break;
    }
}

static bool holds_personal(const struct field *field)
{
    const struct record *sub = field->kind == FIELD_RECORD                      ? field->sub
                               : field->elem != NULL && field->elem->sub != NULL ? field->elem->sub
                                                                                 : NULL;
    for (size_t i = 0; sub != NULL && i < sub->n; i++)
        if ((sub->fields[i].flags & FIELD_PERSONAL) != 0 || holds_personal(&sub->fields[i]))
            return true;
    return false;
}

static bool is_of(const struct field *field, enum record_part part)
{
    bool personal = (field->flags & FIELD_PERSONAL) != 0;
    switch (part) {
    case RECORD_PLAIN:
        return !personal;
    case RECORD_PERSONAL:
        return personal || holds_personal(field);
    case RECORD_WHOLE:
        return true;
    }
    return true;
}

void fill_map(const struct record *record, enum record_part part, struct chance *chance, unsigned wild, struct buf *out)
{
    struct buf pairs = {0};
    uint32_t n = 0;
    for (size_t i = 0; i < record->n; i++) {
        const struct field *field = &record->fields[i];
        bool required = (field->flags & FIELD_REQUIRED) != 0;
        if ((field->flags & FIELD_VOLATILE) != 0 || !(is_of(field, part) || chance_of_hundred(chance, wild)))
            continue;
        if (!chance_of_hundred(chance, required ? 99 : habits->optional))
            continue;
        pack_text(&pairs, field->name);
        value_fill(field, part, chance, wild, &pairs);
        n++;
    }
    pack_map(out, n);
    buf_append(out, pairs.data, pairs.len);
    buf_release(&pairs);
}

void fill_draft(const char *type, const char *key, struct chance *chance, unsigned wild, struct buf *out)
{
    size_t types = 0;
    while (event_type_at(types) != NULL)
        types++;
    const struct event_type *known = type != NULL ? event_type_find(type, 0) : event_type_at(chance_below(chance, types));
    struct buf data = {0}, priv = {0};
    fill_map(known->data, RECORD_PLAIN, chance, wild, &data);
    if (chance_of_hundred(chance, 30))
        fill_map(known->data, RECORD_PERSONAL, chance, wild, &priv);
    struct draft draft = {.type = known->name, .v = known->v, .key = key != NULL ? key : some_word(chance), .by = "tester",
                          .data = buf_bytes(&data), .priv = buf_bytes(&priv)};
    if (chance_of_hundred(chance, 30))
        draft.at_us = some_time(chance);
    if (chance_of_hundred(chance, 10))
        draft.cause = chance_below(chance, 40);
    if (chance_of_hundred(chance, 10))
        draft.id = "dispatcher/T-1/offer/1";
    draft_encode(&draft, out);
    buf_release(&data);
    buf_release(&priv);
}
