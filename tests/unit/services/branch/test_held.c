/* What waits while the feed tells who was erased meanwhile. */
#include "desk.h"
#include "record/pack.h"
#include "spool_inside.h"
#include <stdio.h>
#include <string.h>

/* --- who was erased meanwhile ------------------------------------------------------------------------- */

static void feed_moves(struct desk *desk, int64_t after, int64_t upto)
{
    const struct verb_batch batch = {.after = after, .upto = upto, .link = {(uint8_t)upto}};
    desk_told(desk, "BATCH", &verb_batch_record, &batch, true);
    desk_turn(desk);
    desk_feed_goes_out(desk);
}

/* One event without personal data, at position `upto`. */
static void feed_tells(struct desk *desk, int64_t after, int64_t upto, const char *type, const char *key)
{
    struct buf body = {0}, pair = {0};
    static const uint8_t empty_map[] = {0x80};
    struct event event = {.pos = (uint64_t)upto, .v = 1, .n = (uint64_t)upto, .rec_us = desk->now.wall_us, .data = bytes_of(empty_map, 1)};
    (void)text_copy(event.id, sizeof event.id, "hq/1");
    (void)text_copy(event.type, sizeof event.type, type);
    (void)text_copy(event.key, sizeof event.key, key);
    (void)text_copy(event.from, sizeof event.from, "hq");
    event_encode(&event, &body);
    pack_array(&pair, 2);
    pack_bin(&pair, buf_bytes(&body));
    pack_nil(&pair);
    struct bytes items[] = {buf_bytes(&pair)};
    const struct verb_batch batch = {.after = after, .upto = upto, .link = {(uint8_t)upto}, .events = {.items = items, .n = 1}};
    desk_told(desk, "BATCH", &verb_batch_record, &batch, true);
    buf_release(&body);
    buf_release(&pair);
    desk_turn(desk);
    desk_feed_goes_out(desk);
}

static bool spool_holds(struct desk *desk, const char *text)
{
    char path[140];
    snprintf(path, sizeof path, "%s/spool.db", desk->folder);
    bool held = bench_holds(path, text);
    snprintf(path, sizeof path, "%s/spool.db-wal", desk->folder);
    return held || bench_holds(path, text);
}

/* Nothing of an erased customer goes out while what the feed told of him cannot be stored; and it is not tried as fast as the loop turns. */
static void test_an_erasure_that_cannot_be_stored(void **state)
{
    struct desk *desk = *state;
    struct buf draft = {0};
    const struct verb_pong pong = {.head = 1000, .now_us = desk->now.wall_us, .upto = -1};
    desk_greet(desk);
    bench_registration("T-9", "", "C-9", "13977188299", &draft);
    desk_append(desk, buf_bytes(&draft));
    desk_turn(desk);
    assert_true(desk_is_taken(desk));
    buf_release(&draft);
    desk_attach(desk, "T-9", 0);
    desk_bring(desk);
    desk_line_up(desk, 0);
    assert_int_equal(db_run(desk->office->spool->db, "PRAGMA query_only = ON"), STATUS_OK);
    feed_tells(desk, 0, 7, "personal.erased", "C-9");
    desk_feed_current(desk);
    for (int i = 0; i < 90; i++) {
        int64_t wait_us = office_deadline_us(desk->office) - desk->now.boot_us;
        assert_true(wait_us > 0 && wait_us <= SECOND_US);
        desk_pass(desk, 1);
        desk_told(desk, "PONG", &verb_pong_record, &pong, false);
        assert_false(forward_tick(office_forward(desk->office), desk->now.boot_us, desk->now.wall_us));
        assert_int_equal(desk_goes_out(desk), 0);
    }
    assert_true(spool_holds(desk, "13977188299"));
    assert_int_equal(worklist_state(desk->office->list)->pos, 0); /* it would be told again */
    assert_int_equal(db_run(desk->office->spool->db, "PRAGMA query_only = OFF"), STATUS_OK);
    desk_pass(desk, 2);
    assert_int_equal(desk_goes_out(desk), 2);
    assert_false(spool_holds(desk, "13977188299"));
    assert_string_equal(desk_owners(desk), "");
    assert_int_equal(worklist_state(desk->office->list)->pos, 7);
}

/* As long as the feed tells, and half a minute longer; not for ever. */
static void test_held_while_the_feed_tells(void **state)
{
    struct desk *desk = *state;
    desk_greet(desk);
    assert_true(desk_note(desk, 10));
    desk_line_up(desk, 0);
    for (int64_t i = 0; i < 9; i++) { /* a thin line, and much to tell */
        desk_pass(desk, 20);
        assert_int_equal(desk_goes_out(desk), 0);
        feed_moves(desk, 10 * i, 10 * (i + 1));
    }
    desk_pass(desk, 20);
    assert_int_equal(desk_goes_out(desk), 0);
    desk_feed_current(desk);
    desk_pass(desk, 1);
    assert_int_equal(desk_goes_out(desk), 1);
    desk_answered(desk, 1, true);
    /* The line goes for long, and comes back; the feed says nothing. */
    forward_disconnected(office_forward(desk->office));
    follow_disconnected(office_follow(desk->office));
    desk->linked = false;
    desk_pass(desk, 100);
    desk_greet(desk);
    assert_true(desk_note(desk, 10));
    desk_line_up(desk, 1);
    desk_pass(desk, 25);
    assert_int_equal(desk_goes_out(desk), 0);
    desk_pass(desk, 10);
    assert_int_equal(desk_goes_out(desk), 1);
}

static void test_not_held_for_ever(void **state)
{
    struct desk *desk = *state;
    desk_greet(desk);
    assert_true(desk_note(desk, 10));
    desk_line_up(desk, 0);
    int64_t seconds = 0;
    for (int64_t i = 0; desk_goes_out(desk) == 0; i++, seconds += 20) {
        desk_pass(desk, 20);
        feed_moves(desk, i, i + 1);
        assert_in_range(seconds, 0, 700);
    }
    assert_in_range(seconds, 500, 700);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, desk_set_up, desk_tear_down)
    const struct CMUnitTest tests[] = {CASE(test_an_erasure_that_cannot_be_stored),
                                       CASE(test_held_while_the_feed_tells),
                                       CASE(test_not_held_for_ever)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
