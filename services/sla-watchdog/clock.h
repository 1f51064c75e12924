/* A clock: a pure fold over the facts of its key by the instant each counts from, into when it is
 * due, waits, and ends. Within one instant a stop beats a start; then come reset, cancel, pause and
 * resumption. Nothing here reads a table or knows what has been said before. */
#ifndef AFTERCARE_SLA_WATCHDOG_CLOCK_H
#define AFTERCARE_SLA_WATCHDOG_CLOCK_H

#include "event/event.h"
#include "policy/due.h"

#define CLOCK_ID_CAP     112
#define CLOCK_LEVEL_NONE (-100)
#define CLOCK_FACTS_MAX  40

enum clock_state {
    CLOCK_RUNNING,
    CLOCK_BREACHED, /* said so; it may still run, for the levels behind the limit */
    CLOCK_MET,
    CLOCK_OVER /* nobody waits for it any more */
};

/* --- names ---------------------------------------------------------------------------------- */
/* KEY/CLAUSE.k and the slots of what is said about it. */
void sla_watchdog_clock_id(const char *key, const char *clause, int64_t k, char out[CLOCK_ID_CAP]);
void sla_watchdog_clock_key(const char *id, char out[EVENT_KEY_CAP]);
/* The clause and k of an id. */
int64_t sla_watchdog_clock_clause(const char *id, char out[POLICY_WORD_CAP]);
/* word: warned, breached, met, corrected. n: the level; of a correction, how many came before it.
 */
void sla_watchdog_slot(const char *word, const char *id, int64_t n, int64_t target,
                       char out[EVENT_ID_CAP]);

/* --- waits ---------------------------------------------------------------------------------- */
enum pause_kind {
    PAUSE_MORE,
    PAUSE_OVER, /* the ticket is resolved or reopened: nobody waits for anything any more */
    PAUSE_BEGIN,
    PAUSE_END
}; /* in the order in which one instant's count */
struct pause_fact {
    int64_t us, pos;
    enum pause_kind kind;
    const char *reason; /* "" ends every wait */
    const char *by;
    int64_t more_us; /* PAUSE_MORE: as much longer */
};
struct clock_pause {
    int64_t from_us, to_us; /* to_us 0: it goes on without bound */
    const char *reason, *by;
    bool used_up; /* its budget ended it */
};
/* The elapsed length of a budget; a working hour is an hour here, a month 30 days. */
int64_t sla_watchdog_span_us(struct span);
/* The waits that stop a clause, in order of time, at most POLICY_PAUSES_COUNTED_MAX; those of one
 * reason do not touch. Facts in any order. A budget counts elapsed time over all waits of its
 * reason; when it is used up the clock runs on, until more of it is approved. */
size_t sla_watchdog_pauses(const struct policy *, const struct policy_clause *,
                           struct pause_fact *facts, size_t n,
                           struct clock_pause out[POLICY_PAUSES_COUNTED_MAX]);
/* The wait that holds the clock at that instant; NULL: none does. */
const struct clock_pause *sla_watchdog_pause_at(const struct clock_pause *, size_t n, int64_t us);
/* Elapsed time in [from, to) that lies in waits. */
int64_t sla_watchdog_paused_us(const struct clock_pause *, size_t n, int64_t from_us,
                               int64_t to_us);

/* --- the fold ------------------------------------------------------------------------------- */
enum clock_role {
    ROLE_START = 1,
    ROLE_STOP = 2,
    ROLE_RESET = 4,
    ROLE_CANCEL = 8,
    ROLE_EXPLAIN = 16,
    ROLE_END = 32 /* the ticket itself ended: a cancel, but not of what begins behind it */
};
struct clock_fact {
    int64_t us, pos;
    int64_t from_us; /* what a start or reset counts from, where a field says so; 0: us */
    unsigned roles;  /* for this clause */
};
/* By what it is counted; chosen by who asks. */
struct clock_terms {
    const struct policy_clause *clause;
    const struct policy_limit *line;
    const struct zone *zone;
    const struct calendar *calendar; /* NULL: round the clock */
    int64_t quantity;
};
struct clock_start {
    int64_t us, pos; /* of the event it runs from */
    int64_t from_us; /* counted from */
    bool ordered;    /* only what stands behind it in its instant ends it */
    bool early_stop; /* a stop that came before it holds: it is kept as soon as it begins */
};
enum fold_end { FOLD_RUNS, FOLD_STOPPED, FOLD_CANCELLED };
struct clock_fold {
    enum fold_end end;
    int64_t end_us;
    int64_t end_pos;  /* of the fact that ended it */
    bool explained;   /* it was stopped by the explanation */
    int64_t from_us;  /* counted from: the start, or the last reset */
    int64_t reset_us; /* the first reset behind the start `since` asks about, 0: none */
    int64_t due_us; /* of what runs: 0, it waits without bound. Of what ended: as if resumed then */
};
/* since_us: counted from there when it was said last; reset_us is the first reset behind it. Facts
 * in any order; pauses as sla_watchdog_pauses gave them. */
struct clock_fold sla_watchdog_fold(const struct clock_terms *, const struct clock_start *,
                                    const struct clock_fact *facts, size_t n,
                                    const struct clock_pause *pauses, size_t pauses_n,
                                    int64_t since_us);
/* The due instant of what is counted from there, every wait cut at cut_us (INT64_MAX: not cut). */
int64_t sla_watchdog_due(const struct clock_terms *, int64_t from_us,
                         const struct clock_pause *pauses, size_t n, int64_t cut_us);

/* --- what is to be said --------------------------------------------------------------------- */
enum clock_verdict { VERDICT_NONE, VERDICT_MET, VERDICT_BREACHED, VERDICT_CORRECTED };
struct clock_judgement {
    enum clock_verdict verdict;
    enum clock_state is; /* VERDICT_CORRECTED: what holds */
    const char *reason;
    int64_t due_us; /* by which it is judged */
};
/* Of a clock said to be in that state. corrected: its verdict was taken back before. old_due_us:
 * where a reset ended the target that was said (fold.reset_us), when that was due. now_us: time is
 * known to have come so far. */
struct clock_judgement sla_watchdog_judge(enum clock_state, bool corrected,
                                          const struct clock_fold *, int64_t old_due_us,
                                          int64_t now_us);

/* May a start begin a clock while others of the clause are there? ends: the ends of the clocks that
 * began before it, 0 where one runs. Only for starts that must not double one that runs. */
bool sla_watchdog_idle(const int64_t *ends_us, size_t n, int64_t us);

#endif
