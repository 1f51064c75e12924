/* The branch in one piece, without sockets: applications, the centre's two connections and the disk are spoken by hand. */
#include "bench.h"
#include "fact.h"
#include "office_inside.h"
#include "drawer_inside.h"
#include "proto/questions.h"
#include "spool_inside.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PHOTO 9000

struct stand {
    char folder[64], path[128];
    struct office *office;
    struct office_now now;
    struct bus_peer peer;
    struct buf out, heard;
    struct arena *arena;
    uint8_t photo[PHOTO], sha256[DIGEST_BYTES];
    int64_t n; /* the application's */
    bool linked; /* over the centre's connections somebody answers */
};

static void begin(struct stand *stand)
{
    char error[300] = "";
    const struct office_config config = {.folder = stand->folder,
                                         .source = "branch-gz",
                                         .stream = "test-00000000",
                                         .prefix = "GZ",
                                         .zone = zone_find("Asia/Shanghai"),
                                         .limits = {.facts_max = 1000, .bytes_max = 1 << 30},
                                         .file_bytes_max = 1 << 30};
    stand->office = office_open(&config, stand->now, error, sizeof error);
    if (stand->office == NULL)
        print_error("%s\n", error);
    assert_non_null(stand->office);
}

static int set_up(void **state)
{
    struct stand *stand = memory_new(sizeof *stand);
    bench_folder_fast(stand->folder);
    snprintf(stand->path, sizeof stand->path, "%s/files.db", stand->folder);
    stand->now = (struct office_now){.wall_us = MORNING_US, .boot_us = HOUR_US};
    stand->peer = (struct bus_peer){.len = 1, .id = {1}};
    stand->arena = arena_new(64 * 1024);
    for (size_t i = 0; i < PHOTO; i++)
        stand->photo[i] = (uint8_t)(i * 7 + i / 251);
    memcpy(stand->photo, "Photo-Zxvq", 10);
    digest_of(bytes_of(stand->photo, PHOTO), stand->sha256);
    begin(stand);
    *state = stand;
    return 0;
}

static int tear_down(void **state)
{
    struct stand *stand = *state;
    office_close(&stand->office);
    bench_remove(stand->folder);
    arena_destroy(&stand->arena);
    buf_release(&stand->out);
    buf_release(&stand->heard);
    free(stand);
    return 0;
}

static void turn(struct stand *stand)
{
    assert_true(office_turn(stand->office, stand->now));
}

/* Second by second, as the edge's tick makes them. */
static void pass(struct stand *stand, int64_t seconds)
{
    for (int64_t i = 0; i < seconds; i++) {
        stand->now.wall_us += SECOND_US;
        stand->now.boot_us += SECOND_US;
        turn(stand);
    }
}

/* --- an application --------------------------------------------------------------------------------- */

static void say(struct stand *stand, const char *verb, const struct record *record, const void *data)
{
    struct frame frame;
    buf_reset(&stand->out);
    record_encode(record, RECORD_WHOLE, data, &stand->out);
    (void)text_copy(frame.verb, sizeof frame.verb, verb);
    frame.map = buf_bytes(&stand->out);
    office_local(stand->office, &stand->peer, &frame, stand->now);
}

static void hears(struct stand *stand, const char *verb, const struct record *record, void *out)
{
    struct bus_peer peer;
    struct frame frame;
    struct problem problem;
    if (!office_local_out(stand->office, &peer, &frame))
        fail_msg("%s: nothing was said", verb);
    assert_string_equal(frame.verb, verb);
    buf_reset(&stand->heard);
    buf_append(&stand->heard, frame.map.data, frame.map.len);
    arena_reset(stand->arena);
    assert_true(record_decode(record, RECORD_WHOLE, DECODE_LENIENT, buf_bytes(&stand->heard), stand->arena, out, &problem));
}

static void greet(struct stand *stand)
{
    const struct verb_hello hello = {
        .proto = {1, 1}, .proto_n = 2, .stream = "-", .source = "counter", .incarnation = {7}, .first = stand->n + 1, .last = stand->n};
    struct verb_welcome welcome;
    say(stand, "HELLO", &verb_hello_record, &hello);
    turn(stand);
    hears(stand, "WELCOME", &verb_welcome_record, &welcome);
}

static void append(struct stand *stand, struct bytes draft)
{
    struct bytes items[] = {draft};
    const struct verb_append verb = {.n = stand->n + 1, .events = {.items = items, .n = 1}, .upto = -1};
    say(stand, "APPEND", &verb_append_record, &verb);
}

/* True: it was taken. False: BUSY, disk.full. */
static bool is_taken(struct stand *stand)
{
    struct bus_peer peer;
    struct frame frame;
    struct verb_busy busy;
    struct problem problem;
    assert_true(office_local_out(stand->office, &peer, &frame));
    if (strcmp(frame.verb, "ACK") == 0) {
        stand->n++;
        return true;
    }
    assert_string_equal(frame.verb, "BUSY");
    assert_true(record_decode(&verb_busy_record, RECORD_WHOLE, DECODE_LENIENT, frame.map, NULL, &busy, &problem));
    assert_memory_equal(busy.why, "disk.full", 9);
    return false;
}

static void note_say(struct stand *stand, size_t n)
{
    char text[1500];
    struct buf draft = {0};
    memset(text, 'x', sizeof text);
    text[n] = '\0';
    bench_note("T-1", text, &draft);
    append(stand, buf_bytes(&draft));
    buf_release(&draft);
}

static bool note(struct stand *stand, size_t n)
{
    note_say(stand, n);
    turn(stand);
    return is_taken(stand);
}

static void attach_say(struct stand *stand, const char *ticket, const uint8_t sha256[DIGEST_BYTES], int64_t bytes, int64_t corrects)
{
    struct buf data = {0}, draft = {0};
    pack_map(&data, 2);
    pack_text(&data, "bytes");
    pack_int(&data, bytes);
    pack_text(&data, "sha256");
    pack_bin(&data, bytes_of(sha256, DIGEST_BYTES));
    pack_map(&draft, corrects != 0 ? 5 : 4);
    pack_text(&draft, "type");
    pack_text(&draft, "file.attached");
    pack_text(&draft, "v");
    pack_int(&draft, 1);
    pack_text(&draft, "key");
    pack_text(&draft, ticket);
    if (corrects != 0) {
        pack_text(&draft, "corrects");
        pack_int(&draft, corrects);
    }
    pack_text(&draft, "data");
    buf_append(&draft, data.data, data.len);
    append(stand, buf_bytes(&draft));
    buf_release(&data);
    buf_release(&draft);
}

static void attach(struct stand *stand, const char *ticket, int64_t corrects)
{
    attach_say(stand, ticket, stand->sha256, PHOTO, corrects);
    turn(stand);
    assert_true(is_taken(stand));
}

static struct verb_have put(struct stand *stand, const uint8_t sha256[DIGEST_BYTES], int64_t offset, struct bytes bytes)
{
    struct verb_put verb = {.offset = offset, .bytes = bytes};
    struct verb_have have;
    memcpy(verb.sha256, sha256, DIGEST_BYTES);
    say(stand, "PUT", &verb_put_record, &verb);
    turn(stand);
    hears(stand, "HAVE", &verb_have_record, &have);
    return have;
}

static void bring(struct stand *stand)
{
    assert_true(put(stand, stand->sha256, 0, bytes_of(stand->photo, PHOTO)).whole);
}

/* Asks, and answers with the error's code; "": with rows. */
static const char *ask(struct stand *stand, const char *question, const struct record *args_record, const void *args, const char *after,
                       struct verb_answer *answer)
{
    static struct verb_error error;
    struct verb_ask verb = {.id = 1};
    struct buf packed = {0};
    struct bus_peer peer;
    struct frame frame;
    struct problem problem;
    (void)text_copy(verb.to, sizeof verb.to, "branch");
    (void)text_copy(verb.question, sizeof verb.question, question);
    (void)text_copy(verb.after, sizeof verb.after, after);
    if (args != NULL) {
        record_encode(args_record, RECORD_WHOLE, args, &packed);
        verb.args = buf_bytes(&packed);
    }
    say(stand, "ASK", &verb_ask_record, &verb);
    buf_release(&packed);
    turn(stand);
    assert_true(office_local_out(stand->office, &peer, &frame));
    buf_reset(&stand->heard);
    buf_append(&stand->heard, frame.map.data, frame.map.len);
    arena_reset(stand->arena);
    error.code[0] = '\0';
    if (strcmp(frame.verb, "ERROR") == 0)
        assert_true(record_decode(&verb_error_record, RECORD_WHOLE, DECODE_LENIENT, buf_bytes(&stand->heard), NULL, &error, &problem));
    else
        assert_true(record_decode(&verb_answer_record, RECORD_WHOLE, DECODE_LENIENT, buf_bytes(&stand->heard), stand->arena, answer, &problem));
    return error.code;
}

static void drop(struct stand *stand, int64_t n)
{
    struct branch_drop_args args = {.n = n};
    struct verb_answer answer;
    (void)text_copy(args.reason, sizeof args.reason, "not ours");
    (void)text_copy(args.by, sizeof args.by, "test");
    assert_string_equal(ask(stand, "drop", &branch_drop_args_record, &args, "", &answer), "");
}

/* Whose files wait or are awaited: "T-1 T-2 ". */
static const char *owners(struct stand *stand)
{
    static char out[200];
    struct drawer_row row;
    size_t at = 0;
    out[0] = '\0';
    for (bool more = drawer_row(stand->office->drawer, NULL, "", &row) == STATUS_OK; more;
         more = drawer_row(stand->office->drawer, &row, "", &row) == STATUS_OK)
        at += (size_t)snprintf(out + at, sizeof out - at, "%s ", row.ticket);
    return out;
}

static const char *health(struct stand *stand)
{
    static char words[200];
    office_health(stand->office, stand->now, words, sizeof words);
    return words;
}

/* --- the centre ------------------------------------------------------------------------------------- */

static void told(struct stand *stand, const char *verb, const struct record *record, const void *data, bool feed)
{
    struct frame frame;
    buf_reset(&stand->out);
    record_encode(record, RECORD_WHOLE, data, &stand->out);
    (void)text_copy(frame.verb, sizeof frame.verb, verb);
    frame.map = buf_bytes(&stand->out);
    if (feed) {
        assert_true(follow_in(office_follow(stand->office), &frame, stand->now.boot_us, stand->now.wall_us));
        return;
    }
    office_file_in(stand->office, &frame, stand->now);
    assert_true(forward_in(office_forward(stand->office), &frame, stand->now.boot_us, stand->now.wall_us));
}

/* How many facts go out. */
static uint32_t goes_out(struct stand *stand)
{
    struct frame frame;
    uint32_t n = 0;
    while (forward_out(office_forward(stand->office), stand->now.boot_us, &frame)) {
        struct verb_append verb;
        struct problem problem;
        if (strcmp(frame.verb, "APPEND") != 0)
            continue;
        arena_reset(stand->arena);
        assert_true(record_decode(&verb_append_record, RECORD_WHOLE, DECODE_LENIENT, frame.map, stand->arena, &verb, &problem));
        n += verb.events.n;
    }
    return n;
}

static void feed_goes_out(struct stand *stand)
{
    struct frame frame;
    while (follow_out(office_follow(stand->office), stand->now.boot_us, &frame)) {}
}

/* Both connections stand; the feed has not said anything but that it is there. */
static void line_up(struct stand *stand, int64_t durable)
{
    const struct verb_welcome welcome = {
        .epoch = 1, .durable = durable, .window_events = 256, .window_bytes = 256 * 1024, .hb_ms = 5000};
    const struct verb_opened opened = {.epoch = 1, .head = 1000, .first = 1};
    turn(stand); /* the stream is learnt, and the feed is read */
    pass(stand, 1);
    if (stand->linked) {
        forward_disconnected(office_forward(stand->office));
        follow_disconnected(office_follow(stand->office));
    }
    stand->linked = true;
    forward_connected(office_forward(stand->office), stand->now.boot_us);
    (void)goes_out(stand);
    told(stand, "WELCOME", &verb_welcome_record, &welcome, false);
    turn(stand); /* of the first one the numbers are learnt, and it greets again */
    (void)goes_out(stand);
    told(stand, "WELCOME", &verb_welcome_record, &welcome, false);
    follow_connected(office_follow(stand->office), stand->now.boot_us);
    feed_goes_out(stand);
    told(stand, "OPENED", &verb_opened_record, &opened, true);
    turn(stand);
}

/* The feed has no more up to its head. */
static void feed_current(struct stand *stand)
{
    const struct verb_head head = {.epoch = 1, .head = 1000, .link = {1}, .now_us = stand->now.wall_us};
    told(stand, "CAUGHT_UP", &verb_head_record, &head, true);
    turn(stand);
}

static void answered(struct stand *stand, int64_t n, bool taken)
{
    struct answer answer = {.n = n, .taken = taken, .pos = 100 + n};
    struct buf bytes = {0};
    if (!taken)
        problem_set(&answer.problem, "ticket.unknown", "key", "%s", "");
    answer_encode(&answer, &bytes);
    struct bytes items[] = {buf_bytes(&bytes)};
    const struct verb_ack ack = {.answers = {.items = items, .n = 1}};
    told(stand, "ACK", &verb_ack_record, &ack, false);
    buf_release(&bytes);
    turn(stand);
}

static void up(struct stand *stand)
{
    line_up(stand, 0);
    feed_current(stand);
    greet(stand);
}

/* --- files of facts that are refused ----------------------------------------------------------------- */

static void test_a_dropped_fact_lets_its_file_go(void **state)
{
    struct stand *stand = *state;
    up(stand);
    attach(stand, "T-1", 0);
    bring(stand);
    assert_int_equal(goes_out(stand), 1);
    answered(stand, 1, false);
    assert_int_equal(office_spool(stand->office)->refused, 1);
    assert_string_equal(owners(stand), "T-1 "); /* somebody may put it right */
    pass(stand, 1);
    assert_true(bench_holds(stand->path, "Photo-Zxvq") || bench_size(stand->path) > 0);
    drop(stand, 1);
    assert_string_equal(owners(stand), "");
    assert_int_equal(drawer_waiting(stand->office->drawer), 0);
    char log[140];
    snprintf(log, sizeof log, "%s-wal", stand->path);
    assert_false(bench_holds(stand->path, "Photo-Zxvq"));
    assert_false(bench_holds(log, "Photo-Zxvq"));
}

static void test_a_corrected_fact_takes_its_file_along(void **state)
{
    struct stand *stand = *state;
    up(stand);
    attach(stand, "T-1", 0);
    bring(stand);
    (void)goes_out(stand);
    answered(stand, 1, false);
    attach(stand, "T-2", 1);
    assert_string_equal(owners(stand), "T-2 ");
    assert_int_equal(drawer_waiting(stand->office->drawer), 1);
    (void)goes_out(stand);
    answered(stand, 2, true);
    /* The same file of a second ticket whose fact is left out: the first one's stays. */
    attach(stand, "T-3", 0);
    (void)goes_out(stand);
    answered(stand, 3, false);
    assert_string_equal(owners(stand), "T-2 T-3 ");
    drop(stand, 3);
    assert_string_equal(owners(stand), "T-2 ");
    assert_int_equal(drawer_waiting(stand->office->drawer), 1);
    /* And of the same ticket. */
    attach(stand, "T-2", 0);
    (void)goes_out(stand);
    answered(stand, 4, false);
    drop(stand, 4);
    assert_string_equal(owners(stand), "T-2 ");
}

static void test_a_fact_corrected_to_another_file(void **state)
{
    struct stand *stand = *state;
    uint8_t other[DIGEST_BYTES] = {9};
    up(stand);
    attach(stand, "T-1", 0);
    bring(stand);
    (void)goes_out(stand);
    answered(stand, 1, false);
    attach_say(stand, "T-4", other, 5000, 1);
    turn(stand);
    assert_true(is_taken(stand));
    assert_string_equal(owners(stand), "T-4 ");
    assert_int_equal(drawer_waiting(stand->office->drawer), 0);
    assert_string_equal(put(stand, stand->sha256, 0, bytes_of(NULL, 0)).code, "unknown");
}

/* --- a registration that is said again ----------------------------------------------------------------- */

static void register_say(struct stand *stand, const char *key, int64_t corrects)
{
    struct buf data = {0}, draft = {0};
    pack_map(&data, 3);
    pack_text(&data, "kind");
    pack_text(&data, "repair");
    pack_text(&data, "region");
    pack_text(&data, "GD01");
    pack_text(&data, "request_id");
    pack_text(&data, "slip-1");
    pack_map(&draft, 3U + (corrects != 0) + (key[0] != '\0'));
    pack_text(&draft, "type");
    pack_text(&draft, "ticket.registered");
    pack_text(&draft, "v");
    pack_int(&draft, 1);
    if (key[0] != '\0') {
        pack_text(&draft, "key");
        pack_text(&draft, key);
    }
    if (corrects != 0) {
        pack_text(&draft, "corrects");
        pack_int(&draft, corrects);
    }
    pack_text(&draft, "data");
    buf_append(&draft, data.data, data.len);
    append(stand, buf_bytes(&draft));
    turn(stand);
    assert_true(is_taken(stand));
    buf_release(&data);
    buf_release(&draft);
}

/* A slip has one number, as long as that number can come to something. */
static void test_a_slip_that_was_refused(void **state)
{
    struct stand *stand = *state;
    up(stand);
    register_say(stand, "", 0);
    register_say(stand, "", 0);
    assert_int_equal(office_spool(stand->office)->last, 1);
    (void)goes_out(stand);
    answered(stand, 1, false);
    /* Put right: the same slip once more, in its place. */
    register_say(stand, "GZ-20261122-000001", 1);
    assert_int_equal(office_spool(stand->office)->last, 2);
    register_say(stand, "", 0);
    assert_int_equal(office_spool(stand->office)->last, 2);
    (void)goes_out(stand);
    answered(stand, 2, false);
    /* Left out: who comes with the slip again is registered. */
    drop(stand, 2);
    register_say(stand, "", 0);
    assert_int_equal(office_spool(stand->office)->last, 3);
}

/* However large facts are: who comes behind them does not wait long. */
static void test_so_much_at_once(void **state)
{
    struct stand *stand = *state;
    static char text[100000];
    struct buf draft = {0};
    int64_t bytes = 0;
    greet(stand);
    memset(text, 'x', 40000);
    bench_note("T-1", text, &draft);
    for (; !office_is_sated(stand->office); stand->n++, bytes += (int64_t)draft.len) {
        append(stand, buf_bytes(&draft));
        assert_true(bytes < 6 * 1024 * 1024);
    }
    assert_true(bytes > 3 * 1024 * 1024);
    turn(stand);
    assert_false(office_is_sated(stand->office));
    buf_release(&draft);
}

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
    struct stand *stand = *state;
    greet(stand);
    assert_true(note(stand, 10));
    pass(stand, 10);
    assert_string_equal(health(stand), "");
    bound(stand->office->spool->db, 40);
    while (note(stand, 1400))
        assert_in_range(stand->n, 1, 200);
    assert_string_equal(health(stand), "no room on the disk: nothing is taken");
    int64_t taken = office_spool(stand->office)->facts;
    assert_int_equal(taken, stand->n);
    pass(stand, 60); /* it looks itself whether there is room, and finds none */
    assert_string_equal(health(stand), "no room on the disk: nothing is taken");
    assert_int_equal(office_spool(stand->office)->facts, taken);
    bound(stand->office->spool->db, 4000);
    pass(stand, 6);
    assert_string_equal(health(stand), ""); /* nobody had to come for that */
    assert_true(note(stand, 1400));
    assert_int_equal(office_spool(stand->office)->facts, taken + 1);
    /* And what was taken is there after a new start, the probes are not. */
    office_close(&stand->office);
    begin(stand);
    assert_int_equal(office_spool(stand->office)->facts, taken + 1);
    assert_int_equal(office_spool(stand->office)->last, taken + 1);
}

static void test_no_room_for_files(void **state)
{
    struct stand *stand = *state;
    static uint8_t bytes[PART_BYTES_MAX];
    uint8_t sha256[DIGEST_BYTES] = {5};
    greet(stand);
    attach_say(stand, "T-1", sha256, 20 * PART_BYTES_MAX, 0);
    turn(stand);
    assert_true(is_taken(stand));
    assert_int_equal(put(stand, sha256, 0, bytes_of(bytes, sizeof bytes)).upto, sizeof bytes);
    bound(stand->office->drawer->db, 80);
    struct verb_have have = {.upto = sizeof bytes};
    int64_t upto = have.upto;
    for (int i = 0; i < 20 && have.code[0] == '\0'; i++) {
        upto = have.upto;
        have = put(stand, sha256, upto, bytes_of(bytes, sizeof bytes));
    }
    assert_string_equal(have.code, "busy");
    assert_memory_equal(have.why, "disk.full", 9);
    assert_string_equal(health(stand), "no room on the disk: no files are taken");
    /* A fact in the same turn that names no file is taken all the same. */
    struct verb_put verb = {.offset = upto, .bytes = bytes_of(bytes, sizeof bytes)};
    memcpy(verb.sha256, sha256, DIGEST_BYTES);
    say(stand, "PUT", &verb_put_record, &verb);
    note_say(stand, 10);
    turn(stand);
    hears(stand, "HAVE", &verb_have_record, &have);
    assert_string_equal(have.code, "busy");
    assert_true(is_taken(stand));
    pass(stand, 30);
    assert_string_equal(health(stand), "no room on the disk: no files are taken");
    bound(stand->office->drawer->db, 8000);
    pass(stand, 6);
    assert_string_equal(health(stand), "");
    assert_int_equal(put(stand, sha256, 0, bytes_of(NULL, 0)).upto, upto); /* what was said to be there is */
    assert_int_equal(put(stand, sha256, upto, bytes_of(bytes, sizeof bytes)).upto, upto + (int64_t)sizeof bytes);
}

/* A fact that names a file counts only with what the drawer has to know of it. */
static void test_no_room_for_a_files_name(void **state)
{
    struct stand *stand = *state;
    uint8_t sha256[DIGEST_BYTES] = {[DIGEST_BYTES - 1] = 1};
    bool taken = true;
    greet(stand);
    bound(stand->office->drawer->db, 1); /* no page more than it has */
    for (int i = 0; i < 250 && taken; i++) {
        memcpy(sha256, &i, sizeof i);
        attach_say(stand, "T-1", sha256, 5000, 0);
        turn(stand);
        taken = is_taken(stand);
    }
    assert_false(taken);
    assert_int_equal(office_spool(stand->office)->facts, stand->n);
    assert_string_equal(put(stand, sha256, 0, bytes_of(NULL, 0)).code, "unknown");
    assert_string_equal(health(stand), "no room on the disk: nothing is taken");
}

static void test_a_disk_that_is_nearly_full(void **state)
{
    struct stand *stand = *state;
    turn(stand);
    assert_true(stand->office->disk_left > 0);
    stand->office->disk_left = 5 * 1024 * 1024;
    assert_string_equal(health(stand), "the disk is nearly full: 5 MiB left");
    pass(stand, 6);
    assert_string_equal(health(stand), "");
}

/* Nobody knows whether a commit holds that the disk did not answer: whatever it was for, the process begins anew. */
static void test_a_commit_in_doubt(void **state)
{
    struct stand *stand = *state;
    const struct verb_hello hello = {.proto = {1, 1}, .proto_n = 2, .stream = "-", .source = "another", .incarnation = {8}, .first = 1};
    struct bus_peer peer;
    struct frame frame;
    greet(stand);
    assert_true(note(stand, 10));
    /* SQLite finds at COMMIT that it cannot. */
    assert_int_equal(db_run(stand->office->spool->db, "PRAGMA foreign_keys = ON; CREATE TABLE parent(id INTEGER PRIMARY KEY);"
                            "CREATE TABLE child(id REFERENCES parent(id) DEFERRABLE INITIALLY DEFERRED);"
                            "CREATE TRIGGER spoil AFTER INSERT ON origin BEGIN INSERT INTO child VALUES(99); END"), STATUS_OK);
    stand->peer.id[0] = 2;
    say(stand, "HELLO", &verb_hello_record, &hello);
    assert_false(office_turn(stand->office, stand->now));
    assert_false(office_local_out(stand->office, &peer, &frame) && strcmp(frame.verb, "WELCOME") == 0);
}

/* A file that is damaged is told of, not only waited for. */
static void test_a_spool_that_cannot_be_read(void **state)
{
    struct stand *stand = *state;
    line_up(stand, 0);
    greet(stand);
    assert_true(note(stand, 10));
    assert_int_equal(db_run(stand->office->spool->db, "UPDATE fact SET n = n + 5"), STATUS_OK);
    feed_current(stand);
    pass(stand, 10);
    assert_int_equal(goes_out(stand), 0);
    assert_string_equal(health(stand), "nothing goes to the centre: the spool's file cannot be read or written");
}

/* --- who was erased meanwhile ------------------------------------------------------------------------- */

static void feed_moves(struct stand *stand, int64_t after, int64_t upto)
{
    const struct verb_batch batch = {.after = after, .upto = upto, .link = {(uint8_t)upto}};
    told(stand, "BATCH", &verb_batch_record, &batch, true);
    turn(stand);
    feed_goes_out(stand);
}

/* One event without personal data, at position `upto`. */
static void feed_tells(struct stand *stand, int64_t after, int64_t upto, const char *type, const char *key)
{
    struct buf body = {0}, pair = {0};
    static const uint8_t empty_map[] = {0x80};
    struct event event = {.pos = (uint64_t)upto, .v = 1, .n = (uint64_t)upto, .rec_us = stand->now.wall_us, .data = bytes_of(empty_map, 1)};
    (void)text_copy(event.id, sizeof event.id, "hq/1");
    (void)text_copy(event.type, sizeof event.type, type);
    (void)text_copy(event.key, sizeof event.key, key);
    (void)text_copy(event.from, sizeof event.from, "hq");
    event_encode(&event, &body);
    pack_array(&pair, 2);
    pack_bin(&pair, buf_bytes(&body));
    pack_nil(&pair);
    struct bytes items[] = {buf_bytes(&pair)};
    const struct verb_batch batch = {.after = after, .upto = upto, .link = {(uint8_t)upto}, .events = {.items = items, .n = 1}};
    told(stand, "BATCH", &verb_batch_record, &batch, true);
    buf_release(&body);
    buf_release(&pair);
    turn(stand);
    feed_goes_out(stand);
}

static bool spool_holds(struct stand *stand, const char *text)
{
    char path[140];
    snprintf(path, sizeof path, "%s/spool.db", stand->folder);
    bool held = bench_holds(path, text);
    snprintf(path, sizeof path, "%s/spool.db-wal", stand->folder);
    return held || bench_holds(path, text);
}

/* Nothing of an erased customer goes out while what the feed told of him cannot be stored; and it is not tried as fast as the loop turns. */
static void test_an_erasure_that_cannot_be_stored(void **state)
{
    struct stand *stand = *state;
    struct buf draft = {0};
    const struct verb_pong pong = {.head = 1000, .now_us = stand->now.wall_us, .upto = -1};
    greet(stand);
    bench_registration("T-9", "", "C-9", "13977188299", &draft);
    append(stand, buf_bytes(&draft));
    turn(stand);
    assert_true(is_taken(stand));
    buf_release(&draft);
    attach(stand, "T-9", 0);
    bring(stand);
    line_up(stand, 0);
    assert_int_equal(db_run(stand->office->spool->db, "PRAGMA query_only = ON"), STATUS_OK);
    feed_tells(stand, 0, 7, "personal.erased", "C-9");
    feed_current(stand);
    for (int i = 0; i < 90; i++) {
        int64_t wait_us = office_deadline_us(stand->office) - stand->now.boot_us;
        assert_true(wait_us > 0 && wait_us <= SECOND_US);
        pass(stand, 1);
        told(stand, "PONG", &verb_pong_record, &pong, false);
        assert_false(forward_tick(office_forward(stand->office), stand->now.boot_us, stand->now.wall_us));
        assert_int_equal(goes_out(stand), 0);
    }
    assert_true(spool_holds(stand, "13977188299"));
    assert_int_equal(worklist_state(stand->office->list)->pos, 0); /* it would be told again */
    assert_int_equal(db_run(stand->office->spool->db, "PRAGMA query_only = OFF"), STATUS_OK);
    pass(stand, 2);
    assert_int_equal(goes_out(stand), 2);
    assert_false(spool_holds(stand, "13977188299"));
    assert_string_equal(owners(stand), "");
    assert_int_equal(worklist_state(stand->office->list)->pos, 7);
}

/* As long as the feed tells, and half a minute longer; not for ever. */
static void test_held_while_the_feed_tells(void **state)
{
    struct stand *stand = *state;
    greet(stand);
    assert_true(note(stand, 10));
    line_up(stand, 0);
    for (int64_t i = 0; i < 9; i++) { /* a thin line, and much to tell */
        pass(stand, 20);
        assert_int_equal(goes_out(stand), 0);
        feed_moves(stand, 10 * i, 10 * (i + 1));
    }
    pass(stand, 20);
    assert_int_equal(goes_out(stand), 0);
    feed_current(stand);
    pass(stand, 1);
    assert_int_equal(goes_out(stand), 1);
    answered(stand, 1, true);
    /* The line goes for long, and comes back; the feed says nothing. */
    forward_disconnected(office_forward(stand->office));
    follow_disconnected(office_follow(stand->office));
    stand->linked = false;
    pass(stand, 100);
    greet(stand);
    assert_true(note(stand, 10));
    line_up(stand, 1);
    pass(stand, 25);
    assert_int_equal(goes_out(stand), 0);
    pass(stand, 10);
    assert_int_equal(goes_out(stand), 1);
}

static void test_not_held_for_ever(void **state)
{
    struct stand *stand = *state;
    greet(stand);
    assert_true(note(stand, 10));
    line_up(stand, 0);
    int64_t seconds = 0;
    for (int64_t i = 0; goes_out(stand) == 0; i++, seconds += 20) {
        pass(stand, 20);
        feed_moves(stand, i, i + 1);
        assert_in_range(seconds, 0, 700);
    }
    assert_in_range(seconds, 500, 700);
}

/* --- questions ---------------------------------------------------------------------------------------- */

/* A page behind the last number there can be. */
static void test_a_page_far_away(void **state)
{
    struct stand *stand = *state;
    struct verb_answer answer;
    static const char *const pages[] = {"9223372036854775807", "99999999999999999999", "-9223372036854775808", "x"};
    static const uint32_t rows[] = {0, 0, 1, 1};
    greet(stand);
    assert_true(note(stand, 10));
    for (size_t i = 0; i < COUNT_OF(pages); i++) {
        assert_string_equal(ask(stand, "queued", NULL, NULL, pages[i], &answer), "");
        assert_int_equal(answer.rows.n, rows[i]);
        assert_string_equal(ask(stand, "refused", NULL, NULL, pages[i], &answer), "");
        assert_int_equal(answer.rows.n, 0);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {CASE(test_a_dropped_fact_lets_its_file_go),
                                       CASE(test_a_corrected_fact_takes_its_file_along),
                                       CASE(test_a_fact_corrected_to_another_file),
                                       CASE(test_a_slip_that_was_refused),
                                       CASE(test_so_much_at_once),
                                       CASE(test_no_room_for_facts),
                                       CASE(test_no_room_for_files),
                                       CASE(test_no_room_for_a_files_name),
                                       CASE(test_a_disk_that_is_nearly_full),
                                       CASE(test_a_spool_that_cannot_be_read),
                                       CASE(test_a_commit_in_doubt),
                                       CASE(test_an_erasure_that_cannot_be_stored),
                                       CASE(test_held_while_the_feed_tells),
                                       CASE(test_not_held_for_ever),
                                       CASE(test_a_page_far_away)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
