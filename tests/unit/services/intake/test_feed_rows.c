/* What is read from PostgreSQL for readers far behind: no more rows than they may be sent, no more bytes than one query may bring, no more positions
 * than one may look at, whatever they filter by and however large the events are; and where a row is missing that is said. */
#include "feed_stage.h"

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
#define AROUND 1024 /* of a batch: its frame, and what an event goes beyond */
#define LARGE (EVENT_BYTES_MAX - 1000)

static int64_t given_back[STAGE_PEERS];

static struct feed *open_stage(uint64_t head)
{
    memset(given_back, 0, sizeof(given_back));
    return stage_open(head);
}

static void all_give_back(struct feed *feed, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (stage.sent_to[i] > given_back[i]) {
            stage_gives(feed, i, stage.sent_to[i] - given_back[i]);
            given_back[i] = stage.sent_to[i];
        }
}

/* Until the first n have all they want of what there is; they take in at once what they are sent. */
static void read_to_the_head(struct feed *feed, uint32_t n)
{
    for (int turns = 0; readers_turn(feed); turns++) {
        assert_true(turns < 100000);
        all_give_back(feed, n);
    }
    for (size_t i = 0; i < feed->readers_n; i++)
        assert_int_equal(feed->readers[i]->pos, feed->state.head.pos);
}

static bool each_20th(uint64_t pos)
{
    return pos % 20 == 0;
}

static bool each_millionth(uint64_t pos)
{
    return pos % 1000000 == 0;
}

/* --- as much as may be sent ------------------------------------------------------------------------- */

static void rows_for_credit(const char *type, const char *key, bool (*is_wanted)(uint64_t))
{
    struct feed *feed = open_stage(HEAD);
    stage.is_wanted = is_wanted;
    stage_opens_narrowed(feed, 0, "a", 0, 10 * STAGE_BODY_BYTES, type, key, NULL);
    stage_run_out(feed);
    assert_in_range(stage.sent_to[0], 9 * STAGE_BODY_BYTES, 10 * STAGE_BODY_BYTES + AROUND);
    assert_in_range(stage.rows, 10, 2 * QUERY_ROWS_LEAST);
    /* Many of them: what is read is sent. */
    stage_gives(feed, 0, CREDIT);
    stage_run_out(feed);
    readers_tell_head(feed);
    stage_run_out(feed);
    assert_in_range(stage.sent_to[0], CREDIT, CREDIT + 11 * STAGE_BODY_BYTES);
    assert_in_range(stage.rows, stage.sent_to[0] / (STAGE_BODY_BYTES + 16), 3 * stage.sent_to[0] / (2 * STAGE_BODY_BYTES));
    stage_close(&feed);
}

static void test_no_more_rows_are_read_than_may_be_sent(void **state)
{
    (void)state;
    rows_for_credit(STAGE_TYPE, NULL, NULL);
    rows_for_credit(STAGE_TYPE, NULL, each_20th);
    rows_for_credit(NULL, STAGE_KEY, NULL);
    rows_for_credit(NULL, STAGE_KEY, each_20th);
}

/* Of what the database finds by type, one in twenty is what it wants by region: many more rows at a time are worth a query. */
static void test_who_is_given_little_of_what_is_found_has_more_of_it_looked_at(void **state)
{
    (void)state;
    struct feed *feed = open_stage(HEAD);
    stage.is_wanted = each_20th;
    stage_opens_narrowed(feed, 0, "a", 0, CREDIT, "", NULL, STAGE_REGION); /* a type's beginning that all have */
    while (stage.sent_to[0] < CREDIT / 4)
        assert_true(readers_turn(feed));
    assert_in_range(stage.queries, 2, stage.sent_to[0] / STAGE_BODY_BYTES * 20 / 900);
    stage_close(&feed);
}

static void test_nothing_is_read_for_who_has_no_credit_whatever_the_filter(void **state)
{
    (void)state;
    struct feed *feed = open_stage(HEAD);
    for (uint32_t i = 0; i < MANY; i++)
        stage_opens_narrowed(feed, i, "a", 40000 * i, 0, i % 3 == 0 ? STAGE_TYPE : NULL, i % 3 == 1 ? STAGE_KEY : NULL, i % 3 == 2 ? STAGE_REGION : NULL);
    stage.held_most = 0;
    for (int turn = 0; turn < 100; turn++) {
        assert_false(readers_turn(feed));
        readers_tell_head(feed);
    }
    assert_int_equal(stage.queries, 0);
    assert_int_equal(stage.sent_bytes, 0);
    assert_int_equal(stage.held_most, 0);
    stage_close(&feed);
}

/* --- no scan without an end -------------------------------------------------------------------------- */

/* Two hundred want what hardly ever comes, one wants everything: the turns have their measure, and it is sent as much as ever. */
static void test_who_wants_what_is_rare_holds_nobody_up(void **state)
{
    (void)state;
    struct feed *feed = open_stage(HEAD);
    stage.is_wanted = each_millionth;
    for (uint32_t i = 0; i < MANY; i++)
        stage_opens_narrowed(feed, i, "a", 30000 * i, CREDIT, STAGE_TYPE, NULL, NULL);
    stage_opens(feed, MANY, "a", 9000000, CREDIT);
    int64_t most = 4 * BATCH_MAP_BYTES / 192; /* of one query */
    for (int turn = 0; turn < 500; turn++) {
        int64_t queries = stage.queries, passed = stage.passed;
        assert_true(readers_turn(feed));
        all_give_back(feed, MANY + 1);
        assert_in_range(stage.queries - queries, 1, REPLAYS_PER_TURN);
        assert_true(stage.passed - passed <= TURN_BYTES / 192 + most);
    }
    /* What PostgreSQL goes through for them counts: a query of theirs as more than a helping. */
    assert_true(stage.sent_to[MANY] / HELPING > 2 * stage.queries / MANY);
    assert_true(stage.rows < 4 * stage.queries + stage.sent_to[MANY] / STAGE_BODY_BYTES * 2);
    int64_t lowest = HEAD, highest = 0;
    for (size_t i = 0; i < MANY; i++) {
        int64_t went = (int64_t)feed->readers[i]->pos - 30000 * (int64_t)i;
        lowest = went < lowest ? went : lowest;
        highest = went > highest ? went : highest;
    }
    assert_true(lowest > 0 && highest - lowest <= 2 * most);
    stage_close(&feed);
}

static void test_a_key_is_sought_in_a_part_of_the_journal_at_a_time(void **state)
{
    (void)state;
    struct feed *feed = open_stage(HEAD);
    stage.is_wanted = each_millionth;
    stage_opens_narrowed(feed, 0, "a", 0, CREDIT, NULL, STAGE_KEY, NULL);
    read_to_the_head(feed, 1);
    assert_in_range(stage.sent_to[0], 10 * STAGE_BODY_BYTES, 10 * STAGE_BODY_BYTES + 3 * AROUND);
    assert_in_range(stage.queries, 3, 4);
    assert_in_range(stage.wide_most, 1000000, HEAD / 2);
    stage_close(&feed);
}

/* Everything, by type, by key, by region: those of a kind have the same, and nobody of another kind has much less for it. */
static void test_all_kinds_are_read_for(void **state)
{
    (void)state;
    int64_t lowest[4] = {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX}, highest[4] = {0};
    struct feed *feed = open_stage(HEAD);
    for (uint32_t i = 0; i < MANY; i++)
        stage_opens_narrowed(feed, i, "a", 40000 * i, CREDIT, i % 4 == 1 ? STAGE_TYPE : NULL, i % 4 == 2 ? STAGE_KEY : NULL, i % 4 == 3 ? STAGE_REGION : NULL);
    for (int turn = 0; turn < 1000; turn++) {
        assert_true(readers_turn(feed));
        all_give_back(feed, MANY);
    }
    for (uint32_t i = 0; i < MANY; i++) {
        lowest[i % 4] = stage.sent_to[i] < lowest[i % 4] ? stage.sent_to[i] : lowest[i % 4];
        highest[i % 4] = stage.sent_to[i] > highest[i % 4] ? stage.sent_to[i] : highest[i % 4];
    }
    for (int kind = 0; kind < 4; kind++) {
        assert_true(highest[kind] - lowest[kind] <= HELPING + AROUND);
        assert_true(4 * lowest[kind] > lowest[0]);
    }
    stage_close(&feed);
}

/* --- bytes -------------------------------------------------------------------------------------------- */

static uint32_t large_behind_small(uint64_t pos)
{
    return pos <= 3000 ? 200 : LARGE;
}

static uint32_t large_here_and_there(uint64_t pos)
{
    return pos % 50 == 0 ? LARGE : 400;
}

/* To the head, and no query has brought more than it may. */
static void reads_all(uint32_t (*size)(uint64_t), const char *type, const char *key, const char *region, bool erasing, size_t pages_bytes)
{
    struct feed *feed = open_stage(3400);
    int64_t bytes = 0;
    stage.size = size;
    feed->erasing = erasing;
    feed->pages.bytes_max = pages_bytes;
    stage_opens_narrowed(feed, 0, "a", 0, CREDIT, type, key, region);
    read_to_the_head(feed, 1);
    for (uint64_t pos = 1; pos <= 3400; pos++)
        bytes += size(pos);
    assert_in_range(stage.sent_to[0], bytes, bytes + 3400 * 16 + 500 * AROUND);
    assert_in_range(stage.brought_most, LARGE, QUERY_BYTES_MAX);
    assert_true(stage.rows < 2 * 3400);
    assert_in_range(stage.queries, bytes / QUERY_BYTES_MAX, 400);
    stage_close(&feed);
}

static void test_no_query_brings_more_bytes_than_it_may(void **state)
{
    (void)state;
    for (int of = 0; of < 2; of++) {
        uint32_t (*size)(uint64_t) = of == 0 ? large_behind_small : large_here_and_there;
        reads_all(size, NULL, NULL, NULL, false, PAGES_BYTES);
        reads_all(size, NULL, NULL, NULL, true, PAGES_BYTES);
        reads_all(size, NULL, NULL, STAGE_REGION, false, 1); /* no page outlives the next one */
        reads_all(size, STAGE_TYPE, NULL, NULL, false, PAGES_BYTES);
        reads_all(size, NULL, STAGE_KEY, NULL, false, PAGES_BYTES);
    }
}

/* Two of them, so far from each other that each one's pages drop the other's: what was cut short is read on from there all the same. */
static void test_pages_that_do_not_last_are_gone_on_from(void **state)
{
    (void)state;
    struct feed *feed = open_stage(3400);
    stage.size = large_here_and_there;
    feed->pages.bytes_max = 1;
    stage_opens(feed, 0, "a", 0, CREDIT);
    stage_opens_narrowed(feed, 1, "a", 1700, CREDIT, NULL, NULL, STAGE_REGION);
    read_to_the_head(feed, 2);
    assert_true(stage.sent_to[0] > 34 * LARGE + stage.sent_to[1]);
    assert_true(stage.queries < 350);
    stage_close(&feed);
}

/* Two hundred far readers, with filters of each kind, where all events are large, or all are small: what is kept of the database for them. */
static void memory_of_many(uint32_t (*size)(uint64_t))
{
    struct feed *feed = open_stage(HEAD);
    stage.size = size;
    for (uint32_t i = 0; i < MANY; i++)
        stage_opens_narrowed(feed, i, "a", 40000 * i, CREDIT, i % 4 == 1 ? STAGE_TYPE : NULL, i % 4 == 2 ? STAGE_KEY : NULL, i % 4 == 3 ? STAGE_REGION : NULL);
    for (int turn = 0; turn < 1000; turn++) {
        assert_true(readers_turn(feed));
        all_give_back(feed, MANY);
        size_t places = 0;
        for (size_t i = 0; i < feed->pages.n; i++)
            places += feed->pages.all[i].places != NULL ? (size_t)feed->pages.all[i].rows * sizeof(struct page_place) : 0;
        assert_int_equal((size_t)stage.held + places, feed->pages.bytes); /* nothing else is left behind a turn */
        assert_true(feed->pages.bytes <= PAGES_BYTES);
    }
    assert_in_range(stage.held_most, QUERY_BYTES_MAX, PAGES_BYTES + QUERY_BYTES_MAX + QUERY_ROWS_MAX * 64);
    stage_close(&feed);
}

static uint32_t small(uint64_t pos)
{
    (void)pos;
    return 150;
}

static uint32_t large(uint64_t pos)
{
    (void)pos;
    return LARGE;
}

static void test_what_is_held_for_many_is_bounded(void **state)
{
    (void)state;
    memory_of_many(small);
    memory_of_many(large);
}

/* --- a row is missing ---------------------------------------------------------------------------------- */

static void hole_at(uint64_t hole, const char *type)
{
    struct feed *feed = open_stage(2000);
    stage.hole = hole;
    stage_opens_narrowed(feed, 0, "a", 0, 8 * CREDIT, type, NULL, NULL);
    for (int turns = 0; feed->readers_n > 0 && feed->readers[0]->pos < feed->state.head.pos; turns++) {
        assert_true(turns < 100);
        assert_true(feed->readers[0]->pos < hole);
        readers_turn(feed);
    }
    assert_int_equal(feed->readers_n, 0); /* it was sent away */
    assert_string_equal(stage.said, "ERROR");
    assert_string_equal(stage.code, "corrupt");
    assert_in_range(stage.sent_bytes + BATCH_MAP_BYTES, (int64_t)(hole - 1) * STAGE_BODY_BYTES, BATCH_MAP_BYTES + (int64_t)hole * (STAGE_BODY_BYTES + 16) + 20 * AROUND);
    stage_close(&feed);
}

static void test_a_hole_is_said_where_it_is(void **state)
{
    (void)state;
    hole_at(1, NULL);
    hole_at(257, NULL);
    hole_at(1000, NULL);
    hole_at(2000, NULL);
    hole_at(2000, STAGE_TYPE); /* a filter sees the journal's end missing, and no others */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_more_rows_are_read_than_may_be_sent),
                                       cmocka_unit_test(test_who_is_given_little_of_what_is_found_has_more_of_it_looked_at),
                                       cmocka_unit_test(test_nothing_is_read_for_who_has_no_credit_whatever_the_filter),
                                       cmocka_unit_test(test_who_wants_what_is_rare_holds_nobody_up),
                                       cmocka_unit_test(test_a_key_is_sought_in_a_part_of_the_journal_at_a_time),
                                       cmocka_unit_test(test_all_kinds_are_read_for),
                                       cmocka_unit_test(test_no_query_brings_more_bytes_than_it_may),
                                       cmocka_unit_test(test_pages_that_do_not_last_are_gone_on_from),
                                       cmocka_unit_test(test_what_is_held_for_many_is_bounded),
                                       cmocka_unit_test(test_a_hole_is_said_where_it_is)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
