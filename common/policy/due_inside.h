/* Between due.c and paused.c. */
#ifndef AFTERCARE_POLICY_DUE_INSIDE_H
#define AFTERCARE_POLICY_DUE_INSIDE_H

#include "policy/due.h"

/* The end of a span under the clause, without pauses, units and times of day. An empty span ends
 * where it begins. */
int64_t policy_due_of_span(const struct policy_clause *, struct span, const struct zone *,
                           const struct calendar *, int64_t from_us);

#endif
