/* The watchdog: measures every promise and speaks sla.* only. README.md beside. */
#ifndef AFTERCARE_SLA_WATCHDOG_H
#define AFTERCARE_SLA_WATCHDOG_H

#include "worker/run.h"

extern const struct worker sla_watchdog_worker;

#endif
