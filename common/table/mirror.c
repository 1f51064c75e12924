/* The I/O half of tables. */
#include "table/mirror.h"
#include "base/text.h"
#include "pg/row.h"
#include "table/definition.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Rows read at once: what libpq holds beside our own memory stays small. */
#define PAGE_ROWS 2048
/* What is taken at a time while events wait: some milliseconds. */
#define DUE_PAGE_ROWS 512
#define SWEEP_PAGE_ROWS 512

/* Statements are planned once, while tables are young or small; without these the plan may be one that reads the whole
 * table for each batch, and stays when it has grown. Everything here goes through a key. */
static const char session_sql[] = "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;"
                                  " SET enable_bitmapscan = off; SET enable_sort = off;"
                                  " SET plan_cache_mode = force_generic_plan; SET jit = off";

enum status mirror_session(struct pg *pg)
{
    return pg_run(pg, session_sql);
}

/* --- making ------------------------------------------------------------------------------------ */

static enum status table_create(struct pg *pg, const char *schema, const struct table_def *def, const uint8_t digest[DIGEST_BYTES])
{
    struct buf sql = {0};
    struct pg_args *args = pg_args_new();

    definition_ddl(def, schema, &sql);
    enum status status = pg_run(pg, buf_text(&sql));
    if (status == STATUS_OK) {
        buf_reset(&sql);
        buf_append_format(&sql, "INSERT INTO \"%s\".definition (name, digest) VALUES ($1, $2)", schema);
        pg_arg_text(args, def->name);
        pg_arg_bytea(args, bytes_of(digest, DIGEST_BYTES));
        status = pg_query(pg, buf_text(&sql), args, NULL);
    }
    pg_args_destroy(&args);
    buf_release(&sql);
    return status;
}

static enum status table_check(struct pg *pg, const char *schema, const struct table_def *def)
{
    uint8_t digest[DIGEST_BYTES];
    struct buf sql = {0};
    struct pg_args *args = pg_args_new();
    struct pg_result *found = NULL;

    definition_digest(def, digest);
    buf_append_format(&sql, "SELECT digest FROM \"%s\".definition WHERE name = $1", schema);
    pg_arg_text(args, def->name);
    enum status status = pg_query(pg, buf_text(&sql), args, &found);
    if (status == STATUS_OK && pg_rows(found) == 0) {
        status = table_create(pg, schema, def, digest);
    } else if (status == STATUS_OK && !bytes_equal(pg_bytes(found, 0, 0), bytes_of(digest, DIGEST_BYTES))) {
        pg_set_error(pg, "table %s was made by another definition: rebuild", def->name);
        status = STATUS_REFUSED;
    }
    pg_result_destroy(&found);
    pg_args_destroy(&args);
    buf_release(&sql);
    return status;
}

enum status mirror_make(struct pg *pg, const char *schema, const struct table_def *const *defs, size_t n)
{
    struct buf sql = {0};
    enum status status = pg_migrate(pg, schema, NULL, 0);

    if (status == STATUS_OK) {
        status = pg_run(pg, session_sql);
    }
    for (size_t i = 0; status == STATUS_OK && i < n; i++) {
        buf_reset(&sql);
        definition_ddl(defs[i], schema, &sql);
        status = pg_run(pg, buf_text(&sql));
    }
    buf_release(&sql);
    return status;
}

enum status mirror_create(struct pg *pg, const char *schema, const struct table_def *const *defs, size_t n)
{
    struct buf sql = {0};
    /* The schema and the right to it are a migration's or the operator's: pg_migrate with no migrations makes one. */
    enum status status = pg_migrate(pg, schema, NULL, 0);

    if (status == STATUS_OK) {
        status = pg_run(pg, session_sql);
    }
    if (status == STATUS_OK) {
        buf_append_format(&sql,
                          "CREATE TABLE IF NOT EXISTS \"%s\".definition (name text COLLATE \"C\" PRIMARY KEY, digest bytea NOT NULL)",
                          schema);
        status = pg_run(pg, buf_text(&sql));
    }
    buf_release(&sql);
    if (status == STATUS_OK) {
        status = pg_begin(pg);
    }
    if (status != STATUS_OK) {
        return status;
    }
    for (size_t i = 0; status == STATUS_OK && i < n; i++) {
        status = table_check(pg, schema, defs[i]);
    }
    if (status == STATUS_OK) {
        return pg_commit(pg);
    }
    pg_rollback(pg);
    return status;
}

/* --- reading ----------------------------------------------------------------------------------- */

static void select_begin(const struct table_def *def, struct buf *sql)
{
    buf_append_text(sql, "SELECT ");
    row_select_list(def->row, sql);
    buf_append_format(sql, " FROM \"%s\" WHERE ", def->name);
}

static void page_load(struct tables *tables, unsigned table, const struct pg_result *page, void *object)
{
    const struct record *row = tables_def(tables, table)->row;

    for (int i = 0; i < pg_rows(page); i++) {
        row_load(row, page, i, object);
        tables_load(tables, table, object);
    }
}

/* Page by page in key order; each begins behind the last key of the one before. */
static enum status table_load(struct pg *pg, struct tables *tables, unsigned table)
{
    const struct table_def *def = tables_def(tables, table);
    const struct field *open = definition_open(def), *key = &def->row->fields[0];
    struct buf sql = {0};
    struct pg_args *args = pg_args_new();
    char *object = memory_new(def->row->size); /* its key is "" before the first page */
    enum status status = STATUS_OK;
    int rows = PAGE_ROWS;

    select_begin(def, &sql);
    buf_append_format(&sql, "\"%s\" > $1", key->name);
    if (!def->whole && open != NULL) {
        buf_append_format(&sql, " AND \"%s\"", open->name);
    }
    buf_append_format(&sql, " ORDER BY \"%s\" LIMIT %d", key->name, PAGE_ROWS);
    while (status == STATUS_OK && rows == PAGE_ROWS) {
        struct pg_result *page = NULL;
        pg_args_reset(args);
        pg_arg_text(args, object + key->offset);
        status = pg_query(pg, buf_text(&sql), args, &page);
        if (status == STATUS_OK) {
            rows = pg_rows(page);
            page_load(tables, table, page, object);
        }
        pg_result_destroy(&page);
    }
    free(object);
    pg_args_destroy(&args);
    buf_release(&sql);
    return status;
}

enum status mirror_load(struct pg *pg, struct tables *tables)
{
    enum status status = pg_run(pg, session_sql);

    for (unsigned i = 0; status == STATUS_OK && i < tables_count(tables); i++) {
        const struct table_def *def = tables_def(tables, i);
        if (def->whole || (definition_open(def) != NULL && !def->far)) {
            status = table_load(pg, tables, i);
        }
    }
    if (status == STATUS_OK) {
        tables_keep_near(tables);
    }
    return status;
}

static void rows_fill(struct tables *tables, unsigned table, const struct pg_result *found)
{
    const struct record *row = tables_def(tables, table)->row;
    void *object = memory_new(row->size);

    for (int i = 0; i < pg_rows(found); i++) {
        row_load(row, found, i, object);
        tables_fill(tables, table, (const char *)object + row->fields[0].offset, object);
    }
    free(object);
}

static size_t misses_args(const struct tables *tables, unsigned table, struct pg_args *args)
{
    const struct miss *misses;
    size_t n = tables_misses(tables, &misses), of_table = 0;

    pg_arg_array_begin(args, PG_TEXT_ARRAY);
    for (size_t i = 0; i < n; i++) {
        if (misses[i].table == table) {
            pg_elem_text(args, misses[i].key, strlen(misses[i].key));
            of_table++;
        }
    }
    pg_arg_array_end(args);
    return of_table;
}

static enum status table_fetch(struct pg *pg, struct tables *tables, unsigned table)
{
    const struct table_def *def = tables_def(tables, table);
    struct pg_args *args = pg_args_new();
    struct buf sql = {0};
    struct pg_result *found = NULL;
    enum status status = STATUS_OK;

    if (misses_args(tables, table, args) > 0) {
        select_begin(def, &sql);
        buf_append_format(&sql, "\"%s\" = ANY($1)", def->row->fields[0].name);
        status = pg_query(pg, buf_text(&sql), args, &found);
        if (status == STATUS_OK) {
            rows_fill(tables, table, found);
        }
    }
    pg_result_destroy(&found);
    pg_args_destroy(&args);
    buf_release(&sql);
    return status;
}

/* Rows behind a place in the order of due, then key: what the index on both gives without sorting. */
static void page_ask(const struct table_def *def, const struct due_page *page, struct pg_args *args, struct buf *sql)
{
    const char *due = definition_due(def)->name, *key = def->row->fields[0].name;

    select_begin(def, sql);
    buf_append_format(sql, "\"%s\" AND (\"%s\", \"%s\") > ($1::timestamptz, $2::text) AND \"%s\" <= $3::timestamptz ORDER BY \"%s\", \"%s\" LIMIT %d",
                      definition_open(def)->name, due, key, due, due, key, DUE_PAGE_ROWS);
    pg_arg_time(args, page->due_us);
    pg_arg_text(args, page->key);
    pg_arg_time(args, page->until_us);
}

static int64_t due_of(const struct table_def *def, const char *object)
{
    int64_t due_us;

    memcpy(&due_us, object + def->due_offset, sizeof due_us);
    return due_us;
}

/* A page that is not full is the last one before until_us. */
static void page_enter(struct tables *tables, unsigned table, const struct pg_result *found)
{
    const struct table_def *def = tables_def(tables, table);
    char *object = memory_new(def->row->size);
    int n = pg_rows(found);

    for (int i = 0; i < n; i++) {
        row_load(def->row, found, i, object);
        tables_page_row(tables, table, object);
    }
    if (n == DUE_PAGE_ROWS) {
        tables_page_end(tables, table, due_of(def, object), object + def->row->fields[0].offset);
    } else {
        tables_page_end(tables, table, tables_page_until_us(tables, table), NULL);
    }
    free(object);
}

static enum status page_fetch(struct pg *pg, struct tables *tables, unsigned table)
{
    struct pg_args *args = pg_args_new();
    struct buf sql = {0};
    struct pg_result *found = NULL;
    struct due_page page;
    enum status status = STATUS_OK;

    if (tables_wanted(tables, table, &page)) {
        page_ask(tables_def(tables, table), &page, args, &sql);
        status = pg_query(pg, buf_text(&sql), args, &found);
        if (status == STATUS_OK) {
            tables_page_begin(tables, table);
            page_enter(tables, table, found);
        }
    }
    pg_result_destroy(&found);
    pg_args_destroy(&args);
    buf_release(&sql);
    return status;
}

enum status mirror_page_send(struct pg *pg, struct tables *tables, unsigned table)
{
    struct pg_args *args = pg_args_new();
    struct buf sql = {0};
    struct due_page page;
    bool wanted = tables_wanted(tables, table, &page);

    assert(wanted);
    tables_page_begin(tables, table);
    page_ask(tables_def(tables, table), &page, args, &sql);
    enum status status = pg_begin(pg);
    if (status == STATUS_OK) {
        status = pg_send(pg, buf_text(&sql), args);
    }
    pg_args_destroy(&args);
    buf_release(&sql);
    return status == STATUS_OK ? pg_ship(pg) : status;
}

enum status mirror_page_take(struct pg *pg, struct tables *tables, unsigned table)
{
    struct pg_result *found = NULL;
    enum status status = pg_flush(pg, &found);

    if (status == STATUS_OK) {
        page_enter(tables, table, found);
    }
    pg_result_destroy(&found);
    return status == STATUS_OK ? pg_commit(pg) : status;
}

/* Few values, each found from the one before by the index; the plain DISTINCT would read it whole. */
static void values_ask(const struct table_def *def, struct buf *sql)
{
    const char *value = definition_sweep(def)->name, *open = definition_open(def)->name;

    buf_append_format(sql,
                      "WITH RECURSIVE v(value) AS ((SELECT \"%s\" FROM \"%s\" WHERE \"%s\" AND \"%s\" <> '' ORDER BY \"%s\" LIMIT 1)"
                      " UNION ALL SELECT (SELECT t.\"%s\" FROM \"%s\" t WHERE t.\"%s\" AND t.\"%s\" <> '' AND t.\"%s\" > v.value"
                      " ORDER BY t.\"%s\" LIMIT 1) FROM v WHERE v.value IS NOT NULL) SELECT value FROM v WHERE value IS NOT NULL",
                      value, def->name, open, value, value, value, def->name, open, value, value, value);
}

static void keys_ask(const struct table_def *def, const struct sweep_question *question, struct pg_args *args, struct buf *sql)
{
    const char *value = definition_sweep(def)->name, *key = def->row->fields[0].name;

    select_begin(def, sql);
    buf_append_format(sql, "\"%s\" AND \"%s\" <> '' AND \"%s\" = $1 AND \"%s\" > $2 ORDER BY \"%s\", \"%s\" LIMIT %d", definition_open(def)->name,
                      value, value, key, value, key, SWEEP_PAGE_ROWS);
    pg_arg_text(args, question->value);
    pg_arg_text(args, question->after_key);
}

static void text_add(struct tables *tables, unsigned table, struct bytes value)
{
    char text[256];
    bool fits = text_copy_n(text, sizeof text, (const char *)value.data, value.len);

    assert(fits);
    tables_answer_add(tables, table, text);
}

static enum status sweep_fetch(struct pg *pg, struct tables *tables, unsigned table)
{
    const struct table_def *def = tables_def(tables, table);
    struct pg_args *args = pg_args_new();
    struct buf sql = {0};
    struct pg_result *found = NULL;
    struct sweep_question question;
    enum status status = STATUS_OK;

    if (tables_asked(tables, table, &question)) {
        if (question.value == NULL) {
            values_ask(def, &sql);
        } else {
            keys_ask(def, &question, args, &sql);
        }
        status = pg_query(pg, buf_text(&sql), args, &found);
    }
    if (found != NULL && status == STATUS_OK) {
        for (int i = 0; i < pg_rows(found); i++) {
            text_add(tables, table, pg_bytes(found, i, 0));
        }
        if (question.value != NULL) {
            rows_fill(tables, table, found);
        }
        tables_answer_end(tables, table, question.value != NULL && pg_rows(found) == SWEEP_PAGE_ROWS);
    }
    pg_result_destroy(&found);
    pg_args_destroy(&args);
    buf_release(&sql);
    return status;
}

enum status mirror_fetch(struct pg *pg, struct tables *tables)
{
    const struct miss *misses;

    for (unsigned i = 0; i < tables_count(tables); i++) {
        enum status status = table_fetch(pg, tables, i);
        if (status == STATUS_OK) {
            status = page_fetch(pg, tables, i);
        }
        if (status == STATUS_OK) {
            status = sweep_fetch(pg, tables, i);
        }
        if (status != STATUS_OK) {
            return status;
        }
    }
    /* What was not found is not there; what was is left alone. */
    size_t n = tables_misses(tables, &misses);
    for (size_t i = 0; i < n; i++) {
        tables_fill(tables, misses[i].table, misses[i].key, NULL);
    }
    tables_misses_reset(tables);
    return STATUS_OK;
}

/* --- writing ----------------------------------------------------------------------------------- */

static enum status rows_send(struct pg *pg, const struct tables *tables, unsigned table, bool fresh, struct pg_args *args, struct buf *sql)
{
    const struct table_def *def = tables_def(tables, table);
    const void *const *rows;
    size_t n = tables_dirty(tables, table, fresh, &rows);

    if (n == 0) {
        return STATUS_OK;
    }
    pg_args_reset(args);
    buf_reset(sql);
    if (fresh) {
        row_insert_sql(def->row, def->name, sql);
    } else {
        row_update_sql(def->row, def->name, sql);
    }
    row_args(def->row, rows, n, args);
    return pg_send(pg, buf_text(sql), args);
}

enum status mirror_send(struct pg *pg, const struct tables *tables)
{
    struct pg_args *args = pg_args_new();
    struct buf sql = {0};
    enum status status = STATUS_OK;

    for (unsigned i = 0; status == STATUS_OK && i < tables_count(tables); i++) {
        status = rows_send(pg, tables, i, true, args, &sql);
        if (status == STATUS_OK) {
            status = rows_send(pg, tables, i, false, args, &sql);
        }
    }
    buf_release(&sql);
    pg_args_destroy(&args);
    return status == STATUS_OK ? pg_ship(pg) : status;
}
