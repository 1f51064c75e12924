/* Two mirrors of the same table, row by row in the order of their keys: what lives, and what was folded from the journal anew. */
#ifndef AFTERCARE_TABLE_COMPARE_H
#define AFTERCARE_TABLE_COMPARE_H

#include "pg/pg.h"
#include "record/record.h"

/* Inside a transaction, each on a connection of its own. */
struct compare_side {
    struct pg *pg;
    const char *schema, *table;
};
/* One row: "KEY is missing", "KEY is not in the fold", "KEY differs in COLUMN COLUMN". */
typedef void compare_differs(void *owner, const char *what);

/* rows: how many keys there were, on either side; added to. */
enum status compare_rows(const struct record *row, const struct compare_side *living, const struct compare_side *fresh, size_t *rows,
                         compare_differs *differs, void *owner) MUST_CHECK;

#endif
