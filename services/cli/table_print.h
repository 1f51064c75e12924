/* Aligned tables for people: widths in terminal columns, so that Chinese lines up; numbers to the
 * right. */
#ifndef AFTERCARE_CLI_TABLE_PRINT_H
#define AFTERCARE_CLI_TABLE_PRINT_H

#include "base/bytes.h"
#include <stdbool.h>
#include <stddef.h>

struct sheet {
    size_t columns;
    struct buf texts; /* NUL-terminated cells, row by row; the first row is the titles */
    size_t cells;
};

void sheet_init(struct sheet *, size_t columns);
void sheet_release(struct sheet *);
/* The next cell, row by row; control characters become blanks. */
void sheet_cell(struct sheet *, const char *text); /* at most 60 columns, then "…" */
void sheet_cell_whole(struct sheet *, const char *text);
/* Appends the table; a column is as wide as its widest cell. */
void sheet_print(const struct sheet *, bool colour, struct buf *out);
size_t sheet_rows(const struct sheet *); /* without the titles */

#endif
