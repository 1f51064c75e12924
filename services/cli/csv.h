/* CSV as the world writes it: gzip, BOM, CRLF, GB18030, quoted newlines, a header with a name
 * twice. A bad row is told with its line and never ends the reading. */
#ifndef AFTERCARE_CLI_CSV_H
#define AFTERCARE_CLI_CSV_H

#include "base/bytes.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CSV_BYTES_MAX     ((size_t)2 << 30)
#define CSV_COLUMNS_MAX   512
#define CSV_ROW_BYTES_MAX 65536
#define CSV_ROW_LINES_MAX 1000

/* Unpacks gzip (or copies what is not). False: `why` says it (truncated, damaged, too large). */
bool csv_unpack(struct bytes in, struct buf *out, const char **why);
/* Turns it into UTF-8 without BOM. encoding: "auto", "utf-8", "gb18030"; *found is what it was
 * taken for. False: an unknown encoding's name. Bytes that do not fit stay as they are: their rows
 * will be bad. */
bool csv_to_utf8(struct buf *text, const char *encoding, const char **found);

struct csv_row {
    size_t line; /* where it begins, 1-based */
    size_t n;
    const char *const *cells; /* NUL-terminated, valid during the call */
    struct bytes text;        /* as it stands in the file, without line end */
};
struct csv_listener {
    /* Once, first. Names met before get ".2", ".3" behind them. False ends the reading. */
    bool (*header)(void *owner, const struct csv_row *);
    void (*row)(void *owner, const struct csv_row *);
    /* reason: "columns", "encoding", "quote", "too-long". */
    void (*bad)(void *owner, const struct csv_row *, const char *reason);
};
/* Reads all of it. False: no header, or header() said no. */
bool csv_parse_text(struct bytes text, char delimiter, const struct csv_listener *, void *owner);
/* One CSV cell, quoted where it must be. */
void csv_print_cell(struct buf *, const char *text, size_t n);

#endif
