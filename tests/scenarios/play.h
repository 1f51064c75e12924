/* Private to play.c and network.c: a rule being played. */
#ifndef AFTERCARE_SCENARIO_PLAY_H
#define AFTERCARE_SCENARIO_PLAY_H

#include "scenario.h"

struct telling { /* a fact that was told */
    size_t fact;
    const yaml_node_t *step;
};
struct play {
    const struct script *script;
    struct simulator *sim;
    struct complaint *complaint;
    int64_t clock_us; /* of the story; the simulator follows when something is expected */
    uint64_t begun;   /* events up to here were there before the rule */
    struct arena *arena;
    struct told *told; /* events behind begun, decoded */
    size_t told_n, told_cap;
    struct telling *tellings;
    size_t tellings_n, tellings_cap, refusals;
    size_t expected;
    bool trace;
};

/* A fact's data as JSON, `region` beside them included. */
bool fact_json(struct play *, const yaml_node_t *step, const struct event_type *, int64_t at_us,
               struct buf *json) MUST_CHECK;
/* The facts told before the rule: a list, or the name of a file of JSON lines. NULL: none. */
bool network_tell(struct play *, const yaml_node_t *network) MUST_CHECK;

#endif
