/* aftercare-branch: takes a branch's facts at once, and sends them on when the line is there. Exit codes: 0 told to stop, 1 the world
 * does not let it, 2 usage. */
#include "base/log.h"
#include "base/text.h"
#include "edge.h"
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

const char *argp_program_version = "aftercare-branch 1.0.0";

enum { KEY_PRINT = 256 };
struct options {
    const char *config, *data;
    bool print;
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
    case KEY_PRINT:
        options->print = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "%s: not understood", arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void settings_load(struct settings *settings, const struct options *options)
{
    struct problems problems = {0};
    struct buf line = {0};
    if (settings_read(settings, options->data, options->config, &problems))
        return;
    for (size_t i = 0; i < problems.n && i < PROBLEMS_MAX; i++) {
        buf_reset(&line);
        problem_print(&problems.items[i], false, &line);
        log_error("settings, line %u: %s", problems.items[i].line, buf_text(&line));
    }
    exit(2);
}

int main(int argc, char **argv)
{
    static const struct argp_option lines[] = {
        {"config", 'c', "FILE", 0, "settings (default: DATA/aftercare.yaml or /etc/aftercare/aftercare.yaml)", 0},
        {"data", 'd', "DIR", 0, "data folder (default: AFTERCARE_DATA, then the usual place)", 0},
        {"print-config", KEY_PRINT, NULL, 0, "print the settings in force and exit", 0},
        {0}};
    static const struct argp argp = {
        .options = lines, .parser = parse, .doc = "At a branch: takes facts at once, and sends them on when the line is there."};
    static struct settings settings;
    struct options options = {0};
    argp_err_exit_status = 2;
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    log_open("branch", false);
    settings_load(&settings, &options);
    log_open("branch", settings.log[0] == 'j');
    if (!options.print)
        return edge_run(&settings);
    struct buf text = {0};
    settings_print(&settings, &text);
    (void)fputs(buf_text(&text), stdout);
    buf_release(&text);
    return EXIT_SUCCESS;
}
