/* What personal.erased orders: the personal bytes of one customer leave the journal's rows, the refusals and the files of its tickets, then the tables they
 * stood in are written anew, since what PostgreSQL deletes stays in its files. A thread and a connection of its own: the journal's
 * writer does not wait for it. No body and no link changes. It goes on where it was after any end. */
#ifndef AFTERCARE_INTAKE_ERASER_H
#define AFTERCARE_INTAKE_ERASER_H

#include "settings/settings.h"

struct eraser;

/* Only of an intake that holds the lease. NULL: told in the log. Signals must be blocked already. */
struct eraser *eraser_start(const struct settings *);
void eraser_stop(struct eraser **);

#endif
