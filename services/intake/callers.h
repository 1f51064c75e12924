/* Peers of a ROUTER that say what they need not: frames that are not of the protocol, HELLO upon HELLO. Each has a small measure; what goes
 * beyond it is passed over unanswered, so that neither our time nor the queue of answers to them grows. Pure: time is handed in. */
#ifndef AFTERCARE_INTAKE_CALLERS_H
#define AFTERCARE_INTAKE_CALLERS_H

#include "bus/socket.h"

#define CALLERS_MAX 4096         /* peers remembered; of two that fall on one place the later counts, with a full measure */
#define CALLER_BURST 20          /* so many at once … */
#define CALLER_PER_SECOND 10     /* … and so many a second */

struct caller {
    uint8_t len, id[BUS_PEER_MAX];
    int64_t tokens_us; /* what is left, as time: one frame costs a second / CALLER_PER_SECOND */
    int64_t at_us;
};
struct callers {
    struct caller *items; /* CALLERS_MAX */
};
void callers_init(struct callers *);
void callers_release(struct callers *);
/* One more such frame of this peer. False: pass it over. */
bool caller_may(struct callers *, const struct bus_peer *, int64_t boot_us);

#endif
