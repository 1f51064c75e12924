/* A key's story at hand: its row, facts, waits and the policy it follows, and what they make of
 * each clock. Handlers that change rows and those that conclude stand on the same figures. */
#ifndef AFTERCARE_SLA_WATCHDOG_WEIGH_H
#define AFTERCARE_SLA_WATCHDOG_WEIGH_H

#include "services/sla-watchdog/tables.h"
#include "worker/run.h"

#define PAUSE_ROWS_MAX (2 * POLICY_PAUSES_COUNTED_MAX)
#define CLOCKS_LOOKED_AT                                                                           \
    8 /* the newest ones of a clause on a key; older ones are settled for good */

struct story {
    const struct tables *tables;
    struct subject subject; /* a copy, under the policy it has to follow now */
    const struct policy *policy;
    const struct published *published; /* that policy's row */
    const struct zone *zone;
    struct facts facts;
    struct pause_fact pauses[PAUSE_ROWS_MAX];
    size_t pauses_n;
    bool moved; /* its row still follows an older policy */
};
/* False: nothing is known of the key (or not in memory: tables_missed), or it follows no policy. */
bool sla_watchdog_story(struct story *, const struct tables *, const char *key);
/* Reads its waits (anew). False: some are not in memory. */
bool sla_watchdog_story_pauses(struct story *);
/* A key that had no row: it follows that policy. */
bool sla_watchdog_story_begin(struct story *, const struct tables *, const char *key,
                              const struct published *policy);
/* The facts' masks follow the clauses to another policy. */
void sla_watchdog_story_move(struct story *, const struct published *to);
/* The row as the story has it now. */
void sla_watchdog_story_keep(const struct story *, struct tables *);

const struct policy_clause *sla_watchdog_clause(const struct policy *, uint32_t i);
/* The clause's place in the policy; -1: it has none. */
int sla_watchdog_clause_place(const struct policy *, const char *id);
/* The first k that is looked at. */
int64_t sla_watchdog_first_k(int64_t count);

/* By what a clause is counted for this subject. */
struct terms {
    struct clock_terms clock;
    int64_t line; /* from 1 */
    int64_t
        calendar; /* position of the calendar.published that the due instant depends on; 0: none */
    const char *version; /* of that calendar */
};
/* False: no line of the clause is for it, or its calendar was never published. */
bool sla_watchdog_terms(const struct story *, uint32_t i, int64_t tier, int64_t quantity,
                        struct terms *);

struct outlook {
    struct terms terms;
    struct clock_fold fold;
    struct clock_pause pauses[POLICY_PAUSES_COUNTED_MAX];
    size_t pauses_n;
};
/* A clock that is there, by the lines that hold now, or, once it has ended, that held then. */
bool sla_watchdog_outlook(const struct story *, uint32_t i, const struct clock *, struct outlook *);
/* One that would begin with that fact. */
bool sla_watchdog_prospect(const struct story *, uint32_t i, const struct fact *, int64_t k,
                           struct outlook *);
/* Was it chosen anew: another line, another length, another calendar or policy? */
bool sla_watchdog_chosen_anew(const struct story *, const struct clock *, const struct terms *);
/* … so that its limit is another one. */
bool sla_watchdog_limit_differs(const struct clock *, const struct outlook *);
/* The wait that holds what runs at that instant, or held it when it ended; NULL: none, or the limit
 * was over before. */
const struct clock_pause *sla_watchdog_held(const struct outlook *, int64_t now_us);
struct clock_judgement sla_watchdog_judgement(const struct clock *, const struct outlook *,
                                              int64_t now_us);

/* Changes the columns that follow from the facts, of all clocks of those clauses that something at us can change, and what the subject's row
 * knows of them. us INT64_MAX: only of those that are live. */
void sla_watchdog_refresh(struct story *, struct tables *, uint32_t clauses, int64_t us,
                          int64_t now_us);

#endif
