/* A worker with a far table and a sweep, and a world for it: a journal, and a store of what is
 * committed, of which the worker sees what it asks for. An order is due at a time counted by an
 * edition; a new edition counts again. */
#ifndef FAR_H
#define FAR_H

#include "worker/run_core.h"

enum { ORDERS, EDITIONS };
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

struct world {
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
    uint64_t upto;
    size_t pages, sweep_pages, most_rows;
};

struct world *far_world_new(bool far);
void far_world_destroy(struct world *);
/* A fact from a branch. */
void far_fact(struct world *, const char *type, const char *key, int64_t due_us,
              const char *edition);
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

#endif
