/* What a source has given out and has no answer for: messages in order of n, which of them are sent, and going back.
 * Internal to the source. */
#ifndef AFTERCARE_BUS_OUTBOX_H
#define AFTERCARE_BUS_OUTBOX_H

#include "base/bytes.h"

struct message; /* the events of one source_append */

struct outbox {
    struct message *head, *tail;
    struct message *sending; /* the one that holds send_next, or one before it; NULL: look from the head */
    int64_t next_n;          /* to be given to the next event */
    int64_t send_next;       /* the next event to be sent; all before it are sent, or known to be durable */
    size_t flight_bytes;     /* sent and not answered */
};

void outbox_release(struct outbox *);
/* Throws everything away and goes on at n. */
void outbox_restart(struct outbox *, int64_t n);
/* Copies; returns the number of the first. */
int64_t outbox_add(struct outbox *, const struct bytes *drafts, size_t n, int64_t upto, int64_t time_us);
/* Everything before n is answered: forgets whole messages. */
void outbox_trim(struct outbox *, int64_t n);
/* Sends again from n. */
void outbox_go_back(struct outbox *, int64_t n);
/* How much the next message would add; false: there is nothing to send. */
bool outbox_peek(struct outbox *, size_t *events, size_t *bytes);
/* The next message as APPEND's map; what is in it counts as sent. It is cut where its first events are sent already, and behind what
 * fits into a window (at least one event): then its end, which `upto` and `time` belong to, comes later. */
void outbox_take(struct outbox *, int64_t window_events, int64_t window_bytes, struct buf *map);

#endif
