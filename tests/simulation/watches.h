/* The loop of bus/socket.h over sockets and descriptors that are made up: who waits for which. What a turn waits for, loop_once, is
 * the user's own. */
#ifndef AFTERCARE_TESTS_SIMULATION_WATCHES_H
#define AFTERCARE_TESTS_SIMULATION_WATCHES_H

#include "bus/socket.h"

/* The user's: a socket, or where that is NULL a descriptor. */
bool watched_is_readable(const struct bus_socket *, int fd);

bool loop_is_ready(const struct loop *);
/* Calls who waits for what is readable. */
void loop_turn(struct loop *);

#endif
