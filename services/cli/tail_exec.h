/* `tail --exec`: a command run for each event, which gets it on its standard input; how far it came is kept in a file, so that each
 * event is handled at least once. */
#ifndef AFTERCARE_CLI_TAIL_EXEC_H
#define AFTERCARE_CLI_TAIL_EXEC_H

#include "cli.h"
#include "event/event.h"

struct runner {
    const struct cli *cli;
    const char *command;
    char cursor[400]; /* the file */
    char stream[64];
    int64_t pos; /* handled up to; what comes before is not wanted */
};

/* Where the cursor lies when nobody said: by the command and `filter`, so that each has its own. */
void runner_place(struct runner *, const char *filter);
/* Reads the cursor into *after; where there is none it begins with *after, which is kept at once: what comes from now on is handled,
 * however often this ends before the first of it was. CLI_DONE, or the exit code. */
int runner_begin(struct runner *, int64_t *after) MUST_CHECK;
/* Runs the command by /bin/sh with `line` on its standard input and AFTERCARE_POS, _TYPE, _KEY in its environment; again, after pauses
 * that grow to a minute, until it ends well; then moves the cursor. False: told to stop, or the cursor cannot be kept (said so). */
bool runner_run(struct runner *, const struct event *, struct bytes line) MUST_CHECK;

#endif
