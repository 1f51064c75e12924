/* Numbered migrations of one schema. */
#include "pg/connection.h"
#include "base/digest.h"
#include "base/text.h"
#include <assert.h>
#include <string.h>

/* CREATE SCHEMA asks for a right on the database even where there is nothing to create. */
static enum status schema_create(struct pg *pg, const char *schema)
{
    struct pg_args *args = pg_args_new();
    struct pg_result *found = NULL;

    pg_arg_text(args, schema);
    enum status status = pg_query(pg, "SELECT 1 FROM pg_namespace WHERE nspname = $1", args, &found);
    if (status == STATUS_OK && pg_rows(found) == 0) {
        struct buf sql = {0};
        buf_append_format(&sql, "CREATE SCHEMA \"%s\"", schema);
        status = pg_run(pg, buf_text(&sql));
        buf_release(&sql);
    }
    pg_result_destroy(&found);
    pg_args_destroy(&args);
    return status;
}

/* The digest that is recorded for `number`: ABSENT when it was not applied yet. */
static enum status recorded(struct pg *pg, int number, uint8_t digest[DIGEST_BYTES])
{
    struct pg_args *args = pg_args_new();
    struct pg_result *found = NULL;

    pg_arg_int(args, number);
    enum status status = pg_query(pg, "SELECT sha256 FROM migration WHERE number = $1", args, &found);
    if (status == STATUS_OK && pg_rows(found) == 0) {
        status = STATUS_ABSENT;
    } else if (status == STATUS_OK) {
        struct bytes stored = pg_bytes(found, 0, 0);
        assert(stored.len == DIGEST_BYTES);
        memcpy(digest, stored.data, DIGEST_BYTES);
    }
    pg_result_destroy(&found);
    pg_args_destroy(&args);
    return status;
}

static enum status record(struct pg *pg, int number, const uint8_t digest[DIGEST_BYTES])
{
    struct pg_args *args = pg_args_new();

    pg_arg_int(args, number);
    pg_arg_bytea(args, bytes_of(digest, DIGEST_BYTES));
    enum status status = pg_query(pg, "INSERT INTO migration (number, sha256, applied) VALUES ($1, $2, now())", args, NULL);
    pg_args_destroy(&args);
    return status;
}

/* Inside a transaction that holds the lock. */
static enum status migration_apply(struct pg *pg, const struct pg_migration *m)
{
    uint8_t digest[DIGEST_BYTES], before[DIGEST_BYTES];

    digest_of(bytes_of_text(m->sql), digest);
    enum status status = recorded(pg, m->number, before);
    if (status == STATUS_OK && memcmp(digest, before, DIGEST_BYTES) != 0) {
        pg_set_error(pg, "migration %d was applied with another text", m->number);
        return STATUS_REFUSED;
    }
    if (status != STATUS_ABSENT) {
        return status;
    }
    status = pg_run(pg, m->sql);
    return status == STATUS_OK ? record(pg, m->number, digest) : status;
}

static enum status migrate_one(struct pg *pg, const char *lock_sql, const struct pg_migration *m)
{
    enum status status = pg_begin(pg);

    if (status == STATUS_OK) {
        status = pg_run(pg, lock_sql);
    }
    if (status == STATUS_OK) {
        status = migration_apply(pg, m);
    }
    if (status == STATUS_OK) {
        return pg_commit(pg);
    }
    pg_rollback(pg);
    return status;
}

/* A newer release's tables are not for this one: it would write rows without what they have to have. */
static enum status refuse_newer(struct pg *pg, const char *schema, int known)
{
    char sql[200];
    struct pg_result *found = NULL;

    text_format(sql, sizeof sql, "SELECT coalesce(max(number), 0) FROM \"%s\".migration", schema);
    enum status status = pg_query(pg, sql, NULL, &found);
    if (status == STATUS_OK && pg_int(found, 0, 0) > known) {
        pg_set_error(pg, "schema %s is a newer release's (its migration %lld, this program knows %d): run that release, or restore the "
                         "backup from before it", schema, (long long)pg_int(found, 0, 0), known);
        status = STATUS_REFUSED;
    }
    pg_result_destroy(&found);
    return status;
}

enum status pg_migrate(struct pg *pg, const char *schema, const struct pg_migration *migrations, size_t n)
{
    struct buf sql = {0};

    assert(strchr(schema, '"') == NULL);
    enum status status = schema_create(pg, schema);
    if (status == STATUS_OK) {
        buf_append_format(&sql,
                          "CREATE TABLE IF NOT EXISTS \"%s\".migration"
                          " (number bigint PRIMARY KEY, sha256 bytea NOT NULL, applied timestamptz NOT NULL)",
                          schema);
        status = pg_run(pg, buf_text(&sql));
    }
    if (status == STATUS_OK && n > 0) {
        status = refuse_newer(pg, schema, migrations[n - 1].number);
    }
    /* Two that start at once take turns. */
    buf_reset(&sql);
    buf_append_format(&sql, "SET LOCAL search_path TO \"%s\"; LOCK TABLE migration IN EXCLUSIVE MODE", schema);
    for (size_t i = 0; status == STATUS_OK && i < n; i++) {
        assert(i == 0 || migrations[i].number > migrations[i - 1].number);
        status = migrate_one(pg, buf_text(&sql), &migrations[i]);
    }
    buf_release(&sql);
    return status;
}
