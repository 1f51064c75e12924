#include "table/compare.h"
#include "base/text.h"
#include "pg/row.h"
#include <string.h>

#define PAGE_ROWS "2000"

struct walk {
    struct pg *pg;
    struct pg_result *page;
    int at;
    bool end;
};

static enum status walk_open(struct walk *walk, const struct compare_side *side, const struct record *row)
{
    struct buf sql = {0};
    *walk = (struct walk){.pg = side->pg};
    buf_append_text(&sql, "DECLARE walk NO SCROLL CURSOR FOR SELECT ");
    row_select_list(row, &sql);
    buf_append_format(&sql, " FROM \"%s\".\"%s\" ORDER BY \"%s\"", side->schema, side->table, row->fields[0].name);
    enum status status = pg_run(walk->pg, buf_text(&sql));
    buf_release(&sql);
    return status;
}

/* The next row is at walk->at of walk->page, or walk->end. */
static enum status walk_next(struct walk *walk)
{
    if (walk->page != NULL && walk->at + 1 < pg_rows(walk->page)) {
        walk->at++;
        return STATUS_OK;
    }
    pg_result_destroy(&walk->page);
    walk->at = 0;
    enum status status = pg_query(walk->pg, "FETCH " PAGE_ROWS " FROM walk", NULL, &walk->page);
    walk->end = status == STATUS_OK && pg_rows(walk->page) == 0;
    return status;
}

static enum status walk_close(struct walk *walk)
{
    pg_result_destroy(&walk->page);
    return pg_run(walk->pg, "CLOSE walk");
}

static bool is_same(const struct walk *a, const struct walk *b, int column)
{
    bool a_null = pg_is_null(a->page, a->at, column), b_null = pg_is_null(b->page, b->at, column);
    return a_null == b_null && (a_null || bytes_equal(pg_bytes(a->page, a->at, column), pg_bytes(b->page, b->at, column)));
}

static bool is_equal(const struct walk *a, const struct walk *b)
{
    for (int column = 0; column < pg_columns(a->page); column++)
        if (!is_same(a, b, column))
            return false;
    return true;
}

static int key_order(const struct walk *a, const struct walk *b)
{
    if (a->end || b->end)
        return a->end ? 1 : -1;
    struct bytes left = pg_bytes(a->page, a->at, 0), right = pg_bytes(b->page, b->at, 0);
    size_t n = left.len < right.len ? left.len : right.len;
    int order = memcmp(left.data, right.data, n);
    return order != 0 ? order : (left.len > right.len) - (left.len < right.len);
}

static void tell(const struct walk *living, const struct walk *fresh, int order, compare_differs *differs, void *owner)
{
    const struct walk *which = order <= 0 ? living : fresh;
    struct bytes key = pg_bytes(which->page, which->at, 0);
    struct buf line = {0};
    buf_append_format(&line, "%.*s %s", (int)key.len, (const char *)key.data,
                      order < 0 ? "is not in the fold" : order > 0 ? "is missing" : "differs in");
    for (int column = 0; order == 0 && column < pg_columns(living->page); column++)
        if (!is_same(living, fresh, column))
            buf_append_format(&line, " %s", pg_column_name(living->page, column));
    differs(owner, buf_text(&line));
    buf_release(&line);
}

static enum status walk_both(struct walk *living, struct walk *fresh, size_t *rows, compare_differs *differs, void *owner)
{
    enum status status = walk_next(living);
    if (status == STATUS_OK)
        status = walk_next(fresh);
    while (status == STATUS_OK && (!living->end || !fresh->end)) {
        int order = key_order(living, fresh);
        if (order != 0 || !is_equal(living, fresh))
            tell(living, fresh, order, differs, owner);
        ++*rows;
        if (order <= 0)
            status = walk_next(living);
        if (status == STATUS_OK && order >= 0)
            status = walk_next(fresh);
    }
    return status;
}

enum status compare_rows(const struct record *row, const struct compare_side *living, const struct compare_side *fresh, size_t *rows,
                         compare_differs *differs, void *owner)
{
    struct walk here, there = {0};
    enum status status = walk_open(&here, living, row);
    if (status == STATUS_OK)
        status = walk_open(&there, fresh, row);
    if (status == STATUS_OK)
        status = walk_both(&here, &there, rows, differs, owner);
    if (status == STATUS_OK)
        status = walk_close(&here);
    if (status == STATUS_OK)
        status = walk_close(&there);
    pg_result_destroy(&here.page);
    pg_result_destroy(&there.page);
    return status;
}
