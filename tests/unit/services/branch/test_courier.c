/* How much the courier says on lines of every kind: each piece once, as large as the line bears, whatever the clocks do. */
#include "bench.h"
#include "courier.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES 300000
#define SILENCE_US (15 * SECOND_US) /* the facts' heartbeat makes the connection anew */

struct stand {
    char folder[64];
    struct drawer *drawer;
    struct courier *courier;
    uint8_t sha256[DIGEST_BYTES];
    int64_t boot_us, wall_us;
    int64_t upto, said; /* the centre has; bytes that went out */
    size_t largest;
};

static int set_up(void **state)
{
    struct stand *stand = memory_new(sizeof *stand);
    char path[128], error[200] = "";
    static uint8_t content[BYTES];
    bench_folder_fast(stand->folder);
    snprintf(path, sizeof path, "%s/files.db", stand->folder);
    stand->drawer = drawer_open(path, 10 * BYTES, error, sizeof error);
    assert_non_null(stand->drawer);
    for (size_t i = 0; i < BYTES; i++)
        content[i] = (uint8_t)(i * 7 + i / 251);
    digest_of(bytes_of(content, BYTES), stand->sha256);
    assert_int_equal(drawer_expect(stand->drawer, stand->sha256, BYTES, "T-1", 1, MORNING_US), STATUS_OK);
    for (int64_t at = 0; at < BYTES; at += 100000) {
        struct verb_put put = {.offset = at, .bytes = bytes_of(content + at, 100000)};
        struct verb_have have;
        memcpy(put.sha256, stand->sha256, DIGEST_BYTES);
        assert_int_equal(drawer_put(stand->drawer, &put, MORNING_US, &have), STATUS_OK);
    }
    assert_int_equal(drawer_commit(stand->drawer), STATUS_OK);
    assert_int_equal(drawer_waiting(stand->drawer), 1);
    stand->courier = courier_new(stand->drawer);
    stand->boot_us = HOUR_US;
    stand->wall_us = MORNING_US;
    *state = stand;
    return 0;
}

static int tear_down(void **state)
{
    struct stand *stand = *state;
    courier_destroy(&stand->courier);
    drawer_close(&stand->drawer);
    bench_remove(stand->folder);
    free(stand);
    return 0;
}

static void work(struct stand *stand)
{
    assert_int_equal(courier_work(stand->courier, true, stand->boot_us, stand->wall_us), STATUS_OK);
}

/* What it says next. False: nothing. */
static bool hear(struct stand *stand, struct verb_put *put)
{
    struct frame frame;
    struct problem problem;
    work(stand);
    if (!courier_out(stand->courier, &frame))
        return false;
    assert_true(record_decode(&verb_put_record, RECORD_WHOLE, DECODE_LENIENT, frame.map, NULL, put, &problem));
    stand->said += (int64_t)put->bytes.len;
    stand->largest = put->bytes.len > stand->largest ? put->bytes.len : stand->largest;
    return true;
}

/* The centre takes what belongs there. */
static void take(struct stand *stand, const struct verb_put *put)
{
    if (put->bytes.len > 0 && put->offset == stand->upto)
        stand->upto += (int64_t)put->bytes.len;
}

static void answer(struct stand *stand, int64_t upto, const char *code)
{
    struct verb_have have = {.upto = upto, .whole = upto == BYTES};
    struct frame frame = {.verb = "HAVE"};
    struct buf map = {0};
    memcpy(have.sha256, stand->sha256, DIGEST_BYTES);
    text_copy(have.code, sizeof have.code, code);
    record_encode(&verb_have_record, RECORD_WHOLE, &have, &map);
    frame.map = buf_bytes(&map);
    courier_in(stand->courier, &frame, stand->boot_us);
    buf_release(&map);
}

/* Over a line of so many bytes a second, until it is through. Minutes that took. */
static int64_t carry(struct stand *stand, int64_t rate, int64_t trip_us)
{
    int64_t began_us = stand->boot_us;
    struct verb_put put;
    for (int turns = 0; turns < 1000 && drawer_waiting(stand->drawer) > 0; turns++) {
        if (!hear(stand, &put)) {
            stand->boot_us += SECOND_US;
            continue;
        }
        int64_t took_us = trip_us + (int64_t)put.bytes.len * SECOND_US / rate;
        if (took_us > SILENCE_US) { /* what was on its way is lost */
            stand->boot_us += SILENCE_US;
            courier_lost(stand->courier);
            continue;
        }
        stand->boot_us += took_us;
        take(stand, &put);
        answer(stand, stand->upto, "");
    }
    assert_int_equal(stand->upto, BYTES);
    assert_int_equal(drawer_waiting(stand->drawer), 0);
    return (stand->boot_us - began_us) / MINUTE_US;
}

/* 9.6 kbit/s to 100 Mbit/s, near and by satellite: hardly more than the file, and hardly longer than it must. */
static void test_lines(void **state)
{
    static const int64_t rates[] = {1200, 4000, 32000, 125000, 12500000}, trips_us[] = {20000, 300000, 700000};
    for (size_t i = 0; i < COUNT_OF(rates); i++)
        for (size_t k = 0; k < COUNT_OF(trips_us); k++) {
            tear_down(state);
            set_up(state);
            struct stand *stand = *state;
            int64_t minutes = carry(stand, rates[i], trips_us[k]);
            if (stand->said > BYTES * 12 / 10 || minutes > 1 + BYTES / rates[i] / 60 * 3 / 2)
                fail_msg("%lld bytes a second, %lld ms: %lld bytes said in %lld min", (long long)rates[i],
                         (long long)trips_us[k] / 1000, (long long)stand->said, (long long)minutes);
            if (rates[i] == 12500000)
                assert_int_equal(stand->largest, PART_BYTES_MAX); /* a wide line is used */
        }
}

/* It is wide, and all at once narrow: one piece is lost, not one after the other. */
static void test_a_line_that_narrows(void **state)
{
    struct stand *stand = *state;
    struct verb_put put;
    while (stand->largest < PART_BYTES_MAX / 2) {
        assert_true(hear(stand, &put));
        stand->boot_us += 10000;
        take(stand, &put);
        answer(stand, stand->upto, "");
    }
    int64_t before = stand->said;
    int64_t left = BYTES - stand->upto;
    (void)carry(stand, 4000, 100000);
    assert_in_range(stand->said - before, left, left + PART_BYTES_MAX + PART_BYTES_MAX / 4);
}

/* The centre's database stands still: the answer comes when another connection has been asked for, and counts for nothing. */
static void test_an_answer_that_is_late(void **state)
{
    struct stand *stand = *state;
    struct verb_put put;
    assert_true(hear(stand, &put));
    answer(stand, 0, "");
    assert_true(hear(stand, &put));
    take(stand, &put);
    stand->boot_us += 80 * SECOND_US;
    assert_false(courier_tick(stand->courier, stand->boot_us));
    stand->boot_us += 20 * SECOND_US;
    assert_false(hear(stand, &put)); /* not again over the same one */
    assert_true(courier_tick(stand->courier, stand->boot_us));
    assert_false(courier_tick(stand->courier, stand->boot_us));
    answer(stand, stand->upto, "");
    assert_true(hear(stand, &put)); /* over the new one */
    assert_int_equal(put.bytes.len, 0);
    answer(stand, stand->upto, "");
    (void)carry(stand, 32000, 20000);
    assert_in_range(stand->said, BYTES, BYTES);
}

/* A centre that takes nothing and gives no reason is asked again after a while. */
static void test_a_piece_that_is_not_taken(void **state)
{
    struct stand *stand = *state;
    struct verb_put put;
    assert_true(hear(stand, &put));
    answer(stand, 0, "");
    assert_true(hear(stand, &put));
    answer(stand, 0, "");
    assert_false(hear(stand, &put));
    stand->boot_us += 3 * SECOND_US;
    assert_true(hear(stand, &put));
    assert_int_equal(put.bytes.len, 0);
}

static bool asks(struct stand *stand)
{
    struct verb_put put;
    return hear(stand, &put);
}

/* Held for ten minutes, whatever the wall clock does. */
static void test_held(void **state)
{
    static const int64_t steps_us[] = {0, -30 * DAY_US, 30 * DAY_US};
    struct stand *stand = *state;
    for (size_t i = 0; i < COUNT_OF(steps_us); i++) {
        assert_true(asks(stand));
        answer(stand, 0, "unknown");
        work(stand);
        stand->wall_us += steps_us[i];
        stand->boot_us += 9 * MINUTE_US;
        assert_false(asks(stand));
        stand->boot_us += 2 * MINUTE_US;
    }
    assert_true(asks(stand));
    answer(stand, 0, "unknown");
    work(stand);
    /* Named by another fact it is offered behind that. */
    assert_int_equal(drawer_expect(stand->drawer, stand->sha256, BYTES, "T-1", 1, stand->wall_us), STATUS_OK);
    assert_int_equal(drawer_commit(stand->drawer), STATUS_OK);
    stand->boot_us += MINUTE_US;
    assert_true(asks(stand));
}

static void expect_both(struct stand *stand, const uint8_t other[DIGEST_BYTES], int64_t now_us)
{
    assert_int_equal(drawer_expect(stand->drawer, stand->sha256, BYTES, "T-1", 2, now_us), STATUS_OK);
    assert_int_equal(drawer_expect(stand->drawer, other, 5000, "T-2", 3, now_us), STATUS_OK);
    assert_int_equal(drawer_commit(stand->drawer), STATUS_OK);
}

/* Files of which one is here, and refused, and the other is awaited. */
static int files(struct stand *stand, int64_t now_us)
{
    struct drawer_row row;
    int n = 0;
    assert_int_equal(drawer_forget(stand->drawer, now_us), STATUS_OK);
    assert_int_equal(drawer_commit(stand->drawer), STATUS_OK);
    while (drawer_row(stand->drawer, n > 0 ? &row : NULL, "", &row) == STATUS_OK)
        n++;
    return n;
}

/* How old they are counts from the last fact that named them, as long as that says. */
static void test_named_again_they_are_kept_anew(void **state)
{
    struct stand *stand = *state;
    const uint8_t other[DIGEST_BYTES] = {9};
    expect_both(stand, other, MORNING_US);
    assert_true(asks(stand));
    answer(stand, 0, "unknown");
    work(stand);
    assert_int_equal(files(stand, MORNING_US + 13 * DAY_US), 2);
    expect_both(stand, other, MORNING_US + 13 * DAY_US);
    assert_int_equal(files(stand, MORNING_US + 26 * DAY_US), 2);
    expect_both(stand, other, MORNING_US + 89 * DAY_US);
    assert_int_equal(files(stand, MORNING_US + 91 * DAY_US), 2);
    stand->boot_us += MINUTE_US;
    assert_true(asks(stand)); /* behind the fact; and is refused again */
    answer(stand, 0, "unknown");
    work(stand);
    assert_int_equal(files(stand, MORNING_US + 102 * DAY_US), 2);
    assert_int_equal(files(stand, MORNING_US + 104 * DAY_US), 1);
    assert_int_equal(files(stand, MORNING_US + 180 * DAY_US), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_line_that_narrows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_answer_that_is_late, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_piece_that_is_not_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_held, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_named_again_they_are_kept_anew, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
