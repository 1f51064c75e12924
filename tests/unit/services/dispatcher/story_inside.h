/* How a story lies in memory; for story.c and its parts only. */
#ifndef AFTERCARE_TEST_STORY_INSIDE_H
#define AFTERCARE_TEST_STORY_INSIDE_H

#include "unit/services/dispatcher/story.h"

#include <uthash.h>

struct stored {
    UT_hash_handle hh;
    char name[160]; /* TABLE/key */
    unsigned table;
    void *row;
};

struct body {
    struct bytes bytes;
    bool own;
};

struct story {
    const struct worker *worker;
    struct run *run;
    struct run_state committed;
    struct stored *store;
    struct body *bodies;
    size_t head, cap, read; /* read: handed to the run */
    uint64_t own_n;
    int64_t now_us;
    uint64_t upto;
    struct buf flying; /* drafts on their way: length, bytes */
    struct buf trace;
    struct arena *arena;
};

/* story.c */
struct story *story_empty(const struct worker *);
void story_store(struct story *, unsigned table, const void *row);
const struct table_def *story_def(const struct story *, unsigned table);
/* Applies all of the journal, batch by batch; false when something is concluded that was concluded
 * before. */
bool story_replay(struct story *);
bool story_is_same(const struct story *, const struct story *);

/* story_prose.c: a conclusion as a line of the trace. */
void story_say(struct story *, const struct event *);

#endif
