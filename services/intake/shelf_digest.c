#include "base/digest.h"
#include "shelf_claims.h"

#define ROWS_AT_ONCE 8 /* a megabyte of our memory */

static enum status pieces_read(struct pg *pg, struct pg_args *args, const struct content *content, int64_t from, struct pg_result **rows)
{
    pg_args_reset(args);
    pg_arg_bytea(args, bytes_of(content->sha256, DIGEST_BYTES));
    pg_arg_text(args, content->owner);
    pg_arg_int(args, from);
    pg_arg_int(args, ROWS_AT_ONCE);
    return pg_query(pg, "SELECT at, data FROM file_part WHERE sha256 = $1::bytea AND owner = $2::text AND at >= $3::int8 ORDER BY at LIMIT $4::int8", args, rows);
}

enum status content_digest(struct pg *pg, struct pg_args *args, const struct content *content, content_read *read, void *owner,
                           uint8_t found[DIGEST_BYTES], int64_t *bytes)
{
    struct digest *digest = digest_new();
    enum status status = STATUS_OK;
    bool goes_on = true;
    *bytes = 0;
    while (goes_on && *bytes < content->upto && status == STATUS_OK) {
        owned(pg_result_destroy) struct pg_result *rows = NULL;
        int64_t before = *bytes;
        status = pieces_read(pg, args, content, *bytes, &rows);
        for (int row = 0; status == STATUS_OK && row < pg_rows(rows) && pg_int(rows, row, 0) == *bytes; row++) {
            struct bytes piece = pg_bytes(rows, row, 1);
            digest_add(digest, piece);
            *bytes += (int64_t)piece.len;
        }
        goes_on = *bytes > before; /* not at a hole */
        if (read != NULL)
            read(owner, *bytes - before);
    }
    digest_end(&digest, found);
    return status;
}
