/* Positions without holes, links, monotone and stepped time, numbers. */
#include "office.h"
#include "base/text.h"
#include "record/pack.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct office office;

static int setup(void **state)
{
    (void)state;
    office_open(&office, CLOCK_WALL);
    office_furnish(&office);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    office_close(&office);
    return 0;
}

static void note(void)
{
    assert_true(office_say(&office, "operator", "customer.updated", "C1", "{\"grade\":\"key\"}", "{\"phone\":\"1\"}"));
}

static void test_positions_and_links(void **state)
{
    uint8_t link[LINK_BYTES];
    uint64_t pos = 0;
    (void)state;
    for (int i = 0; i < 40; i++)
        note();
    link_first("test-00000000", link);
    for (uint32_t i = 0; i < office.batch.entries_n; i++) {
        const struct entry *entry = &office.batch.entries[i];
        const struct event *event = office_event(&office, i, NULL, NULL);
        assert_int_equal(entry->pos, ++pos);
        assert_int_equal(event->pos, pos);
        link_next(link, journal_batch_bytes(&office.batch, entry->body), link);
        assert_memory_equal(entry->link, link, LINK_BYTES);
    }
    assert_memory_equal(office.taker.journal.head.link, link, LINK_BYTES);
    assert_int_equal(office.batch.after.pos, pos);
}

/* What was sent and what was answered are linked beside the bodies; where a row has neither its seal is the one before. */
static void test_seals(void **state)
{
    static const uint8_t no_digest[DIGEST_BYTES];
    uint8_t seal[SEAL_BYTES] = {0};
    (void)state;
    for (int i = 0; i < 10; i++)
        note();
    for (uint32_t i = 0; i < office.batch.entries_n; i++) {
        const struct entry *entry = &office.batch.entries[i];
        bool own = memcmp(entry->digest, no_digest, DIGEST_BYTES) == 0;
        uint8_t before[SEAL_BYTES];
        memcpy(before, seal, SEAL_BYTES);
        seal_next(before, own ? bytes_of(NULL, 0) : bytes_of(entry->digest, DIGEST_BYTES),
                  journal_batch_bytes(&office.batch, entry->result), seal);
        assert_memory_equal(entry->seal, seal, SEAL_BYTES);
        assert_int_equal(memcmp(before, seal, SEAL_HALF) == 0, own);
    }
    assert_memory_equal(office.batch.after.seal, seal, SEAL_BYTES);
}

/* The first event of a day says the link before it; what time did while nothing was appended is no matter. */
static void test_a_day_is_sealed(void **state)
{
    struct journal_sealed sealed;
    uint8_t link[LINK_BYTES];
    (void)state;
    note();
    uint32_t before = office.batch.entries_n;
    memcpy(link, office.taker.journal.head.link, LINK_BYTES);
    office.now_us += 13 * HOUR_US; /* past midnight */
    office.taker.journal.head.rec_us = office.now_us; /* as a head said it in between */
    note();
    note();
    assert_int_equal(office.batch.entries_n, before + 3);
    const struct event *event = office_event(&office, before, &journal_sealed_record, &sealed);
    assert_string_equal(event->type, "journal.sealed");
    assert_string_equal(event->from, "intake");
    assert_int_equal(sealed.pos, before);
    assert_memory_equal(sealed.link, link, LINK_BYTES);
    assert_string_equal(office_event(&office, before + 1, NULL, NULL)->type, "customer.updated");
    office.now_us += HOUR_US;
    note();
    assert_int_equal(office.batch.entries_n, before + 4);
}

static void test_rec_never_goes_back(void **state)
{
    (void)state;
    note();
    int64_t first = office_last(&office, NULL, NULL)->rec_us;
    office.now_us -= HOUR_US;
    note();
    assert_int_equal(office_last(&office, NULL, NULL)->rec_us, first);
    office.now_us += 2 * HOUR_US;
    note();
    assert_int_equal(office_last(&office, NULL, NULL)->rec_us, first + HOUR_US);
}

static void test_a_time_to_come_is_cut(void **state)
{
    (void)state;
    office.at_us = office.now_us + HOUR_US;
    note();
    assert_true(office_last(&office, NULL, NULL)->cut);
    assert_int_equal(office.event.at_us, office.now_us);
    office.at_us = office.now_us - HOUR_US;
    note();
    assert_false(office_last(&office, NULL, NULL)->cut);
    assert_int_equal(office.event.at_us, office.now_us - HOUR_US);
}

static void test_priv_lies_beside(void **state)
{
    uint8_t digest[DIGEST_BYTES];
    (void)state;
    note();
    const struct event *event = office_last(&office, NULL, NULL);
    assert_true(event->has_pd);
    digest_of(event->priv, digest);
    assert_memory_equal(event->pd, digest, DIGEST_BYTES);
    office_refuses(&office, "operator", "customer.updated", "C1", "{\"phone\":\"1\"}", NULL, "personal", "phone");
}

static void test_stepped_time_stands_until_moved(void **state)
{
    struct office stepped;
    (void)state;
    office_open(&stepped, CLOCK_STEPPED);
    office_furnish(&stepped);
    int64_t start = stepped.taker.journal.head.rec_us;
    stepped.now_us += DAY_US;
    assert_true(office_say(&stepped, "import", "customer.updated", "C1", NULL, NULL));
    assert_int_equal(office_last(&stepped, NULL, NULL)->rec_us, start);
    journal_step(&stepped.taker.journal, start + HOUR_US);
    assert_true(office_say(&stepped, "import", "time.reached", "", "{\"time\":\"2011-07-01T13:00:00Z\"}", NULL));
    assert_int_equal(office_last(&stepped, NULL, NULL)->rec_us, start + HOUR_US);
    office_refuses(&stepped, "operator", "time.reached", "", "{\"time\":\"2011-07-01T13:00:00Z\"}", NULL, "denied", "type");
    journal_step(&stepped.taker.journal, start); /* not back */
    stepped.at_us = start + HOUR_US / 2;
    assert_true(office_say(&stepped, "import", "customer.updated", "C1", NULL, NULL));
    assert_int_equal(office_last(&stepped, NULL, NULL)->rec_us, start + HOUR_US);
    assert_int_equal(stepped.event.at_us, start + HOUR_US / 2); /* no fact of the step is cut */
    assert_false(stepped.event.cut);
    office_close(&stepped);
}

static void test_a_refusal_consumes_its_number_and_is_kept(void **state)
{
    (void)state;
    note();
    uint32_t kept = office.batch.refusals_n;
    office_refuses(&office, "operator", "no.such", "C1", NULL, NULL, "type.unknown", "type");
    assert_int_equal(office.batch.refusals_n, kept + 1);
    const struct refusal *refusal = &office.batch.refusals[kept];
    assert_int_equal(refusal->n, office_source(&office, "operator")->last);
    assert_string_equal(refusal->problem.code, "type.unknown");
    assert_true(refusal->event.len > 0);
    uint8_t digest[DIGEST_BYTES];
    digest_of(buf_bytes(&office.draft), digest);
    assert_memory_equal(refusal->digest, digest, DIGEST_BYTES);
}

static void test_ids(void **state)
{
    (void)state;
    note();
    assert_string_equal(office_last(&office, NULL, NULL)->from, "operator");
    assert_string_equal(office.event.id, "operator/2"); /* 1 was the policy */
    assert_string_equal(office_event(&office, 0, NULL, NULL)->id, "intake/1");
}

static void test_malformed(void **state)
{
    static const uint8_t not_a_map[] = {0x01}, data_is_text[] = {0x82, 0xa4, 't', 'y', 'p', 'e', 0xa1, 'x', 0xa4, 'd', 'a', 't', 'a', 0xa1, 'y'};
    struct posted posted;
    struct problem problem;
    (void)state;
    assert_false(posted_decode(bytes_of(not_a_map, sizeof(not_a_map)), &posted, &problem));
    assert_false(posted_decode(bytes_of(data_is_text, sizeof(data_is_text)), &posted, &problem));
    assert_string_equal(problem.field, "data");
}

/* A mistyped `cause` would be lost without a word. What is kept of a refused one is read all the same. */
static void test_a_key_that_nobody_reads_is_refused(void **state)
{
    static const uint8_t mistyped[] = {0x82, 0xa4, 't', 'y', 'p', 'e', 0xa1, 'x', 0xa5, 'c', 'a', 'u', 's', 's', 0x07};
    struct posted posted;
    struct problem problem;
    (void)state;
    assert_false(posted_decode_strictly(bytes_of(mistyped, sizeof(mistyped)), &posted, &problem));
    assert_string_equal(problem.code, "unknown-field");
    assert_string_equal(problem.field, "causs");
    assert_true(posted_decode(bytes_of(mistyped, sizeof(mistyped)), &posted, &problem));
    assert_string_equal(posted.type, "x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_positions_and_links, setup, teardown),
        cmocka_unit_test_setup_teardown(test_seals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_day_is_sealed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rec_never_goes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_time_to_come_is_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(test_priv_lies_beside, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stepped_time_stands_until_moved, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_refusal_consumes_its_number_and_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ids, setup, teardown),
        cmocka_unit_test_setup_teardown(test_malformed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_key_that_nobody_reads_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
