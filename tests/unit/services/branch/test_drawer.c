/* Files at the branch: taken in pieces, held through a new start, sent on when nothing else waits, from where the centre says. */
#include "bench.h"
#include "courier.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE 5000
#define BYTES 12345

struct stand {
    char folder[64], path[128];
    struct drawer *drawer;
    int64_t n; /* of the last fact */
    uint8_t content[BYTES], sha256[DIGEST_BYTES];
};

static void open_it(struct stand *stand)
{
    char error[200] = "";
    stand->drawer = drawer_open(stand->path, 100000, error, sizeof error);
    if (stand->drawer == NULL)
        print_error("%s\n", error);
    assert_non_null(stand->drawer);
}

static int set_up(void **state)
{
    struct stand *stand = memory_new(sizeof *stand);
    bench_folder(stand->folder);
    snprintf(stand->path, sizeof stand->path, "%s/files.db", stand->folder);
    for (size_t i = 0; i < BYTES; i++)
        stand->content[i] = (uint8_t)(i * 7 + i / 251);
    memcpy(stand->content, "Photo-Zxvq", 10);
    digest_of(bytes_of(stand->content, BYTES), stand->sha256);
    open_it(stand);
    *state = stand;
    return 0;
}

static int tear_down(void **state)
{
    struct stand *stand = *state;
    drawer_close(&stand->drawer);
    bench_remove(stand->folder);
    free(stand);
    return 0;
}

static struct verb_have put(struct stand *stand, int64_t offset, size_t n)
{
    struct verb_put verb = {.offset = offset, .bytes = bytes_of(stand->content + offset, n)};
    struct verb_have have;
    memcpy(verb.sha256, stand->sha256, DIGEST_BYTES);
    assert_int_equal(drawer_put(stand->drawer, &verb, MORNING_US, &have), STATUS_OK);
    assert_int_equal(drawer_commit(stand->drawer), STATUS_OK);
    return have;
}

static void expect(struct stand *stand, int64_t bytes, const char *ticket)
{
    assert_int_equal(drawer_expect(stand->drawer, stand->sha256, bytes, ticket, ++stand->n, MORNING_US), STATUS_OK);
    assert_int_equal(drawer_commit(stand->drawer), STATUS_OK);
}

static void fill(struct stand *stand)
{
    for (int64_t at = 0; at < BYTES; at += PIECE)
        (void)put(stand, at, BYTES - at < PIECE ? (size_t)(BYTES - at) : PIECE);
    assert_int_equal(drawer_waiting(stand->drawer), 1);
}

static void test_pieces(void **state)
{
    struct stand *stand = *state;
    assert_string_equal(put(stand, 0, PIECE).code, "unknown");
    expect(stand, BYTES, "T-1");
    assert_int_equal(put(stand, 0, 0).upto, 0);
    assert_string_equal(put(stand, 0, 100).code, "too-small");
    assert_int_equal(put(stand, 0, PIECE).upto, PIECE);
    assert_int_equal(put(stand, 0, PIECE).upto, PIECE);      /* twice */
    assert_int_equal(put(stand, 2 * PIECE, 2345).upto, PIECE); /* before its turn */
    drawer_close(&stand->drawer);
    open_it(stand);
    assert_int_equal(put(stand, 0, 0).upto, PIECE);
    assert_int_equal(put(stand, PIECE, PIECE).upto, 2 * PIECE);
    assert_int_equal(drawer_waiting(stand->drawer), 0);
    struct verb_have have = put(stand, 2 * PIECE, 2345);
    assert_true(have.whole);
    assert_int_equal(have.upto, BYTES);
    assert_int_equal(drawer_waiting(stand->drawer), 1);
    assert_true(put(stand, 0, 0).whole);
}

static void test_other_bytes_are_thrown_away(void **state)
{
    struct stand *stand = *state;
    expect(stand, BYTES, "T-1");
    stand->content[3] ^= 1;
    (void)put(stand, 0, 10000);
    struct verb_have have = put(stand, 10000, 2345);
    assert_string_equal(have.code, "sha256");
    assert_false(have.whole);
    assert_int_equal(have.upto, 0);
    stand->content[3] ^= 1;
    fill(stand);
}

static void test_bounds(void **state)
{
    struct stand *stand = *state;
    struct verb_have have;
    expect(stand, 10000, "T-1");
    assert_string_equal(put(stand, 0, BYTES).code, "too-large");
    assert_int_equal(drawer_expect(stand->drawer, (const uint8_t *)"another digest of thirty-two by", 200000, "T-2", 9, MORNING_US), STATUS_OK);
    static uint8_t much[100001];
    struct verb_put verb = {.bytes = bytes_of(much, sizeof much)};
    memcpy(verb.sha256, "another digest of thirty-two by", DIGEST_BYTES);
    assert_int_equal(drawer_put(stand->drawer, &verb, MORNING_US, &have), STATUS_OK);
    assert_string_equal(have.code, "busy");
    assert_int_equal(drawer_commit(stand->drawer), STATUS_OK);
}

/* A number that two cannot be added to. */
static void test_an_offset_far_away(void **state)
{
    struct stand *stand = *state;
    struct verb_have have;
    struct verb_put verb = {.offset = INT64_MAX, .bytes = bytes_of(stand->content, PIECE)};
    memcpy(verb.sha256, stand->sha256, DIGEST_BYTES);
    expect(stand, BYTES, "T-1");
    assert_int_equal(drawer_put(stand->drawer, &verb, MORNING_US, &have), STATUS_OK);
    assert_int_equal(have.upto, 0);
    assert_int_equal(drawer_commit(stand->drawer), STATUS_OK);
}

/* The first fact was wrong about its length, too short or too long; the second one is right. */
static void test_another_length(void **state)
{
    struct stand *stand = *state;
    expect(stand, 10000, "T-1");
    assert_int_equal(put(stand, 0, PIECE).upto, PIECE);
    assert_string_equal(put(stand, PIECE, BYTES - PIECE).code, "too-large");
    expect(stand, BYTES, "T-1");
    assert_int_equal(put(stand, PIECE, PIECE).upto, 2 * PIECE); /* its end, by the first one: not what the digest says */
    assert_false(put(stand, 0, 0).whole);
    assert_true(put(stand, 2 * PIECE, BYTES - 2 * PIECE).whole);
    assert_int_equal(drawer_waiting(stand->drawer), 1);
}

static void test_a_length_too_long(void **state)
{
    struct stand *stand = *state;
    expect(stand, 20000, "T-1");
    for (int64_t at = 0; at < 10000; at += PIECE)
        (void)put(stand, at, PIECE);
    assert_string_equal(put(stand, 10000, BYTES - 10000).code, "too-small"); /* nobody says that it ends there */
    expect(stand, BYTES, "T-2");
    assert_true(put(stand, 10000, BYTES - 10000).whole);
    struct drawer_row row;
    assert_int_equal(drawer_row(stand->drawer, NULL, "", &row), STATUS_OK);
    assert_int_equal(row.bytes, BYTES);
    expect(stand, 30000, "T-3"); /* whole is whole */
    assert_true(put(stand, 0, 0).whole);
}

/* All of it had come before the right fact did: the question finds it whole. */
static void test_a_length_told_late(void **state)
{
    struct stand *stand = *state;
    expect(stand, 20000, "T-1");
    (void)put(stand, 0, PIECE);
    assert_int_equal(put(stand, PIECE, BYTES - PIECE).upto, BYTES);
    expect(stand, BYTES, "T-1");
    assert_true(put(stand, 0, 0).whole);
}

static void let_go_of(struct stand *stand, const char *ticket, int64_t n)
{
    assert_int_equal(drawer_let_go(stand->drawer, stand->sha256, ticket, n), STATUS_OK);
    assert_int_equal(drawer_commit(stand->drawer), STATUS_OK);
}

static void let_go(struct stand *stand, const char *ticket)
{
    let_go_of(stand, ticket, stand->n);
}

/* As many facts as named it have to be given up; another ticket's keep it too. */
static void test_let_go(void **state)
{
    struct stand *stand = *state;
    expect(stand, BYTES, "T-1");
    expect(stand, BYTES, "T-1");
    expect(stand, BYTES, "T-2");
    fill(stand);
    let_go(stand, "T-1");
    assert_int_equal(drawer_waiting(stand->drawer), 1);
    let_go(stand, "T-1");
    assert_int_equal(drawer_waiting(stand->drawer), 1);
    let_go(stand, "T-1"); /* once too often */
    let_go(stand, "T-9");
    assert_int_equal(drawer_waiting(stand->drawer), 1);
    let_go(stand, "T-2");
    assert_int_equal(drawer_waiting(stand->drawer), 0);
    assert_int_equal(drawer_sweep(stand->drawer), STATUS_OK);
    assert_false(bench_holds(stand->path, "Photo-Zxvq"));
    assert_string_equal(put(stand, 0, PIECE).code, "unknown");
    expect(stand, BYTES, "T-1"); /* it counts from nothing */
    let_go(stand, "T-1");
    assert_string_equal(put(stand, 0, PIECE).code, "unknown");
}

/* A refused fact whose file has been forgotten since gives nothing up of what a later one named. */
static void test_let_go_of_what_has_gone(void **state)
{
    struct stand *stand = *state;
    expect(stand, BYTES, "T-1");
    fill(stand);
    assert_int_equal(drawer_sent(stand->drawer, stand->sha256, MORNING_US), STATUS_OK);
    assert_int_equal(drawer_forget(stand->drawer, MORNING_US + 91 * DAY_US), STATUS_OK);
    assert_int_equal(drawer_commit(stand->drawer), STATUS_OK);
    expect(stand, BYTES, "T-1");
    fill(stand);
    let_go_of(stand, "T-1", 1);
    assert_int_equal(drawer_waiting(stand->drawer), 1);
    drawer_close(&stand->drawer);
    open_it(stand);
    let_go_of(stand, "T-1", 1);
    assert_int_equal(drawer_waiting(stand->drawer), 1);
    let_go_of(stand, "T-1", 2);
    assert_int_equal(drawer_waiting(stand->drawer), 0);
}

static void test_an_empty_file(void **state)
{
    struct stand *stand = *state;
    digest_of(bytes_of(NULL, 0), stand->sha256);
    expect(stand, 0, "T-1");
    assert_true(put(stand, 0, 0).whole);
    assert_int_equal(drawer_waiting(stand->drawer), 1);
}

static void test_erased(void **state)
{
    struct stand *stand = *state;
    expect(stand, BYTES, "T-1");
    expect(stand, BYTES, "T-2");
    fill(stand);
    assert_int_equal(drawer_erase(stand->drawer, "T-1"), STATUS_OK);
    assert_int_equal(drawer_commit(stand->drawer), STATUS_OK);
    assert_int_equal(drawer_waiting(stand->drawer), 1); /* the other ticket's too */
    assert_int_equal(drawer_erase(stand->drawer, "T-2"), STATUS_OK);
    assert_int_equal(drawer_commit(stand->drawer), STATUS_OK);
    assert_int_equal(drawer_waiting(stand->drawer), 0);
    assert_int_equal(drawer_sweep(stand->drawer), STATUS_OK);
    assert_false(bench_holds(stand->path, "Photo-Zxvq"));
    assert_string_equal(put(stand, 0, PIECE).code, "unknown");
}

static void test_forgotten(void **state)
{
    struct stand *stand = *state;
    struct drawer_row row;
    expect(stand, BYTES, "T-1");
    (void)put(stand, 0, PIECE);
    assert_int_equal(drawer_forget(stand->drawer, MORNING_US + 13 * DAY_US), STATUS_OK);
    assert_int_equal(drawer_row(stand->drawer, NULL, "", &row), STATUS_OK);
    assert_string_equal(row.ticket, "T-1");
    assert_int_equal(drawer_row(stand->drawer, &row, "", &row), STATUS_ABSENT);
    assert_int_equal(drawer_row(stand->drawer, NULL, "T-2", &row), STATUS_ABSENT);
    assert_int_equal(drawer_forget(stand->drawer, MORNING_US + 15 * DAY_US), STATUS_OK);
    assert_int_equal(drawer_row(stand->drawer, NULL, "", &row), STATUS_ABSENT);
    assert_int_equal(drawer_commit(stand->drawer), STATUS_OK);
}

/* --- the courier: a centre that has `upto` of it ------------------------------------------------------ */

struct centre {
    struct stand *stand;
    struct courier *courier;
    int64_t upto, now_us;
    size_t pieces, largest;
    bool unsure; /* has all of it, and does not say that it is whole */
};

static void work(struct centre *centre, bool free)
{
    assert_int_equal(courier_work(centre->courier, free, centre->now_us, MORNING_US), STATUS_OK);
}

/* What the courier says, taken by the centre. False: it is silent. */
static bool hear(struct centre *centre, struct verb_put *verb)
{
    struct frame frame;
    struct problem problem;
    if (!courier_out(centre->courier, &frame))
        return false;
    assert_string_equal(frame.verb, "PUT");
    assert_true(record_decode(&verb_put_record, RECORD_WHOLE, DECODE_LENIENT, frame.map, NULL, verb, &problem));
    assert_memory_equal(verb->sha256, centre->stand->sha256, DIGEST_BYTES);
    if (verb->bytes.len == 0)
        return true;
    assert_int_equal(verb->offset, centre->upto);
    assert_memory_equal(verb->bytes.data, centre->stand->content + verb->offset, verb->bytes.len);
    centre->upto += (int64_t)verb->bytes.len;
    centre->pieces++;
    centre->largest = verb->bytes.len > centre->largest ? verb->bytes.len : centre->largest;
    return true;
}

static void answer(struct centre *centre, const char *code)
{
    struct verb_have have = {.upto = centre->upto, .whole = centre->upto == BYTES && code[0] == '\0' && !centre->unsure};
    struct frame frame = {.verb = "HAVE"};
    struct buf map = {0};
    memcpy(have.sha256, centre->stand->sha256, DIGEST_BYTES);
    text_copy(have.code, sizeof have.code, code);
    record_encode(&verb_have_record, RECORD_WHOLE, &have, &map);
    frame.map = buf_bytes(&map);
    courier_in(centre->courier, &frame, centre->now_us);
    buf_release(&map);
}

static struct centre begin(struct stand *stand)
{
    expect(stand, BYTES, "T-1");
    fill(stand);
    return (struct centre){.stand = stand, .courier = courier_new(stand->drawer), .now_us = SECOND_US};
}

static void test_sent(void **state)
{
    struct centre centre = begin(*state);
    struct verb_put verb;
    work(&centre, false);
    assert_false(hear(&centre, &verb)); /* a fact waits */
    assert_int_equal(courier_deadline_us(centre.courier), INT64_MAX);
    work(&centre, true);
    assert_true(hear(&centre, &verb));
    assert_int_equal(verb.bytes.len, 0);
    centre.upto = 4097; /* it was cut there */
    answer(&centre, "");
    for (int turns = 0; turns < 10 && drawer_waiting(centre.stand->drawer) > 0; turns++) {
        work(&centre, true);
        if (hear(&centre, &verb))
            answer(&centre, "");
    }
    assert_int_equal(centre.upto, BYTES);
    assert_int_equal(centre.pieces, 2); /* what lay here in other pieces was put together */
    assert_int_equal(centre.largest, 8192);
    assert_int_equal(drawer_waiting(centre.stand->drawer), 0);
    assert_true(put(centre.stand, 0, 0).whole); /* it is remembered */
    assert_false(bench_holds(centre.stand->path, "Photo-Zxvq"));
    courier_destroy(&centre.courier);
}

static void test_a_break_and_refusals(void **state)
{
    struct centre centre = begin(*state);
    struct verb_put verb;
    work(&centre, true);
    assert_true(hear(&centre, &verb));
    courier_lost(centre.courier);
    answer(&centre, ""); /* of the connection before */
    work(&centre, true);
    assert_true(hear(&centre, &verb));
    assert_int_equal(verb.bytes.len, 0);
    answer(&centre, "busy");
    work(&centre, true);
    assert_false(hear(&centre, &verb));
    centre.now_us += 3 * SECOND_US;
    work(&centre, true);
    assert_true(hear(&centre, &verb));
    answer(&centre, "denied"); /* held */
    work(&centre, true);
    centre.now_us += 60 * SECOND_US;
    work(&centre, true);
    assert_false(hear(&centre, &verb));
    struct drawer_row row;
    assert_int_equal(drawer_row(centre.stand->drawer, NULL, "", &row), STATUS_OK);
    assert_string_equal(row.code, "denied");
    courier_destroy(&centre.courier);
}

static void test_erased_at_the_centre(void **state)
{
    struct centre centre = begin(*state);
    struct verb_put verb;
    work(&centre, true);
    assert_true(hear(&centre, &verb));
    answer(&centre, "erased");
    work(&centre, true);
    assert_false(hear(&centre, &verb));
    assert_int_equal(drawer_waiting(centre.stand->drawer), 0);
    assert_false(bench_holds(centre.stand->path, "Photo-Zxvq"));
    courier_destroy(&centre.courier);
}

/* It was named for another ticket while its last piece was on its way: behind that fact the centre is asked again. */
static void test_a_second_ticket(void **state)
{
    struct centre centre = begin(*state);
    struct verb_put verb;
    work(&centre, true);
    assert_true(hear(&centre, &verb));
    centre.upto = BYTES;
    answer(&centre, "");
    work(&centre, false); /* the fact waits */
    assert_int_equal(drawer_waiting(centre.stand->drawer), 1);
    assert_false(hear(&centre, &verb));
    work(&centre, true);
    assert_true(hear(&centre, &verb));
    answer(&centre, "");
    work(&centre, true);
    assert_int_equal(drawer_waiting(centre.stand->drawer), 0);
    courier_destroy(&centre.courier);
}

/* The same where the first one's customer was erased: the second one's file is not taken away with it. */
static void test_a_second_ticket_of_somebody_else(void **state)
{
    struct centre centre = begin(*state);
    struct verb_put verb;
    work(&centre, true);
    assert_true(hear(&centre, &verb));
    expect(centre.stand, BYTES, "T-2");
    answer(&centre, "erased");
    work(&centre, false); /* the fact waits */
    assert_int_equal(drawer_waiting(centre.stand->drawer), 1);
    work(&centre, true);
    assert_true(hear(&centre, &verb));
    centre.upto = BYTES;
    answer(&centre, "");
    work(&centre, true);
    assert_int_equal(drawer_waiting(centre.stand->drawer), 0);
    assert_true(put(centre.stand, 0, 0).whole);
    courier_destroy(&centre.courier);
}

/* The one file waits, the others go. */
static void test_one_is_put_off(void **state)
{
    struct centre centre = begin(*state);
    struct stand *stand = centre.stand;
    struct verb_put verb, empty = {.offset = 0};
    struct verb_have have;
    struct frame frame;
    struct problem problem;
    digest_of(bytes_of(NULL, 0), empty.sha256);
    assert_int_equal(drawer_expect(stand->drawer, empty.sha256, 0, "T-2", 9, MORNING_US + 1), STATUS_OK);
    assert_int_equal(drawer_put(stand->drawer, &empty, MORNING_US + 1, &have), STATUS_OK);
    assert_int_equal(drawer_commit(stand->drawer), STATUS_OK);
    work(&centre, true);
    assert_true(hear(&centre, &verb));
    centre.upto = BYTES;
    centre.unsure = true;
    answer(&centre, "");
    work(&centre, true); /* there is no more to send of it */
    work(&centre, true);
    assert_true(courier_out(centre.courier, &frame));
    assert_true(record_decode(&verb_put_record, RECORD_WHOLE, DECODE_LENIENT, frame.map, NULL, &verb, &problem));
    assert_memory_equal(verb.sha256, empty.sha256, DIGEST_BYTES);
    assert_int_equal(drawer_waiting(stand->drawer), 2);
    assert_int_equal(drawer_forget(stand->drawer, MORNING_US + 91 * DAY_US), STATUS_OK);
    assert_int_equal(drawer_commit(stand->drawer), STATUS_OK);
    assert_int_equal(drawer_waiting(stand->drawer), 1); /* the one that nobody wants is not kept for ever */
    courier_destroy(&centre.courier);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pieces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_bytes_are_thrown_away, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bounds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_offset_far_away, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_another_length, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_length_too_long, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_length_told_late, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_let_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_let_go_of_what_has_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_empty_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_erased, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_forgotten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_break_and_refusals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_erased_at_the_centre, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_second_ticket, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_second_ticket_of_somebody_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_is_put_off, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
