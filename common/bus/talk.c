#include "bus/talk.h"

#include "base/clock.h"
#include "base/text.h"
#include "bus/getting.h"
#include "bus/inquiry.h"
#include "bus/reader.h"
#include "bus/source.h"

#include <stdio.h>
#include <zmq.h>

#define PAUSE_US (SECOND_US / 10)
#define PAUSE_MAX_US (5 * SECOND_US)

struct machine {
    void (*connected)(void *, int64_t now_us);
    void (*disconnected)(void *);
    bool (*out)(void *, int64_t now_us, struct frame *);
    bool (*in)(void *, const struct frame *, int64_t now_us);
    int64_t (*deadline_us)(const void *);
    bool (*tick)(void *, int64_t now_us);
};

/* The machines have the same verbs, each of a type of its own. */
#define MACHINE(name)                                                                                          \
    static void name##_up(void *m, int64_t now_us) { name##_connected(m, now_us); }                            \
    static void name##_down(void *m) { name##_disconnected(m); }                                               \
    static bool name##_says(void *m, int64_t now_us, struct frame *frame) { return name##_out(m, now_us, frame); } \
    static bool name##_hears(void *m, const struct frame *frame, int64_t now_us) { return name##_in(m, frame, now_us); } \
    static int64_t name##_due_us(const void *m) { return name##_deadline_us(m); }                              \
    static bool name##_ticks(void *m, int64_t now_us) { return name##_tick(m, now_us); }                       \
    static const struct machine name##_machine = {name##_up, name##_down, name##_says, name##_hears, name##_due_us, name##_ticks}
MACHINE(reader);
MACHINE(source);
MACHINE(inquiry);
MACHINE(getting);

static const struct machine *machine_of(const struct talk *talk)
{
    static const struct machine *const machines[] = {
        [TALK_READER] = &reader_machine, [TALK_SOURCE] = &source_machine, [TALK_INQUIRY] = &inquiry_machine,
        [TALK_GETTING] = &getting_machine};

    return machines[talk->kind];
}

void talk_say(struct talk *talk, const char *verb, struct bytes map)
{
    /* What a full socket does not take is missed as what a broken one has lost is. */
    if (talk->socket)
        (void)!bus_send(talk->socket, verb, map);
}

void talk_flush(struct talk *talk)
{
    struct frame frame;
    int64_t now_us = clock_boot_us();

    while (talk->socket && machine_of(talk)->out(talk->machine, now_us, &frame))
        talk_say(talk, frame.verb, frame.map);
}

void talk_close(struct talk *talk)
{
    bus_close(&talk->socket);
}

/* MOVED may name others than those that were known (F18, A12). */
static void endpoints_take(struct talk *talk)
{
    struct verb_moved moved;
    struct problem problem;
    size_t used = 0;

    if (!text_equal(talk->frame.verb, "MOVED") ||
        !record_decode(&verb_moved_record, RECORD_WHOLE, DECODE_LENIENT, talk->frame.map, NULL, &moved, &problem) || moved.endpoints_n == 0)
        return;
    for (uint32_t i = 0; i < moved.endpoints_n; i++)
        used += (size_t)snprintf(talk->list + used, sizeof talk->list - used, "%s ", moved.endpoints[i]);
    talk->next = 0;
}

bool talk_is_out_of_patience(struct talk *talk)
{
    int64_t now_us = clock_boot_us();

    if (talk->silent_us == 0)
        talk->silent_us = now_us;
    return talk->patience_us > 0 && now_us - talk->silent_us > talk->patience_us;
}

static void pause_wait(struct talk *talk)
{
    (void)zmq_poll(NULL, 0, (long)(talk->pause_us / 1000));
    talk->pause_us = talk->pause_us == 0 ? PAUSE_US : talk->pause_us * 2 < PAUSE_MAX_US ? talk->pause_us * 2 : PAUSE_MAX_US;
}

/* STATUS_AGAIN: there is a connection, and nothing was heard over it yet. */
static enum status renew(struct talk *talk)
{
    char endpoint[ENDPOINT_CAP] = "";
    size_t n;

    machine_of(talk)->disconnected(talk->machine);
    endpoints_take(talk);
    talk->frame.verb[0] = '\0';
    bus_close_now(&talk->socket); /* a HELLO left over would end the new session */
    if (talk_is_out_of_patience(talk)) {
        (void)text_copy(talk->error, sizeof talk->error, "nobody answers");
        return STATUS_CLOSED;
    }
    pause_wait(talk);
    n = endpoints_count(talk->list);
    if (n > 0)
        endpoints_at(talk->list, talk->next++ % n, endpoint);
    talk->socket = bus_client_connect(talk->bus, endpoint, talk->error, sizeof talk->error);
    if (!talk->socket)
        return STATUS_REFUSED;
    talk->lines++;
    machine_of(talk)->connected(talk->machine, clock_boot_us());
    return STATUS_AGAIN;
}

/* A frame, waited for until due_us. What is no frame of the protocol is passed over (T3). */
static bool hear(struct talk *talk, int64_t due_us)
{
    zmq_pollitem_t item = {.socket = bus_raw(talk->socket), .events = ZMQ_POLLIN};
    enum status status;
    int64_t left_us;

    while ((status = bus_receive(talk->socket, &talk->frame)) != STATUS_OK && (left_us = due_us - clock_boot_us()) > 0)
        if (status != STATUS_REFUSED)
            (void)zmq_poll(&item, 1, left_us < SECOND_US ? (long)(left_us / 1000) + 1 : 1000);
    return status == STATUS_OK;
}

static bool is_good(const char *verb)
{
    static const char *const verbs[] = {"BATCH", "HEAD", "CAUGHT_UP", "ACK", "ANSWER"};

    for (size_t i = 0; i < COUNT_OF(verbs); i++)
        if (text_equal(verbs[i], verb))
            return true;
    return false;
}

void talk_good(struct talk *talk)
{
    talk->pause_us = talk->silent_us = 0;
}

void talk_anew(struct talk *talk)
{
    talk->frame.verb[0] = '\0'; /* it borrows from the socket */
    bus_close_now(&talk->socket);
}

static int64_t due_us(const struct talk *talk)
{
    int64_t machines_us = machine_of(talk)->deadline_us(talk->machine);

    return talk->until_us > 0 && talk->until_us < machines_us ? talk->until_us : machines_us;
}

enum status talk_turn(struct talk *talk)
{
    const struct machine *machine = machine_of(talk);

    if (!talk->socket)
        return renew(talk);
    talk_flush(talk);
    if (!hear(talk, due_us(talk)))
        return machine->tick(talk->machine, clock_boot_us()) ? renew(talk) : STATUS_AGAIN;
    if (!machine->in(talk->machine, &talk->frame, clock_boot_us()))
        return renew(talk);
    if (is_good(talk->frame.verb))
        talk_good(talk);
    return STATUS_OK;
}
