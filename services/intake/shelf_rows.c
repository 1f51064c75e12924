#include "base/digest.h"
#include "base/text.h"
#include "rights.h"
#include "shelf_inside.h"
#include <string.h>

#define CLAIMS_PAGE 256
#define CLAIMS_PAGES_MAX 64 /* a leaflet may belong to many tickets */
#define SIZES_MAX 16
#define ANNOUNCED_AT_ONCE 64

/* --- whose a content is ---------------------------------------------------------------------------- */

/* The tickets it belongs to, by the archive's prefix of its key, in pages. An erasure ends the claim of what was named before it. */
#define ERASED_SQL "EXISTS (SELECT FROM journal j WHERE j.type = 'personal.erased' AND j.key = t.customer AND j.pos > f.pos)"
#define CLAIMS_SQL(more)                                                                                                      \
    "SELECT f.file, f.ticket, t.region, t.site, f.bytes, f.stored, " ERASED_SQL " FROM file f JOIN ticket t"                      \
    " ON t.\"number\" = f.ticket WHERE f.file > $1::text AND f.file < $2::text" more " ORDER BY f.file LIMIT 256"
enum { CLAIM_FILE, CLAIM_TICKET, CLAIM_REGION, CLAIM_SITE, CLAIM_BYTES, CLAIM_STORED, CLAIM_ERASED };

struct claims {
    bool any, seen, live;   /* at all; in the principal's reach; and not erased */
    bool unsaid;            /* file.stored is awaited for one that is not erased, in anybody's reach */
    int64_t sizes[SIZES_MAX], largest; /* as told by the live ones in reach */
    int sizes_n;
    char ticket[65]; /* the first of these */
};

/* after: the key of the page before; "" the first page. */
static enum status claims_read(struct pg *pg, struct pg_args *args, const char *sql, const uint8_t sha256[32], const char *after,
                               struct pg_result **rows)
{
    char hex[65], from[66], to[66];
    hex_print(sha256, 32, hex);
    text_format(from, sizeof(from), "%s/", hex);
    text_format(to, sizeof(to), "%s0", hex); /* what follows "/" */
    pg_args_reset(args);
    pg_arg_text(args, after[0] != '\0' ? after : from);
    pg_arg_text(args, to);
    return pg_query(pg, sql, args, rows);
}

static void column_text(const struct pg_result *rows, int row, int column, char *out, size_t cap)
{
    struct bytes text = pg_is_null(rows, row, column) ? bytes_of(NULL, 0) : pg_bytes(rows, row, column);
    (void)text_copy_n(out, cap, (const char *)text.data, text.len);
}

static void size_add(struct claims *claims, int64_t size)
{
    for (int i = 0; i < claims->sizes_n; i++)
        if (claims->sizes[i] == size)
            return;
    if (claims->sizes_n == SIZES_MAX)
        return;
    claims->sizes[claims->sizes_n++] = size;
    claims->largest = size > claims->largest ? size : claims->largest;
}

static void claim_judge(const struct pg_result *rows, int row, const struct principal *granted, struct claims *claims)
{
    char region[32], site[72];
    bool erased = pg_bool(rows, row, CLAIM_ERASED);
    column_text(rows, row, CLAIM_REGION, region, sizeof(region));
    column_text(rows, row, CLAIM_SITE, site, sizeof(site));
    claims->any = true;
    claims->unsaid = claims->unsaid || (!erased && pg_int(rows, row, CLAIM_STORED) == 0);
    if (!rights_place(granted, region, site))
        return;
    claims->seen = true;
    if (erased)
        return;
    if (!claims->live)
        column_text(rows, row, CLAIM_TICKET, claims->ticket, sizeof(claims->ticket));
    claims->live = true;
    size_add(claims, pg_int(rows, row, CLAIM_BYTES));
}

/* False: refused. */
static bool claims_allow(const struct claims *claims, struct slip *slip)
{
    if (!claims->any)
        slip_refuse(slip, "unknown", "no file.attached has named it");
    else if (!claims->seen)
        slip_refuse(slip, "denied", "it belongs to a ticket elsewhere");
    else if (!claims->live)
        slip_refuse(slip, "erased", "the customer's personal data were erased");
    return claims->live;
}

/* all: of every ticket; otherwise one that gives the right is enough. */
static enum status claims_of(struct pg *pg, struct pg_args *args, struct slip *slip, bool all, struct claims *claims)
{
    char after[FILE_KEY_CAP] = "";
    int n = CLAIMS_PAGE;
    *claims = (struct claims){.any = false};
    for (int page = 0; page < CLAIMS_PAGES_MAX && n == CLAIMS_PAGE && (all || !claims->live); page++) {
        struct pg_result *rows = NULL;
        enum status status = claims_read(pg, args, CLAIMS_SQL(""), slip->sha256, after, &rows);
        n = status == STATUS_OK ? pg_rows(rows) : 0;
        for (int row = 0; row < n; row++)
            claim_judge(rows, row, &slip->granted, claims);
        if (n > 0)
            column_text(rows, n - 1, CLAIM_FILE, after, sizeof(after));
        pg_result_destroy(&rows);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static bool is_size(const struct claims *claims, int64_t size)
{
    for (int i = 0; i < claims->sizes_n; i++)
        if (claims->sizes[i] == size)
            return true;
    return false;
}

/* --- statements about one content ------------------------------------------------------------------ */

struct putting {
    struct pg *pg;
    struct pg_args *args;
    struct slip *slip;
    struct claims claims;
};

static void args_own(struct putting *p)
{
    pg_args_reset(p->args);
    pg_arg_bytea(p->args, bytes_of(p->slip->sha256, 32));
    pg_arg_text(p->args, p->slip->who);
}

static enum status own(struct putting *p, const char *sql, struct pg_result **rows)
{
    args_own(p);
    return pg_query(p->pg, sql, p->args, rows);
}

/* How far it is: whole by whoever, or what this sender has brought. */
static enum status how_far(struct putting *p)
{
    struct pg_result *rows = NULL;
    enum status status = own(p, "SELECT upto, whole FROM file_bytes WHERE sha256 = $1::bytea AND (whole OR owner = $2::text)"
                                " ORDER BY whole DESC LIMIT 1", &rows);
    if (status == STATUS_OK && pg_rows(rows) > 0) {
        p->slip->upto = pg_int(rows, 0, 0);
        p->slip->whole = pg_bool(rows, 0, 1);
    }
    pg_result_destroy(&rows);
    return status;
}

static enum status within_quota(struct putting *p, bool *within)
{
    struct pg_result *rows = NULL;
    pg_args_reset(p->args);
    pg_arg_text(p->args, p->slip->who);
    enum status status = pg_query(p->pg, "SELECT coalesce(sum(upto), 0)::int8 FROM file_bytes WHERE owner = $1::text AND NOT whole", p->args, &rows);
    if (status == STATUS_OK)
        *within = pg_int(rows, 0, 0) + (int64_t)p->slip->bytes.len <= UNFINISHED_BYTES_MAX;
    pg_result_destroy(&rows);
    return status;
}

static enum status part_add(struct putting *p)
{
    args_own(p);
    pg_arg_int(p->args, p->slip->upto);
    pg_arg_bytea(p->args, p->slip->bytes);
    enum status status = pg_query(p->pg, "INSERT INTO file_part (sha256, owner, at, data) VALUES ($1::bytea, $2::text, $3::int8, $4::bytea)",
                                  p->args, NULL);
    if (status != STATUS_OK)
        return status;
    args_own(p);
    pg_arg_int(p->args, p->slip->upto + (int64_t)p->slip->bytes.len);
    status = pg_query(p->pg, "INSERT INTO file_bytes (sha256, owner, upto) VALUES ($1::bytea, $2::text, $3::int8)"
                             " ON CONFLICT (sha256, owner) DO UPDATE SET upto = excluded.upto, touched = now()", p->args, NULL);
    if (status == STATUS_OK)
        p->slip->upto += (int64_t)p->slip->bytes.len;
    return status;
}

/* Piece by piece, as PostgreSQL has them: what is true is what is kept. */
static enum status digest_is_true(struct putting *p, bool *is_true)
{
    struct digest *digest = digest_new();
    uint8_t found[DIGEST_BYTES];
    enum status status = STATUS_OK;
    for (int64_t at = 0; at < p->slip->upto && status == STATUS_OK;) {
        struct pg_result *rows = NULL;
        args_own(p);
        pg_arg_int(p->args, at);
        status = pg_query(p->pg, "SELECT data FROM file_part WHERE sha256 = $1::bytea AND owner = $2::text AND at = $3::int8", p->args, &rows);
        struct bytes piece = status == STATUS_OK && pg_rows(rows) > 0 ? pg_bytes(rows, 0, 0) : bytes_of(NULL, 0);
        digest_add(digest, piece);
        at = piece.len > 0 ? at + (int64_t)piece.len : INT64_MAX; /* a hole: another digest */
        pg_result_destroy(&rows);
    }
    digest_end(&digest, found);
    *is_true = memcmp(found, p->slip->sha256, DIGEST_BYTES) == 0;
    return status;
}

/* What others had begun of it is not needed any more. */
static enum status make_whole(struct putting *p)
{
    enum status status = own(p, "INSERT INTO file_bytes (sha256, owner, upto, whole, announce) VALUES ($1::bytea, $2::text, 0, true, true)"
                                " ON CONFLICT (sha256, owner) DO UPDATE SET whole = true, announce = true, touched = now()", NULL);
    if (status == STATUS_OK)
        status = own(p, "DELETE FROM file_part WHERE sha256 = $1::bytea AND owner <> $2::text", NULL);
    if (status == STATUS_OK)
        status = own(p, "DELETE FROM file_bytes WHERE sha256 = $1::bytea AND owner <> $2::text", NULL);
    p->slip->whole = status == STATUS_OK;
    return status;
}

static enum status throw_away(struct putting *p)
{
    enum status status = own(p, "DELETE FROM file_part WHERE sha256 = $1::bytea AND owner = $2::text", NULL);
    if (status == STATUS_OK)
        status = own(p, "DELETE FROM file_bytes WHERE sha256 = $1::bytea AND owner = $2::text", NULL);
    p->slip->upto = 0;
    slip_refuse(p->slip, "sha256", "its bytes have another digest: all of it was thrown away");
    return status;
}

/* --- PUT ------------------------------------------------------------------------------------------- */

/* False: refused. */
static bool piece_fits(const struct putting *p)
{
    struct slip *slip = p->slip;
    int64_t n = (int64_t)slip->bytes.len;
    bool last = is_size(&p->claims, slip->upto + n);
    if (slip->upto + n > p->claims.largest)
        slip_refuse(slip, "too-large", "more than file.attached says");
    else if (n < PART_BYTES_LEAST && !last)
        slip_refuse(slip, "too-small", "a piece has 4 KiB at least, but for the last one");
    else
        return true;
    return false;
}

static enum status piece_take(struct putting *p)
{
    bool within = false;
    enum status status = within_quota(p, &within);
    if (status == STATUS_OK && !within)
        slip_refuse(p->slip, "quota", "too much of this principal's was begun and not finished");
    return status == STATUS_OK && within ? part_add(p) : status;
}

/* Where a piece belongs elsewhere the answer says how far it is, and no more: one that came twice, or before another. */
static enum status pieces(struct putting *p)
{
    struct slip *slip = p->slip;
    bool is_true = false;
    enum status status = STATUS_OK;
    if (slip->bytes.len > 0 && (slip->offset != slip->upto || !piece_fits(p)))
        return STATUS_OK;
    if (slip->bytes.len > 0)
        status = piece_take(p);
    if (status != STATUS_OK || slip->code[0] != '\0' || !is_size(&p->claims, slip->upto) || (slip->upto > 0 && slip->bytes.len == 0))
        return status;
    status = digest_is_true(p, &is_true);
    if (status == STATUS_OK && is_true)
        return make_whole(p);
    /* One ticket may tell another length than the next. */
    return status == STATUS_OK && slip->upto == p->claims.largest ? throw_away(p) : status;
}

static enum status put(struct putting *p, bool *announce)
{
    enum status status = claims_of(p->pg, p->args, p->slip, true, &p->claims);
    if (status != STATUS_OK || !claims_allow(&p->claims, p->slip))
        return status;
    status = how_far(p);
    if (status == STATUS_OK && !p->slip->whole)
        status = pieces(p);
    if (status != STATUS_OK || !p->slip->whole || !p->claims.unsaid)
        return status;
    *announce = true;
    pg_args_reset(p->args);
    pg_arg_bytea(p->args, bytes_of(p->slip->sha256, 32));
    return pg_query(p->pg, "UPDATE file_bytes SET announce = true WHERE sha256 = $1::bytea AND whole", p->args, NULL);
}

/* An erasure takes the lock that this one holds meanwhile: what it does not see is not there yet, and will not be. */
enum status shelf_put(struct pg *pg, struct pg_args *args, struct slip *slip, bool *announce)
{
    struct putting p = {.pg = pg, .args = args, .slip = slip};
    *announce = false;
    enum status status = pg_run(pg, "BEGIN; LOCK TABLE file_bytes IN ROW EXCLUSIVE MODE");
    if (status == STATUS_OK)
        status = put(&p, announce);
    if (status == STATUS_OK)
        return pg_run(pg, "COMMIT");
    return status;
}

/* --- GET ------------------------------------------------------------------------------------------- */

static enum status part_read(struct pg *pg, struct pg_args *args, struct slip *slip, struct bytes owner)
{
    struct pg_result *rows = NULL;
    char who[72];
    (void)text_copy_n(who, sizeof(who), (const char *)owner.data, owner.len);
    pg_args_reset(args);
    pg_arg_bytea(args, bytes_of(slip->sha256, 32));
    pg_arg_text(args, who);
    pg_arg_int(args, slip->offset);
    pg_arg_int(args, PART_BYTES_MAX);
    enum status status = pg_query(pg, "SELECT substr(string_agg(data, ''::bytea ORDER BY at), ($3::int8 - min(at) + 1)::int4, $4::int8::int4)"
                                      " FROM file_part WHERE sha256 = $1::bytea AND owner = $2::text"
                                      " AND at > $3::int8 - $4::int8 AND at < $3::int8 + $4::int8", args, &rows);
    if (status == STATUS_OK && !pg_is_null(rows, 0, 0))
        slip_bytes(slip, pg_bytes(rows, 0, 0));
    pg_result_destroy(&rows);
    return status;
}

enum status shelf_get(struct pg *pg, struct pg_args *args, struct slip *slip)
{
    struct pg_result *rows = NULL;
    struct claims claims;
    enum status status = claims_of(pg, args, slip, false, &claims);
    if (status != STATUS_OK || !claims_allow(&claims, slip))
        return status;
    text_copy(slip->ticket, sizeof(slip->ticket), claims.ticket);
    pg_args_reset(args);
    pg_arg_bytea(args, bytes_of(slip->sha256, 32));
    status = pg_query(pg, "SELECT upto, owner FROM file_bytes WHERE sha256 = $1::bytea AND whole", args, &rows);
    if (status == STATUS_OK && pg_rows(rows) == 0) {
        slip_refuse(slip, "awaited", "its bytes have not come in whole");
    } else if (status == STATUS_OK) {
        slip->size = pg_int(rows, 0, 0);
        if (slip->offset < slip->size)
            status = part_read(pg, args, slip, pg_bytes(rows, 0, 1));
    }
    pg_result_destroy(&rows);
    return status;
}

/* --- what is announced, and forgotten -------------------------------------------------------------- */

/* Each ticket of one content; said: how many are still awaited. */
static enum status content_announce(struct pg *pg, struct pg_args *args, struct bytes sha256, int64_t bytes, shelf_say *say, void *owner,
                                    int *awaited)
{
    struct pg_result *rows = NULL;
    enum status status = claims_read(pg, args, CLAIMS_SQL(" AND f.stored = 0 AND NOT " ERASED_SQL), sha256.data, "", &rows);
    *awaited = 0;
    for (int row = 0; status == STATUS_OK && row < pg_rows(rows); row++) {
        char ticket[72];
        column_text(rows, row, CLAIM_TICKET, ticket, sizeof(ticket));
        ++*awaited;
        if (!say(owner, ticket, sha256, bytes))
            break;
    }
    pg_result_destroy(&rows);
    return status;
}

enum status shelf_announce(struct pg *pg, struct pg_args *args, shelf_say *say, void *owner, bool *more)
{
    struct pg_result *due = NULL;
    *more = false;
    pg_args_reset(args);
    pg_arg_int(args, ANNOUNCED_AT_ONCE);
    enum status status = pg_query(pg, "SELECT sha256, upto FROM file_bytes WHERE announce LIMIT $1::int8", args, &due);
    for (int row = 0; status == STATUS_OK && row < pg_rows(due); row++) {
        int awaited = 0;
        *more = true;
        status = content_announce(pg, args, pg_bytes(due, row, 0), pg_int(due, row, 1), say, owner, &awaited);
        if (status != STATUS_OK || awaited > 0)
            continue;
        pg_args_reset(args);
        pg_arg_bytea(args, pg_bytes(due, row, 0));
        status = pg_query(pg, "UPDATE file_bytes SET announce = false WHERE sha256 = $1::bytea", args, NULL);
    }
    pg_result_destroy(&due);
    return status;
}

enum status shelf_forget(struct pg *pg, struct pg_args *args, int64_t days, int64_t *forgotten)
{
    struct pg_result *rows = NULL;
    pg_args_reset(args);
    pg_arg_int(args, days);
    enum status status = pg_query(pg, "WITH gone AS (DELETE FROM file_bytes WHERE NOT whole AND touched < now() - $1::int8 * interval '1 day'"
                                      " RETURNING sha256, owner), parts AS (DELETE FROM file_part p USING gone g"
                                      " WHERE p.sha256 = g.sha256 AND p.owner = g.owner RETURNING 1)"
                                      " SELECT count(*), (SELECT count(*) FROM parts) FROM gone", args, &rows);
    *forgotten = status == STATUS_OK ? pg_int(rows, 0, 0) : 0;
    pg_result_destroy(&rows);
    return status;
}
