/* aftercare-webhook: one more reader of the stream, which POSTs what it reads. Exit codes: 0 done, 1 the world does not let it, 2
 * usage, 3 there is nothing of that name. */
#include "base/log.h"
#include "base/text.h"
#include "daemon.h"
#include "verbs.h"
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *argp_program_version = "aftercare-webhook 1.0.0";
error_t argp_err_exit_status = 2;

enum { KEY_HOOKS = 256, KEY_REASON, KEY_JSON };

struct options {
    const char *config, *data, *hooks;
    struct verb verb;
};

static const struct argp_option lines[] = {
    {.name = "config", .key = 'c', .arg = "FILE", .doc = "settings; otherwise DATA/aftercare.yaml or /etc/aftercare/aftercare.yaml"},
    {.name = "data", .key = 'd', .arg = "DIR", .doc = "data folder"},
    {.name = "hooks", .key = KEY_HOOKS, .arg = "FILE", .doc = "the webhooks; otherwise DATA/webhooks.yaml"},
    {.name = "json", .key = 'j', .doc = "print for programs"},
    {.name = "reason", .key = KEY_REASON, .arg = "TEXT", .doc = "with skip: why it need not be sent"},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case 'c':
        options->config = arg;
        return 0;
    case 'd':
        options->data = arg;
        return 0;
    case KEY_HOOKS:
        options->hooks = arg;
        return 0;
    case 'j':
        options->verb.json = true;
        return 0;
    case KEY_REASON:
        options->verb.reason = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (options->verb.words_n == COUNT_OF(options->verb.words))
            argp_error(state, "%s: too much", arg);
        options->verb.words[options->verb.words_n++] = arg;
        return 0;
    case ARGP_KEY_END:
        if (options->verb.words_n > 0 && !verb_is_known(&options->verb))
            argp_error(state, "list, parked [HOOK], retry HOOK [POS], skip HOOK POS --reason TEXT, check");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const char doc[] =
    "POSTs events to the addresses in DATA/webhooks.yaml, signed, in order for each key, until they are taken.\v"
    "Without a word it runs as a daemon. With one it looks at the queue, or changes it, beside a running one:\n"
    "  list                            each webhook, how far it is, what waits\n"
    "  parked [HOOK]                   what was not taken for too long, and why\n"
    "  retry HOOK [POS]                tries parked ones again\n"
    "  skip HOOK POS --reason TEXT     lets what waits behind it go; it is kept\n"
    "  check                           reads the file, says what is wrong with it";

static void problems_say(const char *file, const struct problems *problems)
{
    struct buf line = {0};
    for (size_t i = 0; i < problems->n && i < PROBLEMS_MAX; i++) {
        const struct problem *problem = &problems->items[i];
        buf_reset(&line);
        problem_print(problem, false, &line);
        if (problem->line > 0)
            log_error("%s:%u:%u: %s", file, problem->line, problem->column, buf_text(&line));
        else
            log_error("%s: %s", file, buf_text(&line));
    }
    buf_release(&line);
}

#define FILE_BYTES_MAX 262144

static bool hooks_load(const char *path, struct hooks *hooks, struct problems *problems)
{
    FILE *file = fopen(path, "re");
    char *text = memory_new(FILE_BYTES_MAX + 1);
    size_t n = file != NULL ? fread(text, 1, FILE_BYTES_MAX, file) : 0;
    bool read = file != NULL && ferror(file) == 0 && n < FILE_BYTES_MAX;
    if (!read)
        log_error("%s: %s", path, file == NULL ? strerror(errno) : "too large, or unreadable");
    if (file != NULL)
        (void)fclose(file);
    bool good = read && hooks_parse(text, n, hooks, problems);
    free(text);
    return good;
}

int main(int argc, char **argv)
{
    static struct settings settings;
    static struct hooks hooks;
    static const struct argp argp = {.options = lines, .parser = parse, .args_doc = "[VERB …]", .doc = doc};
    struct options options = {0};
    struct problems problems = {0};
    char path[512];
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    log_open("webhook", false);
    if (!settings_read(&settings, options.data, options.config, &problems)) {
        problems_say("settings", &problems);
        problems_release(&problems);
        return 2;
    }
    log_open("webhook", settings.log[0] == 'j' && options.verb.words_n == 0);
    text_format(path, sizeof(path), "%s/webhooks.yaml", settings.data);
    const char *file = options.hooks != NULL ? options.hooks : path;
    bool good = hooks_load(file, &hooks, &problems);
    problems_say(file, &problems);
    problems_release(&problems);
    if (!good)
        return 2;
    return options.verb.words_n > 0 ? verb_run(&options.verb, &settings, &hooks) : daemon_run(&settings, &hooks);
}
