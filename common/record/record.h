/* Records: a struct and the table of its fields. One table serves msgpack, JSON, YAML, validation,
 * equality, PostgreSQL rows (pg/row.h) and the generated catalogue; nothing is listed twice.
 *
 * Absent and default are the same thing: an optional field that holds its default (0, "", no items,
 * or .def) is left out when encoded and is set when it is missing. A field that must tell "0" from
 * "not said" declares a default outside its range. */
#ifndef AFTERCARE_RECORD_RECORD_H
#define AFTERCARE_RECORD_RECORD_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/instant.h"
#include "base/problem.h"
#include <stddef.h>

enum field_kind {
    FIELD_BOOL,   /* bool */
    FIELD_INT,    /* int64_t; .min/.max checked when either is not 0 */
    FIELD_TIME,   /* int64_t microseconds UTC, 0 = absent; msgpack timestamp, RFC 3339, timestamptz */
    FIELD_SPAN,   /* struct span; text "3wd" everywhere */
    FIELD_ENUM,   /* int, an index into .names (NULL-terminated); its name on the wire and in rows */
    FIELD_TEXT,   /* char[size]; UTF-8 without U+0000 */
    FIELD_BIN,    /* uint8_t[size], exactly that long; all zero = absent */
    FIELD_BYTES,  /* struct bytes: msgpack bin of any length, borrowed from the input (or the arena) */
    FIELD_RAW,    /* struct bytes: one msgpack value as it stands, borrowed */
    FIELD_BLOB,   /* struct blob_N { uint32_t len; uint8_t data[N]; }: bin inside the struct, for rows */
    FIELD_RECORD, /* a struct inside, .sub */
    FIELD_LIST,   /* an array inside of at most .max elements .elem; uint32_t count at .count_offset */
    FIELD_SLICE   /* struct slice: elements in the arena, at most .max */
};

struct slice {
    void *items;
    uint32_t n;
};

enum field_flags {
    FIELD_REQUIRED = 1 << 0,
    FIELD_PERSONAL = 1 << 1, /* travels in priv, never in data (protocol.md) */
    FIELD_VOLATILE = 1 << 2, /* memory only: neither encoded, stored nor compared */
    FIELD_RETIRED = 1 << 3,  /* still read, no longer asked for */
    FIELD_KEYLIKE = 1 << 4   /* text must have the form of a key */
};

struct record;

struct field {
    const char *name; /* on the wire, in JSON/YAML and as the column */
    enum field_kind kind;
    uint32_t offset, size; /* of the member */
    uint32_t flags;        /* enum field_flags */
    uint32_t max;          /* LIST, SLICE: elements; BYTES, RAW: bytes (0 = the message's bound) */
    uint32_t count_offset; /* LIST */
    uint32_t since;        /* event version that brought it, 0 = the first */
    int64_t def;           /* INT, ENUM, BOOL: the default */
    int64_t min, max_int;  /* INT: checked unless both are 0 */
    const char *const *names;   /* ENUM */
    const struct record *sub;   /* RECORD */
    const struct field *elem;   /* LIST, SLICE: the element as a field at offset 0 */
    const char *doc;            /* a sentence fragment for people, English; catalogue and --help */
};

struct record {
    const char *name;
    size_t size; /* of the struct */
    const struct field *fields;
    size_t n;
    const char *doc;
    bool brief; /* its first field alone, as a text, may stand for it; and one of it for a list of them */
};

/* Field table entries. `s` is the struct's tag, `m` the member = the name; instants carry `_us` in C only. */
#define F_AT(s, m) .offset = (uint32_t)offsetof(struct s, m), .size = (uint32_t)sizeof(((struct s *)0)->m)
#define F_BOOL(s, m, fl, d) {.name = #m, .kind = FIELD_BOOL, F_AT(s, m), .flags = (fl), .doc = d}
#define F_INT(s, m, fl, d) {.name = #m, .kind = FIELD_INT, F_AT(s, m), .flags = (fl), .doc = d}
#define F_INT_RANGE(s, m, fl, lo, hi, d) \
    {.name = #m, .kind = FIELD_INT, F_AT(s, m), .flags = (fl), .min = (lo), .max_int = (hi), .doc = d}
#define F_INT_DEF(s, m, fl, df, lo, hi, d) \
    {.name = #m, .kind = FIELD_INT, F_AT(s, m), .flags = (fl), .def = (df), .min = (lo), .max_int = (hi), .doc = d}
#define F_TIME(s, m, fl, d) {.name = #m, .kind = FIELD_TIME, F_AT(s, m##_us), .flags = (fl), .doc = d}
#define F_SPAN(s, m, fl, d) {.name = #m, .kind = FIELD_SPAN, F_AT(s, m), .flags = (fl), .doc = d}
#define F_ENUM(s, m, fl, nm, d) {.name = #m, .kind = FIELD_ENUM, F_AT(s, m), .flags = (fl), .names = (nm), .doc = d}
#define F_TEXT(s, m, fl, d) {.name = #m, .kind = FIELD_TEXT, F_AT(s, m), .flags = (fl), .doc = d}
#define F_BIN(s, m, fl, d) {.name = #m, .kind = FIELD_BIN, F_AT(s, m), .flags = (fl), .doc = d}
#define F_BYTES(s, m, fl, mx, d) {.name = #m, .kind = FIELD_BYTES, F_AT(s, m), .flags = (fl), .max = (mx), .doc = d}
#define F_RAW(s, m, fl, mx, d) {.name = #m, .kind = FIELD_RAW, F_AT(s, m), .flags = (fl), .max = (mx), .doc = d}
#define F_BLOB(s, m, fl, d) {.name = #m, .kind = FIELD_BLOB, F_AT(s, m), .flags = (fl), .doc = d}
#define F_RECORD(s, m, fl, r, d) {.name = #m, .kind = FIELD_RECORD, F_AT(s, m), .flags = (fl), .sub = (r), .doc = d}
/* The array `m` with its count in the member `m_n` (uint32_t). */
#define F_LIST(s, m, fl, el, d)                                                                        \
    {.name = #m, .kind = FIELD_LIST, F_AT(s, m), .flags = (fl), .elem = (el),                          \
     .max = (uint32_t)COUNT_OF(((struct s *)0)->m), .count_offset = (uint32_t)offsetof(struct s, m##_n), .doc = d}
#define F_SLICE(s, m, fl, el, mx, d) \
    {.name = #m, .kind = FIELD_SLICE, F_AT(s, m), .flags = (fl), .elem = (el), .max = (mx), .doc = d}
/* Elements of lists: const struct field x_elem = ELEM_TEXT(64) / ELEM_RECORD(&x_record, struct x). */
#define ELEM_TEXT(cap) {.name = "", .kind = FIELD_TEXT, .size = (cap)}
#define ELEM_INT() {.name = "", .kind = FIELD_INT, .size = sizeof(int64_t)}
#define ELEM_RECORD(r, type) {.name = "", .kind = FIELD_RECORD, .size = sizeof(type), .sub = (r)}
#define ELEM_RAW() {.name = "", .kind = FIELD_RAW, .size = sizeof(struct bytes)}
#define RECORD(tag, table, d) {.name = #tag, .size = sizeof(struct tag), .fields = (table), .n = COUNT_OF(table), .doc = d}

/* Of a brief record the first field is a TEXT that is not personal, and no other field is required. Readers of msgpack, JSON
 * and YAML take the short form; what is written is always the long one. */
#define RECORD_BRIEF(tag, table, d) \
    {.name = #tag, .size = sizeof(struct tag), .fields = (table), .n = COUNT_OF(table), .doc = d, .brief = true}

/* What part of a record is meant. */
enum record_part {
    RECORD_PLAIN,    /* fields that are not personal: an event's data */
    RECORD_PERSONAL, /* personal fields only, nested as the record is: an event's priv map */
    RECORD_WHOLE
};

enum record_decode_flags {
    DECODE_LENIENT = 0,     /* unknown keys are passed over: a reader of newer events */
    DECODE_STRICT = 1 << 0, /* unknown keys are refused: intake, files written by people */
    DECODE_KEEP = 1 << 1    /* do not clear first: reads priv over data */
};

/* Sets every field to its default. Memory behind slices is the arena's. */
void record_clear(const struct record *, void *object);
bool record_equal(const struct record *, const void *a, const void *b);
/* Appends the msgpack map, keys in table order, defaults left out. */
void record_encode(const struct record *, enum record_part, const void *object, struct buf *out);
/* Reads a map that skim() has passed. False with code, field (dotted path) and reason. TEXT and LIST
 * land inside the object; BYTES and RAW borrow from `in`; SLICEs are in the arena (may be NULL when
 * the record has none). Required fields of the part are checked; personal fields met in RECORD_PLAIN
 * are refused ("personal", field). */
bool record_decode(const struct record *, enum record_part, unsigned flags, struct bytes in, struct arena *,
                   void *object, struct problem *) MUST_CHECK;
const struct field *record_field(const struct record *, const char *name);
/* Some field of it, or of what is nested in it, is personal. */
bool record_has_personal(const struct record *);

/* JSON: the same names; TIME as RFC 3339, SPAN as text, BIN/BYTES/BLOB as base64, RAW as its JSON image.
 * Compact, keys in table order. */
void record_print_json(const struct record *, enum record_part, const void *object, struct buf *out);
bool record_parse_json(const struct record *, enum record_part, unsigned flags, const char *text, size_t n,
                       struct arena *, void *object, struct problem *) MUST_CHECK;
/* YAML (libyaml documents): every error with line, column and path; goes on after one to find the rest.
 * True when problems->n did not grow. Durations, times and enums as texts; strict. */
bool record_parse_yaml(const struct record *, const char *text, size_t n, struct arena *, void *object,
                       struct problems *) MUST_CHECK;
/* A JSON string with its quotes. */
void json_text(struct buf *out, const char *text);
/* Any skimmed msgpack value as JSON / any JSON text as msgpack. */
void raw_print_json(struct bytes value, struct buf *out);
bool raw_parse_json(const char *text, size_t n, struct buf *out, struct problem *) MUST_CHECK;

#endif
