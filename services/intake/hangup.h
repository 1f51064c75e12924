/* A connection that breaks while libzmq does not read it, because its pipe is full, waits until it is read again.
 *
 * libzmq 4.3.4 takes such a hang-up at once, goes on with the bytes that it has read before when there is room again, and aborts the
 * process where a ZMTP PING is among them (`!_io_error`, stream_engine_base.cpp:331): thirty small frames, a PING and a reset, from whoever
 * has a key. */
#ifndef AFTERCARE_INTAKE_HANGUP_H
#define AFTERCARE_INTAKE_HANGUP_H

#include <stddef.h>

/* Once, before libzmq starts its threads. From then on epoll_ctl and epoll_wait of this process, libraries included, are ours: of a
 * descriptor that is not to be read (no EPOLLIN) they tell no EPOLLERR and no EPOLLHUP, until it is to be read again; of one that has
 * something to be read they tell that alone. */
void hangups_wait(void);
/* Connections that have broken and are not read. */
size_t hangups_waiting(void);

#endif
