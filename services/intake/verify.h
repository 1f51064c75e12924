/* The proof that the journal is what was written: read-only, in one snapshot, beside the intake that serves. */
#ifndef AFTERCARE_INTAKE_VERIFY_H
#define AFTERCARE_INTAKE_VERIFY_H

#include "settings/settings.h"

/* Every row of the journal against the one before it and against itself, every source's numbers without a gap or a repeat, the
 * head. One JSON object a line on standard output: a finding {pos, column, what, detail} each, then {positions, …, findings}.
 * Exit codes: 0 nothing is wrong, 1 something is, 3 the database does not answer. */
int journal_verify(const struct settings *);
/* One position's: link recomputed from the one before, digests, neighbours, and the links up to the next position that was sealed
 * within the journal (or to the head). One JSON object. Exit codes as above; 2: there is no such position. */
int journal_prove(const struct settings *, int64_t pos);

#endif
