/* The reader against a feed whose events are not what they were, or not all of them: what passes, and what is final. */
#include "unit/common/bus/fake_feed.h"

/* What is damaged behind the same position three times in turn is final, and nothing of its batch was delivered. */
static void test_a_changed_byte_is_no_part_of_it(void **state)
{
    struct reader_config config = sim_config(false, false);

    (void)state;
    for (int64_t pos = 1; pos <= 30; pos += 7) {
        sim_open((uint64_t)pos, &config);
        for (int i = 0; i < 30; i++)
            sim_journal_add(&sim);
        sim.hurt = pos;
        sim.hurt_opens = 100;
        reader_connected(sim.reader, sim.now_us);
        sim_settle();
        assert_string_equal(sim.failed, sim.journal[pos].priv ? "priv" : "link"); /* it ends with the personal part's digest */
        assert_true(sim.opens >= 3); /* batches are of any size: behind another position it is counted anew */
        assert_true(sim.seen < (uint64_t)pos);
        assert_int_equal(sim.seen, reader_position(sim.reader));
        sim_close();
    }
}

static void test_damage_that_passes(void **state)
{
    struct reader_config config = sim_config(false, false);

    (void)state;
    for (int64_t opens = 1; opens <= 2; opens++) {
        sim_open(5, &config);
        for (int i = 0; i < 60; i++)
            sim_journal_add(&sim);
        sim.hurt = 19;
        sim.hurt_opens = opens;
        reader_connected(sim.reader, sim.now_us);
        sim_settle();
        assert_string_equal(sim.failed, "");
        assert_int_equal(sim.opens, opens + 1);
        assert_int_equal(sim.told_head, 60);
        sim_close();
    }
    config.tries = 1; /* who cannot go on after it */
    sim_open(5, &config);
    for (int i = 0; i < 60; i++)
        sim_journal_add(&sim);
    sim.hurt = 19;
    sim.hurt_opens = 1;
    reader_connected(sim.reader, sim.now_us);
    sim_settle();
    assert_string_equal(sim.failed, "link");
    sim_close();
}

static void test_another_personal_part(void **state)
{
    static const uint8_t other[] = {0x92, 0xc4, 0x01, 0x07, 0x81, 0xa1, 'k', 0x01}, none[] = {0xc0};
    struct reader_config config = sim_config(false, false);

    (void)state;
    for (int i = 0; i < 2; i++) {
        sim_open(1, &config);
        for (int k = 0; k < 20; k++)
            sim_journal_add(&sim);
        sim.hurt = i == 0 ? 10 : 11; /* where there is one, and where none was recorded */
        sim.hurt_opens = 100;
        sim.false_priv = i == 0 ? bytes_of(other, sizeof other) : bytes_of(none, sizeof none);
        reader_connected(sim.reader, sim.now_us);
        sim_settle();
        assert_string_equal(sim.failed, "priv");
        assert_true(sim.seen < 10);
        sim_close();
    }
}

/* F14: a newer version of what is needed stops the reader at once, before its batch. */
static void test_a_version_that_is_needed(void **state)
{
    static const struct {
        const char *needs[3];
        const char *want;
    } rows[] = {
        {{"ticket.noted/1", "job.offered/1"}, ""}, {{"ticket.noted/1", "job.offered/0"}, "version"}, {{"job/0", "job.offere/0"}, ""},
        {{"job.offered.x/0"}, ""},                 {{"job.offered/12"}, ""},
    };
    struct reader_config config = sim_config(false, false);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        config.needs = rows[i].needs;
        sim_open(1, &config);
        for (int k = 0; k < 20; k++)
            sim_journal_add(&sim);
        reader_connected(sim.reader, sim.now_us);
        sim_settle();
        assert_string_equal(sim.failed, rows[i].want);
        assert_int_equal(sim.opens, 1);
        assert_true(rows[i].want[0] == '\0' ? sim.seen == 20 : sim.seen < 3);
        sim_close();
    }
}

/* A principal that sees a part, without a filter: holes are right, and its cursor stands where its batches end. Who has to have
 * every position is told that it will not get them. */

static void test_a_narrow_right(void **state)
{
    struct reader_config config = sim_config(false, true);
    uint64_t pos;
    uint8_t link[LINK_BYTES];

    (void)state;
    config.verify = false;
    sim_open(1, &config);
    sim.narrow = true;
    for (int i = 0; i < 40; i++)
        sim_journal_add(&sim);
    reader_connected(sim.reader, sim.now_us);
    sim_settle();
    assert_string_equal(sim.failed, "");
    assert_int_equal(sim.opens, 1);
    assert_int_equal(sim.seen, 39);
    assert_int_equal(sim.events, 13);
    assert_int_equal(sim.told_head, 40);
    reader_cursor(sim.reader, &pos, link);
    assert_int_equal(pos, 40);
    assert_memory_equal(link, sim.journal[40].link, LINK_BYTES);
    sim_close();

    for (int live = 0; live < 2; live++) {
        config = sim_config(live == 1, false);
        config.verify = live == 0;
        sim_open(1, &config);
        sim.narrow = true;
        sim_journal_add(&sim);
        reader_connected(sim.reader, sim.now_us);
        sim_settle();
        assert_string_equal(sim.failed, "denied.rights");
        sim_close();
    }
}

static void test_changed_live_byte_is_corrupt(void **state)
{
    struct reader_config config = sim_config(true, false);

    (void)state;
    sim_open(1, &config);
    reader_connected(sim.reader, sim.now_us);
    sim_settle();
    assert_true(reader_is_live(sim.reader));
    sim_journal_add(&sim);
    sim.journal[1].body.data[sim.journal[1].body.len - 1] ^= 1;
    sim.verify = false;
    sim_live_event(&sim, 1);
    assert_string_equal(sim.failed, "");
    sim_live_head(&sim);
    assert_string_equal(sim.failed, "link");
    sim_close();
}

static void test_wrong_positions_are_a_hole(void **state)
{
    struct reader_config config = sim_config(false, false);

    (void)state;
    config.verify = false;
    sim_open(1, &config);
    for (int i = 0; i < 6; i++)
        sim_journal_add(&sim);
    struct buf moved = sim.journal[3].body; /* position 4's body stands where 3's was */
    sim.journal[3].body = sim.journal[4].body;
    sim.journal[4].body = moved;
    reader_connected(sim.reader, sim.now_us);
    sim.seen = 0;
    sim_settle();
    assert_string_equal(sim.failed, "hole");
    assert_true(sim.seen < 3);
    assert_int_equal(sim.seen, reader_position(sim.reader));
    sim_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_changed_byte_is_no_part_of_it),
        cmocka_unit_test(test_damage_that_passes),
        cmocka_unit_test(test_another_personal_part),
        cmocka_unit_test(test_a_version_that_is_needed),
        cmocka_unit_test(test_a_narrow_right),
        cmocka_unit_test(test_changed_live_byte_is_corrupt),
        cmocka_unit_test(test_wrong_positions_are_a_hole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
