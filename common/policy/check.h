/* What the field table cannot see: ids twice, lines that can never decide, units that a field does
 * not take, names of things that are not there. Used by policy_parse and policy_decode. */
#ifndef AFTERCARE_POLICY_CHECK_H
#define AFTERCARE_POLICY_CHECK_H

#include "policy/policy.h"

/* Adds everything found wrong, with its path and without line. event_data as policy_parse's. */
void policy_check(const struct policy *, const struct record *(*event_data)(const char *type), struct problems *);

#endif
