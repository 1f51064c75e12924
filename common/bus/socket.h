/* ZeroMQ sockets with the options of the protocol, and an own loop on zmq_poll (signals by signalfd). A socket belongs to the
 * thread that opened it; one context per process, and one for each bus_client. */
#ifndef AFTERCARE_BUS_SOCKET_H
#define AFTERCARE_BUS_SOCKET_H

#include "base/status.h"
#include "bus/verbs.h"

struct bus_socket; /* owns a zmq socket */

enum bus_kind { BUS_DEALER, BUS_ROUTER, BUS_PUB, BUS_SUB, BUS_PAIR };

/* Life of the process's context. bus_stop ends it within 5 s or aborts the process. */
void bus_start(void);
void bus_stop(void);
/* After bus_start, before the first socket: so many threads move bytes and encrypt them, instead of one. Each of a socket's doors has its
 * lane, 0 or higher. */
void bus_lanes(unsigned n);

struct bus_socket *bus_bind(enum bus_kind, const char *endpoint, char *error, size_t error_cap); /* NULL: error says why */
struct bus_socket *bus_connect(enum bus_kind, const char *endpoint, char *error, size_t error_cap);
/* A client inside a process that is not ours (a library): a context and a key of its own, so that there may be several, each in its
 * thread. It raises no limit, sets no alarm and says nothing. */
struct bus_client;
struct bus_key;
struct bus_client *bus_client_new(const struct bus_key *); /* copied; used as bus_identify does */
/* Its sockets are closed. Waits until what lingers in them is out. */
void bus_client_destroy(struct bus_client **);
struct bus_socket *bus_client_connect(struct bus_client *, const char *endpoint, char *error, size_t error_cap); /* a DEALER; NULL: error */
/* One address of a bound socket, and what is asked of who comes there. */
struct bus_door {
    const char *endpoint;
    const char *secret_key; /* Z85: the socket is CURVE's server there; NULL: the NULL mechanism */
    unsigned lane;          /* the thread that moves the bytes of who comes there: one who is sent much does not delay other lanes */
    const char *domain;     /* of the ZAP handler that is asked about each comer; NULL: nobody is asked; the same of all the socket's doors */
};
/* A socket with several addresses. monitor: inproc endpoint at which handshakes that failed are told (ZMQ_PAIR); NULL: nowhere. */
struct bus_socket *bus_bind_doors(enum bus_kind, const struct bus_door *, size_t n, const char *monitor, char *error,
                                  size_t error_cap);
/* Shuts one of its addresses: who came through it is cut off … */
void bus_shut(struct bus_socket *, const char *endpoint);
/* … and opens it anew. STATUS_AGAIN: the address is not free yet. */
enum status bus_open_again(struct bus_socket *, const struct bus_door *) MUST_CHECK;
void bus_close(struct bus_socket **);
/* What nobody has taken yet goes with it: a peer that hangs keeps nothing waiting. */
void bus_close_now(struct bus_socket **);
/* The raw zmq socket, for polling. */
void *bus_raw(const struct bus_socket *);

/* DEALER: [verb][map]. Never blocks; STATUS_AGAIN when it would. */
enum status bus_send(struct bus_socket *, const char *verb, struct bytes map) MUST_CHECK;
/* The next frame, if any: STATUS_OK, STATUS_AGAIN; STATUS_REFUSED for one that is not [verb][map] or not skimmed clean
 * (dropped). Borrowed until the next call. */
enum status bus_receive(struct bus_socket *, struct frame *) MUST_CHECK;

/* ROUTER: the peer's routing id (5 bytes here) first. STATUS_CLOSED: the peer is gone. */
#define BUS_PEER_MAX 32
#define BUS_USER_CAP 136
struct bus_peer {
    uint8_t len;
    uint8_t id[BUS_PEER_MAX];
    char user[BUS_USER_CAP]; /* the User-Id its handshake was given; "": none */
};
enum status bus_send_to(struct bus_socket *, const struct bus_peer *, const char *verb, struct bytes map) MUST_CHECK;
enum status bus_receive_from(struct bus_socket *, struct bus_peer *, struct frame *) MUST_CHECK;

/* PUB/SUB: [topic][body][priv]. */
enum status bus_publish(struct bus_socket *, const char *topic, struct bytes body, struct bytes priv) MUST_CHECK;
enum status bus_receive_live(struct bus_socket *, struct bytes *topic, struct bytes *body, struct bytes *priv) MUST_CHECK;

/* The loop: what is readable, with a deadline (boot time). Signals TERM and INT end it (every loop of the process; they stay
 * blocked and pending); HUP does nothing. The first loop is made before threads are started: they inherit its signal mask. */
struct loop;
typedef void loop_ready(void *arg);
struct loop *loop_new(void);
void loop_destroy(struct loop **);
void loop_socket(struct loop *, struct bus_socket *, loop_ready *, void *arg); /* readable */
void loop_fd(struct loop *, int fd, loop_ready *, void *arg);
void loop_fd_either(struct loop *, int fd, bool read, bool write, loop_ready *, void *arg); /* readable, writable, or both */
void loop_forget(struct loop *, const void *socket_or_null, int fd);
/* Polls once until something is ready or boot time deadline_us is reached; calls the handlers. False: told to stop. */
bool loop_once(struct loop *, int64_t deadline_us);

#endif
