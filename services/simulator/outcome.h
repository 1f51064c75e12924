/* What came of a stream, counted from its events alone: what became of each promise, what each site
 * had to do, callbacks. */
#ifndef AFTERCARE_SIMULATOR_OUTCOME_H
#define AFTERCARE_SIMULATOR_OUTCOME_H

#include "calendar/zone.h"
#include "policy/policy.h"
#include "simulator.h"
#include <uthash.h>

enum verdict {
    VERDICT_NONE,    /* never promised */
    VERDICT_RUNNING, /* neither kept nor broken yet, or over without either */
    VERDICT_MET,
    VERDICT_LATE, /* met, but told after the limit */
    VERDICT_BROKEN,
    VERDICTS
};
extern const char *const verdict_names[VERDICTS];

struct promise { /* a clause's k-th clock on a key */
    UT_hash_handle hh;
    char key[EVENT_KEY_CAP], clause[POLICY_WORD_CAP];
    char region[EVENT_REGION_CAP];
    char month[8]; /* in which the ticket was opened, else the promise made: "2011-07" */
    int64_t k, due_us;
    enum verdict verdict;
    char id[]; /* "KEY CLAUSE k" */
};
struct site_work {
    UT_hash_handle hh;
    char site[EVENT_SITE_CAP];
    int64_t offers, accepted, declined, expired;
    int64_t open, peak; /* jobs offered or accepted at once: at the end, and the most there were */
};
struct ticket_place;
struct job_place;

struct outcome {
    struct promise *promises;
    struct site_work *sites;
    struct ticket_place *tickets;
    struct job_place *jobs;
    const struct zone *zone;
    int64_t events, tickets_n, resolved, closed, escalated;
    int64_t callbacks_due, callbacks_missed, callbacks_recorded;
};

/* Reads the whole stream; months are the zone's. */
void outcome_read(struct outcome *, const struct simulator *, const struct zone *);
void outcome_release(struct outcome *);

#endif
