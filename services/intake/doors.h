/* How intake's three sockets are bound, and what its threads tell each other about who may come in. On TCP by CURVE where there is
 * a server's key; in the socket folder (mode 0700) without, for the processes of this machine. */
#ifndef AFTERCARE_INTAKE_DOORS_H
#define AFTERCARE_INTAKE_DOORS_H

#include "bus/key.h"
#include "bus/socket.h"
#include "event/stream.h"
#include "settings/settings.h"
#include "table/table.h"

/* What readers are sent, by the hundred and encrypted, is moved by a thread of its own: acknowledgements do not wait behind it. */
enum doors_lane { DOORS_LANE, DOORS_LANE_FEED, DOORS_LANES };

struct door;
struct doors {
    const struct settings *settings;
    char secret_key[BUS_KEY_TEXT]; /* the server's; "": no keys in force, who comes may give any name */
    struct door *door;
    struct bus_socket *feed_in, *feed_out; /* from the feed thread to the network thread: whom it turned away */
    struct bus_socket *reads_in, *reads_out; /* the same: who read whose personal data */
    bool standing_by; /* the keys told are the newest that were read: who has another one comes again */
    uint8_t workers[32]; /* digest of the workers' keys told last */
    bool workers_told;
};

/* Reads the server's key, where there is one, and keeps the door from then on. False: told in the log. */
bool doors_open(struct doors *, const struct settings *);
/* After the sockets are closed. */
void doors_close(struct doors *);
bool doors_keyed(const struct doors *);
/* name: cmd, live or feed; endpoint: where the settings bind it. NULL: error says why. */
struct bus_socket *doors_bind(const struct doors *, enum bus_kind, const char *name, const char *endpoint, char *error,
                              size_t error_cap);

/* In the socket folder too, once it serves: of two intakes on a machine the last one that binds has the folder. */
void doors_local(const struct doors *, struct bus_socket *, const char *name, const char *endpoint);

/* Network thread: the principals as they are now. False: say it again later. worker_lost: live must be shut and opened again, since
 * another key than before is a worker's. */
bool doors_tell_keys(struct doors *, const struct tables *, unsigned principals, bool *worker_lost);
/* Who came in through TCP must pass the door again. STATUS_AGAIN: call it again. */
enum status doors_reopen(const struct doors *, struct bus_socket *, const char *name, const char *endpoint, bool *shut) MUST_CHECK;
/* Whom the door or the feed turned away; false: nobody more. */
bool doors_hear_denied(const struct doors *, struct access_denied *);
/* Calls ready when there may be some. */
void doors_watch(const struct doors *, struct loop *, loop_ready *ready, void *arg);
void doors_unwatch(const struct doors *, struct loop *);
/* Feed thread. */
void doors_tell_denied(const struct doors *, const struct access_denied *);
/* Somebody is given personal data of this customer (or of the story of this key, where no customer is known). */
struct reading {
    char customer[EVENT_KEY_CAP];
    struct access_read read;
};
void doors_tell_read(const struct doors *, const struct reading *);
/* Network thread; false: nobody more. */
bool doors_hear_read(const struct doors *, struct reading *);

#endif
