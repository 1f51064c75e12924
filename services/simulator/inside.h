/* Private to services/simulator. */
#ifndef AFTERCARE_SIMULATOR_INSIDE_H
#define AFTERCARE_SIMULATOR_INSIDE_H

#include "node.h"
#include "services/intake/take.h"
#include "simulator.h"

#define SIMULATOR_WORKERS 4

struct queued {
    int64_t told_us;
    size_t fact; /* its number */
    struct bytes draft;
};

struct simulator {
    struct simulator_config config;
    struct taker taker;
    struct batch batch; /* of the message being taken */
    struct book book;
    struct node nodes[SIMULATOR_WORKERS];
    struct source_row own, world, clerk, workers[SIMULATOR_WORKERS];
    uint64_t salts;

    struct arena *drafts;
    struct queued *queue;
    size_t queue_n, queue_cap, queue_next; /* told up to queue_next */
    bool queue_sorted;
    size_t facts, told;

    struct simulator_refusal *refusals;
    size_t refusals_n, refusals_cap;
    int64_t now_us, reached_us; /* reached: of the last time.reached */
    struct buf answer, draft, data, priv;
    char error[400];
};

/* One event of a source into the journal. False: refused, with the reason. */
bool simulator_take(struct simulator *, struct source_row *, struct bytes draft,
                    struct problem *) MUST_CHECK;
/* Everybody reads to the head until nobody concludes anything. */
bool simulator_settle(struct simulator *) MUST_CHECK;

#endif
