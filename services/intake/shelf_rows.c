#include "base/digest.h"
#include "base/text.h"
#include "shelf_claims.h"
#include "shelf_inside.h"
#include <string.h>

#define ANNOUNCED_AT_ONCE 64
#define TODAY "(now() AT TIME ZONE 'UTC')::date"

/* --- one content, one principal -------------------------------------------------------------------- */

struct putting {
    struct pg *pg;
    struct pg_args *args;
    struct slip *slip;
    const struct shelf_limits *limits;
    struct namings namings;
    bool there;        /* all of it is kept, by whoever: so long it is */
    int64_t size;
    bool has;          /* this principal is known to have it */
    bool announce;     /* file.stored is to be said of some ticket */
};

/* False: refused. */
static bool namings_allow(const struct namings *namings, bool named, struct slip *slip)
{
    if (!named)
        slip_refuse(slip, "unknown", "no file.attached has named it");
    else if (!namings->any)
        slip_refuse(slip, "denied", "who puts it has named it before, for a ticket");
    else if (!namings->seen)
        slip_refuse(slip, "denied", "it belongs to a ticket elsewhere");
    else if (!namings->live)
        slip_refuse(slip, "erased", "the customer's personal data were erased");
    return namings->live;
}

static bool is_size(const struct namings *namings, int64_t size)
{
    for (int i = 0; i < namings->sizes_n; i++)
        if (namings->sizes[i] == size)
            return true;
    return false;
}

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

/* What is kept of it, and what this principal has brought. */
static enum status how_far(struct putting *p)
{
    owned(pg_result_destroy) struct pg_result *rows = NULL;
    enum status status = own(p, "SELECT upto, whole, keeps, owner = $2::text FROM file_bytes WHERE sha256 = $1::bytea AND (keeps OR owner = $2::text)", &rows);
    for (int row = 0; status == STATUS_OK && row < pg_rows(rows); row++) {
        int64_t upto = pg_int(rows, row, 0);
        bool whole = pg_bool(rows, row, 1), keeps = pg_bool(rows, row, 2), its = pg_bool(rows, row, 3);
        p->there = p->there || keeps;
        p->size = keeps ? upto : p->size;
        p->has = p->has || (its && whole);
        p->slip->upto = its && !whole ? upto : p->slip->upto;
    }
    return status;
}

static enum status within_limits(struct putting *p, bool *within)
{
    owned(pg_result_destroy) struct pg_result *rows = NULL;
    int64_t n = (int64_t)p->slip->bytes.len;
    pg_args_reset(p->args);
    pg_arg_text(p->args, p->slip->who);
    enum status status = pg_query(p->pg, "SELECT (SELECT coalesce(sum(upto), 0)::int8 FROM file_bytes WHERE owner = $1::text AND NOT whole),"
                                         " coalesce((SELECT bytes FROM file_day WHERE owner = $1::text AND day = " TODAY "), 0)", p->args, &rows);
    if (status != STATUS_OK)
        return status;
    *within = false;
    if (pg_int(rows, 0, 0) + n > p->limits->unfinished_bytes)
        slip_refuse(p->slip, "quota", "too much of this principal's was begun and not finished");
    else if (pg_int(rows, 0, 1) + n > p->limits->day_bytes)
        slip_refuse(p->slip, "measure", "so much of one principal's is taken in a day, and no more: tomorrow");
    else
        *within = true;
    return STATUS_OK;
}

/* The measure of a day counts what is taken, whatever becomes of it. */
static const char part_sql[] =
    "WITH part AS (INSERT INTO file_part (sha256, owner, at, data) VALUES ($1::bytea, $2::text, $3::int8, $4::bytea))"
    ", day AS (INSERT INTO file_day (owner, day, bytes) VALUES ($2::text, " TODAY ", length($4::bytea)) ON CONFLICT (owner) DO UPDATE SET"
    " bytes = CASE WHEN file_day.day = excluded.day THEN file_day.bytes ELSE 0 END + excluded.bytes, day = excluded.day)"
    " INSERT INTO file_bytes (sha256, owner, upto) VALUES ($1::bytea, $2::text, $3::int8 + length($4::bytea))"
    " ON CONFLICT (sha256, owner) DO UPDATE SET upto = excluded.upto, whole = false, touched = now()";

static enum status part_add(struct putting *p)
{
    args_own(p);
    pg_arg_int(p->args, p->slip->upto);
    pg_arg_bytea(p->args, p->slip->bytes);
    enum status status = pg_query(p->pg, part_sql, p->args, NULL);
    if (status == STATUS_OK)
        p->slip->upto += (int64_t)p->slip->bytes.len;
    return status;
}

/* As PostgreSQL has it: what is true is what is kept. */
static enum status digest_is_true(struct putting *p, bool *is_true)
{
    struct content content = {.upto = p->slip->upto};
    uint8_t found[DIGEST_BYTES];
    int64_t bytes;
    memcpy(content.sha256, p->slip->sha256, DIGEST_BYTES);
    text_copy(content.owner, sizeof(content.owner), p->slip->who);
    enum status status = content_digest(p->pg, p->args, &content, NULL, NULL, found, &bytes);
    *is_true = bytes == content.upto && memcmp(found, content.sha256, DIGEST_BYTES) == 0;
    return status;
}

/* This principal is known to have it: he has brought all of it, or may read it. Kept are the bytes of whoever was the first; what others bring
 * shows that they have them, and goes. */
static enum status vouch(struct putting *p, int64_t size)
{
    args_own(p);
    pg_arg_int(p->args, size);
    enum status status = pg_query(p->pg, "INSERT INTO file_bytes (sha256, owner, upto, whole, keeps, announce) VALUES ($1::bytea, $2::text, $3::int8,"
                                         " true, NOT EXISTS (SELECT FROM file_bytes k WHERE k.sha256 = $1::bytea AND k.keeps), true)"
                                         " ON CONFLICT (sha256, owner) DO UPDATE SET upto = excluded.upto, whole = true, announce = true,"
                                         " keeps = file_bytes.keeps OR excluded.keeps, touched = now()", p->args, NULL);
    if (status == STATUS_OK)
        status = own(p, "DELETE FROM file_part p WHERE p.sha256 = $1::bytea AND p.owner = $2::text AND EXISTS"
                        " (SELECT FROM file_bytes k WHERE k.sha256 = $1::bytea AND k.keeps AND k.owner <> $2::text)", NULL);
    if (status == STATUS_OK) {
        p->slip->upto = size;
        p->slip->whole = p->announce = true;
    }
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
    bool last = is_size(&p->namings, slip->upto + n);
    if (slip->upto + n > p->namings.largest)
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
    enum status status = within_limits(p, &within);
    return status == STATUS_OK && within ? part_add(p) : status;
}

/* Where a piece belongs elsewhere the answer says how far it is, and no more: one that came twice, or before another. All of it may have
 * come before somebody said rightly how long it is: then the question finds it whole. */
static enum status pieces(struct putting *p)
{
    struct slip *slip = p->slip;
    bool is_true = false;
    enum status status = STATUS_OK;
    if (slip->bytes.len > 0 && (slip->offset != slip->upto || !piece_fits(p)))
        return STATUS_OK;
    if (slip->bytes.len > 0)
        status = piece_take(p);
    if (status != STATUS_OK || slip->code[0] != '\0' || !is_size(&p->namings, slip->upto))
        return status;
    status = digest_is_true(p, &is_true);
    if (status == STATUS_OK && is_true)
        return vouch(p, slip->upto);
    /* One ticket may tell another length than the next. */
    return status == STATUS_OK && slip->upto == p->namings.largest ? throw_away(p) : status;
}

/* Who might read it would only bring what he can have from here. */
static enum status may_read(struct putting *p)
{
    struct reach reach = {.any = false};
    if (p->has || !p->there || !p->slip->granted.personal)
        return STATUS_OK;
    enum status status = reach_read(p->pg, p->args, p->slip, &reach);
    p->has = status == STATUS_OK && reach.has;
    return status;
}

static enum status put(struct putting *p)
{
    struct namings *namings = &p->namings;
    bool named = true;
    enum status status = namings_read(p->pg, p->args, p->slip, namings);
    if (status == STATUS_OK && !namings->any)
        status = content_is_named(p->pg, p->args, p->slip->sha256, &named);
    if (status != STATUS_OK || !namings_allow(namings, named, p->slip))
        return status;
    status = how_far(p);
    if (status == STATUS_OK && p->there && !namings->awaited) {
        p->slip->upto = p->size; /* each ticket that he has named it for has it */
        p->slip->whole = true;
        return STATUS_OK;
    }
    if (status == STATUS_OK)
        status = may_read(p);
    if (status != STATUS_OK)
        return status;
    return p->has && p->there ? vouch(p, p->size) : pieces(p);
}

/* An erasure takes the lock that this one holds meanwhile: what it does not see is not there yet, and will not be. Until a file is whole its sender
 * has the bytes, so facts need not wait until they are on the disk: what a database that dies has lost by that, the next HAVE says. */
enum status shelf_put(struct pg *pg, struct pg_args *args, const struct shelf_limits *limits, struct slip *slip, bool *announce)
{
    struct putting p = {.pg = pg, .args = args, .slip = slip, .limits = limits};
    *announce = false;
    enum status status = pg_run(pg, "BEGIN; LOCK TABLE file_bytes IN ROW EXCLUSIVE MODE");
    if (status == STATUS_OK)
        status = put(&p);
    if (status == STATUS_OK)
        status = pg_run(pg, p.announce ? "COMMIT" : "SET LOCAL synchronous_commit = off; COMMIT");
    *announce = status == STATUS_OK && p.announce;
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
    pg_arg_int(args, slip->most);
    pg_arg_int(args, PART_BYTES_MAX); /* of what was put at once */
    enum status status = pg_query(pg, "SELECT substr(string_agg(data, ''::bytea ORDER BY at), ($3::int8 - min(at) + 1)::int4, $4::int8::int4)"
                                      " FROM file_part WHERE sha256 = $1::bytea AND owner = $2::text"
                                      " AND at > $3::int8 - $5::int8 AND at < $3::int8 + $4::int8", args, &rows);
    if (status == STATUS_OK && !pg_is_null(rows, 0, 0))
        slip_bytes(slip, pg_bytes(rows, 0, 0));
    pg_result_destroy(&rows);
    return status;
}

/* False: refused. */
static bool reach_allows(const struct reach *reach, struct slip *slip)
{
    if (!reach->any)
        slip_refuse(slip, "unknown", "no file.attached has named it");
    else if (!reach->seen)
        slip_refuse(slip, "denied", "it belongs to a ticket elsewhere");
    else if (!reach->live)
        slip_refuse(slip, "erased", "the customer's personal data were erased");
    else if (!reach->has)
        slip_refuse(slip, "awaited", "who has named it for this ticket has not brought it");
    return reach->has;
}

enum status shelf_get(struct pg *pg, struct pg_args *args, struct slip *slip)
{
    struct pg_result *rows = NULL;
    struct reach reach;
    enum status status = reach_read(pg, args, slip, &reach);
    if (status != STATUS_OK || !reach_allows(&reach, slip))
        return status;
    text_copy(slip->ticket, sizeof(slip->ticket), reach.ticket);
    pg_args_reset(args);
    pg_arg_bytea(args, bytes_of(slip->sha256, 32));
    status = pg_query(pg, "SELECT upto, owner FROM file_bytes WHERE sha256 = $1::bytea AND keeps", args, &rows);
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

struct announcing {
    shelf_say *say;
    void *owner;
    struct bytes sha256;
    int64_t bytes;
    int awaited; /* tickets */
};

static bool ticket_announce(void *owner, const char *ticket)
{
    struct announcing *a = owner;
    a->awaited++;
    return a->say(a->owner, ticket, a->sha256, a->bytes);
}

/* Of one content, what one principal is known to have. */
static enum status content_announce(struct pg *pg, struct pg_args *args, const char *who, struct announcing *a)
{
    a->awaited = 0;
    enum status status = namings_awaited(pg, args, a->sha256.data, who, ticket_announce, a);
    if (status != STATUS_OK || a->awaited > 0)
        return status;
    pg_args_reset(args);
    pg_arg_bytea(args, a->sha256);
    pg_arg_text(args, who);
    return pg_query(pg, "UPDATE file_bytes SET announce = false WHERE sha256 = $1::bytea AND owner = $2::text", args, NULL);
}

enum status shelf_announce(struct pg *pg, struct pg_args *args, shelf_say *say, void *owner, bool *more)
{
    owned(pg_result_destroy) struct pg_result *due = NULL;
    *more = false;
    pg_args_reset(args);
    pg_arg_int(args, ANNOUNCED_AT_ONCE);
    enum status status = pg_query(pg, "SELECT sha256, upto, owner FROM file_bytes WHERE announce LIMIT $1::int8", args, &due);
    for (int row = 0; status == STATUS_OK && row < pg_rows(due); row++) {
        struct announcing a = {say, owner, pg_bytes(due, row, 0), pg_int(due, row, 1), 0};
        struct bytes who = pg_bytes(due, row, 2);
        char name[72];
        (void)text_copy_n(name, sizeof(name), (const char *)who.data, who.len);
        *more = true;
        status = content_announce(pg, args, name, &a);
    }
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
