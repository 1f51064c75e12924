#include "bus/socket.h"

#include "base/log.h"
#include "base/text.h"
#include "bus/key.h"
#include "record/pack.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zmq.h>

#define STOP_SECONDS 5
#define PARTS_MAX 3
#define LANES_MAX 8
/* Messages that may wait on live, at either end: a second or two of the highest rate. One that stands still longer loses
 * them and replays; this bounds what it costs the publisher's memory. */
#define LIVE_HWM 16384
/* A peer that takes nothing for so long is cut off. */
#define UNREAD_MS 15000
/* Per peer of a ROUTER: what it has sent and we have not read (frames of at most so many bytes, of which APPEND and ANSWER are the
 * largest), and what we have sent and it has not read. A peer that stands still costs no more than that. */
#define ROUTER_MESSAGE_MAX (512 * 1024)
#define ROUTER_RECEIVE_HWM 32
#define ROUTER_SEND_HWM 512
/* Connections that wait to be taken in. After an outage all clients come at once; of those that find no room here each waits for its
 * kernel to ask again, one second, then three. */
#define BACKLOG 2048
/* Within the process: blocks of at most a commit's events. What does not fit is dropped by its sender, who knows it. */
#define PAIR_HWM 256

struct bus_socket {
    void *zmq;
    enum bus_kind kind;
    zmq_msg_t parts[PARTS_MAX]; /* of the message received last; borrowed by who asked for it */
    int parts_n;
};

/* As whom a client connects. */
struct identity {
    char public_key[BUS_KEY_TEXT], secret_key[BUS_KEY_TEXT], server_key[BUS_KEY_TEXT];
};

struct bus_client {
    void *context;
    struct identity identity;
};

static void *context;
static unsigned lanes = 1;
static struct identity identity; /* this process's */

/* A connection is a file descriptor, and the usual soft limit is 1,024 of them: more are ours to take. */
static void descriptors_allow(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

void bus_start(void)
{
    assert(!context);
    descriptors_allow();
    context = zmq_ctx_new();
    if (!context)
        log_fatal("ZeroMQ does not start: %s", zmq_strerror(errno));
}

void bus_lanes(unsigned n)
{
    assert(context && n > 0 && n <= LANES_MAX);
    lanes = zmq_ctx_set(context, ZMQ_IO_THREADS, (int)n) == 0 ? n : 1;
}

void bus_stop(void)
{
    if (!context)
        return;
    /* A peer that takes nothing any more must not keep us: the alarm ends the process. */
    alarm(STOP_SECONDS);
    while (zmq_ctx_term(context) != 0 && errno == EINTR)
        continue;
    alarm(0);
    context = NULL;
    lanes = 1;
}

static int zmq_kind(enum bus_kind kind)
{
    switch (kind) {
    case BUS_DEALER: return ZMQ_DEALER;
    case BUS_ROUTER: return ZMQ_ROUTER;
    case BUS_PUB: return ZMQ_PUB;
    case BUS_SUB: return ZMQ_SUB;
    case BUS_PAIR: return ZMQ_PAIR;
    }
    assert(false);
    return -1;
}

static bool option(void *zmq, int name, int value)
{
    return zmq_setsockopt(zmq, name, &value, sizeof value) == 0;
}

/* Who is gone is noticed by TCP, not by ZMTP's heartbeats: libzmq 4.3.4 aborts (`!_io_error`) when one is due, or comes out of what was
 * read before, on a connection that was full and has broken.
 * IMMEDIATE is not set: with one endpoint per socket it would only refuse what is said before the connection
 * stands; who reconnects makes a new socket, and the stale frames go with the old one. */
static bool options_set(void *zmq, enum bus_kind kind)
{
    bool good = option(zmq, ZMQ_HANDSHAKE_IVL, 5000) && option(zmq, ZMQ_TCP_KEEPALIVE, 1) &&
                option(zmq, ZMQ_TCP_KEEPALIVE_IDLE, 10) && option(zmq, ZMQ_TCP_KEEPALIVE_INTVL, 5) &&
                option(zmq, ZMQ_TCP_KEEPALIVE_CNT, 3) && option(zmq, ZMQ_RECONNECT_IVL, 100) &&
                option(zmq, ZMQ_RECONNECT_IVL_MAX, 1000); /* a restart is over in seconds */
    int64_t message_max = kind == BUS_ROUTER ? ROUTER_MESSAGE_MAX : FRAME_BYTES_MAX;

    if (kind != BUS_PAIR)
        good = good && zmq_setsockopt(zmq, ZMQ_MAXMSGSIZE, &message_max, sizeof message_max) == 0;
    switch (kind) {
    case BUS_DEALER:
        return good && option(zmq, ZMQ_LINGER, 2000) && option(zmq, ZMQ_SNDHWM, 10000) && option(zmq, ZMQ_RCVHWM, 10000);
    case BUS_ROUTER:
        return good && option(zmq, ZMQ_LINGER, 2000) && option(zmq, ZMQ_ROUTER_MANDATORY, 1) &&
               option(zmq, ZMQ_SNDHWM, ROUTER_SEND_HWM) && option(zmq, ZMQ_RCVHWM, ROUTER_RECEIVE_HWM) &&
               option(zmq, ZMQ_BACKLOG, BACKLOG) && option(zmq, ZMQ_TCP_MAXRT, UNREAD_MS);
    case BUS_PUB:
        return good && option(zmq, ZMQ_LINGER, 0) && option(zmq, ZMQ_SNDHWM, LIVE_HWM) && option(zmq, ZMQ_BACKLOG, BACKLOG) &&
               option(zmq, ZMQ_TCP_MAXRT, UNREAD_MS);
    case BUS_SUB:
        return good && option(zmq, ZMQ_LINGER, 0) && option(zmq, ZMQ_RCVHWM, LIVE_HWM) &&
               zmq_setsockopt(zmq, ZMQ_SUBSCRIBE, "", 0) == 0;
    case BUS_PAIR:
        return good && option(zmq, ZMQ_LINGER, 0) && option(zmq, ZMQ_SNDHWM, PAIR_HWM) && option(zmq, ZMQ_RCVHWM, PAIR_HWM);
    }
    return false;
}

static void identity_take(struct identity *who, const struct bus_key *key)
{
    explicit_bzero(who, sizeof *who);
    if (!key || !*key->secret_key || !*key->server_key)
        return;
    memcpy(who->public_key, key->public_key, sizeof who->public_key);
    memcpy(who->secret_key, key->secret_key, sizeof who->secret_key);
    memcpy(who->server_key, key->server_key, sizeof who->server_key);
}

void bus_identify(const struct bus_key *key)
{
    identity_take(&identity, key);
}

static bool option_text(void *zmq, int name, const char *value)
{
    return zmq_setsockopt(zmq, name, value, strlen(value)) == 0;
}

/* Applies to the connections made after it. */
static bool identity_set(void *zmq, const struct identity *who, const char *endpoint)
{
    if (!*who->secret_key || !text_starts(endpoint, "tcp://"))
        return true;
    return option_text(zmq, ZMQ_CURVE_SERVERKEY, who->server_key) && option_text(zmq, ZMQ_CURVE_PUBLICKEY, who->public_key) &&
           option_text(zmq, ZMQ_CURVE_SECRETKEY, who->secret_key);
}

static struct bus_socket *socket_open(void *in, enum bus_kind kind)
{
    struct bus_socket *s = memory_new(sizeof *s);

    assert(in);
    s->kind = kind;
    s->zmq = zmq_socket(in, zmq_kind(kind));
    if (s->zmq && options_set(s->zmq, kind))
        return s;
    int why = errno;
    bus_close(&s);
    errno = why;
    return NULL;
}

static struct bus_socket *failed(struct bus_socket *s, char *error, size_t error_cap)
{
    (void)text_copy(error, error_cap, zmq_strerror(errno));
    bus_close(&s);
    return NULL;
}

/* What a listener asks is decided when it is bound: each address of a socket may ask something else. */
static bool door_open(void *zmq, const struct bus_door *door)
{
    uint64_t threads = UINT64_C(1) << door->lane % lanes;
    bool good = zmq_setsockopt(zmq, ZMQ_AFFINITY, &threads, sizeof threads) == 0 &&
                (!door->domain || option_text(zmq, ZMQ_ZAP_DOMAIN, door->domain)) &&
                option(zmq, ZMQ_CURVE_SERVER, door->secret_key != NULL);

    if (good && door->secret_key)
        good = option_text(zmq, ZMQ_CURVE_SECRETKEY, door->secret_key);
    return good && zmq_bind(zmq, door->endpoint) == 0;
}

struct bus_socket *bus_bind_doors(enum bus_kind kind, const struct bus_door *doors, size_t n, const char *monitor,
                                  char *error, size_t error_cap)
{
    struct bus_socket *s = socket_open(context, kind);

    if (!s || (monitor && zmq_socket_monitor(s->zmq, monitor, ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL) != 0))
        return failed(s, error, error_cap);
    for (size_t i = 0; i < n; i++)
        if (!door_open(s->zmq, &doors[i]))
            return failed(s, error, error_cap);
    return s;
}

void bus_shut(struct bus_socket *s, const char *endpoint)
{
    (void)zmq_unbind(s->zmq, endpoint);
}

enum status bus_open_again(struct bus_socket *s, const struct bus_door *door)
{
    if (door_open(s->zmq, door))
        return STATUS_OK;
    return errno == EADDRINUSE ? STATUS_AGAIN : STATUS_REFUSED;
}

struct bus_socket *bus_bind(enum bus_kind kind, const char *endpoint, char *error, size_t error_cap)
{
    struct bus_door door = {.endpoint = endpoint};

    return bus_bind_doors(kind, &door, 1, NULL, error, error_cap);
}

static struct bus_socket *connect_as(void *in, const struct identity *who, enum bus_kind kind, const char *endpoint, char *error,
                                     size_t error_cap)
{
    struct bus_socket *s = socket_open(in, kind);

    if (!s || !identity_set(s->zmq, who, endpoint) || zmq_connect(s->zmq, endpoint) != 0)
        return failed(s, error, error_cap);
    return s;
}

struct bus_socket *bus_connect(enum bus_kind kind, const char *endpoint, char *error, size_t error_cap)
{
    return connect_as(context, &identity, kind, endpoint, error, error_cap);
}

struct bus_client *bus_client_new(const struct bus_key *key)
{
    struct bus_client *client = memory_new(sizeof *client);

    client->context = zmq_ctx_new();
    if (!client->context)
        abort(); /* there is no memory */
    identity_take(&client->identity, key);
    return client;
}

void bus_client_destroy(struct bus_client **client_p)
{
    struct bus_client *client = *client_p;

    if (!client)
        return;
    while (zmq_ctx_term(client->context) != 0 && errno == EINTR)
        continue;
    identity_take(&client->identity, NULL);
    free(client);
    *client_p = NULL;
}

struct bus_socket *bus_client_connect(struct bus_client *client, const char *endpoint, char *error, size_t error_cap)
{
    return connect_as(client->context, &client->identity, BUS_DEALER, endpoint, error, error_cap);
}

static void parts_release(struct bus_socket *s)
{
    for (int i = 0; i < s->parts_n; i++)
        zmq_msg_close(&s->parts[i]);
    s->parts_n = 0;
}

void bus_close(struct bus_socket **s_p)
{
    struct bus_socket *s = *s_p;

    if (!s)
        return;
    parts_release(s);
    if (s->zmq)
        zmq_close(s->zmq);
    free(s);
    *s_p = NULL;
}

void bus_close_now(struct bus_socket **s_p)
{
    if (*s_p)
        (void)option((*s_p)->zmq, ZMQ_LINGER, 0);
    bus_close(s_p);
}

void *bus_raw(const struct bus_socket *s)
{
    return s->zmq;
}

/* --- sending ------------------------------------------------------------------------------------- */

static enum status send_part(struct bus_socket *s, const void *data, size_t n, int flags)
{
    for (;;) {
        if (zmq_send(s->zmq, data, n, flags | ZMQ_DONTWAIT) >= 0)
            return STATUS_OK;
        switch (errno) {
        case EINTR: continue;
        case EAGAIN: return STATUS_AGAIN;
        default: return STATUS_CLOSED; /* EHOSTUNREACH: no such peer; ETERM, ENOTSOCK: the end */
        }
    }
}

/* Once the first part is taken the message is: zmq keeps room for the others. */
static enum status send_rest(struct bus_socket *s, const char *verb, struct bytes map)
{
    enum status status = send_part(s, verb, strlen(verb), ZMQ_SNDMORE);

    return status == STATUS_OK ? send_part(s, map.data, map.len, 0) : status;
}

enum status bus_send(struct bus_socket *s, const char *verb, struct bytes map)
{
    assert(s->kind == BUS_DEALER || s->kind == BUS_PAIR);
    return send_rest(s, verb, map);
}

enum status bus_send_to(struct bus_socket *s, const struct bus_peer *peer, const char *verb, struct bytes map)
{
    enum status status;

    assert(s->kind == BUS_ROUTER);
    status = send_part(s, peer->id, peer->len, ZMQ_SNDMORE);
    return status == STATUS_OK ? send_rest(s, verb, map) : status;
}

enum status bus_publish(struct bus_socket *s, const char *topic, struct bytes body, struct bytes priv)
{
    enum status status;

    assert(s->kind == BUS_PUB);
    status = send_part(s, topic, strlen(topic), ZMQ_SNDMORE);
    if (status == STATUS_OK)
        status = send_part(s, body.data, body.len, ZMQ_SNDMORE);
    return status == STATUS_OK ? send_part(s, priv.data, priv.len, 0) : status;
}

/* --- receiving ----------------------------------------------------------------------------------- */

static bool more_follows(struct bus_socket *s)
{
    return zmq_msg_more(&s->parts[s->parts_n - 1]) != 0;
}

static void rest_drop(struct bus_socket *s)
{
    zmq_msg_t part;
    bool more = true;

    while (more) {
        zmq_msg_init(&part);
        more = zmq_msg_recv(&part, s->zmq, ZMQ_DONTWAIT) >= 0 && zmq_msg_more(&part);
        zmq_msg_close(&part);
    }
}

/* One message of exactly n parts. */
static enum status receive_parts(struct bus_socket *s, int n)
{
    parts_release(s);
    do {
        zmq_msg_t *part = &s->parts[s->parts_n];
        int got;
        zmq_msg_init(part);
        do {
            got = zmq_msg_recv(part, s->zmq, ZMQ_DONTWAIT);
        } while (got < 0 && errno == EINTR);
        if (got < 0) {
            zmq_msg_close(part);
            return errno == EAGAIN ? STATUS_AGAIN : STATUS_CLOSED;
        }
        s->parts_n++;
    } while (s->parts_n < n && more_follows(s));
    if (more_follows(s)) {
        rest_drop(s);
        return STATUS_REFUSED;
    }
    return s->parts_n == n ? STATUS_OK : STATUS_REFUSED;
}

static struct bytes part_bytes(struct bus_socket *s, int i)
{
    return bytes_of(zmq_msg_data(&s->parts[i]), zmq_msg_size(&s->parts[i]));
}

static bool is_verb(struct bytes verb, size_t cap)
{
    if (verb.len == 0 || verb.len >= cap)
        return false;
    for (size_t i = 0; i < verb.len; i++)
        if ((verb.data[i] < 'A' || verb.data[i] > 'Z') && verb.data[i] != '_')
            return false;
    return true;
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

static enum status frame_read(struct bus_socket *s, int first, struct frame *frame)
{
    struct bytes verb = part_bytes(s, first), map = part_bytes(s, first + 1);

    /* Within the process (PAIR) the second part is the owner's own affair. */
    if (!is_verb(verb, sizeof frame->verb) || (s->kind != BUS_PAIR && !is_map(map)))
        return STATUS_REFUSED;
    memcpy(frame->verb, verb.data, verb.len);
    frame->verb[verb.len] = '\0';
    frame->map = map;
    return STATUS_OK;
}

enum status bus_receive(struct bus_socket *s, struct frame *frame)
{
    enum status status;

    assert(s->kind == BUS_DEALER || s->kind == BUS_PAIR);
    status = receive_parts(s, 2);
    return status == STATUS_OK ? frame_read(s, 0, frame) : status;
}

enum status bus_receive_from(struct bus_socket *s, struct bus_peer *peer, struct frame *frame)
{
    enum status status;
    struct bytes id;
    const char *user;

    assert(s->kind == BUS_ROUTER);
    peer->len = 0; /* an id that is too long is nobody's */
    status = receive_parts(s, 3);
    peer->user[0] = '\0';
    if (s->parts_n > 0 && (status == STATUS_OK || status == STATUS_REFUSED)) {
        id = part_bytes(s, 0);
        if (id.len > BUS_PEER_MAX)
            return STATUS_REFUSED;
        peer->len = (uint8_t)id.len;
        memcpy(peer->id, id.data, id.len);
        /* The routing id's frame has none after a poll; who is not named here is nobody. */
        user = s->parts_n > 1 ? zmq_msg_gets(&s->parts[1], "User-Id") : NULL;
        if (user && !text_copy(peer->user, sizeof peer->user, user))
            peer->user[0] = '\0';
    }
    return status == STATUS_OK ? frame_read(s, 1, frame) : status;
}

enum status bus_receive_live(struct bus_socket *s, struct bytes *topic, struct bytes *body, struct bytes *priv)
{
    enum status status;

    assert(s->kind == BUS_SUB);
    status = receive_parts(s, 3);
    if (status != STATUS_OK)
        return status;
    *topic = part_bytes(s, 0);
    *body = part_bytes(s, 1);
    *priv = part_bytes(s, 2);
    return STATUS_OK;
}
