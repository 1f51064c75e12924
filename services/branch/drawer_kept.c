/* The drawer's file: what goes from it, and what is shown. */
#include "drawer_inside.h"
#include <string.h>

#define SENT_FORGOTTEN_US (90 * DAY_US)
#define OPEN_FORGOTTEN_US (14 * DAY_US)

/* --- what goes ------------------------------------------------------------------------------------- */

/* `first`, then what hangs on what it took. */
static enum status orphans_delete(struct drawer *drawer, enum drawer_statement first)
{
    static const enum drawer_statement others[] = {PART_ORPHANS, SIZE_ORPHANS, FURTHER_ORPHANS, SINCE_ORPHANS, HELD_ORPHANS};
    enum status status = db_do(drawer->db, db_use(drawer->db, (int)first));
    for (size_t i = 0; i < COUNT_OF(others) && status == STATUS_OK; i++)
        status = db_do(drawer->db, db_use(drawer->db, (int)others[i]));
    return status;
}

enum status drawer_drop(struct drawer *drawer, const uint8_t sha256[DIGEST_BYTES])
{
    enum status status = drawer_begin(drawer);
    if (status == STATUS_OK)
        status = drawer_do(drawer, FILE_DELETE, sha256);
    return status == STATUS_OK ? orphans_delete(drawer, OWNER_ORPHANS) : status;
}

/* STATUS_ABSENT: what fact n named is what lies here. */
static enum status named_since(struct drawer *drawer, const uint8_t sha256[DIGEST_BYTES], const char *ticket, int64_t n)
{
    struct sqlite3_stmt *row = db_use(drawer->db, SINCE_FIND);
    db_bytes(row, 1, drawer_digest(sha256));
    db_text(row, 2, ticket);
    db_int(row, 3, n);
    enum status status = db_step(drawer->db, row);
    (void)db_use(drawer->db, SINCE_FIND);
    return status;
}

enum status drawer_let_go(struct drawer *drawer, const uint8_t sha256[DIGEST_BYTES], const char *ticket, int64_t n)
{
    enum status status = drawer_begin(drawer);
    if (status == STATUS_OK)
        status = named_since(drawer, sha256, ticket, n);
    if (status != STATUS_ABSENT)
        return status; /* it has gone since, and was named anew */
    status = drawer_do_of(drawer, FURTHER_LESS, sha256, ticket);
    if (status != STATUS_OK || db_changes(drawer->db) > 0)
        return status;
    status = drawer_do_of(drawer, OWNER_REMOVE, sha256, ticket);
    return status == STATUS_OK && db_changes(drawer->db) > 0 ? orphans_delete(drawer, FILE_ORPHANS) : status;
}

enum status drawer_erase(struct drawer *drawer, const char *ticket)
{
    enum status status = drawer_begin(drawer);
    if (status != STATUS_OK)
        return status;
    struct sqlite3_stmt *owner = db_use(drawer->db, OWNER_DELETE);
    db_text(owner, 1, ticket);
    status = db_do(drawer->db, owner);
    return status == STATUS_OK && db_changes(drawer->db) > 0 ? orphans_delete(drawer, FILE_ORPHANS) : status;
}

enum status drawer_forget(struct drawer *drawer, int64_t now_us)
{
    enum status status = drawer_begin(drawer);
    if (status != STATUS_OK)
        return status;
    struct sqlite3_stmt *old = db_use(drawer->db, FILE_OLD);
    db_int(old, 1, now_us - OPEN_FORGOTTEN_US);
    db_int(old, 2, now_us - SENT_FORGOTTEN_US);
    status = db_do(drawer->db, old);
    return status == STATUS_OK ? orphans_delete(drawer, OWNER_ORPHANS) : status;
}

enum status drawer_probe(struct drawer *drawer)
{
    static const enum drawer_statement steps[] = {PART_PROBE, PART_PROBED};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < COUNT_OF(steps) && status == STATUS_OK; i++) {
        status = drawer_begin(drawer);
        if (status == STATUS_OK)
            status = db_do(drawer->db, db_use(drawer->db, (int)steps[i]));
        if (status == STATUS_OK)
            status = drawer_commit(drawer);
    }
    if (status == STATUS_OK || status == STATUS_DOUBT)
        return status;
    drawer_rollback(drawer);
    return STATUS_FULL;
}

/* --- what is shown --------------------------------------------------------------------------------- */

enum status drawer_row(struct drawer *drawer, const struct drawer_row *after, const char *ticket, struct drawer_row *out)
{
    struct sqlite3_stmt *row = db_use(drawer->db, ROW_NEXT);
    db_bytes(row, 1, after != NULL ? drawer_digest(after->sha256) : bytes_of(NULL, 0));
    db_text(row, 2, after != NULL ? after->ticket : "");
    db_text(row, 3, ticket);
    db_text(row, 4, ticket);
    enum status status = db_step(drawer->db, row);
    if (status == STATUS_OK) {
        struct bytes digest = db_column_bytes(row, 0);
        if (digest.len == DIGEST_BYTES)
            memcpy(out->sha256, digest.data, DIGEST_BYTES);
        db_column_text(row, 1, out->ticket, sizeof(out->ticket));
        out->bytes = db_column_int(row, 2);
        out->upto = db_column_int(row, 3);
        out->taken_us = db_column_int(row, 4);
        out->whole = db_column_int(row, 5) == FILE_WHOLE;
        db_column_text(row, 6, out->code, sizeof(out->code));
    }
    (void)db_use(drawer->db, ROW_NEXT);
    return status;
}
