/* The I/O half of tables: DDL, loading, fetching misses, writing what changed. */
#ifndef AFTERCARE_TABLE_MIRROR_H
#define AFTERCARE_TABLE_MIRROR_H

#include "pg/pg.h"
#include "table/table.h"

/* What mirror_create and mirror_load set on their connection: for a second one that only fetches. Such a one may fetch while a
 * transaction of the first is under way, where that was sent with tables_depart. */
enum status mirror_session(struct pg *) MUST_CHECK;
/* Creates the tables (and a partial index on open rows) in `schema` if they are not there. The definitions' digest is
 * kept in SCHEMA.definition; another digest than the stored one is STATUS_REFUSED ("rebuild"). */
enum status mirror_create(struct pg *, const char *schema, const struct table_def *const *, size_t n) MUST_CHECK;
/* The tables alone, in a schema that is there: for who folds beside the living ones and drops them again. */
enum status mirror_make(struct pg *, const char *schema, const struct table_def *const *, size_t n) MUST_CHECK;
/* All open rows (all rows of whole tables), nothing of far ones: tables_keep_near. */
enum status mirror_load(struct pg *, struct tables *) MUST_CHECK;
/* tables_misses → tables_fill, one SELECT a table; misses are reset. And what else is asked for: the next page of far tables
 * (tables_wanted), rows to be swept (tables_asked). */
enum status mirror_fetch(struct pg *, struct tables *) MUST_CHECK;
/* The page of that table's rows which is wanted, in two halves: asked for on an idle second connection, and, when its socket has
 * something to read, taken to memory. */
enum status mirror_page_send(struct pg *, struct tables *, unsigned table) MUST_CHECK;
enum status mirror_page_take(struct pg *, struct tables *, unsigned table) MUST_CHECK;
enum status mirror_send(struct pg *, const struct tables *) MUST_CHECK; /* inside pg_begin: one INSERT and one UPDATE a table */

#endif
