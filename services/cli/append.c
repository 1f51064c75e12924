/* append: events as JSON lines. say: one event by hand. */
#include "base/arena.h"
#include "base/digest.h"
#include "base/text.h"
#include "connection.h"
#include "draft_line.h"
#include "event_print.h"
#include "field_text.h"
#include "line.h"
#include "proto/catalogue.h"
#include "record/pack.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define LINES_MAX 4000000

struct append {
    struct cli *cli;
    const char *file;
    bool again;

    struct arena *arena; /* of one line */
    struct buf drafts;
    size_t *ends; /* of each draft */
    size_t *lines;
    size_t n, cap;
    struct problems problems;
    struct sender *sender;
    int64_t taken, there_before, refused;
    struct buf refusals; /* for programs: a JSON list without its brackets */
};

/* --- a line --------------------------------------------------------------------------------------
 */
static void line_add(struct append *append, const char *text, size_t n, size_t line_n)
{
    struct problem problem = {0};
    arena_reset(append->arena);
    if (!draft_line_parse(text, n, append->arena, &append->drafts, &problem)) {
        problem.line = (unsigned)line_n;
        problem.column = problem.column != 0 ? problem.column : 1;
        problems_add(&append->problems, &problem);
        return;
    }
    if (append->n == append->cap) {
        append->cap = append->cap > 0 ? append->cap * 2 : 256;
        append->ends = memory_grow(append->ends, append->cap * sizeof(*append->ends));
        append->lines = memory_grow(append->lines, append->cap * sizeof(*append->lines));
    }
    append->ends[append->n] = append->drafts.len;
    append->lines[append->n++] = line_n;
}

static void lines_read(struct append *append, struct bytes content)
{
    size_t at = 0, line_n = 1;
    if (content.len >= 3 && memcmp(content.data, "\xef\xbb\xbf", 3) == 0)
        at = 3;
    for (; at < content.len; line_n++) {
        const uint8_t *newline = memchr(content.data + at, '\n', content.len - at);
        size_t end = newline != NULL ? (size_t)(newline - content.data) : content.len;
        const char *text = (const char *)content.data + at;
        size_t n = end - at;
        while (n > 0 && (text[n - 1] == '\r' || text[n - 1] == ' '))
            n--;
        if (n > 0)
            line_add(append, text, n, line_n);
        at = end + 1;
    }
}

/* --- sending -------------------------------------------------------------------------------------
 */
static void refusal_note(struct append *append, size_t line, const struct problem *problem)
{
    struct buf *out = &append->refusals;
    buf_append_format(out, "%s{\"line\":%zu,\"code\":", out->len > 0 ? "," : "", line);
    json_text(out, problem->code);
    buf_append_text(out, ",\"field\":");
    json_text(out, problem->field);
    buf_append_text(out, ",\"args\":");
    json_text(out, problem->args);
    buf_append_text(out, "}");
}

static void on_answer(void *owner, const struct answer *answer)
{
    struct append *append = owner;
    const struct cli *cli = append->cli;
    size_t index = (size_t)answer->n - 1;
    bool stored = append->sender == NULL || answer->n <= sender_durable(append->sender);
    append->there_before += stored;
    append->taken += !stored && answer->taken;
    if (answer->taken || index >= append->n)
        return;
    append->refused++;
    if (cli->json) {
        refusal_note(append, append->lines[index], &answer->problem);
        return;
    }
    struct buf words = {0};
    problem_print(&answer->problem, cli->language == CHINESE, &words);
    fprintf(stderr, in_words(cli->language, "line %zu: refused (%s): %s\n"), append->lines[index],
            answer->problem.code, buf_text(&words));
    buf_release(&words);
}

static int drafts_send(struct append *append)
{
    int code = GOES_ON;
    size_t at = 0, i = 0;
    while (code == GOES_ON && i < append->n) {
        struct bytes drafts[APPEND_EVENTS_MAX];
        size_t n = 0, bytes = 0;
        while (i < append->n && n < APPEND_EVENTS_MAX &&
               bytes + (append->ends[i] - at) <= APPEND_BYTES_MAX - 4096) {
            drafts[n++] = bytes_of(append->drafts.data + at, append->ends[i] - at);
            bytes += append->ends[i] - at;
            at = append->ends[i++];
        }
        sender_give(append->sender, drafts, n, 0);
        do
            code =
                sender_turn(append->sender, sender_pending(append->sender) > 2048 ? INT64_MAX : 0);
        while (code == GOES_ON && sender_pending(append->sender) > 2048);
    }
    return code == GOES_ON ? sender_flush(append->sender) : code;
}

static int report(struct append *append, const char *source)
{
    const struct cli *cli = append->cli;
    bool before = append->there_before == (int64_t)append->n;
    if (cli->json)
        printf("{\"source\":\"%s\",\"events\":%zu,\"taken\":%" PRId64 ",\"there_before\":%" PRId64
               ",\"refused\":%" PRId64 ",\"sent_before\":%s,\"refusals\":[%s]}\n",
               source, append->n, append->taken, append->there_before, append->refused,
               before ? "true" : "false", buf_text(&append->refusals));
    else
        printf(in_words(cli->language, "events: %zu, %" PRId64 " taken, %" PRId64
                                       " already there, %" PRId64 " refused\n"),
               append->n, append->taken, append->there_before, append->refused);
    if (before)
        cli_note(cli, "%s",
                 in_words(cli->language, "This file was sent before; --again sends it anew."));
    return append->refused > 0 ? CLI_REFUSED : CLI_DONE;
}

static int append_send(struct append *append, struct bytes content)
{
    struct stream_created stream;
    char source[EVENT_SOURCE_CAP], hex[33];
    uint8_t digest[DIGEST_BYTES];
    int code = stream_read(append->cli, &stream);
    if (code != CLI_DONE)
        return code;
    digest_of(content, digest);
    hex_print(digest, 16, hex);
    const char *principal = line_principal(append->cli);
    hex[EVENT_SOURCE_CAP - 2 - strlen(principal) < 32 ? EVENT_SOURCE_CAP - 2 - strlen(principal) : 32] = '\0';
    text_format(source, sizeof(source), "%s/%s", principal, hex);
    if (append->again)
        source_random(append->cli, source);
    append->sender = sender_open(append->cli, stream.stream, source, (int64_t)append->n, on_answer,
                                 append, &code);
    if (append->sender == NULL)
        return code;
    code = drafts_send(append);
    sender_close(&append->sender);
    return code == CLI_DONE ? report(append, source) : code;
}

static error_t append_parse(int key, char *arg, struct argp_state *state)
{
    struct append *append = state->input;
    switch (key) {
    case 'a':
        append->again = true;
        return 0;
    case ARGP_KEY_ARG:
        if (append->file != NULL)
            argp_error(state, "one file at a time");
        append->file = arg;
        return 0;
    case ARGP_KEY_END:
        if (append->file == NULL)
            argp_error(state, "needs FILE.jsonl, or - for standard input");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int command_append(struct cli *cli, int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"again", 'a', NULL, 0, "send it although it was sent before", 0}, {0}};
    static const struct cli_syntax syntax = {
        options, append_parse, "FILE.jsonl|-",
        "Send events, one JSON object a line: {type, key, at, by, data}. Personal fields are "
        "written in data and travel apart.\v"
        "Nothing is sent while a line is wrong. A file sent before is known by its "
        "content.\n\nExamples:\n"
        "  aftercare append deploy/networks/boston311.jsonl\n"
        "  echo '{\"type\":\"ticket.noted\",\"key\":\"T1\",\"data\":{\"text\":\"called back\"}}' | "
        "aftercare append -"};
    struct append append = {.cli = cli};
    cli_parse(&syntax, argc, argv, &append);
    struct buf content = {0};
    int code = CLI_USAGE;
    append.arena = arena_new(65536);
    if (file_read(cli, append.file, (size_t)1 << 30, &content)) {
        lines_read(&append, buf_bytes(&content));
        if (append.problems.n > 0) {
            cli_problems(cli, append.file, &append.problems);
            code = cli_fail(cli, CLI_REFUSED,
                            in_words(cli->language, "Correct these lines and send it again."), "%s",
                            in_words(cli->language, "nothing was sent"));
        } else if (append.n == 0) {
            code = cli_fail(cli, CLI_REFUSED, NULL,
                            in_words(cli->language, "there is no event in %s"), append.file);
        } else {
            code = append_send(&append, buf_bytes(&content));
        }
    }
    problems_release(&append.problems);
    buf_release(&content);
    buf_release(&append.drafts);
    buf_release(&append.refusals);
    free(append.ends);
    free(append.lines);
    arena_destroy(&append.arena);
    return code;
}
