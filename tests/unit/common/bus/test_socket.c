/* Sockets over ipc in one process: each wait has a deadline, nothing sleeps. */
#include "base/clock.h"
#include "base/instant.h"
#include "base/text.h"
#include "bus/key.h"
#include "bus/socket.h"
#include "record/pack.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zmq.h>

#define DEADLINE_US (120 * SECOND_US)

static char folder[] = "/tmp/aftercare-bus-XXXXXX";
static char endpoint[64];
static const uint8_t map_bytes[] = {0x81, 0xa1, 'k', 0x07};

static struct bytes a_map(void)
{
    return bytes_of(map_bytes, sizeof map_bytes);
}

static int group_open(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    bus_start();
    return 0;
}

static unsigned places;

/* A place of its own for each test: a socket that is being closed unlinks its name a little later. */
static int open_place(void **state)
{
    (void)state;
    text_format(endpoint, sizeof endpoint, "ipc://%s/%u", folder, ++places);
    return 0;
}

static int group_close(void **state)
{
    char path[64];

    (void)state;
    bus_stop();
    for (unsigned i = 1; i <= places; i++) {
        text_format(path, sizeof path, "%s/%u", folder, i);
        unlink(path);
    }
    return rmdir(folder);
}

static void do_nothing(void *arg)
{
    (void)arg;
}

/* Until something can be read from it. */
static void wait_for(struct bus_socket *socket)
{
    zmq_pollitem_t item = {.socket = bus_raw(socket), .events = ZMQ_POLLIN};

    assert_int_equal(zmq_poll(&item, 1, DEADLINE_US / 1000), 1);
}

static struct bus_socket *bound(enum bus_kind kind)
{
    char error[100] = "";
    struct bus_socket *socket = bus_bind(kind, endpoint, error, sizeof error);

    assert_string_equal(error, "");
    assert_non_null(socket);
    return socket;
}

static struct bus_socket *connected(enum bus_kind kind)
{
    char error[100] = "";
    struct bus_socket *socket = bus_connect(kind, endpoint, error, sizeof error);

    assert_string_equal(error, "");
    assert_non_null(socket);
    return socket;
}

static void test_dealer_and_router(void **state)
{
    struct bus_socket *dealer = connected(BUS_DEALER), *router = bound(BUS_ROUTER);
    struct bus_peer peer, stranger = {.len = 5, .id = {0, 9, 9, 9, 9}};
    struct frame frame;

    (void)state;
    assert_int_equal(bus_receive_from(router, &peer, &frame), STATUS_AGAIN);
    /* Said before the connection stands: it waits. */
    assert_int_equal(bus_send(dealer, "HELLO", a_map()), STATUS_OK);
    wait_for(router);
    assert_int_equal(bus_receive_from(router, &peer, &frame), STATUS_OK);
    assert_string_equal(frame.verb, "HELLO");
    assert_true(bytes_equal(frame.map, a_map()));
    assert_int_equal(bus_send_to(router, &peer, "CAUGHT_UP", frame.map), STATUS_OK);
    wait_for(dealer);
    assert_int_equal(bus_receive(dealer, &frame), STATUS_OK);
    assert_string_equal(frame.verb, "CAUGHT_UP");
    assert_int_equal(bus_receive(dealer, &frame), STATUS_AGAIN);
    assert_int_equal(bus_send_to(router, &stranger, "ACK", a_map()), STATUS_CLOSED);
    bus_close(&dealer);
    bus_close(&router);
    assert_null(router);
}

/* Several clients in one process, none of which is the process itself: each has the key of its own. */
static void test_clients_of_their_own(void **state)
{
    struct bus_socket *routers[2], *dealers[2];
    struct bus_client *clients[2];
    struct bus_peer peer;
    struct frame frame;
    char error[100] = "", place[80];

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct bus_key server = {0}, key = {0};
        struct bus_door door = {.endpoint = "tcp://127.0.0.1:*", .secret_key = server.secret_key};
        size_t n = sizeof place;
        bus_key_make(&server);
        bus_key_make(&key);
        memcpy(key.server_key, server.public_key, sizeof key.server_key);
        routers[i] = bus_bind_doors(BUS_ROUTER, &door, 1, NULL, error, sizeof error);
        assert_string_equal(error, "");
        assert_int_equal(zmq_getsockopt(bus_raw(routers[i]), ZMQ_LAST_ENDPOINT, place, &n), 0);
        clients[i] = bus_client_new(&key);
        assert_null(bus_client_connect(clients[i], "nowhere", error, sizeof error));
        assert_string_not_equal(error, "");
        error[0] = '\0';
        dealers[i] = bus_client_connect(clients[i], place, error, sizeof error);
        assert_non_null(dealers[i]);
    }
    for (int i = 1; i >= 0; i--) { /* a key that the process or the other client had would not be let in */
        assert_int_equal(bus_send(dealers[i], "HELLO", a_map()), STATUS_OK);
        wait_for(routers[i]);
        assert_int_equal(bus_receive_from(routers[i], &peer, &frame), STATUS_OK);
        assert_string_equal(frame.verb, "HELLO");
    }
    for (int i = 0; i < 2; i++) {
        bus_close(&dealers[i]);
        bus_client_destroy(&clients[i]);
        assert_null(clients[i]);
        bus_close(&routers[i]);
    }
}

static void raw_send(struct bus_socket *socket, const char *const *parts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_true(zmq_send(bus_raw(socket), parts[i], strlen(parts[i]), i + 1 < n ? ZMQ_SNDMORE : 0) >= 0);
}

static void test_garbage_is_dropped(void **state)
{
    static const struct {
        const char *name;
        const char *parts[4];
        size_t n;
    } rows[] = {
        {"one part", {"HELLO"}, 1},
        {"three parts", {"HELLO", "\x80", "x"}, 3},
        {"no verb", {"", "\x80"}, 2},
        {"small letters", {"hello", "\x80"}, 2},
        {"long verb", {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "\x80"}, 2},
        {"no map", {"HELLO", "\x90"}, 2},
        {"nothing", {"HELLO", ""}, 2},
        {"bytes behind", {"HELLO", "\x80\x80"}, 2},
        {"a map of more than there is", {"HELLO", "\xdf\xff\xff\xff\xff"}, 2},
    };
    struct bus_socket *dealer = connected(BUS_DEALER), *router = bound(BUS_ROUTER);
    struct bus_peer peer;
    struct frame frame;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        raw_send(dealer, rows[i].parts, rows[i].n);
        wait_for(router);
        memset(&peer, 0, sizeof peer);
        assert_int_equal(bus_receive_from(router, &peer, &frame), STATUS_REFUSED);
        assert_int_equal(peer.len, 5); /* who is to be told */
    }
    assert_int_equal(bus_send(dealer, "PING", a_map()), STATUS_OK);
    wait_for(router);
    assert_int_equal(bus_receive_from(router, &peer, &frame), STATUS_OK);
    assert_int_equal(zmq_send(bus_raw(router), peer.id, peer.len, ZMQ_SNDMORE), peer.len);
    raw_send(router, rows[1].parts, rows[1].n);
    assert_int_equal(bus_send_to(router, &peer, "PONG", a_map()), STATUS_OK);
    wait_for(dealer);
    assert_int_equal(bus_receive(dealer, &frame), STATUS_REFUSED);
    wait_for(dealer);
    assert_int_equal(bus_receive(dealer, &frame), STATUS_OK);
    assert_string_equal(frame.verb, "PONG");
    bus_close(&dealer);
    bus_close(&router);
}

static void test_publish_and_subscribe(void **state)
{
    struct bus_socket *pub = bound(BUS_PUB), *sub = connected(BUS_SUB);
    struct bytes topic, body, priv;
    int64_t end_us = clock_boot_us() + DEADLINE_US;
    zmq_pollitem_t item = {.socket = bus_raw(sub), .events = ZMQ_POLLIN};

    (void)state;
    /* A subscriber joins when it joins: said again until it hears. */
    do {
        assert_true(clock_boot_us() < end_us);
        assert_int_equal(bus_publish(pub, "job.offered", a_map(), bytes_of(NULL, 0)), STATUS_OK);
    } while (zmq_poll(&item, 1, 10) == 0);
    assert_int_equal(bus_receive_live(sub, &topic, &body, &priv), STATUS_OK);
    assert_true(bytes_equal(topic, bytes_of_text("job.offered")));
    assert_true(bytes_equal(body, a_map()));
    assert_int_equal(priv.len, 0);
    bus_close(&pub);
    bus_close(&sub);
}

/* A frame of so many bytes: verb and map, in a msgpack bin. */
static struct bytes map_of(struct buf *out, size_t bytes)
{
    static uint8_t filling[FRAME_BYTES_MAX];
    uint8_t head[] = {0x81, 0xa1, 'k', 0xc6, 0, 0, 0, 0};
    size_t n = bytes - sizeof head;

    for (size_t i = 0; i < 4; i++)
        head[4 + i] = (uint8_t)(n >> (24 - 8 * i));
    buf_reset(out);
    buf_append(out, head, sizeof head);
    buf_append(out, filling, n);
    return buf_bytes(out);
}

static bool same_peer(const struct bus_peer *a, const struct bus_peer *b)
{
    return a->len == b->len && memcmp(a->id, b->id, a->len) == 0;
}

/* The next frame of anybody but `not`, who is silent from now on: what is said is lost until the line stands again. */
static void hear_again(struct bus_socket *dealer, struct bus_socket *router, const struct bus_peer *not, struct bus_peer *peer)
{
    int64_t end_us = clock_boot_us() + DEADLINE_US;
    zmq_pollitem_t item = {.socket = bus_raw(router), .events = ZMQ_POLLIN};
    struct frame frame;

    for (;;) {
        assert_true(clock_boot_us() < end_us);
        if (bus_send(dealer, "PING", a_map()) != STATUS_OK || zmq_poll(&item, 1, 20) == 0)
            continue;
        assert_int_equal(bus_receive_from(router, peer, &frame), STATUS_OK);
        assert_string_equal(frame.verb, "PING");
        if (!same_peer(peer, not))
            return;
    }
}

static void hear_the_end(struct bus_socket *router, const struct bus_peer *peer)
{
    int64_t end_us = clock_boot_us() + DEADLINE_US;
    zmq_pollitem_t item = {.socket = bus_raw(router), .events = ZMQ_POLLIN};
    struct bus_peer any;
    struct frame frame;

    while (bus_send_to(router, peer, "PONG", a_map()) != STATUS_CLOSED) {
        assert_true(clock_boot_us() < end_us);
        if (zmq_poll(&item, 1, 20) > 0) /* what it has said before stands before its end */
            assert_int_equal(bus_receive_from(router, &any, &frame), STATUS_OK);
    }
}

/* ZMTP's heartbeats meet a full connection that has broken, and libzmq 4.3.4 aborts: nobody here asks for them. */
static void test_no_heartbeats(void **state)
{
    static const enum bus_kind kinds[] = {BUS_ROUTER, BUS_PUB};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct bus_socket *socket = bound(kinds[i]);
        int every_ms = -1, alive = -1;
        size_t size = sizeof every_ms;
        assert_int_equal(zmq_getsockopt(bus_raw(socket), ZMQ_HEARTBEAT_IVL, &every_ms, &size), 0);
        assert_int_equal(zmq_getsockopt(bus_raw(socket), ZMQ_TCP_KEEPALIVE, &alive, &size), 0);
        assert_int_equal(every_ms, 0);
        assert_int_equal(alive, 1);
        bus_close(&socket);
    }
}

/* Longer frames cut the line they come over: at intake above 512 KiB, at a client above 1 MiB. */
static void test_a_frame_is_too_long(void **state)
{
    struct bus_socket *router = bound(BUS_ROUTER), *dealer = connected(BUS_DEALER);
    struct bus_peer first, second;
    struct frame frame;
    struct buf map = {0};

    (void)state;
    assert_int_equal(bus_send(dealer, "APPEND", map_of(&map, 512 * 1024)), STATUS_OK);
    wait_for(router);
    assert_int_equal(bus_receive_from(router, &first, &frame), STATUS_OK);
    assert_int_equal(frame.map.len, 512 * 1024);
    assert_int_equal(bus_send(dealer, "APPEND", map_of(&map, 512 * 1024 + 1)), STATUS_OK);
    hear_again(dealer, router, &first, &second);
    assert_int_equal(bus_send_to(router, &first, "PONG", a_map()), STATUS_CLOSED);

    assert_int_equal(bus_send_to(router, &second, "BATCH", map_of(&map, FRAME_BYTES_MAX)), STATUS_OK);
    wait_for(dealer);
    assert_int_equal(bus_receive(dealer, &frame), STATUS_OK);
    assert_int_equal(frame.map.len, FRAME_BYTES_MAX);
    assert_int_equal(bus_send_to(router, &second, "BATCH", map_of(&map, FRAME_BYTES_MAX + 1)), STATUS_OK);
    hear_the_end(router, &second); /* libzmq does not connect that socket again: its owner makes a new one after a silence */
    assert_int_equal(bus_receive(dealer, &frame), STATUS_AGAIN);
    buf_release(&map);
    bus_close(&dealer);
    bus_close(&router);
}

/* Between threads: what does not fit is the sender's to drop, and he knows it. */
static void test_a_pair_is_full(void **state)
{
    struct bus_socket *in, *out;
    struct frame frame;
    size_t sent = 0, heard = 0;

    (void)state;
    text_format(endpoint, sizeof endpoint, "inproc://pair-%u", places);
    in = bound(BUS_PAIR);
    out = connected(BUS_PAIR);
    zmq_pollitem_t item = {.socket = bus_raw(out), .events = ZMQ_POLLOUT};
    while (bus_send(out, "BLOCK", a_map()) == STATUS_OK)
        assert_true(++sent <= 512);
    assert_int_equal(sent, 512);
    while (bus_receive(in, &frame) == STATUS_OK)
        heard++;
    assert_int_equal(heard, sent);
    assert_int_equal(zmq_poll(&item, 1, DEADLINE_US / 1000), 1); /* there is room again */
    assert_int_equal(bus_send(out, "BLOCK", a_map()), STATUS_OK);
    bus_close(&in);
    bus_close(&out);
}

static void test_bind_says_why_not(void **state)
{
    char error[100] = "";

    (void)state;
    assert_null(bus_bind(BUS_PUB, "tcp://nowhere:1", error, sizeof error));
    assert_string_not_equal(error, "");
    error[0] = '\0';
    assert_null(bus_connect(BUS_SUB, "carrier-pigeon", error, sizeof error));
    assert_string_not_equal(error, "");
}

struct echo {
    struct loop *loop;
    struct bus_socket *router, *dealer;
    unsigned frames, answers;
};

static void on_router(void *arg)
{
    struct echo *e = arg;
    struct bus_peer peer;
    struct frame frame;

    while (bus_receive_from(e->router, &peer, &frame) == STATUS_OK) {
        e->frames++;
        assert_int_equal(bus_send_to(e->router, &peer, "PONG", frame.map), STATUS_OK);
    }
}

static void on_dealer(void *arg)
{
    struct echo *e = arg;
    struct frame frame;

    while (bus_receive(e->dealer, &frame) == STATUS_OK)
        e->answers++;
    if (e->answers == 1000) { /* a handler may forget and close its own socket */
        loop_forget(e->loop, e->dealer, -1);
        bus_close(&e->dealer);
    }
}

static void test_loop_serves_until_told_to_stop(void **state)
{
    struct echo e = {.loop = loop_new(), .router = bound(BUS_ROUTER), .dealer = connected(BUS_DEALER)};
    int64_t end_us = clock_boot_us() + DEADLINE_US;
    sigset_t term;

    (void)state;
    loop_socket(e.loop, e.router, on_router, &e);
    loop_socket(e.loop, e.dealer, on_dealer, &e);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(bus_send(e.dealer, "PING", a_map()), STATUS_OK);
    while (e.dealer) {
        assert_true(clock_boot_us() < end_us);
        assert_true(loop_once(e.loop, end_us));
    }
    assert_int_equal(e.frames, 1000);
    assert_int_equal(e.answers, 1000);

    int64_t before_us = clock_boot_us();
    assert_true(loop_once(e.loop, before_us + 20000));
    assert_true(clock_boot_us() >= before_us + 18000); /* zmq_poll counts whole milliseconds */

    before_us = clock_boot_us();
    raise(SIGHUP);
    assert_true(loop_once(e.loop, before_us + 20000));
    assert_true(clock_boot_us() >= before_us + 18000); /* it does not even wake anybody */

    raise(SIGTERM);
    assert_false(loop_once(e.loop, INT64_MAX));
    assert_false(loop_once(e.loop, INT64_MAX)); /* for good, and for every loop */
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    assert_int_equal(sigtimedwait(&term, NULL, &(struct timespec){0}), SIGTERM);
    bus_close(&e.router);
    loop_destroy(&e.loop);
    assert_null(e.loop);
}

static void test_loop_watches_descriptors(void **state)
{
    struct loop *loop = loop_new();
    int64_t end_us = clock_boot_us() + DEADLINE_US;
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    loop_fd(loop, ends[0], do_nothing, NULL);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_true(loop_once(loop, end_us));
    assert_true(clock_boot_us() < end_us);
    loop_forget(loop, NULL, ends[0]);
    int64_t before_us = clock_boot_us();
    assert_true(loop_once(loop, before_us + 20000)); /* still readable, no longer watched */
    assert_true(clock_boot_us() >= before_us + 18000);
    close(ends[0]);
    close(ends[1]);
    loop_destroy(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_dealer_and_router, open_place),
        cmocka_unit_test(test_clients_of_their_own),
        cmocka_unit_test_setup(test_garbage_is_dropped, open_place),
        cmocka_unit_test_setup(test_publish_and_subscribe, open_place),
        cmocka_unit_test_setup(test_a_frame_is_too_long, open_place),
        cmocka_unit_test_setup(test_a_pair_is_full, open_place),
        cmocka_unit_test_setup(test_bind_says_why_not, open_place),
        cmocka_unit_test_setup(test_no_heartbeats, open_place),
        cmocka_unit_test_setup(test_loop_serves_until_told_to_stop, open_place),
        cmocka_unit_test_setup(test_loop_watches_descriptors, open_place),
    };
    return cmocka_run_group_tests(tests, group_open, group_close);
}
