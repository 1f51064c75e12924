/* The thread that answers questions: its own DEALER at the feed, its own PostgreSQL connection. */
#ifndef AFTERCARE_WORKER_ASK_H
#define AFTERCARE_WORKER_ASK_H

#include "settings/settings.h"
#include "worker/run.h"
#include <pthread.h>
#include <stdint.h>

/* What the worker's thread tells the answering one (and `status`). */
struct ask_board {
    pthread_mutex_t lock;
    pthread_cond_t moved; /* committed went up */
    int64_t committed, seen, upto, in_flight, parked, checked_us, open_rows, memory_bytes;
    char feed[ENDPOINT_CAP]; /* where it is asked; another one after a takeover */
    bool stop;
};

struct ask;
struct ask *ask_start(const struct worker *, const char *dsn, struct ask_board *);
/* From now on it is asked there. ask NULL: nobody asks. */
void ask_follow(struct ask *, const char *feed_endpoint);
void ask_stop(struct ask **);
/* ask_parked.c: what a worker has set aside. */
extern const struct question ask_parked;

#endif
