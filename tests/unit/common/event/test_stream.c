/* The machinery's own words go over the wire and back, and say what they lack. */
#include "event/stream.h"

#include "base/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_goes_round(const struct record *record, const void *object)
{
    struct buf map = {0};
    struct problem problem = {0};
    void *back = memory_new(record->size);

    record_encode(record, RECORD_PLAIN, object, &map);
    if (!record_decode(record, RECORD_PLAIN, DECODE_STRICT, buf_bytes(&map), NULL, back, &problem))
        fail_msg("%s: %s %s %s", record->name, problem.code, problem.field, problem.args);
    assert_true(record_equal(record, object, back));
    free(back);
    buf_release(&map);
}

static void test_each_goes_round(void **state)
{
    struct stream_created created = {.stream = "boston-12345678", .clock = CLOCK_STEPPED, .start_us = 5000000,
                                     .clock_source = "import", .workers = {"dispatcher", "reporting"}, .workers_n = 2,
                                     .operator_keys = {{7}, {8}}, .operator_keys_n = 2};
    struct principal principal = {.id = "bj", .kind = PRINCIPAL_SITE, .keys = {{1}}, .keys_n = 1, .types = {"job."},
                                  .types_n = 1, .regions = {"11"}, .regions_n = 1, .sites = {"s7"}, .sites_n = 1,
                                  .personal = true};
    struct principal_revoked revoked = {.id = "bj", .reason = "left"};
    struct source_enrolled enrolled = {.source = "bj/2", .incarnation = {9}};
    struct source_frozen frozen = {.source = "bj", .n = 4, .reason = "two contents"};
    struct access_denied denied = {.principal = "bj", .address = "10.0.0.1", .code = "principal", .count = 12};
    struct journal_sealed sealed = {.pos = 70000, .link = {3}};
    struct time_reached reached = {.time_us = 1000000};
    struct event_parked parked = {.pos = 5, .worker = "dispatcher", .reason = "no such site"};
    struct event_released released = {.pos = 5, .worker = "dispatcher"};
    struct event_dropped dropped = {.pos = 5, .worker = "dispatcher", .reason = "entered twice"};
    struct event_corrected corrected = {.source = "bj", .n = 4, .pos = 9, .code = "missing", .field = "kind"};
    struct personal_erased erased = {.customer = "c1", .reason = "asked for"};
    struct file_stored stored = {.sha256 = {4}, .bytes = 99, .name = "a.jpg", .media = "image/jpeg"};
    const struct {
        const struct record *record;
        const void *object;
    } rows[] = {
        {&stream_created_record, &created},   {&principal_record, &principal},
        {&principal_revoked_record, &revoked}, {&source_enrolled_record, &enrolled},
        {&source_frozen_record, &frozen},     {&access_denied_record, &denied},
        {&journal_sealed_record, &sealed},    {&time_reached_record, &reached},
        {&event_parked_record, &parked},      {&event_released_record, &released},
        {&event_dropped_record, &dropped},    {&event_corrected_record, &corrected},
        {&personal_erased_record, &erased},
        {&file_stored_record, &stored},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_goes_round(rows[i].record, rows[i].object);
        for (size_t f = 0; f < rows[i].record->n; f++)
            assert_non_null(rows[i].record->fields[f].doc);
    }
}

static void test_required_fields_are_missed(void **state)
{
    static const struct {
        const struct record *record;
        const char *field;
    } rows[] = {
        {&stream_created_record, "stream"},    {&principal_record, "id"},
        {&principal_revoked_record, "id"},     {&source_enrolled_record, "source"},
        {&source_frozen_record, "source"},     {&access_denied_record, "code"},
        {&journal_sealed_record, "pos"},       {&time_reached_record, "time"},
        {&event_parked_record, "pos"},         {&event_released_record, "pos"},
        {&event_dropped_record, "pos"},        {&personal_erased_record, "customer"},
        {&file_stored_record, "sha256"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct problem problem = {0};
        void *object = memory_new(rows[i].record->size);
        assert_false(record_decode(rows[i].record, RECORD_PLAIN, DECODE_STRICT, bytes_of("\x80", 1), NULL, object, &problem));
        assert_string_equal(problem.code, "missing");
        assert_string_equal(problem.field, rows[i].field);
        free(object);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_goes_round),
        cmocka_unit_test(test_required_fields_are_missed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
