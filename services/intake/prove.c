#include "base/log.h"
#include "base/text.h"
#include "event/stream.h"
#include "proto/catalogue.h"
#include "store.h"
#include "verify.h"
#include "verify_inside.h"
#include "verify_rows.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEX_CAP (2 * DIGEST_BYTES + 1)

struct neighbour {
    int64_t pos;
    char type[EVENT_TYPE_CAP], key[EVENT_KEY_CAP], link[HEX_CAP];
};
static const struct field neighbour_fields[] = {
    F_INT(neighbour, pos, 0, "position"),
    F_TEXT(neighbour, type, 0, "type"),
    F_TEXT(neighbour, key, 0, "what it is about"),
    F_TEXT(neighbour, link, 0, "its link"),
};
static const struct record neighbour_record = RECORD(neighbour, neighbour_fields, "the row before or behind");

struct proof {
    int64_t pos, n, cause, rec_us, at_us;
    char id[EVENT_ID_CAP], type[EVENT_TYPE_CAP], key[EVENT_KEY_CAP], from[EVENT_SOURCE_CAP], by[EVENT_BY_CAP];
    int64_t body_bytes;
    char body_digest[HEX_CAP], link_before[HEX_CAP], link_computed[HEX_CAP], link[HEX_CAP];
    char personal[16], pd[HEX_CAP], priv_digest[HEX_CAP];
    char sent_digest[HEX_CAP], seal[HEX_CAP], seal_computed[HEX_CAP];
    char file[16], file_sha256[HEX_CAP], file_digest[HEX_CAP];
    struct neighbour before, behind;
    int64_t anchor, anchor_at; /* the position up to which links were recomputed, and who says its link */
    char anchor_by[16], anchor_link[HEX_CAP], anchor_computed[HEX_CAP];
    bool body_holds, link_holds, personal_holds, seal_holds, file_holds, anchor_holds, good;
};
static const struct field proof_fields[] = {
    F_INT(proof, pos, 0, "position"),
    F_TEXT(proof, id, 0, "id"),
    F_TEXT(proof, type, 0, "type"),
    F_TEXT(proof, key, 0, "what it is about"),
    F_TEXT(proof, from, 0, "source"),
    F_INT(proof, n, 0, "its number"),
    F_TEXT(proof, by, 0, "who acted"),
    F_INT(proof, cause, 0, "position it follows from"),
    F_TIME(proof, at, 0, "occurred"),
    F_TIME(proof, rec, 0, "recorded"),
    F_INT(proof, body_bytes, 0, "length of the body"),
    F_TEXT(proof, body_digest, 0, "SHA-256 of the body"),
    F_TEXT(proof, link_before, 0, "link of the row before"),
    F_TEXT(proof, link_computed, 0, "first 16 bytes of SHA-256(link_before, body)"),
    F_TEXT(proof, link, 0, "as it is stored"),
    F_TEXT(proof, personal, 0, "none, there, erased"),
    F_TEXT(proof, pd, 0, "digest of the personal part, as the body has it"),
    F_TEXT(proof, priv_digest, 0, "SHA-256 of what is stored of it"),
    F_TEXT(proof, sent_digest, 0, "digest of the event as its source sent it"),
    F_TEXT(proof, seal, 0, "digests and results up to here, as stored"),
    F_TEXT(proof, seal_computed, 0, "from the row before"),
    F_TEXT(proof, file, 0, "file.stored: there, erased, changed, missing"),
    F_TEXT(proof, file_sha256, 0, "the digest that it says"),
    F_TEXT(proof, file_digest, 0, "SHA-256 of the bytes that are kept"),
    {.name = "before", .kind = FIELD_RECORD, F_AT(proof, before), .sub = &neighbour_record, .doc = "the row before"},
    {.name = "behind", .kind = FIELD_RECORD, F_AT(proof, behind), .sub = &neighbour_record, .doc = "the row behind"},
    F_INT(proof, anchor, 0, "position up to which the links were recomputed"),
    F_TEXT(proof, anchor_by, 0, "who says the link there: journal.sealed, or head where nothing was sealed yet"),
    F_INT(proof, anchor_at, 0, "position of that journal.sealed"),
    F_TEXT(proof, anchor_link, 0, "what it says"),
    F_TEXT(proof, anchor_computed, 0, "what the links come to"),
    F_BOOL(proof, body_holds, 0, "the body is readable and says this position"),
    F_BOOL(proof, link_holds, 0, "the link follows from the row before"),
    F_BOOL(proof, personal_holds, 0, "the personal part, where it is there, is the body's"),
    F_BOOL(proof, seal_holds, 0, "digest and result are as they were written"),
    F_BOOL(proof, file_holds, 0, "file.stored: the bytes, where they are there, have the digest that it says, or were erased"),
    F_BOOL(proof, anchor_holds, 0, "every link from here to the anchor holds"),
    F_BOOL(proof, good, 0, "all of these"),
};
static const struct record proof_record = RECORD(proof, proof_fields, "the proof of one event");

struct prove {
    struct pg *pg;
    struct proof proof;
    uint8_t link[LINK_BYTES], seal[SEAL_BYTES]; /* of the row before, then recomputed */
    struct file_stored stored;
    bool link_known, found, is_stored;
};

static void hex(const void *data, size_t n, char out[HEX_CAP])
{
    hex_print(data, n < DIGEST_BYTES ? n : DIGEST_BYTES, out);
}

static void neighbour_take(const struct verify_row *row, struct neighbour *out)
{
    out->pos = row->pos;
    text_copy(out->type, sizeof(out->type), row->type);
    text_copy(out->key, sizeof(out->key), row->key);
    hex(row->link.data, row->link.len, out->link);
}

/* --- the row itself -------------------------------------------------------------------------------- */

static void take_envelope(struct proof *proof, const struct verify_row *row)
{
    const struct event *event = &row->event;
    proof->n = row->n;
    text_copy(proof->type, sizeof(proof->type), row->type);
    text_copy(proof->key, sizeof(proof->key), row->key);
    if (!row->readable)
        return;
    text_copy(proof->id, sizeof(proof->id), event->id);
    text_copy(proof->from, sizeof(proof->from), event->from);
    text_copy(proof->by, sizeof(proof->by), event->by);
    proof->cause = (int64_t)event->cause;
    proof->at_us = event->at_us;
    proof->rec_us = event->rec_us;
    proof->body_holds = (int64_t)event->pos == row->pos && (int64_t)event->n == row->n && event->rec_us == row->rec_us &&
                        text_equal(event->type, row->type) && text_equal(event->key, row->key);
}

static void take_personal(struct proof *proof, const struct verify_row *row)
{
    uint8_t digest[DIGEST_BYTES];
    bool pd = row->readable && row->event.has_pd;
    text_copy(proof->personal, sizeof(proof->personal), row->priv.len > 0 ? "there" : pd ? "erased" : "none");
    if (pd)
        hex(row->event.pd, DIGEST_BYTES, proof->pd);
    proof->personal_holds = row->priv.len == 0;
    if (row->priv.len == 0)
        return;
    digest_of(buf_bytes(&row->priv), digest);
    hex(digest, DIGEST_BYTES, proof->priv_digest);
    proof->personal_holds = pd && memcmp(digest, row->event.pd, DIGEST_BYTES) == 0;
}

static void take_seal(struct prove *prove, const struct verify_row *row)
{
    struct proof *proof = &prove->proof;
    uint8_t seal[SEAL_BYTES];
    hex(row->digest.data, row->digest.len, proof->sent_digest);
    hex(row->seal.data, row->seal.len, proof->seal);
    seal_next(prove->seal, buf_bytes(&row->digest), buf_bytes(&row->result), seal);
    proof->seal_holds = row->seal.len == 0 || (row->seal.len == SEAL_BYTES && memcmp(seal, row->seal.data, SEAL_BYTES) == 0);
    if (row->seal.len > 0)
        hex(seal, SEAL_BYTES, proof->seal_computed);
}

static void take_row(struct prove *prove, const struct verify_row *row)
{
    struct proof *proof = &prove->proof;
    uint8_t digest[DIGEST_BYTES];
    prove->found = true;
    take_envelope(proof, row);
    digest_of(buf_bytes(&row->body), digest);
    proof->body_bytes = (int64_t)row->body.len;
    hex(digest, DIGEST_BYTES, proof->body_digest);
    hex(row->link.data, row->link.len, proof->link);
    if (prove->link_known) {
        hex(prove->link, LINK_BYTES, proof->link_before);
        link_next(prove->link, buf_bytes(&row->body), prove->link);
        hex(prove->link, LINK_BYTES, proof->link_computed);
        proof->link_holds = row->link.len == LINK_BYTES && memcmp(prove->link, row->link.data, LINK_BYTES) == 0;
    }
    take_personal(proof, row);
    take_seal(prove, row);
    struct problem problem;
    prove->is_stored = row->readable && text_equal(row->type, "file.stored") &&
                       record_decode(&file_stored_record, RECORD_PLAIN, DECODE_LENIENT, row->event.data, NULL, &prove->stored, &problem);
}

/* --- from there to the anchor ---------------------------------------------------------------------- */

static bool is_anchor(struct prove *prove, const struct verify_row *row)
{
    struct journal_sealed sealed;
    struct problem problem;
    struct proof *proof = &prove->proof;
    if (!row->readable || !text_equal(row->event.type, "journal.sealed") ||
        !record_decode(&journal_sealed_record, RECORD_PLAIN, DECODE_LENIENT, row->event.data, NULL, &sealed, &problem) ||
        sealed.pos < proof->pos || sealed.pos != row->pos - 1)
        return false;
    proof->anchor = sealed.pos;
    proof->anchor_at = row->pos;
    text_copy(proof->anchor_by, sizeof(proof->anchor_by), "journal.sealed");
    hex(sealed.link, LINK_BYTES, proof->anchor_link);
    hex(prove->link, LINK_BYTES, proof->anchor_computed);
    proof->anchor_holds = memcmp(sealed.link, prove->link, LINK_BYTES) == 0;
    return true;
}

static enum status query(struct prove *prove, const char *sql, struct pg_result **result)
{
    struct pg_args *args = pg_args_new();
    enum status status = pg_query(prove->pg, sql, args, result);
    pg_args_destroy(&args);
    return status;
}

/* Nothing was sealed behind it yet: the head says the last link. */
static enum status anchor_at_head(struct prove *prove, int64_t last)
{
    owned(pg_result_destroy) struct pg_result *result = NULL;
    struct proof *proof = &prove->proof;
    enum status status = query(prove, "SELECT pos, link FROM head", &result);
    if (status != STATUS_OK || pg_rows(result) != 1)
        return status;
    struct bytes link = pg_bytes(result, 0, 1);
    proof->anchor = pg_int(result, 0, 0);
    text_copy(proof->anchor_by, sizeof(proof->anchor_by), "head");
    hex(link.data, link.len, proof->anchor_link);
    hex(prove->link, LINK_BYTES, proof->anchor_computed);
    proof->anchor_holds = last == proof->anchor && bytes_equal(link, bytes_of(prove->link, LINK_BYTES));
    return STATUS_OK;
}

static enum status before_first(struct prove *prove)
{
    struct store store = {.pg = prove->pg, .args = pg_args_new()};
    struct stream_created stream;
    enum status status = store_stream(&store, &stream);
    if (status == STATUS_OK)
        link_first(stream.stream, prove->link);
    prove->link_known = status == STATUS_OK;
    pg_args_destroy(&store.args);
    return status;
}

static void take_before(struct prove *prove, const struct verify_row *row)
{
    neighbour_take(row, &prove->proof.before);
    prove->link_known = row->link.len == LINK_BYTES;
    if (prove->link_known)
        memcpy(prove->link, row->link.data, LINK_BYTES);
    if (row->seal.len == SEAL_BYTES)
        memcpy(prove->seal, row->seal.data, SEAL_BYTES);
}

static enum status walk_on(struct prove *prove)
{
    struct verify_walk walk;
    struct verify_row row = {0};
    int64_t last = 0;
    bool anchored = false;
    enum status status = verify_walk_open(&walk, prove->pg, prove->proof.pos - 1, INT64_MAX);
    while (status == STATUS_OK && !anchored && (status = verify_walk_next(&walk, &row)) == STATUS_OK) {
        if (row.pos < prove->proof.pos) {
            take_before(prove, &row);
            continue;
        }
        if (row.pos == prove->proof.pos) {
            take_row(prove, &row);
        } else {
            if (row.pos == prove->proof.pos + 1)
                neighbour_take(&row, &prove->proof.behind);
            anchored = is_anchor(prove, &row);
            link_next(prove->link, buf_bytes(&row.body), prove->link);
        }
        last = row.pos;
        if (!prove->found)
            break;
    }
    verify_walk_close(&walk);
    verify_row_release(&row);
    if (status != STATUS_OK && status != STATUS_ABSENT)
        return status;
    return prove->found && !anchored ? anchor_at_head(prove, last) : STATUS_OK;
}

/* --- the bytes of a file --------------------------------------------------------------------------- */

static enum status take_file(struct prove *prove)
{
    struct proof *proof = &prove->proof;
    struct file_proof file;
    proof->file_holds = true;
    if (!prove->is_stored)
        return STATUS_OK;
    enum status status = file_prove(prove->pg, proof->key, &prove->stored, &file);
    if (status != STATUS_OK)
        return status;
    hex(prove->stored.sha256, DIGEST_BYTES, proof->file_sha256);
    if (file.kept)
        hex(file.digest, DIGEST_BYTES, proof->file_digest);
    bool same = file.kept && file.bytes == prove->stored.bytes && memcmp(file.digest, prove->stored.sha256, DIGEST_BYTES) == 0;
    text_copy(proof->file, sizeof(proof->file), same ? "there" : file.erased ? "erased" : file.kept ? "changed" : "missing");
    proof->file_holds = same || file.erased;
    return STATUS_OK;
}

int journal_prove(const struct settings *settings, int64_t pos)
{
    struct prove *prove = memory_new(sizeof(*prove));
    struct proof *proof = &prove->proof;
    struct buf out = {0};
    prove->pg = pg_new(settings->intake.dsn, STORE_SCHEMA);
    proof->pos = pos;
    enum status status = pg_connect(prove->pg);
    if (status == STATUS_OK)
        status = pg_run(prove->pg, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    if (status == STATUS_OK && pos == 1)
        status = before_first(prove);
    if (status == STATUS_OK)
        status = walk_on(prove);
    if (status == STATUS_OK)
        status = take_file(prove);
    int code = status != STATUS_OK ? 3 : 2;
    if (status != STATUS_OK) {
        log_error("the journal cannot be read: %s", pg_error(prove->pg));
    } else if (prove->found) {
        proof->good = proof->body_holds && proof->link_holds && proof->personal_holds && proof->seal_holds && proof->file_holds && proof->anchor_holds;
        record_print_json(&proof_record, RECORD_WHOLE, proof, &out);
        printf("%s\n", buf_text(&out));
        code = proof->good ? 0 : 1;
    }
    buf_release(&out);
    pg_destroy(&prove->pg);
    free(prove);
    return code;
}
