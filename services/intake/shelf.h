/* The shelf: a thread with a PostgreSQL connection of its own that keeps the bytes of files. An event (file.attached) has named a
 * content and its ticket before; PUT brings it piece by piece, what was answered with HAVE is kept; when it is whole and its digest
 * true, file.stored is said of each of its tickets. No append and no reader of events waits for it. */
#ifndef AFTERCARE_INTAKE_SHELF_H
#define AFTERCARE_INTAKE_SHELF_H

#include "bus/metrics.h"
#include "settings/settings.h"
#include "slip.h"

#define SHELF_CMD_PAIR "inproc://shelf-cmd"   /* the network thread's */
#define SHELF_FEED_PAIR "inproc://shelf-feed" /* the feed thread's */

struct shelf;

/* Binds both pairs and starts the thread; it does not look at the database before SLIP_SERVES, PUT or GET. NULL: told in the log.
 * Signals must be blocked already. */
struct shelf *shelf_start(const struct settings *, struct metrics *);
void shelf_stop(struct shelf **);

#endif
