/* The golden files of proto/golden: events and frames of fixed content as their bytes in hex, with their JSON as a comment.
 * Who writes a client in another language checks it against them. */
#ifndef AFTERCARE_TESTS_PROTO_GOLDEN_H
#define AFTERCARE_TESTS_PROTO_GOLDEN_H

#include "base/bytes.h"
#include <stdbool.h>
#include <stddef.h>

struct golden {
    char name[96];   /* "event-ticket.registered.hex" */
    struct buf text; /* the file */
};
/* False past the end; otherwise the caller releases text. */
bool golden_at(size_t i, struct golden *out);

#endif
