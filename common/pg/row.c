/* Records as PostgreSQL rows. */
#include "pg/row.h"
#include "base/text.h"
#include "record/pack.h"
#include <assert.h>
#include <string.h>

#define PACKED_BLOCK_BYTES 4096

static bool is_column(const struct field *f)
{
    return (f->flags & FIELD_VOLATILE) == 0;
}

static const char *column_type(const struct field *f)
{
    switch (f->kind) {
    case FIELD_BOOL:
        return "boolean";
    case FIELD_INT:
        return "bigint";
    case FIELD_TIME:
        return "timestamptz";
    case FIELD_SPAN:
    case FIELD_ENUM:
    case FIELD_TEXT:
        return "text";
    case FIELD_BIN:
    case FIELD_BLOB:
    case FIELD_RECORD:
    case FIELD_LIST:
        return "bytea";
    case FIELD_BYTES:
    case FIELD_RAW:
    case FIELD_SLICE:
        break; /* borrowed memory: no place in a row */
    }
    assert(false && "a field kind that has no column");
    return NULL;
}

/* What follows the type in CREATE TABLE. Absent instants and bytes are NULL, all else has a value. */
static const char *column_rest(const struct field *f)
{
    const char *type = column_type(f);

    if (strcmp(type, "text") == 0) {
        return " COLLATE \"C\" NOT NULL";
    }
    return f->kind == FIELD_BOOL || f->kind == FIELD_INT ? " NOT NULL" : "";
}

/* Calls add for each column with a comma between. */
static void columns_list(const struct record *r, size_t from, struct buf *sql,
                         void (*add)(const struct field *, size_t column, struct buf *sql))
{
    size_t column = 0;

    for (size_t i = 0; i < r->n; i++) {
        if (!is_column(&r->fields[i])) {
            continue;
        }
        if (column >= from) {
            buf_append_text(sql, column > from ? ", " : "");
            add(&r->fields[i], column, sql);
        }
        column++;
    }
}

static void add_definition(const struct field *f, size_t column, struct buf *sql)
{
    (void)column;
    buf_append_format(sql, "\"%s\" %s%s", f->name, column_type(f), column_rest(f));
}

static void add_name(const struct field *f, size_t column, struct buf *sql)
{
    (void)column;
    buf_append_format(sql, "\"%s\"", f->name);
}

static void add_parameter(const struct field *f, size_t column, struct buf *sql)
{
    buf_append_format(sql, "unnest($%zu::%s[])", column + 1, column_type(f));
}

static void add_named_parameter(const struct field *f, size_t column, struct buf *sql)
{
    add_parameter(f, column, sql);
    buf_append_format(sql, " AS \"%s\"", f->name);
}

static void add_assignment(const struct field *f, size_t column, struct buf *sql)
{
    (void)column;
    buf_append_format(sql, "\"%s\" = u.\"%s\"", f->name, f->name);
}

void row_ddl(const struct record *r, const char *schema, const char *table, struct buf *sql)
{
    assert(r->n > 0 && r->fields[0].kind == FIELD_TEXT);
    buf_append_format(sql, "CREATE TABLE \"%s\".\"%s\" (", schema, table);
    columns_list(r, 0, sql, add_definition);
    /* Room on each page for the next versions of its rows. */
    buf_append_format(sql, ", PRIMARY KEY (\"%s\")) WITH (fillfactor = 80)", r->fields[0].name);
}

void row_select_list(const struct record *r, struct buf *sql)
{
    columns_list(r, 0, sql, add_name);
}

/* One unnest a column in the list of outputs: unnest of many arrays in FROM is a table function for each, kept whole and
 * put together again, and costs half as much again (measured). */
void row_insert_sql(const struct record *r, const char *table, struct buf *sql)
{
    buf_append_format(sql, "INSERT INTO \"%s\" (", table);
    columns_list(r, 0, sql, add_name);
    buf_append_text(sql, ") SELECT ");
    columns_list(r, 0, sql, add_parameter);
}

void row_update_sql(const struct record *r, const char *table, struct buf *sql)
{
    buf_append_format(sql, "UPDATE \"%s\" t SET ", table);
    columns_list(r, 1, sql, add_assignment);
    buf_append_text(sql, " FROM (SELECT ");
    columns_list(r, 0, sql, add_named_parameter);
    buf_append_format(sql, ") u WHERE t.\"%s\" = u.\"%s\"", r->fields[0].name, r->fields[0].name);
}

static const struct field *elem_relaxed(struct arena *arena, const struct field *elem);

/* A stored record is what we wrote: nothing is required of it, and no range is checked again. A row may hold a record
 * whose required fields are empty (there is none, or it was erased), which no message may. */
static struct field field_relaxed(struct arena *arena, const struct field *f)
{
    struct field relaxed = *f;

    assert(f->kind != FIELD_BYTES && f->kind != FIELD_RAW && f->kind != FIELD_SLICE);
    relaxed.flags &= ~(uint32_t)(FIELD_REQUIRED | FIELD_KEYLIKE);
    relaxed.min = relaxed.max_int = 0;
    if (f->kind == FIELD_RECORD) {
        struct record *sub = arena_alloc(arena, sizeof *sub);
        struct field *fields = arena_alloc(arena, f->sub->n * sizeof *fields);
        for (size_t i = 0; i < f->sub->n; i++) {
            fields[i] = field_relaxed(arena, &f->sub->fields[i]);
        }
        *sub = *f->sub;
        sub->fields = fields;
        relaxed.sub = sub;
    } else if (f->kind == FIELD_LIST) {
        relaxed.elem = elem_relaxed(arena, f->elem);
    }
    return relaxed;
}

static const struct field *elem_relaxed(struct arena *arena, const struct field *elem)
{
    struct field *relaxed = arena_alloc(arena, sizeof *relaxed);

    *relaxed = field_relaxed(arena, elem);
    return relaxed;
}

/* The field alone as a record, so that lists and records inside travel as msgpack maps of one key. */
static const struct record *single(struct arena *arena, const struct field *f)
{
    struct record *one = arena_alloc(arena, sizeof *one);

    *one = (struct record){.name = f->name, .fields = elem_relaxed(arena, f), .n = 1};
    return one;
}

static bool is_packed(const struct field *f)
{
    return f->kind == FIELD_RECORD || f->kind == FIELD_LIST;
}

static bool all_zero(const uint8_t *data, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (data[i] != 0) {
            return false;
        }
    }
    return true;
}

static void elem_packed(const struct record *one, const void *object, struct buf *scratch, struct pg_args *args)
{
    buf_reset(scratch);
    record_encode(one, RECORD_WHOLE, object, scratch);
    if (scratch->len == 1) {
        pg_elem_null(args); /* an empty map: nothing but defaults */
    } else {
        pg_elem_bytea(args, buf_bytes(scratch));
    }
}

/* struct blob_N: a length, then the bytes. */
static struct bytes blob_bytes(const uint8_t *member)
{
    uint32_t n;

    memcpy(&n, member, sizeof n);
    return bytes_of(member + sizeof n, n);
}

static void elem_add(const struct field *f, const void *object, struct pg_args *args)
{
    const uint8_t *member = (const uint8_t *)object + f->offset;
    char span[SPAN_TEXT_MAX];

    switch (f->kind) {
    case FIELD_BOOL:
        pg_elem_bool(args, *(const bool *)member);
        return;
    case FIELD_INT:
        pg_elem_int(args, *(const int64_t *)(const void *)member);
        return;
    case FIELD_TIME:
        pg_elem_time(args, *(const int64_t *)(const void *)member);
        return;
    case FIELD_SPAN:
        span_print(*(const struct span *)(const void *)member, span);
        pg_elem_text(args, span, strlen(span));
        return;
    case FIELD_ENUM: {
        const char *name = f->names[*(const int *)(const void *)member];
        pg_elem_text(args, name, strlen(name));
        return;
    }
    case FIELD_TEXT:
        pg_elem_text(args, (const char *)member, strnlen((const char *)member, f->size));
        return;
    case FIELD_BIN:
        if (all_zero(member, f->size)) {
            pg_elem_null(args);
        } else {
            pg_elem_bytea(args, bytes_of(member, f->size));
        }
        return;
    case FIELD_BLOB:
        pg_elem_bytea(args, blob_bytes(member));
        return;
    case FIELD_RECORD:
    case FIELD_LIST:
    case FIELD_BYTES:
    case FIELD_RAW:
    case FIELD_SLICE:
        break;
    }
    assert(false && "a field kind that has no column");
}

static enum pg_array array_kind(const struct field *f)
{
    const char *type = column_type(f);

    switch (type[0]) {
    case 'b':
        return f->kind == FIELD_BOOL ? PG_BOOL_ARRAY : f->kind == FIELD_INT ? PG_INT8_ARRAY : PG_BYTEA_ARRAY;
    default:
        return f->kind == FIELD_TIME ? PG_TIME_ARRAY : PG_TEXT_ARRAY;
    }
}

static void column_packed(const struct field *f, const void *const *rows, size_t n, struct pg_args *args)
{
    struct arena *arena = arena_new(PACKED_BLOCK_BYTES);
    const struct record *one = single(arena, f);
    struct buf scratch = {0};

    for (size_t row = 0; row < n; row++) {
        elem_packed(one, rows[row], &scratch, args);
    }
    buf_release(&scratch);
    arena_destroy(&arena);
}

void row_args(const struct record *r, const void *const *rows, size_t n, struct pg_args *args)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct field *f = &r->fields[i];
        if (!is_column(f)) {
            continue;
        }
        pg_arg_array_begin(args, array_kind(f));
        if (is_packed(f)) {
            column_packed(f, rows, n, args);
        }
        for (size_t row = 0; row < n && !is_packed(f); row++) {
            elem_add(f, rows[row], args);
        }
        pg_arg_array_end(args);
    }
}

static int enum_index(const struct field *f, struct bytes name)
{
    for (int i = 0; f->names[i] != NULL; i++) {
        if (bytes_equal(bytes_of_text(f->names[i]), name)) {
            return i;
        }
    }
    assert(false && "a stored name that the enum does not have");
    return 0;
}

static void load_packed(const struct field *f, struct bytes value, void *object)
{
    struct arena *arena = arena_new(PACKED_BLOCK_BYTES);
    struct problem problem;

    bool good = skim(value, &problem) &&
                record_decode(single(arena, f), RECORD_WHOLE, DECODE_KEEP, value, NULL, object, &problem);
    assert(good);
    arena_destroy(&arena);
}

static void load_span(struct bytes value, struct span *span)
{
    char text[SPAN_TEXT_MAX];
    bool good = text_copy_n(text, sizeof text, (const char *)value.data, value.len);

    good = good && (text[0] == '\0' || span_parse(text, span));
    assert(good);
}

static void load_blob(const struct field *f, struct bytes value, uint8_t *member)
{
    uint32_t n = (uint32_t)value.len;

    assert(value.len <= f->size - sizeof n);
    memcpy(member, &n, sizeof n);
    if (n > 0) {
        memcpy(member + sizeof n, value.data, n);
    }
}

/* A column that is NULL leaves the default. What is stored is what we wrote (the definition's digest says so): anything
 * that does not fit is our bug. */
static void field_load(const struct field *f, const struct pg_result *result, int row, int column, void *object)
{
    uint8_t *member = (uint8_t *)object + f->offset;

    if (pg_is_null(result, row, column)) {
        return;
    }
    struct bytes value = pg_bytes(result, row, column);
    switch (f->kind) {
    case FIELD_BOOL:
        *(bool *)member = pg_bool(result, row, column);
        return;
    case FIELD_INT:
        *(int64_t *)(void *)member = pg_int(result, row, column);
        return;
    case FIELD_TIME:
        *(int64_t *)(void *)member = pg_time(result, row, column);
        return;
    case FIELD_SPAN:
        load_span(value, (struct span *)(void *)member);
        return;
    case FIELD_ENUM:
        *(int *)(void *)member = enum_index(f, value);
        return;
    case FIELD_TEXT: {
        bool fits = text_copy_n((char *)member, f->size, (const char *)value.data, value.len);
        assert(fits);
        return;
    }
    case FIELD_BIN:
        assert(value.len == f->size);
        memcpy(member, value.data, value.len);
        return;
    case FIELD_BLOB:
        load_blob(f, value, member);
        return;
    case FIELD_RECORD:
    case FIELD_LIST:
        load_packed(f, value, object);
        return;
    case FIELD_BYTES:
    case FIELD_RAW:
    case FIELD_SLICE:
        break;
    }
    assert(false && "a field kind that has no column");
}

void row_load(const struct record *r, const struct pg_result *result, int row, void *object)
{
    int column = 0;

    record_clear(r, object);
    for (size_t i = 0; i < r->n; i++) {
        if (is_column(&r->fields[i])) {
            field_load(&r->fields[i], result, row, column++, object);
        }
    }
}
