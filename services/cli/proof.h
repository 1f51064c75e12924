/* The journal's rows and one event's proof, as intake's own program gives them, for people and for programs. */
#ifndef AFTERCARE_CLI_PROOF_H
#define AFTERCARE_CLI_PROOF_H

#include "cli.h"

/* Every row. People are told at once; for programs json gets the members "rows" and "findings" (no braces). An exit code. */
int rows_verify(const struct cli *, struct buf *json);
/* One position's, printed. An exit code. */
int event_prove(const struct cli *, int64_t pos);

#endif
