/* Inside the work list: its statements by name. */
#ifndef AFTERCARE_BRANCH_WORKLIST_INSIDE_H
#define AFTERCARE_BRANCH_WORKLIST_INSIDE_H

#include "sqlite/db.h"
#include "worklist.h"

enum worklist_statement {
    LIST_META_GET,
    LIST_META_PUT,
    TICKET_PUT,
    TICKET_ASSESSED,
    TICKET_CLASS,
    TICKET_AGE,
    PERSON_PUT,
    PERSON_AGE,
    PERSON_TICKETS,
    PERSON_ERASE,
    WHOSE_PUT,
    WHOSE_ENDED,
    WHOSE_AGE,
    LEAVING_PUT,
    LEAVING_END,
    LEAVING_AGE,
    JOB_PUT,
    JOB_STATE,
    JOB_ENGINEER,
    JOB_SITE,
    JOB_STATE_GET,
    JOB_RESOLVED,
    JOB_END,
    LIMIT_PUT,
    LIMIT_STATE,
    LIMIT_LEVEL,
    LIMIT_END,
    LIMIT_END_OF,
    LIMIT_AGE,
    CALLBACK_PUT,
    CALLBACK_END,
    CALLBACK_END_OF,
    JOB_ROWS,
    LIMIT_ROWS,
    CALLBACK_ROWS,
    WORKLIST_STATEMENTS_N
};

struct worklist {
    struct db *db;
    struct worklist_state state, before;
    char filter[200];
    bool changing;
    struct arena *arena;
    void *object;
    size_t object_cap;
};

enum status worklist_change(struct worklist *) MUST_CHECK; /* begins the transaction where none is open */

#endif
