/* Whose a content is. Naming a digest (file.attached) is free to whoever may speak of a ticket, and proves nothing: a ticket has the file,
 * and who may see it may read it, when somebody who has named it for that ticket was known to have it (file.stored). */
#ifndef AFTERCARE_INTAKE_SHELF_CLAIMS_H
#define AFTERCARE_INTAKE_SHELF_CLAIMS_H

#include "pg/pg.h"
#include "slip.h"

/* Of a `file f` and its `ticket t`: an erasure ends what was said before it. */
#define ERASED_SINCE(pos) "EXISTS (SELECT FROM journal e WHERE e.type = 'personal.erased' AND e.key = t.customer AND e.pos > " pos ")"
/* The ticket has it: file.stored was said of it, and neither then nor later was its customer erased. */
#define HAS_FILE "(f.stored > 0 AND NOT " ERASED_SINCE("least(f.stored, f.pos)") ")"
/* Of a `journal n`: who names the file's content for its ticket. In a body a digest stands behind the head of 32 bytes in msgpack. */
#define NAMES_FILE "n.key = f.ticket AND n.type = 'file.attached' AND position('\\xc420'::bytea || f.sha256 in n.body) > 0"
/* … and which principal that is. No join: by the ticket's story there are some rows, by the source there may be millions. */
#define NAMED_BY "split_part((SELECT s.name FROM source s WHERE s.id = n.source), '/', 1)"

/* Somebody who has named it for the ticket has just become known to have it: file.stored is about to be said. */
#define HAS_FILE_SOON                                                                                                             \
    "(f.stored < f.pos AND EXISTS (SELECT FROM file_bytes b, journal n WHERE b.sha256 = f.sha256 AND b.announce AND b.whole AND "  \
    NAMES_FILE " AND " NAMED_BY " = b.owner AND NOT " ERASED_SINCE("n.pos") "))"

/* --- GET: may the slip's principal read the content? ------------------------------------------------ */

struct reach {
    bool any;   /* somebody has named it, … */
    bool seen;  /* for a ticket in the principal's reach, … */
    bool live;  /* whose customer was not erased since, … */
    bool has;   /* and which has it */
    char ticket[65]; /* the first that has */
};
enum status reach_read(struct pg *, struct pg_args *, const struct slip *, struct reach *) MUST_CHECK;

/* --- PUT: for which tickets has the slip's principal named it? -------------------------------------- */

#define SIZES_MAX 16
struct namings {
    bool any, seen, live; /* as above, but by this principal */
    bool awaited;         /* some ticket of the live ones in reach does not have it */
    int64_t sizes[SIZES_MAX], largest; /* of the live ones in reach, as it has said them */
    int sizes_n;
};
enum status namings_read(struct pg *, struct pg_args *, const struct slip *, struct namings *) MUST_CHECK;

/* By anybody, for whatever ticket. */
enum status content_is_named(struct pg *, struct pg_args *, const uint8_t sha256[32], bool *named) MUST_CHECK;

/* Tells each ticket that a principal has named it for, that does not have it and whose customer was not erased since; until `tell` is false. */
typedef bool naming_tell(void *owner, const char *ticket);
enum status namings_awaited(struct pg *, struct pg_args *, const uint8_t sha256[32], const char *who, naming_tell *, void *owner) MUST_CHECK;

/* --- its bytes, as they are kept -------------------------------------------------------------------- */

struct content {
    uint8_t sha256[32];
    char owner[72]; /* whose pieces */
    int64_t upto;   /* so many bytes are to be there */
};
/* Piece by piece: their digest, and how many there are from the first on; a hole ends them. read (may be NULL) is told each stretch. */
typedef void content_read(void *owner, int64_t bytes);
enum status content_digest(struct pg *, struct pg_args *, const struct content *, content_read *, void *owner, uint8_t found[32], int64_t *bytes) MUST_CHECK;

#endif
