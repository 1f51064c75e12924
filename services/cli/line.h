/* A DEALER to intake in its own loop; what connection.h's three parts stand on. */
#ifndef AFTERCARE_CLI_LINE_H
#define AFTERCARE_CLI_LINE_H

#include "bus/socket.h"
#include "cli.h"

/* A frame that could not go out is tried again so soon. */
#define SEND_AGAIN_US INT64_C(2000)
/* After so long without an answer who waits is told so. */
#define AWAY_US (3 * SECOND_US)
/* After the first answer a restart of intake is waited out this long. */
#define OUTAGE_US (120 * SECOND_US)

struct line {
    char list[ENDPOINTS_CAP];    /* of endpoints, as the settings or the key file have it */
    char endpoint[ENDPOINT_CAP]; /* the one that serves, or the first */
    char who[64];                /* whose key it goes by over TCP */
    struct loop *loop;
    struct bus_socket *socket;
    struct buf held; /* a frame that could not go out yet */
    char held_verb[24];
    bool holds;
};

/* The principal that this command speaks as: the one of the key file that settings name, else the operator. */
const char *line_principal(const struct cli *);
/* socket: "cmd" or "feed"; source: a principal's id, or that and "/…". False: said so already. */
bool line_open(const struct cli *, struct line *, const char *socket, const char *source);
void line_close(struct line *);
/* A fresh socket, to the intake that serves now: what waited in the old one goes with it. */
bool line_connect(const struct cli *, struct line *);
/* False: it waits in `held`; line_send_held tries again, true when nothing waits. */
bool line_send(struct line *, const char *verb, struct bytes map);
bool line_send_held(struct line *);
/* Exit codes, with the words for them. */
int line_silent(const struct cli *, const char *endpoint);
int line_interrupted(const struct cli *);

#endif
