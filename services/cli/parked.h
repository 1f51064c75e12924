/* Events that workers have set aside: what the workers say of them, and since when by the journal. */
#ifndef AFTERCARE_CLI_PARKED_H
#define AFTERCARE_CLI_PARKED_H

#include "connection.h"

#define PARKED_WORKERS_MAX 8

struct parked_item {
    char worker[48], key[EVENT_KEY_CAP], type[EVENT_TYPE_CAP], reason[200];
    int64_t pos;
    int64_t since_us;  /* when it was set aside, by the journal; 0: the journal does not tell yet */
    int64_t tries;     /* how often it was tried again and failed */
    int64_t waiting;   /* later events of its key; −1: the worker does not say */
    bool over;         /* released or dropped, as far as the journal tells */
    bool answered;     /* the worker says so */
};
struct parked {
    struct parked_item *items; /* by worker, then position */
    size_t n, cap;
    char silent[PARKED_WORKERS_MAX][48]; /* workers that do not answer: theirs is what the journal says */
    size_t silent_n;
};
/* worker "": all. at_least: what the worker must have seen. CLI_DONE, or the exit code. */
int parked_gather(const struct cli *, struct stream_created *, const char *worker, int64_t at_least, struct parked *) MUST_CHECK;
void parked_release(struct parked *);

#endif
