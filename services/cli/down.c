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
#include <stdio.h>
#include <unistd.h>

#define DOWN_US   (60 * SECOND_US)
#define ORPHAN_US (15 * SECOND_US) /* whose supervisor was killed ends by itself */

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

/* The server of DATA/pg: it leaves its process id there while it lives. */
static bool cluster_is_alive(const struct settings *settings)
{
    char path[400], name[32] = "";
    int pid = 0;
    data_path(settings, "pg/postmaster.pid", path);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    bool read = fscanf(file, "%d", &pid) == 1;
    fclose(file);
    if (!read || pid <= 0)
        return false;
    text_format(path, sizeof path, "/proc/%d/comm", pid);
    file = fopen(path, "re"); /* another may have the number by now */
    if (file != NULL) {
        if (fscanf(file, "%31s", name) != 1)
            name[0] = '\0';
        fclose(file);
    }
    return text_starts(name, "postgres");
}

static void name_add(char names[160], const char *name)
{
    size_t used = strlen(names);
    text_format(names + used, 160 - used, "%s%s", used > 0 ? ", " : "", name);
}

bool folder_is_alive(const struct settings *settings, char names[160])
{
    char why[200];
    names[0] = '\0';
    if (cluster_is_alive(settings))
        name_add(names, "postgresql");
    for (size_t i = 0; daemon_at(i) != NULL; i++) {
        enum health health = health_of(settings, daemon_at(i)->name, why);
        if (health == HEALTH_GOOD || health == HEALTH_ILL)
            name_add(names, daemon_at(i)->name);
    }
    return names[0] != '\0';
}

/* What runs without a supervisor of ours was started by units, or is the rest of one that was killed. CLI_DONE: nothing does. */
static int nothing_runs(struct cli *cli)
{
    char names[160];
    int64_t until_us = clock_boot_us() + ORPHAN_US;
    while (folder_is_alive(&cli->settings, names)) {
        if (clock_boot_us() > until_us)
            return cli_fail(cli, CLI_REFUSED,
                            in_words(cli->language, "Who started them ends them: `systemctl stop aftercare.target 'aftercare-*'` where units do."),
                            in_words(cli->language, "%s has no supervisor to be told, and these run: %s"), cli->settings.data,
                            names);
        poll(NULL, 0, 100);
    }
    return CLI_DONE;
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
    sockets_forget(&cli->settings);
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
    int code = pid == 0 ? nothing_runs(cli) : CLI_DONE;
    if (code != CLI_DONE)
        return code;
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
    if (!options.delete_data)
        return CLI_DONE;
    code = nothing_runs(cli);
    return code == CLI_DONE ? delete_data(cli) : code;
}
