#include "archive.h"
#include "base/clock.h"
#include "base/text.h"
#include "proto/catalogue.h"
#include "shelf_claims.h"
#include "verify_inside.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PAGE 64

struct files {
    struct verify *verify;
    int64_t total, read; /* bytes */
    int64_t began_us, shown_us;
};

static void show(struct files *files, bool end)
{
    int64_t now_us = clock_boot_us();
    if (!isatty(STDERR_FILENO) || files->total == 0 || (!end && now_us - files->shown_us < SECOND_US / 5))
        return;
    files->shown_us = now_us;
    double mib = (double)files->read / 1048576, seconds = (double)(now_us - files->began_us + 1) / (double)SECOND_US;
    fprintf(stderr, "\rintake verify  files  %3.0f %%  %.0f of %.0f MiB  %.0f MiB/s %s", 100.0 * (double)files->read / (double)files->total, mib,
            (double)files->total / 1048576, mib / seconds, end ? "\n" : "");
}

static void on_read(void *owner, int64_t bytes)
{
    struct files *files = owner;
    files->read += bytes;
    show(files, false);
}

static enum status query(struct files *files, const char *sql, struct pg_result **rows)
{
    return pg_query(files->verify->pg, sql, files->verify->args, rows);
}

/* --- what is kept ---------------------------------------------------------------------------------- */

/* With the first file.stored that says so; 0: of none yet. */
static const char kept_sql[] =
    "SELECT b.sha256, b.owner, b.upto, coalesce((SELECT min(f.stored) FROM file f JOIN ticket t ON t.\"number\" = f.ticket"
    " WHERE f.file >= encode(b.sha256, 'hex') || '/' AND f.file < encode(b.sha256, 'hex') || '0' AND " HAS_FILE "), 0)"
    " FROM file_bytes b WHERE b.keeps AND b.sha256 > $1::bytea ORDER BY b.sha256 LIMIT $2::int8";

static void content_take(const struct pg_result *page, int row, struct content *content)
{
    struct bytes sha256 = pg_bytes(page, row, 0), owner = pg_bytes(page, row, 1);
    *content = (struct content){.upto = pg_int(page, row, 2)};
    if (sha256.len == sizeof(content->sha256))
        memcpy(content->sha256, sha256.data, sha256.len);
    (void)text_copy_n(content->owner, sizeof(content->owner), (const char *)owner.data, owner.len);
}

/* What was erased while it was read is no finding. */
static enum status is_still_kept(struct files *files, const struct content *content, bool *kept)
{
    owned(pg_result_destroy) struct pg_result *rows = NULL;
    pg_args_reset(files->verify->args);
    pg_arg_bytea(files->verify->args, bytes_of(content->sha256, sizeof(content->sha256)));
    pg_arg_text(files->verify->args, content->owner);
    enum status status = query(files, "SELECT 1 FROM file_bytes WHERE sha256 = $1::bytea AND owner = $2::text AND keeps", &rows);
    *kept = status == STATUS_OK && pg_rows(rows) > 0;
    return status;
}

static enum status content_check(struct files *files, const struct content *content, int64_t stored)
{
    struct verify *verify = files->verify;
    uint8_t found[32];
    char hex[65];
    int64_t bytes = 0;
    bool kept = true;
    enum status status = content_digest(verify->pg, verify->args, content, on_read, files, found, &bytes);
    bool good = bytes == content->upto && memcmp(found, content->sha256, sizeof(found)) == 0;
    if (status == STATUS_OK && !good)
        status = is_still_kept(files, content, &kept);
    if (status != STATUS_OK || !kept)
        return status;
    hex_print(content->sha256, sizeof(content->sha256), hex);
    if (good) {
        verify->told.files++;
        verify->told.file_bytes += bytes;
    } else if (bytes != content->upto) {
        verify_found(verify, stored, "file", "changed", "%s: %lld of %lld bytes, then there is a hole", hex, (long long)bytes, (long long)content->upto);
    } else {
        verify_found(verify, stored, "file", "changed", "%s: its %lld bytes have another digest", hex, (long long)bytes);
    }
    return STATUS_OK;
}

static enum status kept_check(struct files *files)
{
    struct content content = {.upto = 0};
    bool any = false; /* all zero is a digest too */
    for (int n = PAGE; n == PAGE;) {
        owned(pg_result_destroy) struct pg_result *page = NULL;
        pg_args_reset(files->verify->args);
        pg_arg_bytea(files->verify->args, bytes_of(content.sha256, any ? sizeof(content.sha256) : 0));
        pg_arg_int(files->verify->args, PAGE);
        enum status status = query(files, kept_sql, &page);
        n = status == STATUS_OK ? pg_rows(page) : 0;
        for (int row = 0; row < n && status == STATUS_OK; row++) {
            content_take(page, row, &content);
            status = content_check(files, &content, pg_int(page, row, 3));
        }
        if (status != STATUS_OK)
            return status;
        any = true;
    }
    return STATUS_OK;
}

/* --- what is not ----------------------------------------------------------------------------------- */

static const char missing_sql[] =
    "SELECT f.file, f.ticket, f.stored FROM file f JOIN ticket t ON t.\"number\" = f.ticket WHERE f.file > $1::text AND " HAS_FILE
    " AND NOT EXISTS (SELECT FROM file_bytes b WHERE b.sha256 = f.sha256 AND b.keeps) ORDER BY f.file LIMIT $2::int8";

static enum status missing_check(struct files *files)
{
    char after[FILE_KEY_CAP] = "";
    for (int n = PAGE; n == PAGE;) {
        owned(pg_result_destroy) struct pg_result *page = NULL;
        pg_args_reset(files->verify->args);
        pg_arg_text(files->verify->args, after);
        pg_arg_int(files->verify->args, PAGE);
        enum status status = query(files, missing_sql, &page);
        if (status != STATUS_OK)
            return status;
        n = pg_rows(page);
        for (int row = 0; row < n; row++) {
            struct bytes file = pg_bytes(page, row, 0);
            (void)text_copy_n(after, sizeof(after), (const char *)file.data, file.len);
            verify_found(files->verify, pg_int(page, row, 2), "file", "missing", "%s: there are no bytes", after);
        }
    }
    return STATUS_OK;
}

/* --- one file.stored ------------------------------------------------------------------------------- */

static const char one_sql[] =
    "SELECT b.sha256, b.owner, b.upto FROM file_bytes b WHERE b.sha256 = $1::bytea AND b.keeps";
static const char erased_sql[] =
    "SELECT 1 FROM file f JOIN ticket t ON t.\"number\" = f.ticket WHERE f.file = encode($1::bytea, 'hex') || '/' || $2::text AND NOT " HAS_FILE;

enum status file_prove(struct pg *pg, const char *ticket, const struct file_stored *stored, struct file_proof *proof)
{
    owned(pg_result_destroy) struct pg_result *kept = NULL;
    owned(pg_result_destroy) struct pg_result *erased = NULL;
    owned(pg_args_destroy) struct pg_args *args = pg_args_new();
    struct content content;
    *proof = (struct file_proof){.kept = false};
    pg_arg_bytea(args, bytes_of(stored->sha256, sizeof(stored->sha256)));
    enum status status = pg_query(pg, one_sql, args, &kept);
    pg_arg_text(args, ticket);
    if (status == STATUS_OK)
        status = pg_query(pg, erased_sql, args, &erased);
    if (status != STATUS_OK)
        return status;
    proof->erased = pg_rows(erased) > 0;
    proof->kept = pg_rows(kept) > 0;
    if (!proof->kept)
        return STATUS_OK;
    content_take(kept, 0, &content);
    return content_digest(pg, args, &content, NULL, NULL, proof->digest, &proof->bytes);
}

/* --- all of them ----------------------------------------------------------------------------------- */

enum status verify_files(struct verify *verify)
{
    struct files files = {.verify = verify, .began_us = clock_boot_us()};
    owned(pg_result_destroy) struct pg_result *total = NULL;
    enum status status = pg_run(verify->pg, "COMMIT; SET enable_seqscan = off"); /* young tables have no statistics */
    if (status == STATUS_OK)
        status = verify_query(verify, "SELECT coalesce(sum(upto), 0)::int8 FROM file_bytes WHERE keeps", &total);
    if (status != STATUS_OK)
        return status;
    files.total = pg_int(total, 0, 0);
    status = kept_check(&files);
    show(&files, true);
    return status == STATUS_OK ? missing_check(&files) : status;
}
