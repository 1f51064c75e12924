/* A worker whose timer is due while intake is away: it sleeps, and asks what time it is once it has heard something again. batch.c as
 * it is; PostgreSQL, metrics and the rest of the shell are stubs that this never reaches. */
#include "toy.h"

#include "base/clock.h"
#include "base/text.h"
#include "table/mirror.h"
#include "worker/shell.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define T0 (INT64_C(1700000000) * SECOND_US)

/* --- what is not reached, or does not matter --------------------------------------------------------- */

const int64_t apply_bounds_us[8] = {0};

void session_break(struct shell *shell, const char *format, ...)
{
    (void)shell;
    (void)format;
}
void session_flush(struct shell *shell)
{
    (void)shell;
}
size_t session_open_rows(const struct shell *shell)
{
    (void)shell;
    return 0;
}
void ahead_take(struct shell *shell)
{
    (void)shell;
}
void ahead_allow(struct shell *shell, int64_t now_us)
{
    (void)shell;
    (void)now_us;
}
void ahead_count(struct shell *shell, int64_t now_us)
{
    (void)shell;
    (void)now_us;
}
int64_t ahead_sweep_us(const struct shell *shell)
{
    (void)shell;
    return INT64_MAX;
}
enum status mirror_fetch(struct pg *pg, struct tables *tables)
{
    (void)pg;
    (void)tables;
    return STATUS_CLOSED;
}
enum status mirror_send(struct pg *pg, const struct tables *tables)
{
    (void)pg;
    (void)tables;
    return STATUS_CLOSED;
}
enum status cursor_hold(struct pg *pg, const char *schema, int64_t session)
{
    (void)pg;
    (void)schema;
    (void)session;
    return STATUS_CLOSED;
}
enum status cursor_attempt(struct pg *pg, const char *schema, uint64_t pos)
{
    (void)pg;
    (void)schema;
    (void)pos;
    return STATUS_CLOSED;
}
enum status cursor_try(struct pg *pg, const char *schema, const char *timer)
{
    (void)pg;
    (void)schema;
    (void)timer;
    return STATUS_CLOSED;
}
enum status cursor_send(struct pg *pg, const char *schema, int64_t session, uint64_t before, const struct run_state *after)
{
    (void)pg;
    (void)schema;
    (void)session;
    (void)before;
    (void)after;
    return STATUS_CLOSED;
}
enum status pg_begin(struct pg *pg)
{
    (void)pg;
    return STATUS_CLOSED;
}
enum status pg_commit(struct pg *pg)
{
    (void)pg;
    return STATUS_CLOSED;
}
const char *pg_error(const struct pg *pg)
{
    (void)pg;
    return "";
}
void metric_add(struct metric *metric, int64_t n)
{
    (void)metric;
    (void)n;
}
void metric_set(struct metric *metric, int64_t n)
{
    (void)metric;
    (void)n;
}

/* --- a worker at the head, with an order that is due at T0 + 1 h --------------------------------------- */

static void add_order(struct run *run, struct run_state *state)
{
    struct buf data = {0}, body = {0};
    uint8_t link[LINK_BYTES] = {1};
    const struct order_opened opened = {.due_us = T0 + HOUR_US};
    record_encode(&order_opened_record, RECORD_PLAIN, &opened, &data);
    struct event event = {.pos = 1, .v = 1, .n = 1, .at_us = T0, .rec_us = T0, .data = buf_bytes(&data)};
    text_copy(event.id, sizeof event.id, "branch/1");
    text_copy(event.type, sizeof event.type, "order.opened");
    text_copy(event.key, sizeof event.key, "A");
    text_copy(event.from, sizeof event.from, "branch");
    event_encode(&event, &body);
    run_start(run, state, 1); /* applied only: nothing is in flight */
    run_add(run, buf_bytes(&body), bytes_of(NULL, 0), link);
    assert_int_equal(run_process(run), RUN_DONE);
    run_committed(run);
    *state = run_state(run);
    buf_release(&data);
    buf_release(&body);
}

static struct shell *worker_at_head(void)
{
    static struct settings_worker own = {.linger_events = 64, .linger_ms = 5, .batch_events = 100};
    struct shell *shell = calloc(1, sizeof *shell);
    struct run_state state = {.pos = 0};
    struct source_config source = {.first = -1, .last = -1};
    struct reader_config reader = {.live = true};
    static const struct source_listener silent;
    static const struct reader_listener deaf;
    shell->worker = &toy_worker;
    shell->own = &own;
    shell->run = run_new(&toy_worker, 8);
    tables_keep_all(run_tables(shell->run));
    add_order(shell->run, &state);
    reader.open.after = 1;
    shell->source = source_new(&source, &silent, NULL);
    shell->reader = reader_new(&reader, &deaf, NULL);
    shell->committed = shell->head_pos = 1;
    pthread_mutex_init(&shell->board.lock, NULL);
    pthread_cond_init(&shell->board.moved, NULL);
    return shell;
}

static void worker_end(struct shell *shell)
{
    source_destroy(&shell->source);
    reader_destroy(&shell->reader);
    run_destroy(&shell->run);
    free(shell);
}

/* The loop of shell.c over a clock that goes on by sleeping only: how often it turns until then. */
static size_t turns(struct shell *shell, int64_t now_us, int64_t until_us)
{
    size_t n = 0;
    for (; now_us < until_us && n < 10000; n++) {
        batch_tell(shell, now_us);
        int64_t deadline_us = batch_deadline_us(shell);
        now_us = deadline_us > now_us ? deadline_us : now_us + 1;
    }
    return n;
}

static void test_an_intake_that_is_away_is_not_asked_in_a_loop(void **state)
{
    (void)state;
    struct shell *shell = worker_at_head();
    /* The last head came a millisecond before the order is due; since then it was asked once. */
    shell->head_now_us = T0 + HOUR_US - 1000;
    shell->head_heard_us = 100 * SECOND_US;
    shell->told_us = shell->head_heard_us + 1000;
    size_t n = turns(shell, shell->told_us, shell->told_us + SECOND_US);
    assert_true(n < 5);
    worker_end(shell);
}

static void test_one_that_answers_is_asked_when_the_timer_is_due(void **state)
{
    (void)state;
    struct shell *shell = worker_at_head();
    shell->head_now_us = T0 + HOUR_US - 20000;
    shell->head_heard_us = 100 * SECOND_US;
    shell->told_us = shell->head_heard_us - 1000;
    int64_t at_us = batch_deadline_us(shell);
    assert_int_equal(at_us, shell->head_heard_us + 20000);
    worker_end(shell);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_an_intake_that_is_away_is_not_asked_in_a_loop),
                                       cmocka_unit_test(test_one_that_answers_is_asked_when_the_timer_is_due)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
