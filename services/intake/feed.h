/* The feed thread: replay, tail and questions over a ROUTER, with a database connection of its own. Never reads for who has no
 * credit; goes round its readers fairly; a slow one holds up nobody. */
#ifndef AFTERCARE_INTAKE_FEED_H
#define AFTERCARE_INTAKE_FEED_H

#include "bus/metrics.h"
#include "doors.h"
#include "settings/settings.h"

struct feed;

/* Binds feed and its end of the pair and starts the thread; shelf: inproc endpoint of the shelf, NULL: no files are given. NULL: told in the log. Signals must be blocked already. */
struct feed *feed_start(const struct doors *, const char *pair, const char *shelf, struct metrics *);
void feed_stop(struct feed **);

#endif
