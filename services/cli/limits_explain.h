/* How a limit was counted, so that it can be checked by hand with a paper calendar: windows, waits,
 * lines. Pure. */
#ifndef AFTERCARE_CLI_LIMITS_EXPLAIN_H
#define AFTERCARE_CLI_LIMITS_EXPLAIN_H

#include "policy/due.h"
#include "proto/questions.h"
#include "proto/sla.h"

#define COUNTED_MAX 600

/* By what a limit is counted. */
struct counting {
    const struct policy *policy;
    const struct policy_clause *clause;
    const struct policy_limit *line; /* NULL: none is known */
    const struct zone *zone;
    const struct calendar *calendar; /* NULL: round the clock */
};
bool counting_of(const struct policy *, const char *clause, int64_t line,
                 const struct calendar *(*calendar)(void *, const char *name), void *owner,
                 struct counting *);
/* In working days that keep the time of day, in working time, or elapsed. */
enum counting_way { COUNTS_DAYS, COUNTS_WORKING, COUNTS_ELAPSED };
enum counting_way counting_way(const struct counting *);

/* A stretch that counted: its share is to_us - from_us, or one day. */
struct counted {
    int64_t from_us, to_us;
};
/* The stretches in [from, to) outside the waits, in order, at most COUNTED_MAX; *more: there are
 * others. Days: the working days behind that of `from` up to that of `to`. */
size_t counted_windows(const struct counting *, int64_t from_us, int64_t to_us,
                       const struct sla_pause *waits, size_t waits_n,
                       struct counted out[COUNTED_MAX], bool *more);
/* How much of the wait would have counted. */
int64_t counted_wait(const struct counting *, const struct sla_pause *, int64_t until_us);

/* Why a line is not for the subject: the first field that differs, what it asks for and what is
 * there. False: it is for it. */
struct difference {
    const char *field;
    char wants[200], is[64];
};
bool line_differs(const struct policy *, const struct policy_limit *, const struct subject_row *,
                  int64_t tier, struct difference *);
/* "kinds repair, priorities urgent": what a line asks for; "" anything. */
void line_print(const struct policy_limit *, struct buf *out);
/* The limit in words: "1d per 10 units by 17:00". */
void limit_print(const struct policy_limit *, struct buf *out);

#endif
