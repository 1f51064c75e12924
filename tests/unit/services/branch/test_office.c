/* What the office does with what is refused, said again, or too much. */
#include "desk.h"
#include "record/pack.h"
#include <stdio.h>
#include <string.h>

/* --- files of facts that are refused ----------------------------------------------------------------- */

static void test_a_dropped_fact_lets_its_file_go(void **state)
{
    struct desk *desk = *state;
    desk_up(desk);
    desk_attach(desk, "T-1", 0);
    desk_bring(desk);
    assert_int_equal(desk_goes_out(desk), 1);
    desk_answered(desk, 1, false);
    assert_int_equal(office_spool(desk->office)->refused, 1);
    assert_string_equal(desk_owners(desk), "T-1 "); /* somebody may put it right */
    desk_pass(desk, 1);
    assert_true(bench_holds(desk->path, "Photo-Zxvq") || bench_size(desk->path) > 0);
    desk_drop(desk, 1);
    assert_string_equal(desk_owners(desk), "");
    assert_int_equal(drawer_waiting(desk->office->drawer), 0);
    char log[140];
    snprintf(log, sizeof log, "%s-wal", desk->path);
    assert_false(bench_holds(desk->path, "Photo-Zxvq"));
    assert_false(bench_holds(log, "Photo-Zxvq"));
}

static void test_a_corrected_fact_takes_its_file_along(void **state)
{
    struct desk *desk = *state;
    desk_up(desk);
    desk_attach(desk, "T-1", 0);
    desk_bring(desk);
    (void)desk_goes_out(desk);
    desk_answered(desk, 1, false);
    desk_attach(desk, "T-2", 1);
    assert_string_equal(desk_owners(desk), "T-2 ");
    assert_int_equal(drawer_waiting(desk->office->drawer), 1);
    (void)desk_goes_out(desk);
    desk_answered(desk, 2, true);
    /* The same file of a second ticket whose fact is left out: the first one's stays. */
    desk_attach(desk, "T-3", 0);
    (void)desk_goes_out(desk);
    desk_answered(desk, 3, false);
    assert_string_equal(desk_owners(desk), "T-2 T-3 ");
    desk_drop(desk, 3);
    assert_string_equal(desk_owners(desk), "T-2 ");
    assert_int_equal(drawer_waiting(desk->office->drawer), 1);
    /* And of the same ticket. */
    desk_attach(desk, "T-2", 0);
    (void)desk_goes_out(desk);
    desk_answered(desk, 4, false);
    desk_drop(desk, 4);
    assert_string_equal(desk_owners(desk), "T-2 ");
}

static void test_a_fact_corrected_to_another_file(void **state)
{
    struct desk *desk = *state;
    uint8_t other[DIGEST_BYTES] = {9};
    desk_up(desk);
    desk_attach(desk, "T-1", 0);
    desk_bring(desk);
    (void)desk_goes_out(desk);
    desk_answered(desk, 1, false);
    desk_attach_say(desk, "T-4", other, 5000, 1);
    desk_turn(desk);
    assert_true(desk_is_taken(desk));
    assert_string_equal(desk_owners(desk), "T-4 ");
    assert_int_equal(drawer_waiting(desk->office->drawer), 0);
    assert_string_equal(desk_put(desk, desk->sha256, 0, bytes_of(NULL, 0)).code, "unknown");
}

/* --- a registration that is said again ----------------------------------------------------------------- */

static void register_say(struct desk *desk, const char *key, int64_t corrects)
{
    struct buf data = {0};
    pack_map(&data, 3);
    pack_text(&data, "kind");
    pack_text(&data, "repair");
    pack_text(&data, "region");
    pack_text(&data, "GD01");
    pack_text(&data, "request_id");
    pack_text(&data, "slip-1");
    desk_fact_say(desk, "ticket.registered", key, corrects, buf_bytes(&data));
    desk_turn(desk);
    assert_true(desk_is_taken(desk));
    buf_release(&data);
}

/* A slip has one number, as long as that number can come to something. */
static void test_a_slip_that_was_refused(void **state)
{
    struct desk *desk = *state;
    desk_up(desk);
    register_say(desk, "", 0);
    register_say(desk, "", 0);
    assert_int_equal(office_spool(desk->office)->last, 1);
    (void)desk_goes_out(desk);
    desk_answered(desk, 1, false);
    /* Put right: the same slip once more, in its place. */
    register_say(desk, "GZ-20261122-000001", 1);
    assert_int_equal(office_spool(desk->office)->last, 2);
    register_say(desk, "", 0);
    assert_int_equal(office_spool(desk->office)->last, 2);
    (void)desk_goes_out(desk);
    desk_answered(desk, 2, false);
    /* Left out: who comes with the slip again is registered. */
    desk_drop(desk, 2);
    register_say(desk, "", 0);
    assert_int_equal(office_spool(desk->office)->last, 3);
}

/* A while in which the office looks what is old. */
static void hours_pass(struct desk *desk)
{
    desk->now.boot_us += 2 * HOUR_US;
    desk->now.wall_us += 2 * HOUR_US;
    desk_turn(desk);
}

static void centre_says(struct desk *desk, int64_t now_us)
{
    const struct verb_pong pong = {.head = 1000, .now_us = now_us, .upto = -1};
    desk_line_up(desk, 0);
    desk_told(desk, "PONG", &verb_pong_record, &pong, false);
}

/* Only a clock that the centre's is known to agree with tells what is old: not one that is far ahead while there is no line. */
static void test_a_wrong_clock_forgets_nothing(void **state)
{
    struct desk *desk = *state;
    desk_greet(desk);
    desk_attach(desk, "T-1", 0);
    register_say(desk, "", 0);
    desk->now.wall_us += 400 * DAY_US;
    hours_pass(desk);
    assert_string_equal(desk_owners(desk), "T-1 ");
    desk_greet(desk);
    register_say(desk, "", 0);
    assert_int_equal(office_spool(desk->office)->last, 2); /* the slip is still known */
    centre_says(desk, desk->now.wall_us - 400 * DAY_US);
    hours_pass(desk);
    assert_string_equal(desk_owners(desk), "T-1 ");
    centre_says(desk, desk->now.wall_us);
    hours_pass(desk);
    assert_string_equal(desk_owners(desk), "");
    desk_greet(desk);
    register_say(desk, "", 0);
    assert_int_equal(office_spool(desk->office)->last, 3);
}

/* However large facts are: who comes behind them does not wait long. */
static void test_so_much_at_once(void **state)
{
    struct desk *desk = *state;
    static char text[100000];
    struct buf draft = {0};
    int64_t bytes = 0;
    desk_greet(desk);
    memset(text, 'x', 40000);
    bench_note("T-1", text, &draft);
    for (; !office_is_sated(desk->office); desk->n++, bytes += (int64_t)draft.len) {
        desk_append(desk, buf_bytes(&draft));
        assert_true(bytes < 6 * 1024 * 1024);
    }
    assert_true(bytes > 3 * 1024 * 1024);
    desk_turn(desk);
    assert_false(office_is_sated(desk->office));
    buf_release(&draft);
}

/* --- questions ---------------------------------------------------------------------------------------- */

/* A page behind the last number there can be. */
static void test_a_page_far_away(void **state)
{
    struct desk *desk = *state;
    struct verb_answer answer;
    static const char *const pages[] = {"9223372036854775807", "99999999999999999999", "-9223372036854775808", "x"};
    static const uint32_t rows[] = {0, 0, 1, 1};
    desk_greet(desk);
    assert_true(desk_note(desk, 10));
    for (size_t i = 0; i < COUNT_OF(pages); i++) {
        assert_string_equal(desk_ask(desk, "queued", NULL, NULL, pages[i], &answer), "");
        assert_int_equal(answer.rows.n, rows[i]);
        assert_string_equal(desk_ask(desk, "refused", NULL, NULL, pages[i], &answer), "");
        assert_int_equal(answer.rows.n, 0);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, desk_set_up, desk_tear_down)
    const struct CMUnitTest tests[] = {CASE(test_a_dropped_fact_lets_its_file_go),
                                       CASE(test_a_corrected_fact_takes_its_file_along),
                                       CASE(test_a_fact_corrected_to_another_file),
                                       CASE(test_a_slip_that_was_refused),
                                       CASE(test_a_wrong_clock_forgets_nothing),
                                       CASE(test_so_much_at_once),
                                       CASE(test_a_page_far_away)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
