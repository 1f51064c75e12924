/* An asker's side of feed, without I/O: a question's pages, which answer is whose, and what passes (proto/README.md Q1 to Q4). */
#ifndef AFTERCARE_BUS_INQUIRY_H
#define AFTERCARE_BUS_INQUIRY_H

#include "bus/verbs.h"

struct inquiry;

struct inquiry *inquiry_new(void);
void inquiry_destroy(struct inquiry **);
/* A question; what was asked before is given up. Of `ask` id and after are not looked at, args are copied; limit is a page's. */
void inquiry_ask(struct inquiry *, const struct verb_ask *);
/* All of its rows have come, or it was refused. */
bool inquiry_is_over(const struct inquiry *);
/* The page that the frame handed in last was: its rows, skimmed, are valid until the next frame, in or out. No rows: it was none. */
const struct verb_answer *inquiry_page(const struct inquiry *);
/* With the service's code; "": it was not. For good (Q4) where it is over; otherwise a new connection may find it otherwise (Q3). */
const struct verb_error *inquiry_refusal(const struct inquiry *);
/* As bus/reader.h has them. */
void inquiry_connected(struct inquiry *, int64_t now_us);
void inquiry_disconnected(struct inquiry *);
bool inquiry_out(struct inquiry *, int64_t now_us, struct frame *);
bool inquiry_in(struct inquiry *, const struct frame *, int64_t now_us) MUST_CHECK;
int64_t inquiry_deadline_us(const struct inquiry *);
bool inquiry_tick(struct inquiry *, int64_t now_us);

#endif
