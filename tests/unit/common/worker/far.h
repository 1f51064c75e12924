/* A worker with a far table and a sweep, and a world for it: a journal, and a store of what is
 * committed, of which the worker sees what it asks for. An order is due at a time counted by an
 * edition; a new edition counts again. */
#ifndef FAR_H
#define FAR_H

#include "worker/run_core.h"

enum { ORDERS, EDITIONS, PARKED = EDITIONS + 3 }; /* behind: policies, calendars, what is set aside */
enum { EVENTS_MAX = 12000, KEYS = 300, CACHE = 8, PAGE = 6, SWEEP_PAGE = 5 };
#define T0 (INT64_C(1700000000) * SECOND_US)

struct order_fact {
    int64_t due_us;
    char edition[16];
};
struct order {
    char id[65];
    int64_t due_us, fired_us, lates, moves;
    char edition[16];
    bool open;
};
struct edition {
    char name[16];
    char current[16];
};
extern const struct record far_fact_record, far_order_record;
extern const struct worker far_toy;
/* Nobody may ask about the sweep of that order; NULL: of any. */
extern const char *far_poison;

/* Where the rows lie: in the world's own arrays (store NULL), or somewhere behind these. The arrays
 * are kept besides. */
struct world;
struct store {
    void (*load)(struct world *);   /* at start */
    void (*fetch)(struct world *);  /* what the core asks for */
    void (*commit)(struct world *); /* what has changed, before run_committed */
};

struct world {
    const struct store *store;
    void *store_data;
    bool far; /* the worker has in memory what it asked for; otherwise everything open */
    struct buf bodies[EVENTS_MAX];
    uint8_t links[EVENTS_MAX][LINK_BYTES];
    uint64_t head;
    int64_t now_us;
    struct run *run;
    struct run_state committed;
    struct order stored[KEYS];
    size_t stored_n;
    struct edition edition;
    struct buf parked; /* rows set aside, one behind the other; without a store only */
    uint64_t upto;
    size_t pages, sweep_pages, most_rows;
};

struct world *far_world_new(bool far, const struct store *, void *store_data);
void far_world_destroy(struct world *);
/* A fact from a branch. */
void far_fact(struct world *, const char *type, const char *key, int64_t due_us,
              const char *edition);
void far_say(struct world *, const char *from, const char *type, const char *key,
             const struct record *, const void *data);
/* Intake takes what was concluded. */
size_t far_take_conclusions(struct world *);
void far_commit(struct world *);
struct order *far_stored(struct world *, const char *key);
void far_serve_page(struct world *);
void far_fetch(struct world *);
/* Reads up to `until`, without committing. */
void far_handle(struct world *, uint64_t until);
void far_look_at_the_clock(struct world *);
/* Until nothing more is concluded, in batches of at most `most`. */
void far_settle(struct world *, uint64_t most);
/* A new process: memory is gone, what was committed is there. */
void far_restart(struct world *);

/* --- what was said and what came of it ------------------------------------------------------- */
struct said {
    char id[EVENT_ID_CAP];
    int64_t due_us;
    uint64_t pos;
};
/* Conclusions of that type, in the order of the journal. */
size_t far_said_of(const struct world *, const char *type, struct said *out);
/* The same orders were late for the same due instants; how many. */
size_t far_check_same_lates(const struct world *, const struct world *);
/* Nothing is behind and nothing was said twice; how many times rows were counted again. */
size_t far_check_recounts(const struct world *);
/* recounts false: how many editions a row has met on the way depends on when it was its turn. */
void far_check_same_rows(struct world *, struct world *, bool recounts);
/* Folded anew from nothing the journal gives the same rows, and the start behind it has nothing to
 * say. */
void far_check_rebuild(struct world *);
/* Facts, hours, restarts and new editions by dice of that seed. */
void far_live(struct world *, uint64_t seed, bool publishes);

#endif
