/* From the spool to intake: what goes out in which order, what an answer does, where it goes on after a break. Intake is spoken by hand. */
#include "bench.h"
#include "forward.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct stand {
    char folder[64];
    struct spool *spool;
    struct forward *forward;
    int64_t boot_us;
    struct arena *arena;
    struct buf in;
};

static int begin(void **state, bool known)
{
    struct stand *stand = memory_new(sizeof *stand);
    bench_folder_fast(stand->folder);
    stand->spool = bench_spool(stand->folder, 1000);
    stand->boot_us = HOUR_US;
    stand->arena = arena_new(64 * 1024);
    if (known) {
        assert_int_equal(spool_stream_keep(stand->spool, "test-00000000"), STATUS_OK);
        assert_int_equal(spool_welcomed(stand->spool, 0), STATUS_OK);
        assert_int_equal(spool_commit(stand->spool), STATUS_OK);
    }
    *state = stand;
    return 0;
}

static int set_up(void **state)
{
    return begin(state, true);
}

static int set_up_new(void **state)
{
    return begin(state, false);
}

static int tear_down(void **state)
{
    struct stand *stand = *state;
    forward_destroy(&stand->forward);
    spool_close(&stand->spool);
    bench_remove(stand->folder);
    arena_destroy(&stand->arena);
    buf_release(&stand->in);
    free(stand);
    return 0;
}

static void take(struct stand *stand, int n)
{
    for (int i = 0; i < n; i++)
        bench_take(stand->spool, "T-1", "x");
    assert_int_equal(spool_commit(stand->spool), STATUS_OK);
}

static void start(struct stand *stand)
{
    stand->forward = forward_new(stand->spool, "branch-gz", "", MORNING_US);
    forward_connected(stand->forward, stand->boot_us);
}

static void work(struct stand *stand)
{
    assert_int_equal(forward_work(stand->forward, stand->boot_us, MORNING_US), STATUS_OK);
}

/* --- intake ---------------------------------------------------------------------------------------- */

static void told(struct stand *stand, const char *verb, const struct record *record, const void *data)
{
    struct frame frame;
    buf_reset(&stand->in);
    record_encode(record, RECORD_WHOLE, data, &stand->in);
    (void)text_copy(frame.verb, sizeof frame.verb, verb);
    frame.map = buf_bytes(&stand->in);
    assert_true(forward_in(stand->forward, &frame, stand->boot_us, MORNING_US));
}

static void welcome(struct stand *stand, int64_t durable)
{
    const struct verb_welcome verb = {.epoch = 1, .durable = durable, .window_events = 256, .window_bytes = 256 * 1024, .hb_ms = 5000};
    told(stand, "WELCOME", &verb_welcome_record, &verb);
}

static void denied(struct stand *stand, const char *code, const char *why)
{
    struct verb_denied verb = {.code = ""};
    (void)text_copy(verb.code, sizeof verb.code, code);
    (void)text_copy(verb.why, sizeof verb.why, why);
    told(stand, "DENIED", &verb_denied_record, &verb);
}

/* Numbers from … upto are answered; `refused` of them is not taken (0: all are). */
static void answered(struct stand *stand, int64_t from, int64_t upto, int64_t refused)
{
    struct buf bytes[64] = {0};
    struct bytes items[64];
    uint32_t count = 0;
    for (int64_t n = from; n <= upto; n++, count++) {
        struct answer answer = {.n = n, .taken = n != refused, .pos = 100 + n};
        if (!answer.taken)
            problem_set(&answer.problem, "missing", "customer.phone", "%s", "");
        answer_encode(&answer, &bytes[count]);
        items[count] = buf_bytes(&bytes[count]);
    }
    const struct verb_ack ack = {.answers = {.items = items, .n = count}};
    told(stand, "ACK", &verb_ack_record, &ack);
    for (uint32_t i = 0; i < count; i++)
        buf_release(&bytes[i]);
}

static bool hears(struct stand *stand, struct frame *frame, const char *verb)
{
    while (forward_out(stand->forward, stand->boot_us, frame))
        if (strcmp(frame->verb, verb) == 0)
            return true;
    return false;
}

static void hears_hello(struct stand *stand, int64_t first, int64_t last)
{
    struct frame frame;
    struct verb_hello hello;
    struct problem problem;
    assert_true(hears(stand, &frame, "HELLO"));
    assert_true(record_decode(&verb_hello_record, RECORD_WHOLE, DECODE_LENIENT, frame.map, NULL, &hello, &problem));
    assert_int_equal(hello.first, first);
    assert_int_equal(hello.last, last);
}

/* How many events come in one APPEND that begins at n; 0: none comes. */
static uint32_t hears_append(struct stand *stand, int64_t n)
{
    struct frame frame;
    struct verb_append append;
    struct problem problem;
    if (!hears(stand, &frame, "APPEND"))
        return 0;
    assert_true(record_decode(&verb_append_record, RECORD_WHOLE, DECODE_LENIENT, frame.map, stand->arena, &append, &problem));
    assert_int_equal(append.n, n);
    return append.events.n;
}

/* --- the tests ------------------------------------------------------------------------------------- */

static void test_only_what_is_answered_goes(void **state)
{
    struct stand *stand = *state;
    take(stand, 3);
    start(stand);
    hears_hello(stand, 1, 3);
    assert_int_equal(forward_state(stand->forward)->line, LINE_DOWN);
    welcome(stand, 0);
    assert_int_equal(forward_state(stand->forward)->line, LINE_UP);
    work(stand);
    assert_int_equal(hears_append(stand, 1), 3);
    assert_int_equal(spool_state(stand->spool)->facts, 3);
    answered(stand, 1, 2, 0);
    stand->boot_us += SECOND_US;
    work(stand);
    assert_int_equal(spool_state(stand->spool)->facts, 1);
    assert_int_equal(spool_state(stand->spool)->first, 3);
    /* What is taken meanwhile follows. */
    take(stand, 1);
    work(stand);
    assert_int_equal(hears_append(stand, 4), 1);
    answered(stand, 3, 4, 3);
    work(stand);
    assert_int_equal(spool_state(stand->spool)->facts, 0);
    assert_int_equal(spool_state(stand->spool)->refused, 1);
    struct spool_refused refused;
    assert_int_equal(spool_refused(stand->spool, 1, false, &refused), STATUS_OK);
    assert_int_equal(refused.n, 3);
    assert_string_equal(refused.problem.code, "missing");
}

static void test_after_a_break_it_goes_on_where_intake_says(void **state)
{
    struct stand *stand = *state;
    take(stand, 5);
    start(stand);
    hears_hello(stand, 1, 5);
    welcome(stand, 0);
    work(stand);
    assert_int_equal(hears_append(stand, 1), 5);
    forward_disconnected(stand->forward); /* three of them have come there, and no answer back */
    assert_int_equal(forward_state(stand->forward)->line, LINE_DOWN);
    forward_connected(stand->forward, stand->boot_us);
    hears_hello(stand, 1, 5);
    welcome(stand, 3);
    answered(stand, 1, 3, 2); /* stored answers */
    work(stand);
    assert_int_equal(hears_append(stand, 4), 2);
    answered(stand, 4, 5, 0);
    work(stand);
    assert_int_equal(spool_state(stand->spool)->facts, 0);
    assert_int_equal(spool_state(stand->spool)->refused, 1);
}

/* A process that begins anew knows nothing of what was on its way. */
static void test_after_a_restart(void **state)
{
    struct stand *stand = *state;
    take(stand, 5);
    start(stand);
    hears_hello(stand, 1, 5);
    welcome(stand, 4);
    answered(stand, 1, 4, 0);
    work(stand);
    assert_int_equal(hears_append(stand, 5), 1);
    stand->boot_us += SECOND_US;
    work(stand);
    assert_int_equal(spool_state(stand->spool)->first, 5);
}

static void test_held(void **state)
{
    struct stand *stand = *state;
    take(stand, 2);
    start(stand);
    hears_hello(stand, 1, 2);
    forward_hold(stand->forward, true);
    welcome(stand, 0);
    work(stand);
    assert_int_equal(hears_append(stand, 1), 0);
    assert_int_equal(forward_untouched_n(stand->forward), 1); /* all of it may still be changed */
    forward_hold(stand->forward, false);
    work(stand);
    assert_int_equal(hears_append(stand, 1), 2);
    assert_int_equal(forward_untouched_n(stand->forward), 3);
}

static void test_not_taken(void **state)
{
    struct stand *stand = *state;
    take(stand, 1);
    start(stand);
    hears_hello(stand, 1, 1);
    denied(stand, "incarnation", "another spool has this name");
    assert_int_equal(forward_state(stand->forward)->line, LINE_DENIED);
    assert_string_equal(forward_state(stand->forward)->code, "incarnation");
    assert_false(forward_tick(stand->forward, stand->boot_us + 29 * SECOND_US, MORNING_US));
    assert_true(forward_tick(stand->forward, stand->boot_us + 31 * SECOND_US, MORNING_US)); /* an operator may have let it in */
    forward_connected(stand->forward, stand->boot_us);
    hears_hello(stand, 1, 1);
    welcome(stand, 0);
    work(stand);
    assert_int_equal(hears_append(stand, 1), 1); /* at once */
    forward_disconnected(stand->forward);
    forward_connected(stand->forward, stand->boot_us);
    hears_hello(stand, 1, 1);
    denied(stand, "superseded", "a newer session");
    /* Two processes with one spool's numbers must not take turns. */
    assert_false(forward_tick(stand->forward, stand->boot_us + HOUR_US, MORNING_US));
    forward_connected(stand->forward, stand->boot_us);
    assert_false(hears(stand, &(struct frame){.verb = ""}, "HELLO"));
}

/* Of a new spool nobody knows the stream, nor where the numbers of its name go on. */
static void test_a_new_spool_learns(void **state)
{
    struct stand *stand = *state;
    take(stand, 2);
    start(stand);
    hears_hello(stand, -1, -1);
    denied(stand, "stream", "test-00000000");
    work(stand);
    assert_string_equal(spool_state(stand->spool)->stream, "test-00000000");
    hears_hello(stand, -1, -1);
    welcome(stand, 40); /* a machine of that name has sent so many */
    work(stand);
    assert_int_equal(spool_state(stand->spool)->first, 41);
    assert_int_equal(spool_state(stand->spool)->last, 42);
    hears_hello(stand, 41, 42);
    welcome(stand, 40);
    work(stand);
    assert_int_equal(hears_append(stand, 41), 2);
}

/* It died with more answered than may be under way, and nothing of that stored: it goes on behind it. */
static void test_after_a_restart_with_much_answered(void **state)
{
    struct stand *stand = *state;
    enum { MANY = 1100 };
    static char text[8001]; /* 8 KB each: more pieces than there may be */
    memset(text, 'x', sizeof text - 1);
    for (int i = 0; i < MANY; i++)
        bench_take(stand->spool, "T-1", text);
    assert_int_equal(spool_commit(stand->spool), STATUS_OK);
    start(stand);
    hears_hello(stand, 1, MANY);
    welcome(stand, MANY);
    for (int64_t from = 1; from <= MANY; from += 50)
        answered(stand, from, from + 49, 0);
    take(stand, 1);
    work(stand);
    assert_int_equal(spool_state(stand->spool)->facts, 1);
    work(stand);
    assert_int_equal(hears_append(stand, MANY + 1), 1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {CASE(test_only_what_is_answered_goes),
                                       CASE(test_after_a_break_it_goes_on_where_intake_says),
                                       CASE(test_after_a_restart),
                                       CASE(test_after_a_restart_with_much_answered),
                                       CASE(test_held),
                                       CASE(test_not_taken),
                                       cmocka_unit_test_setup_teardown(test_a_new_spool_learns, set_up_new, tear_down)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
