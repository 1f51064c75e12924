/* The journal's rows and one event's proof, as intake's own program gives them, for people and for programs. */
#ifndef AFTERCARE_CLI_PROOF_H
#define AFTERCARE_CLI_PROOF_H

#include "cli.h"

struct rows_good {
    bool journal, archive, files; /* the archive is looked at only where the journal is well */
};
/* Every row. People are told at once; for programs json gets the members "rows" and "findings" (no braces). An exit code. */
int rows_verify(const struct cli *, struct buf *json, struct rows_good *);
/* One position's, printed. An exit code. */
int event_prove(const struct cli *, int64_t pos);

#endif
