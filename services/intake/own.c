/* Intake's own questions: status, refused, policies, units. SQL on the feed's connection, in a read-only snapshot that also reads
 * the head. */
#include "base/clock.h"
#include "base/text.h"
#include "event/event.h"
#include "feed_inside.h"
#include "journal.h"
#include "policy/published.h"
#include "proto/questions.h"
#include "readings.h"
#include "record/pack.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_DEFAULT 100
#define LIMIT_MAX 1000
#define ANSWER_BYTES_MAX (240 * 1024)
#define ROWS_MAX (LIMIT_MAX + 1)

struct own {
    struct feed *feed;
    const struct asked *asked;
    const struct record *args_record;
    void *args;
    int64_t limit;
    struct verb_answer answer;
    uint32_t ends[ROWS_MAX]; /* of the rows in feed->rows */
    bool more;
    bool skips; /* rows of the pages before */
};

static void row_end(struct own *own)
{
    own->ends[own->answer.rows.n++] = (uint32_t)own->feed->rows.len;
}

/* Keyset paging: one row more than asked for tells that there are more. */
static bool room(struct own *own, int row, const char *key)
{
    if (row >= own->limit || own->feed->rows.len > ANSWER_BYTES_MAX) {
        own->more = true;
        return false;
    }
    text_copy(own->answer.after, sizeof(own->answer.after), key);
    return true;
}

static void answer_say(struct own *own)
{
    struct feed *feed = own->feed;
    struct bytes *rows = arena_alloc(feed->arena, ROWS_MAX * sizeof(*rows));
    uint32_t from = 0;
    for (uint32_t i = 0; i < own->answer.rows.n; i++) {
        rows[i] = bytes_of(feed->rows.data + from, own->ends[i] - from);
        from = own->ends[i];
    }
    own->answer.rows.items = rows;
    own->answer.id = own->asked->ask.id;
    own->answer.more = own->more;
    feed_say(feed, &own->asked->asker, "ANSWER", &verb_answer_record, &own->answer);
}

/* --- status ---------------------------------------------------------------------------------------- */

/* Pages follow the names as they stand: intake, then the workers as they were first heard of. */
static void status_row_add(struct own *own, const struct record *record, const struct status_row *row)
{
    if (own->skips || own->more) {
        own->skips = own->skips && !text_equal(own->asked->ask.after, row->service);
        return;
    }
    if (!room(own, (int)own->answer.rows.n, row->service))
        return;
    record_encode(record, RECORD_WHOLE, row, &own->feed->rows);
    row_end(own);
}

static void answer_status(struct own *own, const struct record *record)
{
    const struct intake_state *state = &own->feed->state;
    own->skips = own->asked->ask.after[0] != '\0';
    int64_t head = (int64_t)state->head.pos;
    struct status_row row = {.service = "intake", .pos = head, .seen = head, .upto = head, .checked_us = state->now_us,
                             .open_rows = state->open_rows, .memory_bytes = state->table_bytes + (int64_t)own->feed->ring.bytes};
    status_row_add(own, record, &row);
    for (uint32_t i = 0; i < state->workers_n; i++) {
        const struct worker_state *worker = &state->workers[i];
        struct status_row line = {.pos = worker->applied, .seen = head, .upto = worker->upto, .checked_us = worker->checked_us};
        text_copy(line.service, sizeof(line.service), worker->name);
        status_row_add(own, record, &line);
    }
    own->answer.as_of = head;
    if (!own->more)
        own->answer.after[0] = '\0';
    answer_say(own);
}

/* --- from the database ----------------------------------------------------------------------------- */

static const char *arg_text(const struct own *own, const char *name)
{
    const struct field *field = record_field(own->args_record, name);
    return field == NULL ? "" : (const char *)own->args + field->offset;
}

static void pack_column(struct own *own, const struct pg_result *result, int row, int column)
{
    pack_text(&own->feed->rows, pg_column_name(result, column));
    pg_pack(result, row, column, &own->feed->rows);
}

static void key_of(const struct pg_result *result, int row, char *out, size_t cap)
{
    struct bytes key = pg_bytes(result, row, 0);
    text_copy_n(out, cap, (const char *)key.data, key.len);
}

static const char refused_sql[] =
    "SELECT s.name || '/' || lpad(r.n::text, 12, '0') AS refusal, s.name AS source, r.n, r.rec, r.code, r.field, r.args,"
    " r.corrected, r.event FROM refused r JOIN source s ON s.id = r.source WHERE r.code <> 'repeat'"
    " AND ($1::text = '' OR s.name = $1::text) AND ($2::text = '' OR r.code = $2::text)"
    " AND ($3::timestamptz IS NULL OR r.rec >= $3::timestamptz) AND ($4::int8 = 0 OR r.n = $4::int8)"
    " AND (s.name || '/' || lpad(r.n::text, 12, '0')) COLLATE \"C\" > $5::text"
    " ORDER BY (s.name || '/' || lpad(r.n::text, 12, '0')) COLLATE \"C\" LIMIT $6::int8";

#define REFUSED_COLUMNS 8 /* without the event */

/* As its sender made it; personal fields only where they were asked for. */
static void refused_event_add(struct own *own, const struct posted *posted, bool personal)
{
    struct buf *rows = &own->feed->rows;
    struct buf event = {0};
    draft_encode(&(struct draft){.type = posted->type,
                                 .v = (uint32_t)posted->v,
                                 .key = posted->key,
                                 .at_us = posted->at_us,
                                 .by = posted->by,
                                 .cause = (uint64_t)posted->cause,
                                 .data = posted->data,
                                 .priv = personal ? posted->priv : bytes_of(NULL, 0)},
                 &event);
    pack_text(rows, "event");
    pack_bin(rows, buf_bytes(&event));
    buf_release(&event);
}

static void refused_rows(struct own *own, const struct pg_result *result)
{
    struct buf *rows = &own->feed->rows;
    const struct refused_args *args = own->args;
    char (*read)[EVENT_KEY_CAP] = arena_alloc(own->feed->arena, ROWS_MAX * sizeof(*read)); /* whose personal data */
    uint32_t read_n = 0;
    for (int row = 0; row < pg_rows(result); row++) {
        char key[200];
        struct posted posted = {.type = ""};
        struct problem problem;
        key_of(result, row, key, sizeof(key));
        if (!room(own, row, key))
            break;
        bool readable = !pg_is_null(result, row, REFUSED_COLUMNS) &&
                        posted_decode(pg_bytes(result, row, REFUSED_COLUMNS), &posted, &problem);
        pack_map(rows, REFUSED_COLUMNS + (readable ? 3U + args->event : 0U));
        for (int column = 0; column < REFUSED_COLUMNS; column++)
            pack_column(own, result, row, column);
        if (readable) {
            pack_text(rows, "type");
            pack_text(rows, posted.type);
            pack_text(rows, "key");
            pack_text(rows, posted.key);
            pack_text(rows, "personal");
            pack_bool(rows, posted.priv.len > 0);
            if (args->event)
                refused_event_add(own, &posted, args->personal);
            if (args->event && args->personal && posted.priv.len > 0)
                text_copy(read[read_n++], sizeof(*read), posted.key);
        }
        row_end(own);
    }
    reading_stories(own->feed, feed_principal(own->feed, &own->asked->asker), read, read_n);
}

static const char policies_sql[] =
    "SELECT p.version, p.name, p.pos, j.rec AS published, p.in_force, p.body AS policy, j.body FROM policy p"
    " JOIN journal j ON j.pos = p.pos WHERE ($1::text = '' OR p.version = $1::text) AND p.version > $2::text"
    " ORDER BY p.version LIMIT $3::int8";

static void policies_rows(struct own *own, const struct pg_result *result)
{
    struct buf *rows = &own->feed->rows;
    bool with_content = arg_text(own, "version")[0] != '\0';
    for (int row = 0; row < pg_rows(result); row++) {
        char key[200];
        struct event event;
        struct policy_published published;
        struct problem problem;
        key_of(result, row, key, sizeof(key));
        if (!room(own, row, key))
            return;
        bool readable = event_decode(pg_bytes(result, row, 6), bytes_of(NULL, 0), &event, &problem) &&
                        record_decode(&policy_published_record, RECORD_PLAIN, DECODE_LENIENT, event.data, NULL, &published, &problem);
        int columns = with_content ? 6 : 5;
        pack_map(rows, (uint32_t)columns + (readable ? 2U : 0U));
        for (int column = 0; column < columns; column++)
            pack_column(own, result, row, column);
        if (readable) {
            pack_text(rows, "replaces");
            pack_text(rows, published.replaces);
            pack_text(rows, "sha256");
            pack_bin(rows, bytes_of(published.sha256, sizeof(published.sha256)));
        }
        row_end(own);
    }
}

static const char units_sql[] =
    "SELECT serial, product, customer, dealer, region, sold, accepted, card, successor FROM unit"
    " WHERE ($1::text = '' OR serial = $1::text) AND ($2::text = '' OR customer = $2::text) AND serial > $3::text"
    " ORDER BY serial LIMIT $4::int8";

static void units_rows(struct own *own, const struct pg_result *result)
{
    for (int row = 0; row < pg_rows(result); row++) {
        char key[200];
        key_of(result, row, key, sizeof(key));
        if (!room(own, row, key))
            return;
        pack_map(&own->feed->rows, (uint32_t)pg_columns(result));
        for (int column = 0; column < pg_columns(result); column++)
            pack_column(own, result, row, column);
        row_end(own);
    }
}

/* What personal.erased ordered, and how far it has come. */
static const char erasures_sql[] =
    "SELECT lpad(j.pos::text, 20, '0') AS erasure, j.pos, j.key AS customer, j.rec AS asked, coalesce(e.events, 0) AS events,"
    " coalesce(e.refusals, 0) AS refusals, e.erased, e.rewritten FROM journal j LEFT JOIN erased e ON e.pos = j.pos"
    " WHERE j.type = 'personal.erased' AND ($1::text = '' OR j.key = $1::text) AND lpad(j.pos::text, 20, '0') > $2::text"
    " ORDER BY j.pos LIMIT $3::int8";

static const struct own_question {
    const char *name, *sql;
    const char *args[4]; /* in the order of the statement */
    void (*rows)(struct own *, const struct pg_result *);
} own_questions[] = {
    {"refused", refused_sql, {"source", "code", "since", "n"}, refused_rows},
    {"policies", policies_sql, {"version", NULL}, policies_rows},
    {"units", units_sql, {"serial", "customer"}, units_rows},
    {"erasures", erasures_sql, {"customer", NULL}, units_rows},
};

static void arg_bind(const struct own *own, const char *name, struct pg_args *args)
{
    const struct field *field = record_field(own->args_record, name);
    assert(field != NULL);
    int64_t number = 0;
    if (field->kind == FIELD_TEXT) {
        pg_arg_text(args, (const char *)own->args + field->offset);
        return;
    }
    memcpy(&number, (const char *)own->args + field->offset, sizeof(number));
    if (field->kind == FIELD_TIME)
        pg_arg_time(args, number);
    else
        pg_arg_int(args, number);
}

static bool snapshot_query(struct own *own, const struct own_question *question, struct pg_result **result)
{
    struct feed *feed = own->feed;
    owned(pg_result_destroy) struct pg_result *head = NULL;
    struct pg_args *args = feed->args;
    if (!feed_database(feed))
        return false;
    pg_args_reset(args);
    if (pg_run(feed->pg, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = '5s'") != STATUS_OK ||
        pg_query(feed->pg, "SELECT pos FROM head", args, &head) != STATUS_OK)
        return false;
    own->answer.as_of = pg_rows(head) == 1 ? pg_int(head, 0, 0) : 0;
    for (size_t i = 0; i < COUNT_OF(question->args); i++)
        if (question->args[i] != NULL)
            arg_bind(own, question->args[i], args);
    pg_arg_text(args, own->asked->ask.after);
    pg_arg_int(args, own->limit + 1);
    bool fine = pg_query(feed->pg, question->sql, args, result) == STATUS_OK;
    return fine && pg_run(feed->pg, "COMMIT") == STATUS_OK;
}

static void answer_rows(struct own *own, const struct own_question *question)
{
    owned(pg_result_destroy) struct pg_result *result = NULL;
    if (!snapshot_query(own, question, &result)) {
        feed_trouble(own->feed, question->name); /* a new connection, and no transaction left open */
        feed_error(own->feed, &own->asked->asker, own->asked->ask.id, "database", "the question could not be answered now");
        return;
    }
    question->rows(own, result);
    if (!own->more)
        own->answer.after[0] = '\0';
    answer_say(own);
}

static bool args_read(struct own *own, const struct question_type *type, struct problem *problem)
{
    static const uint8_t empty_map[] = {0x80};
    struct bytes raw = own->asked->ask.args.len > 0 ? own->asked->ask.args : bytes_of(empty_map, 1);
    own->args_record = type->args;
    own->args = arena_alloc(own->feed->arena, type->args->size + 1);
    return record_decode(type->args, RECORD_WHOLE, DECODE_STRICT, raw, own->feed->arena, own->args, problem);
}

void own_answer(struct feed *feed, const struct asked *asked)
{
    const struct verb_ask *ask = &asked->ask;
    const struct question_type *type = question_find("intake", ask->question);
    struct problem problem;
    arena_reset(feed->arena);
    struct own *own = arena_alloc(feed->arena, sizeof(*own));
    own->feed = feed;
    own->asked = asked;
    own->limit = ask->limit <= 0 ? LIMIT_DEFAULT : ask->limit > LIMIT_MAX ? LIMIT_MAX : ask->limit;
    buf_reset(&feed->rows);
    if (!args_read(own, type, &problem)) {
        feed_error(feed, &asked->asker, ask->id, problem.code, problem.field);
        return;
    }
    if (text_equal(ask->question, "status")) {
        answer_status(own, type->row);
        return;
    }
    for (size_t i = 0; i < COUNT_OF(own_questions); i++)
        if (text_equal(own_questions[i].name, ask->question)) {
            answer_rows(own, &own_questions[i]);
            return;
        }
    feed_error(feed, &asked->asker, ask->id, "unknown-question", ask->question);
}
