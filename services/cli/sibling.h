/* A daemon's program run once beside the daemon: each proves and rebuilds its own tables, by its own role. */
#ifndef AFTERCARE_CLI_SIBLING_H
#define AFTERCARE_CLI_SIBLING_H

#include "cli.h"

/* aftercare-NAME FLAG … (the same settings), waited for. told NULL: its words are for people and go where ours go (with --json to
 * standard error); otherwise its standard output is kept there. *status: its exit code. False: it could not be run; said so. */
bool sibling_run(const struct cli *, const char *name, const char *const *flags, size_t flags_n,
                 struct buf *told, int *status);

#endif
