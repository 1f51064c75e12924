/* Reading a stretch of the feed to its end. */
#include "worker/scan.h"

#include "base/clock.h"
#include "base/text.h"
#include <stdio.h>
#include <systemd/sd-daemon.h>
#include <zmq.h>

#define SILENCE_MAX_US (15 * SECOND_US)
#define BEHIND_MAX_US (10 * SECOND_US) /* a head comes each second */

struct scanning {
    const struct scan *scan;
    struct reader *reader;
    char why[200];
    bool done, stopped, failed, behind;
    int64_t began_us, heard_us;
};

static void on_event(void *owner, uint64_t pos, struct bytes body, struct bytes priv, const uint8_t link[LINK_BYTES])
{
    struct scanning *scanning = owner;
    if (scanning->done || scanning->stopped)
        return;
    if (!scanning->scan->event(scanning->scan->owner, pos, body, priv, link))
        scanning->stopped = true;
    if (scanning->scan->stop_at != 0 && pos >= scanning->scan->stop_at)
        scanning->done = true;
}

static void on_head(void *owner, uint64_t head, int64_t now_us)
{
    struct scanning *scanning = owner;
    (void)now_us;
    if (head >= scanning->scan->reach)
        scanning->done = true;
    else
        scanning->behind = clock_boot_us() - scanning->began_us > BEHIND_MAX_US;
}

static void on_failed(void *owner, const char *code, const char *why)
{
    struct scanning *scanning = owner;
    scanning->failed = true;
    snprintf(scanning->why, sizeof scanning->why, "%s: %s", code, why);
}

static bool pump(struct scanning *scanning, struct bus_socket *socket)
{
    struct frame frame;
    enum status status;
    int64_t now_us = clock_boot_us();
    (void)sd_notify(0, "WATCHDOG=1"); /* a stretch may be the whole journal */
    while (reader_out(scanning->reader, now_us, &frame))
        if (bus_send(socket, frame.verb, frame.map) != STATUS_OK)
            return false;
    zmq_pollitem_t item = {.socket = bus_raw(socket), .events = ZMQ_POLLIN};
    zmq_poll(&item, 1, 100);
    while (!scanning->done && !scanning->stopped && (status = bus_receive(socket, &frame)) != STATUS_AGAIN) {
        if (status != STATUS_OK || !reader_in(scanning->reader, &frame, clock_boot_us()))
            return false;
        scanning->heard_us = clock_boot_us();
    }
    reader_applied(scanning->reader, reader_position(scanning->reader));
    return clock_boot_us() - scanning->heard_us < SILENCE_MAX_US;
}

enum status scan_run(const struct scan *scan, char why[200])
{
    static const struct reader_listener listener = {.event = on_event, .head = on_head, .failed = on_failed};
    struct scanning scanning = {.scan = scan, .began_us = clock_boot_us(), .heard_us = clock_boot_us()};
    struct reader_config config = {.open = scan->open, .verify = scan->verify, .tries = 1};
    config.open.follow = scan->reach > 0; /* a feed that is behind comes up to it */
    why[0] = '\0';
    owned(bus_close) struct bus_socket *socket = bus_connect(BUS_DEALER, scan->endpoint, why, 200);
    if (socket == NULL)
        return STATUS_REFUSED;
    scanning.reader = reader_new(&config, &listener, &scanning);
    reader_connected(scanning.reader, clock_boot_us());
    bool alive = true;
    while (alive && !scanning.done && !scanning.stopped && !scanning.failed && !scanning.behind)
        alive = pump(&scanning, socket);
    reader_destroy(&scanning.reader);
    text_copy(why, 200, scanning.behind ? "the feed is behind intake" : alive || scanning.failed ? scanning.why : "nobody answers");
    if (scanning.failed)
        return STATUS_REFUSED;
    if (scanning.stopped)
        return STATUS_CLOSED;
    if (scanning.behind)
        return STATUS_ABSENT;
    return scanning.done ? STATUS_OK : STATUS_AGAIN;
}
