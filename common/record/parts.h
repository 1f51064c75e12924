/* What the readers and writers of records share: which fields a part has, what absent means, where in the input a
 * problem is. Not for use outside this folder. */
#ifndef AFTERCARE_RECORD_PARTS_H
#define AFTERCARE_RECORD_PARTS_H

#include "record/pack.h"
#include "record/record.h"

/* A step on the way to a value, on the stack of who reads it: "parts" or "[2]". */
struct place {
    const struct place *up;
    const char *name; /* NULL: an element */
    size_t len;       /* PLACE_TERMINATED: the name ends with a NUL; measured only when printed */
    size_t index;
};

#define PLACE_TERMINATED SIZE_MAX

void place_print(const struct place *, char *out, size_t cap);
/* problem_set with the place as a dotted path. */
bool place_refuse(const struct place *, struct problem *, const char *code, const char *format, ...) PRINTF_LIKE(4, 5);

/* Whether the part holds any field of the record, at any depth. */
bool record_has(const struct record *, enum record_part);
/* Whether the part holds the field; *below: the part that is meant of its elements and sub-record. */
bool field_in_part_nested(const struct field *, enum record_part, enum record_part *below);
static inline bool field_in_part(const struct field *f, enum record_part part, enum record_part *below)
{
    if (part == RECORD_PLAIN && f->kind != FIELD_RECORD && !(f->flags & (FIELD_PERSONAL | FIELD_VOLATILE))) {
        *below = RECORD_PLAIN;
        return true;
    }
    return field_in_part_nested(f, part, below);
}
/* Whether the field holds nothing but its default, as far as the part goes: then it is left out, unless required. */
bool field_is_absent(const struct field *, enum record_part below, const void *object);
bool field_is_left_out(const struct field *, enum record_part below, const void *object);
/* Whether a REQUIRED one of this kind is missing when it holds its zero. */
bool field_zero_is_missing(const struct field *);
/* Whether one element may stand where the list is expected. */
static inline bool field_takes_one(const struct field *f)
{
    return f->elem && f->elem->kind == FIELD_RECORD && f->elem->sub->brief;
}
void record_defaults(const struct record *, void *object);
const struct field *record_find(const struct record *, const char *name, size_t n);
/* The known name nearest to an unknown one, or NULL when none is near. */
const char *record_suggest(const struct record *, const char *name, size_t n);

struct decoder {
    struct arena *arena;
    unsigned flags;
    struct problem *problem;
};
/* One value into the field's member; the object begins at `object`, which LIST needs for its count. */
bool value_decode(const struct decoder *, const struct field *, enum record_part, struct unpack *, void *object,
                  const struct place *);

/* A member that is an array or slice, seen alike. */
struct elements {
    char *items;
    uint32_t n;
};
struct elements field_elements(const struct field *, const void *object);

static inline const void *member_of(const struct field *f, const void *object)
{
    return (const char *)object + f->offset;
}

static inline void *member_at(const struct field *f, void *object)
{
    return (char *)object + f->offset;
}

#endif
