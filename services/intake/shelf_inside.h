/* Inside of the shelf: shelf.c (the thread), shelf_claims.c (whose a content is), shelf_rows.c (one PUT, one GET, what is announced and
 * forgotten, in its tables). */
#ifndef AFTERCARE_INTAKE_SHELF_INSIDE_H
#define AFTERCARE_INTAKE_SHELF_INSIDE_H

#include "pg/pg.h"
#include "slip.h"

/* Of one principal. */
struct shelf_limits {
    int64_t unfinished_bytes; /* begun and not finished */
    int64_t day_bytes;        /* taken in a day, UTC */
};

/* Answers the slip. Not STATUS_OK: trouble with the database, nothing of it holds, and the slip says so. announce: file.stored is to be said
 * of some ticket. */
enum status shelf_put(struct pg *, struct pg_args *, const struct shelf_limits *, struct slip *, bool *announce) MUST_CHECK;
enum status shelf_get(struct pg *, struct pg_args *, struct slip *) MUST_CHECK;
/* Tells `say` each ticket of which file.stored is to be said: who has named the content for it is known to have it. more: there was something. */
typedef bool shelf_say(void *owner, const char *ticket, struct bytes sha256, int64_t bytes);
enum status shelf_announce(struct pg *, struct pg_args *, shelf_say *, void *owner, bool *more) MUST_CHECK;
/* What was begun and not gone on with for so many days. */
enum status shelf_forget(struct pg *, struct pg_args *, int64_t days, int64_t *forgotten) MUST_CHECK;

#endif
