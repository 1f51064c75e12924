/* From the drawer to intake, over the connection that the facts go by: one file at a time, one piece at a time, only while no fact waits,
 * in pieces that the line bears. Asks first how far it is; goes on there; takes it out of the drawer when intake has it whole. A
 * question is never said twice over one connection: PUT and HAVE have no number, and whoever took the answer to the first for the
 * second's would say each piece twice from then on. Frames and times in, frames out. */
#ifndef AFTERCARE_BRANCH_COURIER_H
#define AFTERCARE_BRANCH_COURIER_H

#include "drawer.h"

struct courier;
struct courier *courier_new(struct drawer *);
void courier_destroy(struct courier **);

/* The connection is another one: what is under way is asked for again. */
void courier_lost(struct courier *);
/* HAVE is taken, others are left alone. */
void courier_in(struct courier *, const struct frame *, int64_t boot_us);
/* free: the line stands and nothing waits that goes before. Commits what was answered. STATUS_FULL: later; STATUS_DOUBT: the process must
 * begin anew. */
enum status courier_work(struct courier *, bool free, int64_t boot_us, int64_t wall_us) MUST_CHECK;
/* True: the connection stands, and an answer that should have come has not: make it anew. */
bool courier_tick(struct courier *, int64_t boot_us);
bool courier_out(struct courier *, struct frame *);
int64_t courier_deadline_us(const struct courier *);
/* How far intake has the one that is under way; −1: another one is, or none. */
int64_t courier_upto(const struct courier *, const uint8_t sha256[DIGEST_BYTES]);

#endif
