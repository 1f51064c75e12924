#include "proof.h"
#include "base/text.h"
#include "sibling.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define INTAKE_SILENT 3

static const char *text_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_string(value) ? json_string_value(value) : "";
}

static int64_t number_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static bool is_true(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

static int intake_failed(const struct cli *cli, int status)
{
    return cli_fail(cli, status == INTAKE_SILENT ? CLI_SILENT : CLI_REFUSED,
                    in_words(cli->language, "Its own words stand above; `aftercare doctor` looks further."),
                    in_words(cli->language, "aftercare-%s %s failed"), "intake", "--verify");
}

/* --- every row --------------------------------------------------------------------------------- */

static void finding_say(const struct cli *cli, const json_t *finding)
{
    int64_t pos = number_of(finding, "pos");
    const char *column = text_of(finding, "column"),
               *what = in_words(cli->language, text_of(finding, "what")),
               *detail = text_of(finding, "detail");
    if (pos > 0)
        printf(in_words(cli->language, "✗ position %" PRId64 ", %s: %s (%s)\n"), pos, column, what,
               detail);
    else
        printf(in_words(cli->language, "✗ %s: %s (%s)\n"), column, what, detail);
}

static void rows_say(const struct cli *cli, const json_t *rows)
{
    if (number_of(rows, "findings") > 0) {
        printf(in_words(cli->language, "journal, archive and files: %" PRId64 " things are wrong\n"),
               number_of(rows, "findings"));
        return;
    }
    printf(in_words(cli->language,
                    "journal: every row is as it was written; %" PRId64 " numbers of %" PRId64
                    " sources, each once, %" PRId64 " of them refused; sealed %" PRId64
                    " times; %" PRId64 " personal parts erased\n"),
           number_of(rows, "numbers"), number_of(rows, "sources"),
           number_of(rows, "refused") + number_of(rows, "unkept"), number_of(rows, "sealed"),
           number_of(rows, "erased"));
    printf(in_words(cli->language, "intake: the %" PRId64 " rows of its archive are what the journal says\n"),
           number_of(rows, "archive"));
    if (number_of(rows, "files") > 0)
        printf(in_words(cli->language, "files: %" PRId64 " with %" PRId64 " bytes have the digest that was said of them\n"),
               number_of(rows, "files"), number_of(rows, "file_bytes"));
}

static void line_take(const struct cli *cli, const char *text, size_t n, json_t **rows,
                      struct buf *findings, struct rows_good *good)
{
    json_t *line = json_loadb(text, n, 0, NULL);
    if (line != NULL && json_object_get(line, "column") != NULL) {
        const char *column = text_of(line, "column");
        *(text_equal(column, "archive") ? &good->archive : text_equal(column, "file") ? &good->files : &good->journal) = false;
        buf_append_text(findings, findings->len > 0 ? "," : "");
        buf_append(findings, text, n);
        if (!cli->json)
            finding_say(cli, line);
    } else if (line != NULL) {
        json_decref(*rows);
        *rows = json_incref(line);
    }
    json_decref(line);
}

int rows_verify(const struct cli *cli, struct buf *json, struct rows_good *good)
{
    static const char *const flags[] = {"--verify"};
    struct buf told = {0}, findings = {0};
    json_t *rows = NULL;
    int status = CLI_REFUSED;
    bool ran = sibling_run(cli, "intake", flags, 1, &told, &status);
    const char *at = buf_text(&told), *end = at + told.len;
    *good = (struct rows_good){.journal = true, .archive = true, .files = true};
    for (const char *stop; ran && at < end; at = stop + 1) {
        stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop != NULL ? stop : end;
        line_take(cli, at, (size_t)(stop - at), &rows, &findings, good);
    }
    good->journal = good->journal && rows != NULL;
    good->archive = good->archive && good->journal;
    good->files = good->files && rows != NULL;
    int code = !ran ? CLI_REFUSED : rows == NULL ? intake_failed(cli, status) : status == 0 ? CLI_DONE : CLI_REFUSED;
    if (rows != NULL && !cli->json)
        rows_say(cli, rows);
    char *text = rows != NULL ? json_dumps(rows, JSON_COMPACT) : NULL;
    buf_append_format(json, "\"rows\":%s,\"findings\":[%s]", text != NULL ? text : "null", buf_text(&findings));
    free(text);
    json_decref(rows);
    buf_release(&told);
    buf_release(&findings);
    return code;
}

/* --- one event --------------------------------------------------------------------------------- */

static void line_say(const struct cli *cli, const char *title, const char *value)
{
    if (value[0] != '\0')
        printf("  %s: %s\n", in_words(cli->language, title), value);
}

/* ✓ or ✗ before what was compared. */
static void mark_say(const struct cli *cli, bool holds, const char *words)
{
    printf("%s %s\n", holds ? "✓" : "✗", in_words(cli->language, words));
}

static void neighbour_say(const struct cli *cli, const json_t *row, const char *title)
{
    if (number_of(row, "pos") > 0)
        printf("  %s: %" PRId64 "  %s %s  %s\n", in_words(cli->language, title),
               number_of(row, "pos"), text_of(row, "type"), text_of(row, "key"),
               text_of(row, "link"));
}

static void personal_say(const struct cli *cli, const json_t *proof)
{
    const char *personal = text_of(proof, "personal");
    bool there = text_equal(personal, "there"), erased = text_equal(personal, "erased");
    mark_say(cli, is_true(proof, "personal_holds"),
             there    ? "the personal part has the digest that the body names"
             : erased ? "the personal part was erased; the body still names its digest"
                      : "there is no personal part");
    line_say(cli, "pd", text_of(proof, "pd"));
    line_say(cli, "SHA-256 of priv", text_of(proof, "priv_digest"));
}

static void file_say(const struct cli *cli, const json_t *proof)
{
    const char *file = text_of(proof, "file");
    if (file[0] == '\0')
        return;
    mark_say(cli, is_true(proof, "file_holds"),
             text_equal(file, "there")    ? "the file's bytes have the digest that the body names"
             : text_equal(file, "erased") ? "the file's bytes were erased"
             : text_equal(file, "missing") ? "the file's bytes are not there"
                                           : "the file's bytes have another digest than the body names");
    line_say(cli, "SHA-256 of the file, as said", text_of(proof, "file_sha256"));
    line_say(cli, "SHA-256 of its bytes", text_of(proof, "file_digest"));
}

static void anchor_say(const struct cli *cli, const json_t *proof)
{
    bool sealed = text_equal(text_of(proof, "anchor_by"), "journal.sealed");
    mark_say(cli, is_true(proof, "anchor_holds"),
             sealed ? "every link from here to the position that was sealed next"
                    : "every link from here to the head (nothing was sealed behind it yet)");
    if (sealed)
        printf(in_words(cli->language,
                        "  sealed: position %" PRId64 ", by journal.sealed at %" PRId64 "\n"),
               number_of(proof, "anchor"), number_of(proof, "anchor_at"));
    else
        printf(in_words(cli->language, "  head: position %" PRId64 "\n"),
               number_of(proof, "anchor"));
    line_say(cli, "link said there", text_of(proof, "anchor_link"));
    line_say(cli, "link computed", text_of(proof, "anchor_computed"));
}

static void proof_say(const struct cli *cli, const json_t *proof)
{
    printf(in_words(cli->language, "position %" PRId64 ": %s %s, %s/%" PRId64 "\n"),
           number_of(proof, "pos"), text_of(proof, "type"), text_of(proof, "key"),
           text_of(proof, "from"), number_of(proof, "n"));
    line_say(cli, "id", text_of(proof, "id"));
    line_say(cli, "occurred", text_of(proof, "at"));
    line_say(cli, "written down", text_of(proof, "rec"));
    line_say(cli, "by", text_of(proof, "by"));
    neighbour_say(cli, json_object_get(proof, "before"), "row before");
    neighbour_say(cli, json_object_get(proof, "behind"), "row behind");
    mark_say(cli, is_true(proof, "body_holds"), "the body is readable, and its columns say what it says");
    line_say(cli, "SHA-256 of the body", text_of(proof, "body_digest"));
    mark_say(cli, is_true(proof, "link_holds"), "the link follows from the row before");
    line_say(cli, "link before", text_of(proof, "link_before"));
    line_say(cli, "link computed", text_of(proof, "link_computed"));
    line_say(cli, "link stored", text_of(proof, "link"));
    personal_say(cli, proof);
    mark_say(cli, is_true(proof, "seal_holds"), "the digest of what was sent, and the answer, are as they were written");
    line_say(cli, "digest of what was sent", text_of(proof, "sent_digest"));
    file_say(cli, proof);
    anchor_say(cli, proof);
}

int event_prove(const struct cli *cli, int64_t pos)
{
    char number[24];
    text_format(number, sizeof(number), "%" PRId64, pos);
    const char *const flags[] = {"--verify", "--event", number};
    struct buf told = {0};
    int status = CLI_REFUSED, code = CLI_REFUSED;
    bool ran = sibling_run(cli, "intake", flags, COUNT_OF(flags), &told, &status);
    json_t *proof = ran ? json_loads(buf_text(&told), 0, NULL) : NULL;
    if (proof != NULL) {
        code = is_true(proof, "good") ? CLI_DONE : CLI_REFUSED;
        if (cli->json)
            printf("%s", buf_text(&told));
        else
            proof_say(cli, proof);
    } else if (ran && status == CLI_USAGE) {
        code = cli_fail(cli, CLI_REFUSED,
                        in_words(cli->language, "`aftercare status` shows the head."),
                        in_words(cli->language, "there is no position %" PRId64), pos);
    } else if (ran) {
        code = intake_failed(cli, status);
    }
    json_decref(proof);
    buf_release(&told);
    return code;
}
