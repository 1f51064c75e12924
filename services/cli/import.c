/* import: a CSV file by a mapping, exactly once; on a stepped stream it moves the clock. */
#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "connection.h"
#include "mapping.h"
#include "plan.h"
#include "progress.h"
#include "record/record.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define UNANSWERED_MAX 2048

struct import {
    struct cli *cli;
    const char *file, *mapping_file, *rejects_file, *until, *step, *principal;
    bool stepped; /* asked for */

    struct mapping *mapping;
    struct plan plan;
    struct problem header_problem;
    bool bound;
    size_t rows, bad, columns_n;
    FILE *rejects;
    const char *encoding;

    struct stream_created stream;
    int64_t step_us;
    char source[EVENT_SOURCE_CAP];
    struct sender *sender;
    struct progress progress;
    int64_t sent, taken, there_before, refused;
    bool clock_refused;
};

/* --- bad rows ------------------------------------------------------------------------------------
 */
static void reject(struct import *import, size_t line, struct bytes row, const char *column,
                   const char *reason)
{
    import->bad++;
    if (import->rejects == NULL) {
        /* Whole rows of customers: nobody else's to read, nor a link's to lead away. */
        int fd = open(import->rejects_file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
        import->rejects = fd >= 0 ? fdopen(fd, "w") : NULL;
        if (import->rejects == NULL) {
            if (import->bad == 1)
                cli_note(import->cli,
                         in_words(import->cli->language, "cannot write %s: %s; use --rejects FILE"),
                         import->rejects_file, strerror(errno));
            return;
        }
        fputs("line,column,reason,row\n", import->rejects);
    }
    struct buf out = {0};
    buf_append_format(&out, "%zu,", line);
    csv_print_cell(&out, column, strlen(column));
    buf_append(&out, ",", 1);
    csv_print_cell(&out, reason, strlen(reason));
    buf_append(&out, ",", 1);
    csv_print_cell(&out, (const char *)row.data, row.len);
    fprintf(import->rejects, "%s\n", buf_text(&out));
    buf_release(&out);
}

static bool on_header(void *owner, const struct csv_row *row)
{
    struct import *import = owner;
    import->columns_n = row->n;
    import->bound = mapping_bind(import->mapping, row, &import->header_problem);
    return import->bound;
}

static void on_row(void *owner, const struct csv_row *row)
{
    struct import *import = owner;
    struct problem problem;
    import->rows++;
    if (mapping_row(import->mapping, row, &import->plan, &problem))
        return;
    char reason[400];
    snprintf(reason, sizeof(reason), "%s%s%s", problem.code, problem.args[0] != '\0' ? ": " : "",
             problem.args);
    reject(import, row->line, row->text, problem.field, reason);
}

static void on_bad(void *owner, const struct csv_row *row, const char *reason)
{
    struct import *import = owner;
    import->rows++;
    char words[120];
    if (text_equal(reason, "columns"))
        snprintf(words, sizeof(words), "columns: %zu cells, the header has %zu", row->n,
                 import->columns_n);
    else
        snprintf(words, sizeof(words), "%.20s%s", reason,
                 text_equal(reason, "quote")      ? ": a quote is never closed"
                 : text_equal(reason, "encoding") ? ": bytes that are no text in this encoding"
                                                  : "");
    reject(import, row->line, row->text, "", words);
}

/* --- reading
 * --------------------------------------------------------------------------------------- */
static int mapping_load(struct import *import, struct buf *text)
{
    struct problems problems = {0};
    if (!file_read(import->cli, import->mapping_file, 1 << 20, text))
        return CLI_USAGE;
    import->mapping = mapping_parse(buf_text(text), text->len, &problems);
    if (import->mapping == NULL)
        cli_problems(import->cli, import->mapping_file, &problems);
    problems_release(&problems);
    return import->mapping != NULL ? CLI_DONE : CLI_REFUSED;
}

static void source_name(struct import *import, struct bytes content, struct bytes mapping)
{
    uint8_t digest[DIGEST_BYTES];
    char hex[33];
    digest_of_two(content, mapping, digest);
    /* Other steps number the same facts otherwise: another source. */
    if (import->step != NULL && import->step_us != HOUR_US)
        digest_of_two(bytes_of(digest, sizeof(digest)), bytes_of_text(import->step), digest);
    hex_print(digest, 16, hex);
    text_format(import->source, sizeof(import->source), "%.60s/%s", import->principal, hex);
}

static int content_read(struct import *import, struct buf *content)
{
    const struct cli *cli = import->cli;
    struct buf raw = {0};
    const char *why = "";
    int code = file_read(cli, import->file, CSV_BYTES_MAX, &raw) ? CLI_DONE : CLI_USAGE;
    if (code == CLI_DONE && !csv_unpack(buf_bytes(&raw), content, &why))
        code = cli_fail(cli, CLI_REFUSED, in_words(cli->language, "Fetch the file again."),
                        "%s: %s", import->file, why);
    buf_release(&raw);
    return code;
}

static int rows_read(struct import *import, struct buf *content)
{
    static const struct csv_listener listener = {.header = on_header, .row = on_row, .bad = on_bad};
    const struct cli *cli = import->cli;
    if (!csv_to_utf8(content, mapping_encoding(import->mapping), &import->encoding))
        return cli_fail(cli, CLI_REFUSED, in_words(cli->language, "auto, utf-8 or gb18030."),
                        in_words(cli->language, "%s: unknown encoding %s"), import->mapping_file,
                        mapping_encoding(import->mapping));
    if (csv_parse_text(buf_bytes(content), mapping_delimiter(import->mapping), &listener, import))
        return CLI_DONE;
    if (import->header_problem.code[0] != '\0')
        return cli_fail(
            cli, CLI_REFUSED,
            in_words(cli->language, "Correct the mapping, or use the right one for this file."),
            in_words(cli->language, "%s:%u: the file has no column \"%s\""), import->mapping_file,
            import->header_problem.line, import->header_problem.field);
    return cli_fail(cli, CLI_REFUSED,
                    in_words(cli->language, "The first line must name the columns."),
                    in_words(cli->language, "%s has no readable header"), import->file);
}

/* --- what is when
 * ---------------------------------------------------------------------------------- */
static bool until_read(const struct import *import, int64_t *us)
{
    const struct time_reading *reading = mapping_time(import->mapping);
    *us = INT64_MAX;
    if (import->until == NULL)
        return true;
    struct time_reading days = {.zone = reading->zone, .formats = {"%Y-%m-%d"}, .formats_n = 1};
    if (!instant_parse(import->until, us) && time_read(&days, import->until, us)) {
        /* A date: to its end, wherever midnight then is. */
        *us = reading->zone != NULL ? zone_add(reading->zone, *us, (struct span){1, SPAN_DAYS})
                                    : *us + DAY_US;
        return true;
    }
    return time_read(reading, import->until, us);
}

static int clock_check(struct import *import)
{
    const struct cli *cli = import->cli;
    bool clock = import->stream.clock == CLOCK_STEPPED;
    if (import->stepped && !clock)
        return cli_fail(
            cli, CLI_REFUSED,
            in_words(cli->language, "Leave --stepped out, or begin a stepped stream for history."),
            "%s", in_words(cli->language, "this stream's time is intake's clock"));
    if (clock && !text_equal(import->stream.clock_source, import->principal)) {
        if (import->stepped)
            return cli_fail(cli, CLI_REFUSED, in_words(cli->language, "Use --as with that name."),
                            in_words(cli->language, "only %s moves this stream's time"),
                            import->stream.clock_source);
        clock = false;
    }
    if (!clock)
        import->step_us = 0;
    return CLI_DONE;
}

/* --- sending
 * --------------------------------------------------------------------------------------- */
static void on_answer(void *owner, const struct answer *answer)
{
    struct import *import = owner;
    const struct plan_fact *fact = plan_fact_of(&import->plan, answer->n);
    if (fact == NULL) {
        import->clock_refused = import->clock_refused || !answer->taken;
        return;
    }
    if (import->sender == NULL || answer->n <= sender_durable(import->sender))
        import->there_before++;
    else
        import->taken += answer->taken;
    if (answer->taken)
        return;
    char reason[400];
    snprintf(reason, sizeof(reason), "%s: %s %s", answer->problem.code, answer->problem.field,
             answer->problem.args);
    import->refused++;
    import->bad--; /* counted as refused, not as a bad row */
    struct buf event = {0};
    raw_print_json(plan_draft(&import->plan, fact), &event);
    reject(import, fact->line, buf_bytes(&event), answer->problem.field, reason);
    buf_release(&event);
}

static void time_draft(int64_t time_us, struct buf *out)
{
    struct buf data = {0};
    const struct time_reached reached = {.time_us = time_us};
    record_encode(&time_reached_record, RECORD_PLAIN, &reached, &data);
    const struct draft draft = {
        .type = "time.reached", .v = 1, .key = "clock", .at_us = time_us, .data = buf_bytes(&data)};
    draft_encode(&draft, out);
    buf_release(&data);
}

static void show(struct import *import, int64_t time_us)
{
    int64_t done = import->sent - (int64_t)sender_pending(import->sender);
    if (time_us != 0) {
        char text[INSTANT_TEXT_MAX];
        instant_print(time_us, text);
        text_copy_n(import->progress.detail, sizeof(import->progress.detail), text, 16);
    }
    progress_show(&import->progress, done, clock_boot_us());
}

struct batch {
    struct bytes drafts[APPEND_EVENTS_MAX];
    size_t n, bytes;
};

static int batch_give(struct import *import, struct batch *batch, int64_t time_us)
{
    if (batch->n == 0)
        return GOES_ON;
    sender_give(import->sender, batch->drafts, batch->n, time_us);
    import->sent += (int64_t)batch->n;
    *batch = (struct batch){0};
    int code = GOES_ON;
    /* No more than this waits for an answer; less would starve the window. */
    do
        code = sender_turn(import->sender,
                           sender_pending(import->sender) > UNANSWERED_MAX ? INT64_MAX : 0);
    while (code == GOES_ON && sender_pending(import->sender) > UNANSWERED_MAX);
    show(import, time_us);
    return code;
}

/* The end of a step: everybody has concluded from its facts, then time is there, and everybody has
 * concluded from that. */
static int step_end(struct import *import, const struct plan_item *item, bool facts)
{
    struct buf draft = {0};
    bool fresh = item->n > sender_durable(import->sender);
    int code = CLI_DONE;
    if (fresh && facts)
        code = sender_settle(import->sender);
    if (code == CLI_DONE) {
        time_draft(item->time_us, &draft);
        const struct bytes drafts[] = {buf_bytes(&draft)};
        sender_give(import->sender, drafts, 1, item->time_us);
        import->sent++;
        if (fresh)
            code = sender_settle(import->sender);
        show(import, item->time_us);
    }
    buf_release(&draft);
    if (code == CLI_DONE && import->clock_refused)
        return cli_fail(
            import->cli, CLI_REFUSED,
            in_words(import->cli->language,
                     "`aftercare refused` tells why; only the clock source may move time."),
            "%s", in_words(import->cli->language, "a step of the clock was refused"));
    return code == CLI_DONE ? GOES_ON : code;
}

static int items_send(struct import *import)
{
    struct plan_item item;
    struct batch batch = {0};
    int64_t batch_time_us = 0;
    int code = GOES_ON;
    bool facts = true; /* what others said before is unsettled too */
    while (code == GOES_ON && plan_next(&import->plan, &item)) {
        if (item.fact == NULL) {
            code = batch_give(import, &batch, batch_time_us);
            if (code == GOES_ON)
                code = step_end(import, &item, facts);
            facts = item.n <= sender_durable(import->sender);
            continue;
        }
        struct bytes draft = plan_draft(&import->plan, item.fact);
        if (batch.n == APPEND_EVENTS_MAX || batch.bytes + draft.len > APPEND_BYTES_MAX - 4096)
            code = batch_give(import, &batch, batch_time_us);
        batch.drafts[batch.n++] = draft;
        batch.bytes += draft.len;
        batch_time_us = item.time_us;
        facts = true;
    }
    if (code == GOES_ON)
        code = batch_give(import, &batch, batch_time_us);
    if (code == GOES_ON)
        code = sender_flush(import->sender);
    return code;
}

static void summary(struct import *import, int64_t passed_us)
{
    const struct cli *cli = import->cli;
    if (cli->json) {
        printf("{\"source\":\"%s\",\"rows\":%zu,\"bad_rows\":%zu,\"facts\":%zu,\"left_out\":%zu,"
               "\"sent\":%" PRId64 ",\"taken\":%" PRId64 ",\"there_before\":%" PRId64
               ",\"refused\":%" PRId64 ",\"encoding\":\"%s\",\"seconds\":%.3f}\n",
               import->source, import->rows, import->bad, import->plan.n, import->plan.left_out,
               (int64_t)import->plan.n - import->there_before, import->taken, import->there_before,
               import->refused, import->encoding, (double)passed_us / 1e6);
        return;
    }
    printf(in_words(cli->language, "%zu rows (%s), %zu events, %" PRId64 " taken, %" PRId64
                                   " already there, %" PRId64 " refused, %zu bad rows\n"),
           import->rows, import->encoding, import->plan.n, import->taken, import->there_before,
           import->refused, import->bad);
    if (import->plan.left_out > 0)
        printf(in_words(cli->language, "%zu events after %s were left out\n"),
               import->plan.left_out, import->until);
    if (import->rejects != NULL)
        printf(in_words(cli->language, "what was not taken is in %s\n"), import->rejects_file);
}

static int import_send(struct import *import)
{
    struct cli *cli = import->cli;
    int64_t begun_us = clock_boot_us();
    int code;
    progress_start(&import->progress, cli, in_words(cli->language, "events"),
                   plan_total(&import->plan), begun_us);
    int64_t total = import->progress.total;
    import->sender =
        sender_open(cli, import->stream.stream, import->source, total, on_answer, import, &code);
    if (import->sender == NULL)
        return code;
    int64_t durable = sender_durable(import->sender);
    import->progress.first = durable;
    if (durable >= total && total > 0)
        cli_note(
            cli, "%s",
            in_words(cli->language, "this file was sent before; asking for the answers again"));
    else if (durable > 0)
        cli_note(
            cli,
            in_words(cli->language, "going on behind %" PRId64 " events that are there already"),
            durable);
    code = items_send(import);
    progress_end(&import->progress, import->sent - (int64_t)sender_pending(import->sender),
                 clock_boot_us());
    sender_close(&import->sender);
    if (code == CLI_DONE)
        summary(import, clock_boot_us() - begun_us);
    return code == CLI_DONE && import->refused > 0 && import->refused == (int64_t)import->plan.n
               ? CLI_REFUSED
               : code;
}

static int import_run(struct import *import)
{
    struct buf mapping_text = {0}, content = {0};
    int code = mapping_load(import, &mapping_text);
    if (code == CLI_DONE)
        code = content_read(import, &content);
    if (code == CLI_DONE) {
        source_name(import, buf_bytes(&content), buf_bytes(&mapping_text));
        code = rows_read(import, &content);
    }
    buf_release(&content);
    buf_release(&mapping_text);
    int64_t until_us = INT64_MAX;
    if (code == CLI_DONE && !until_read(import, &until_us))
        code = cli_fail(import->cli, CLI_USAGE,
                        in_words(import->cli->language, "Like 2011-10-31 or 2011-10-31T18:00:00Z."),
                        in_words(import->cli->language, "--until %s is no time"), import->until);
    if (code == CLI_DONE)
        code = stream_read(import->cli, &import->stream);
    if (code == CLI_DONE)
        code = clock_check(import);
    if (code != CLI_DONE)
        return code;
    plan_ready(&import->plan, import->stream.start_us, until_us, import->step_us);
    return import_send(import);
}

/* --- command line
 * ---------------------------------------------------------------------------------- */
enum { OPTION_STEPPED = 256, OPTION_AS, OPTION_STEP };
static const struct argp_option import_options[] = {
    {"mapping", 'm', "MAP.yaml", 0, "what a row means (deploy/mappings/README.md)", 0},
    {"rejects", 'r', "FILE", 0,
     "where bad rows go, with line, column and reason (default: NAME.rejects.csv here)", 0},
    {"until", 'u', "TIME", 0, "leave out what is later; a stepped stream's time goes on to it", 0},
    {"stepped", OPTION_STEPPED, NULL, 0,
     "insist on moving the stream's time (done anyway where import is its clock)", 0},
    {"step", OPTION_STEP, "SPAN", 0, "length of a step (default 1h)", 0},
    {"as", OPTION_AS, "PRINCIPAL", 0, "who imports (default: import)", 0},
    {0}};

static error_t import_parse(int key, char *arg, struct argp_state *state)
{
    struct import *import = state->input;
    struct span span;
    switch (key) {
    case 'm':
        import->mapping_file = arg;
        return 0;
    case 'r':
        import->rejects_file = arg;
        return 0;
    case 'u':
        import->until = arg;
        return 0;
    case OPTION_STEPPED:
        import->stepped = true;
        return 0;
    case OPTION_AS:
        import->principal = arg;
        return 0;
    case OPTION_STEP:
        if (!span_parse(arg, &span) || (span.unit != SPAN_MINUTES && span.unit != SPAN_HOURS) ||
            span.n <= 0)
            argp_error(state, "--step: like 1h or 30min");
        import->step = arg;
        import->step_us = span_us(span);
        return 0;
    case ARGP_KEY_ARG:
        if (import->file != NULL)
            argp_error(state, "one file at a time");
        import->file = arg;
        return 0;
    case ARGP_KEY_END:
        if (import->file == NULL || import->mapping_file == NULL)
            argp_error(state, "needs FILE and --mapping MAP.yaml");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int command_import(struct cli *cli, int argc, char **argv)
{
    static const struct cli_syntax syntax = {
        import_options, import_parse, "FILE.csv[.gz]",
        "Send a CSV file by a mapping. A second run goes on where the first ended; nothing is sent "
        "twice.\v"
        "Examples:\n"
        "  aftercare import requests.csv.gz --mapping deploy/mappings/boston311.yaml --until "
        "2011-10-31\n"
        "  aftercare import calls.csv --mapping calls.yaml --rejects bad.csv --json\n\n"
        "Bad rows are kept in the rejects file and do not stop the rest."};
    struct import import = {.cli = cli, .step_us = HOUR_US, .principal = "import"};
    cli_parse(&syntax, argc, argv, &import);
    char rejects[300];
    if (import.rejects_file == NULL) {
        const char *slash = strrchr(import.file, '/');
        snprintf(rejects, sizeof(rejects), "%.250s.rejects.csv",
                 slash != NULL ? slash + 1 : import.file);
        import.rejects_file = rejects;
    }
    int code = import_run(&import);
    if (import.rejects != NULL)
        fclose(import.rejects);
    mapping_destroy(&import.mapping);
    plan_release(&import.plan);
    return code;
}
