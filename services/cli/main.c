/* aftercare: everything an operator does by hand. */
#include "base/log.h"
#include "base/text.h"
#include "bus/socket.h"
#include "cli.h"
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef AFTERCARE_VERSION
#define AFTERCARE_VERSION "1.0.0"
#endif

const char *argp_program_version = "aftercare " AFTERCARE_VERSION;

enum { OPTION_BRANCH = 256 };

#ifdef CLI_ONLY_BRANCH
#define COMMAND_AT(cli, i) ((void)(cli), branch_command_at(i))
#define COMMAND_FIND(cli, name) ((void)(cli), branch_command_find(name))
#else
#define COMMAND_AT(cli, i) ((cli)->branch ? branch_command_at(i) : command_at(i))
#define COMMAND_FIND(cli, name) ((cli)->branch ? branch_command_find(name) : command_find(name))
#endif

struct top {
    struct cli *cli;
    int command_at;
};

static error_t top_parse(int key, char *arg, struct argp_state *state)
{
    struct top *top = state->input;
    switch (key) {
    case 'c':
        top->cli->config = arg;
        return 0;
    case 'd':
        top->cli->data = arg;
        return 0;
    case 'j':
        top->cli->json = true;
        return 0;
    case OPTION_BRANCH:
        top->cli->branch = true;
        return 0;
    case ARGP_KEY_ARG:
        top->command_at = state->next - 1;
        state->next = state->argc;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option top_options[] = {
    {"config", 'c', "FILE", 0,
     "settings file (default: DATA/aftercare.yaml or /etc/aftercare/aftercare.yaml)", 0},
    {"data", 'd', "DIR", 0, "data folder (default: AFTERCARE_DATA, then the usual place)", 0},
    {"json", 'j', NULL, 0, "print for programs", 0},
    {"branch", OPTION_BRANCH, NULL, 0, "say and ask at this branch's own daemon: aftercare --branch help", 0},
    {0}};

static void commands_list(const struct cli *cli, enum language language, struct buf *out)
{
    buf_append_format(
        out, "%s\n\n",
        in_words(language, "aftercare COMMAND [options]   (aftercare COMMAND --help tells more)"));
    for (size_t i = 0; COMMAND_AT(cli, i) != NULL; i++) {
        const struct command *command = COMMAND_AT(cli, i);
        buf_append_format(out, "  %-10s %s\n", command->name, in_words(language, command->summary));
    }
    buf_append_format(
        out, "\n%s\n",
        in_words(language,
                 "Exit codes: 0 done, 1 refused or not true, 2 usage, 3 nobody answers."));
}

int command_help(struct cli *cli, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    struct buf list = {0};
    commands_list(cli, cli->language, &list);
    fputs(buf_text(&list), stdout);
    buf_release(&list);
    return CLI_DONE;
}

static int command_run(struct cli *cli, int argc, char **argv)
{
    const struct command *command = COMMAND_FIND(cli, argv[0]);
    if (command == NULL)
        return cli_fail(cli, CLI_USAGE,
                        in_words(cli->language, "`aftercare help` lists the commands."),
                        in_words(cli->language, "there is no command \"%s\""), argv[0]);
    char name[64];
    text_format(name, sizeof(name), "aftercare %s", command->name);
    argv[0] = name;
    if (command->talks)
        bus_start();
    int code = command->run(cli, argc, argv);
    if (command->talks)
        bus_stop();
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == CLI_DONE)
        code = cli_fail(cli, CLI_REFUSED, NULL, "%s", in_words(cli->language, "not all of it could be written"));
    return code;
}

int main(int argc, char **argv)
{
    /* Only the character set: numbers and dates are ours. */
    setlocale(LC_CTYPE, "");
    signal(SIGPIPE, SIG_DFL);
    argp_err_exit_status = CLI_USAGE;
    struct cli cli = {.language = language_of_environment(),
                      .colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL,
                      .progress = isatty(STDERR_FILENO),
                      .patience_us = 5 * SECOND_US};
#ifdef CLI_ONLY_BRANCH
    cli.branch = true;
#endif
    log_open("aftercare", false);
    struct top top = {.cli = &cli};
    struct buf doc = {0};
    buf_append_text(&doc, "After-sales service: everything an operator does by hand.\v");
    commands_list(&cli, cli.language, &doc);
    const struct argp argp = {.options = top_options,
                              .parser = top_parse,
                              .args_doc = "COMMAND …",
                              .doc = buf_text(&doc),
                              .help_filter = cli_help_words};
    /* What argp writes of its own: no note about short options, lines as wide as a terminal. */
    setenv("ARGP_HELP_FMT", "no-dup-args-note,rmargin=100", 0);
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &top);
    buf_release(&doc);
    if (top.command_at == 0) {
        command_help(&cli, 0, NULL);
        return CLI_USAGE;
    }
    return command_run(&cli, argc - top.command_at, argv + top.command_at);
}
