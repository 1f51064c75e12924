/* What an event's data say, field by field, for `when`, `from` and the subject of a clause. */
#ifndef AFTERCARE_SLA_WATCHDOG_DATA_H
#define AFTERCARE_SLA_WATCHDOG_DATA_H

#include "event/event.h"
#include "policy/policy.h"

/* Reads from the event, which must outlive it. A field that is left out has its default. */
struct policy_data sla_watchdog_data(const struct event *);
/* "" when it is not there or too long. */
void sla_watchdog_data_text(const struct event *, const char *field, char *out, size_t cap);
/* 0 when it is not there, or not a number. */
int64_t sla_watchdog_data_int(const struct event *, const char *field);
/* 0 when it is not there, or not an instant. */
int64_t sla_watchdog_data_time(const struct event *, const char *field);

#endif
