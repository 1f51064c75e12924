/* report: closes a period where it is open, fetches the files that reporting makes of it, and says
 * that they are out. */
#include "base/digest.h"
#include "base/text.h"
#include "connection.h"
#include "proto/followup.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILES_MAX 8

struct reporting {
    struct cli *cli;
    const char *report, *period, *folder;
    bool early; /* close it although it is not over */
    struct stream_created stream;
    char key[EVENT_KEY_CAP];
    int64_t closed_pos;
    struct report_published published;
    bool published_before;
    struct asker *asker;
    struct report_row files[FILES_MAX];
    size_t files_n;
    struct buf content; /* of the file at hand */
    int64_t asked_offset;
    bool out_of_step;
};

static bool on_event(void *owner, const struct event *event)
{
    struct reporting *reporting = owner;
    struct report_published published;
    struct problem problem;
    if (text_equal(event->type, "report.closed") && reporting->closed_pos == 0)
        reporting->closed_pos = (int64_t)event->pos;
    if (text_equal(event->type, "report.published") &&
        record_decode(&report_published_record, RECORD_PLAIN, DECODE_LENIENT, event->data, NULL,
                      &published, &problem)) {
        reporting->published = published;
        reporting->published_before = true;
    }
    return true;
}

static int period_look(struct reporting *reporting)
{
    static const struct feed_listener listener = {.event = on_event};
    struct verb_open *open = memory_new(sizeof(*open));
    record_clear(&verb_open_record, open);
    text_copy(open->keys[0], EVENT_KEY_CAP, reporting->key);
    open->keys_n = 1;
    int code = stream_read(reporting->cli, &reporting->stream);
    if (code == CLI_DONE)
        code =
            feed_read(reporting->cli, reporting->stream.stream, open, false, &listener, reporting);
    free(open);
    return code;
}

static int event_append(struct reporting *reporting, const char *type, const struct record *record,
                        const void *object, int64_t *pos)
{
    struct buf data = {0}, result = {0};
    struct answer answer;
    record_encode(record, RECORD_PLAIN, object, &data);
    const struct draft draft = {
        .type = type, .v = 1, .key = reporting->key, .by = "operator", .data = buf_bytes(&data)};
    int code = send_one(reporting->cli, reporting->stream.stream, &draft, &answer, &result);
    if (code == CLI_DONE && !answer.taken)
        code = refusal_say(reporting->cli, &answer.problem);
    else if (code == CLI_DONE)
        *pos = answer.pos;
    buf_release(&data);
    buf_release(&result);
    return code;
}

/* A month that is closed stays closed: what comes later is an adjustment in the next report.
 * Whether it is over anywhere on earth is judged, since the zone is the policy's. */
static int period_over(struct reporting *reporting)
{
    const struct cli *cli = reporting->cli;
    int year = (int)strtol(reporting->period, NULL, 10),
        month = (int)strtol(reporting->period + 5, NULL, 10);
    int64_t head, now_us;
    int code = head_ask(cli, &head, &now_us);
    if (code != CLI_DONE || reporting->early)
        return code;
    int64_t end_us = days_from_civil(year + month / 12, month % 12 + 1, 1) * DAY_US - 14 * HOUR_US;
    if (now_us >= end_us)
        return CLI_DONE;
    char now[INSTANT_TEXT_MAX];
    instant_print(now_us, now);
    return cli_fail(
        cli, CLI_REFUSED,
        in_words(cli->language, "A closed month stays closed. --early closes it now all the same."),
        in_words(cli->language, "%s is not over: the stream's time is %s"), reporting->period, now);
}

static int period_close(struct reporting *reporting)
{
    struct report_closed closed;
    record_clear(&report_closed_record, &closed);
    text_copy(closed.report, sizeof(closed.report), reporting->report);
    text_copy(closed.period, sizeof(closed.period), reporting->period);
    return event_append(reporting, "report.closed", &report_closed_record, &closed,
                        &reporting->closed_pos);
}

/* --- fetching
 * ---------------------------------------------------------------------------------------- */
static void on_file(void *owner, const struct record *record, const void *row)
{
    struct reporting *reporting = owner;
    (void)record;
    if (reporting->files_n < FILES_MAX)
        reporting->files[reporting->files_n++] = *(const struct report_row *)row;
}

static void on_part(void *owner, const struct record *record, const void *row)
{
    struct reporting *reporting = owner;
    const struct report_row *part = row;
    (void)record;
    if (part->offset == reporting->asked_offset)
        buf_append(&reporting->content, part->part.data, part->part.len);
    else
        reporting->out_of_step = true;
}

static int ask(struct reporting *reporting, const char *name, int64_t offset,
               void (*row)(void *, const struct record *, const void *))
{
    struct report_args args;
    const struct question_type *question = question_find("reporting", "report");
    record_clear(question->args, &args);
    text_copy(args.report, sizeof(args.report), reporting->report);
    text_copy(args.period, sizeof(args.period), reporting->period);
    text_copy(args.name, sizeof(args.name), name);
    args.offset = offset;
    reporting->asked_offset = offset;
    const struct asking asking = {.question = question,
                                  .args = &args,
                                  .at_least = reporting->closed_pos,
                                  .row = row,
                                  .owner = reporting};
    return asker_ask(reporting->asker, &asking);
}

static int file_write(struct reporting *reporting, const struct report_row *file)
{
    struct cli *cli = reporting->cli;
    char path[700], temporary[720];
    snprintf(path, sizeof(path), "%s/%s", reporting->folder, file->name);
    snprintf(temporary, sizeof(temporary), "%s.part", path);
    FILE *out = fopen(temporary, "wb");
    bool good = out != NULL && fwrite(reporting->content.data, 1, reporting->content.len, out) ==
                                   reporting->content.len;
    if (out != NULL && fclose(out) != 0)
        good = false;
    if (!good || rename(temporary, path) != 0)
        return cli_fail(cli, CLI_REFUSED,
                        in_words(cli->language, "Check the folder and that there is room."),
                        in_words(cli->language, "cannot write %s: %s"), path, strerror(errno));
    if (!cli->json)
        printf(in_words(cli->language, "%s  %" PRId64 " bytes\n"), path, file->bytes);
    return CLI_DONE;
}

static int file_fetch(struct reporting *reporting, const struct report_row *file)
{
    struct cli *cli = reporting->cli;
    buf_reset(&reporting->content);
    int code = CLI_DONE;
    while (code == CLI_DONE && (int64_t)reporting->content.len < file->bytes) {
        size_t before = reporting->content.len;
        code = ask(reporting, file->name, (int64_t)before, on_part);
        if (code == CLI_DONE && reporting->content.len == before)
            reporting->out_of_step = true;
        if (reporting->out_of_step)
            break;
    }
    if (code != CLI_DONE)
        return code;
    uint8_t digest[DIGEST_BYTES];
    digest_of(buf_bytes(&reporting->content), digest);
    if (reporting->out_of_step || memcmp(digest, file->sha256, DIGEST_BYTES) != 0)
        return cli_fail(
            cli, CLI_REFUSED,
            in_words(cli->language, "Run it again; if it stays so, `aftercare verify`."),
            in_words(cli->language, "%s does not have the SHA-256 it should have"), file->name);
    if (strchr(file->name, '/') != NULL || file->name[0] == '.')
        return cli_fail(cli, CLI_REFUSED, NULL, in_words(cli->language, "\"%s\" is no file name"),
                        file->name);
    return file_write(reporting, file);
}

static int folder_make(struct reporting *reporting)
{
    char path[600];
    text_copy(path, sizeof(path), reporting->folder);
    for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash != NULL)
            *slash = '\0';
        if (mkdir(path, 0755) != 0 && errno != EEXIST)
            return cli_fail(reporting->cli, CLI_REFUSED,
                            in_words(reporting->cli->language, "Give another folder by --out."),
                            in_words(reporting->cli->language, "cannot make %s: %s"), path,
                            strerror(errno));
        if (slash == NULL)
            return CLI_DONE;
        *slash = '/';
    }
}

/* --- announcing
 * -------------------------------------------------------------------------------------- */
static int publish(struct reporting *reporting)
{
    struct report_published published;
    int64_t pos;
    record_clear(&report_published_record, &published);
    text_copy(published.report, sizeof(published.report), reporting->report);
    text_copy(published.period, sizeof(published.period), reporting->period);
    published.pos = reporting->closed_pos;
    for (size_t i = 0; i < reporting->files_n; i++) {
        struct report_file *file = &published.files[published.files_n++];
        const struct report_row *row = &reporting->files[i];
        text_copy(file->name, sizeof(file->name), row->name);
        text_copy(file->media, sizeof(file->media), row->media);
        memcpy(file->sha256, row->sha256, sizeof(file->sha256));
        file->bytes = row->bytes;
    }
    if (reporting->published_before &&
        record_equal(&report_published_record, &published, &reporting->published))
        return CLI_DONE;
    return event_append(reporting, "report.published", &report_published_record, &published, &pos);
}

static void files_json(const struct reporting *reporting)
{
    struct buf out = {0};
    buf_append_format(&out,
                      "{\"report\":\"%s\",\"period\":\"%s\",\"closed\":%" PRId64 ",\"files\":[",
                      reporting->report, reporting->period, reporting->closed_pos);
    for (size_t i = 0; i < reporting->files_n; i++) {
        const struct report_row *file = &reporting->files[i];
        char path[700], hex[2 * DIGEST_BYTES + 1];
        snprintf(path, sizeof(path), "%s/%s", reporting->folder, file->name);
        hex_print(file->sha256, DIGEST_BYTES, hex);
        buf_append_text(&out, i > 0 ? ",{\"path\":" : "{\"path\":");
        json_text(&out, path);
        buf_append_format(&out, ",\"bytes\":%" PRId64 ",\"sha256\":\"%s\"}", file->bytes, hex);
    }
    printf("%s]}\n", buf_text(&out));
    buf_release(&out);
}

static int report_run(struct reporting *reporting)
{
    struct cli *cli = reporting->cli;
    text_format(reporting->key, sizeof(reporting->key), "%.32s.%.8s", reporting->report,
                reporting->period);
    int code = folder_make(reporting);
    if (code == CLI_DONE)
        code = period_look(reporting);
    if (code == CLI_DONE && reporting->closed_pos == 0)
        code = period_over(reporting);
    if (code == CLI_DONE && reporting->closed_pos == 0)
        code = period_close(reporting);
    if (code != CLI_DONE)
        return code;
    reporting->asker = asker_new(cli);
    code = reporting->asker != NULL ? ask(reporting, "", 0, on_file) : CLI_SILENT;
    if (code == CLI_DONE && reporting->files_n == 0)
        code =
            cli_fail(cli, CLI_REFUSED,
                     in_words(cli->language,
                              "Look at reporting's log; `aftercare status` shows how far it is."),
                     in_words(cli->language, "reporting has no files for %s"), reporting->period);
    for (size_t i = 0; i < reporting->files_n && code == CLI_DONE; i++)
        code = file_fetch(reporting, &reporting->files[i]);
    if (code == CLI_DONE)
        code = publish(reporting);
    if (code == CLI_DONE && cli->json)
        files_json(reporting);
    return code;
}

static bool is_month(const char *text)
{
    return strlen(text) == 7 && strspn(text, "0123456789") == 4 && text[4] == '-' &&
           ((text[5] == '0' && text[6] >= '1' && text[6] <= '9') ||
            (text[5] == '1' && text[6] >= '0' && text[6] <= '2'));
}

static error_t report_parse(int key, char *arg, struct argp_state *state)
{
    struct reporting *reporting = state->input;
    switch (key) {
    case 'p':
        if (!is_month(arg))
            argp_error(state, "--period: a month like 2011-08");
        reporting->period = arg;
        return 0;
    case 'e':
        reporting->early = true;
        return 0;
    case 'o':
        reporting->folder = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (!text_equal(arg, "monthly"))
            argp_error(state, "there is the report monthly");
        reporting->report = arg;
        return 0;
    case ARGP_KEY_END:
        if (reporting->report == NULL || reporting->period == NULL)
            argp_error(state, "needs monthly --period YYYY-MM");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int command_report(struct cli *cli, int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"period", 'p', "YYYY-MM", 0, "the month", 0},
        {"early", 'e', NULL, 0, "close the month although it is not over", 0},
        {"out", 'o', "DIR", 0, "where the files go (default: here)", 0},
        {0}};
    static const struct cli_syntax syntax = {
        options, report_parse, "monthly",
        "Close a month where it is open and write its report. Run again it writes the same "
        "bytes.\vExample:\n"
        "  aftercare report monthly --period 2011-08 --out reports"};
    struct reporting *reporting = memory_new(sizeof(*reporting));
    reporting->cli = cli;
    reporting->folder = ".";
    cli_parse(&syntax, argc, argv, reporting);
    int code = report_run(reporting);
    asker_destroy(&reporting->asker);
    buf_release(&reporting->content);
    free(reporting);
    return code;
}
