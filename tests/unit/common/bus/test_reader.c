/* The reader against a fake feed and a live line that lose, cut and fall silent: each position once, in order, or a
 * plain word that something is wrong. */
#include "unit/common/bus/fake_feed.h"

static void test_live_and_feed_give_each_position_once(void **state)
{
    struct reader_config config = sim_config(true, false);

    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++)
        sim_run(seed, &config, 600, true);
}

static void test_feed_alone_follows(void **state)
{
    struct reader_config config = sim_config(false, true);

    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++)
        sim_run(seed, &config, 400, true);
}

static void test_filtered_reader_keeps_its_credit(void **state)
{
    struct reader_config config = sim_config(false, true);

    (void)state;
    strcpy(config.open.types[0], "job.");
    config.open.types_n = 1;
    config.open.credit = 600; /* a few batches: without what empty ones give back it would stand still */
    for (uint64_t seed = 1; seed <= 50; seed++)
        sim_run(seed, &config, 600, true);
}

static void test_without_trouble_one_open_is_enough(void **state)
{
    struct reader_config config = sim_config(true, false);

    (void)state;
    config.live_buffer_bytes = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        sim_run(seed, &config, 600, false);
        assert_int_equal(sim.opens, 1);
    }
}

static void test_lost_last_message_is_fetched(void **state)
{
    struct reader_config config = sim_config(true, false);

    (void)state;
    sim_open(1, &config);
    reader_connected(sim.reader, sim.now_us);
    sim_settle();
    sim_journal_add(&sim);
    sim_live_head(&sim);
    assert_int_equal(sim.told_head, 0); /* not before it is delivered */
    assert_int_equal(reader_head(sim.reader), 1);
    assert_int_equal(reader_deadline_us(sim.reader), sim.now_us + 1000000);
    sim.now_us += 1000000;
    assert_false(reader_tick(sim.reader, sim.now_us));
    sim_settle();
    assert_int_equal(sim.seen, 1);
    assert_int_equal(sim.told_head, 1);
    assert_int_equal(sim.opens, 2);
    assert_true(reader_is_live(sim.reader));
    sim_close();
}

/* An intake that was taken over from, and does not know it yet, tells of a head that is nobody's: no time passes by it. */
static void test_a_head_of_an_earlier_epoch_is_none(void **state)
{
    struct reader_config config = sim_config(true, false);
    struct verb_head stale = {.epoch = 0, .head = 0, .now_us = 1};
    struct buf map = {0};

    (void)state;
    sim_open(1, &config);
    reader_connected(sim.reader, sim.now_us);
    sim_settle();
    assert_true(reader_is_live(sim.reader));
    sim.told_now = 0;
    record_encode(&verb_head_record, RECORD_WHOLE, &stale, &map);
    reader_live(sim.reader, bytes_of("~head", 5), buf_bytes(&map), bytes_of(NULL, 0), sim.now_us);
    assert_int_equal(sim.told_now, 0);
    sim_live_head(&sim);
    assert_int_equal(sim.told_now, sim.now_stream_us);
    buf_release(&map);
    sim_close();
}

/* One that stands by says so: the connection is made anew, to the next. */
static void test_moved_is_no_end(void **state)
{
    struct reader_config config = sim_config(false, true);
    struct frame frame, moved = {.verb = "MOVED", .map = bytes_of("\x80", 1)};

    (void)state;
    sim_open(1, &config);
    reader_connected(sim.reader, sim.now_us);
    assert_true(reader_out(sim.reader, sim.now_us, &frame));
    assert_false(reader_in(sim.reader, &moved, sim.now_us));
    reader_disconnected(sim.reader);
    reader_connected(sim.reader, sim.now_us);
    assert_true(reader_out(sim.reader, sim.now_us, &frame));
    assert_string_equal(frame.verb, "OPEN");
    assert_string_equal(sim.failed, "");
    sim_close();
}

static void test_ahead_fork_and_denied_are_final(void **state)
{
    static const struct {
        const char *name;
        int64_t after;
        uint8_t link;
        const char *want;
    } rows[] = {
        {"restored journal", 9, 0, "ahead"},
        {"another history", 3, 1, "fork"},
    };
    struct verb_denied denied = {.code = "principal", .why = "not yours"};
    struct reader_config config = sim_config(false, false);
    struct frame frame;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        config.open.after = rows[i].after;
        memset(config.open.link, rows[i].link, LINK_BYTES);
        sim_open(1, &config);
        for (int k = 0; k < 5; k++)
            sim_journal_add(&sim);
        reader_connected(sim.reader, sim.now_us);
        sim_settle();
        assert_string_equal(sim.failed, rows[i].want);
        assert_false(reader_out(sim.reader, sim.now_us, &frame));
        sim_close();
    }
    config = sim_config(false, false);
    sim_open(1, &config);
    reader_connected(sim.reader, sim.now_us);
    assert_true(reader_out(sim.reader, sim.now_us, &frame));
    wire_push_record(&sim.down, "DENIED", &verb_denied_record, &denied);
    assert_true(wire_pop(&sim.down, &frame));
    assert_true(reader_in(sim.reader, &frame, sim.now_us));
    assert_string_equal(sim.failed, "denied.principal");
    sim_close();
}

static const struct verb_opened opened_whole = {.epoch = 1, .head = 0, .first = 1, .whole = true};

/* Over a connection made anew: when is OPEN said? */
static int64_t open_after_us(void)
{
    struct frame frame;
    int64_t began_us = sim.now_us;

    reader_disconnected(sim.reader);
    reader_connected(sim.reader, sim.now_us);
    while (!reader_out(sim.reader, sim.now_us, &frame)) {
        assert_true(reader_deadline_us(sim.reader) > sim.now_us);
        sim.now_us = reader_deadline_us(sim.reader);
    }
    assert_string_equal(frame.verb, "OPEN");
    return sim.now_us - began_us;
}

static void test_later_and_later(void **state)
{
    static const int64_t want_ms[] = {0, 100, 200, 400, 800, 1600, 3200, 5000, 5000};
    const struct verb_denied full = {.code = "full", .why = "too many readers"};
    const struct verb_error error = {.code = "database", .why = "not now"};
    const struct verb_moved moved = {.endpoints_n = 0};
    const struct verb_head head = {.epoch = 1, .head = 0};
    struct reader_config config = sim_config(false, true);

    (void)state;
    sim_open(1, &config);
    (void)open_after_us();
    for (size_t i = 0; i < COUNT_OF(want_ms); i++) {
        bool went_on = i % 3 == 0   ? sim_hear("DENIED", &verb_denied_record, &full)
                       : i % 3 == 1 ? sim_hear("ERROR", &verb_error_record, &error)
                                    : sim_hear("MOVED", &verb_moved_record, &moved);
        assert_false(went_on);
        assert_int_equal(open_after_us(), want_ms[i] * 1000);
    }
    assert_true(sim_hear("OPENED", &verb_opened_record, &opened_whole));
    assert_true(sim_hear("HEAD", &verb_head_record, &head)); /* something good */
    assert_false(sim_hear("ERROR", &verb_error_record, &error));
    assert_int_equal(open_after_us(), 0);
    assert_string_equal(sim.failed, "");
    sim_close();
}

static void test_a_journal_with_a_hole_is_final(void **state)
{
    const struct verb_error error = {.code = "corrupt", .why = "a position is missing"};
    struct reader_config config = sim_config(false, true);

    (void)state;
    sim_open(1, &config);
    (void)open_after_us();
    assert_true(sim_hear("OPENED", &verb_opened_record, &opened_whole));
    assert_true(sim_hear("ERROR", &verb_error_record, &error));
    assert_string_equal(sim.failed, "corrupt");
    sim_close();
}

/* CAUGHT_UP beyond what came: where every position comes, something was lost; where not, nothing is missing, and the cursor stays. */
static void test_caught_up_beyond_what_came(void **state)
{
    const struct verb_head head = {.epoch = 1, .head = 7, .link = {9}};
    struct reader_config config = sim_config(false, false);
    struct verb_opened opened = opened_whole;
    uint64_t pos;
    uint8_t link[LINK_BYTES];

    (void)state;
    sim_open(1, &config);
    for (int i = 0; i < 3; i++) {
        (void)open_after_us();
        assert_true(sim_hear("OPENED", &verb_opened_record, &opened));
        assert_int_equal(sim_hear("CAUGHT_UP", &verb_head_record, &head), i == 2);
    }
    assert_string_equal(sim.failed, "hole");
    sim_close();

    config.verify = opened.whole = false;
    sim_open(1, &config);
    sim.told_head = 0;
    (void)open_after_us();
    assert_true(sim_hear("OPENED", &verb_opened_record, &opened));
    reader_pause(sim.reader, true);
    assert_true(sim_hear("CAUGHT_UP", &verb_head_record, &head));
    assert_int_equal(sim.told_head, 0);
    sim.beyond = true;
    reader_pause(sim.reader, false);
    reader_resume(sim.reader);
    assert_int_equal(sim.told_head, 7);
    reader_cursor(sim.reader, &pos, link);
    assert_int_equal(pos, 0);
    sim_close();
}

static void test_silent_feed_is_connected_anew(void **state)
{
    const struct verb_head head = {.epoch = 1, .head = 0};
    struct reader_config config = sim_config(false, true);

    (void)state;
    sim_open(1, &config);
    (void)open_after_us();
    for (int64_t patience_us = 5 * SECOND_US; patience_us <= 80 * SECOND_US; patience_us *= 2) {
        int64_t want_us = patience_us < 40 * SECOND_US ? patience_us : 40 * SECOND_US;
        assert_int_equal(reader_deadline_us(sim.reader), sim.now_us + want_us);
        sim.now_us += want_us;
        assert_true(reader_tick(sim.reader, sim.now_us));
        (void)open_after_us();
    }
    assert_true(sim_hear("OPENED", &verb_opened_record, &opened_whole));
    assert_true(sim_hear("HEAD", &verb_head_record, &head)); /* it is there after all */
    assert_int_equal(reader_deadline_us(sim.reader), sim.now_us + 5 * SECOND_US);
    sim_close();
}

/* F12: who has taken a batch and not given it back is still owed something, as long as there is credit. */
static void test_silence_while_there_is_credit(void **state)
{
    struct reader_config config = sim_config(false, true);
    struct frame frame;

    (void)state;
    for (int i = 0; i < 2; i++) {
        config.open.credit = i == 0 ? 8000 : 100;
        sim_open(1, &config);
        for (int k = 0; k < 4; k++)
            sim_journal_add(&sim);
        (void)open_after_us();
        assert_true(sim_hear("OPENED", &verb_opened_record, &opened_whole));
        sim.feed.open = true;
        sim_batch_send(&sim, 3);
        assert_true(wire_pop(&sim.down, &frame));
        assert_true(reader_in(sim.reader, &frame, sim.now_us));
        assert_int_equal(reader_is_spent(sim.reader), i == 1);
        assert_int_equal(reader_deadline_us(sim.reader), i == 0 ? sim.now_us + 5 * SECOND_US : INT64_MAX);
        sim_commit(&sim);
        assert_false(reader_is_spent(sim.reader));
        sim_close();
    }
}

/* What is saved up the feed does not have: it would be silent, and waited for. */
static void test_small_change_is_given_when_the_feed_has_nothing_else(void **state)
{
    struct reader_config config = sim_config(false, true);
    struct frame frame;

    (void)state;
    config.open.credit = 1000000;
    for (int i = 0; i < 2; i++) { /* how much they are; then exactly that */
        sim_open(1, &config);
        for (int k = 0; k < 40; k++)
            sim_journal_add(&sim);
        (void)open_after_us();
        sim.feed.credit = config.open.credit;
        assert_true(sim_hear("OPENED", &verb_opened_record, &opened_whole));
        for (int64_t upto = 1; upto <= 40; upto += 39) {
            sim_batch_send(&sim, upto);
            assert_true(wire_pop(&sim.down, &frame));
            assert_true(reader_in(sim.reader, &frame, sim.now_us));
        }
        config.open.credit -= sim.feed.credit;
        reader_applied(sim.reader, 1);
        assert_false(reader_is_spent(sim.reader));
        assert_int_equal(reader_out(sim.reader, sim.now_us, &frame), i == 1);
        sim_close();
    }
    assert_string_equal(frame.verb, "CREDIT");
}

static void test_cursor_goes_on(void **state)
{
    struct reader_config config = sim_config(false, false);
    uint64_t pos;

    (void)state;
    sim_open(1, &config);
    for (int i = 0; i < 50; i++)
        sim_journal_add(&sim);
    reader_connected(sim.reader, sim.now_us);
    sim_settle();
    reader_cursor(sim.reader, &pos, config.open.link);
    assert_int_equal(pos, 50);
    assert_memory_equal(config.open.link, sim.journal[50].link, LINK_BYTES);
    for (int i = 0; i < 50; i++)
        sim_journal_add(&sim);
    reader_destroy(&sim.reader);
    config.open.after = 50;
    sim.reader = reader_new(&config, &sim_listener, &sim);
    reader_connected(sim.reader, sim.now_us);
    sim_settle();
    assert_int_equal(sim.seen, 100);
    assert_string_equal(sim.failed, "");
    sim_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_live_and_feed_give_each_position_once),
        cmocka_unit_test(test_feed_alone_follows),
        cmocka_unit_test(test_filtered_reader_keeps_its_credit),
        cmocka_unit_test(test_without_trouble_one_open_is_enough),
        cmocka_unit_test(test_lost_last_message_is_fetched),
        cmocka_unit_test(test_a_head_of_an_earlier_epoch_is_none),
        cmocka_unit_test(test_moved_is_no_end),
        cmocka_unit_test(test_ahead_fork_and_denied_are_final),
        cmocka_unit_test(test_later_and_later),
        cmocka_unit_test(test_a_journal_with_a_hole_is_final),
        cmocka_unit_test(test_caught_up_beyond_what_came),
        cmocka_unit_test(test_silence_while_there_is_credit),
        cmocka_unit_test(test_silent_feed_is_connected_anew),
        cmocka_unit_test(test_small_change_is_given_when_the_feed_has_nothing_else),
        cmocka_unit_test(test_cursor_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
