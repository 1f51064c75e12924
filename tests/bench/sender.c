#include "bench.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "bus/socket.h"
#include <stdio.h>
#include <string.h>
#include <zmq.h>

static void on_welcome(void *owner, const struct verb_welcome *welcome)
{
    (void)welcome;
    ((struct sender *)owner)->open = true;
}

static void on_answer(void *owner, const struct answer *answer)
{
    struct sender *sender = owner;
    if (answer->taken) {
        sender->taken++;
    } else if (sender->refused++ == 0) {
        fprintf(stderr, "refused: %s %s %s\n", answer->problem.code, answer->problem.field, answer->problem.args);
    }
}

static void on_denied(void *owner, const char *code, const char *why)
{
    struct sender *sender = owner;
    sender->denied = true;
    snprintf(sender->why, sizeof sender->why, "%s %s", code, why);
}

bool sender_turn(struct sender *sender, int64_t us)
{
    struct frame frame;
    enum status status;
    int64_t now_us = clock_boot_us();
    while (source_out(sender->source, now_us, &frame))
        if (bus_send(sender->socket, frame.verb, frame.map) != STATUS_OK)
            return false;
    zmq_pollitem_t item = {.socket = bus_raw(sender->socket), .events = ZMQ_POLLIN};
    zmq_poll(&item, 1, us / 1000);
    while ((status = bus_receive(sender->socket, &frame)) != STATUS_AGAIN)
        if (status != STATUS_OK || !source_in(sender->source, &frame, clock_boot_us()))
            return false;
    if (source_tick(sender->source, clock_boot_us()))
        text_copy(sender->why, sizeof sender->why, "intake is silent");
    return !sender->denied && sender->why[0] == '\0';
}

bool sender_open(struct sender *sender, const char *endpoint, const char *stream, const char *name, size_t inflight)
{
    static const struct source_listener listener = {.welcome = on_welcome, .answer = on_answer, .denied = on_denied};
    struct source_config config = {.first = 1, .last = 0};
    memset(sender, 0, sizeof *sender);
    sender->inflight = inflight;
    text_copy(config.stream, sizeof config.stream, stream);
    text_copy(config.name, sizeof config.name, name);
    random_fill(config.incarnation, sizeof config.incarnation);
    sender->socket = bus_connect(BUS_DEALER, endpoint, sender->why, sizeof sender->why);
    if (sender->socket == NULL)
        return false;
    sender->source = source_new(&config, &listener, sender);
    source_connected(sender->source, clock_boot_us());
    int64_t until_us = clock_boot_us() + 10 * SECOND_US;
    while (!sender->open && clock_boot_us() < until_us)
        if (!sender_turn(sender, 50000))
            return false;
    return sender->open;
}

void sender_close(struct sender *sender)
{
    source_destroy(&sender->source);
    bus_close(&sender->socket);
}

bool sender_send(struct sender *sender, const struct bytes *drafts, size_t n)
{
    while (source_pending(sender->source) + n > sender->inflight && source_pending(sender->source) > 0)
        if (!sender_turn(sender, 100000))
            return false;
    source_append(sender->source, drafts, n, -1, 0);
    return sender_turn(sender, 0);
}
