/* `aftercare down`: ends the supervisor and with it the daemons and PostgreSQL; --delete-data
 * removes the folder. */
#include "base/clock.h"
#include "base/text.h"
#include "supervise.h"
#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define DOWN_US (60 * SECOND_US)

struct down_options {
    struct cli *cli;
    bool delete_data;
};

enum { OPTION_DELETE = 300 };
static const struct argp_option down_options[] = {
    {"delete-data", OPTION_DELETE, NULL, 0, "remove the data folder too: every ticket, for good",
     0},
    {0}};

static error_t down_parse(int key, char *arg, struct argp_state *state)
{
    struct down_options *options = state->input;
    (void)arg;
    if (key != OPTION_DELETE)
        return ARGP_ERR_UNKNOWN;
    options->delete_data = true;
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status;
    (void)type;
    (void)where;
    return remove(path);
}

bool folder_remove(const char *path)
{
    return nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS) == 0;
}

/* Only a folder that is one of ours: it holds a cluster or a stream's description. */
static int delete_data(struct cli *cli)
{
    char stream[400], cluster[400];
    data_path(&cli->settings, "stream", stream);
    data_path(&cli->settings, "pg/PG_VERSION", cluster);
    if (access(stream, F_OK) != 0 && access(cluster, F_OK) != 0)
        return cli_fail(cli, CLI_REFUSED, NULL,
                        in_words(cli->language, "%s holds no stream: nothing is deleted"),
                        cli->settings.data);
    if (!folder_remove(cli->settings.data))
        return cli_fail(cli, CLI_REFUSED, NULL,
                        in_words(cli->language, "%s cannot be removed whole: %s"),
                        cli->settings.data, strerror(errno));
    rmdir(cli->settings.sockets); /* where nothing of others is in it */
    cli_note(cli, in_words(cli->language, "%s is deleted"), cli->settings.data);
    return CLI_DONE;
}

int command_down(struct cli *cli, int argc, char **argv)
{
    static const struct cli_syntax syntax = {
        .options = down_options,
        .parser = down_parse,
        .doc = "Stops the daemons and the PostgreSQL of a data folder.\v"
               "Examples:\n  aftercare down\n  aftercare down --data /tmp/try --delete-data"};
    struct down_options options = {.cli = cli};
    cli_parse(&syntax, argc, argv, &options);
    pid_t pid = supervisor_pid(&cli->settings);
    if (pid == 0)
        cli_note(cli, in_words(cli->language, "%s is not up"), cli->settings.data);
    else if (kill(pid, SIGTERM) != 0)
        return cli_fail(cli, CLI_REFUSED,
                        in_words(cli->language, "run it as the user who started it, or as root"),
                        in_words(cli->language, "the supervisor %d cannot be told: %s"), (int)pid,
                        strerror(errno));
    int64_t until_us = clock_boot_us() + DOWN_US;
    while (pid != 0 && supervisor_pid(&cli->settings) != 0) {
        if (clock_boot_us() > until_us)
            return cli_fail(cli, CLI_REFUSED, in_words(cli->language, "look into its log"),
                            in_words(cli->language, "the supervisor %d does not end"), (int)pid);
        poll(NULL, 0, 50);
    }
    if (pid != 0)
        cli_note(cli, in_words(cli->language, "%s is down"), cli->settings.data);
    return options.delete_data ? delete_data(cli) : CLI_DONE;
}
