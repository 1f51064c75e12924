/* A policy for people to read: promises with what moves them, the ladder, waits, classes of region.
 */
#ifndef AFTERCARE_CLI_POLICY_PRINT_H
#define AFTERCARE_CLI_POLICY_PRINT_H

#include "policy/policy.h"
#include "words.h"

/* One line: how much there is of each section. */
void policy_print_counts(enum language, const struct policy *, struct buf *out);
void policy_print(enum language, const struct policy *, struct buf *out);

#endif
