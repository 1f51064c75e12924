/* The desk's part in files: which ticket a content belongs to, and when file.stored is said. */
#include "office.h"
#include "base/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define REPAIR "{\"kind\":\"repair\",\"region\":\"4401\"}"
#define PHONE "{\"customer\":{\"phone\":\"123\"}}"
#define ONES "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=" /* 32 times 1 */
#define PHOTO "{\"media\":\"image/jpeg\",\"bytes\":5000,\"sha256\":\"" ONES "\"}"
#define NAME "{\"name\":\"front door.jpg\"}"

static struct office office;
static struct file_stored stored = {.bytes = 5000};

static int setup(void **state)
{
    (void)state;
    memset(stored.sha256, 1, sizeof(stored.sha256));
    office_open(&office, CLOCK_WALL);
    office_furnish(&office);
    assert_true(office_say(&office, "gd01", "ticket.registered", "GD-7", REPAIR, PHONE));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    office_close(&office);
    return 0;
}

/* True: something was said. */
static bool say_stored(const char *ticket)
{
    uint32_t before = office.batch.entries_n;
    const struct miss *misses;
    while (taker_say_stored(&office.taker, &office.batch, ticket, &stored, office.now_us) == TAKE_MISS) {
        size_t n = tables_misses(office.taker.tables, &misses);
        assert_true(n > 0);
        for (size_t i = 0; i < n; i++) /* what is not in memory is nowhere */
            tables_fill(office.taker.tables, misses[i].table, misses[i].key, NULL);
        tables_misses_reset(office.taker.tables);
        assert_int_equal(office.batch.entries_n, before);
    }
    return office.batch.entries_n > before;
}

static const struct file_row *row_of(const char *ticket)
{
    char key[FILE_KEY_CAP];
    file_key(stored.sha256, ticket, key);
    return table_get(office.taker.tables, ARCHIVE_FILES, key);
}

static void test_attached_then_stored(void **state)
{
    struct file_stored said;
    (void)state;
    assert_false(say_stored("GD-7")); /* nobody has named it */
    assert_true(office_say(&office, "gd01", "file.attached", "GD-7", PHOTO, NAME));
    const struct file_row *row = row_of("GD-7");
    assert_non_null(row);
    assert_int_equal(row->bytes, 5000);
    assert_int_equal(row->pos, office.answer.pos);
    assert_int_equal(row->stored, 0);
    assert_true(say_stored("GD-7"));
    const struct event *event = office_last(&office, &file_stored_record, &said);
    assert_string_equal(event->type, "file.stored");
    assert_string_equal(event->key, "GD-7");
    assert_string_equal(event->region, "4401");
    assert_string_equal(event->from, "intake");
    assert_int_equal(said.bytes, 5000);
    assert_int_equal(row_of("GD-7")->stored, event->pos);
    assert_false(say_stored("GD-7")); /* once is enough */
}

static void test_named_again_it_is_awaited_again(void **state)
{
    (void)state;
    assert_true(office_say(&office, "gd01", "file.attached", "GD-7", PHOTO, NAME));
    assert_true(say_stored("GD-7"));
    int64_t stored_at = row_of("GD-7")->stored;
    assert_true(office_say(&office, "gd01", "file.attached", "GD-7", PHOTO, NULL));
    assert_int_equal(row_of("GD-7")->pos, office.answer.pos);
    assert_int_equal(row_of("GD-7")->stored, stored_at); /* naming takes nothing away */
    assert_true(say_stored("GD-7"));
    assert_true(row_of("GD-7")->stored > row_of("GD-7")->pos);
    assert_false(say_stored("GD-7"));
}

static void test_two_tickets_of_one_content(void **state)
{
    (void)state;
    assert_true(office_say(&office, "gd01", "ticket.registered", "GD-8", REPAIR, PHONE));
    assert_true(office_say(&office, "gd01", "file.attached", "GD-7", PHOTO, NAME));
    assert_true(office_say(&office, "gd01", "file.attached", "GD-8", PHOTO, NAME));
    assert_true(say_stored("GD-8"));
    assert_int_equal(row_of("GD-7")->stored, 0);
    assert_true(say_stored("GD-7"));
}

static void test_an_empty_file(void **state)
{
    (void)state;
    assert_true(office_say(&office, "gd01", "file.attached", "GD-7", "{\"bytes\":0,\"sha256\":\"" ONES "\"}", NULL));
    assert_int_equal(row_of("GD-7")->bytes, 0);
}

static void test_what_is_refused(void **state)
{
    (void)state;
    office_refuses(&office, "gd01", "file.attached", "GD-404", PHOTO, NAME, "ticket.unknown", "key");
    office_refuses(&office, "gd01", "file.attached", "GD-7", "{\"bytes\":20971521,\"sha256\":\"" ONES "\"}", NULL, "range", "bytes");
    office_refuses(&office, "gd01", "file.attached", "GD-7", "{\"bytes\":-1,\"sha256\":\"" ONES "\"}", NULL, "range", "bytes");
    office_refuses(&office, "gd01", "file.attached", "GD-7", "{\"bytes\":1}", NULL, "missing", "sha256");
    office_refuses(&office, "gd01", "file.attached", "GD-7", "{\"bytes\":1,\"name\":\"x\",\"sha256\":\"" ONES "\"}", NULL, "personal", "name");
    office_refuses(&office, "gd01", "file.stored", "GD-7", "{\"bytes\":5000,\"sha256\":\"" ONES "\"}", NULL, "denied", "type");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_attached_then_stored, setup, teardown),
        cmocka_unit_test_setup_teardown(test_named_again_it_is_awaited_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_two_tickets_of_one_content, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_empty_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
