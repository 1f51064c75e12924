/* Inside of the proof of the journal: verify.c (rows, head, archive), verify_sources.c (numbers, refusals),
 * verify_files.c (bytes of files). */
#ifndef AFTERCARE_INTAKE_VERIFY_INSIDE_H
#define AFTERCARE_INTAKE_VERIFY_INSIDE_H

#include "journal.h"
#include "pg/pg.h"
#include "sources.h"

struct verified {
    int64_t positions, sources, numbers, refused, unkept, erased, sealed, archive, files, file_bytes, findings;
};
struct name {
    int64_t source, last; /* last: the highest number seen */
    char text[EVENT_SOURCE_CAP];
};

struct verify {
    struct pg *pg;
    struct pg_args *args;
    struct verified told;
    struct buf out;
    struct name *names; /* in order of source */
    size_t names_n;
    int64_t head_pos, head_own_n;
    uint8_t head_link[LINK_BYTES], head_seal[SEAL_BYTES];
    bool head_sealed;
    uint8_t link[LINK_BYTES], seal[SEAL_BYTES]; /* of the row before, as far as they are known */
    bool link_known, seal_begun;
    bool disordered; /* rows are not told in the order of their numbers */
    int64_t began_us, shown_us;
};

/* One finding, as a line. pos 0: not of one position. */
void verify_found(struct verify *verify, int64_t pos, const char *column, const char *what, const char *format, ...) PRINTF_LIKE(5, 6);
/* NULL: there is no such source. */
struct name *verify_name_of(struct verify *verify, int64_t source);
/* Without arguments. */
enum status verify_query(struct verify *verify, const char *sql, struct pg_result **result) MUST_CHECK;

/* Per source: the numbers of its rows and refusals. */
enum status verify_numbers(struct verify *) MUST_CHECK;
void verify_own(struct verify *);
enum status verify_refused(struct verify *) MUST_CHECK;

/* Ends the snapshot: each file is looked at by itself, and who erases or writes does not wait for it. Every content that is kept has its digest;
 * every ticket that has a file (file.stored) has its bytes, but for what was erased. */
enum status verify_files(struct verify *) MUST_CHECK;

/* Of one file.stored: the bytes that are kept of its content. */
struct file_stored;
struct file_proof {
    bool kept;
    bool erased; /* the ticket's customer was, behind it */
    int64_t bytes;
    uint8_t digest[DIGEST_BYTES];
};
enum status file_prove(struct pg *, const char *ticket, const struct file_stored *, struct file_proof *) MUST_CHECK;

#endif
