/* Records as PostgreSQL rows: column types, DDL, array upserts and loads, all from the field table.
 * BOOL boolean, INT bigint, TIME timestamptz, SPAN/ENUM/TEXT text COLLATE "C", BIN/BLOB bytea,
 * RECORD/LIST bytea (msgpack). BYTES, RAW and SLICE borrow memory and have no place in a row. VOLATILE fields are not columns. Names are quoted. */
#ifndef AFTERCARE_PG_ROW_H
#define AFTERCARE_PG_ROW_H

#include "pg/pg.h"
#include "record/record.h"

/* CREATE TABLE "schema"."name" (…, PRIMARY KEY (first field)) */
void row_ddl(const struct record *, const char *schema, const char *table, struct buf *sql);
void row_select_list(const struct record *, struct buf *sql);
/* INSERT INTO "table" (…) SELECT unnest($1::…), … */
void row_insert_sql(const struct record *, const char *table, struct buf *sql);
/* UPDATE "table" t SET … FROM (SELECT unnest($1::…) AS …, …) u WHERE t.key = u.key */
void row_update_sql(const struct record *, const char *table, struct buf *sql);
/* Column arrays of n rows for the two statements above. */
void row_args(const struct record *, const void *const *rows, size_t n, struct pg_args *);
/* One result row into an object; columns in row_select_list order. */
void row_load(const struct record *, const struct pg_result *, int row, void *object);

#endif
