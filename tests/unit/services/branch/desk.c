#include "desk.h"
#include "fact.h"
#include "proto/questions.h"
#include "record/pack.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void desk_begin(struct desk *desk)
{
    char error[300] = "";
    const struct office_config config = {.folder = desk->folder,
                                         .source = "branch-gz",
                                         .stream = "test-00000000",
                                         .prefix = "GZ",
                                         .zone = zone_find("Asia/Shanghai"),
                                         .limits = {.facts_max = 1000, .bytes_max = 1 << 30},
                                         .file_bytes_max = 1 << 30};
    desk->office = office_open(&config, desk->now, error, sizeof error);
    if (desk->office == NULL)
        print_error("%s\n", error);
    assert_non_null(desk->office);
}

int desk_set_up(void **state)
{
    struct desk *desk = memory_new(sizeof *desk);
    bench_folder_fast(desk->folder);
    snprintf(desk->path, sizeof desk->path, "%s/files.db", desk->folder);
    desk->now = (struct office_now){.wall_us = MORNING_US, .boot_us = HOUR_US};
    desk->peer = (struct bus_peer){.len = 1, .id = {1}};
    desk->arena = arena_new(64 * 1024);
    for (size_t i = 0; i < PHOTO; i++)
        desk->photo[i] = (uint8_t)(i * 7 + i / 251);
    memcpy(desk->photo, "Photo-Zxvq", 10);
    digest_of(bytes_of(desk->photo, PHOTO), desk->sha256);
    desk_begin(desk);
    *state = desk;
    return 0;
}

int desk_tear_down(void **state)
{
    struct desk *desk = *state;
    office_close(&desk->office);
    bench_remove(desk->folder);
    arena_destroy(&desk->arena);
    buf_release(&desk->out);
    buf_release(&desk->heard);
    free(desk);
    return 0;
}

void desk_turn(struct desk *desk)
{
    assert_true(office_turn(desk->office, desk->now));
}

void desk_pass(struct desk *desk, int64_t seconds)
{
    for (int64_t i = 0; i < seconds; i++) {
        desk->now.wall_us += SECOND_US;
        desk->now.boot_us += SECOND_US;
        desk_turn(desk);
    }
}

/* --- an application --------------------------------------------------------------------------------- */

void desk_say(struct desk *desk, const char *verb, const struct record *record, const void *data)
{
    struct frame frame;
    buf_reset(&desk->out);
    record_encode(record, RECORD_WHOLE, data, &desk->out);
    (void)text_copy(frame.verb, sizeof frame.verb, verb);
    frame.map = buf_bytes(&desk->out);
    office_local(desk->office, &desk->peer, &frame, desk->now);
}

void desk_hears(struct desk *desk, const char *verb, const struct record *record, void *out)
{
    struct bus_peer peer;
    struct frame frame;
    struct problem problem;
    if (!office_local_out(desk->office, &peer, &frame))
        fail_msg("%s: nothing was said", verb);
    assert_string_equal(frame.verb, verb);
    buf_reset(&desk->heard);
    buf_append(&desk->heard, frame.map.data, frame.map.len);
    arena_reset(desk->arena);
    assert_true(record_decode(record, RECORD_WHOLE, DECODE_LENIENT, buf_bytes(&desk->heard), desk->arena, out, &problem));
}

void desk_greet(struct desk *desk)
{
    const struct verb_hello hello = {
        .proto = {1, 1}, .proto_n = 2, .stream = "-", .source = "counter", .incarnation = {7}, .first = desk->n + 1, .last = desk->n};
    struct verb_welcome welcome;
    desk_say(desk, "HELLO", &verb_hello_record, &hello);
    desk_turn(desk);
    desk_hears(desk, "WELCOME", &verb_welcome_record, &welcome);
}

void desk_append(struct desk *desk, struct bytes draft)
{
    struct bytes items[] = {draft};
    const struct verb_append verb = {.n = desk->n + 1, .events = {.items = items, .n = 1}, .upto = -1};
    desk_say(desk, "APPEND", &verb_append_record, &verb);
}

bool desk_is_taken(struct desk *desk)
{
    struct bus_peer peer;
    struct frame frame;
    struct verb_busy busy;
    struct problem problem;
    assert_true(office_local_out(desk->office, &peer, &frame));
    if (strcmp(frame.verb, "ACK") == 0) {
        desk->n++;
        return true;
    }
    assert_string_equal(frame.verb, "BUSY");
    assert_true(record_decode(&verb_busy_record, RECORD_WHOLE, DECODE_LENIENT, frame.map, NULL, &busy, &problem));
    assert_memory_equal(busy.why, "disk.full", 9);
    return false;
}

void desk_note_say(struct desk *desk, size_t n)
{
    char text[1500];
    struct buf draft = {0};
    memset(text, 'x', sizeof text);
    text[n] = '\0';
    bench_note("T-1", text, &draft);
    desk_append(desk, buf_bytes(&draft));
    buf_release(&draft);
}

bool desk_note(struct desk *desk, size_t n)
{
    desk_note_say(desk, n);
    desk_turn(desk);
    return desk_is_taken(desk);
}

void desk_fact_say(struct desk *desk, const char *type, const char *key, int64_t corrects, struct bytes data)
{
    struct buf draft = {0};
    pack_map(&draft, 3U + (key[0] != '\0') + (corrects != 0));
    pack_text(&draft, "type");
    pack_text(&draft, type);
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
    pack_raw(&draft, data);
    desk_append(desk, buf_bytes(&draft));
    buf_release(&draft);
}

void desk_attach_say(struct desk *desk, const char *ticket, const uint8_t sha256[DIGEST_BYTES], int64_t bytes, int64_t corrects)
{
    struct buf data = {0};
    pack_map(&data, 2);
    pack_text(&data, "bytes");
    pack_int(&data, bytes);
    pack_text(&data, "sha256");
    pack_bin(&data, bytes_of(sha256, DIGEST_BYTES));
    desk_fact_say(desk, "file.attached", ticket, corrects, buf_bytes(&data));
    buf_release(&data);
}

void desk_attach(struct desk *desk, const char *ticket, int64_t corrects)
{
    desk_attach_say(desk, ticket, desk->sha256, PHOTO, corrects);
    desk_turn(desk);
    assert_true(desk_is_taken(desk));
}

struct verb_have desk_put(struct desk *desk, const uint8_t sha256[DIGEST_BYTES], int64_t offset, struct bytes bytes)
{
    struct verb_put verb = {.offset = offset, .bytes = bytes};
    struct verb_have have;
    memcpy(verb.sha256, sha256, DIGEST_BYTES);
    desk_say(desk, "PUT", &verb_put_record, &verb);
    desk_turn(desk);
    desk_hears(desk, "HAVE", &verb_have_record, &have);
    return have;
}

void desk_bring(struct desk *desk)
{
    assert_true(desk_put(desk, desk->sha256, 0, bytes_of(desk->photo, PHOTO)).whole);
}

const char *desk_ask(struct desk *desk, const char *question, const struct record *args_record, const void *args, const char *after,
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
    desk_say(desk, "ASK", &verb_ask_record, &verb);
    buf_release(&packed);
    desk_turn(desk);
    assert_true(office_local_out(desk->office, &peer, &frame));
    buf_reset(&desk->heard);
    buf_append(&desk->heard, frame.map.data, frame.map.len);
    arena_reset(desk->arena);
    error.code[0] = '\0';
    if (strcmp(frame.verb, "ERROR") == 0)
        assert_true(record_decode(&verb_error_record, RECORD_WHOLE, DECODE_LENIENT, buf_bytes(&desk->heard), NULL, &error, &problem));
    else
        assert_true(record_decode(&verb_answer_record, RECORD_WHOLE, DECODE_LENIENT, buf_bytes(&desk->heard), desk->arena, answer, &problem));
    return error.code;
}

void desk_drop(struct desk *desk, int64_t n)
{
    struct branch_drop_args args = {.n = n};
    struct verb_answer answer;
    (void)text_copy(args.reason, sizeof args.reason, "not ours");
    (void)text_copy(args.by, sizeof args.by, "test");
    assert_string_equal(desk_ask(desk, "drop", &branch_drop_args_record, &args, "", &answer), "");
}

const char *desk_owners(struct desk *desk)
{
    static char out[200];
    struct drawer_row row;
    size_t at = 0;
    out[0] = '\0';
    for (bool more = drawer_row(desk->office->drawer, NULL, "", &row) == STATUS_OK; more;
         more = drawer_row(desk->office->drawer, &row, "", &row) == STATUS_OK)
        at += (size_t)snprintf(out + at, sizeof out - at, "%s ", row.ticket);
    return out;
}

const char *desk_health(struct desk *desk)
{
    static char words[200];
    office_health(desk->office, desk->now, words, sizeof words);
    return words;
}

/* --- the centre ------------------------------------------------------------------------------------- */

void desk_told(struct desk *desk, const char *verb, const struct record *record, const void *data, bool feed)
{
    struct frame frame;
    buf_reset(&desk->out);
    record_encode(record, RECORD_WHOLE, data, &desk->out);
    (void)text_copy(frame.verb, sizeof frame.verb, verb);
    frame.map = buf_bytes(&desk->out);
    if (feed) {
        assert_true(follow_in(office_follow(desk->office), &frame, desk->now.boot_us, desk->now.wall_us));
        return;
    }
    office_file_in(desk->office, &frame, desk->now);
    assert_true(forward_in(office_forward(desk->office), &frame, desk->now.boot_us, desk->now.wall_us));
}

uint32_t desk_goes_out(struct desk *desk)
{
    struct frame frame;
    uint32_t n = 0;
    while (forward_out(office_forward(desk->office), desk->now.boot_us, &frame)) {
        struct verb_append verb;
        struct problem problem;
        if (strcmp(frame.verb, "APPEND") != 0)
            continue;
        arena_reset(desk->arena);
        assert_true(record_decode(&verb_append_record, RECORD_WHOLE, DECODE_LENIENT, frame.map, desk->arena, &verb, &problem));
        n += verb.events.n;
    }
    return n;
}

void desk_feed_goes_out(struct desk *desk)
{
    struct frame frame;
    while (follow_out(office_follow(desk->office), desk->now.boot_us, &frame)) {}
}

void desk_line_up(struct desk *desk, int64_t durable)
{
    const struct verb_welcome welcome = {
        .epoch = 1, .durable = durable, .window_events = 256, .window_bytes = 256 * 1024, .hb_ms = 5000};
    const struct verb_opened opened = {.epoch = 1, .head = 1000, .first = 1};
    desk_turn(desk); /* the stream is learnt, and the feed is read */
    desk_pass(desk, 1);
    if (desk->linked) {
        forward_disconnected(office_forward(desk->office));
        follow_disconnected(office_follow(desk->office));
    }
    desk->linked = true;
    forward_connected(office_forward(desk->office), desk->now.boot_us);
    (void)desk_goes_out(desk);
    desk_told(desk, "WELCOME", &verb_welcome_record, &welcome, false);
    desk_turn(desk); /* of the first one the numbers are learnt, and it greets again */
    (void)desk_goes_out(desk);
    desk_told(desk, "WELCOME", &verb_welcome_record, &welcome, false);
    follow_connected(office_follow(desk->office), desk->now.boot_us);
    desk_feed_goes_out(desk);
    desk_told(desk, "OPENED", &verb_opened_record, &opened, true);
    desk_turn(desk);
}

void desk_feed_current(struct desk *desk)
{
    const struct verb_head head = {.epoch = 1, .head = 1000, .link = {1}, .now_us = desk->now.wall_us};
    desk_told(desk, "CAUGHT_UP", &verb_head_record, &head, true);
    desk_turn(desk);
}

void desk_answered(struct desk *desk, int64_t n, bool taken)
{
    struct answer answer = {.n = n, .taken = taken, .pos = 100 + n};
    struct buf bytes = {0};
    if (!taken)
        problem_set(&answer.problem, "ticket.unknown", "key", "%s", "");
    answer_encode(&answer, &bytes);
    struct bytes items[] = {buf_bytes(&bytes)};
    const struct verb_ack ack = {.answers = {.items = items, .n = 1}};
    desk_told(desk, "ACK", &verb_ack_record, &ack, false);
    buf_release(&bytes);
    desk_turn(desk);
}

void desk_up(struct desk *desk)
{
    desk_line_up(desk, 0);
    desk_feed_current(desk);
    desk_greet(desk);
}
