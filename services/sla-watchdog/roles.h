/* What an event is to the clauses and waits of a policy. */
#ifndef AFTERCARE_SLA_WATCHDOG_ROLES_H
#define AFTERCARE_SLA_WATCHDOG_ROLES_H

#include "services/sla-watchdog/facts.h"

/* Does the policy name the type at all, or does every ticket's story hang on it? */
bool sla_watchdog_concerns(const struct policy *, const char *type);
/* Do clauses ask what a registration says, and not only that there was one? */
bool sla_watchdog_asks_registration(const struct policy *);
/* Clauses that start with the registration, not with its judgement. */
uint32_t sla_watchdog_registration_only(const struct policy *);
/* Fills `out` but for us. ticket: the key is one. */
void sla_watchdog_roles(const struct policy *, const struct event *, bool ticket, struct fact *out);
/* The waits that the event begins, ends or lengthens; masks over policy->pauses. */
struct wait_roles {
    uint32_t begins, ends, more;
    bool other; /* the ticket waits for something that the policy does not count: that ends what it
                   waited for */
    bool over;  /* of all kinds: it is resolved or reopened */
    int64_t more_us;
};
void sla_watchdog_waits(const struct policy *, const struct event *, bool ticket,
                        struct wait_roles *out);
/* The clauses that those waits move. */
uint32_t sla_watchdog_moved_by(const struct policy *, const struct wait_roles *);

#endif
