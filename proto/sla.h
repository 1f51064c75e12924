/* sla.*: what the watchdog says of every promise. Keyed by what the clause runs on. */
#ifndef AFTERCARE_PROTO_SLA_H
#define AFTERCARE_PROTO_SLA_H

#include "event/event.h"
#include "policy/policy.h"
#include "record/record.h"

/* Why limits are said (again). */
enum sla_cause {
    SLA_START,       /* an event that starts clauses */
    SLA_REOPENED,    /* the ticket goes on: what was promised from its opening is promised again */
    SLA_RESET,       /* the clause begins anew from an event it names */
    SLA_PAUSED,      /* the clock waits: no due */
    SLA_RESUMED,     /* it runs again */
    SLA_BUDGET_USED, /* it runs again though the waiting goes on */
    SLA_RETARGETED,  /* kind, priority, region, product, coverage, phase or policy changed */
    SLA_CALENDAR,    /* another version of the calendar */
    SLA_LATE_FACT    /* something told late moved it */
};
struct sla_limit {
    char clause[32];
    int64_t k;          /* which clock of the clause on this key, from 1 */
    int64_t target;     /* version of the limit: one more when begun anew or chosen anew */
    int64_t start;      /* position of the event that it runs from */
    int64_t from_us;    /* counted from */
    int64_t due_us;     /* 0: it waits, there is none */
    struct span limit;
    int64_t quantity;   /* units, where the line counts by them; 0: it does not */
    char calendar[64];  /* its version; "" round the clock */
    int64_t line;       /* which line of the clause decided, from 1 */
    char paused[48];    /* reason it waits for; "" it runs */
    int64_t paused_s;   /* elapsed seconds that were not counted so far */
};
struct sla_pause { char reason[48]; int64_t from_us, to_us; char by[EVENT_BY_CAP]; }; /* to_us 0: it goes on */
struct sla_scheduled {
    char policy[POLICY_VERSION_CAP];
    int cause; /* enum sla_cause */
    struct sla_limit limits[POLICY_STARTS_MAX];
    uint32_t limits_n;
    struct sla_pause pauses[8]; /* waits that were not counted, the last ones */
    uint32_t pauses_n;
};
struct sla_warned { char clause[32]; int64_t k, level, target; int64_t due_us, detected_us; char to[48]; }; /* level < 0 */
struct sla_breached {
    char clause[32];
    int64_t k, level, target;
    int64_t due_us, detected_us;
    int64_t stopped_us;
    char to[48];
    char cause[16]; /* "retarget": past when it was chosen anew; "" time went by */
};
struct sla_met { char clause[32]; int64_t k, target; int64_t due_us, stopped_us; bool reported_late, explained; };
/* was, is: breached, met, open (it runs), over (nobody waits for it any more) */
struct sla_corrected { char clause[32]; int64_t k, target; int64_t due_us, stopped_us; char was[16], is[16]; char reason[48]; };

extern const struct record sla_scheduled_record, sla_warned_record, sla_breached_record, sla_met_record, sla_corrected_record;

#endif
