/* Inside the drawer: its statements by name, and what its two files share. */
#ifndef AFTERCARE_BRANCH_DRAWER_INSIDE_H
#define AFTERCARE_BRANCH_DRAWER_INSIDE_H

#include "drawer.h"
#include "sqlite/db.h"

enum file_state { FILE_OPEN, FILE_WHOLE, FILE_SENT };

enum drawer_statement {
    FILE_GET,
    FILE_EXPECT,
    FILE_UPTO,
    FILE_STATE,
    FILE_CODE,
    FILE_NEXT,
    FILE_SUM,
    FILE_COUNT,
    FILE_DELETE,
    FILE_ORPHANS,
    FILE_OLD,
    HELD_PUT,
    HELD_END,
    HELD_ORPHANS,
    SIZE_KEEP,
    SIZE_ADD,
    SIZE_FIND,
    SIZE_ORPHANS,
    OWNER_ADD,
    OWNER_REMOVE,
    OWNER_DELETE,
    OWNER_ORPHANS,
    FURTHER_ADD,
    FURTHER_LESS,
    FURTHER_ORPHANS,
    SINCE_PUT,
    SINCE_FIND,
    SINCE_ORPHANS,
    PART_ADD,
    PART_READ,
    PART_DELETE,
    PART_ORPHANS,
    PART_PROBE,
    PART_PROBED,
    ROW_NEXT,
    DRAWER_STATEMENTS_N
};

struct drawer {
    struct db *db;
    int64_t bytes_max, waiting;
    bool changing;
};

/* Begins the transaction where none is open. */
enum status drawer_begin(struct drawer *) MUST_CHECK;
struct bytes drawer_digest(const uint8_t sha256[DIGEST_BYTES]);
/* A statement whose one parameter is the digest; whose two are it and the ticket. */
enum status drawer_do(struct drawer *, enum drawer_statement, const uint8_t sha256[DIGEST_BYTES]) MUST_CHECK;
enum status drawer_do_of(struct drawer *, enum drawer_statement, const uint8_t sha256[DIGEST_BYTES], const char *ticket) MUST_CHECK;

#endif
