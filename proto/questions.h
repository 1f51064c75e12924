/* What may be asked over feed (ASK), by service: name, arguments, answer rows. The SQL is the service's own. */
#ifndef AFTERCARE_PROTO_QUESTIONS_H
#define AFTERCARE_PROTO_QUESTIONS_H

#include "record/record.h"

struct question_type {
    const char *to;   /* "dispatcher" */
    const char *name; /* "jobs" */
    const struct record *args;
    const struct record *row; /* the fields of an answer row; used for the catalogue and for tables on screen */
    const char *doc;
};
const struct question_type *question_find(const char *to, const char *name);
const struct question_type *question_at(size_t i);

/* Of every service: one row. */
struct status_row {
    char service[48];
    int64_t pos;      /* committed cursor (intake: head) */
    int64_t seen;     /* highest head heard of */
    int64_t upto;     /* conclusions shipped up to */
    int64_t in_flight, parked;
    int64_t checked_us;
    int64_t open_rows, memory_bytes;
};
/* dispatcher: jobs, why, sites · sla-watchdog: limits · follow-up: callbacks · reporting: tickets, report, summary ·
 * intake: status, refused, units, policies. Their structs stand in questions.c. */

#endif
