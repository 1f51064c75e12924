/* The edges of a daemon while it is fuzzed: sockets, clocks and chance in memory; loop_once is the target's own. What is asked of a
 * socket that others may write to is what common/bus/socket.c asks. */
#ifndef AFTERCARE_TESTS_FUZZ_EDGES_H
#define AFTERCARE_TESTS_FUZZ_EDGES_H

#include "bus/socket.h"

/* Everything as at the beginning; sockets must be closed. */
void edges_reset(void);
void edges_pass(int64_t us); /* both clocks */
void edges_step_wall(int64_t us);

/* The socket bound last for that endpoint's name. */
struct bus_socket *edges_socket(const char *endpoint);
/* A frame of two parts as a peer (0 …) sent it; verb and map as they come. */
void edges_receive(struct bus_socket *, unsigned peer, struct bytes verb, struct bytes map);
/* A message that is none: other parts, or a routing id that is too long. */
void edges_receive_broken(struct bus_socket *, unsigned peer, bool long_id);
/* From now on (until it says something) that peer is gone, or takes nothing. */
enum edges_peer { PEER_THERE, PEER_GONE, PEER_FULL };
void edges_peer(unsigned peer, enum edges_peer);
/* Every frame that is said to a peer. */
void edges_said(const char *verb, struct bytes map);

#endif
