/* status: the head, how far every worker is, what was refused. */
#include "base/text.h"
#include "connection.h"
#include "progress.h"
#include "status_calendars.h"
#include "table_print.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SERVICES_MAX        9
#define REFUSED_COUNTED_MAX 1000

struct overview {
    struct cli *cli;
    struct stream_created stream;
    struct status_row rows[SERVICES_MAX];
    bool answers[SERVICES_MAX];
    size_t n;
    int64_t refused;
    struct unknown_years unknown;
};

static void on_row(void *owner, const struct record *record, const void *row)
{
    struct overview *status = owner;
    const struct status_row *got = row;
    (void)record;
    for (size_t i = 0; i < status->n; i++)
        if (text_equal(status->rows[i].service, got->service)) {
            status->rows[i] = *got;
            status->answers[i] = true;
        }
}

static void on_refused(void *owner, const struct record *record, const void *row)
{
    struct overview *status = owner;
    (void)record;
    (void)row;
    status->refused++;
}

static int ask_all(struct overview *status)
{
    struct asker *asker = asker_new(status->cli);
    if (asker == NULL)
        return CLI_SILENT;
    struct asking asking = {
        .question = question_find("intake", "status"), .row = on_row, .owner = status};
    int code = asker_ask(asker, &asking);
    /* A worker knows best itself; what intake said of one that is silent is not how it stands. */
    for (size_t i = 1; i < status->n && code == CLI_DONE; i++) {
        status->answers[i] = false;
        asking.question = question_find(status->rows[i].service, "status");
        asking.quiet = true;
        if (asking.question != NULL && asker_ask(asker, &asking) != CLI_DONE)
            status->answers[i] = false;
    }
    if (code == CLI_DONE) {
        asking = (struct asking){.question = question_find("intake", "refused"),
                                 .limit = REFUSED_COUNTED_MAX,
                                 .quiet = true,
                                 .row = on_refused,
                                 .owner = status};
        if (asker_ask(asker, &asking) != CLI_DONE)
            status->refused = -1;
    }
    asker_destroy(&asker);
    return code;
}

static void json_print(const struct overview *status)
{
    struct buf out = {0};
    buf_append_text(&out, "{\"data\":");
    json_text(&out, status->cli->settings.data);
    buf_append_text(&out, ",\"stream\":");
    json_text(&out, status->stream.stream);
    buf_append_format(
        &out, ",\"clock\":\"%s\",\"head\":%" PRId64 ",\"refused\":%" PRId64 ",\"services\":[",
        status->stream.clock == CLOCK_STEPPED ? "stepped" : "wall", status->rows[0].pos,
        status->refused);
    for (size_t i = 0; i < status->n; i++) {
        const struct status_row *row = &status->rows[i];
        char checked[INSTANT_TEXT_MAX] = "";
        if (row->checked_us != 0)
            instant_print(row->checked_us, checked);
        buf_append_format(&out, "%s{\"service\":\"%s\",\"answers\":%s", i > 0 ? "," : "",
                          row->service, status->answers[i] ? "true" : "false");
        if (status->answers[i])
            buf_append_format(
                &out,
                ",\"pos\":%" PRId64 ",\"lag\":%" PRId64 ",\"upto\":%" PRId64
                ",\"in_flight\":%" PRId64 ",\"parked\":%" PRId64
                ",\"checked_until\":\"%s\",\"open_rows\":%" PRId64 ",\"memory_bytes\":%" PRId64,
                row->pos, status->rows[0].pos > row->pos ? status->rows[0].pos - row->pos : 0,
                row->upto, row->in_flight, row->parked, checked, row->open_rows, row->memory_bytes);
        buf_append_text(&out, "}");
    }
    buf_append_text(&out, "],\"calendars_without_data\":[");
    for (size_t i = 0; i < status->unknown.n; i++) {
        const struct unknown_year *item = &status->unknown.items[i];
        buf_append_format(&out, "%s{\"calendar\":\"%s\",\"version\":\"%s\",\"year\":%d}",
                          i > 0 ? "," : "", item->name, item->version, item->year);
    }
    printf("%s]}\n", buf_text(&out));
    buf_release(&out);
}

static void number_cell(struct sheet *sheet, int64_t n)
{
    char text[32];
    number_words(n, text);
    sheet_cell(sheet, text);
}

static void service_row(const struct overview *status, size_t i, struct sheet *sheet)
{
    const struct cli *cli = status->cli;
    const struct status_row *row = &status->rows[i];
    sheet_cell(sheet, row->service);
    if (!status->answers[i]) {
        sheet_cell(sheet, in_words(cli->language, "does not answer"));
        for (int empty = 0; empty < 7; empty++)
            sheet_cell(sheet, "");
        return;
    }
    char checked[INSTANT_TEXT_MAX];
    int64_t lag = status->rows[0].pos - row->pos;
    sheet_cell(sheet, lag > 0 || row->parked > 0
                          ? (row->parked > 0 ? in_words(cli->language, "has parked events")
                                             : in_words(cli->language, "behind"))
                          : in_words(cli->language, "up to date"));
    number_cell(sheet, row->pos);
    number_cell(sheet, lag > 0 ? lag : 0);
    number_cell(sheet, row->parked);
    number_cell(sheet, row->in_flight);
    time_words(row->checked_us, checked);
    sheet_cell(sheet, checked);
    number_cell(sheet, row->open_rows);
    number_cell(sheet, row->memory_bytes / (1024 * 1024));
}

static void people_print(const struct overview *status)
{
    const struct cli *cli = status->cli;
    const char *titles[] = {"service",   "state",         "position",  "lag", "parked",
                            "in flight", "checked until", "open rows", "MiB"};
    char head[32];
    struct sheet sheet;
    struct buf out = {0};
    number_words(status->rows[0].pos, head);
    printf(in_words(cli->language, "stream %s, head %s, time %s\n"), status->stream.stream, head,
           status->stream.clock == CLOCK_STEPPED ? in_words(cli->language, "moved by steps")
                                                 : in_words(cli->language, "intake's clock"));
    if (status->refused > 0)
        printf(in_words(cli->language, "%" PRId64 "%s events refused: `aftercare refused`\n"),
               status->refused, status->refused == REFUSED_COUNTED_MAX ? "+" : "");
    sheet_init(&sheet, COUNT_OF(titles));
    for (size_t i = 0; i < COUNT_OF(titles); i++)
        sheet_cell(&sheet, in_words(cli->language, titles[i]));
    for (size_t i = 0; i < status->n; i++)
        service_row(status, i, &sheet);
    sheet_print(&sheet, cli->colour, &out);
    fputs(buf_text(&out), stdout);
    for (size_t i = 0; i < status->unknown.n; i++)
        printf(
            in_words(cli->language, "calendar %s (%s): no holidays of %d, counted by the week\n"),
            status->unknown.items[i].name, status->unknown.items[i].version,
            status->unknown.items[i].year);
    buf_release(&out);
    sheet_release(&sheet);
}

/* The latest that any service knows of. */
static int64_t stream_time_us(const struct overview *status)
{
    int64_t us = status->stream.start_us;
    for (size_t i = 0; i < status->n; i++)
        us = status->rows[i].checked_us > us ? status->rows[i].checked_us : us;
    return us;
}

int command_status(struct cli *cli, int argc, char **argv)
{
    static const struct cli_syntax syntax = {
        NULL, NULL, NULL,
        "Print the head, and how far every worker is. Exit code 1: a worker does not "
        "answer.\vExample:\n  aftercare status --json"};
    struct overview *status = memory_new(sizeof(*status));
    status->cli = cli;
    cli_parse(&syntax, argc, argv, status);
    int code = stream_read(cli, &status->stream);
    if (code == CLI_DONE) {
        text_copy(status->rows[status->n++].service, sizeof(status->rows[0].service), "intake");
        for (uint32_t i = 0; i < status->stream.workers_n && status->n < SERVICES_MAX; i++)
            text_copy(status->rows[status->n++].service, sizeof(status->rows[0].service),
                      status->stream.workers[i]);
        code = ask_all(status);
    }
    if (code == CLI_DONE)
        code = unknown_years_read(cli, status->stream.stream, stream_time_us(status),
                                  &status->unknown);
    if (code == CLI_DONE) {
        if (cli->json)
            json_print(status);
        else
            people_print(status);
        for (size_t i = 0; i < status->n; i++)
            if (!status->answers[i])
                code = CLI_REFUSED;
    }
    free(status);
    return code;
}
