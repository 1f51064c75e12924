/* The feed's statements over the house's database; questions find nothing. */
#include "base/text.h"
#include "house.h"
#include "pg/row.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct pg_args {
    int64_t ints[8];
    size_t ints_n;
    char texts[40][EVENT_KEY_CAP + EVENT_TYPE_CAP];
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

void pg_arg_bool(struct pg_args *args, bool value)
{
    (void)args;
    (void)value;
}

void pg_arg_text(struct pg_args *args, const char *text)
{
    (void)args;
    assert(text == NULL || strlen(text) < 65536);
}

void pg_arg_time(struct pg_args *args, int64_t us)
{
    (void)args;
    (void)us;
}

void pg_arg_array_begin(struct pg_args *args, enum pg_array kind)
{
    (void)args;
    (void)kind;
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

/* Its bytes are its own, as libpq's are, each a block: who reads beyond them is seen, and who still points to them when it is gone. */
struct result_row {
    int64_t pos;
    uint8_t *body, *priv, *link;
    size_t body_n, priv_n;
};
struct pg_result {
    struct result_row rows[HOUSE_EVENTS_MAX];
    int n;
    size_t bytes;
};

static uint8_t *own(struct pg_result *result, const void *from, size_t n)
{
    uint8_t *to = memory_new(n > 0 ? n : 1);
    if (n > 0)
        memcpy(to, from, n);
    result->bytes += n;
    return to;
}

static void row_add(struct pg_result *result, const struct journal_row *event, bool whole)
{
    struct result_row *row = &result->rows[result->n++];
    *row = (struct result_row){.pos = (int64_t)event->pos, .link = own(result, event->link, LINK_BYTES)};
    if (whole) {
        row->body = own(result, event->body.data, row->body_n = event->body.len);
        row->priv = event->priv.len > 0 ? own(result, event->priv.data, row->priv_n = event->priv.len) : NULL;
    }
}

void pg_result_destroy(struct pg_result **result)
{
    for (int i = 0; *result != NULL && i < (*result)->n; i++) {
        free((*result)->rows[i].body);
        free((*result)->rows[i].priv);
        free((*result)->rows[i].link);
    }
    free(*result);
    *result = NULL;
}

int pg_rows(const struct pg_result *result)
{
    return result->n;
}

size_t pg_result_bytes(const struct pg_result *result)
{
    return sizeof(*result) + result->bytes;
}

int pg_columns(const struct pg_result *result)
{
    (void)result;
    return 4;
}

const char *pg_column_name(const struct pg_result *result, int column)
{
    (void)result;
    (void)column;
    return "column";
}

int64_t pg_int(const struct pg_result *result, int row, int column)
{
    assert(column == 0 && row < result->n);
    return result->rows[row].pos;
}

bool pg_bool(const struct pg_result *result, int row, int column)
{
    (void)result;
    (void)row;
    (void)column;
    abort();
}

int64_t pg_time(const struct pg_result *result, int row, int column)
{
    return pg_bool(result, row, column);
}

struct bytes pg_bytes(const struct pg_result *result, int row, int column)
{
    assert(row < result->n);
    const struct result_row *one = &result->rows[row];
    if (column != 1 && column != 2)
        return bytes_of(one->link, LINK_BYTES); /* also of a row that is its link alone */
    return column == 1 ? bytes_of(one->body, one->body_n) : bytes_of(one->priv, one->priv_n);
}

bool pg_is_null(const struct pg_result *result, int row, int column)
{
    assert(row < result->n);
    return column == 1 ? result->rows[row].body == NULL : column == 2 && result->rows[row].priv == NULL;
}

void pg_pack(const struct pg_result *result, int row, int column, struct buf *out)
{
    (void)result;
    (void)row;
    (void)column;
    (void)out;
    abort(); /* questions find nothing */
}

void row_select_list(const struct record *record, struct buf *sql)
{
    buf_append_text(sql, record->name);
}

void row_load(const struct record *record, const struct pg_result *result, int row, void *object)
{
    (void)result;
    (void)row;
    record_clear(record, object);
}

enum asked { ASKED_LINK, ASKED_ALL, ASKED_BY_KEY, ASKED_BY_TYPE };

static bool is_asked(const struct journal_row *row, enum asked asked, const struct pg_args *args)
{
    if (asked == ASKED_LINK || asked == ASKED_ALL || (int64_t)row->pos == args->ints[1])
        return true;
    for (size_t i = 0; i < args->texts_n; i++) {
        const char *text = args->texts[i];
        if (asked == ASKED_BY_KEY ? text_equal(row->key, text) : text[0] != '\0' && strncmp(row->type, text, strlen(text) - 1) == 0)
            return true;
    }
    return false;
}

/* No row is larger than its share, args[2]: by position it is not among them, otherwise it has no body. At most args[3]. */
static void rows_find(struct pg_result *result, enum asked asked, const struct pg_args *args)
{
    bool link = asked == ASKED_LINK, filtered = asked == ASKED_BY_KEY || asked == ASKED_BY_TYPE;
    int64_t from = args->ints[0] + !link, to = args->ints[link ? 0 : 1], most = filtered ? args->ints[3] : HOUSE_EVENTS_MAX;
    const struct db *db = house_db();
    assert(args->ints_n == (link ? 1 : filtered ? 4 : 3));
    for (size_t i = 0; i < db->journal_n && result->n < most; i++) {
        const struct journal_row *row = db->journal[i];
        bool fits = link || (int64_t)(row->body.len + row->priv.len) <= args->ints[2];
        if ((int64_t)row->pos >= from && (int64_t)row->pos <= to && is_asked(row, asked, args) && (filtered || fits))
            row_add(result, row, fits);
    }
}

enum status pg_query(struct pg *pg, const char *sql, const struct pg_args *args, struct pg_result **out)
{
    enum status status = db_call(pg, false);
    if (status != STATUS_OK || out == NULL)
        return status;
    *out = memory_new(sizeof(**out));
    if (text_starts(sql, "SELECT link FROM journal WHERE pos = $1"))
        rows_find(*out, ASKED_LINK, args);
    else if (text_starts(sql, "SELECT pos, body, priv, link FROM journal"))
        rows_find(*out, ASKED_ALL, args);
    else if (text_starts(sql, "SELECT pos, CASE"))
        rows_find(*out, strstr(sql, "unnest(") != NULL ? ASKED_BY_KEY : ASKED_BY_TYPE, args);
    return status;
}
