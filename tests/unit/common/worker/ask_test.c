/* The thread that answers, asked by a feed that is this test: a server that was started again between two questions is no reason to
 * say that it does not answer. */
#include "toy.h"

#include "base/clock.h"
#include "bus/socket.h"
#include "bus/verbs.h"
#include "unit/common/pg/cluster.h"
#include "worker/ask.h"
#include "worker/cursor.h"
#include <setjmp.h>
#include <stdarg.h>
#include <zmq.h>

#include <cmocka.h>

#define FEED "ipc:///tmp/aftercare-ask-test.%d"

static struct cluster cluster;

static const struct record *parked_args(const char *to, const char *name)
{
    (void)to;
    static const struct field fields[] = {ELEM_INT()};
    static const struct record none = {.name = "none", .fields = fields, .n = 0, .size = 8};
    return text_equal(name, "parked") ? &none : NULL;
}

static int group_setup(void **state)
{
    (void)state;
    bus_start();
    return cluster_start(&cluster);
}

static int group_teardown(void **state)
{
    (void)state;
    bus_stop();
    return cluster_stop(&cluster);
}

/* The next frame of this verb; what comes meanwhile (SERVE, each second) is passed over. */
static void hear(struct bus_socket *feed, const char *verb, struct bus_peer *peer, struct frame *frame)
{
    int64_t until_us = clock_boot_us() + 120 * SECOND_US;
    for (;;) {
        zmq_pollitem_t item = {.socket = bus_raw(feed), .events = ZMQ_POLLIN};
        assert_true(clock_boot_us() < until_us);
        if (zmq_poll(&item, 1, 1000) > 0 && bus_receive_from(feed, peer, frame) == STATUS_OK && !text_equal(frame->verb, "SERVE"))
            break;
        if (text_equal(verb, "SERVE") && item.revents != 0)
            return;
    }
    if (!text_equal(frame->verb, verb)) { /* say which */
        struct verb_error error;
        struct problem problem;
        if (record_decode(&verb_error_record, RECORD_WHOLE, DECODE_LENIENT, frame->map, NULL, &error, &problem))
            fail_msg("%s %s: %s", frame->verb, error.code, error.why);
    }
    assert_string_equal(frame->verb, verb);
}

static void ask_parked_and_hear(struct bus_socket *feed, int64_t id)
{
    static const uint8_t no_args[] = {0x80};
    struct verb_ask asked;
    struct verb_answer answer;
    struct problem problem;
    struct bus_peer peer;
    struct frame frame;
    struct buf out = {0};
    owned(arena_destroy) struct arena *arena = arena_new(1024);
    hear(feed, "SERVE", &peer, &frame);
    record_clear(&verb_ask_record, &asked);
    asked.id = id;
    text_copy(asked.to, sizeof asked.to, "toy");
    text_copy(asked.question, sizeof asked.question, "parked");
    asked.args = bytes_of(no_args, 1);
    record_encode(&verb_ask_record, RECORD_WHOLE, &asked, &out);
    assert_int_equal(bus_send_to(feed, &peer, "ASK", buf_bytes(&out)), STATUS_OK);
    hear(feed, "ANSWER", &peer, &frame);
    assert_true(record_decode(&verb_answer_record, RECORD_WHOLE, DECODE_LENIENT, frame.map, arena, &answer, &problem));
    assert_int_equal(answer.id, id);
    buf_release(&out);
}

static void test_a_server_that_was_started_again_is_asked_again(void **state)
{
    (void)state;
    char endpoint[80], error[160];
    const char *why;
    struct worker worker = toy_worker;
    worker.question_args = parked_args;
    struct run *run = run_new(&toy_worker, 8);
    struct pg *pg = cluster_connect(&cluster, "toy");
    struct cursor cursor;
    assert_int_equal(cursor_open(pg, "toy", run, false, &cursor, &why), STATUS_OK);
    text_format(endpoint, sizeof endpoint, FEED, (int)getpid());
    struct bus_socket *feed = bus_bind(BUS_ROUTER, endpoint, error, sizeof error);
    assert_non_null(feed);
    struct ask_board board = {.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};
    text_copy(board.feed, sizeof board.feed, endpoint);
    struct ask *ask = ask_start(&worker, cluster.dsn, &board);
    ask_parked_and_hear(feed, 1);
    /* As a server does that is told to stop: every other connection is ended, and nobody reads that there. */
    owned(pg_result_destroy) struct pg_result *ended = NULL;
    assert_int_equal(pg_query(pg, "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database()"
                                  " AND pid <> pg_backend_pid()", NULL, &ended), STATUS_OK);
    assert_int_equal(pg_rows(ended), 1);
    ask_parked_and_hear(feed, 2);
    ask_stop(&ask);
    bus_close(&feed);
    pg_destroy(&pg);
    run_destroy(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_server_that_was_started_again_is_asked_again),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
