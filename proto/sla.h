/* sla.*: what the watchdog says of every promise. Keyed by what the clause runs on. */
#ifndef AFTERCARE_PROTO_SLA_H
#define AFTERCARE_PROTO_SLA_H

#include "policy/policy.h"
#include "record/record.h"

struct sla_limit {
    char clause[32];
    int64_t k;          /* which start of the clause on this key, from 1 */
    int64_t from_us;    /* counted from */
    int64_t due_us;
    struct span limit;
    char calendar[64];  /* its version; "" round the clock */
    int64_t line;       /* which line of the clause decided, from 1 */
};
struct sla_scheduled { char policy[POLICY_VERSION_CAP]; struct sla_limit limits[16]; uint32_t limits_n; };
struct sla_warned { char clause[32]; int64_t k, level, target; int64_t due_us, detected_us; char to[48]; }; /* level < 0 */
struct sla_breached { char clause[32]; int64_t k, level, target; int64_t due_us, detected_us; int64_t stopped_us; char to[48]; };
struct sla_met { char clause[32]; int64_t k, target; int64_t due_us, stopped_us; bool reported_late; };
struct sla_corrected { char clause[32]; int64_t k, target; int64_t due_us, stopped_us; char was[16], is[16]; char reason[48]; };

extern const struct record sla_scheduled_record, sla_warned_record, sla_breached_record, sla_met_record, sla_corrected_record;

#endif
