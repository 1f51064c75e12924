#include "door.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#define PAIR_ENDPOINT "inproc://door"
#define ZAP_ENDPOINT "inproc://zeromq.zap.01"
#define PARTS_MAX 9 /* routing id, empty, version, request, domain, address, identity, mechanism, key */
#define ASKED_PER_TURN 64

static const char *const watched[] = {"cmd", "live", "feed"};

struct door {
    pthread_t thread;
    struct bus_socket *end; /* the other thread's */
    struct bus_socket *pair, *zap, *monitors[COUNT_OF(watched)];
    struct keyring keyring;
    struct access_denied denials[DOOR_TOLD_MAX]; /* since they were last told */
    size_t denials_n;
    int64_t told_us;
    bool stop;
};

void door_monitor(const char *socket_name, char out[40])
{
    text_format(out, 40, "inproc://watch-%s", socket_name);
}

static void receive_pair(struct door *door)
{
    struct frame frame;
    while (bus_receive(door->pair, &frame) == STATUS_OK) {
        if (text_equal(frame.verb, "STOP"))
            door->stop = true;
        if (frame.map.len != sizeof(struct keyring))
            continue;
        keyring_release(&door->keyring);
        memcpy(&door->keyring, frame.map.data, sizeof(door->keyring));
    }
}

/* --- whom it turned away --------------------------------------------------------------------------- */

/* The last place is for all that have none. */
static void denied_note(struct door *door, const char *principal, const char *address, const char *code)
{
    struct access_denied *place = NULL;
    for (size_t i = 0; i < door->denials_n && place == NULL; i++)
        if (text_equal(door->denials[i].principal, principal) && text_equal(door->denials[i].code, code) &&
            (principal[0] != '\0' || text_equal(door->denials[i].address, address)))
            place = &door->denials[i];
    if (place == NULL && door->denials_n == DOOR_TOLD_MAX)
        place = &door->denials[DOOR_TOLD_MAX - 1];
    if (place == NULL) {
        place = &door->denials[door->denials_n++];
        *place = (struct access_denied){.count = 0};
        text_copy(place->principal, sizeof(place->principal), principal);
        text_copy(place->address, sizeof(place->address), address);
        text_copy(place->code, sizeof(place->code), code);
    }
    place->count++;
}

static void denials_tell(struct door *door)
{
    if (door->denials_n == 0 || clock_boot_us() - door->told_us < SECOND_US)
        return;
    for (size_t i = 0; i < door->denials_n; i++) {
        enum status status = bus_send(door->pair, "DENIED", bytes_of(&door->denials[i], sizeof(door->denials[i])));
        (void)status; /* not taken: there is too much to tell already */
    }
    door->denials_n = 0;
    door->told_us = clock_boot_us();
}

/* --- ZAP --------------------------------------------------------------------------------------------- */

struct request {
    zmq_msg_t parts[PARTS_MAX];
    int n;
};

static bool request_receive(void *zap, struct request *request)
{
    bool more = true;
    request->n = 0;
    while (more) {
        zmq_msg_t part;
        zmq_msg_init(&part);
        if (zmq_msg_recv(&part, zap, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&part);
            return false;
        }
        more = zmq_msg_more(&part) != 0;
        if (request->n == PARTS_MAX)
            zmq_msg_close(&part);
        else
            request->parts[request->n++] = part;
    }
    return true;
}

static struct bytes part_of(struct request *request, int i)
{
    return i < request->n ? bytes_of(zmq_msg_data(&request->parts[i]), zmq_msg_size(&request->parts[i])) : bytes_of(NULL, 0);
}

static void text_part(struct request *request, int i, char *out, size_t cap)
{
    struct bytes part = part_of(request, i);
    if (part.len == 0 || !text_copy_n(out, cap, (const char *)part.data, part.len))
        out[0] = '\0';
}

static void part_send(void *zap, struct bytes part, bool more)
{
    (void)zmq_send(zap, part.data, part.len, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0));
}

static void verdict_send(void *zap, struct request *request, const struct verdict *verdict)
{
    char status[8];
    text_format(status, sizeof(status), "%d", verdict->status);
    part_send(zap, part_of(request, 0), true);
    part_send(zap, bytes_of("", 0), true);
    part_send(zap, bytes_of_text("1.0"), true);
    part_send(zap, part_of(request, 3), true);
    part_send(zap, bytes_of_text(status), true);
    part_send(zap, bytes_of_text(verdict->status == 200 ? "OK" : "no"), true);
    part_send(zap, bytes_of_text(verdict->user), true);
    part_send(zap, bytes_of("", 0), false);
}

static void request_judge(struct door *door, struct request *request)
{
    char domain[16], address[64], mechanism[16];
    struct verdict verdict;
    struct bytes key = part_of(request, 8);
    if (request->n < 8)
        return; /* not of libzmq: the handshake runs into its time limit */
    text_part(request, 4, domain, sizeof(domain));
    text_part(request, 5, address, sizeof(address));
    text_part(request, 7, mechanism, sizeof(mechanism));
    struct comer comer = {.domain = domain, .mechanism = mechanism, .address = address,
                          .key = key.len == 32 ? key.data : NULL, .uid = (unsigned)geteuid()};
    keyring_judge(&door->keyring, &comer, &verdict);
    verdict_send(bus_raw(door->zap), request, &verdict);
    if (verdict.status == 400)
        denied_note(door, verdict.id, address, verdict.why);
}

static void receive_zap(struct door *door)
{
    struct request request;
    for (int i = 0; i < ASKED_PER_TURN; i++) {
        bool whole = request_receive(bus_raw(door->zap), &request);
        if (whole)
            request_judge(door, &request);
        for (int part = 0; part < request.n; part++)
            zmq_msg_close(&request.parts[part]);
        if (!whole)
            return;
    }
}

/* --- monitors ----------------------------------------------------------------------------------------- */

/* Two frames: event and value, our own address (libzmq does not say whose). Who came by another mechanism, with bytes that are not
 * of a handshake, an older one played again for instance, or went away in the middle: one without CURVE often does that before its
 * mechanism was read. By ipc comes who may use the folder: one of this machine's programs that dies in the middle is no attempt. */
static void receive_monitor(struct door *door, size_t i)
{
    void *monitor = bus_raw(door->monitors[i]);
    uint8_t event[6];
    char address[64];
    for (int k = 0; k < ASKED_PER_TURN; k++) {
        uint16_t what;
        uint32_t value;
        int n = zmq_recv(monitor, event, sizeof(event), ZMQ_DONTWAIT);
        if (n < 0)
            return;
        n = n == (int)sizeof(event) ? zmq_recv(monitor, address, sizeof(address) - 1, ZMQ_DONTWAIT) : -1;
        if (n < 0)
            continue;
        memcpy(&what, event, sizeof(what));
        memcpy(&value, event + 2, sizeof(value));
        address[n < (int)sizeof(address) ? n : (int)sizeof(address) - 1] = '\0'; /* n is how long it was, whatever came of it */
        if (what == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL && text_starts(address, "ipc:"))
            continue;
        bool other = what == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL && value == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH;
        denied_note(door, "", watched[i], other ? "mechanism" : "handshake");
    }
}

/* --- life --------------------------------------------------------------------------------------------- */

#define SOCKETS (2 + COUNT_OF(watched))

static void *door_run(void *arg)
{
    struct door *door = arg;
    while (!door->stop) {
        zmq_pollitem_t items[SOCKETS] = {{.socket = bus_raw(door->zap), .events = ZMQ_POLLIN},
                                         {.socket = bus_raw(door->pair), .events = ZMQ_POLLIN}};
        for (size_t i = 0; i < COUNT_OF(watched); i++)
            items[2 + i] = (zmq_pollitem_t){.socket = bus_raw(door->monitors[i]), .events = ZMQ_POLLIN};
        if (zmq_poll(items, SOCKETS, door->denials_n > 0 ? 200 : -1) < 0 && errno != EINTR)
            break;
        receive_pair(door);
        receive_zap(door);
        for (size_t i = 0; i < COUNT_OF(watched); i++)
            if (items[2 + i].revents != 0)
                receive_monitor(door, i);
        denials_tell(door);
    }
    return NULL;
}

static void door_free(struct door *door)
{
    bus_close(&door->end);
    bus_close(&door->pair);
    bus_close(&door->zap);
    for (size_t i = 0; i < COUNT_OF(watched); i++)
        bus_close(&door->monitors[i]);
    keyring_release(&door->keyring);
    free(door);
}

/* Opened here, where an error can be told, and handed over to the thread that is about to begin. */
static bool sockets_open(struct door *door, char error[200])
{
    door->zap = bus_bind(BUS_ROUTER, ZAP_ENDPOINT, error, 200);
    door->pair = door->zap != NULL ? bus_bind(BUS_PAIR, PAIR_ENDPOINT, error, 200) : NULL;
    door->end = door->pair != NULL ? bus_connect(BUS_PAIR, PAIR_ENDPOINT, error, 200) : NULL;
    for (size_t i = 0; i < COUNT_OF(watched) && door->end != NULL; i++) {
        char endpoint[40];
        door_monitor(watched[i], endpoint);
        door->monitors[i] = bus_connect(BUS_PAIR, endpoint, error, 200);
        if (door->monitors[i] == NULL)
            return false;
    }
    return door->end != NULL;
}

struct door *door_start(void)
{
    char error[200] = "";
    struct door *door = memory_new(sizeof(*door));
    if (sockets_open(door, error) && pthread_create(&door->thread, NULL, door_run, door) == 0)
        return door;
    log_error("the door cannot be kept: %s", error);
    door_free(door);
    return NULL;
}

void door_stop(struct door **door_p)
{
    struct door *door = *door_p;
    if (door == NULL)
        return;
    if (bus_send(door->end, "STOP", bytes_of("", 0)) == STATUS_OK) {
        (void)pthread_join(door->thread, NULL);
        door_free(door);
    }
    *door_p = NULL;
}

struct bus_socket *door_end(const struct door *door)
{
    return door->end;
}
