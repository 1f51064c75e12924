/* The question every worker answers beside `status`: what it has set aside. */
#include "worker/ask.h"

#include "base/text.h"
#include "event/stream.h"
#include "pg/pg.h"
#include "record/pack.h"
#include <string.h>

/* A row without a reason waits behind one that has one, or is a timer that was left out. */
static const char parked_sql[] =
    "SELECT p.id, p.pos, p.reason, (SELECT count(*) FROM parked w WHERE w.open AND w.key = p.key AND w.pos > p.pos),"
    " p.event FROM parked p WHERE p.open AND p.reason <> '' AND p.id > $1::text"
    " ORDER BY p.id LIMIT $2::int8";

static void pack_column(const struct pg_result *result, int row, const char *name, int column, struct buf *rows)
{
    pack_text(rows, name);
    pg_pack(result, row, column, rows);
}

/* What is set aside by an event.parked that was kept itself. */
static bool timer_of(const struct event *event, struct event_parked *parked)
{
    struct problem problem;
    return text_equal(event->type, "event.parked") &&
           record_decode(&event_parked_record, RECORD_PLAIN, DECODE_LENIENT, event->data, NULL, parked, &problem) &&
           parked->timer[0] != '\0';
}

static void parked_pack(const struct pg_result *result, int row, struct buf *rows)
{
    struct event event;
    struct event_parked parked;
    struct problem problem;
    bool readable = event_decode(pg_bytes(result, row, 4), bytes_of(NULL, 0), &event, &problem);
    pack_map(rows, readable ? 7 : 4);
    pack_column(result, row, "event", 0, rows);
    pack_column(result, row, "pos", 1, rows);
    pack_column(result, row, "reason", 2, rows);
    pack_column(result, row, "waiting", 3, rows);
    if (!readable)
        return;
    pack_text(rows, "key");
    pack_text(rows, event.key);
    pack_text(rows, "type");
    pack_text(rows, timer_of(&event, &parked) ? parked.timer : event.type);
    pack_text(rows, "rec");
    pack_time(rows, event.rec_us);
}

static enum status parked_answer(struct pg *snapshot, const struct record *args_record, const void *args, int64_t limit,
                                 const char *after, struct buf *rows, size_t *rows_n, bool *more, struct problem *problem)
{
    owned(pg_args_destroy) struct pg_args *bound = pg_args_new();
    owned(pg_result_destroy) struct pg_result *result = NULL;
    (void)args_record;
    (void)args;
    (void)problem;
    pg_arg_text(bound, after);
    pg_arg_int(bound, limit + 1);
    enum status status = pg_query(snapshot, parked_sql, bound, &result);
    for (int row = 0; status == STATUS_OK && row < pg_rows(result); row++) {
        if (row == limit) {
            *more = true;
            break;
        }
        parked_pack(result, row, rows);
        ++*rows_n;
    }
    return status;
}

const struct question ask_parked = {.name = "parked", .answer = parked_answer};
