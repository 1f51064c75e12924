/* The rules of a clock: its names, and what is to be said when the promised
 * thing has come. Pure. */
#ifndef AFTERCARE_SLA_WATCHDOG_CLOCK_H
#define AFTERCARE_SLA_WATCHDOG_CLOCK_H

#include "event/event.h"
#include "policy/policy.h"

#define CLOCK_ID_CAP     112
#define CLOCK_LEVEL_NONE (-100)

enum clock_state {
    CLOCK_RUNNING,
    CLOCK_BREACHED, /* said so; it may still run, for the levels behind the limit */
    CLOCK_MET,
    CLOCK_OVER /* the ticket ended: nobody waits for it any more */
};

/* KEY/CLAUSE.k and the slots of what is said about it. */
void sla_watchdog_clock_id(const char *key, const char *clause, int64_t k, char out[CLOCK_ID_CAP]);
void sla_watchdog_clock_key(const char *id, char out[EVENT_KEY_CAP]);
/* word: warned, breached, met, corrected. met and corrected have no level. */
void sla_watchdog_slot(const char *word, const char *id, int64_t level, int64_t target,
                       char out[EVENT_ID_CAP]);

enum clock_verdict { VERDICT_NONE, VERDICT_MET, VERDICT_BREACHED, VERDICT_CORRECTED };
/* What is to be said of a clock in that state. A stop exactly at the due instant is met. While a
 * breach is in flight nothing is said: who reads it back looks again. ended_us: the ticket ended
 * without the stop; only a breach that had not happened by then is taken back. */
enum clock_verdict sla_watchdog_judge(enum clock_state, int64_t due_us, int64_t stopped_us,
                                      int64_t ended_us, bool breach_in_flight);

#endif
