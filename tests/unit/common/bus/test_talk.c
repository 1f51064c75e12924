/* A question asked over real sockets, step by step: which endpoint, when anew, and when it is enough. */
#include "base/clock.h"
#include "base/text.h"
#include "bus/inquiry.h"
#include "bus/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zmq.h>

#define FEEDS 2

static char folder[] = "/tmp/aftercare-talk-XXXXXX";

struct stand {
    struct bus_socket *feeds[FEEDS];
    char places[FEEDS + 1][64];
    struct bus_client *client;
    struct inquiry *inquiry;
    struct talk talk;
};

static int group_open(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    bus_start();
    return 0;
}

static int group_close(void **state)
{
    char command[80];

    (void)state;
    bus_stop();
    text_format(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

/* Two feeds; the first endpoint is nobody's. */
static void stand_open(struct stand *s, const char *list)
{
    static unsigned stands;
    const struct verb_ask ask = {.to = "reporting", .question = "tickets"};
    char error[160] = "";

    memset(s, 0, sizeof *s);
    stands++;
    for (int i = 0; i <= FEEDS; i++)
        text_format(s->places[i], sizeof s->places[i], "ipc://%s/%u.%d", folder, stands, i);
    for (int i = 0; i < FEEDS; i++) {
        s->feeds[i] = bus_bind(BUS_ROUTER, s->places[i + 1], error, sizeof error);
        assert_string_equal(error, "");
    }
    s->client = bus_client_new(NULL);
    s->inquiry = inquiry_new();
    inquiry_ask(s->inquiry, &ask);
    s->talk = (struct talk){.bus = s->client, .kind = TALK_INQUIRY, .machine = s->inquiry};
    for (; *list; list++)
        text_format(s->talk.list + strlen(s->talk.list), sizeof s->talk.list - strlen(s->talk.list), "%s, ", s->places[*list - '0']);
}

static void stand_close(struct stand *s)
{
    talk_close(&s->talk);
    assert_null(s->talk.socket);
    inquiry_destroy(&s->inquiry);
    bus_client_destroy(&s->client);
    for (int i = 0; i < FEEDS; i++)
        bus_close(&s->feeds[i]);
}

/* What is said comes to that feed; it answers. */
static int64_t heard_at(struct stand *s, int feed, struct bus_peer *peer)
{
    zmq_pollitem_t item = {.socket = bus_raw(s->feeds[feed - 1]), .events = ZMQ_POLLIN};
    struct verb_ask ask;
    struct problem problem;
    struct frame frame;

    talk_flush(&s->talk);
    assert_int_equal(zmq_poll(&item, 1, 20000), 1);
    assert_int_equal(bus_receive_from(s->feeds[feed - 1], peer, &frame), STATUS_OK);
    assert_string_equal(frame.verb, "ASK");
    assert_true(record_decode(&verb_ask_record, RECORD_WHOLE, DECODE_LENIENT, frame.map, NULL, &ask, &problem));
    return ask.id;
}

static void say(struct stand *s, int feed, const struct bus_peer *peer, const char *verb, const struct record *record, const void *object)
{
    struct buf map = {0};

    record_encode(record, RECORD_WHOLE, object, &map);
    assert_int_equal(bus_send_to(s->feeds[feed - 1], peer, verb, buf_bytes(&map)), STATUS_OK);
    buf_release(&map);
}

static void test_asked_and_answered(void **state)
{
    struct stand s;
    struct bus_peer peer;

    (void)state;
    stand_open(&s, "1");
    talk_say(&s.talk, "CLOSE", bytes_of("\x80", 1)); /* over no connection yet */
    assert_int_equal(talk_turn(&s.talk), STATUS_AGAIN);
    struct verb_answer answer = {.id = heard_at(&s, 1, &peer), .as_of = 40};
    assert_int_equal(bus_send_to(s.feeds[0], &peer, "ANSWER", bytes_of("\xc1", 1)), STATUS_OK); /* no message of the protocol (T3) */
    say(&s, 1, &peer, "ANSWER", &verb_answer_record, &answer);
    assert_int_equal(talk_turn(&s.talk), STATUS_OK);
    assert_true(inquiry_is_over(s.inquiry));
    assert_int_equal(inquiry_page(s.inquiry)->as_of, 40);
    stand_close(&s);
}

/* T5, F18: the next one of the list; where MOVED names others, there. */
static void test_where_it_goes(void **state)
{
    struct stand s;
    struct bus_peer peer;
    const struct verb_moved nowhere = {.endpoints_n = 0};
    struct verb_moved there = {.endpoints_n = 2};

    (void)state;
    stand_open(&s, "12");
    memcpy(there.endpoints[0], s.places[1], sizeof s.places[1]);
    memcpy(there.endpoints[1], s.places[0], sizeof s.places[0]);
    assert_int_equal(talk_turn(&s.talk), STATUS_AGAIN);
    (void)heard_at(&s, 1, &peer);
    say(&s, 1, &peer, "MOVED", &verb_moved_record, &nowhere);
    assert_int_equal(talk_turn(&s.talk), STATUS_AGAIN);
    (void)heard_at(&s, 2, &peer);
    say(&s, 2, &peer, "MOVED", &verb_moved_record, &there);
    assert_int_equal(talk_turn(&s.talk), STATUS_AGAIN);
    (void)heard_at(&s, 1, &peer);
    say(&s, 1, &peer, "MOVED", &verb_moved_record, &nowhere);
    assert_int_equal(talk_turn(&s.talk), STATUS_AGAIN); /* the second of those, which is nobody's: nothing is said there, to linger */
    assert_int_equal(s.talk.next, 2);
    stand_close(&s);
}

/* T6: each time later, until something good came; and what is only passed over is nothing good. */
static void test_later_each_time(void **state)
{
    struct stand s;
    struct bus_peer peer;
    const struct verb_error error = {.id = 77, .code = "malformed"};
    int64_t began_us;

    (void)state;
    stand_open(&s, "1");
    assert_int_equal(talk_turn(&s.talk), STATUS_AGAIN);
    for (int64_t pause_us = SECOND_US / 10; pause_us <= 2 * SECOND_US / 5; pause_us *= 2) {
        struct verb_error busy = {.id = heard_at(&s, 1, &peer), .code = "busy"};
        say(&s, 1, &peer, "ERROR", &verb_error_record, &error);
        say(&s, 1, &peer, "ERROR", &verb_error_record, &busy);
        assert_int_equal(talk_turn(&s.talk), STATUS_OK);
        began_us = clock_boot_us();
        assert_int_equal(talk_turn(&s.talk), STATUS_AGAIN);
        assert_true(clock_boot_us() - began_us >= pause_us);
        assert_int_equal(s.talk.pause_us, 2 * pause_us);
    }
    struct verb_answer answer = {.id = heard_at(&s, 1, &peer), .more = true};
    say(&s, 1, &peer, "ANSWER", &verb_answer_record, &answer);
    assert_int_equal(talk_turn(&s.talk), STATUS_OK);
    assert_int_equal(s.talk.pause_us, 0);
    assert_int_equal(s.talk.silent_us, 0);
    stand_close(&s);
}

static void test_enough(void **state)
{
    struct stand s;
    struct bus_peer peer;

    (void)state;
    stand_open(&s, "1");
    s.talk.patience_us = 1;
    assert_int_equal(talk_turn(&s.talk), STATUS_AGAIN);
    struct verb_error busy = {.id = heard_at(&s, 1, &peer), .code = "busy"};
    say(&s, 1, &peer, "ERROR", &verb_error_record, &busy);
    assert_int_equal(talk_turn(&s.talk), STATUS_CLOSED);
    assert_string_equal(s.talk.error, "nobody answers");
    stand_close(&s);

    stand_open(&s, "");
    assert_int_equal(talk_turn(&s.talk), STATUS_REFUSED);
    assert_string_not_equal(s.talk.error, "");
    stand_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asked_and_answered),
        cmocka_unit_test(test_where_it_goes),
        cmocka_unit_test(test_later_each_time),
        cmocka_unit_test(test_enough),
    };
    return cmocka_run_group_tests(tests, group_open, group_close);
}
