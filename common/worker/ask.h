/* The thread that answers questions: its own DEALER at the feed, its own PostgreSQL connection. */
#ifndef AFTERCARE_WORKER_ASK_H
#define AFTERCARE_WORKER_ASK_H

#include "worker/run.h"
#include <pthread.h>
#include <stdint.h>

/* What the worker's thread tells the answering one (and `status`). */
struct ask_board {
    pthread_mutex_t lock;
    pthread_cond_t moved; /* committed went up */
    int64_t committed, seen, upto, in_flight, parked, checked_us, open_rows, memory_bytes;
    bool stop;
};

struct ask;
struct ask *ask_start(const struct worker *, const char *feed_endpoint, const char *dsn, struct ask_board *);
void ask_stop(struct ask **);

#endif
