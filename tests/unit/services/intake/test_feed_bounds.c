/* How much of the feed others may have: how many readers there are, what those who do not read lie in its memory with, how often the database is
 * asked before anybody else is looked after, how many questions are under way. The journal has ten million rows. */
#include "feed_stage.h"

#include "base/clock.h"
#include "base/text.h"
#include "record/pack.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEAD 10000000

static void test_so_many_readers_and_no_more(void **state)
{
    (void)state;
    struct feed *feed = stage_open(HEAD);
    uint32_t i = 0;
    for (; i < READERS_PER_PRINCIPAL; i++)
        stage_opens(feed, i, "a", 0, 1);
    assert_string_equal(stage.said, "OPENED");
    stage_opens(feed, i, "a", 0, 1); /* one more: others have room still */
    assert_string_equal(stage.said, "DENIED");
    assert_string_equal(stage.code, "full");
    stage_opens(feed, 0, "a", 0, 1); /* one that is there opens anew */
    assert_string_equal(stage.said, "OPENED");
    for (; i < READERS_MAX; i++)
        stage_opens(feed, i, "b", 0, 1);
    assert_string_equal(stage.said, "OPENED");
    stage_opens(feed, i, "c", 0, 1);
    assert_string_equal(stage.said, "DENIED");
    stage_close(&feed);
}

/* A thousand that were cut off come back by new connections, before anybody has noticed that the old ones are dead. */
static void test_the_dead_give_their_places(void **state)
{
    (void)state;
    struct feed *feed = stage_open(HEAD);
    for (uint32_t i = 0; i < READERS_PER_PRINCIPAL; i++)
        stage_opens(feed, i, "a", 0, 1);
    stage.gone_from = 10;
    stage.gone_to = READERS_PER_PRINCIPAL;
    for (uint32_t i = 0; i < READERS_PER_PRINCIPAL - 10; i++) {
        stage_opens(feed, 5000 + i, "a", 0, 1);
        assert_string_equal(stage.said, "OPENED");
    }
    assert_int_equal(feed->readers_n, READERS_PER_PRINCIPAL);
    /* The others are there. They are not asked for each that is turned away. */
    stage_opens(feed, 9000, "a", 0, 1);
    assert_string_equal(stage.code, "full");
    size_t before = stage.said_n;
    stage_opens(feed, 9000, "a", 0, 1);
    assert_string_equal(stage.code, "full");
    assert_int_equal(stage.said_n, before + 1);
    stage_close(&feed);
}

static void test_who_reads_alone_has_all_its_credit_and_no_more_than_the_most(void **state)
{
    (void)state;
    struct feed *feed = stage_open(HEAD);
    stage_opens(feed, 1, "a", 0, INT64_MAX);
    stage_run_out(feed);
    assert_in_range(stage.sent_bytes, 8 * 1024 * 1024 - BATCH_MAP_BYTES, 8 * 1024 * 1024 + 2 * STAGE_BODY_BYTES); /* no crumbs */
    stage_opens(feed, 1, "a", 0, INT64_MAX); /* opening anew: what it has not read is still there; all it gets is the rest of its share */
    stage_run_out(feed);
    assert_in_range(stage.sent_bytes, 10 * 1024 * 1024, UNREAD_BYTES_MAX / (UNREAD_PART + 1) + BATCH_MAP_BYTES);
    for (int again = 0; again < 20; again++) {
        stage_opens(feed, 1, "a", 0, INT64_MAX);
        stage_run_out(feed);
    }
    assert_in_range(stage.sent_bytes, UNREAD_BYTES_MAX / (UNREAD_PART + 1) - BATCH_MAP_BYTES, UNREAD_BYTES_MAX / (UNREAD_PART + 1) + BATCH_MAP_BYTES);
    assert_int_equal(feed->unread, stage.sent_bytes);
    reader_on_close(feed, &(struct bus_peer){.len = 5, .id = {0, 0, 0, 0, 1}});
    readers_sweep(feed);
    assert_int_equal(feed->unread, 0);
    stage_close(&feed);
}

static void test_a_thousand_that_do_not_read_share_the_memory(void **state)
{
    (void)state;
    struct feed *feed = stage_open(HEAD);
    for (uint32_t i = 0; i < 1000; i++)
        stage_opens(feed, i, "a", 0, INT64_MAX);
    stage_run_out(feed);
    assert_in_range(stage.sent_bytes, UNREAD_BYTES_MAX / 2, UNREAD_BYTES_MAX + 1000 * 2 * STAGE_BODY_BYTES);
    /* One of them reads: it goes on, and with what it has left free perhaps another one. */
    int64_t before = stage.sent_bytes;
    stage_gives(feed, 500, 40000);
    stage_run_out(feed);
    assert_in_range(stage.sent_bytes - before, HELPING_LEAST - 2 * STAGE_BODY_BYTES, 2 * 40000);
    stage_close(&feed);
}

/* They come one after the other, and each takes what it may before the next one comes. */
static void test_those_who_come_first_leave_some(void **state)
{
    (void)state;
    struct feed *feed = stage_open(HEAD);
    int64_t before = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        before = stage.sent_bytes;
        stage_opens(feed, i, "a", 0, INT64_MAX);
        stage_run_out(feed);
        assert_in_range(stage.sent_bytes - before, UNREAD_BYTES_LEAST - 2 * STAGE_BODY_BYTES, 8 * 1024 * 1024 + BATCH_MAP_BYTES);
    }
    assert_in_range(stage.sent_bytes, UNREAD_BYTES_MAX / 2, UNREAD_BYTES_MAX + 1000 * (UNREAD_BYTES_LEAST + 2 * STAGE_BODY_BYTES));
    assert_int_equal(feed->unread, stage.sent_bytes);
    stage_close(&feed);
}

static void test_who_takes_nothing_for_two_minutes_has_no_session(void **state)
{
    (void)state;
    struct feed *feed = stage_open(HEAD);
    stage_opens(feed, 1, "a", 0, 10000);
    stage_opens(feed, 2, "a", 0, 10000);
    stage_run_out(feed);
    feed->readers[0]->heard_us -= 119 * SECOND_US;
    feed->readers[1]->heard_us -= 121 * SECOND_US;
    stage_run_out(feed);
    assert_int_equal(feed->readers_n, 1);
    assert_string_equal(stage.said, "ERROR");
    assert_string_equal(stage.code, "stalled");
    feed->readers[0]->heard_us -= 2 * SECOND_US;
    stage_gives(feed, 1, 20000); /* slow, and alive */
    stage_run_out(feed);
    assert_int_equal(feed->readers_n, 1);
    stage_close(&feed);
}

static void test_the_database_is_asked_so_often_in_a_turn(void **state)
{
    (void)state;
    struct feed *feed = stage_open(HEAD);
    for (uint32_t i = 0; i < 100; i++)
        stage_opens(feed, i, "a", i * 50000, 1000000); /* far from each other */
    stage_opens(feed, 100, "w", 9000000, 1000000);
    assert_true(readers_turn(feed));
    assert_in_range(stage.queries, REPLAYS_PER_TURN, REPLAYS_PER_TURN + 1); /* a worker never waits for others */
    assert_true(feed->readers[100]->pos > 9000000);
    /* Each has its turn. */
    for (int turn = 0; turn < 100 / REPLAYS_PER_TURN + 1; turn++)
        assert_true(readers_turn(feed));
    for (uint32_t i = 0; i < 100; i++)
        assert_true(feed->readers[i]->pos > i * 50000);
    stage_close(&feed);
}

/* --- questions ------------------------------------------------------------------------------------- */

static void asks(struct feed *feed, uint32_t i)
{
    static const uint8_t no_args[] = {0x80};
    struct verb_ask ask = {.id = 7, .to = "dispatcher", .question = "jobs", .args = bytes_of(no_args, 1)};
    stage_says(feed, i, "ASK", &verb_ask_record, &ask, ask_on_ask);
}

static void test_so_many_questions_and_no_more(void **state)
{
    (void)state;
    struct feed *feed = stage_open(HEAD);
    feed->served[feed->served_n++] = (struct served){.worker = "dispatcher", .peer = stage_peer(1000)}; /* asked, it says nothing */
    for (uint32_t peer = 0; peer < QUESTIONS_MAX / QUESTIONS_PER_PEER; peer++) {
        for (int i = 0; i < QUESTIONS_PER_PEER; i++) {
            asks(feed, peer);
            assert_string_equal(stage.said, "ASK"); /* passed on */
        }
        asks(feed, peer);
        assert_string_equal(stage.said, "ERROR");
        assert_string_equal(stage.code, "busy");
    }
    assert_int_equal(feed->asked_n, QUESTIONS_MAX);
    asks(feed, 500); /* of one who has asked nothing yet */
    assert_string_equal(stage.code, "busy");
    assert_int_equal(feed->asked_n, QUESTIONS_MAX);
    /* What is not answered in time gives its place back. */
    ask_tick(feed, clock_boot_us() + 60 * SECOND_US);
    assert_string_equal(stage.code, "timeout");
    asks(feed, 500);
    assert_string_equal(stage.said, "ASK");
    ask_release(feed);
    stage_close(&feed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_so_many_readers_and_no_more),
                                       cmocka_unit_test(test_the_dead_give_their_places),
                                       cmocka_unit_test(test_who_reads_alone_has_all_its_credit_and_no_more_than_the_most),
                                       cmocka_unit_test(test_a_thousand_that_do_not_read_share_the_memory),
                                       cmocka_unit_test(test_those_who_come_first_leave_some),
                                       cmocka_unit_test(test_who_takes_nothing_for_two_minutes_has_no_session),
                                       cmocka_unit_test(test_the_database_is_asked_so_often_in_a_turn),
                                       cmocka_unit_test(test_so_many_questions_and_no_more)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
