/* One reader from the first event to the head, every link recomputed. */
#include "bench.h"

#include "base/clock.h"
#include "base/text.h"
#include "bus/reader.h"
#include "bus/socket.h"
#include <stdio.h>
#include <zmq.h>

struct following {
    uint64_t events, bytes;
    bool done, failed;
    char why[200];
};

static void on_event(void *owner, uint64_t pos, struct bytes body, struct bytes priv, const uint8_t link[LINK_BYTES])
{
    struct following *following = owner;
    (void)pos;
    (void)link;
    following->events++;
    following->bytes += body.len + priv.len;
}

static void on_head(void *owner, uint64_t head, int64_t now_us)
{
    (void)head;
    (void)now_us;
    ((struct following *)owner)->done = true;
}

static void on_failed(void *owner, const char *code, const char *why)
{
    struct following *following = owner;
    following->failed = true;
    snprintf(following->why, sizeof following->why, "%s %s", code, why);
}

int bench_follow(int argc, char **argv)
{
    static const struct reader_listener listener = {.event = on_event, .head = on_head, .failed = on_failed};
    struct reader_config config = {.verify = true};
    struct following following = {0};
    char error[160];
    (void)argc;
    record_clear(&verb_open_record, &config.open);
    text_copy(config.open.stream, sizeof config.open.stream, argv[3]);
    text_copy(config.open.consumer, sizeof config.open.consumer, "operator/bench");
    config.open.credit = 4 << 20;
    struct bus_socket *socket = bus_connect(BUS_DEALER, argv[2], error, sizeof error);
    if (socket == NULL)
        return 1;
    struct reader *reader = reader_new(&config, &listener, &following);
    int64_t began_us = clock_boot_us();
    reader_connected(reader, began_us);
    while (!following.done && !following.failed && clock_boot_us() - began_us < 300 * SECOND_US) {
        struct frame frame;
        enum status status;
        while (reader_out(reader, clock_boot_us(), &frame))
            if (bus_send(socket, frame.verb, frame.map) != STATUS_OK)
                following.failed = true;
        zmq_pollitem_t item = {.socket = bus_raw(socket), .events = ZMQ_POLLIN};
        zmq_poll(&item, 1, 100);
        while (!following.done && (status = bus_receive(socket, &frame)) != STATUS_AGAIN)
            if (status != STATUS_OK || !reader_in(reader, &frame, clock_boot_us()))
                following.failed = true;
        reader_applied(reader, reader_position(reader));
    }
    double seconds = (double)(clock_boot_us() - began_us) / 1e6;
    printf("{\"bench\":\"follow\",\"events\":%llu,\"per_second\":%.0f,\"mib_per_second\":%.1f,\"cpu\":%.2f}\n",
           (unsigned long long)following.events, (double)following.events / seconds,
           (double)following.bytes / seconds / 1048576.0, cpu_seconds());
    if (following.failed)
        fprintf(stderr, "%s\n", following.why);
    reader_destroy(&reader);
    bus_close(&socket);
    return following.done ? 0 : 1;
}
