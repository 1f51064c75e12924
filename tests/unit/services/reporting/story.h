/* Events handed to reporting's handlers one after the other, without a runtime. */
#ifndef AFTERCARE_TESTS_REPORTING_STORY_H
#define AFTERCARE_TESTS_REPORTING_STORY_H

#include "proto/followup.h"
#include "proto/job.h"
#include "proto/sla.h"
#include "proto/ticket.h"
#include "services/reporting/on.h"
#include "services/reporting/tables.h"

#define DAY(n) (INT64_C(1309478400) * SECOND_US + (n) * DAY_US) /* n days after 2011-07-01 UTC */

struct story {
    struct tables *tables;
    uint64_t pos;
    int64_t now_us;
};
void story_init(struct story *);
void story_release(struct story *);

typedef bool apply_fn(struct tables *, const struct event *, const void *data);
/* The next event: recorded at now, happened at `at` (0: now). A row that is not in memory is known to be absent. */
void story_say(struct story *, apply_fn *, const char *key, int64_t at_us, const void *data);
const struct ticket_row *story_ticket(struct story *, const char *key);

void story_assessed(struct story *, const char *key, const char *kind, int64_t opened_us);
void story_offered(struct story *, const char *key, int k, const char *site, int64_t tier);
void story_accepted(struct story *, const char *key, int k, const char *site);
void story_resolved(struct story *, const char *key, int64_t at_us);
void story_scheduled(struct story *, const char *key, const char *clause, int64_t k, int64_t due_us);
void story_met(struct story *, const char *key, const char *clause, int64_t k, int64_t due_us, bool late);
void story_breached(struct story *, const char *key, const char *clause, int64_t k, int64_t due_us);
void story_callback_due(struct story *, const char *key, int64_t k, int64_t due_us);
void story_callback(struct story *, const char *key, int64_t k, int64_t satisfaction);
void story_closed(struct story *, const char *key);
void story_reopened(struct story *, const char *key);
void story_period_closed(struct story *, const char *period);

#endif
