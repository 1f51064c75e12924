/* When an event that was not taken is tried again, and when no longer. Pure. */
#ifndef AFTERCARE_WEBHOOK_SCHEDULE_H
#define AFTERCARE_WEBHOOK_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

/* What came of one request. */
struct outcome {
    int64_t status;         /* of HTTP; 0: no answer */
    int64_t retry_after_us; /* what the other side asked for; 0: nothing */
    char why[120];          /* "" when it was taken */
};

/* 2xx, and nothing else: a redirect is no answer, its target was never agreed upon. */
bool outcome_is_taken(const struct outcome *);
/* It says something about the other side (away, overloaded), not about this event: nothing else will be taken either. */
bool outcome_is_theirs(const struct outcome *);

/* The pause after so many failures (1, 2, …): a second, doubling, at most an hour, shortened by up to a fifth by `seed`, so that
 * what failed together does not come back together. Not shorter than what was asked for, within the hour. */
int64_t schedule_pause_us(int64_t failures, int64_t retry_after_us, uint64_t seed);
/* Tried since first_us without success: is that enough? */
bool schedule_is_over(int64_t first_us, int64_t now_us, int64_t give_up_us);

#endif
