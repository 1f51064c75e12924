/* Objects out of a field table, as msgpack: mostly good ones, now and then one that a decoder must refuse. */
#ifndef AFTERCARE_TESTS_FUZZ_FILL_H
#define AFTERCARE_TESTS_FUZZ_FILL_H

#include "chance.h"
#include "record/record.h"

/* Names that mean something to the target (keys, kinds, sites); texts are often one of them. */
void fill_words(const char *const *words, size_t n);
/* How objects are filled from now on; NULL: as without. */
struct fill_habits {
    unsigned optional; /* of 100 optional fields are there (without: 40) */
    unsigned edges;    /* of 100 values lie at their bounds: numbers, instants, texts and lists as far as they go, and no further */
    /* A text for this field; NULL: some word. May be NULL. */
    const char *(*pick)(void *owner, const struct field *, struct chance *);
    void *owner;
};
void fill_habits(const struct fill_habits *);
/* `wild` of 100 values are not what the table asks for. */
void fill_map(const struct record *, enum record_part, struct chance *, unsigned wild, struct buf *out);
/* Any value. */
void fill_any(struct chance *, unsigned depth, struct buf *out);
/* An event as a sender makes it, of any type in the catalogue; type NULL: any. */
void fill_draft(const char *type, const char *key, struct chance *, unsigned wild, struct buf *out);

#endif
