#include "verify.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "event/stream.h"
#include "refold.h"
#include "store.h"
#include "verify_inside.h"
#include "verify_rows.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FINDINGS_TOLD 1000
#define PROGRESS_ROWS 4096

struct finding {
    int64_t pos; /* 0: not of one position */
    char column[16], what[16], detail[200];
};
static const struct field finding_fields[] = {
    F_INT(finding, pos, 0, "position"),
    F_TEXT(finding, column, 0, "column of the journal, or what else is wrong: refused, source, head, archive, file"),
    F_TEXT(finding, what, 0, "changed, missing, misplaced, unreadable, differs, twice"),
    F_TEXT(finding, detail, 0, "what was expected and what is there"),
};
static const struct record finding_record = RECORD(finding, finding_fields, "what is wrong with the journal");

static const struct field verified_fields[] = {
    F_INT(verified, positions, 0, "rows of the journal"),
    F_INT(verified, sources, 0, "sources"),
    F_INT(verified, numbers, 0, "numbers of sources"),
    F_INT(verified, refused, 0, "of them refused"),
    F_INT(verified, unkept, 0, "of them refused and not kept"),
    F_INT(verified, erased, 0, "personal parts that were erased"),
    F_INT(verified, sealed, 0, "positions sealed within the journal"),
    F_INT(verified, archive, 0, "rows of intake's archive that are the journal's fold; none is looked at where the journal is not well"),
    F_INT(verified, files, 0, "contents of files that have their digest"),
    F_INT(verified, file_bytes, 0, "their bytes"),
    F_INT(verified, findings, 0, "what is wrong"),
};
static const struct record verified_record = RECORD(verified, verified_fields, "what was looked at");

static void say(struct verify *verify, const struct record *record, const void *object)
{
    buf_reset(&verify->out);
    record_print_json(record, RECORD_WHOLE, object, &verify->out);
    printf("%s\n", buf_text(&verify->out));
}

void verify_found(struct verify *verify, int64_t pos, const char *column, const char *what, const char *format, ...)
{
    struct finding finding = {.pos = pos};
    va_list args;
    if (++verify->told.findings > FINDINGS_TOLD)
        return;
    text_copy(finding.column, sizeof(finding.column), column);
    text_copy(finding.what, sizeof(finding.what), what);
    va_start(args, format);
    (void)vsnprintf(finding.detail, sizeof(finding.detail), format, args);
    va_end(args);
    say(verify, &finding_record, &finding);
}

static void show(struct verify *verify, int64_t pos, bool end)
{
    int64_t now_us = clock_boot_us();
    if (!isatty(STDERR_FILENO) || (!end && now_us - verify->shown_us < SECOND_US / 5))
        return;
    verify->shown_us = now_us;
    double seconds = (double)(now_us - verify->began_us + 1) / (double)SECOND_US;
    fprintf(stderr, "\rintake verify  %3.0f %%  %lld of %lld  %.0f events/s %s", 100.0 * (double)pos / (double)(verify->head_pos + (verify->head_pos == 0)),
            (long long)pos, (long long)verify->head_pos, (double)pos / seconds, end ? "\n" : "");
}

/* --- one row by itself ----------------------------------------------------------------------------- */

struct name *verify_name_of(struct verify *verify, int64_t source)
{
    size_t low = 0, high = verify->names_n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (verify->names[middle].source == source)
            return &verify->names[middle];
        if (verify->names[middle].source < source)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* Columns that say again what the body says. */
static void check_columns(struct verify *verify, const struct verify_row *row)
{
    const struct event *event = &row->event;
    struct name *name = verify_name_of(verify, row->source);
    if (name == NULL || !text_equal(name->text, event->from)) {
        verify_found(verify, row->pos, "source", "differs", "%lld is %s, the body says %s", (long long)row->source,
              name == NULL ? "nobody" : name->text, event->from);
        verify->disordered = true;
        name = NULL;
    }
    if (!text_equal(row->type, event->type))
        verify_found(verify, row->pos, "type", "differs", "%s, the body says %s", row->type, event->type);
    if (!text_equal(row->key, event->key))
        verify_found(verify, row->pos, "key", "differs", "%s, the body says %s", row->key, event->key);
    if (row->rec_us != event->rec_us)
        verify_found(verify, row->pos, "rec", "differs", "by %lld microseconds from the body", (long long)(row->rec_us - event->rec_us));
    if (row->n != (int64_t)event->n)
        verify_found(verify, row->pos, "n", "differs", "%lld, the body says %llu", (long long)row->n, (unsigned long long)event->n);
    else if (name != NULL && row->n <= name->last && !verify->disordered)
        verify_found(verify, row->pos, "n", "twice", "%lld of %s comes behind %lld", (long long)row->n, name->text, (long long)name->last);
    if (name != NULL && row->n > name->last)
        name->last = row->n;
}

static void check_priv(struct verify *verify, const struct verify_row *row)
{
    uint8_t digest[DIGEST_BYTES];
    if (row->event.has_pd && row->priv.len == 0) {
        verify->told.erased++;
        return;
    }
    if (row->priv.len == 0)
        return;
    digest_of(buf_bytes(&row->priv), digest);
    if (!row->event.has_pd)
        verify_found(verify, row->pos, "priv", "changed", "%s", "there is one, and the body knows of none");
    else if (memcmp(digest, row->event.pd, DIGEST_BYTES) != 0)
        verify_found(verify, row->pos, "priv", "changed", "%s", "its digest is not the body's pd");
}

/* --- a row between its neighbours ------------------------------------------------------------------ */

static bool is_link(const struct buf *column)
{
    return column->len == LINK_BYTES;
}

static bool link_holds(const uint8_t before[LINK_BYTES], const struct verify_row *row)
{
    uint8_t link[LINK_BYTES];
    link_next(before, buf_bytes(&row->body), link);
    return is_link(&row->link) && memcmp(link, row->link.data, LINK_BYTES) == 0;
}

/* Is that link what the row behind, or the head, goes on from? */
static bool is_followed(const struct verify *verify, const uint8_t link[LINK_BYTES], const struct verify_row *next)
{
    return next != NULL ? link_holds(link, next) : memcmp(link, verify->head_link, LINK_BYTES) == 0;
}

/* A link that does not follow: was it changed, or the body? What stands behind tells: it follows from the one that was there. */
static void check_link(struct verify *verify, const struct verify_row *row, const struct verify_row *next)
{
    uint8_t link[LINK_BYTES];
    link_next(verify->link, buf_bytes(&row->body), link);
    bool holds = link_holds(verify->link, row);
    if (verify->link_known && !holds) {
        bool changed = row->readable && !(is_link(&row->link) && is_followed(verify, row->link.data, next)) &&
                       is_followed(verify, link, next);
        if (changed) {
            verify_found(verify, row->pos, "link", "changed", "%s", "the body is as the links before and behind it say");
            memcpy(verify->link, link, LINK_BYTES);
            return;
        }
        verify_found(verify, row->pos, "body", "changed", "%s", "the link beside it was made of another body");
    }
    verify->link_known = is_link(&row->link);
    if (verify->link_known)
        memcpy(verify->link, row->link.data, LINK_BYTES);
}

static bool seal_half_holds(const uint8_t *before, struct bytes of, const uint8_t *seal)
{
    uint8_t half[SEAL_HALF];
    seal_half_next(before, of, half);
    return memcmp(half, seal, SEAL_HALF) == 0;
}

/* half 0: digest, 1: result. */
static bool seal_is_followed(const struct verify *verify, const uint8_t *seal, const struct verify_row *next, int half)
{
    if (next == NULL)
        return memcmp(seal, verify->head_seal + half * SEAL_HALF, SEAL_HALF) == 0;
    return next->seal.len == SEAL_BYTES &&
           seal_half_holds(seal, buf_bytes(half == 0 ? &next->digest : &next->result), next->seal.data + half * SEAL_HALF);
}

static void check_seal_half(struct verify *verify, const struct verify_row *row, const struct verify_row *next, int half)
{
    struct bytes of = buf_bytes(half == 0 ? &row->digest : &row->result);
    uint8_t *before = verify->seal + half * SEAL_HALF, right[SEAL_HALF];
    const uint8_t *stored = row->seal.data + half * SEAL_HALF;
    seal_half_next(before, of, right);
    if (memcmp(right, stored, SEAL_HALF) != 0) {
        if (!seal_is_followed(verify, stored, next, half) && seal_is_followed(verify, right, next, half)) {
            verify_found(verify, row->pos, "seal", "changed", "%s", "digest and result are as the seals before and behind say");
            memcpy(before, right, SEAL_HALF);
            return;
        }
        verify_found(verify, row->pos, half == 0 ? "digest" : "result", "changed", "%s", "the seal beside it was made of another one");
    }
    memcpy(before, stored, SEAL_HALF);
}

static void check_seal(struct verify *verify, const struct verify_row *row, const struct verify_row *next)
{
    if (row->seal.len == 0 && !verify->seal_begun)
        return; /* written before there were seals */
    if (row->seal.len != SEAL_BYTES) {
        verify_found(verify, row->pos, "seal", "changed", "%zu bytes", row->seal.len);
        return;
    }
    verify->seal_begun = true;
    check_seal_half(verify, row, next, 0);
    check_seal_half(verify, row, next, 1);
}

static void check_sealed(struct verify *verify, const struct verify_row *row)
{
    struct journal_sealed sealed;
    struct problem problem;
    if (!text_equal(row->event.type, "journal.sealed"))
        return;
    verify->told.sealed++;
    if (!record_decode(&journal_sealed_record, RECORD_PLAIN, DECODE_LENIENT, row->event.data, NULL, &sealed, &problem))
        verify_found(verify, row->pos, "body", "unreadable", "%s", problem.field);
    else if (sealed.pos == row->pos - 1 && verify->link_known && memcmp(sealed.link, verify->link, LINK_BYTES) != 0)
        verify_found(verify, row->pos, "body", "differs", "it seals %lld with another link than stands there", (long long)sealed.pos);
    else if (sealed.pos == row->pos - 1 && verify->seal_begun && memcmp(sealed.seal, verify->seal, SEAL_BYTES) != 0)
        verify_found(verify, row->pos, "seal", "differs", "digests and results up to %lld were others when they were sealed",
              (long long)sealed.pos);
}

/* next: the row behind in position; NULL: row is the last. */
static void check_row(struct verify *verify, const struct verify_row *row, const struct verify_row *next)
{
    verify->told.positions++;
    if (verify->told.positions % PROGRESS_ROWS == 0)
        show(verify, row->pos, false);
    if (row->readable && (int64_t)row->event.pos != row->pos) {
        /* Two rows that were swapped are told once each; what stands behind them is taken as it is. */
        verify_found(verify, row->pos, "pos", "misplaced", "the body says %llu", (unsigned long long)row->event.pos);
        verify->link_known = false;
        verify->disordered = true;
        if (row->seal.len == SEAL_BYTES)
            memcpy(verify->seal, row->seal.data, SEAL_BYTES);
        return;
    }
    if (row->readable) {
        check_sealed(verify, row);
        check_columns(verify, row);
        check_priv(verify, row);
    } else {
        verify_found(verify, row->pos, "body", "unreadable", "%zu bytes", row->body.len);
    }
    bool gap = !verify->link_known;
    if (!row->readable)
        verify->link_known = false; /* told already */
    check_link(verify, row, next);
    if (gap && row->seal.len == SEAL_BYTES)
        memcpy(verify->seal, row->seal.data, SEAL_BYTES); /* what the row before said is not known */
    else
        check_seal(verify, row, next);
}

static void check_gap(struct verify *verify, int64_t expected, int64_t pos)
{
    if (pos == expected)
        return;
    if (pos == expected + 1)
        verify_found(verify, expected, "pos", "missing", "%s", "there is no such row");
    else
        verify_found(verify, expected, "pos", "missing", "there are no rows up to %lld", (long long)pos - 1);
    verify->link_known = false;
}

static enum status check_rows(struct verify *verify)
{
    struct verify_row rows[2] = {{0}};
    struct verify_walk walk;
    int64_t last = 0;
    size_t at = 0;
    bool held = false; /* rows[at] is not judged yet */
    enum status status = verify_walk_open(&walk, verify->pg, INT64_MIN, INT64_MAX);
    while (status == STATUS_OK && (status = verify_walk_next(&walk, &rows[held ? 1 - at : at])) == STATUS_OK) {
        struct verify_row *next = &rows[held ? 1 - at : at];
        if (held)
            check_row(verify, &rows[at], next->pos == last + 1 ? next : NULL);
        check_gap(verify, last + 1, next->pos);
        last = next->pos;
        at = held ? 1 - at : at;
        held = true;
    }
    if (status == STATUS_ABSENT && held)
        check_row(verify, &rows[at], NULL);
    if (status == STATUS_ABSENT) {
        if (last != verify->head_pos)
            verify_found(verify, 0, "head", "changed", "pos is %lld, the last row is %lld", (long long)verify->head_pos, (long long)last);
        else if (verify->link_known && memcmp(verify->link, verify->head_link, LINK_BYTES) != 0)
            verify_found(verify, 0, "head", "changed", "%s", "its link is not the last row's");
        else if (verify->head_sealed && verify->seal_begun && memcmp(verify->seal, verify->head_seal, SEAL_BYTES) != 0)
            verify_found(verify, 0, "head", "changed", "%s", "its seal is not the last row's");
    }
    show(verify, last, true);
    verify_walk_close(&walk);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        verify_row_release(&rows[i]);
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

/* --- the archive ----------------------------------------------------------------------------------- */

static void on_archive_differs(void *owner, const char *what)
{
    verify_found(owner, 0, "archive", "differs", "%s", what);
}

/* It is what the journal says, where the journal is what was written. */
static bool check_archive(struct verify *verify, const struct settings *settings)
{
    char why[300];
    size_t rows = 0;
    int64_t before = verify->told.findings;
    if (before > 0)
        return true;
    bool done = archive_verify(settings, &rows, on_archive_differs, verify, why);
    verify->told.archive = (int64_t)rows - (verify->told.findings - before);
    if (!done)
        log_error("%s", why);
    return done;
}

/* --- all of it ------------------------------------------------------------------------------------- */

enum status verify_query(struct verify *verify, const char *sql, struct pg_result **result)
{
    pg_args_reset(verify->args);
    return pg_query(verify->pg, sql, verify->args, result);
}

static enum status read_head(struct verify *verify)
{
    owned(pg_result_destroy) struct pg_result *result = NULL;
    enum status status = verify_query(verify, "SELECT pos, link, seal, own_n FROM head", &result);
    if (status != STATUS_OK)
        return status;
    if (pg_rows(result) != 1) {
        verify_found(verify, 0, "head", "missing", "%d rows", pg_rows(result));
        return STATUS_OK;
    }
    struct bytes link = pg_bytes(result, 0, 1), seal = pg_bytes(result, 0, 2);
    verify->head_pos = pg_int(result, 0, 0);
    verify->head_own_n = pg_int(result, 0, 3);
    if (link.len == LINK_BYTES)
        memcpy(verify->head_link, link.data, LINK_BYTES);
    verify->head_sealed = seal.len == SEAL_BYTES;
    if (verify->head_sealed)
        memcpy(verify->head_seal, seal.data, SEAL_BYTES);
    return STATUS_OK;
}

static enum status read_names(struct verify *verify)
{
    owned(pg_result_destroy) struct pg_result *result = NULL;
    enum status status = verify_query(verify, "SELECT id, name FROM source ORDER BY id", &result);
    if (status != STATUS_OK)
        return status;
    verify->names_n = (size_t)pg_rows(result);
    verify->names = memory_new((verify->names_n + 1) * sizeof(*verify->names));
    for (size_t i = 0; i < verify->names_n; i++) {
        struct bytes name = pg_bytes(result, (int)i, 1);
        verify->names[i].source = pg_int(result, (int)i, 0);
        text_copy_n(verify->names[i].text, sizeof(verify->names[i].text), (const char *)name.data, name.len);
    }
    return STATUS_OK;
}

/* link(0) is made of the stream's id, which position 1 says. */
static enum status read_beginning(struct verify *verify)
{
    struct store store = {.pg = verify->pg, .args = verify->args};
    struct stream_created stream;
    enum status status = store_stream(&store, &stream);
    verify->link_known = status == STATUS_OK;
    if (status == STATUS_OK)
        link_first(stream.stream, verify->link);
    return status == STATUS_ABSENT || (status == STATUS_REFUSED && pg_is_connected(verify->pg)) ? STATUS_OK : status;
}

int journal_verify(const struct settings *settings)
{
    struct verify verify = {.pg = pg_new(settings->intake.dsn, STORE_SCHEMA), .args = pg_args_new(), .began_us = clock_boot_us()};
    pg_limit_wait(verify.pg, 3600 * 1000);
    enum status status = pg_connect(verify.pg);
    if (status == STATUS_OK)
        status = pg_run(verify.pg, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    if (status == STATUS_OK)
        status = read_head(&verify);
    if (status == STATUS_OK)
        status = read_names(&verify);
    if (status == STATUS_OK)
        status = read_beginning(&verify);
    if (status == STATUS_OK)
        status = check_rows(&verify);
    if (status == STATUS_OK)
        status = verify_numbers(&verify);
    if (status == STATUS_OK)
        status = verify_refused(&verify);
    if (status == STATUS_OK)
        verify_own(&verify);
    bool archive = status != STATUS_OK || check_archive(&verify, settings);
    if (status == STATUS_OK && archive)
        status = verify_files(&verify);
    if (status != STATUS_OK)
        log_error("the journal cannot be read: %s", pg_error(verify.pg));
    else if (!archive)
        status = STATUS_CLOSED;
    else
        say(&verify, &verified_record, &verify.told);
    pg_destroy(&verify.pg);
    pg_args_destroy(&verify.args);
    buf_release(&verify.out);
    free(verify.names);
    return status != STATUS_OK ? 3 : verify.told.findings > 0 ? 1 : 0;
}
