/* One webhook at work: reads its part of the stream into the queue, and sends from the queue. Frames, outcomes and times go in; frames
 * and requests come out. */
#ifndef AFTERCARE_WEBHOOK_COURIER_H
#define AFTERCARE_WEBHOOK_COURIER_H

#include "bus/verbs.h"
#include "queue.h"
#include "schedule.h"
#include "sign.h"

struct courier;

/* What it wants POSTed. */
struct request {
    struct courier *courier;
    struct delivery delivery; /* without its body */
};

struct courier_edge {
    /* A request goes out; its outcome comes back by courier_done, later. */
    void (*post)(void *owner, const struct hook *, struct request *, struct bytes body, const char *const *headers, size_t headers_n);
    void *owner;
};

/* The queue is the caller's. NULL: the queue's trouble. */
struct courier *courier_new(const struct hook *, const char *principal, const struct secrets *, struct queue *, const struct courier_edge *);
void courier_destroy(struct courier **);
const struct hook *courier_hook(const struct courier *);

/* The feed's side, as a reader has it (bus/reader.h). */
void courier_connected(struct courier *, int64_t boot_us);
void courier_disconnected(struct courier *);
bool courier_in(struct courier *, const struct frame *, int64_t boot_us) MUST_CHECK;
bool courier_out(struct courier *, int64_t boot_us, struct frame *);
bool courier_tick(struct courier *, int64_t boot_us); /* true: make the connection anew */

/* Commits what was read and sends what is due. False: the queue's trouble (queue_error). */
bool courier_work(struct courier *, int64_t boot_us, int64_t wall_us) MUST_CHECK;
bool courier_done(struct courier *, struct request *, const struct outcome *, int64_t wall_us) MUST_CHECK;
int64_t courier_deadline_us(const struct courier *, int64_t boot_us, int64_t wall_us);

struct courier_state {
    struct waiting waiting;
    int64_t pos, head;      /* read up to, of so many */
    int64_t taken, failed;  /* requests, since the start */
    size_t flying;
    char trouble[200];      /* "": none. Why reading ended, or why nothing is taken */
};
void courier_state(const struct courier *, struct courier_state *);

#endif
