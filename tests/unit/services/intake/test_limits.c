/* Bounds of intake's pure parts, each at its bound: tests/README.md, Limits. */
#include "callers.h"
#include "office.h"
#include "base/text.h"
#include "record/pack.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- peers out of turn ----------------------------------------------------------------------------- */

static struct bus_peer peer_at(uint32_t number)
{
    return (struct bus_peer){.len = 5, .id = {0, (uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number}};
}

static int heard(struct callers *callers, const struct bus_peer *peer, int tries, int64_t boot_us)
{
    int n = 0;
    for (int i = 0; i < tries; i++)
        n += caller_may(callers, peer, boot_us);
    return n;
}

static void test_a_peer_out_of_turn_is_heard_by_measure(void **state)
{
    struct callers callers;
    struct bus_peer one = peer_at(7), other = peer_at(8);
    (void)state;
    callers_init(&callers);
    assert_int_equal(heard(&callers, &one, 1000, SECOND_US), CALLER_BURST);
    assert_int_equal(heard(&callers, &other, 1000, SECOND_US), CALLER_BURST); /* its neighbour is not its fault */
    assert_int_equal(heard(&callers, &one, 1000, 2 * SECOND_US), CALLER_PER_SECOND);
    assert_int_equal(heard(&callers, &one, 1000, 2 * SECOND_US), 0);
    assert_int_equal(heard(&callers, &one, 1000, 3600 * SECOND_US), CALLER_BURST); /* an hour of silence saves no more */
    /* One more than are remembered: the later counts. */
    struct bus_peer later = peer_at(7 + CALLERS_MAX);
    assert_int_equal(heard(&callers, &later, 1000, 3600 * SECOND_US), CALLER_BURST);
    assert_int_equal(heard(&callers, &one, 1, 3600 * SECOND_US), 1);
    callers_release(&callers);
}

/* --- refusals of a day ----------------------------------------------------------------------------- */

static void test_a_source_has_so_many_refusals_kept(void **state)
{
    struct source_row source = {.last = 0};
    int64_t noon_us = 20000 * DAY_US + 12 * HOUR_US;
    (void)state;
    for (int i = 0; i < 3; i++)
        assert_true(source_keeps_refusal(&source, noon_us, 100, 3));
    assert_false(source_keeps_refusal(&source, noon_us, 100, 3));
    assert_int_equal(source.unkept, 1);
    assert_false(source_keeps_refusal(&source, noon_us + 12 * HOUR_US - 1, 1, 3));
    assert_true(source_keeps_refusal(&source, noon_us + 12 * HOUR_US, 1, 3)); /* another day */
    assert_int_equal(source.unkept, 2);
    /* By bytes. */
    source = (struct source_row){.last = 0};
    assert_true(source_keeps_refusal(&source, noon_us, REFUSED_BYTES_PER_DAY, 3));
    assert_false(source_keeps_refusal(&source, noon_us, 1, 3));
    source = (struct source_row){.last = 0};
    assert_false(source_keeps_refusal(&source, noon_us, REFUSED_BYTES_PER_DAY + 1, 3));
}

/* Beyond the measure the number is consumed, answered, and stored; good events pass. */
static void test_beyond_it_they_are_answered(void **state)
{
    struct office office;
    (void)state;
    office_open(&office, CLOCK_WALL);
    office_furnish(&office);
    office.taker.refused_per_day = 2;
    uint32_t kept = office.batch.refusals_n;
    for (int i = 0; i < 5; i++)
        office_refuses(&office, "operator", "ticket.registered", "", "{}", NULL, "missing", "kind");
    assert_int_equal(office.batch.refusals_n - kept, 2);
    assert_int_equal(office.batch.unkept_n, 3);
    assert_int_equal(office_source(&office, "operator")->unkept, 3);
    assert_true(office_source(&office, "operator")->dirty);
    assert_true(office_say(&office, "operator", "customer.updated", "C1", "{\"grade\":\"key\"}", NULL));
    office_close(&office);
}

/* --- batches --------------------------------------------------------------------------------------- */

static void test_a_batch_is_full(void **state)
{
    struct journal journal = {.own_n = 0};
    struct batch batch = {.entries_n = 0};
    (void)state;
    journal_batch_begin(&batch, &journal);
    assert_true(journal_batch_is_empty(&batch));
    batch.unkept_n = 1;
    assert_false(journal_batch_is_empty(&batch)); /* a number is to be stored */
    batch.unkept_n = BATCH_EVENTS_MAX - 1;
    assert_false(journal_batch_is_full(&batch, BATCH_EVENTS_MAX));
    batch.unkept_n = BATCH_EVENTS_MAX;
    assert_true(journal_batch_is_full(&batch, BATCH_EVENTS_MAX));
    journal_batch_begin(&batch, &journal);
    batch.corrected_n = BATCH_CORRECTED_MAX - 1;
    assert_false(journal_batch_is_full(&batch, BATCH_EVENTS_MAX));
    batch.corrected_n = BATCH_CORRECTED_MAX;
    assert_true(journal_batch_is_full(&batch, BATCH_EVENTS_MAX));
    journal_batch_begin(&batch, &journal);
    uint8_t *bytes = memory_new(BATCH_BYTES_MAX);
    journal_batch_keep(&batch, bytes_of(bytes, BATCH_BYTES_MAX - 1));
    assert_false(journal_batch_is_full(&batch, BATCH_EVENTS_MAX));
    journal_batch_keep(&batch, bytes_of(bytes, 1));
    assert_true(journal_batch_is_full(&batch, BATCH_EVENTS_MAX));
    free(bytes);
    journal_batch_release(&batch);
}

/* --- an event -------------------------------------------------------------------------------------- */

/* A draft of exactly so many bytes. */
static void draft_of(size_t bytes, struct buf *out)
{
    static char text[DRAFT_BYTES_MAX + 100];
    memset(text, 'x', sizeof(text));
    size_t n = bytes;
    do {
        buf_reset(out);
        pack_map(out, 2);
        pack_text(out, "type");
        pack_text(out, "ticket.noted");
        pack_text(out, "data");
        pack_map(out, 1);
        pack_text(out, "text");
        pack_text_n(out, text, n);
        n -= out->len > bytes ? out->len - bytes : 0;
    } while (out->len > bytes);
    assert_int_equal(out->len, bytes);
}

static void test_an_event_has_room_for_what_intake_adds(void **state)
{
    struct buf raw = {0};
    struct posted posted;
    struct problem problem;
    (void)state;
    draft_of(DRAFT_BYTES_MAX, &raw);
    assert_true(posted_decode(buf_bytes(&raw), &posted, &problem));
    /* With the longest of everything around it is still an event that a worker can set aside (common/worker/parking.c). */
    struct event event = {.pos = UINT64_MAX >> 1, .v = 1, .n = UINT64_MAX >> 1, .at_us = 1, .rec_us = 2, .cause = UINT64_MAX >> 1, .has_pd = true, .cut = true,
                          .data = posted.data};
    struct buf body = {0};
    memset(event.id, 'i', sizeof(event.id) - 1);
    memset(event.key, 'k', sizeof(event.key) - 1);
    memset(event.region, 'r', sizeof(event.region) - 1);
    memset(event.site, 's', sizeof(event.site) - 1);
    memset(event.from, 'f', sizeof(event.from) - 1);
    memset(event.by, 'b', sizeof(event.by) - 1);
    text_copy(event.type, sizeof(event.type), posted.type);
    event_encode(&event, &body);
    assert_in_range(body.len + SALT_BYTES + 8, DRAFT_BYTES_MAX, EVENT_BYTES_MAX);
    draft_of(DRAFT_BYTES_MAX + 1, &raw);
    assert_false(posted_decode(buf_bytes(&raw), &posted, &problem));
    assert_string_equal(problem.code, "too-long");
    buf_release(&raw);
    buf_release(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_peer_out_of_turn_is_heard_by_measure),
                                       cmocka_unit_test(test_a_source_has_so_many_refusals_kept),
                                       cmocka_unit_test(test_beyond_it_they_are_answered),
                                       cmocka_unit_test(test_a_batch_is_full),
                                       cmocka_unit_test(test_an_event_has_room_for_what_intake_adds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
