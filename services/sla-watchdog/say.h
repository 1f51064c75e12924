/* The conclusions themselves: slots and data of sla.*. */
#ifndef AFTERCARE_SLA_WATCHDOG_SAY_H
#define AFTERCARE_SLA_WATCHDOG_SAY_H

#include "proto/sla.h"
#include "services/sla-watchdog/weigh.h"

/* Each returns how many it concluded: 0 where it is on its way already. */
int sla_watchdog_say_scheduled(struct run *, const struct story *, struct sla_scheduled *);
int sla_watchdog_say_verdict(struct run *, const struct clock *, const struct clock_fold *,
                             struct clock_judgement);
/* warned or breached, for next_level. */
int sla_watchdog_conclude_level(struct run *, const struct clock *, const char *to);
bool sla_watchdog_scheduled_flies(const struct run *, const struct subject *);
bool sla_watchdog_verdict_flies(const struct run *, const struct clock *);
/* Do two values of `follows` name the same policy? */
bool sla_watchdog_same_policy(const char *follows, const char *other);

#endif
