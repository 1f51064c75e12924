/* Those who hold up: readers that stand still, subscribers that read nothing, senders of garbage. They cost this process next to nothing, so that a
 * machine of two cores measures intake and not them. */
#include "bench.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "bus/socket.h"
#include "record/pack.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define GARBAGE_TICK_US (100 * 1000)

static volatile sig_atomic_t told_to_end;

static void on_signal(int number)
{
    (void)number;
    told_to_end = 1;
}

/* A socket that takes one message and is never read. */
static void *frozen(void *context, int kind, const char *endpoint)
{
    void *socket = zmq_socket(context, kind);
    int one = 1, none = 0;
    zmq_setsockopt(socket, ZMQ_RCVHWM, &one, sizeof one);
    zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none);
    if (kind == ZMQ_SUB)
        zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0);
    bench_identify(socket);
    if (zmq_connect(socket, endpoint) != 0)
        fprintf(stderr, "%s: %s\n", endpoint, zmq_strerror(errno));
    return socket;
}

static void say(void *socket, const char *verb, struct bytes map)
{
    if (zmq_send(socket, verb, strlen(verb), ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0)
        zmq_send(socket, map.data, map.len, ZMQ_DONTWAIT);
}

static void opens(void *socket, const char *stream, int64_t after)
{
    struct verb_open *open = memory_new(sizeof *open);
    struct buf map = {0};
    record_clear(&verb_open_record, open);
    text_copy(open->stream, sizeof open->stream, stream);
    text_copy(open->consumer, sizeof open->consumer, "operator/frozen");
    open->after = after;
    open->follow = true;
    open->credit = INT64_C(1) << 30;
    record_encode(&verb_open_record, RECORD_WHOLE, open, &map);
    say(socket, "OPEN", buf_bytes(&map));
    buf_release(&map);
    free(open);
}

/* Says HELLO as a source of its own; the events that follow are refused one by one. */
struct garbage {
    void *socket;
    int64_t last;
    unsigned turn;
};

static void greets(struct garbage *garbage, const char *stream, int i)
{
    struct verb_hello hello;
    struct buf map = {0};
    uint8_t random[6];
    char hex[13];
    record_clear(&verb_hello_record, &hello);
    random_fill(random, sizeof random);
    hex_print(random, sizeof random, hex);
    hello.proto[0] = hello.proto[1] = PROTO_VERSION;
    hello.proto_n = 2;
    text_copy(hello.stream, sizeof hello.stream, stream);
    text_format(hello.source, sizeof hello.source, "operator/garbage-%d-%s", i, hex);
    random_fill(hello.incarnation, sizeof hello.incarnation);
    hello.first = 1;
    hello.last = INT32_MAX;
    record_encode(&verb_hello_record, RECORD_WHOLE, &hello, &map);
    say(garbage->socket, "HELLO", buf_bytes(&map));
    buf_release(&map);
}

static void refused_one(struct garbage *garbage)
{
    static const uint8_t nothing[] = {0x80};
    struct buf draft = {0}, map = {0};
    draft_encode(&(struct draft){.type = "no.such", .v = 1, .by = "garbage", .data = bytes_of(nothing, 1)}, &draft);
    struct bytes event = buf_bytes(&draft);
    struct verb_append append = {.n = ++garbage->last, .events = {.items = &event, .n = 1}, .upto = -1};
    record_encode(&verb_append_record, RECORD_WHOLE, &append, &map);
    say(garbage->socket, "APPEND", buf_bytes(&map));
    buf_release(&draft);
    buf_release(&map);
}

static void says_garbage(struct garbage *garbage)
{
    static const uint8_t nothing[] = {0x80}, bomb[] = {0xdd, 0xff, 0xff, 0xff, 0xff};
    static uint8_t large[200 * 1024];
    switch (garbage->turn++ % 8) {
    case 0:
    case 1:
    case 2:
        refused_one(garbage);
        break;
    case 3:
        say(garbage->socket, "NONSENSE", bytes_of(nothing, 1));
        break;
    case 4:
        say(garbage->socket, "APPEND", bytes_of(bomb, sizeof bomb));
        break;
    case 5:
        say(garbage->socket, "HELLO", bytes_of(nothing, 1));
        break;
    case 6:
        say(garbage->socket, "PING", bytes_of(nothing, 1));
        break;
    default:
        say(garbage->socket, "APPEND", garbage->turn % 64 == 0 ? bytes_of(large, sizeof large) : bytes_of(nothing, 1));
    }
}

/* Each second each sends `rate` frames; what comes back is never read by one half of them. */
static void garbage_run(struct garbage *garbage, int n, int rate)
{
    int64_t began_us = clock_boot_us(), done = 0;
    char drain[256];
    while (!told_to_end) {
        int64_t due = (clock_boot_us() - began_us) * rate * n / SECOND_US;
        for (; done < due; done++)
            says_garbage(&garbage[done % n]);
        for (int i = 0; i < n; i += 2)
            while (zmq_recv(garbage[i].socket, drain, sizeof drain, ZMQ_DONTWAIT) >= 0)
                continue;
        zmq_poll(NULL, 0, GARBAGE_TICK_US / 1000);
    }
}

int bench_hostile(int argc, char **argv)
{
    (void)argc;
    int feeds = atoi(argv[6]), lives = atoi(argv[7]), senders = atoi(argv[8]), rate = atoi(argv[9]);
    int64_t after = atoll(argv[10]);
    void *context = zmq_ctx_new(), **frozen_ones = memory_new(((size_t)(feeds + lives) + 1) * sizeof *frozen_ones);
    struct garbage *garbage = memory_new(((size_t)senders + 1) * sizeof *garbage);
    zmq_ctx_set(context, ZMQ_MAX_SOCKETS, feeds + lives + senders + 16);
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    for (int i = 0; i < feeds; i++) {
        frozen_ones[i] = frozen(context, ZMQ_DEALER, argv[4]);
        opens(frozen_ones[i], argv[5], after);
    }
    for (int i = 0; i < lives; i++)
        frozen_ones[feeds + i] = frozen(context, ZMQ_SUB, argv[3]);
    for (int i = 0; i < senders; i++) {
        garbage[i].socket = frozen(context, ZMQ_DEALER, argv[2]);
        greets(&garbage[i], argv[5], i);
    }
    printf("{\"bench\":\"hostile\",\"feeds\":%d,\"lives\":%d,\"senders\":%d}\n", feeds, lives, senders);
    fflush(stdout);
    garbage_run(garbage, senders, rate);
    static const uint8_t nothing[] = {0x80};
    for (int i = 0; i < feeds; i++) /* the next round begins without them */
        say(frozen_ones[i], "CLOSE", bytes_of(nothing, 1));
    zmq_poll(NULL, 0, 1000);
    for (int i = 0; i < feeds + lives; i++)
        zmq_close(frozen_ones[i]);
    for (int i = 0; i < senders; i++)
        zmq_close(garbage[i].socket);
    zmq_ctx_term(context);
    free(frozen_ones);
    free(garbage);
    return 0;
}
