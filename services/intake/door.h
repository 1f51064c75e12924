/* The door: a thread that answers libzmq's question about each handshake (ZAP, RFC 27) and hears of handshakes that failed before
 * there was anything to ask. It knows the principals' keys as the network thread tells them, and tells that thread whom it
 * turned away, at most DOOR_TOLD_MAX lines a second. Nothing is shared. */
#ifndef AFTERCARE_INTAKE_DOOR_H
#define AFTERCARE_INTAKE_DOOR_H

#include "bus/socket.h"
#include "keyring.h"

#define DOOR_TOLD_MAX 64

struct door;

/* Before any socket is bound: where nobody is asked, everybody comes in. NULL: told in the log. */
struct door *door_start(void);
void door_stop(struct door **);
/* The network thread's end of the pair: frames KEYS (a struct keyring, given away) in, DENIED (a struct access_denied) out. */
struct bus_socket *door_end(const struct door *);
/* inproc endpoint for the monitor of that socket (cmd, live, feed), which the door reads. */
void door_monitor(const char *socket_name, char out[40]);

#endif
