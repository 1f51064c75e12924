/* The branch as the server of its applications: the same cmd protocol that intake speaks (proto/README.md), without position in the
 * answers. Frames in, frames out; who calls owns the transaction: guests_frame takes into it, guests_keep stores how far each
 * is, and after the commit (or its failure) guests_settle says what may be said. */
#ifndef AFTERCARE_BRANCH_GUESTS_H
#define AFTERCARE_BRANCH_GUESTS_H

#include "bus/socket.h"
#include "taking.h"

struct guests;

struct guests *guests_new(struct spool *, struct taking *);
void guests_destroy(struct guests **);
/* HELLO, APPEND or PING; false: another verb. */
bool guests_frame(struct guests *, const struct bus_peer *, const struct frame *, int64_t wall_us, int64_t boot_us);
/* Events taken since the last settling. */
size_t guests_taken(const struct guests *);
size_t guests_taken_bytes(const struct guests *);
enum status guests_keep(struct guests *, int64_t wall_us) MUST_CHECK;
/* kept: the transaction holds. Otherwise everybody goes back to what holds and is told to come again (BUSY, disk.full).
 * STATUS_FULL: somebody new could not be let in for want of room on the disk; STATUS_DOUBT: the process must begin anew. */
enum status guests_settle(struct guests *, bool kept, int64_t wall_us) MUST_CHECK;
/* Somebody is to be told more of what he was told before: there is a turn to be made at once. */
bool guests_are_owed(const struct guests *);
/* For any answer to a guest, in order. */
void guests_say(struct guests *, const struct bus_peer *, const char *verb, const struct record *, const void *data);
/* Replies to send, in order; false: none. Borrowed until the next call. */
bool guests_out(struct guests *, struct bus_peer *, struct frame *);
/* Forgets who has been silent for long. */
void guests_sweep(struct guests *, int64_t boot_us);
size_t guests_sessions(const struct guests *);

#endif
