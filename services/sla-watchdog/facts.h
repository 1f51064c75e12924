/* The facts of a key that its clocks have not worked in for good, packed into a row: 10 to 20 bytes
 * each instead of a struct. Roles are masks over the policy's clauses. When there is no more room
 * the oldest goes: what it did to clocks that are there stands in their rows. */
#ifndef AFTERCARE_SLA_WATCHDOG_FACTS_H
#define AFTERCARE_SLA_WATCHDOG_FACTS_H

#include "policy/policy.h"
#include "services/sla-watchdog/clock.h"

#define FACTS_BYTES_MAX 216

struct facts_blob { /* a FIELD_BLOB */
    uint32_t len;
    uint8_t data[FACTS_BYTES_MAX];
};
enum fact_role {
    FACT_STARTS, /* what it starts and has no clock yet */
    FACT_STOPS,
    FACT_RESETS,
    FACT_CANCELS,
    FACT_EXPLAINS,
    FACT_DOUBLES,  /* what it starts as well as stops or resets, its clock there or not */
    FACT_LINELESS, /* of what it starts, that no line was for when it was told */
    FACT_ROLES
};
struct fact {
    int64_t us, pos;
    int64_t from_us;            /* 0: us */
    uint32_t roles[FACT_ROLES]; /* bit i: for clause i */
    bool ends, reopens;         /* the ticket */
    bool ordered; /* it follows from what stands before it: that does not end what it starts */
    int64_t tier, quantity; /* of a start, where it says so */
};
struct facts {
    struct fact items[CLOCK_FACTS_MAX];
    size_t n;
};

bool sla_watchdog_fact_is_idle(const struct fact *); /* no role is left */
/* Instants are packed relative to base_us. */
void sla_watchdog_facts_unpack(const struct facts_blob *, int64_t base_us, struct facts *);
/* Drops what has no role and then the oldest ones until the rest fits; returns how many of these.
 */
int64_t sla_watchdog_facts_pack(struct facts *, int64_t base_us, struct facts_blob *);
struct fact *sla_watchdog_fact_at(struct facts *, int64_t pos);
/* What the facts are to clause i. */
size_t sla_watchdog_facts_of(const struct facts *, uint32_t i,
                             struct clock_fact out[CLOCK_FACTS_MAX]);
/* The masks follow the clauses' ids from one version to another; clauses that are gone are left
 * out. */
void sla_watchdog_facts_move(struct facts *, const struct policy *from, const struct policy *to);
uint32_t sla_watchdog_mask_move(uint32_t mask, const struct policy *from, const struct policy *to);

#endif
