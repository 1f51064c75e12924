/* The archive made anew from the journal: after a change of its tables, or where what is stored is in doubt. */
#ifndef AFTERCARE_INTAKE_REFOLD_H
#define AFTERCARE_INTAKE_REFOLD_H

#include "settings/settings.h"

/* Tells the whole journal to an empty archive in the schema intake_new, by the policies of then and the judgements that stand in the
 * journal, and swaps it in with one transaction. It holds the lease meanwhile; forced: it takes it from an intake that serves, which
 * ends, begins anew and stands by. Exit codes: 0 done, 1 not, 3 the database does not answer. */
int archive_rebuild(const struct settings *, bool forced);

/* Tells the whole journal to an archive beside the living one, as archive_rebuild does, and compares: read-only but for tables of its
 * own in intake_new, beside the intake that serves. rows: how many were compared. Each row that differs is told, as "TABLE KEY what".
 * False: why. */
typedef void archive_differs(void *owner, const char *what);
bool archive_verify(const struct settings *, size_t *rows, archive_differs *, void *owner, char why[300]);

#endif
