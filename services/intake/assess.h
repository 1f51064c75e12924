/* The desk's judgement of a ticket by its policy: priority and coverage 三包判定, with the clause, dates and evidence. Pure. */
#ifndef AFTERCARE_INTAKE_ASSESS_H
#define AFTERCARE_INTAKE_ASSESS_H

#include "archive.h"
#include "proto/ticket.h"

/* Sets policy, priority, coverage, clause, covered_until and evidence; the rest is the ticket's. unit NULL: not in the archive. */
void ticket_judge(const struct policy *, const struct ticket_row *, const struct unit_row *unit, struct ticket_assessed *);
/* The earlier ticket of that unit and kind within the policy's window before opened_us; "" none. */
const char *ticket_repeat_of(const struct policy *, const struct unit_row *, const char *kind, int64_t opened_us);
/* The first required field of the kind that is not filled in; NULL: all are. kind: the policy's line for it. */
const char *ticket_missing_field(const struct policy_kind *, const struct record *, const void *data);
/* "PREFIX-YYYYMMDD", the date in the policy's zone. */
void ticket_series(const struct policy *, int64_t at_us, char *out, size_t cap);

#endif
