/* Two hundred readers at once: equal bytes for near and far, however large the events; so much in a turn and no more; one reading of what many
 * want; nothing read for whom nothing may be sent. */
#include "feed_stage.h"

#include "base/clock.h"
#include "base/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEAD 10000000
#define MANY 200
#define CREDIT (1024 * 1024)
#define HELPING (ROUND_BYTES / (MANY + 1))
#define AROUND 1024 /* of a helping: its frame, and what an event goes beyond */

static int64_t given_back[STAGE_PEERS];

static struct feed *open_many(uint32_t n, int64_t (*after)(uint32_t))
{
    struct feed *feed = stage_open(HEAD);
    memset(given_back, 0, sizeof(given_back));
    for (uint32_t i = 0; i < n; i++)
        stage_opens(feed, i, "a", after(i), CREDIT);
    return feed;
}

/* They take in what they were sent. */
static void all_give_back(struct feed *feed, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (stage.sent_to[i] > given_back[i]) {
            stage_gives(feed, i, stage.sent_to[i] - given_back[i]);
            given_back[i] = stage.sent_to[i];
        }
}

static int64_t spread(uint32_t n)
{
    int64_t lowest = INT64_MAX, highest = 0;
    for (uint32_t i = 0; i < n; i++) {
        lowest = stage.sent_to[i] < lowest ? stage.sent_to[i] : lowest;
        highest = stage.sent_to[i] > highest ? stage.sent_to[i] : highest;
    }
    return highest - lowest;
}

/* Every other one reads what is in memory, in events of 300 bytes; the others from the database, in events of 1,000, each elsewhere. */
static int64_t near_and_far(uint32_t i)
{
    return i % 2 == 0 ? HEAD - 20000 : 10000 * i;
}

static void test_near_and_far_have_the_same(void **state)
{
    (void)state;
    struct feed *feed = open_many(MANY, near_and_far);
    stage_remembers(feed, 30000);
    while (stage.sent_to[0] < 10 * HELPING) {
        assert_true(readers_turn(feed));
        all_give_back(feed, MANY);
        assert_true(spread(MANY) <= HELPING + AROUND);
    }
    stage_close(&feed);
}

/* One of them gives nothing back, another one a kilobyte less each time than it was sent. */
static void test_the_slow_hold_nobody_up(void **state)
{
    (void)state;
    struct feed *feed = open_many(MANY, near_and_far);
    stage_remembers(feed, 30000);
    while (stage.sent_to[2] < 8 * HELPING) {
        assert_true(readers_turn(feed));
        given_back[0] = stage.sent_to[0];
        int64_t kept = given_back[1] < stage.sent_to[1] ? 1000 : 0;
        stage.sent_to[1] -= kept;
        all_give_back(feed, MANY);
        stage.sent_to[1] += kept;
    }
    for (uint32_t i = 2; i < MANY; i++)
        assert_in_range(stage.sent_to[i], 7 * HELPING - AROUND, 9 * HELPING + AROUND);
    assert_true(stage.sent_to[0] <= CREDIT + AROUND);
    assert_true(stage.sent_to[1] > stage.sent_to[0]);
    stage_close(&feed);
}

static void test_a_turn_has_its_measure(void **state)
{
    (void)state;
    struct feed *feed = open_many(MANY, near_and_far);
    stage_remembers(feed, 30000);
    for (int turn = 0; turn < 100; turn++) {
        int64_t sent = stage.sent_bytes, queries = stage.queries;
        assert_true(readers_turn(feed));
        assert_true(stage.sent_bytes - sent <= TURN_BYTES + HELPING + AROUND);
        assert_true(stage.queries - queries <= REPLAYS_PER_TURN);
        all_give_back(feed, MANY);
    }
    stage_close(&feed);
}

static int64_t apart(uint32_t i)
{
    return 10000 * i;
}

/* Who follows is told of an event in the next turn, whatever others still have to be sent. */
static void test_who_follows_does_not_wait_for_those_behind(void **state)
{
    (void)state;
    struct feed *feed = open_many(MANY, apart);
    stage_remembers(feed, 1);
    stage_opens(feed, MANY, "a", HEAD, CREDIT);
    readers_turn(feed);
    for (int i = 0; i < 50; i++) {
        int64_t before = stage.sent_to[MANY];
        stage_appends(feed);
        for (int turn = 0; turn < 2; turn++) {
            all_give_back(feed, MANY + 1);
            assert_true(readers_turn(feed));
        }
        assert_true(stage.sent_to[MANY] > before);
    }
    stage_close(&feed);
}

static int64_t together(uint32_t i)
{
    return 3 * i;
}

/* All of them a little behind each other, as after an outage: the journal is read once. */
static void test_what_many_want_is_read_once(void **state)
{
    (void)state;
    struct feed *feed = open_many(MANY, together);
    while (feed->readers[MANY - 1]->pos < 5000 || feed->readers[0]->pos < 5000) {
        assert_true(readers_turn(feed));
        all_give_back(feed, MANY);
    }
    int64_t once = 5000 / (HELPING / (STAGE_BODY_BYTES + 16)) + 1;
    assert_in_range(stage.queries, once / 2, 3 * once);
    assert_true(feed->pages.bytes <= PAGES_BYTES && feed->pages.n <= PAGES_MAX);
    pages_age(&feed->pages, clock_boot_us() + 60 * SECOND_US);
    assert_int_equal(feed->pages.n, 0);
    assert_int_equal(feed->pages.bytes, 0);
    stage_close(&feed);
}

/* While somebody is being erased, what was read before is sent to nobody after. */
static void test_rows_are_not_kept_while_they_are_erased(void **state)
{
    (void)state;
    struct feed *feed = open_many(MANY, together);
    feed->erasing = true;
    for (int turn = 0; turn < 20; turn++) {
        int64_t before = stage.queries;
        readers_turn(feed);
        assert_true(stage.queries > before);
        assert_int_equal(feed->pages.n, 0);
    }
    stage_close(&feed);
}

static void test_nothing_is_read_for_who_has_no_credit(void **state)
{
    (void)state;
    struct feed *feed = stage_open(HEAD);
    stage_remembers(feed, 30000);
    for (uint32_t i = 0; i < MANY; i++)
        stage_opens(feed, i, i % 10 == 0 ? "w" : "a", near_and_far(i), 0);
    for (int turn = 0; turn < 100; turn++)
        assert_false(readers_turn(feed));
    assert_int_equal(stage.queries, 0);
    assert_int_equal(stage.sought, 0);
    assert_int_equal(stage.sent_bytes, 0);
    /* One is given some: it is read for, and until that is used up. */
    stage_gives(feed, 1, 50000);
    stage_run_out(feed);
    assert_in_range(stage.sent_to[1], HELPING_LEAST - AROUND, 50000 + AROUND);
    assert_int_equal(stage.sent_bytes, stage.sent_to[1]);
    assert_in_range(stage.queries, 1, 8);
    int64_t queries = stage.queries;
    for (int turn = 0; turn < 100; turn++)
        assert_false(readers_turn(feed));
    assert_int_equal(stage.queries, queries);
    stage_close(&feed);
}

/* It opens again and again on one connection, and never gives back what came before: each time it is sent something. */
static void test_who_opens_anew_goes_on(void **state)
{
    (void)state;
    struct feed *feed = stage_open(HEAD);
    int64_t pos = 0;
    for (int again = 0; again < 12; again++) {
        stage_opens(feed, 1, "a", pos, 3000);
        stage_run_out(feed);
        assert_true((int64_t)feed->readers[0]->pos > pos);
        pos = (int64_t)feed->readers[0]->pos;
    }
    stage_close(&feed);
}

/* One takes its time over what it was sent. It has credit left, less than a helping, and would take five seconds of silence for a break: within a
 * second it is sent as much as it said. */
static void test_who_takes_its_time_is_sent_all_of_its_credit(void **state)
{
    (void)state;
    struct feed *feed = stage_open(HEAD);
    stage_opens(feed, 0, "a", 0, CREDIT);
    stage_opens(feed, 1, "w", 0, CREDIT);
    stage_run_out(feed);
    for (uint32_t i = 0; i < 2; i++)
        assert_in_range(stage.sent_to[i], CREDIT - CREDIT / WINDOW_HELPINGS, CREDIT - 1);
    readers_tell_head(feed);
    stage_run_out(feed);
    for (uint32_t i = 0; i < 2; i++) {
        assert_in_range(stage.sent_to[i], CREDIT, CREDIT + AROUND);
        assert_true(feed->readers[i]->credit <= 0);
    }
    /* What it gives back does not go out in crumbs. */
    stage_gives(feed, 0, 4 * AROUND);
    stage_run_out(feed);
    assert_in_range(stage.sent_to[0], CREDIT, CREDIT + AROUND);
    stage_close(&feed);
}

/* What was on its way to readers whose connections have broken holds back nobody for longer than a second. */
static void test_the_dead_leave_their_share(void **state)
{
    (void)state;
    struct feed *feed = open_many(MANY, apart);
    stage_run_out(feed);
    assert_true(feed->unread > UNREAD_BYTES_MAX / 2);
    stage.gone_from = 0;
    stage.gone_to = MANY;
    stage_opens(feed, MANY, "a", 0, CREDIT);
    readers_tell_head(feed);
    stage_run_out(feed);
    assert_int_equal(feed->readers_n, 1);
    assert_in_range(stage.sent_to[MANY], CREDIT - CREDIT / WINDOW_HELPINGS, CREDIT + AROUND);
    assert_int_equal(feed->unread, stage.sent_to[MANY]);
    stage_close(&feed);
}

/* One of two always wants a sixth of what the other one does, and both are given it in every turn. Then others come. */
static void test_what_was_free_is_not_held_against_who_took_it(void **state)
{
    (void)state;
    struct feed *feed = open_many(1, apart);
    stage_opens(feed, 1, "a", 5000000, 64 * 1024);
    for (int turn = 0; turn < 1000; turn++) {
        readers_turn(feed);
        all_give_back(feed, 2);
    }
    assert_true(stage.sent_to[0] > 3 * stage.sent_to[1]);
    for (uint32_t i = 2; i < 30; i++)
        stage_opens(feed, i, "a", apart(i), CREDIT);
    for (int round = 0; round < 3; round++) {
        int64_t before = stage.sent_to[0];
        for (int turn = 0; turn < 150; turn++) {
            assert_true(readers_turn(feed));
            all_give_back(feed, 30);
        }
        assert_true(stage.sent_to[0] > before);
    }
    stage_close(&feed);
}

/* PostgreSQL is away: who reads what is in memory does not wait behind all those who cannot be read for. */
static void test_memory_is_read_while_the_database_is_away(void **state)
{
    (void)state;
    struct feed *feed = open_many(MANY, apart);
    stage_remembers(feed, 30000);
    stage_opens(feed, MANY, "a", HEAD - 20000, CREDIT);
    feed->retry_us = INT64_MAX;
    for (int turn = 0; turn < 20; turn++) {
        int64_t before = stage.sent_to[MANY];
        readers_turn(feed);
        assert_true(stage.sent_to[MANY] > before);
        all_give_back(feed, MANY + 1);
    }
    assert_int_equal(stage.queries, 0);
    stage_close(&feed);
}

/* Half of them take nothing from their pipes: a batch is made for each of these once a second, and within a turn's measure. */
static void test_pipes_that_are_full_cost_little(void **state)
{
    (void)state;
    struct feed *feed = stage_open(HEAD);
    memset(given_back, 0, sizeof(given_back));
    stage_remembers(feed, 30000);
    for (uint32_t i = 0; i < MANY; i++)
        stage_opens(feed, i, "a", HEAD - 20000, CREDIT);
    stage.full_to = MANY / 2;
    for (int turn = 0; turn < 100; turn++) {
        int64_t before = stage.refused;
        readers_turn(feed);
        assert_true((stage.refused - before - 1) * (HELPING - AROUND) <= TURN_BYTES);
        all_give_back(feed, MANY);
    }
    assert_int_equal(stage.refused, MANY / 2);
    assert_true(stage.sent_to[MANY - 1] > 2 * HELPING);
    stage_run_out(feed); /* nobody turns round for them */
    assert_int_equal(stage.refused, MANY / 2);
    readers_tell_head(feed);
    stage_gives(feed, MANY - 1, 1);
    stage_run_out(feed);
    assert_int_equal(stage.refused, MANY);
    /* One that gives something back has room again. */
    stage.full_from = 1;
    stage_gives(feed, 0, 1);
    stage_run_out(feed);
    assert_in_range(stage.sent_to[0], HELPING - AROUND, CREDIT + AROUND);
    assert_int_equal(stage.refused, MANY);
    stage_close(&feed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_near_and_far_have_the_same),
                                       cmocka_unit_test(test_the_slow_hold_nobody_up),
                                       cmocka_unit_test(test_a_turn_has_its_measure),
                                       cmocka_unit_test(test_who_follows_does_not_wait_for_those_behind),
                                       cmocka_unit_test(test_what_many_want_is_read_once),
                                       cmocka_unit_test(test_rows_are_not_kept_while_they_are_erased),
                                       cmocka_unit_test(test_nothing_is_read_for_who_has_no_credit),
                                       cmocka_unit_test(test_what_was_free_is_not_held_against_who_took_it),
                                       cmocka_unit_test(test_memory_is_read_while_the_database_is_away),
                                       cmocka_unit_test(test_pipes_that_are_full_cost_little),
                                       cmocka_unit_test(test_who_opens_anew_goes_on),
                                       cmocka_unit_test(test_who_takes_its_time_is_sent_all_of_its_credit),
                                       cmocka_unit_test(test_the_dead_leave_their_share)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
