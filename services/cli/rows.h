/* The rows of an answer as a table, or as JSON lines. */
#ifndef AFTERCARE_CLI_ROWS_H
#define AFTERCARE_CLI_ROWS_H

#include "connection.h"
#include "table_print.h"

struct rows {
    const struct cli *cli;
    const struct record *record;
    struct sheet sheet;
    const struct field *columns[40];
    size_t columns_n;
    size_t n;
};
void rows_init(struct rows *, const struct cli *, const struct record *row);
/* For asking.row, owner a struct rows. JSON goes out at once. */
void rows_add(void *owner, const struct record *, const void *row);
/* Prints the table; empty columns are left out. */
void rows_end(struct rows *);

#endif
