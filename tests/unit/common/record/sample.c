#include "common/record/sample.h"
#include "base/text.h"
#include "record/pack.h"
#include <string.h>

static const char *const grades[] = {"none", "low", "high", NULL};

static const struct field sample_part_fields[] = {
    F_TEXT(sample_part, part, FIELD_REQUIRED, "part number"),
    F_INT_RANGE(sample_part, quantity, 0, 0, 99, "how many"),
    F_BOOL(sample_part, old_kept, 0, "old one kept"),
    F_TEXT(sample_part, owner, FIELD_PERSONAL, "whose it is"),
};
static const struct record sample_part_record = RECORD(sample_part, sample_part_fields, "a part");

static const struct field sample_who_fields[] = {
    F_TEXT(sample_who, id, FIELD_KEYLIKE, "id"),
    F_TEXT(sample_who, name, FIELD_PERSONAL, "name"),
    F_TEXT(sample_who, phone, FIELD_PERSONAL | FIELD_REQUIRED, "phone"),
};
static const struct record sample_who_record = RECORD(sample_who, sample_who_fields, "a person");

static const struct field code_elem = ELEM_INT();
static const struct field sample_line_fields[] = {
    F_TEXT(sample_line, text, 0, "text"),
    F_SLICE(sample_line, codes, 0, &code_elem, 5, "codes"),
};
static const struct record sample_line_record = RECORD(sample_line, sample_line_fields, "a line");

static const struct field part_elem = ELEM_RECORD(&sample_part_record, struct sample_part);
static const struct field line_elem = ELEM_RECORD(&sample_line_record, struct sample_line);
static const struct field word_elem = {.name = "", .kind = FIELD_TEXT, .size = 12, .flags = FIELD_KEYLIKE};
static const struct field day_elem = {.name = "", .kind = FIELD_INT, .size = sizeof(int64_t), .min = 1, .max_int = 7};
static const struct field raw_elem = ELEM_RAW();

static const struct field sample_fields[] = {
    F_TEXT(sample, key, FIELD_REQUIRED | FIELD_KEYLIKE, "what it is about"),
    F_BOOL(sample, flag, 0, "a flag"),
    {.name = "on", .kind = FIELD_BOOL, F_AT(sample, on), .def = 1, .doc = "on unless said"},
    F_INT_DEF(sample, n, 0, 7, -5, 1000000, "a number with a default"),
    F_INT(sample, big, 0, "any number"),
    F_INT_RANGE(sample, tier, FIELD_REQUIRED, 0, 9, "required, and may be 0"),
    F_TIME(sample, at, 0, "when"),
    F_SPAN(sample, limit, 0, "how long"),
    F_ENUM(sample, grade, 0, grades, "grade"),
    F_BIN(sample, hash, 0, "eight bytes"),
    F_BYTES(sample, file, 0, 100, "some bytes"),
    F_RAW(sample, any, 0, 200, "anything"),
    F_BLOB(sample, blob, 0, "a few bytes inside"),
    F_RECORD(sample, who, 0, &sample_who_record, "who"),
    F_LIST(sample, parts, 0, &part_elem, "parts"),
    F_LIST(sample, words, 0, &word_elem, "words"),
    F_LIST(sample, days, 0, &day_elem, "days"),
    F_SLICE(sample, lines, 0, &line_elem, 6, "lines"),
    F_SLICE(sample, extra, 0, &raw_elem, 4, "more of anything"),
    F_INT(sample, seen, FIELD_VOLATILE, "in memory only"),
    F_TEXT(sample, former, FIELD_RETIRED | FIELD_REQUIRED, "no longer asked for"),
    F_TEXT(sample, remark, FIELD_PERSONAL, "free text about a person"),
};
const struct record sample_record = RECORD(sample, sample_fields, "every kind of field");

uint64_t random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

static uint64_t below(uint64_t *state, uint64_t n)
{
    return (random_next(state) >> 16) % n;
}

/* Half of all optional things are there. */
static bool some(uint64_t *state)
{
    return below(state, 2) == 0;
}

static void word_fill(uint64_t *state, char *out, size_t cap)
{
    static const char letters[] = "ABCZabcz0189._-";
    size_t n = 1 + below(state, cap - 1);
    for (size_t i = 0; i < n; i++)
        out[i] = letters[below(state, sizeof letters - 1)];
    out[n] = 0;
}

static void prose_fill(uint64_t *state, char *out, size_t cap)
{
    static const char *const pieces[] = {"a", "工单", "é", " ", "\"", "\\", "\n", "😀", "x'y", ": ", "#", "\t", "\x7f"};
    size_t n = below(state, cap);
    out[0] = 0;
    while (strlen(out) < n) {
        const char *piece = pieces[below(state, COUNT_OF(pieces))];
        if (strlen(out) + strlen(piece) >= cap)
            return;
        strcat(out, piece);
    }
}

static int64_t int_any(uint64_t *state)
{
    return (int64_t)(random_next(state) >> below(state, 64)) * (some(state) ? 1 : -1);
}

static struct bytes bytes_any(uint64_t *state, struct arena *arena, size_t most)
{
    size_t n = 1 + below(state, most);
    uint8_t *data = arena_alloc(arena, n);
    for (size_t i = 0; i < n; i++)
        data[i] = (uint8_t)random_next(state);
    return bytes_of(data, n);
}

static struct bytes raw_any(uint64_t *state, struct arena *arena)
{
    struct buf out = {0};
    char text[20];
    pack_map(&out, 2);
    pack_text(&out, "a");
    pack_int(&out, int_any(state));
    prose_fill(state, text, sizeof text);
    pack_text(&out, "b");
    pack_array(&out, 2);
    pack_text(&out, text);
    pack_bool(&out, some(state));
    void *kept = memcpy(arena_alloc(arena, out.len), out.data, out.len);
    struct bytes value = bytes_of(kept, out.len);
    buf_release(&out);
    return value;
}

static void lists_fill(struct sample *s, uint64_t *state, struct arena *arena)
{
    s->parts_n = (uint32_t)below(state, 5);
    for (uint32_t i = 0; i < s->parts_n; i++) {
        word_fill(state, s->parts[i].part, sizeof s->parts[i].part);
        s->parts[i].quantity = (int64_t)below(state, 100);
        s->parts[i].old_kept = some(state);
        prose_fill(state, s->parts[i].owner, sizeof s->parts[i].owner);
    }
    s->words_n = (uint32_t)below(state, 4);
    for (uint32_t i = 0; i < s->words_n; i++)
        word_fill(state, s->words[i], sizeof s->words[i]);
    s->days_n = (uint32_t)below(state, 4);
    for (uint32_t i = 0; i < s->days_n; i++)
        s->days[i] = 1 + (int64_t)below(state, 7);
    s->lines.n = (uint32_t)below(state, 7);
    struct sample_line *lines = s->lines.items = arena_alloc(arena, s->lines.n * sizeof *lines);
    for (uint32_t i = 0; i < s->lines.n; i++) {
        prose_fill(state, lines[i].text, sizeof lines[i].text);
        lines[i].codes.n = (uint32_t)below(state, 6);
        int64_t *codes = lines[i].codes.items = arena_alloc(arena, lines[i].codes.n * sizeof *codes);
        for (uint32_t j = 0; j < lines[i].codes.n; j++)
            codes[j] = int_any(state);
    }
    s->extra.n = (uint32_t)below(state, 5);
    struct bytes *extra = s->extra.items = arena_alloc(arena, s->extra.n * sizeof *extra);
    for (uint32_t i = 0; i < s->extra.n; i++)
        extra[i] = raw_any(state, arena);
}

void sample_fill(struct sample *s, uint64_t *state, struct arena *arena)
{
    record_clear(&sample_record, s);
    word_fill(state, s->key, sizeof s->key);
    s->flag = some(state);
    s->on = some(state);
    s->n = some(state) ? 7 : (int64_t)below(state, 1000006) - 5;
    s->big = int_any(state);
    s->tier = (int64_t)below(state, 10);
    /* Between the years 1 and 9999, with and without a fraction. */
    s->at_us = (int64_t)below(state, UINT64_C(315537897599)) * SECOND_US - INT64_C(62135596800) * SECOND_US;
    s->at_us += some(state) ? (int64_t)below(state, 1000000) : 0;
    if (some(state))
        s->limit = (struct span){(int64_t)below(state, 2001) - 1000, (enum span_unit)(1 + below(state, 9))};
    s->grade = (int)below(state, 3);
    if (some(state))
        memcpy(s->hash, bytes_any(state, arena, 1).data, 1);
    if (some(state))
        s->file = bytes_any(state, arena, 100);
    if (some(state))
        s->any = raw_any(state, arena);
    s->blob.len = (uint32_t)below(state, 17);
    for (uint32_t i = 0; i < s->blob.len; i++)
        s->blob.data[i] = (uint8_t)random_next(state);
    if (some(state))
        word_fill(state, s->who.id, sizeof s->who.id);
    if (some(state)) { /* nobody, or somebody with a telephone */
        prose_fill(state, s->who.name, sizeof s->who.name);
        word_fill(state, s->who.phone, sizeof s->who.phone);
    } else {
        s->who.id[0] = 0;
    }
    lists_fill(s, state, arena);
    s->seen = int_any(state);
    if (some(state))
        word_fill(state, s->former, sizeof s->former);
    prose_fill(state, s->remark, sizeof s->remark);
}
