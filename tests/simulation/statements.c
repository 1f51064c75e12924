/* Single statements: what the feed, questions, rebuilds and a stream's beginning say in SQL. */
#include "base/text.h"
#include "check.h"
#include "net.h"
#include "pg/row.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- parameters ------------------------------------------------------------------------------------ */

struct pg_args {
    int64_t ints[4];
    size_t ints_n;
    char texts[32][EVENT_KEY_CAP + EVENT_TYPE_CAP];
    size_t texts_n;
};

struct pg_args *pg_args_new(void)
{
    return memory_new(sizeof(struct pg_args));
}

void pg_args_destroy(struct pg_args **args)
{
    free(*args);
    *args = NULL;
}

void pg_args_reset(struct pg_args *args)
{
    args->ints_n = args->texts_n = 0;
}

void pg_arg_int(struct pg_args *args, int64_t value)
{
    assert(args->ints_n < COUNT_OF(args->ints));
    args->ints[args->ints_n++] = value;
}

void pg_arg_array_begin(struct pg_args *args, enum pg_array kind)
{
    (void)args;
    assert(kind == PG_TEXT_ARRAY);
}

void pg_elem_text(struct pg_args *args, const char *text, size_t n)
{
    assert(args->texts_n < COUNT_OF(args->texts));
    text_copy_n(args->texts[args->texts_n++], sizeof(args->texts[0]), text, n);
}

void pg_arg_array_end(struct pg_args *args)
{
    (void)args;
}

/* Of questions in SQL, which are not asked here (answers.c). */
void pg_arg_text(struct pg_args *args, const char *text)
{
    (void)args;
    (void)text;
    assert(false);
}

void pg_arg_bool(struct pg_args *args, bool value)
{
    (void)args;
    (void)value;
    assert(false);
}

void pg_arg_time(struct pg_args *args, int64_t us)
{
    (void)args;
    (void)us;
    assert(false);
}

void pg_pack(const struct pg_result *result, int row, int column, struct buf *out)
{
    (void)result;
    (void)row;
    (void)column;
    (void)out;
    assert(false);
}

void row_load(const struct record *record, const struct pg_result *result, int row, void *object)
{
    (void)record;
    (void)result;
    (void)row;
    (void)object;
    assert(false);
}

/* --- results --------------------------------------------------------------------------------------- */

enum result_kind { RESULT_EVENTS, RESULT_LINK, RESULT_ROWS };

struct pg_result {
    enum result_kind kind;
    const struct journal_row **events;
    const struct snapshot_row *rows;
    int n;
};

void pg_result_destroy(struct pg_result **result)
{
    if (*result != NULL)
        free((void *)(*result)->events);
    free(*result);
    *result = NULL;
}

int pg_rows(const struct pg_result *result)
{
    return result->n;
}

/* Of a table: its key, and all of the row. */
int pg_columns(const struct pg_result *result)
{
    assert(result->kind == RESULT_ROWS);
    return 2;
}

const char *pg_column_name(const struct pg_result *result, int column)
{
    assert(result->kind == RESULT_ROWS);
    return column == 0 ? "key" : "row";
}

int64_t pg_int(const struct pg_result *result, int row, int column)
{
    assert(column == 0 && result->kind == RESULT_EVENTS);
    return (int64_t)result->events[row]->pos;
}

struct bytes pg_bytes(const struct pg_result *result, int row, int column)
{
    if (result->kind == RESULT_ROWS)
        return column == 0 ? bytes_of_text(result->rows[row].key) : result->rows[row].packed;
    const struct journal_row *one = result->events[row];
    if (result->kind == RESULT_LINK || column == 3)
        return bytes_of(one->link, LINK_BYTES);
    return column == 1 ? one->body : one->priv;
}

bool pg_is_null(const struct pg_result *result, int row, int column)
{
    return result->kind == RESULT_EVENTS && column == 2 && result->events[row]->priv.len == 0;
}

size_t pg_result_bytes(const struct pg_result *result)
{
    size_t bytes = sizeof(*result);
    for (int i = 0; i < result->n && result->kind == RESULT_EVENTS; i++)
        bytes += result->events[i]->body.len + result->events[i]->priv.len + LINK_BYTES;
    return bytes;
}

/* --- the journal ------------------------------------------------------------------------------------ */

static bool event_is_asked(const struct journal_row *row, const char *sql, const struct pg_args *args)
{
    bool by_key = strstr(sql, "unnest(") != NULL, by_type = strstr(sql, "LIKE ANY") != NULL;
    if ((by_key || by_type) && (int64_t)row->pos == args->ints[1])
        return true;
    for (size_t i = 0; i < args->texts_n; i++) {
        const char *text = args->texts[i];
        if (by_key ? text_equal(row->key, text) : strncmp(row->type, text, strlen(text) - 1) == 0)
            return true;
    }
    return !by_key && !by_type;
}

static struct pg_result *events_of(const struct db *db, const char *sql, const struct pg_args *args)
{
    struct pg_result *result = memory_new(sizeof(*result));
    if (text_starts(sql, "SELECT pos FROM journal WHERE type = 'personal.erased'")) /* erasures under way: nobody erases here */
        return result;
    bool link = text_starts(sql, "SELECT link FROM journal WHERE pos = $1");
    bool filtered = text_starts(sql, "SELECT pos, CASE");
    assert(link || filtered || text_starts(sql, "SELECT pos, body, priv, link FROM journal WHERE "));
    if (!link)
        check_replay();
    result->kind = link ? RESULT_LINK : RESULT_EVENTS;
    uint64_t from = (uint64_t)args->ints[0] + !link, to = (uint64_t)args->ints[link ? 0 : 1];
    int64_t most = filtered ? args->ints[3] : INT32_MAX; /* no event here is larger than its share, args->ints[2] */
    result->events = memory_new((to >= from ? to - from + 1 : 0) * sizeof(*result->events) + 1);
    for (uint64_t pos = from; pos <= to && pos <= db->journal_n && result->n < most; pos++)
        if (link || event_is_asked(db->journal[pos - 1], sql, args))
            result->events[result->n++] = db->journal[pos - 1];
    return result;
}

/* --- a table from its first key to its last ---------------------------------------------------------- */

struct walk {
    const struct pg *pg;
    struct snapshot_row *rows;
    int n, at;
};
static struct walk walks[16];

/* The columns do not matter: rows are compared as they are packed. */
void row_select_list(const struct record *record, struct buf *sql)
{
    (void)record;
    buf_append_text(sql, "*");
}

static int walk_compare(const void *left, const void *right)
{
    const struct snapshot_row *a = left, *b = right;
    return strcmp(a->key, b->key);
}

static struct walk *walk_of(const struct pg *pg)
{
    size_t i = 0;
    while (i < COUNT_OF(walks) && walks[i].pg != pg)
        i++;
    return i < COUNT_OF(walks) ? &walks[i] : NULL;
}

/* DECLARE walk … FROM "schema"."table" ORDER BY … */
static void walk_open(struct pg *pg, const char *sql)
{
    char table[100];
    const struct snapshot *snapshot = db_snapshot(pg);
    struct walk *walk = walk_of(pg);
    const char *from = strstr(sql, "\".\"");
    assert(snapshot != NULL && from != NULL);
    text_copy_n(table, sizeof(table), from + 3, strcspn(from + 3, "\""));
    if (walk == NULL)
        walk = walk_of(NULL);
    assert(walk != NULL);
    *walk = (struct walk){.pg = pg, .rows = memory_new((snapshot->n + 1) * sizeof(*walk->rows))};
    for (size_t i = 0; i < snapshot->n; i++)
        if (text_equal(snapshot->rows[i].def->name, table))
            walk->rows[walk->n++] = snapshot->rows[i];
    qsort(walk->rows, (size_t)walk->n, sizeof(*walk->rows), walk_compare);
}

static void walk_close(struct pg *pg)
{
    struct walk *walk = walk_of(pg);
    if (walk != NULL)
        *walk = (struct walk){.pg = NULL};
}

static struct pg_result *walk_fetch(const struct pg *pg)
{
    struct walk *walk = walk_of(pg);
    struct pg_result *result = memory_new(sizeof(*result));
    assert(walk != NULL);
    result->kind = RESULT_ROWS;
    result->rows = walk->rows + walk->at;
    result->n = walk->n - walk->at < 7 ? walk->n - walk->at : 7; /* few: pages are part of the story */
    walk->at += result->n;
    return result;
}

/* --- */

enum status pg_query(struct pg *pg, const char *sql, const struct pg_args *args, struct pg_result **out)
{
    enum status status = db_call(pg, false);
    if (status != STATUS_OK)
        return status;
    *out = text_starts(sql, "FETCH ") ? walk_fetch(pg) : events_of(db_at(pg), sql, args);
    return STATUS_OK;
}

enum status pg_run(struct pg *pg, const char *sql)
{
    enum status status = db_call(pg, false);
    struct db *db = db_at(pg);
    if (status != STATUS_OK)
        return status;
    if (text_starts(sql, "INSERT INTO head")) /* the empty journal */
        text_copy(db->head.holder, sizeof(db->head.holder), "init");
    else if (text_starts(sql, "BEGIN ISOLATION LEVEL REPEATABLE READ"))
        db_snapshot_begin(pg);
    else if (text_starts(sql, "ROLLBACK"))
        db_snapshot_end(pg);
    else if (text_starts(sql, "DECLARE walk"))
        walk_open(pg, sql);
    else if (text_starts(sql, "CLOSE walk"))
        walk_close(pg);
    else if (text_starts(sql, "BEGIN;") && strstr(sql, "SET SCHEMA") != NULL)
        check_swap(db, strstr(sql, "session = session +") != NULL);
    else if (text_starts(sql, "DO $$") && strstr(sql, "DROP TABLE") != NULL)
        db_clear(db);
    return STATUS_OK;
}
