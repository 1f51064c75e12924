/* What is found behind a full pipe when the connection has broken meanwhile: libzmq 4.3.4 would abort at the PING. */
#include "hangup.h"

#include "base/clock.h"
#include "base/instant.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <zmq.h>

#define DEADLINE_US (120 * SECOND_US)
#define HWM 32
#define BEFORE 60 /* small frames, then the PING, and one more */

static int connect_to(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void tell(int fd, const void *bytes, size_t n)
{
    assert_int_equal(write(fd, bytes, n), (ssize_t)n);
}

static void hear(int fd, size_t n)
{
    uint8_t byte;
    for (size_t i = 0; i < n; i++)
        assert_int_equal(read(fd, &byte, 1), 1);
}

/* ZMTP 3.1's greeting, by the mechanism NULL, and READY. */
static void shake_hands(int fd)
{
    uint8_t greeting[64] = {[0] = 0xff, [9] = 0x7f, [10] = 3, [11] = 1, [12] = 'N', [13] = 'U', [14] = 'L', [15] = 'L'};
    static const uint8_t ready[] = "\x04\x1c\x05READY\x0bSocket-Type\x00\x00\x00\x06" "DEALER";
    uint8_t head[2];
    tell(fd, greeting, sizeof greeting);
    hear(fd, sizeof greeting);
    tell(fd, ready, sizeof ready - 1);
    assert_int_equal(read(fd, head, 2), 2);
    hear(fd, head[1]);
}

static void flood(int fd)
{
    static const uint8_t ping[] = {0x04, 7, 4, 'P', 'I', 'N', 'G', 0, 0};
    uint8_t bytes[3 * (BEFORE + 1) + sizeof ping], *at = bytes;
    for (int i = 0; i <= BEFORE; i++) {
        if (i == BEFORE) {
            memcpy(at, ping, sizeof ping);
            at += sizeof ping;
        }
        *at++ = 0;
        *at++ = 1;
        *at++ = 'x';
    }
    tell(fd, bytes, sizeof bytes); /* one segment: libzmq reads it at once */
}

static void reset(int fd)
{
    struct linger now = {.l_onoff = 1};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    close(fd);
}

static bool has_message(void *socket, long ms)
{
    zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
    return zmq_poll(&item, 1, ms) == 1;
}

static void wait_for(size_t broken)
{
    int64_t until_us = clock_boot_us() + DEADLINE_US;
    while (hangups_waiting() != broken && clock_boot_us() < until_us)
        (void)zmq_poll(NULL, 0, 1);
    assert_int_equal(hangups_waiting(), broken);
}

static void test_a_ping_behind_a_full_pipe_ends_nobody(void **state)
{
    (void)state;
    char place[64], byte[8];
    int port, hwm = HWM, linger = 0;
    size_t size = sizeof place;
    hangups_wait();
    void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_ROUTER);
    assert_int_equal(zmq_setsockopt(socket, ZMQ_RCVHWM, &hwm, sizeof hwm), 0);
    assert_int_equal(zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger), 0);
    assert_int_equal(zmq_bind(socket, "tcp://127.0.0.1:*"), 0);
    assert_int_equal(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, place, &size), 0);
    assert_int_equal(sscanf(place, "tcp://127.0.0.1:%d", &port), 1);
    for (int round = 0; round < 5; round++) {
        int fd = connect_to(port);
        shake_hands(fd);
        flood(fd);
        assert_true(has_message(socket, 20000));
        reset(fd);
        wait_for(1);
        /* All of it is read, and then the connection ends like any other. */
        for (int i = 0; i <= BEFORE; i++) {
            assert_true(has_message(socket, 20000));
            while (zmq_recv(socket, byte, sizeof byte, 0) != 1)
                continue; /* the peer's name goes first */
        }
        wait_for(0);
    }
    /* Others are served. */
    int fd = connect_to(port);
    shake_hands(fd);
    flood(fd);
    assert_true(has_message(socket, 20000));
    close(fd);
    zmq_close(socket);
    zmq_ctx_term(context);
}

/* Broken before anybody has looked: the kernel tells of the bytes and of the hang-up at once. */
static void test_what_came_before_the_hang_up_is_told_alone(void **state)
{
    (void)state;
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof place;
    struct epoll_event event = {.events = EPOLLIN};
    struct pollfd broken;
    hangups_wait();
    int door = socket(AF_INET, SOCK_STREAM, 0), at = epoll_create1(0);
    assert_int_equal(bind(door, (struct sockaddr *)&place, size), 0);
    assert_int_equal(listen(door, 1), 0);
    assert_int_equal(getsockname(door, (struct sockaddr *)&place, &size), 0);
    int fd = connect_to(ntohs(place.sin_port)), other = accept(door, NULL, NULL);
    tell(fd, "x", 1);
    reset(fd);
    broken = (struct pollfd){.fd = other, .events = POLLOUT};
    do
        assert_int_equal(poll(&broken, 1, 20000), 1);
    while ((broken.revents & POLLHUP) == 0);
    assert_int_equal(epoll_ctl(at, EPOLL_CTL_ADD, other, &event), 0);
    assert_int_equal(epoll_wait(at, &event, 1, 20000), 1);
    assert_int_equal(event.events, EPOLLIN);
    assert_int_equal(epoll_ctl(at, EPOLL_CTL_DEL, other, NULL), 0);
    close(other);
    close(door);
    close(at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_ping_behind_a_full_pipe_ends_nobody),
                                       cmocka_unit_test(test_what_came_before_the_hang_up_is_told_alone)};
    return cmocka_run_group_tests_name("intake hangup", tests, NULL, NULL);
}
