#include "edges.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "chance.h"
#include "house.h"
#include "record/pack.h"
#include "simulation/watches.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#define SOCKETS_MAX 8
#define PEERS_MAX 8

struct message {
    struct message *next;
    unsigned peer;
    bool broken, long_id;
    char verb[32];
    size_t verb_n;
    struct bytes map; /* a block of its own, so that reading past it is seen */
};

struct bus_socket {
    char endpoint[32];
    struct message *in, **in_end;
    struct message *read; /* what was received last */
};

static struct {
    int64_t boot_us, wall_us;
    struct chance chance;
    struct bus_socket *sockets[SOCKETS_MAX];
    size_t sockets_n;
    enum edges_peer peers[PEERS_MAX];
    void *pair[1024]; /* blocks on their way from thread to thread */
    size_t pair_n;
} edges;

void edges_reset(void)
{
    assert(edges.sockets_n == 0);
    memset(&edges, 0, sizeof(edges));
    edges.boot_us = 1000 * SECOND_US;
    edges.wall_us = INT64_C(1782205200000000);
    edges.chance = chance_of(1);
}

void edges_pass(int64_t us)
{
    edges.boot_us += us;
    edges.wall_us += us;
}

void edges_step_wall(int64_t us)
{
    edges.wall_us += us;
}

int64_t clock_boot_us(void)
{
    return edges.boot_us;
}

int64_t clock_wall_us(void)
{
    return edges.wall_us;
}

void fuzz_random_fill(void *out, size_t n);
void fuzz_random_fill(void *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)out)[i] = (uint8_t)chance_next(&edges.chance);
}

/* --- sockets --------------------------------------------------------------------------------------- */

struct bus_socket *bus_bind(enum bus_kind kind, const char *endpoint, char *error, size_t error_cap)
{
    (void)kind;
    (void)error;
    (void)error_cap;
    struct bus_socket *socket = memory_new(sizeof(*socket));
    text_copy(socket->endpoint, sizeof(socket->endpoint), endpoint);
    socket->in_end = &socket->in;
    assert(edges.sockets_n < SOCKETS_MAX);
    return edges.sockets[edges.sockets_n++] = socket;
}

struct bus_socket *bus_connect(enum bus_kind kind, const char *endpoint, char *error, size_t error_cap)
{
    return bus_bind(kind, endpoint, error, error_cap);
}

static void message_free(struct message *message)
{
    if (message == NULL)
        return;
    free((void *)(uintptr_t)message->map.data);
    free(message);
}

void bus_close(struct bus_socket **socket_p)
{
    struct bus_socket *socket = *socket_p;
    if (socket == NULL)
        return;
    while (socket->in != NULL) {
        struct message *next = socket->in->next;
        message_free(socket->in);
        socket->in = next;
    }
    message_free(socket->read);
    size_t i = 0;
    while (edges.sockets[i] != socket)
        i++;
    edges.sockets[i] = edges.sockets[--edges.sockets_n];
    free(socket);
    *socket_p = NULL;
}

void *bus_raw(const struct bus_socket *socket)
{
    return (void *)(uintptr_t)socket;
}

struct bus_socket *edges_socket(const char *endpoint)
{
    for (size_t i = edges.sockets_n; i-- > 0;)
        if (text_equal(edges.sockets[i]->endpoint, endpoint))
            return edges.sockets[i];
    return NULL;
}

static void message_add(struct bus_socket *socket, struct message *message)
{
    edges.peers[message->peer % PEERS_MAX] = PEER_THERE;
    *socket->in_end = message;
    socket->in_end = &message->next;
}

void edges_receive(struct bus_socket *socket, unsigned peer, struct bytes verb, struct bytes map)
{
    struct message *message = memory_new(sizeof(*message));
    uint8_t *copy = malloc(map.len > 0 ? map.len : 1);
    if (map.len > 0)
        memcpy(copy, map.data, map.len);
    message->peer = peer;
    message->verb_n = verb.len < sizeof(message->verb) ? verb.len : sizeof(message->verb);
    if (message->verb_n > 0)
        memcpy(message->verb, verb.data, message->verb_n);
    message->map = bytes_of(copy, map.len);
    message_add(socket, message);
}

void edges_receive_broken(struct bus_socket *socket, unsigned peer, bool long_id)
{
    struct message *message = memory_new(sizeof(*message));
    message->peer = peer;
    message->broken = true;
    message->long_id = long_id;
    message_add(socket, message);
}

void edges_peer(unsigned peer, enum edges_peer state)
{
    edges.peers[peer % PEERS_MAX] = state;
}

static bool is_verb(const struct message *message, size_t cap)
{
    for (size_t i = 0; i < message->verb_n; i++)
        if ((message->verb[i] < 'A' || message->verb[i] > 'Z') && message->verb[i] != '_')
            return false;
    return message->verb_n > 0 && message->verb_n < cap;
}

static bool is_map(struct bytes map)
{
    struct problem problem;
    struct unpack in;
    if (!skim(map, &problem))
        return false;
    in = unpack_of(map);
    return unpack_next(&in).type == PACK_MAP;
}

static void peer_is(struct bus_peer *peer, unsigned number)
{
    static const uint8_t before[] = {0, 'p', 'e', 'r'};
    peer->len = 5;
    memcpy(peer->id, before, sizeof(before));
    peer->id[4] = (uint8_t)number;
}

enum status bus_receive_from(struct bus_socket *socket, struct bus_peer *peer, struct frame *frame)
{
    struct message *message = socket->in;
    peer->len = 0;
    if (message == NULL)
        return STATUS_AGAIN;
    socket->in = message->next;
    if (socket->in == NULL)
        socket->in_end = &socket->in;
    message_free(socket->read);
    socket->read = message;
    if (message->long_id)
        return STATUS_REFUSED;
    peer_is(peer, message->peer);
    if (message->broken || !is_verb(message, sizeof(frame->verb)) || !is_map(message->map))
        return STATUS_REFUSED;
    memcpy(frame->verb, message->verb, message->verb_n);
    frame->verb[message->verb_n] = '\0';
    frame->map = message->map;
    return STATUS_OK;
}

enum status bus_send_to(struct bus_socket *socket, const struct bus_peer *peer, const char *verb, struct bytes map)
{
    (void)socket;
    struct bus_peer none = *peer; /* all of it must be readable */
    assert(none.len <= BUS_PEER_MAX);
    if (peer->len != 5)
        return STATUS_CLOSED;
    edges_said(verb, map);
    switch (edges.peers[peer->id[4] % PEERS_MAX]) {
    case PEER_THERE:
        return STATUS_OK;
    case PEER_GONE:
        return STATUS_CLOSED;
    case PEER_FULL:
        return STATUS_AGAIN;
    }
    return STATUS_OK;
}

enum status bus_publish(struct bus_socket *socket, const char *topic, struct bytes body, struct bytes priv)
{
    struct problem problem;
    (void)socket;
    (void)topic;
    bool fine = skim(body, &problem) && (priv.len == 0 || skim(priv, &problem));
    assert(fine);
    return STATUS_OK;
}

/* --- from thread to thread ------------------------------------------------------------------------- */

int fuzz_zmq_send(void *socket, const void *data, size_t n, int flags);
int fuzz_zmq_send(void *socket, const void *data, size_t n, int flags)
{
    (void)socket;
    (void)flags;
    assert(n == sizeof(void *));
    if (edges.pair_n == sizeof(edges.pair) / sizeof(edges.pair[0]))
        return -1;
    memcpy(&edges.pair[edges.pair_n++], data, n);
    return (int)n;
}

int fuzz_zmq_recv(void *socket, void *data, size_t n, int flags);
int fuzz_zmq_recv(void *socket, void *data, size_t n, int flags)
{
    (void)socket;
    (void)flags;
    if (edges.pair_n == 0)
        return -1;
    memcpy(data, &edges.pair[0], n);
    memmove(&edges.pair[0], &edges.pair[1], --edges.pair_n * sizeof(edges.pair[0]));
    return (int)n;
}

/* --- the loop -------------------------------------------------------------------------------------- */

bool watched_is_readable(const struct bus_socket *socket, int fd)
{
    return socket != NULL ? socket->in != NULL : db_fd_is_readable(fd);
}

/* --- what stands beside ---------------------------------------------------------------------------- */

int sd_notify(int unset, const char *state)
{
    (void)unset;
    (void)state;
    return 0;
}

int fuzz_usleep(unsigned us);
int fuzz_usleep(unsigned us)
{
    edges_pass(us);
    return 0;
}

/* The log, to nowhere; what is fatal is a finding. */
#define LOG_NOWHERE(format)                                \
    do {                                                   \
        char line[1024];                                   \
        va_list args;                                      \
        va_start(args, format);                            \
        (void)vsnprintf(line, sizeof(line), format, args); \
        va_end(args);                                      \
    } while (0)

void log_open(const char *name, bool json)
{
    (void)name;
    (void)json;
}

void log_info(const char *format, ...)
{
    LOG_NOWHERE(format);
}

void log_warn(const char *format, ...)
{
    LOG_NOWHERE(format);
}

void log_error(const char *format, ...)
{
    LOG_NOWHERE(format);
}

void log_fatal(const char *format, ...)
{
    LOG_NOWHERE(format);
    abort();
}

void log_panic(const char *format, ...)
{
    LOG_NOWHERE(format);
    abort();
}
