/* parked: what workers have set aside, told; tried again; left out, with a reason that stands in the journal. */
#include "parked.h"
#include "base/text.h"
#include "table_print.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct command_line {
    struct cli *cli;
    const char *words[3]; /* [WORKER], or retry|drop WORKER POS|KEY */
    size_t words_n;
    const char *reason, *by;
};

static bool is_deed(const struct command_line *line)
{
    return line->words_n > 0 && (text_equal(line->words[0], "retry") || text_equal(line->words[0], "drop"));
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct command_line *line = state->input;
    switch (key) {
    case 'r':
        line->reason = arg;
        return 0;
    case 'b':
        line->by = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (line->words_n == COUNT_OF(line->words))
            argp_error(state, "too many words");
        line->words[line->words_n++] = arg;
        return 0;
    case ARGP_KEY_END:
        if (is_deed(line) && line->words_n != 3)
            argp_error(state, "which one? `aftercare parked %s WORKER POS|KEY`", line->words[0]);
        if (!is_deed(line) && line->words_n > 1)
            argp_error(state, "[WORKER], or retry or drop WORKER POS|KEY");
        if (is_deed(line) && text_equal(line->words[0], "drop") && (line->reason == NULL || line->reason[0] == '\0'))
            argp_error(state, "why? --reason TEXT stands in the journal beside the event that is left out");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* --- the list -------------------------------------------------------------------------------------- */

static void item_print_json(const struct parked_item *item)
{
    struct buf out = {0};
    char since[INSTANT_TEXT_MAX] = "";
    if (item->since_us != 0)
        instant_print(item->since_us, since);
    buf_append_format(&out, "{\"worker\":\"%s\",\"pos\":%" PRId64 ",\"key\":", item->worker, item->pos);
    json_text(&out, item->key);
    buf_append_format(&out, ",\"type\":\"%s\",\"since\":", item->type);
    if (since[0] != '\0')
        json_text(&out, since);
    else
        buf_append_text(&out, "null");
    buf_append_format(&out, ",\"tries\":%" PRId64 ",\"waiting\":", item->tries);
    if (item->waiting >= 0)
        buf_append_format(&out, "%" PRId64, item->waiting);
    else
        buf_append_text(&out, "null");
    buf_append_text(&out, ",\"reason\":");
    json_text(&out, item->reason);
    printf("%s}\n", buf_text(&out));
    buf_release(&out);
}

static void sheet_fill(struct sheet *sheet, const struct parked *parked)
{
    for (size_t i = 0; i < parked->n; i++) {
        const struct parked_item *item = &parked->items[i];
        char pos[24], since[INSTANT_TEXT_MAX], waiting[24] = "?", tries[24];
        text_format(pos, sizeof(pos), "%" PRId64, item->pos);
        text_format(tries, sizeof(tries), "%" PRId64, item->tries);
        if (item->waiting >= 0)
            text_format(waiting, sizeof(waiting), "%" PRId64, item->waiting);
        time_words(item->since_us, since);
        sheet_cell(sheet, item->worker);
        sheet_cell(sheet, pos);
        sheet_cell(sheet, item->type);
        sheet_cell(sheet, item->key);
        sheet_cell(sheet, since);
        sheet_cell(sheet, waiting);
        sheet_cell(sheet, tries);
        sheet_cell_whole(sheet, item->reason);
    }
}

static void list_print(const struct cli *cli, const struct parked *parked)
{
    static const char *const titles[] = {"worker", "pos", "type", "key", "since", "waiting", "tries", "reason"};
    struct sheet sheet;
    struct buf out = {0};
    for (size_t i = 0; i < parked->silent_n; i++)
        cli_note(cli, in_words(cli->language, "%s does not answer: what the journal says of it"), parked->silent[i]);
    if (cli->json) {
        for (size_t i = 0; i < parked->n; i++)
            item_print_json(&parked->items[i]);
        return;
    }
    if (parked->n == 0) {
        printf("%s\n", in_words(cli->language, "none"));
        return;
    }
    sheet_init(&sheet, COUNT_OF(titles));
    for (size_t i = 0; i < COUNT_OF(titles); i++)
        sheet_cell(&sheet, in_words(cli->language, titles[i]));
    sheet_fill(&sheet, parked);
    sheet_print(&sheet, cli->colour, &out);
    printf("%s%s\n", buf_text(&out),
           in_words(cli->language, "`aftercare parked retry WORKER POS` tries again, `parked drop WORKER POS --reason …` leaves it out"));
    buf_release(&out);
    sheet_release(&sheet);
}

/* --- retry, drop ----------------------------------------------------------------------------------- */

/* By position, or the first of that key. */
static const struct parked_item *item_named(const struct parked *parked, const char *word)
{
    char *end;
    long long pos = strtoll(word, &end, 10);
    for (size_t i = 0; i < parked->n; i++)
        if (text_equal(parked->items[i].key, word) || (*end == '\0' && parked->items[i].pos == pos))
            return &parked->items[i];
    return NULL;
}

static int deed_send(const struct command_line *line, const char *stream, const struct parked_item *item, int64_t *pos)
{
    const struct cli *cli = line->cli;
    bool drop = text_equal(line->words[0], "drop");
    const struct record *record = drop ? &event_dropped_record : &event_released_record;
    struct event_released released; /* event.dropped has the same form */
    struct buf data = {0}, result = {0};
    struct answer answer;
    char by[EVENT_BY_CAP];
    operator_by(by);
    record_clear(record, &released);
    released.pos = item->pos;
    text_copy(released.worker, sizeof(released.worker), item->worker);
    text_copy(released.reason, sizeof(released.reason), line->reason != NULL ? line->reason : "");
    record_encode(record, RECORD_PLAIN, &released, &data);
    const struct draft draft = {.type = drop ? "event.dropped" : "event.released",
                                .v = 1,
                                .key = item->key,
                                .by = line->by != NULL ? line->by : by,
                                .data = buf_bytes(&data)};
    int code = send_one(cli, stream, &draft, &answer, &result);
    if (code == CLI_DONE && !answer.taken)
        code = refusal_say(cli, &answer.problem);
    *pos = answer.pos;
    buf_release(&data);
    buf_release(&result);
    return code;
}

/* What became of it, by the worker's own word once it has come so far. */
static int outcome_say(const struct command_line *line, const struct parked_item *item, int64_t pos)
{
    const struct cli *cli = line->cli;
    struct parked after = {0};
    struct stream_created stream;
    const struct parked_item *left = NULL;
    int code = parked_gather(cli, &stream, item->worker, pos, &after);
    for (size_t i = 0; i < after.n; i++)
        if (text_equal(after.items[i].key, item->key))
            left = &after.items[i];
    if (code != CLI_DONE) {
        parked_release(&after);
        return code;
    }
    bool silent = after.silent_n > 0;
    if (cli->json)
        printf("{\"pos\":%" PRId64 ",\"worker\":\"%s\",\"event\":%" PRId64 ",\"outcome\":\"%s\"}\n", pos, item->worker, item->pos,
               silent         ? "unknown"
               : left == NULL ? "done"
                              : "parked");
    if (silent)
        code = cli_fail(cli, CLI_SILENT, in_words(cli->language, "`aftercare parked` tells later what became of it."),
                        in_words(cli->language, "taken at position %" PRId64 ", and %s does not answer"), pos, item->worker);
    else if (left != NULL)
        code = cli_fail(cli, CLI_REFUSED, in_words(cli->language, "Mend the cause, or leave it out: `aftercare parked drop`."),
                        in_words(cli->language, "position %" PRId64 " (%s) is still set aside: %s"), left->pos, left->type,
                        left->reason);
    else if (!cli->json)
        printf(in_words(cli->language, "taken at position %" PRId64 "; nothing of %s is set aside any more\n"), pos, item->key);
    parked_release(&after);
    return code;
}

static int deed(const struct command_line *line, const char *stream, const struct parked *parked)
{
    const struct cli *cli = line->cli;
    const struct parked_item *item = item_named(parked, line->words[2]);
    int64_t pos = 0;
    if (item == NULL)
        return cli_fail(cli, CLI_REFUSED, in_words(cli->language, "`aftercare parked` lists what is set aside."),
                        in_words(cli->language, "%s has not set aside %s"), line->words[1], line->words[2]);
    int code = deed_send(line, stream, item, &pos);
    return code == CLI_DONE ? outcome_say(line, item, pos) : code;
}

int command_parked(struct cli *cli, int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"reason", 'r', "TEXT", 0, "why; stands in the journal (drop: required)", 0},
        {"by", 'b', "WHO", 0, "who acts (default: your login, for operator)", 0},
        {0}};
    static const struct cli_syntax syntax = {options, parse, "[WORKER]\nretry WORKER POS|KEY\ndrop WORKER POS|KEY --reason TEXT",
                                             "List the events that a worker has set aside, try one again, or leave one out.\v"
                                             "Examples:\n"
                                             "  aftercare parked\n"
                                             "  aftercare parked retry dispatcher 4711\n"
                                             "  aftercare parked drop dispatcher GD01-20261122-000123 --reason 'entered twice'"};
    struct command_line line = {.cli = cli};
    struct parked parked = {0};
    struct stream_created stream;
    cli_parse(&syntax, argc, argv, &line);
    const char *worker = is_deed(&line) ? line.words[1] : line.words_n > 0 ? line.words[0] : "";
    int code = CLI_USAGE;
    if (worker[0] != '\0' && question_find(worker, "parked") == NULL)
        cli_fail(cli, CLI_USAGE, in_words(cli->language, "`aftercare status` lists them."),
                 in_words(cli->language, "there is no worker \"%s\""), worker);
    else
        code = parked_gather(cli, &stream, worker, 0, &parked);
    if (code == CLI_DONE && is_deed(&line))
        code = deed(&line, stream.stream, &parked);
    else if (code == CLI_DONE)
        list_print(cli, &parked);
    parked_release(&parked);
    return code;
}
