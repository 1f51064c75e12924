/* The feed's inside without its surroundings: readers.c, turns.c, replay.c, pages.c and ask.c as they are, while the rest of the feed, sockets and
 * PostgreSQL are this. Sockets take everything; the journal is `head` rows of a kilobyte each where a test does not say otherwise, the newest of
 * them in memory where it says so. Rows belong to the result they came with: whoever still points to one that is gone is seen by ASan. */
#ifndef AFTERCARE_TEST_FEED_STAGE_H
#define AFTERCARE_TEST_FEED_STAGE_H

#include "feed_inside.h"

#define STAGE_BODY_BYTES 1000
#define STAGE_NEW_BYTES 300 /* of those in memory */
#define STAGE_TYPE "sla.started"
#define STAGE_KEY "BOS-7"
#define STAGE_REGION "GD"
#define STAGE_PEERS 4096
#define STAGE_PRINCIPALS 4 /* operators a, b, c; the worker w */

struct stage {
    char said[24], code[40];   /* what somebody was told last */
    size_t said_n;             /* how often anybody was told anything */
    int64_t sent_bytes;        /* of batches */
    int64_t sent_to[STAGE_PEERS];
    int64_t queries;           /* for rows */
    int64_t rows, passed;      /* that they brought; positions that a sieve of types let go by */
    int64_t brought_most;      /* bytes of bodies by one of them */
    int64_t held, held_most;   /* our memory in results that are there still */
    int64_t wide_most;         /* positions that one of them, by key, looked at */
    uint32_t (*size)(uint64_t pos); /* of a body; NULL: STAGE_BODY_BYTES */
    bool (*is_wanted)(uint64_t pos); /* of STAGE_TYPE, STAGE_KEY and STAGE_REGION; NULL: all of them */
    uint64_t hole;                  /* this position is missing */
    int64_t sought;            /* how often something was looked for in memory */
    bool principals_known;     /* the feed could read who may */
    bool link_there;           /* the database has the position that is asked about */
    uint32_t gone_from, gone_to; /* peers that have gone away: gone_from … gone_to − 1 */
    uint32_t full_from, full_to; /* peers whose pipes take nothing */
    int64_t refused;             /* what they were sent in vain */
};
extern struct stage stage;

/* All as it should be. */
struct feed *stage_open(uint64_t head);
void stage_close(struct feed **);

struct bus_peer stage_peer(uint32_t i);
/* Peer i says OPEN, or gives credit back. */
void stage_opens(struct feed *, uint32_t i, const char *consumer, int64_t after, int64_t credit);
/* The same by some of types, keys and regions: NULL, or one of each. */
void stage_opens_narrowed(struct feed *, uint32_t i, const char *consumer, int64_t after, int64_t credit, const char *type, const char *key, const char *region);
void stage_gives(struct feed *, uint32_t i, int64_t bytes);
/* Any frame of peer i's, by the function that takes its verb. */
void stage_says(struct feed *, uint32_t i, const char *verb, const struct record *, const void *data,
                void (*take)(struct feed *, const struct bus_peer *, const struct frame *));
/* The last n events are in memory. */
void stage_remembers(struct feed *, uint32_t n);
/* One more event, in memory. */
void stage_appends(struct feed *);
/* Turn by turn until nobody may be sent more. */
void stage_run_out(struct feed *);

#endif
