/* The archive against the journal, beside the intake that serves: in one snapshot, without the lease, in tables of this process alone
 * that are dropped again. */
#include "base/text.h"
#include "refold_inside.h"
#include "table/compare.h"
#include "table/mirror.h"
#include <string.h>

struct comparing {
    const char *table;
    archive_differs *differs;
    void *owner;
};

/* Named by the backend that makes them, so that neither a rebuild nor another verify meets them. */
struct own_tables {
    struct table_def defs[ARCHIVE_TABLES_N];
    const struct table_def *list[ARCHIVE_TABLES_N];
    char names[ARCHIVE_TABLES_N][64];
};

static void own_tables_name(struct own_tables *own, int64_t pid)
{
    for (size_t i = 0; i < ARCHIVE_TABLES_N; i++) {
        own->defs[i] = *archive_tables[i];
        own->list[i] = &own->defs[i];
        text_format(own->names[i], sizeof(own->names[i]), "verify%lld_%s", (long long)pid, archive_tables[i]->name);
        own->defs[i].name = own->names[i];
    }
}

/* What a process left behind that did not come to its end. */
static const char drop_left_sql[] =
    "DO $$ DECLARE t text; BEGIN FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = '" FRESH_SCHEMA "'"
    " AND tablename ~ '^verify[0-9]+_' AND substring(tablename from '[0-9]+')::int8 NOT IN"
    " (SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()) LOOP"
    " EXECUTE format('DROP TABLE %I.%I', '" FRESH_SCHEMA "', t); END LOOP; END $$";

static bool fresh_make(struct refold *refold, struct own_tables *own)
{
    owned(pg_result_destroy) struct pg_result *result = NULL;
    enum status status = pg_query(refold->fresh, "SELECT pg_backend_pid()::int8", NULL, &result);
    if (status == STATUS_OK) {
        own_tables_name(own, pg_int(result, 0, 0));
        status = pg_run(refold->fresh, drop_left_sql);
    }
    if (status == STATUS_OK)
        status = mirror_make(refold->fresh, FRESH_SCHEMA, own->list, ARCHIVE_TABLES_N);
    return status == STATUS_OK || refold_failed(refold, refold->fresh, "tables cannot be made beside the archive");
}

/* Where the journal ends in this snapshot: the archive stands there, too. */
static bool head_read(struct refold *refold)
{
    owned(pg_result_destroy) struct pg_result *result = NULL;
    enum status status = pg_query(refold->reading, "SELECT pos FROM head", NULL, &result);
    if (status == STATUS_OK && pg_rows(result) == 1)
        refold->journal.head.pos = (uint64_t)pg_int(result, 0, 0);
    return status == STATUS_OK || refold_failed(refold, refold->reading, "PostgreSQL");
}

static void on_differs(void *owner, const char *what)
{
    struct comparing *comparing = owner;
    char line[400];
    text_format(line, sizeof(line), "%s %.300s", comparing->table, what);
    comparing->differs(comparing->owner, line);
}

static bool compare_all(struct refold *refold, const struct own_tables *own, struct comparing *comparing, size_t *rows)
{
    enum status status = pg_run(refold->fresh, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    for (size_t i = 0; status == STATUS_OK && i < ARCHIVE_TABLES_N; i++) {
        const struct compare_side living = {.pg = refold->reading, .schema = STORE_SCHEMA, .table = archive_tables[i]->name},
                                  fresh = {.pg = refold->fresh, .schema = FRESH_SCHEMA, .table = own->names[i]};
        comparing->table = archive_tables[i]->name;
        status = compare_rows(archive_tables[i]->row, &living, &fresh, rows, on_differs, comparing);
    }
    if (status == STATUS_OK)
        status = pg_run(refold->fresh, "ROLLBACK");
    return status == STATUS_OK ||
           refold_failed(refold, pg_error(refold->reading)[0] != '\0' ? refold->reading : refold->fresh, "the archive cannot be compared");
}

bool archive_verify(const struct settings *settings, size_t *rows, archive_differs *differs, void *owner, char why[300])
{
    struct own_tables own;
    struct comparing comparing = {.differs = differs, .owner = owner};
    own_tables_name(&own, 0); /* until it is known who makes them */
    struct refold *refold = refold_new(settings, "verify: archive", own.list);
    pg_limit_wait(refold->reading, 3600 * 1000); /* a table is put in order before its first row comes */
    bool fine = pg_connect(refold->fresh) == STATUS_OK || refold_failed(refold, refold->fresh, "PostgreSQL");
    fine = fine && refold_read_begin(refold) && head_read(refold) && fresh_make(refold, &own) && refold_tell_all(refold) &&
           compare_all(refold, &own, &comparing, rows);
    refold_show_end(refold);
    if (pg_is_connected(refold->fresh))
        (void)!pg_run(refold->fresh, drop_left_sql);
    text_copy(why, 300, refold->why);
    refold_destroy(&refold);
    return fine;
}
