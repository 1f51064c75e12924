/* What all commands share: options, complaints, files. */
#include "cli.h"
#include "base/text.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct argp_option common_options[] = {
    {"config", 'c', "FILE", 0, "settings file", 90},
    {"data", 'd', "DIR", 0, "data folder", 90},
    {"json", 'j', NULL, 0, "print for programs", 90},
    {0}};

static error_t common_parse(int key, char *arg, struct argp_state *state)
{
    struct cli *cli = state->input;
    switch (key) {
    case 'c':
        cli->config = arg;
        return 0;
    case 'd':
        cli->data = arg;
        return 0;
    case 'j':
        cli->json = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

struct wrapped {
    const struct cli_syntax *syntax;
    struct cli *cli;
    void *input;
};

static error_t own_parse(int key, char *arg, struct argp_state *state)
{
    struct wrapped *wrapped = state->input;
    if (key == ARGP_KEY_INIT) {
        state->child_inputs[0] = wrapped->cli;
        return 0;
    }
    if (wrapped->syntax->parser == NULL)
        return ARGP_ERR_UNKNOWN;
    state->input = wrapped->input;
    error_t result = wrapped->syntax->parser(key, arg, state);
    state->input = wrapped;
    return result;
}

char *cli_help_words(int key, const char *text, void *input)
{
    static const char *const heads[] = {"Examples:", "Example:"};
    enum language language = language_of_environment();
    (void)input;
    if (text == NULL || language == ENGLISH)
        return (char *)(uintptr_t)text; /* argp frees what differs from its own */
    for (size_t i = 0; key == ARGP_KEY_HELP_POST_DOC && i < COUNT_OF(heads); i++) {
        if (!text_starts(text, heads[i]))
            continue;
        struct buf out = {0};
        buf_append_text(&out, help_words(heads[i]));
        buf_append_text(&out, text + strlen(heads[i]));
        char *words = memory_text(buf_text(&out));
        buf_release(&out);
        return words;
    }
    const char *words = help_words(text);
    return words == NULL ? (char *)(uintptr_t)text : memory_text(words);
}

void cli_parse(const struct cli_syntax *syntax, int argc, char **argv, void *input)
{
    struct wrapped wrapped = {.syntax = syntax, .cli = *(struct cli **)input, .input = input};
    const struct argp common = {
        .options = common_options, .parser = common_parse, .help_filter = cli_help_words};
    const struct argp_child children[] = {{&common, 0, "Common options:", 90}, {0}};
    const struct argp argp = {.options = syntax->options,
                              .parser = own_parse,
                              .args_doc = syntax->args,
                              .doc = syntax->doc,
                              .children = children,
                              .help_filter = cli_help_words};
    argp_parse(&argp, argc, argv, 0, NULL, &wrapped);
    struct cli *cli = wrapped.cli;
    struct problems problems = {0};
    if (!settings_read(&cli->settings, cli->data, cli->config, &problems)) {
        cli_problems(cli, cli->config != NULL ? cli->config : "aftercare.yaml", &problems);
        problems_release(&problems);
        exit(CLI_USAGE);
    }
    problems_release(&problems);
    if (cli->branch) {
        (void)text_copy(cli->settings.cmd, sizeof(cli->settings.cmd), cli->settings.branch.cmd);
        (void)text_copy(cli->settings.feed, sizeof(cli->settings.feed), cli->settings.branch.cmd);
    }
}

int cli_fail(const struct cli *cli, enum cli_exit code, const char *advice, const char *format, ...)
{
    (void)cli;
    va_list args;
    va_start(args, format);
    fflush(stdout);
    fputs("aftercare: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    if (advice != NULL)
        fprintf(stderr, "  %s\n", advice);
    return (int)code;
}

void cli_note(const struct cli *cli, const char *format, ...)
{
    if (cli->json)
        return;
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

static void problems_json(const char *file, const struct problems *problems)
{
    struct buf out = {0}, words = {0};
    size_t kept = problems->n < PROBLEMS_MAX ? problems->n : PROBLEMS_MAX;
    buf_append_text(&out, "{\"good\":false,\"file\":");
    json_text(&out, file);
    buf_append_format(&out, ",\"mistakes\":%zu,\"problems\":[", problems->n);
    for (size_t i = 0; i < kept; i++) {
        struct problem problem = problems->items[i];
        buf_append_format(&out, "%s{\"line\":%u,\"column\":%u,\"code\":", i > 0 ? "," : "",
                          problem.line, problem.column);
        json_text(&out, problem.code);
        buf_append_text(&out, ",\"field\":");
        json_text(&out, problem.field);
        buf_append_text(&out, ",\"says\":");
        problem.line = problem.column = 0;
        buf_reset(&words);
        problem_print(&problem, false, &words);
        json_text(&out, buf_text(&words));
        buf_append_text(&out, "}");
    }
    printf("%s]}\n", buf_text(&out));
    buf_release(&words);
    buf_release(&out);
}

void cli_problems(const struct cli *cli, const char *file, const struct problems *problems)
{
    if (cli->json) {
        problems_json(file, problems);
        return;
    }
    size_t kept = problems->n < PROBLEMS_MAX ? problems->n : PROBLEMS_MAX;
    struct buf line = {0};
    for (size_t i = 0; i < kept; i++) {
        const struct problem *problem = &problems->items[i];
        struct problem placeless = *problem;
        placeless.line = placeless.column = 0;
        buf_reset(&line);
        problem_print(&placeless, cli->language == CHINESE, &line);
        if (problem->line != 0)
            fprintf(stderr, "%s:%u:%u: %s\n", file, problem->line, problem->column,
                    buf_text(&line));
        else
            fprintf(stderr, "%s: %s\n", file, buf_text(&line));
    }
    if (problems->n > kept)
        fprintf(stderr, in_words(cli->language, "… and %zu more\n"), problems->n - kept);
    buf_release(&line);
}

void time_words(int64_t us, char out[INSTANT_TEXT_MAX])
{
    out[0] = '\0';
    if (us == 0)
        return;
    int64_t seconds = us / SECOND_US - (us % SECOND_US < 0);
    time_t when = (time_t)seconds;
    struct tm local;
    if (localtime_r(&when, &local) != NULL)
        strftime(out, INSTANT_TEXT_MAX, "%Y-%m-%d %H:%M:%S", &local);
}

bool file_read(const struct cli *cli, const char *path, size_t bytes_max, struct buf *out)
{
    FILE *file = text_equal(path, "-") ? stdin : fopen(path, "rb");
    if (file == NULL) {
        cli_fail(cli, CLI_USAGE,
                 in_words(cli->language, "Check the name and that you may read it."),
                 in_words(cli->language, "cannot open %s: %s"), path, strerror(errno));
        return false;
    }
    size_t got;
    do {
        got = fread(buf_reserve(out, 65536), 1, 65536, file);
        out->len += got;
    } while (got > 0 && out->len <= bytes_max);
    bool failed = ferror(file) != 0;
    if (file != stdin)
        fclose(file);
    if (failed || out->len > bytes_max) {
        cli_fail(cli, CLI_USAGE, in_words(cli->language, "Cut it into smaller files."),
                 failed ? in_words(cli->language, "cannot read %s")
                        : in_words(cli->language, "%s is too large"),
                 path);
        return false;
    }
    return true;
}
