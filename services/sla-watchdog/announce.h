/* Saying what differs between what the facts make of a key's clocks and what has been said of them:
 * after each fact, after reading back what was said, and when time has passed. */
#ifndef AFTERCARE_SLA_WATCHDOG_ANNOUNCE_H
#define AFTERCARE_SLA_WATCHDOG_ANNOUNCE_H

#include "services/sla-watchdog/weigh.h"

/* One sla.scheduled at a time is on its way for a key, and one verdict for a clock; who reads it
 * back looks again. Returns how much it concluded. */
int sla_watchdog_look(struct run *, const struct tables *, const char *key);
/* A level of a clock, or the limit, has come. */
void sla_watchdog_say_level(struct run *, const struct tables *, const struct clock *);

#endif
