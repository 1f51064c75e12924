/* What the feed passes to a worker: questions, with arguments from whoever asked. Every question of every worker, over a PostgreSQL that
 * answers with rows of any kind, refuses, or is gone. Whatever comes, the answer is of the protocol, to that question, and bounded. */
#include "base/clock.h"
#include "base/text.h"
#include "bus/verbs.h"
#include "fill.h"
#include "fuzz.h"
#include "mutate.h"
#include "pg/pg.h"
#include "proto/questions.h"
#include "record/pack.h"
#include "seeds.h"
#include "steps.h"
#include "worker/cursor.h"
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

/* Under other names: the thread runs where it is started, and nobody waits. */
int fuzz_thread_create(pthread_t *, const pthread_attr_t *, void *(*run)(void *), void *);
int fuzz_thread_join(pthread_t, void **);
int fuzz_cond_timedwait(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
int fuzz_zmq_poll(zmq_pollitem_t *, int, long);
#define pthread_create fuzz_thread_create
#define pthread_join fuzz_thread_join
#define pthread_cond_timedwait fuzz_cond_timedwait
#define zmq_poll fuzz_zmq_poll
#include "common/worker/ask.c"

enum kind {
    KIND_ASK,    /* a map: ASK */
    KIND_OTHER,  /* [verb, one byte][map] */
    KIND_BROKEN, /* not of the protocol */
    KIND_PG,     /* [how PostgreSQL is from now on, rows] */
    KIND_MOVED,  /* intake is another one */
    KIND_COMMIT, /* the worker has committed so far */
    KINDS
};

static const char *const others[] = {"ANSWER", "ERROR", "HEAD", "BATCH", "MOVED", "WELCOME", "OPENED", "SERVE"};

static struct {
    struct bytes rest;
    struct step step;
    bool heard, asked;
    int64_t id, boot_us;
    uint8_t pg, rows;
    struct ask_board board;
    struct buf map;
} run;

/* --- the edges --------------------------------------------------------------------------------------- */

struct bus_socket {
    int any;
};
static struct bus_socket socket_at_feed;

/* Both, so that the floors' own are not linked. */
int64_t clock_boot_us(void)
{
    return run.boot_us += 1000;
}
int64_t clock_wall_us(void)
{
    return run.boot_us;
}
struct bus_socket *bus_connect(enum bus_kind kind, const char *endpoint, char *error, size_t error_cap)
{
    (void)kind;
    (void)endpoint;
    (void)error;
    (void)error_cap;
    return &socket_at_feed;
}
void bus_close(struct bus_socket **socket)
{
    *socket = NULL;
}
void bus_close_now(struct bus_socket **socket)
{
    *socket = NULL;
}
void *bus_raw(const struct bus_socket *socket)
{
    (void)socket;
    return &socket_at_feed;
}

/* One frame a step, skimmed as the socket does it. */
enum status bus_receive(struct bus_socket *socket, struct frame *frame)
{
    struct problem problem;
    const struct step *step = &run.step;
    (void)socket;
    if (run.heard)
        return STATUS_AGAIN;
    run.heard = true;
    struct bytes map = step->payload;
    text_copy(frame->verb, sizeof(frame->verb), "ASK");
    if (step->kind == KIND_OTHER && map.len > 0) {
        text_copy(frame->verb, sizeof(frame->verb), others[map.data[0] % COUNT_OF(others)]);
        map = bytes_of(map.data + 1, map.len - 1);
    }
    if (step->kind == KIND_BROKEN || !skim(map, &problem))
        return STATUS_REFUSED;
    struct unpack in = unpack_of(map);
    if (unpack_next(&in).type != PACK_MAP)
        return STATUS_REFUSED;
    frame->map = map;
    struct verb_ask asked;
    run.asked = step->kind == KIND_ASK;
    struct arena *arena = arena_new(1 << 12);
    run.asked = run.asked && record_decode(&verb_ask_record, RECORD_WHOLE, DECODE_LENIENT, map, arena, &asked, &problem);
    run.id = run.asked ? asked.id : 0;
    arena_destroy(&arena);
    return STATUS_OK;
}

enum status bus_send(struct bus_socket *socket, const char *verb, struct bytes map)
{
    struct problem problem;
    struct verb_answer answer;
    struct verb_error error;
    struct arena *arena = arena_new(1 << 12);
    (void)socket;
    bool fine = skim(map, &problem);
    assert(fine && map.len <= FRAME_BYTES_MAX);
    if (text_equal(verb, "ANSWER")) {
        fine = record_decode(&verb_answer_record, RECORD_WHOLE, DECODE_STRICT, map, arena, &answer, &problem);
        assert(fine && run.asked && answer.id == run.id && answer.rows.n <= ROWS_MAX);
        run.asked = false;
    } else if (text_equal(verb, "ERROR")) {
        fine = record_decode(&verb_error_record, RECORD_WHOLE, DECODE_STRICT, map, arena, &error, &problem);
        assert(fine && run.asked && error.id == run.id && error.code[0] != '\0');
        run.asked = false;
    } else {
        assert(text_equal(verb, "SERVE"));
    }
    arena_destroy(&arena);
    return STATUS_OK;
}

int fuzz_thread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *arg)
{
    (void)thread;
    (void)attributes;
    (void)body(arg);
    return 0;
}
int fuzz_thread_join(pthread_t thread, void **result)
{
    (void)thread;
    (void)result;
    return 0;
}
int fuzz_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until)
{
    (void)condition;
    (void)mutex;
    (void)until;
    return ETIMEDOUT;
}

/* A turn of the thread: the next step. */
int fuzz_zmq_poll(zmq_pollitem_t *items, int n, long timeout_ms)
{
    struct ask_board *board = &run.board;
    (void)items;
    (void)n;
    (void)timeout_ms;
    assert(!run.asked); /* every question got its answer */
    board->stop = !step_next(&run.rest, &run.step);
    run.heard = true;
    if (board->stop)
        return 0;
    run.step.kind %= KINDS;
    uint8_t first = run.step.payload.len > 0 ? run.step.payload.data[0] : 0;
    switch ((enum kind)run.step.kind) {
    case KIND_ASK:
    case KIND_OTHER:
    case KIND_BROKEN:
        run.heard = false;
        break;
    case KIND_PG:
        run.pg = first;
        run.rows = run.step.payload.len > 1 ? run.step.payload.data[1] : 0;
        break;
    case KIND_MOVED:
        text_format(board->feed, sizeof(board->feed), "ipc:///f%u", first);
        break;
    case KIND_COMMIT:
        board->committed += first;
        break;
    case KINDS:
        break;
    }
    return 1;
}

/* --- PostgreSQL ---------------------------------------------------------------------------------------- */

struct pg {
    bool connected;
};
struct pg_args {
    size_t n;
};
struct pg_result {
    int rows;
};

struct pg *pg_new(const char *conninfo, const char *schema)
{
    (void)conninfo;
    (void)schema;
    return memory_new(sizeof(struct pg));
}
void pg_destroy(struct pg **pg)
{
    free(*pg);
    *pg = NULL;
}
bool pg_is_connected(const struct pg *pg)
{
    return pg->connected;
}
/* A connection that is gone was ended by a server that is started again, one time of two. */
const char *pg_sqlstate(const struct pg *pg)
{
    (void)pg;
    return run.pg % 2 == 0 ? "42501" : "57P01";
}
void pg_disconnect(struct pg *pg)
{
    pg->connected = false;
}
const char *pg_error(const struct pg *pg)
{
    (void)pg;
    return "ERROR:  \"\xc3\xa4\" is not for you";
}
/* 0 … 9 well; 10, 11 gone; 12 … refuses. */
static enum status pg_says(struct pg *pg)
{
    uint8_t how = run.pg % 16;
    if (how < 10)
        return STATUS_OK;
    pg->connected = pg->connected && how > 11;
    return how > 11 ? STATUS_REFUSED : STATUS_CLOSED;
}
enum status pg_run(struct pg *pg, const char *sql)
{
    (void)sql;
    return pg_says(pg);
}
enum status pg_query(struct pg *pg, const char *sql, const struct pg_args *args, struct pg_result **result)
{
    (void)sql;
    (void)args;
    enum status status = pg_says(pg);
    if (status == STATUS_OK) {
        *result = memory_new(sizeof(**result));
        (*result)->rows = run.rows * 4;
    }
    return status;
}
enum status cursor_connect(struct pg *pg)
{
    enum status status = pg_says(pg);
    pg->connected = status == STATUS_OK;
    return status;
}
enum status cursor_read(struct pg *pg, const char *schema, struct cursor *cursor)
{
    (void)schema;
    memset(cursor, 0, sizeof(*cursor));
    cursor->state.pos = (uint64_t)(run.pg % 3 == 0 ? run.board.committed / 2 : run.board.committed);
    return pg_says(pg);
}
struct pg_args *pg_args_new(void)
{
    return memory_new(sizeof(struct pg_args));
}
void pg_args_destroy(struct pg_args **args)
{
    free(*args);
    *args = NULL;
}
void pg_arg_int(struct pg_args *args, int64_t value)
{
    (void)value;
    args->n++;
}
void pg_arg_bool(struct pg_args *args, bool value)
{
    (void)value;
    args->n++;
}
void pg_arg_time(struct pg_args *args, int64_t us)
{
    (void)us;
    args->n++;
}
void pg_arg_text(struct pg_args *args, const char *text)
{
    args->n += strlen(text) < 8192;
}
void pg_result_destroy(struct pg_result **result)
{
    free(*result);
    *result = NULL;
}
int pg_rows(const struct pg_result *result)
{
    return result->rows;
}
int pg_columns(const struct pg_result *result)
{
    (void)result;
    return 3;
}
const char *pg_column_name(const struct pg_result *result, int column)
{
    static const char *const names[] = {"key", "value", "much"};
    (void)result;
    return names[column];
}
struct bytes pg_bytes(const struct pg_result *result, int row, int column)
{
    (void)result;
    (void)row;
    (void)column;
    return run.step.payload; /* a stored body: anything */
}
void pg_pack(const struct pg_result *result, int row, int column, struct buf *out)
{
    static char much[2000];
    (void)result;
    if (column == 0 && run.pg % 2 == 0)
        pack_int(out, row);
    else if (column == 2 && run.pg % 5 == 0)
        pack_text(out, memset(much, 'x', sizeof(much) - 1));
    else
        pack_text(out, "v");
}

/* --- the target ---------------------------------------------------------------------------------------- */

#define QUESTIONS_MAX 32
static const char *const names[] = {"dispatcher", "sla-watchdog", "follow-up", "reporting"};

static const struct worker *worker_made(size_t i)
{
    static struct worker workers[COUNT_OF(names)];
    static struct question questions[COUNT_OF(names)][QUESTIONS_MAX];
    struct worker *worker = &workers[i];
    if (worker->name != NULL)
        return worker;
    worker->name = names[i];
    worker->questions = questions[i];
    worker->question_args = question_args;
    const struct question_type *type;
    for (size_t q = 0; (type = question_at(q)) != NULL; q++)
        if (text_equal(type->to, names[i]) && !text_equal(type->name, "parked") && worker->questions_n < QUESTIONS_MAX)
            questions[i][worker->questions_n++] = (struct question){.name = type->name, .sql = "SELECT"};
    return worker;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    run.rest = bytes_of(data, n);
    run.heard = true;
    run.asked = false;
    run.pg = run.rows = 0;
    run.board = (struct ask_board){.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER, .feed = "ipc:///f", .committed = 10};
    struct ask *ask = ask_start(worker_made(n > 0 ? data[0] % COUNT_OF(names) : 0), "", &run.board);
    ask_stop(&ask);
    return 0;
}

/* --- new ones ------------------------------------------------------------------------------------------ */

static void make_ask(struct chance *chance, unsigned wild, struct buf *out)
{
    size_t n = 0;
    while (question_at(n) != NULL)
        n++;
    const struct question_type *type = question_at(chance_below(chance, n));
    struct buf args = {0};
    fill_map(type->args, RECORD_WHOLE, chance, wild, &args);
    struct verb_ask ask;
    record_clear(&verb_ask_record, &ask);
    ask.id = (int64_t)chance_below(chance, 100);
    text_copy(ask.to, sizeof(ask.to), type->to);
    text_copy(ask.question, sizeof(ask.question), chance_of_hundred(chance, 90) ? type->name : "status");
    ask.args = buf_bytes(&args);
    ask.limit = (int64_t)chance_below(chance, 1000);
    ask.at_least = (int64_t)chance_below(chance, 20);
    record_encode(&verb_ask_record, RECORD_WHOLE, &ask, out);
    buf_release(&args);
}

static void make(unsigned kind, struct chance *chance, unsigned wild, struct buf *out)
{
    uint8_t two[2] = {(uint8_t)chance_next(chance), (uint8_t)chance_next(chance)};
    if (kind == KIND_ASK) {
        if (chance_of_hundred(chance, 80))
            make_ask(chance, wild, out);
        else
            fill_map(&verb_ask_record, RECORD_WHOLE, chance, wild, out);
        return;
    }
    buf_append(out, two, kind == KIND_PG ? 2 : 1);
    if (kind == KIND_OTHER)
        fill_map(verb_record(others[two[0] % COUNT_OF(others)]), RECORD_WHOLE, chance, wild, out);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t cap, unsigned seed)
{
    return steps_mutate(data, n, cap, seed, KINDS, make);
}

bool fuzz_seed(unsigned i, struct buf *out)
{
    struct chance chance = chance_of(i);
    struct buf payload = {0};
    for (unsigned k = 0; k < 4 + i % 8; k++) {
        unsigned kind = k < 3 ? KIND_ASK : (unsigned)chance_below(&chance, KINDS);
        buf_reset(&payload);
        make(kind, &chance, 1, &payload);
        step_print(kind, i, buf_bytes(&payload), out);
    }
    buf_release(&payload);
    return i < 40;
}
