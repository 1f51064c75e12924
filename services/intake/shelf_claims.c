#include "shelf_claims.h"
#include "base/text.h"
#include "event/event.h"
#include "proto/catalogue.h"
#include "rights.h"

#define PAGE 256
#define PAGES_MAX 64 /* a leaflet may belong to many tickets */

#define OF_CONTENT " FROM file f JOIN ticket t ON t.\"number\" = f.ticket"
#define OF_KEYS " WHERE f.file > $1::text AND f.file < $2::text"
#define ONE_PAGE " ORDER BY f.file LIMIT 256"
enum { COLUMN_FILE, COLUMN_TICKET, COLUMN_REGION, COLUMN_SITE, COLUMN_ERASED, COLUMN_HAS, COLUMN_BODY = COLUMN_HAS };

#define REACH_SQL "SELECT f.file, f.ticket, t.region, t.site, " ERASED_SINCE("f.pos") ", " HAS_FILE " OR " HAS_FILE_SOON OF_CONTENT
static const char reach_sql[] = REACH_SQL OF_KEYS ONE_PAGE, one_sql[] = REACH_SQL " WHERE f.file = $1::text";
/* The newest naming of this principal, and what it says. */
#define NAMINGS_SQL(which)                                                                                                        \
    "SELECT f.file, f.ticket, t.region, t.site, " ERASED_SINCE("n.pos") ", n.body" OF_CONTENT                                      \
    " CROSS JOIN LATERAL (SELECT n.pos, n.body FROM journal n WHERE " NAMES_FILE " AND " NAMED_BY " = $3::text"                   \
    " ORDER BY n.pos DESC LIMIT 1) n" OF_KEYS " AND f.stored " which " f.pos" ONE_PAGE
static const char awaited_sql[] = NAMINGS_SQL("<"), stored_sql[] = NAMINGS_SQL(">");
static const char named_sql[] = "SELECT f.file FROM file f" OF_KEYS " LIMIT 1";

static void column_text(const struct pg_result *rows, int row, int column, char *out, size_t cap)
{
    struct bytes text = pg_is_null(rows, row, column) ? bytes_of(NULL, 0) : pg_bytes(rows, row, column);
    (void)text_copy_n(out, cap, (const char *)text.data, text.len);
}

/* The tickets of one content stand together, by the archive's key. after: the key of the page before; "" the first page. who NULL: of everybody. */
static enum status page_read(struct pg *pg, struct pg_args *args, const char *sql, const uint8_t sha256[32], const char *after,
                             const char *who, struct pg_result **rows)
{
    char hex[65], from[66], to[66];
    hex_print(sha256, 32, hex);
    text_format(from, sizeof(from), "%s/", hex);
    text_format(to, sizeof(to), "%s0", hex); /* what follows "/" */
    pg_args_reset(args);
    pg_arg_text(args, after[0] != '\0' ? after : from);
    pg_arg_text(args, to);
    if (who != NULL)
        pg_arg_text(args, who);
    return pg_query(pg, sql, args, rows);
}

static bool in_reach(const struct pg_result *rows, int row, const struct slip *slip)
{
    char region[32], site[72];
    column_text(rows, row, COLUMN_REGION, region, sizeof(region));
    column_text(rows, row, COLUMN_SITE, site, sizeof(site));
    return rights_place(&slip->granted, region, site);
}

/* True: that is enough. */
typedef bool page_row(void *owner, const struct pg_result *, int row);

static enum status pages(struct pg *pg, struct pg_args *args, const char *sql, const uint8_t sha256[32], const char *who, page_row *take,
                         void *owner)
{
    char after[FILE_KEY_CAP] = "";
    bool enough = false;
    int n = PAGE;
    for (int page = 0; page < PAGES_MAX && n == PAGE && !enough; page++) {
        owned(pg_result_destroy) struct pg_result *rows = NULL;
        enum status status = page_read(pg, args, sql, sha256, after, who, &rows);
        if (status != STATUS_OK)
            return status;
        n = pg_rows(rows);
        for (int row = 0; row < n && !enough; row++)
            enough = take(owner, rows, row);
        if (n > 0)
            column_text(rows, n - 1, COLUMN_FILE, after, sizeof(after));
    }
    return STATUS_OK;
}

/* --- GET ------------------------------------------------------------------------------------------- */

struct reaching {
    const struct slip *slip;
    struct reach *reach;
};

static bool reach_row(void *owner, const struct pg_result *rows, int row)
{
    const struct reaching *reaching = owner;
    struct reach *reach = reaching->reach;
    reach->any = true;
    if (!in_reach(rows, row, reaching->slip))
        return false;
    reach->seen = true;
    if (pg_bool(rows, row, COLUMN_ERASED))
        return false;
    reach->live = true;
    reach->has = pg_bool(rows, row, COLUMN_HAS);
    if (reach->has)
        column_text(rows, row, COLUMN_TICKET, reach->ticket, sizeof(reach->ticket));
    return reach->has;
}

/* By the ticket that the piece before was given by: of a leaflet's thousands not all have to be looked at again. */
static enum status one_read(struct pg *pg, struct pg_args *args, struct reaching *reaching)
{
    owned(pg_result_destroy) struct pg_result *rows = NULL;
    char key[FILE_KEY_CAP];
    file_key(reaching->slip->sha256, reaching->slip->ticket, key);
    pg_args_reset(args);
    pg_arg_text(args, key);
    enum status status = pg_query(pg, one_sql, args, &rows);
    if (status == STATUS_OK && pg_rows(rows) > 0)
        (void)reach_row(reaching, rows, 0);
    return status;
}

enum status reach_read(struct pg *pg, struct pg_args *args, const struct slip *slip, struct reach *reach)
{
    struct reaching reaching = {slip, reach};
    *reach = (struct reach){.any = false};
    enum status status = slip->ticket[0] != '\0' ? one_read(pg, args, &reaching) : STATUS_OK;
    if (status != STATUS_OK || reach->has)
        return status;
    *reach = (struct reach){.any = false};
    return pages(pg, args, reach_sql, slip->sha256, NULL, reach_row, &reaching);
}

/* --- PUT ------------------------------------------------------------------------------------------- */

struct naming {
    const struct slip *slip;
    struct namings *namings;
    bool one; /* of the live ones is enough */
};

static void size_add(struct namings *namings, int64_t size)
{
    for (int i = 0; i < namings->sizes_n; i++)
        if (namings->sizes[i] == size)
            return;
    if (namings->sizes_n == SIZES_MAX)
        return;
    namings->sizes[namings->sizes_n++] = size;
    namings->largest = size > namings->largest ? size : namings->largest;
}

/* The length is what this principal has said, whatever others say of the same ticket. */
static bool naming_row(void *owner, const struct pg_result *rows, int row)
{
    const struct naming *naming = owner;
    struct namings *namings = naming->namings;
    struct event event;
    struct file_attached said;
    struct problem problem;
    namings->any = true;
    if (!in_reach(rows, row, naming->slip))
        return false;
    namings->seen = true;
    if (pg_bool(rows, row, COLUMN_ERASED) || !event_decode(pg_bytes(rows, row, COLUMN_BODY), bytes_of(NULL, 0), &event, &problem) ||
        !record_decode(&file_attached_record, RECORD_PLAIN, DECODE_LENIENT, event.data, NULL, &said, &problem))
        return false;
    namings->live = true;
    size_add(namings, said.bytes);
    return naming->one;
}

enum status namings_read(struct pg *pg, struct pg_args *args, const struct slip *slip, struct namings *namings)
{
    struct naming naming = {.slip = slip, .namings = namings};
    *namings = (struct namings){.any = false};
    enum status status = pages(pg, args, awaited_sql, slip->sha256, slip->who, naming_row, &naming);
    namings->awaited = namings->live;
    if (status != STATUS_OK || namings->live)
        return status;
    naming.one = true;
    return pages(pg, args, stored_sql, slip->sha256, slip->who, naming_row, &naming);
}

enum status content_is_named(struct pg *pg, struct pg_args *args, const uint8_t sha256[32], bool *named)
{
    owned(pg_result_destroy) struct pg_result *rows = NULL;
    enum status status = page_read(pg, args, named_sql, sha256, "", NULL, &rows);
    *named = status == STATUS_OK && pg_rows(rows) > 0;
    return status;
}

/* --- what is announced ----------------------------------------------------------------------------- */

struct telling {
    naming_tell *tell;
    void *owner;
};

static bool telling_row(void *owner, const struct pg_result *rows, int row)
{
    const struct telling *telling = owner;
    char ticket[72];
    column_text(rows, row, COLUMN_TICKET, ticket, sizeof(ticket));
    return !pg_bool(rows, row, COLUMN_ERASED) && !telling->tell(telling->owner, ticket);
}

enum status namings_awaited(struct pg *pg, struct pg_args *args, const uint8_t sha256[32], const char *who, naming_tell *tell, void *owner)
{
    struct telling telling = {tell, owner};
    return pages(pg, args, awaited_sql, sha256, who, telling_row, &telling);
}
