#include "options.h"
#include "base/instant.h"
#include "base/text.h"
#include <argp.h>
#include <stdlib.h>
#include <string.h>

const char *argp_program_version = "aftercare-intake 1.0.0";
error_t argp_err_exit_status = 2;

enum { KEY_INIT = 256, KEY_CLOCK, KEY_START, KEY_SOURCE, KEY_BRANCH, KEY_KEYS, KEY_MIGRATE, KEY_VERIFY, KEY_EVENT, KEY_REBUILD, KEY_PRINT };

static const struct argp_option lines[] = {
    {.name = "config", .key = 'c', .arg = "FILE", .doc = "settings; otherwise DATA/aftercare.yaml or /etc/aftercare/aftercare.yaml"},
    {.name = "data", .key = 'd', .arg = "DIR", .doc = "data folder"},
    {.name = "init", .key = KEY_INIT, .arg = "NAME", .doc = "make a new stream of this name, and end; nothing if it is there"},
    {.name = "clock", .key = KEY_CLOCK, .arg = "wall|stepped", .doc = "with --init: whose time (wall)"},
    {.name = "start", .key = KEY_START, .arg = "TIME", .doc = "with --clock stepped: the stream's first instant, RFC 3339"},
    {.name = "clock-source", .key = KEY_SOURCE, .arg = "PRINCIPAL", .doc = "with --clock stepped: who moves time (import)"},
    {.name = "branch", .key = KEY_BRANCH, .arg = "ID[:REGION,…]", .doc = "with --init: a branch that may append; again for more"},
    {.name = "keys", .key = KEY_KEYS, .doc = "with --init: key files in DATA/keys, made where there are none, and CURVE from the start"},
    {.name = "migrate", .key = KEY_MIGRATE, .doc = "bring the schema up to date, and end"},
    {.name = "verify", .key = KEY_VERIFY, .doc = "prove the journal row by row, JSON lines, and end"},
    {.name = "event", .key = KEY_EVENT, .arg = "POS", .doc = "with --verify: the proof of one position"},
    {.name = "rebuild", .key = KEY_REBUILD, .doc = "make the archive anew from the journal, and end"},
    {.name = "print-config", .key = KEY_PRINT, .doc = "print the settings in force, as a file, and end"},
    {0},
};

static error_t parse_init(int key, char *arg, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case KEY_INIT:
        options->mode = MODE_INIT;
        options->name = arg;
        if (!text_is_key(arg, strlen(arg)) || strlen(arg) > 48)
            argp_error(state, "--init %s: a name is 1-48 of A-Z a-z 0-9 . _ -", arg);
        return 0;
    case KEY_CLOCK:
        if (!text_equal(arg, "wall") && !text_equal(arg, "stepped"))
            argp_error(state, "--clock %s: wall or stepped", arg);
        options->clock = text_equal(arg, "stepped") ? CLOCK_STEPPED : CLOCK_WALL;
        return 0;
    case KEY_START:
        if (!instant_parse(arg, &options->start_us))
            argp_error(state, "--start %s: a time like 2011-07-01T00:00:00-04:00", arg);
        return 0;
    case KEY_SOURCE:
        options->clock_source = arg;
        return 0;
    case KEY_BRANCH:
        if (options->branches_n == OPTIONS_BRANCHES_MAX)
            argp_error(state, "at most %d branches", OPTIONS_BRANCHES_MAX);
        options->branches[options->branches_n++] = arg;
        return 0;
    case KEY_KEYS:
        options->keys = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

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
    case KEY_MIGRATE:
        options->mode = MODE_MIGRATE;
        return 0;
    case KEY_VERIFY:
        options->mode = MODE_VERIFY;
        return 0;
    case KEY_EVENT:
        options->event = strtoll(arg, NULL, 10);
        if (options->event < 1)
            argp_error(state, "--event %s: a position is 1 or more", arg);
        return 0;
    case KEY_REBUILD:
        options->mode = MODE_REBUILD;
        return 0;
    case KEY_PRINT:
        options->mode = MODE_PRINT_CONFIG;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "%s: not understood", arg);
        return 0;
    case ARGP_KEY_END:
        if (options->mode == MODE_INIT && options->clock == CLOCK_STEPPED && options->start_us == 0)
            argp_error(state, "--clock stepped needs --start");
        return 0;
    default:
        return parse_init(key, arg, state);
    }
}

void options_parse(struct options *options, int argc, char **argv)
{
    static const struct argp argp = {
        .options = lines, .parser = parse, .doc = "Keeps the journal: takes events, makes them durable, publishes and replays them."};
    *options = (struct options){.clock_source = "import"};
    argp_parse(&argp, argc, argv, 0, NULL, options);
}
