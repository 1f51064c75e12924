/* One line of JSON as people and programs write events: {type, key, at, by, data, personal}, what `tail --format jsonl` prints
 * included. Pure. */
#ifndef AFTERCARE_CLI_DRAFT_LINE_H
#define AFTERCARE_CLI_DRAFT_LINE_H

#include "base/arena.h"
#include "base/problem.h"

/* Appends the event as a sender makes it (event.h). False: problem says the field and why. The arena is of this line only. */
bool draft_line_parse(const char *text, size_t n, struct arena *, struct buf *drafts, struct problem *) MUST_CHECK;

#endif
