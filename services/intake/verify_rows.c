#include "verify_rows.h"
#include "base/text.h"
#include "record/pack.h"
#include <string.h>

#define PAGE "2000"

enum { COLUMN_POS, COLUMN_SOURCE, COLUMN_N, COLUMN_REC, COLUMN_TYPE, COLUMN_KEY, COLUMN_BODY, COLUMN_PRIV, COLUMN_LINK,
       COLUMN_DIGEST, COLUMN_RESULT, COLUMN_SEAL };

void verify_row_release(struct verify_row *row)
{
    struct buf *bytes[] = {&row->body, &row->priv, &row->link, &row->digest, &row->result, &row->seal};
    for (size_t i = 0; i < COUNT_OF(bytes); i++)
        buf_release(bytes[i]);
}

enum status verify_walk_open(struct verify_walk *walk, struct pg *pg, int64_t from, int64_t to)
{
    char sql[300];
    *walk = (struct verify_walk){.pg = pg};
    text_format(sql, sizeof(sql),
                "DECLARE walk NO SCROLL CURSOR FOR SELECT pos, source, n, rec, type, key, body, priv, link, digest, result, seal"
                " FROM journal WHERE pos BETWEEN %lld AND %lld ORDER BY pos",
                (long long)from, (long long)to);
    return pg_run(pg, sql);
}

static void take_bytes(const struct verify_walk *walk, int column, struct buf *out)
{
    buf_reset(out);
    if (pg_is_null(walk->page, walk->at, column))
        return;
    struct bytes bytes = pg_bytes(walk->page, walk->at, column);
    buf_append(out, bytes.data, bytes.len);
}

static void take_text(const struct verify_walk *walk, int column, char *out, size_t cap)
{
    struct bytes text = pg_bytes(walk->page, walk->at, column);
    text_copy_n(out, cap, (const char *)text.data, text.len);
}

static void row_take(const struct verify_walk *walk, struct verify_row *row)
{
    struct problem problem;
    row->pos = pg_int(walk->page, walk->at, COLUMN_POS);
    row->source = pg_int(walk->page, walk->at, COLUMN_SOURCE);
    row->n = pg_int(walk->page, walk->at, COLUMN_N);
    row->rec_us = pg_time(walk->page, walk->at, COLUMN_REC);
    take_text(walk, COLUMN_TYPE, row->type, sizeof(row->type));
    take_text(walk, COLUMN_KEY, row->key, sizeof(row->key));
    take_bytes(walk, COLUMN_BODY, &row->body);
    take_bytes(walk, COLUMN_PRIV, &row->priv);
    take_bytes(walk, COLUMN_LINK, &row->link);
    take_bytes(walk, COLUMN_DIGEST, &row->digest);
    take_bytes(walk, COLUMN_RESULT, &row->result);
    take_bytes(walk, COLUMN_SEAL, &row->seal);
    row->readable = skim(buf_bytes(&row->body), &problem) && event_decode(buf_bytes(&row->body), bytes_of(NULL, 0), &row->event, &problem);
}

enum status verify_walk_next(struct verify_walk *walk, struct verify_row *row)
{
    if (walk->page == NULL || walk->at + 1 >= pg_rows(walk->page)) {
        pg_result_destroy(&walk->page);
        enum status status = pg_query(walk->pg, "FETCH " PAGE " FROM walk", NULL, &walk->page);
        if (status != STATUS_OK)
            return status;
        if (pg_rows(walk->page) == 0)
            return STATUS_ABSENT;
        walk->at = -1;
    }
    walk->at++;
    row_take(walk, row);
    return STATUS_OK;
}

void verify_walk_close(struct verify_walk *walk)
{
    pg_result_destroy(&walk->page);
    if (pg_is_connected(walk->pg))
        (void)!pg_run(walk->pg, "CLOSE walk");
}
