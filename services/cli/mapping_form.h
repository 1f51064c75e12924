/* What mapping_read.c (YAML) makes and mapping.c (rows) uses. */
#ifndef AFTERCARE_CLI_MAPPING_FORM_H
#define AFTERCARE_CLI_MAPPING_FORM_H

#include "base/arena.h"
#include "mapping.h"
#include "proto/catalogue.h"
#include <uthash.h>

#define PIECES_MAX 12
#define EVENTS_MAX 16
#define WHENS_MAX  8
#define VALUES_MAX 48

struct mapping_lookup {
    const char *name;
    const char **from, **to;
    size_t n;
    const char *other; /* for what is not listed; NULL: that is a bad row */
};

/* A text with columns in it: literal, column, literal, column … A plain column is one piece without
 * literal. */
struct mapping_piece {
    const char *literal; /* may be "" */
    const char *column;  /* NULL: none */
    size_t at;           /* of the column, after mapping_bind */
    unsigned line;       /* in the mapping */
};
struct mapping_text {
    struct mapping_piece pieces[PIECES_MAX];
    size_t n;
    const struct mapping_lookup *lookup;
    const char *blank; /* used when a column in it is blank; NULL: the field is left out */
    bool as_key;       /* made of A–Z a–z 0–9 . _ - only */
    bool cut;          /* cut to what the field holds instead of being refused */
};

enum when_kind { WHEN_SET, WHEN_EMPTY, WHEN_IS, WHEN_IS_NOT, WHEN_CHANGED, WHEN_WAS, WHEN_WAS_NOT, WHEN_FIRST };
struct mapping_when {
    enum when_kind kind;
    struct mapping_text column; /* not for FIRST */
    const char **values;
    size_t values_n;
};

struct mapping_value {
    const char *field; /* path in the type's record */
    struct mapping_text text;
};
struct mapping_event {
    const struct event_type *type;
    struct mapping_when whens[WHENS_MAX];
    size_t whens_n;
    struct mapping_text key; /* n 0: the mapping's */
    struct mapping_text at;  /* n 0: intake's time */
    struct mapping_text by;
    struct mapping_value values[VALUES_MAX];
    size_t values_n;
    void *object; /* scratch of the type's record */
};

struct mapping_seen { /* the row before of a key */
    UT_hash_handle hh;
    char *cells; /* the compared columns, one behind the other, NUL-terminated */
    char key[];
};

struct mapping {
    struct arena *arena;
    struct mapping_text key, by;
    struct time_reading time;
    const char *encoding;
    char delimiter;
    struct mapping_lookup *lookups;
    size_t lookups_n;
    struct mapping_event *events; /* EVENTS_MAX */
    size_t events_n;
    bool remembers; /* some `when` looks at the row before */
    struct mapping_seen *seen;
    struct buf data, priv, draft, value, compared;
    struct arena *scratch;
};

#endif
