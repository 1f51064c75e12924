/* From the drawer to intake, over the connection that the facts go by: one file at a time, one piece at a time, only while no fact waits,
 * in pieces that the line bears. Asks first how far it is; goes on there; takes it out of the drawer when intake has it whole. Frames
 * and times in, frames out. */
#ifndef AFTERCARE_BRANCH_COURIER_H
#define AFTERCARE_BRANCH_COURIER_H

#include "drawer.h"

struct courier;
struct courier *courier_new(struct drawer *);
void courier_destroy(struct courier **);

/* The connection is another one: what is under way is asked for again. */
void courier_lost(struct courier *);
/* HAVE is taken, others are left alone. took_us: how long a piece's answer took; −1: it was none. */
void courier_in(struct courier *, const struct frame *, int64_t boot_us, int64_t *took_us);
/* free: the line stands and nothing waits that goes before. Commits what was answered. STATUS_FULL: later; STATUS_DOUBT: the process must
 * begin anew. */
enum status courier_work(struct courier *, bool free, size_t piece_bytes, int64_t boot_us, int64_t wall_us) MUST_CHECK;
bool courier_out(struct courier *, struct frame *);
int64_t courier_deadline_us(const struct courier *);
/* How far intake has the one that is under way; −1: another one is, or none. */
int64_t courier_upto(const struct courier *, const uint8_t sha256[DIGEST_BYTES]);

#endif
