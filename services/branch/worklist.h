/* The branch's work as the centre last told it, folded from the feed into a SQLite file: jobs offered to its sites, limits,
 * callbacks, and how to reach the customers. It can be read while the line is down, and says at which position it is true. Only
 * events change it; nothing in it is lost for good, the feed has it all. */
#ifndef AFTERCARE_BRANCH_WORKLIST_H
#define AFTERCARE_BRANCH_WORKLIST_H

#include "event/event.h"
#include "proto/branch.h"

struct worklist;

struct worklist_state {
    char stream[64];
    uint64_t pos;
    uint8_t link[LINK_BYTES];
    int64_t as_of_us; /* the centre's time up to which it is true */
    int64_t heard_us; /* the branch's time when that was told */
};

/* NULL: error says why. A file that another reading of the feed made (stream, filter) is begun anew. */
struct worklist *worklist_open(const char *path, char *error, size_t error_cap);
void worklist_close(struct worklist **);
const struct worklist_state *worklist_state(const struct worklist *);
const char *worklist_error(const struct worklist *);
/* Forgets everything, to be told it again: another stream, another history, other types. `filter` is what is read. */
enum status worklist_begin(struct worklist *, const char *stream, const char *filter) MUST_CHECK;

/* The prefixes of the types it is made from; NULL past the end. */
const char *worklist_type(size_t i);
/* One event, in the order of the feed. */
enum status worklist_apply(struct worklist *, const struct event *) MUST_CHECK;
enum status worklist_reached(struct worklist *, uint64_t pos, const uint8_t link[LINK_BYTES]) MUST_CHECK;
enum status worklist_heard(struct worklist *, int64_t as_of_us, int64_t wall_us) MUST_CHECK;
enum status worklist_commit(struct worklist *) MUST_CHECK;
void worklist_rollback(struct worklist *);
/* A customer was erased: names, telephones, addresses go, and (after the commit) nothing of them is left in the file. Calls back
 * with each ticket of the customer. */
typedef void worklist_ticket(void *owner, const char *ticket);
enum status worklist_erase(struct worklist *, const char *customer, worklist_ticket *, void *owner) MUST_CHECK;
enum status worklist_sweep(struct worklist *) MUST_CHECK;

/* The row behind `after` in the order of its first field; key and state "": any. STATUS_ABSENT: no more. `queued` is left empty. */
enum status worklist_job(struct worklist *, const char *after, const struct branch_args *, struct branch_job_row *) MUST_CHECK;
enum status worklist_limit(struct worklist *, const char *after, const struct branch_args *, struct branch_limit_row *) MUST_CHECK;
enum status worklist_callback(struct worklist *, const char *after, const struct branch_args *,
                              struct branch_callback_row *) MUST_CHECK;

#endif
