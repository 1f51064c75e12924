/* aftercare, the operator's command: what every command is given, and the four ways it can end. */
#ifndef AFTERCARE_CLI_CLI_H
#define AFTERCARE_CLI_CLI_H

#include "settings/settings.h"
#include "words.h"
#include <argp.h>
#include <stdbool.h>
#include <stdio.h>

enum cli_exit {
    CLI_DONE = 0,
    CLI_REFUSED = 1, /* refused by intake, or what was asked is not true */
    CLI_USAGE = 2,
    CLI_SILENT = 3 /* nobody answers */
};

struct cli {
    const char *config, *data; /* as given on the command line; NULL: not */
    bool json;                 /* for programs */
    bool branch;               /* to the branch's daemon instead of intake */
    enum language language;
    bool colour;              /* standard output is a terminal */
    bool progress;            /* standard error is a terminal */
    int64_t patience_us;      /* how long a first answer is waited for */
    struct settings settings; /* valid after cli_parse */
};

struct command {
    const char *name;
    int (*run)(struct cli *, int argc, char **argv);
    bool talks;          /* to intake: needs the process's ZeroMQ context */
    const char *summary; /* English; the Chinese stands in words.c */
};
const struct command *command_find(const char *name);
const struct command *command_at(size_t i); /* NULL past the end */
/* The same for `aftercare --branch`. */
const struct command *branch_command_find(const char *name);
const struct command *branch_command_at(size_t i);

/* A command's own options. `input` is handed to the parser as state->input and must begin with a
 * struct cli *. */
struct cli_syntax {
    const struct argp_option *options; /* may be NULL */
    argp_parser_t parser;              /* handles ARGP_KEY_ARG, own options; never ARGP_KEY_INIT */
    const char *args, *doc;            /* doc: "one sentence\vexamples" */
};
/* Parses the command line and reads the settings. Usage errors end the process with 2, --help with
 * 0. */
void cli_parse(const struct cli_syntax *, int argc, char **argv, void *input);

/* argp's help in the language of the environment; its input is not looked at. */
char *cli_help_words(int key, const char *text, void *input);

/* "aftercare: …" on standard error, then what to do about it. The code is returned. */
int cli_fail(const struct cli *, enum cli_exit code, const char *advice, const char *format, ...)
    PRINTF_LIKE(4, 5);
void cli_note(const struct cli *, const char *format, ...)
    PRINTF_LIKE(2, 3); /* standard error, people only */
/* Each mistake with file, line and column on standard error; for programs one object on standard
 * output. */
void cli_problems(const struct cli *, const char *file, const struct problems *);
/* Local time of this machine for people: "2011-07-01 05:32:33"; "" for 0. */
void time_words(int64_t us, char out[INSTANT_TEXT_MAX]);
/* The whole of a file or of standard input ("-"). False: said so already. */
bool file_read(const struct cli *, const char *path, size_t bytes_max, struct buf *out);

int command_help(struct cli *, int, char **);
int command_status(struct cli *, int, char **);
int command_policy(struct cli *, int, char **);
int command_calendar(struct cli *, int, char **);
int command_import(struct cli *, int, char **);
int command_backtest(struct cli *, int, char **);
int command_append(struct cli *, int, char **);
int command_erase(struct cli *, int, char **);
int command_file(struct cli *, int, char **);
int command_say(struct cli *, int, char **);
int command_tail(struct cli *, int, char **);
int command_ticket(struct cli *, int, char **);
int command_list(struct cli *, int,
                 char **); /* tickets jobs limits callbacks sites engineers: by its name */
int command_limits(struct cli *, int, char **); /* --why; else a list */
int command_parked(struct cli *, int, char **);
int command_webhook(struct cli *, int, char **);
int command_refused(struct cli *, int, char **);
int command_summary(struct cli *, int, char **);
int command_report(struct cli *, int, char **);
int command_keys(struct cli *, int, char **);
int command_rebuild(struct cli *, int, char **);
int command_verify(struct cli *, int, char **);
int command_schema(struct cli *, int, char **);
int command_up(struct cli *, int, char **);
int command_down(struct cli *, int, char **);
int command_supervise(struct cli *, int, char **);
int command_doctor(struct cli *, int, char **);

#endif
