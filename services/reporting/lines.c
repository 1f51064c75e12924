#include "answer.h"
#include "base/text.h"
#include "pg/row.h"

#define LINES_PAGE 1000

enum status period_load(struct pg *pg, const char *key, struct period_row *period)
{
    owned(pg_args_destroy) struct pg_args *args = pg_args_new();
    owned(pg_result_destroy) struct pg_result *result = NULL;
    struct buf sql = {0};
    buf_append_text(&sql, "SELECT ");
    row_select_list(&period_row_record, &sql);
    buf_append_text(&sql, " FROM period WHERE key = $1");
    pg_arg_text(args, key);
    enum status status = pg_query(pg, buf_text(&sql), args, &result);
    buf_release(&sql);
    if (status != STATUS_OK)
        return status;
    if (pg_rows(result) == 0)
        return STATUS_ABSENT;
    row_load(&period_row_record, result, 0, period);
    return STATUS_OK;
}

struct page {
    const struct period_row *period;
    struct arena *arena;
    void (*each)(void *owner, const struct ticket_row *);
    void *owner;
    char after[sizeof(((struct frozen_row *)0)->id)];
    bool more;
};

/* Lines that did not change since the cut-off. */
static enum status living_page(struct pg *pg, const char *sql, struct page *page)
{
    owned(pg_args_destroy) struct pg_args *args = pg_args_new();
    owned(pg_result_destroy) struct pg_result *result = NULL;
    pg_arg_time(args, page->period->from_us);
    pg_arg_time(args, page->period->to_us);
    pg_arg_text(args, page->period->key);
    pg_arg_text(args, page->after);
    enum status status = pg_query(pg, sql, args, &result);
    if (status != STATUS_OK)
        return status;
    struct ticket_row row;
    for (int i = 0; i < pg_rows(result); i++) {
        row_load(&ticket_row_record, result, i, &row);
        if (ticket_row_touches(&row, page->period->from_us, page->period->to_us))
            page->each(page->owner, &row);
    }
    page->more = pg_rows(result) == LINES_PAGE;
    if (page->more)
        text_copy(page->after, sizeof(page->after), row.key);
    return STATUS_OK;
}

/* Lines that did, as they were. */
static enum status frozen_page(struct pg *pg, const char *sql, struct page *page)
{
    owned(pg_args_destroy) struct pg_args *args = pg_args_new();
    owned(pg_result_destroy) struct pg_result *result = NULL;
    pg_arg_text(args, page->period->key);
    pg_arg_text(args, page->after);
    enum status status = pg_query(pg, sql, args, &result);
    if (status != STATUS_OK)
        return status;
    for (int i = 0; i < pg_rows(result); i++) {
        struct ticket_row row;
        struct problem problem;
        if (!record_decode(&ticket_row_record, RECORD_WHOLE, DECODE_LENIENT, pg_bytes(result, i, 1), page->arena, &row,
                           &problem))
            return STATUS_REFUSED;
        page->each(page->owner, &row);
    }
    page->more = pg_rows(result) == LINES_PAGE;
    if (page->more) {
        struct bytes id = pg_bytes(result, LINES_PAGE - 1, 0);
        text_copy_n(page->after, sizeof(page->after), (const char *)id.data, id.len);
    }
    return STATUS_OK;
}

static enum status all_pages(struct pg *pg, const char *sql, struct page page,
                             enum status (*next)(struct pg *, const char *, struct page *))
{
    enum status status;
    page.arena = arena_new(4096);
    do {
        status = next(pg, sql, &page);
    } while (status == STATUS_OK && page.more);
    arena_destroy(&page.arena);
    return status;
}

enum status period_lines(struct pg *pg, const struct period_row *period,
                         void (*each)(void *owner, const struct ticket_row *), void *owner)
{
    struct page page = {.period = period, .each = each, .owner = owner};
    struct buf sql = {0};
    /* Young tables have no statistics, and the planner would read each whole for every page. */
    enum status status = pg_run(pg, "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off;"
                                    " SET LOCAL enable_mergejoin = off; SET LOCAL enable_bitmapscan = off");
    if (status != STATUS_OK)
        return status;
    buf_append_text(&sql, "SELECT ");
    row_select_list(&ticket_row_record, &sql);
    buf_append_format(&sql,
                      " FROM ticket t WHERE latest >= $1 AND earliest < $2 AND key > $4 AND NOT EXISTS"
                      " (SELECT FROM frozen_ticket f WHERE f.id = $3 || '/' || t.key) ORDER BY key LIMIT %d",
                      LINES_PAGE);
    status = all_pages(pg, buf_text(&sql), page, living_page);
    buf_reset(&sql);
    buf_append_format(&sql,
                      "SELECT id, image FROM frozen_ticket WHERE period = $1 AND id > $2 AND NOT absent"
                      " ORDER BY id LIMIT %d",
                      LINES_PAGE);
    if (status == STATUS_OK)
        status = all_pages(pg, buf_text(&sql), page, frozen_page);
    buf_release(&sql);
    return status;
}

enum status period_adjusted(struct pg *pg, const struct period_row *period, int64_t *n)
{
    owned(pg_args_destroy) struct pg_args *args = pg_args_new();
    owned(pg_result_destroy) struct pg_result *result = NULL;
    pg_arg_text(args, period->report);
    pg_arg_int(args, period->pos);
    enum status status = pg_query(pg,
                                  "SELECT count(DISTINCT f.ticket) FROM frozen_ticket f JOIN period p ON p.key = f.period"
                                  " WHERE p.report = $1 AND p.pos < $2 AND f.pos < $2 AND f.pos >"
                                  " (SELECT coalesce(max(pos), 0) FROM period WHERE report = $1 AND pos < $2)",
                                  args, &result);
    if (status == STATUS_OK)
        *n = pg_int(result, 0, 0);
    return status;
}
