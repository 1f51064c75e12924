/* Private to common/table: the tables' DDL and the digest by which a changed definition is noticed. */
#ifndef AFTERCARE_TABLE_DEFINITION_H
#define AFTERCARE_TABLE_DEFINITION_H

#include "base/digest.h"
#include "table/table.h"

/* The stored flag that says whether a row is open; NULL: the table has none. */
const struct field *definition_open(const struct table_def *);
/* NULL: the table has none. */
const struct field *definition_due(const struct table_def *);
const struct field *definition_sweep(const struct table_def *);
/* CREATE TABLE and the partial indexes that find open rows: by key where all of them are loaded, by due of a far table, and by
 * the sweep column. */
void definition_ddl(const struct table_def *, const char *schema, struct buf *sql);
/* Of all that the stored rows depend on: columns, and the fields of what lies packed in them. */
void definition_digest(const struct table_def *, uint8_t out[DIGEST_BYTES]);

#endif
