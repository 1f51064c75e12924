/* A disk without room, or in doubt: for facts, for files, for what the centre answers. */
#include "desk.h"
#include "drawer_inside.h"
#include "spool_inside.h"
#include <stdio.h>
#include <string.h>

/* --- the disk --------------------------------------------------------------------------------------- */

/* SQLite's own bound stands for the disk's. */
static void bound(struct db *db, int pages)
{
    char text[80];
    snprintf(text, sizeof text, "PRAGMA max_page_count = %d", pages);
    assert_int_equal(db_run(db, text), STATUS_OK);
}

static void test_no_room_for_facts(void **state)
{
    struct desk *desk = *state;
    desk_greet(desk);
    assert_true(desk_note(desk, 10));
    desk_pass(desk, 10);
    assert_string_equal(desk_health(desk), "");
    bound(desk->office->spool->db, 40);
    while (desk_note(desk, 1400))
        assert_in_range(desk->n, 1, 200);
    assert_string_equal(desk_health(desk), "no room on the disk: nothing is taken");
    int64_t taken = office_spool(desk->office)->facts;
    assert_int_equal(taken, desk->n);
    desk_pass(desk, 60); /* it looks itself whether there is room, and finds none */
    assert_string_equal(desk_health(desk), "no room on the disk: nothing is taken");
    assert_int_equal(office_spool(desk->office)->facts, taken);
    bound(desk->office->spool->db, 4000);
    desk_pass(desk, 6);
    assert_string_equal(desk_health(desk), ""); /* nobody had to come for that */
    assert_true(desk_note(desk, 1400));
    assert_int_equal(office_spool(desk->office)->facts, taken + 1);
    /* And what was taken is there after a new start, the probes are not. */
    office_close(&desk->office);
    desk_begin(desk);
    assert_int_equal(office_spool(desk->office)->facts, taken + 1);
    assert_int_equal(office_spool(desk->office)->last, taken + 1);
}

static void test_no_room_for_files(void **state)
{
    struct desk *desk = *state;
    static uint8_t bytes[PART_BYTES_MAX];
    uint8_t sha256[DIGEST_BYTES] = {5};
    desk_greet(desk);
    desk_attach_say(desk, "T-1", sha256, 20 * PART_BYTES_MAX, 0);
    desk_turn(desk);
    assert_true(desk_is_taken(desk));
    assert_int_equal(desk_put(desk, sha256, 0, bytes_of(bytes, sizeof bytes)).upto, sizeof bytes);
    bound(desk->office->drawer->db, 80);
    struct verb_have have = {.upto = sizeof bytes};
    int64_t upto = have.upto;
    for (int i = 0; i < 20 && have.code[0] == '\0'; i++) {
        upto = have.upto;
        have = desk_put(desk, sha256, upto, bytes_of(bytes, sizeof bytes));
    }
    assert_string_equal(have.code, "busy");
    assert_memory_equal(have.why, "disk.full", 9);
    assert_string_equal(desk_health(desk), "no room on the disk: no files are taken");
    /* A fact in the same turn that names no file is taken all the same. */
    struct verb_put verb = {.offset = upto, .bytes = bytes_of(bytes, sizeof bytes)};
    memcpy(verb.sha256, sha256, DIGEST_BYTES);
    desk_say(desk, "PUT", &verb_put_record, &verb);
    desk_note_say(desk, 10);
    desk_turn(desk);
    desk_hears(desk, "HAVE", &verb_have_record, &have);
    assert_string_equal(have.code, "busy");
    assert_true(desk_is_taken(desk));
    desk_pass(desk, 30);
    assert_string_equal(desk_health(desk), "no room on the disk: no files are taken");
    bound(desk->office->drawer->db, 8000);
    desk_pass(desk, 6);
    assert_string_equal(desk_health(desk), "");
    assert_int_equal(desk_put(desk, sha256, 0, bytes_of(NULL, 0)).upto, upto); /* what was said to be there is */
    assert_int_equal(desk_put(desk, sha256, upto, bytes_of(bytes, sizeof bytes)).upto, upto + (int64_t)sizeof bytes);
}

/* A fact that names a file counts only with what the drawer has to know of it. */
static void test_no_room_for_a_files_name(void **state)
{
    struct desk *desk = *state;
    uint8_t sha256[DIGEST_BYTES] = {[DIGEST_BYTES - 1] = 1};
    bool taken = true;
    desk_greet(desk);
    bound(desk->office->drawer->db, 1); /* no page more than it has */
    for (int i = 0; i < 250 && taken; i++) {
        memcpy(sha256, &i, sizeof i);
        desk_attach_say(desk, "T-1", sha256, 5000, 0);
        desk_turn(desk);
        taken = desk_is_taken(desk);
    }
    assert_false(taken);
    assert_int_equal(office_spool(desk->office)->facts, desk->n);
    assert_string_equal(desk_put(desk, sha256, 0, bytes_of(NULL, 0)).code, "unknown");
    assert_string_equal(desk_health(desk), "no room on the disk: nothing is taken");
}

static void test_a_disk_that_is_nearly_full(void **state)
{
    struct desk *desk = *state;
    desk_turn(desk);
    assert_true(desk->office->disk_left > 0);
    desk->office->disk_left = 5 * 1024 * 1024;
    assert_string_equal(desk_health(desk), "the disk is nearly full: 5 MiB left");
    desk_pass(desk, 6);
    assert_string_equal(desk_health(desk), "");
}

/* Nobody knows whether a commit holds that the disk did not answer: whatever it was for, the process begins anew. */
static void test_a_commit_in_doubt(void **state)
{
    struct desk *desk = *state;
    const struct verb_hello hello = {.proto = {1, 1}, .proto_n = 2, .stream = "-", .source = "another", .incarnation = {8}, .first = 1};
    struct bus_peer peer;
    struct frame frame;
    desk_greet(desk);
    assert_true(desk_note(desk, 10));
    /* SQLite finds at COMMIT that it cannot. */
    assert_int_equal(db_run(desk->office->spool->db, "PRAGMA foreign_keys = ON; CREATE TABLE parent(id INTEGER PRIMARY KEY);"
                            "CREATE TABLE child(id REFERENCES parent(id) DEFERRABLE INITIALLY DEFERRED);"
                            "CREATE TRIGGER spoil AFTER INSERT ON origin BEGIN INSERT INTO child VALUES(99); END"), STATUS_OK);
    desk->peer.id[0] = 2;
    desk_say(desk, "HELLO", &verb_hello_record, &hello);
    assert_false(office_turn(desk->office, desk->now));
    assert_false(office_local_out(desk->office, &peer, &frame) && strcmp(frame.verb, "WELCOME") == 0);
}

/* A file that is damaged is told of, not only waited for. */
static void test_a_spool_that_cannot_be_read(void **state)
{
    struct desk *desk = *state;
    desk_line_up(desk, 0);
    desk_greet(desk);
    assert_true(desk_note(desk, 10));
    assert_int_equal(db_run(desk->office->spool->db, "UPDATE fact SET n = n + 5"), STATUS_OK);
    desk_feed_current(desk);
    desk_pass(desk, 10);
    assert_int_equal(desk_goes_out(desk), 0);
    assert_string_equal(desk_health(desk), "nothing goes to the centre: the spool's file cannot be read or written");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, desk_set_up, desk_tear_down)
    const struct CMUnitTest tests[] = {CASE(test_no_room_for_facts),
                                       CASE(test_no_room_for_files),
                                       CASE(test_no_room_for_a_files_name),
                                       CASE(test_a_disk_that_is_nearly_full),
                                       CASE(test_a_commit_in_doubt),
                                       CASE(test_a_spool_that_cannot_be_read)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
