/* Questions: SQL on a read-only snapshot that also reads the cursor. */
#include "worker/ask.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mutation.h"
#include "base/text.h"
#include "bus/socket.h"
#include "pg/pg.h"
#include "record/pack.h"
#include "worker/cursor.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

#define AT_LEAST_WAIT_US (5 * SECOND_US)
#define ROWS_MAX 500
#define ANSWER_BYTES_MAX (240 * 1024)

struct ask {
    pthread_t thread;
    const struct worker *worker;
    char endpoint[ENDPOINT_CAP]; /* "": not known yet */
    struct ask_board *board;
    struct pg *pg;
    struct arena *arena;
    struct bus_socket *socket;
    struct buf out;
};

static void reply(struct ask *ask, const char *verb, const struct record *record, const void *map)
{
    buf_reset(&ask->out);
    record_encode(record, RECORD_WHOLE, map, &ask->out);
    /* A door that is gone does not want its answer any more. */
    (void)!bus_send(ask->socket, verb, buf_bytes(&ask->out));
}

static void refuse(struct ask *ask, int64_t id, const char *code, const char *why)
{
    struct verb_error error;
    record_clear(&verb_error_record, &error);
    error.id = id;
    text_copy(error.code, sizeof error.code, code);
    text_copy(error.why, sizeof error.why, why);
    reply(ask, "ERROR", &verb_error_record, &error);
}

/* Who has just appended sees it: waits until the worker has committed that far. */
static bool wait_for(struct ask_board *board, int64_t pos)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += AT_LEAST_WAIT_US / SECOND_US;
    pthread_mutex_lock(&board->lock);
    int waited = 0;
    while (board->committed < pos && !board->stop && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&board->moved, &board->lock, &until);
    bool reached = board->committed >= pos;
    pthread_mutex_unlock(&board->lock);
    return reached;
}

static void answer_status(struct ask *ask, const struct verb_ask *question)
{
    struct ask_board *board = ask->board;
    struct buf row = {0};
    pthread_mutex_lock(&board->lock);
    const struct {
        const char *name;
        int64_t value;
    } figures[] = {{"pos", board->committed},       {"seen", board->seen},
                   {"upto", board->upto},           {"in_flight", board->in_flight},
                   {"parked", board->parked},       {"open_rows", board->open_rows},
                   {"memory_bytes", board->memory_bytes}};
    int64_t checked_us = board->checked_us, committed = board->committed;
    pthread_mutex_unlock(&board->lock);
    pack_map(&row, (uint32_t)COUNT_OF(figures) + 1 + (checked_us != 0));
    pack_text(&row, "service");
    pack_text(&row, ask->worker->name);
    for (size_t i = 0; i < COUNT_OF(figures); i++) {
        pack_text(&row, figures[i].name);
        pack_int(&row, figures[i].value);
    }
    if (checked_us != 0) {
        pack_text(&row, "checked");
        pack_time(&row, checked_us);
    }
    struct bytes rows[1] = {buf_bytes(&row)};
    struct verb_answer answer;
    record_clear(&verb_answer_record, &answer);
    answer.id = question->id;
    answer.as_of = committed;
    answer.rows = (struct slice){.items = rows, .n = 1};
    reply(ask, "ANSWER", &verb_answer_record, &answer);
    buf_release(&row);
}

static void bind_args(struct pg_args *out, const struct record *record, const void *args)
{
    for (size_t i = 0; i < record->n; i++) {
        const struct field *field = &record->fields[i];
        const char *member = (const char *)args + field->offset;
        int64_t number;
        if (field->kind == FIELD_TEXT) {
            pg_arg_text(out, member);
        } else if (field->kind == FIELD_BOOL) {
            pg_arg_bool(out, *(const bool *)member);
        } else {
            memcpy(&number, member, sizeof number);
            if (field->kind == FIELD_TIME)
                pg_arg_time(out, number);
            else
                pg_arg_int(out, number);
        }
    }
}

static const struct question *question_named(const struct worker *worker, const char *name)
{
    for (size_t i = 0; i < worker->questions_n; i++)
        if (text_equal(worker->questions[i].name, name))
            return &worker->questions[i];
    return text_equal(name, ask_parked.name) ? &ask_parked : NULL;
}

/* Rows of a result as maps by column name, as many as fit. */
static void pack_rows(const struct pg_result *result, int64_t limit, struct buf *rows, size_t *rows_n, bool *more)
{
    int columns = pg_columns(result);
    for (int i = 0; i < pg_rows(result); i++) {
        if (i == limit || rows->len > ANSWER_BYTES_MAX) {
            *more = true;
            return;
        }
        pack_map(rows, (uint32_t)columns);
        for (int c = 0; c < columns; c++) {
            pack_text(rows, pg_column_name(result, c));
            pg_pack(result, i, c, rows);
        }
        ++*rows_n;
    }
}

static enum status run_sql(struct ask *ask, const struct question *question, const struct record *args_record,
                           const void *args, int64_t limit, const char *after, struct buf *rows, size_t *rows_n,
                           bool *more)
{
    owned(pg_args_destroy) struct pg_args *bound = pg_args_new();
    owned(pg_result_destroy) struct pg_result *result = NULL;
    bind_args(bound, args_record, args);
    pg_arg_int(bound, limit + 1);
    pg_arg_text(bound, after);
    enum status status = pg_query(ask->pg, question->sql, bound, &result);
    if (status == STATUS_OK)
        pack_rows(result, limit, rows, rows_n, more);
    return status;
}

/* The first field of the last row, as text: where the next page goes on. */
static void keyset_of(struct bytes row, char *after, size_t cap)
{
    struct unpack at = unpack_of(row);
    struct pack_value map = unpack_next(&at);
    if (map.type != PACK_MAP || map.n == 0)
        return;
    unpack_next(&at);
    struct pack_value value = unpack_next(&at);
    if (value.type == PACK_STR)
        text_copy_n(after, cap, (const char *)value.bytes.data, value.bytes.len);
    else if (value.type == PACK_INT)
        text_format(after, cap, "%lld", (long long)value.integer);
}

static enum status answer_in_snapshot(struct ask *ask, const struct verb_ask *asked, const struct question *question,
                                      const struct record *args_record, const void *args, struct problem *problem)
{
    struct cursor cursor;
    struct buf rows = {0};
    size_t rows_n = 0;
    bool more = false;
    int64_t limit = asked->limit <= 0 ? 100 : asked->limit > ROWS_MAX ? ROWS_MAX : asked->limit;
    enum status status = pg_run(ask->pg, MUTATION(MUTATION_ANSWER_TORN) ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    if (status == STATUS_OK)
        status = cursor_read(ask->pg, ask->worker->name, &cursor);
    if (status == STATUS_OK && (int64_t)cursor.state.pos < asked->at_least) { /* a rebuild has put other tables there */
        problem_set(problem, "behind", "", "has not read that far yet; ask again");
        status = STATUS_REFUSED;
    }
    if (status == STATUS_OK && question->answer != NULL)
        status = question->answer(ask->pg, args_record, args, limit, asked->after, &rows, &rows_n, &more, problem);
    else if (status == STATUS_OK)
        status = run_sql(ask, question, args_record, args, limit, asked->after, &rows, &rows_n, &more);
    if (status == STATUS_REFUSED && problem->code[0] == '\0')
        problem_set(problem, "failed", "", "%s", pg_error(ask->pg));
    if (pg_is_connected(ask->pg))
        (void)!pg_run(ask->pg, "ROLLBACK");
    if (status == STATUS_OK) {
        struct bytes *items = arena_alloc(ask->arena, (rows_n + 1) * sizeof *items);
        struct unpack at = unpack_of(buf_bytes(&rows));
        for (size_t i = 0; i < rows_n; i++)
            items[i] = unpack_raw(&at);
        struct verb_answer answer;
        record_clear(&verb_answer_record, &answer);
        answer.id = asked->id;
        answer.as_of = (int64_t)cursor.state.pos;
        answer.more = more;
        answer.rows = (struct slice){.items = items, .n = (uint32_t)rows_n};
        if (more && rows_n > 0)
            keyset_of(items[rows_n - 1], answer.after, sizeof answer.after);
        reply(ask, "ANSWER", &verb_answer_record, &answer);
    }
    buf_release(&rows);
    return status;
}

static bool connected(struct ask *ask)
{
    return pg_is_connected(ask->pg) ||
           (cursor_connect(ask->pg) == STATUS_OK && pg_run(ask->pg, "SET statement_timeout = 5000; SET enable_seqscan = on") == STATUS_OK);
}

/* A server that is started again ends what it served, by its word (57P01) or without one. */
static bool was_ended(struct pg *pg)
{
    if (text_starts(pg_sqlstate(pg), "57P"))
        pg_disconnect(pg);
    return !pg_is_connected(pg);
}

/* Between two questions the server may have been started again: the connection does not know until it is used. */
static enum status answer_or_again(struct ask *ask, const struct verb_ask *asked, const struct question *question,
                                   const struct record *args_record, const void *args, struct problem *problem)
{
    bool old = pg_is_connected(ask->pg);
    problem->code[0] = '\0';
    enum status status = connected(ask) ? answer_in_snapshot(ask, asked, question, args_record, args, problem) : STATUS_CLOSED;
    if (status == STATUS_OK || !was_ended(ask->pg) || !old)
        return status;
    problem->code[0] = '\0';
    return connected(ask) ? answer_in_snapshot(ask, asked, question, args_record, args, problem) : STATUS_CLOSED;
}

static void answer_question(struct ask *ask, const struct verb_ask *asked)
{
    struct problem problem = {0};
    if (asked->at_least > 0 && !wait_for(ask->board, asked->at_least)) {
        refuse(ask, asked->id, "behind", "has not read that far yet; ask again");
        return;
    }
    if (text_equal(asked->question, "status")) {
        answer_status(ask, asked);
        return;
    }
    const struct question *question = question_named(ask->worker, asked->question);
    const struct record *args_record =
        question == NULL || ask->worker->question_args == NULL ? NULL : ask->worker->question_args(ask->worker->name, asked->question);
    if (args_record == NULL) {
        refuse(ask, asked->id, "unknown-question", asked->question);
        return;
    }
    void *args = arena_alloc(ask->arena, args_record->size);
    static const uint8_t empty_map[] = {0x80};
    struct bytes raw = asked->args.len > 0 ? asked->args : bytes_of(empty_map, 1);
    if (!record_decode(args_record, RECORD_WHOLE, DECODE_STRICT, raw, ask->arena, args, &problem)) {
        refuse(ask, asked->id, problem.code, problem.field);
        return;
    }
    enum status status = answer_or_again(ask, asked, question, args_record, args, &problem);
    if (status != STATUS_OK)
        refuse(ask, asked->id, problem.code[0] != '\0' ? problem.code : "unavailable",
               problem.args[0] != '\0' ? problem.args : "PostgreSQL does not answer");
}

static void receive(void *arg)
{
    struct ask *ask = arg;
    struct frame frame;
    enum status status;
    while ((status = bus_receive(ask->socket, &frame)) != STATUS_AGAIN) {
        struct verb_ask asked;
        struct problem problem;
        if (status != STATUS_OK || !text_equal(frame.verb, "ASK"))
            continue;
        arena_reset(ask->arena);
        if (record_decode(&verb_ask_record, RECORD_WHOLE, DECODE_LENIENT, frame.map, ask->arena, &asked, &problem))
            answer_question(ask, &asked);
    }
}

static bool stopped(struct ask_board *board)
{
    pthread_mutex_lock(&board->lock);
    bool stop = board->stop;
    pthread_mutex_unlock(&board->lock);
    return stop;
}

/* True: intake is another one since it was looked last. */
static bool has_moved(struct ask *ask)
{
    pthread_mutex_lock(&ask->board->lock);
    bool moved = !text_equal(ask->endpoint, ask->board->feed);
    text_copy(ask->endpoint, sizeof ask->endpoint, ask->board->feed);
    pthread_mutex_unlock(&ask->board->lock);
    return moved;
}

static void reconnect(struct ask *ask)
{
    char error[160];
    bus_close_now(&ask->socket);
    ask->socket = bus_connect(BUS_DEALER, ask->endpoint, error, sizeof error);
    if (ask->socket == NULL)
        log_error("questions cannot be answered: %s: %s", ask->endpoint, error);
}

/* A fifth of a second. */
static void turn(struct ask *ask)
{
    if (ask->socket == NULL) {
        zmq_poll(NULL, 0, 200);
        return;
    }
    zmq_pollitem_t item = {.socket = bus_raw(ask->socket), .events = ZMQ_POLLIN};
    zmq_poll(&item, 1, 200);
    receive(ask);
}

static void *ask_thread(void *arg)
{
    struct ask *ask = arg;
    struct verb_serve serve;
    record_clear(&verb_serve_record, &serve);
    text_copy(serve.worker, sizeof serve.worker, ask->worker->name);
    int64_t again_us = 0;
    while (!stopped(ask->board)) {
        bool moved = has_moved(ask);
        if (moved)
            reconnect(ask);
        /* Said again each second: the feed may be a new one. */
        if (ask->socket != NULL && (moved || clock_boot_us() >= again_us)) {
            reply(ask, "SERVE", &verb_serve_record, &serve);
            again_us = clock_boot_us() + SECOND_US;
        }
        turn(ask);
    }
    bus_close(&ask->socket);
    return NULL;
}

void ask_follow(struct ask *ask, const char *feed_endpoint)
{
    if (ask == NULL)
        return;
    pthread_mutex_lock(&ask->board->lock);
    text_copy(ask->board->feed, sizeof ask->board->feed, feed_endpoint);
    pthread_mutex_unlock(&ask->board->lock);
}

struct ask *ask_start(const struct worker *worker, const char *dsn, struct ask_board *board)
{
    struct ask *ask = memory_new(sizeof *ask);
    ask->worker = worker;
    ask->board = board;
    ask->pg = pg_new(dsn, worker->name);
    ask->arena = arena_new(1 << 16);
    if (pthread_create(&ask->thread, NULL, ask_thread, ask) != 0)
        log_fatal("no thread for questions can be started");
    return ask;
}

void ask_stop(struct ask **ask_p)
{
    struct ask *ask = *ask_p;
    if (ask == NULL)
        return;
    pthread_mutex_lock(&ask->board->lock);
    ask->board->stop = true;
    pthread_cond_broadcast(&ask->board->moved);
    pthread_mutex_unlock(&ask->board->lock);
    pthread_join(ask->thread, NULL);
    pg_destroy(&ask->pg);
    arena_destroy(&ask->arena);
    buf_release(&ask->out);
    free(ask);
    *ask_p = NULL;
}
