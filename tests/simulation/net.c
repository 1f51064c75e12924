#include "net.h"
#include "base/bytes.h"
#include "base/text.h"
#include "check.h"
#include "record/pack.h"
#include "settings/settings.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define QUEUE_MAX 20000
#define PARTS_MAX 3

struct message {
    struct message *next;
    struct link *link;
    bool to_server;
    struct bytes parts[PARTS_MAX];
    int parts_n;
    void *pointer; /* through the pair */
};

struct queue {
    struct message *first, **end;
    size_t n;
};

struct bus_socket {
    enum bus_kind kind;
    char endpoint[ENDPOINT_CAP];
    struct process *process;
    bool bound, closed, connecting;
    struct queue in, unsent;
    struct message *held;
    struct link *link;
    struct bus_socket *next;
};

struct link {
    uint32_t id;
    struct bus_socket *client, *server;
    bool up; /* as both ends see it */
    bool passes_to_server, passes_to_client;
    int64_t last_us[2];
    int64_t credit; /* of a reader */
    struct link *next;
};

static struct {
    struct bus_socket *sockets;
    struct link *links;
    uint32_t link_last;
    int64_t delay_us;
    unsigned live_lost;
    int64_t pair_full_until_us;
    struct {
        char client[40];
        int64_t until_us;
    } out[32];
    size_t out_n;
    struct stop {
        char client[40], endpoint[16];
        bool to_server, to_client;
        int64_t until_us;
    } stops[32];
    size_t stops_next;
} net;

static void queue_add(struct queue *queue, struct message *message)
{
    if (queue->first == NULL)
        queue->end = &queue->first;
    message->next = NULL;
    *queue->end = message;
    queue->end = &message->next;
    queue->n++;
    if (queue->n > QUEUE_MAX)
        world_broken("a queue holds %zu messages", queue->n);
}

static struct message *queue_take(struct queue *queue)
{
    struct message *message = queue->first;
    if (message != NULL) {
        queue->first = message->next;
        queue->n--;
    }
    return message;
}

static struct bytes copy(struct bytes from)
{
    if (from.len == 0)
        return bytes_of(NULL, 0);
    uint8_t *to = memory_new(from.len);
    memcpy(to, from.data, from.len);
    return bytes_of(to, from.len);
}

static void message_free(struct message *message)
{
    if (message == NULL)
        return;
    for (int i = 0; i < message->parts_n; i++)
        free((void *)(uintptr_t)message->parts[i].data);
    free(message);
}

static struct message *message_new(struct bytes first, struct bytes second, struct bytes third, int n)
{
    struct message *message = memory_new(sizeof(*message));
    message->parts[0] = copy(first);
    message->parts[1] = copy(second);
    if (n > 2)
        message->parts[2] = copy(third);
    message->parts_n = n;
    return message;
}

/* --- connections --------------------------------------------------------------------------------- */

static void deliver(void *arg)
{
    struct message *message = arg;
    struct link *link = message->link;
    struct bus_socket *to = message->to_server ? link->server : link->client;
    bool passes = message->to_server ? link->passes_to_server : link->passes_to_client;
    if (!passes || to->closed || (!message->to_server && to->link != link)) {
        message_free(message);
        return;
    }
    queue_add(&to->in, message);
    process_wake(to->process);
}

void net_stop(const char *client, const char *endpoint, bool to_server, bool to_client, int64_t until_us)
{
    struct stop *stop = &net.stops[net.stops_next++ % COUNT_OF(net.stops)];
    *stop = (struct stop){.to_server = to_server, .to_client = to_client, .until_us = until_us};
    text_copy(stop->client, sizeof(stop->client), client);
    text_copy(stop->endpoint, sizeof(stop->endpoint), endpoint);
}

static int64_t stopped_until(const struct bus_socket *client, bool to_server, bool to_client)
{
    int64_t until_us = 0;
    for (size_t i = 0; i < COUNT_OF(net.stops); i++) {
        const struct stop *stop = &net.stops[i];
        bool way = (to_server && stop->to_server) || (to_client && stop->to_client);
        if (way && stop->until_us > until_us && text_equal(stop->client, client->process->name) &&
            text_equal(stop->endpoint, client->endpoint))
            until_us = stop->until_us;
    }
    return until_us;
}

static void send_over(struct link *link, bool to_server, struct message *message)
{
    int64_t delay_us = world_between(30, 400);
    if (net.delay_us > 0 && world_chance(300))
        delay_us += world_between(0, net.delay_us);
    int64_t *last_us = &link->last_us[to_server];
    int64_t at_us = world_now_us() + delay_us, stopped_us = stopped_until(link->client, to_server, !to_server);
    if (at_us < stopped_us)
        at_us = stopped_us + delay_us;
    if (at_us < *last_us)
        at_us = *last_us;
    *last_us = at_us;
    message->link = link;
    message->to_server = to_server;
    world_at(at_us, deliver, message);
}

static struct bus_socket *bound_at(const char *endpoint)
{
    for (struct bus_socket *s = net.sockets; s != NULL; s = s->next) /* the newest first: it has the address */
        if (s->bound && !s->closed && text_equal(s->endpoint, endpoint) && s->process->alive)
            return s->process->paused ? NULL : s;
    return NULL;
}

static bool is_kept_out(const struct process *process)
{
    for (size_t i = 0; i < net.out_n; i++)
        if (text_equal(net.out[i].client, process->name) && net.out[i].until_us > world_now_us())
            return true;
    return false;
}

static void try_connect(void *arg)
{
    struct bus_socket *s = arg;
    s->connecting = false;
    if (s->closed || s->link != NULL)
        return;
    bool out = is_kept_out(s->process) || stopped_until(s, true, true) > world_now_us();
    struct bus_socket *server = out ? NULL : bound_at(s->endpoint);
    if (server == NULL) {
        s->connecting = true;
        world_at(world_now_us() + world_between(100000, 300000), try_connect, s);
        return;
    }
    struct link *link = memory_new(sizeof(*link));
    *link = (struct link){.id = ++net.link_last, .client = s, .server = server, .up = true, .passes_to_server = true,
                          .passes_to_client = true, .next = net.links};
    net.links = link;
    s->link = link;
    struct message *message;
    while ((message = queue_take(&s->unsent)) != NULL)
        send_over(link, true, message);
}

static void connect_later(struct bus_socket *s, int64_t us)
{
    if (s->closed || s->connecting || s->bound)
        return;
    s->connecting = true;
    world_at(world_now_us() + us, try_connect, s);
}

static void link_down(struct link *link, bool late)
{
    link->up = link->passes_to_client = false;
    if (!late)
        link->passes_to_server = false;
    if (link->client->link == link) {
        link->client->link = NULL;
        connect_later(link->client, world_between(100000, 1000000));
    }
}

static void on_hole_noticed(void *arg)
{
    struct link *link = arg;
    if (link->up)
        link_down(link, false);
}

static void link_cut(struct link *link)
{
    switch (world_draw(4)) {
    case 0: /* what it has sent still comes */
        link_down(link, true);
        break;
    case 1: /* nobody is told before heartbeats tell */
        link->passes_to_client = link->passes_to_server = false;
        world_at(world_now_us() + world_between(1, 15) * SECOND_US, on_hole_noticed, link);
        break;
    default:
        link_down(link, false);
    }
}

void net_cut(const char *client)
{
    for (struct link *link = net.links; link != NULL; link = link->next)
        if (link->up && (client == NULL || text_equal(link->client->process->name, client)) && world_chance(700))
            link_cut(link);
}

void net_keep_out(const char *client, int64_t until_us)
{
    size_t i = 0;
    while (i < net.out_n && !text_equal(net.out[i].client, client))
        i++;
    assert(i < COUNT_OF(net.out));
    if (i == net.out_n)
        net.out_n++;
    text_copy(net.out[i].client, sizeof(net.out[i].client), client);
    net.out[i].until_us = until_us;
}

void net_weather(int64_t delay_us, unsigned live_lost_per_mille)
{
    net.delay_us = delay_us;
    net.live_lost = live_lost_per_mille;
}

void net_feed_behind(int64_t until_us)
{
    net.pair_full_until_us = until_us;
}

bool net_has_credit(const struct process *process)
{
    for (const struct link *link = net.links; link != NULL; link = link->next)
        if (link->server->process == process && link->credit > 0) /* one that is gone is noticed when it is sent something */
            return true;
    return false;
}

/* --- sockets ------------------------------------------------------------------------------------- */

void bus_start(void) {}
void bus_stop(void) {}

static struct bus_socket *socket_new(enum bus_kind kind, const char *endpoint)
{
    struct bus_socket *s = memory_new(sizeof(*s));
    world_touch();
    s->kind = kind;
    s->process = process_current();
    text_copy(s->endpoint, sizeof(s->endpoint), endpoint);
    s->next = net.sockets;
    net.sockets = s;
    return s;
}

struct bus_socket *bus_bind(enum bus_kind kind, const char *endpoint, char *error, size_t error_cap)
{
    (void)error;
    (void)error_cap;
    struct bus_socket *s = socket_new(kind, endpoint);
    s->bound = true;
    return s;
}

struct bus_socket *bus_connect(enum bus_kind kind, const char *endpoint, char *error, size_t error_cap)
{
    (void)error;
    (void)error_cap;
    struct bus_socket *s = socket_new(kind, endpoint);
    if (kind != BUS_PAIR)
        connect_later(s, world_between(50, 2000));
    return s;
}

static void socket_end(struct bus_socket *s, bool killed)
{
    s->closed = true;
    for (struct link *link = net.links; link != NULL; link = link->next)
        if (link->up && (link->client == s || link->server == s))
            link_down(link, !killed && link->client == s);
}

void bus_close(struct bus_socket **s_p)
{
    if (*s_p == NULL)
        return;
    socket_end(*s_p, false);
    *s_p = NULL;
}

void bus_close_now(struct bus_socket **s_p)
{
    bus_close(s_p);
}

void net_forget(struct process *process)
{
    for (struct bus_socket *s = net.sockets; s != NULL; s = s->next)
        if (s->process == process && !s->closed)
            socket_end(s, true);
}

void *bus_raw(const struct bus_socket *s)
{
    return (void *)(uintptr_t)s;
}

enum status bus_send(struct bus_socket *s, const char *verb, struct bytes map)
{
    world_touch();
    check_sent(s->process->name, verb, map);
    struct message *message = message_new(bytes_of_text(verb), map, bytes_of(NULL, 0), 2);
    if (s->link == NULL)
        queue_add(&s->unsent, message);
    else
        send_over(s->link, true, message);
    return STATUS_OK;
}

enum status bus_send_to(struct bus_socket *s, const struct bus_peer *peer, const char *verb, struct bytes map)
{
    uint32_t id;
    world_touch();
    memcpy(&id, peer->id, sizeof(id));
    struct link *link = net.links;
    while (link != NULL && link->id != id)
        link = link->next;
    if (link == NULL || !link->up || link->server != s)
        return STATUS_CLOSED;
    check_said(s->process, link->client->process, verb, map);
    credit_spend(&link->credit, link->client->process->name, verb, map);
    send_over(link, false, message_new(bytes_of_text(verb), map, bytes_of(NULL, 0), 2));
    return STATUS_OK;
}

enum status bus_publish(struct bus_socket *s, const char *topic, struct bytes body, struct bytes priv)
{
    world_touch();
    check_live(s->process, topic, body);
    for (struct link *link = net.links; link != NULL; link = link->next)
        if (link->up && link->server == s && !(net.live_lost > 0 && world_chance(net.live_lost)))
            send_over(link, false, message_new(bytes_of_text(topic), body, priv, 3));
    return STATUS_OK;
}

static struct message *receive(struct bus_socket *s)
{
    world_touch();
    message_free(s->held);
    return s->held = queue_take(&s->in);
}

static enum status frame_read(const struct message *message, struct frame *frame)
{
    struct problem problem;
    text_copy_n(frame->verb, sizeof(frame->verb), (const char *)message->parts[0].data, message->parts[0].len);
    frame->map = message->parts[1];
    return skim(frame->map, &problem) ? STATUS_OK : STATUS_REFUSED;
}

enum status bus_receive(struct bus_socket *s, struct frame *frame)
{
    const struct message *message = receive(s);
    return message == NULL ? STATUS_AGAIN : frame_read(message, frame);
}

enum status bus_receive_from(struct bus_socket *s, struct bus_peer *peer, struct frame *frame)
{
    const struct message *message = receive(s);
    if (message == NULL)
        return STATUS_AGAIN;
    memcpy(peer->id, &message->link->id, sizeof(message->link->id));
    peer->len = sizeof(message->link->id);
    peer->user[0] = '\0';
    enum status status = frame_read(message, frame);
    credit_hear(&message->link->credit, frame->verb, frame->map);
    return status;
}

enum status bus_receive_live(struct bus_socket *s, struct bytes *topic, struct bytes *body, struct bytes *priv)
{
    const struct message *message = receive(s);
    if (message == NULL)
        return STATUS_AGAIN;
    *topic = message->parts[0];
    *body = message->parts[1];
    *priv = message->parts[2];
    return STATUS_OK;
}

/* --- the pair inside intake, and zmq_poll -------------------------------------------------------- */

int sim_zmq_send(void *socket, const void *data, size_t n, int flags);
int sim_zmq_send(void *socket, const void *data, size_t n, int flags)
{
    struct bus_socket *s = socket;
    (void)flags;
    if (world_now_us() < net.pair_full_until_us) {
        errno = EAGAIN;
        return -1;
    }
    struct message *message = memory_new(sizeof(*message));
    assert(n == sizeof(message->pointer));
    memcpy(&message->pointer, data, n);
    if (s->process->told == NULL)
        s->process->told = memory_new(sizeof(struct queue));
    queue_add(s->process->told, message);
    process_wake(s->process);
    return (int)n;
}

int sim_zmq_recv(void *socket, void *data, size_t n, int flags);
int sim_zmq_recv(void *socket, void *data, size_t n, int flags)
{
    struct bus_socket *s = socket;
    struct message *message = s->process->told != NULL ? queue_take(s->process->told) : NULL;
    (void)flags;
    if (message == NULL)
        return -1;
    memcpy(data, &message->pointer, n);
    free(message);
    return (int)n;
}

bool net_is_readable(const struct bus_socket *s)
{
    if (s->kind == BUS_PAIR)
        return s->process->told != NULL && ((const struct queue *)s->process->told)->n > 0;
    return s->in.n > 0;
}

int sim_zmq_poll(zmq_pollitem_t *items, int n, long timeout_ms);
int sim_zmq_poll(zmq_pollitem_t *items, int n, long timeout_ms)
{
    int64_t until_us = timeout_ms < 0 ? INT64_MAX : world_now_us() + timeout_ms * 1000;
    world_touch();
    world_sleep(world_between(1, 20));
    for (;;) {
        int ready = 0;
        for (int i = 0; i < n; i++) {
            bool is = (items[i].events & ZMQ_POLLOUT) != 0 || net_is_readable(items[i].socket);
            items[i].revents = is ? items[i].events : 0;
            ready += is;
        }
        if (ready > 0 || world_now_us() >= until_us)
            return ready;
        world_wait(until_us);
    }
}
