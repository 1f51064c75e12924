/* tail: the journal as it is, and as it grows. ticket: one key's story. */
#include "base/text.h"
#include "connection.h"
#include "event_print.h"
#include "table_print.h"
#include "tail_exec.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum tail_format { TAIL_TABLE, TAIL_JSONL, TAIL_CLOUDEVENTS };

struct tail {
    struct cli *cli;
    const char *from, *key;
    enum tail_format format;
    struct verb_open open;
    struct stream_created stream;
    struct buf line;
    uint64_t told;
    const char *cursor;
    struct runner runner; /* command NULL: events are printed */
    bool failed;          /* the runner's trouble, told */
};

static void padded(struct buf *out, const char *text, size_t columns)
{
    buf_append_text(out, text);
    for (size_t have = text_columns(text); have < columns; have++)
        buf_append(out, " ", 1);
    buf_append(out, "  ", 2);
}

static const char *colour_of(const char *type)
{
    if (text_starts(type, "sla.breached") || text_starts(type, "event.parked") ||
        text_starts(type, "followup.missed"))
        return "\033[31m";
    if (text_starts(type, "sla.met") || text_starts(type, "ticket.resolved") ||
        text_starts(type, "ticket.closed"))
        return "\033[32m";
    return text_starts(type, "job.") ? "\033[36m" : "";
}

static void row_print(struct tail *tail, const struct event *event)
{
    const struct cli *cli = tail->cli;
    char text[INSTANT_TEXT_MAX], pos[24];
    struct buf *line = &tail->line;
    text_format(pos, sizeof(pos), "%8" PRIu64, event->pos);
    padded(line, pos, 8);
    time_words(event->at_us != 0 ? event->at_us : event->rec_us, text);
    padded(line, text, 19);
    const char *colour = cli->colour ? colour_of(event->type) : "";
    buf_append_text(line, colour);
    padded(line, event->type, 20);
    padded(line, event_title(event, cli->language), 18);
    if (*colour != '\0')
        buf_append_text(line, "\033[0m");
    padded(line, event->key, 14);
    padded(line, event->region, 8);
    event_words(event, cli->language, line);
}

static bool on_event(void *owner, const struct event *event)
{
    struct tail *tail = owner;
    buf_reset(&tail->line);
    switch (tail->format) {
    case TAIL_TABLE:
        row_print(tail, event);
        break;
    case TAIL_JSONL:
        event_print_json(event, &tail->line);
        break;
    case TAIL_CLOUDEVENTS:
        event_print_cloudevent(event, tail->stream.stream, &tail->line);
        break;
    }
    buf_append(&tail->line, "\n", 1);
    tail->told++;
    if (tail->runner.command != NULL) {
        tail->failed = !runner_run(&tail->runner, event, buf_bytes(&tail->line));
        return !tail->failed;
    }
    return fwrite(tail->line.data, 1, tail->line.len, stdout) == tail->line.len;
}

static void on_head(void *owner, uint64_t head)
{
    (void)owner;
    (void)head;
    fflush(stdout);
}

/* Where `--from` points: positions after this one. */
static int start_find(struct tail *tail, int64_t *after)
{
    const struct cli *cli = tail->cli;
    *after = 0;
    if (tail->from == NULL || text_equal(tail->from, "start"))
        return CLI_DONE;
    if (text_equal(tail->from, "now"))
        return head_read(cli, after);
    char *end;
    long long pos = strtoll(tail->from, &end, 10);
    if (*end != '\0' || end == tail->from || pos < 1)
        return cli_fail(cli, CLI_USAGE,
                        in_words(cli->language, "start, a position like 1200, or now"),
                        in_words(cli->language, "--from %s is no position"), tail->from);
    *after = pos - 1;
    return CLI_DONE;
}

static bool format_of(const char *name, enum tail_format *format)
{
    static const char *const names[] = {"table", "jsonl", "cloudevents"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (text_equal(names[i], name)) {
            *format = (enum tail_format)i;
            return true;
        }
    return false;
}

static error_t tail_parse(int key, char *arg, struct argp_state *state)
{
    struct tail *tail = state->input;
    struct verb_open *open = &tail->open;
    switch (key) {
    case 'f':
        open->follow = true;
        return 0;
    case 'F':
        tail->from = arg;
        return 0;
    case 't':
        if (open->types_n == COUNT_OF(open->types) ||
            !text_copy(open->types[open->types_n++], EVENT_TYPE_CAP, arg))
            argp_error(state, "--type: at most 32 prefixes");
        return 0;
    case 'r':
        if (open->regions_n == COUNT_OF(open->regions) ||
            !text_copy(open->regions[open->regions_n++], EVENT_REGION_CAP, arg))
            argp_error(state, "--region: at most 16 prefixes");
        return 0;
    case 'k':
        if (open->keys_n == COUNT_OF(open->keys) ||
            !text_copy(open->keys[open->keys_n++], EVENT_KEY_CAP, arg))
            argp_error(state, "--key: at most 16");
        return 0;
    case 'o':
        if (!format_of(arg, &tail->format))
            argp_error(state, "--format: table, jsonl or cloudevents");
        return 0;
    case 'x':
        tail->runner.command = arg;
        return 0;
    case 'C':
        tail->cursor = arg;
        return 0;
    case ARGP_KEY_END:
        if (tail->cursor != NULL && tail->runner.command == NULL)
            argp_error(state, "--cursor belongs to --exec");
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected \"%s\"", arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* What its cursor belongs to, beside the command. */
static void filter_words(const struct verb_open *open, struct buf *out)
{
    for (uint32_t i = 0; i < open->types_n; i++)
        buf_append_format(out, "type %s\n", open->types[i]);
    for (uint32_t i = 0; i < open->regions_n; i++)
        buf_append_format(out, "region %s\n", open->regions[i]);
    for (uint32_t i = 0; i < open->keys_n; i++)
        buf_append_format(out, "key %s\n", open->keys[i]);
}

/* Goes on where the cursor stands; without one --from counts. */
static int runner_open(struct tail *tail)
{
    struct runner *runner = &tail->runner;
    struct buf filter = {0};
    runner->cli = tail->cli;
    memcpy(runner->stream, tail->stream.stream, sizeof(runner->stream));
    filter_words(&tail->open, &filter);
    if (tail->cursor == NULL)
        runner_place(runner, buf_text(&filter));
    buf_release(&filter);
    if (tail->cursor != NULL && !text_copy(runner->cursor, sizeof(runner->cursor), tail->cursor))
        return cli_fail(tail->cli, CLI_USAGE, NULL, in_words(tail->cli->language, "%s is no cursor"), tail->cursor);
    return runner_begin(runner, &tail->open.after);
}

int command_tail(struct cli *cli, int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"from", 'F', "start|POS|now", 0, "where to begin (default: start; with --follow: now)", 0},
        {"follow", 'f', NULL, 0, "go on as the journal grows", 0},
        {"type", 't', "PREFIX", 0, "only types that begin so; may be repeated", 0},
        {"region", 'r', "PREFIX", 0, "only regions that begin so; may be repeated", 0},
        {"key", 'k', "KEY", 0, "only this key; may be repeated", 0},
        {"exec", 'x', "COMMAND", 0, "run it for each event, which it gets on standard input; a failed one again until it is well", 0},
        {"cursor", 'C', "FILE", 0, "with --exec: where it keeps how far it came (default: in ~/.local/state/aftercare)", 0},
        {"format", 'o', "table|jsonl|cloudevents", 0, "how (default: table)", 0},
        {0}};
    static const struct cli_syntax syntax = {
        options, tail_parse, NULL,
        "Read the journal.\vExamples:\n"
        "  aftercare tail --follow\n"
        "  aftercare tail --type sla. --region GD --format jsonl\n"
        "  aftercare tail --from 1200 --format cloudevents\n"
        "  aftercare tail --follow --type sla.breached --exec 'mail -s \"$AFTERCARE_KEY is late\" desk@example.com'"};
    static const struct feed_listener listener = {.event = on_event, .head = on_head};
    struct tail *tail = memory_new(sizeof(*tail));
    tail->cli = cli;
    record_clear(&verb_open_record, &tail->open);
    cli_parse(&syntax, argc, argv, tail);
    if ((cli->json || tail->runner.command != NULL) && tail->format == TAIL_TABLE)
        tail->format = TAIL_JSONL;
    if (tail->from == NULL && tail->open.follow)
        tail->from = "now";
    int code = start_find(tail, &tail->open.after);
    if (code == CLI_DONE)
        code = stream_read(cli, &tail->stream);
    if (code == CLI_DONE && tail->runner.command != NULL)
        code = runner_open(tail);
    if (code == CLI_DONE)
        code = feed_read(cli, tail->stream.stream, &tail->open, false, &listener, tail);
    if (code == CLI_DONE && tail->failed)
        code = CLI_REFUSED;
    buf_release(&tail->line);
    free(tail);
    return code;
}

/* --- ticket --------------------------------------------------------------------------------------
 */
struct story {
    struct tail tail;
    struct sheet sheet;
};

static bool on_story(void *owner, const struct event *event)
{
    struct story *story = owner;
    const struct cli *cli = story->tail.cli;
    if (cli->json)
        return on_event(&story->tail, event);
    char text[INSTANT_TEXT_MAX];
    struct buf *line = &story->tail.line;
    story->tail.told++;
    text_format(text, sizeof(text), "%" PRIu64, event->pos);
    sheet_cell(&story->sheet, text);
    time_words(event->at_us != 0 ? event->at_us : event->rec_us, text);
    sheet_cell(&story->sheet, text);
    sheet_cell(&story->sheet, event_title(event, cli->language));
    sheet_cell(&story->sheet, event->by[0] != '\0' ? event->by : event->from);
    buf_reset(line);
    if (event->cause != 0)
        buf_append_format(line, in_words(cli->language, "after %" PRIu64), event->cause);
    sheet_cell(&story->sheet, buf_text(line));
    buf_reset(line);
    event_words(event, cli->language, line);
    sheet_cell_whole(&story->sheet, buf_text(line));
    return true;
}

static error_t ticket_parse(int key, char *arg, struct argp_state *state)
{
    struct story *story = state->input;
    if (key == ARGP_KEY_ARG && story->tail.key == NULL) {
        story->tail.key = arg;
        return 0;
    }
    if (key == ARGP_KEY_END && story->tail.key == NULL)
        argp_error(state, "needs a ticket's number");
    return ARGP_ERR_UNKNOWN;
}

static int story_read(struct story *story)
{
    static const struct feed_listener listener = {.event = on_story};
    struct cli *cli = story->tail.cli;
    struct verb_open *open = &story->tail.open;
    const char *titles[] = {"pos", "time", "what", "who", "why", "details"};
    if (!text_is_key(story->tail.key, strlen(story->tail.key)))
        return cli_fail(cli, CLI_USAGE, in_words(cli->language, "Up to 64 of A-Z a-z 0-9 . _ -"),
                        in_words(cli->language, "\"%s\" cannot be a key"), story->tail.key);
    text_copy(open->keys[0], EVENT_KEY_CAP, story->tail.key);
    open->keys_n = 1;
    for (size_t i = 0; i < COUNT_OF(titles); i++)
        sheet_cell(&story->sheet, in_words(cli->language, titles[i]));
    int code = stream_read(cli, &story->tail.stream);
    if (code == CLI_DONE)
        code = feed_read(cli, story->tail.stream.stream, open, false, &listener, story);
    if (code == CLI_DONE && story->tail.told == 0)
        code =
            cli_fail(cli, CLI_REFUSED, in_words(cli->language, "`aftercare tickets` lists them."),
                     in_words(cli->language, "nothing is known about %s"), story->tail.key);
    else if (code == CLI_DONE && !cli->json) {
        struct buf out = {0};
        sheet_print(&story->sheet, cli->colour, &out);
        fputs(buf_text(&out), stdout);
        buf_release(&out);
    }
    return code;
}

int command_ticket(struct cli *cli, int argc, char **argv)
{
    static const struct cli_syntax syntax = {NULL, ticket_parse, "ID",
                                             "One ticket's whole story, in order: when, what, who, "
                                             "why.\vExample:\n  aftercare ticket 101000295613"};
    struct story *story = memory_new(sizeof(*story));
    story->tail.cli = cli;
    story->tail.format = TAIL_JSONL;
    record_clear(&verb_open_record, &story->tail.open);
    sheet_init(&story->sheet, 6);
    cli_parse(&syntax, argc, argv, story);
    int code = story_read(story);
    sheet_release(&story->sheet);
    buf_release(&story->tail.line);
    free(story);
    return code;
}
