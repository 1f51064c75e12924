/* An indented JSON document in the making: names, values and nesting in the order they are said. */
#ifndef AFTERCARE_PROTO_DOCUMENT_H
#define AFTERCARE_PROTO_DOCUMENT_H

#include "base/bytes.h"
#include <stdbool.h>
#include <stdint.h>

struct document {
    struct buf *out;
    unsigned depth;
    bool fresh; /* nothing stands in the innermost object or array yet */
};

/* name NULL: an element of an array, or the document itself. */
void document_open(struct document *, const char *name, char bracket); /* '{' or '[' */
void document_close(struct document *, char bracket);                  /* '}' or ']' */
void document_text(struct document *, const char *name, const char *text);
void document_int(struct document *, const char *name, int64_t);
void document_bool(struct document *, const char *name, bool);
/* {"$ref": "PREFIX/NAME"}, NAME escaped for a JSON pointer where it has to be. */
void document_ref(struct document *, const char *name, const char *prefix, const char *target);

#endif
