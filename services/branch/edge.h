/* The world around the office: sockets, clocks, metrics, the loop. */
#ifndef AFTERCARE_BRANCH_EDGE_H
#define AFTERCARE_BRANCH_EDGE_H

#include "settings/settings.h"

/* Runs until told to stop. The exit code. */
int edge_run(const struct settings *);

#endif
