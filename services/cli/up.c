/* `aftercare up`: makes what is missing (folders, settings, a stream's description), starts the
 * supervisor and waits until every daemon is healthy. */
#include "base/clock.h"
#include "base/text.h"
#include "cluster.h"
#include "settings/places.h"
#include "supervise.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY_US       (90 * SECOND_US)
#define PORTS_US       (5 * SECOND_US)
#define ANSWER_US      (10 * SECOND_US)
#define FREE_BYTES_MIN ((uint64_t)512 * 1024 * 1024)

struct up_options {
    struct cli *cli;
    const char *clock, *start, *name, *source;
    bool open; /* without keys */
    char config[400]; /* the settings file in force */
};

enum { OPTION_CLOCK = 300, OPTION_START, OPTION_NAME, OPTION_SOURCE, OPTION_OPEN };
static const struct argp_option up_options[] = {
    {"clock", OPTION_CLOCK, "wall|stepped", 0,
     "a new stream's time: this machine's, or moved by an import (default wall)", 0},
    {"start", OPTION_START, "TIME", 0, "where a stepped stream's time begins, RFC 3339", 0},
    {"clock-source", OPTION_SOURCE, "PRINCIPAL", 0,
     "who moves a stepped stream's time (default import)", 0},
    {"no-keys", OPTION_OPEN, NULL, 0,
     "a new stream without keys: whoever reaches its ports may say who he is", 0},
    {"name", OPTION_NAME, "NAME", 0, "a new stream's name (default aftercare)", 0},
    {0}};

static error_t up_parse(int key, char *arg, struct argp_state *state)
{
    struct up_options *options = state->input;
    switch (key) {
    case OPTION_CLOCK:
        if (!text_equal(arg, "wall") && !text_equal(arg, "stepped"))
            argp_error(state, "--clock is wall or stepped, not %s", arg);
        options->clock = arg;
        return 0;
    case OPTION_START:
        options->start = arg;
        return 0;
    case OPTION_NAME:
        if (!text_is_key(arg, strlen(arg)) || strlen(arg) > 48)
            argp_error(state, "--name is 1–48 of A–Z a–z 0–9 . _ -");
        options->name = arg;
        return 0;
    case OPTION_SOURCE:
        options->source = arg;
        return 0;
    case OPTION_OPEN:
        options->open = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* As root the daemons run as a user of their own. NULL: as who we are. */
static const struct passwd *service_user(void)
{
    return geteuid() == 0 ? getpwnam(SERVICE_USER) : NULL;
}

static bool folder_fail(const struct cli *cli, const char *said)
{
    cli_fail(cli, CLI_REFUSED,
             in_words(cli->language, "choose another folder with --data, or mend its permissions"),
             "%s", said);
    return false;
}

/* May the daemons' user go through that folder? (Root may everywhere; they run as somebody else.)
 */
static bool is_open_to(const char *folder, const struct passwd *user)
{
    struct stat status;
    return user == NULL || stat(folder, &status) != 0 || (status.st_mode & S_IXOTH) != 0 ||
           (status.st_uid == user->pw_uid && (status.st_mode & S_IXUSR) != 0) ||
           (status.st_gid == user->pw_gid && (status.st_mode & S_IXGRP) != 0);
}

static bool parents_make(const struct cli *cli, const char *path)
{
    char part[400], said[600];
    text_copy(part, sizeof part, path);
    for (char *slash = strchr(part + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(part, 0755);
        if (!is_open_to(part, service_user())) {
            text_format(
                said, sizeof said,
                in_words(cli->language, "%s is closed to the user %s, who runs the daemons"), part,
                SERVICE_USER);
            return folder_fail(cli, said);
        }
        *slash = '/';
    }
    return true;
}

/* What others may not read is kept there, and sockets that let in whoever reaches them. */
static bool folder_close(const struct cli *cli, const char *path, const struct stat *status, mode_t mode)
{
    if ((status->st_mode & 0777 & ~mode) == 0)
        return true;
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    bool done = folder >= 0 && fchmod(folder, mode) == 0;
    if (folder >= 0)
        close(folder);
    if (done)
        cli_note(cli, in_words(cli->language, "%s was open to others (%03o): it is %03o now"), path, (unsigned)(status->st_mode & 0777),
                 (unsigned)mode);
    return done;
}

/* A folder that was there is taken only when it is theirs already: root must not give away /etc,
 * and in /tmp somebody else may have been first, with a folder or a link of his. */
static bool folder_make(const struct cli *cli, const char *path, mode_t mode)
{
    char said[600];
    struct stat status;
    const struct passwd *user = service_user();
    if (!parents_make(cli, path))
        return false;
    bool made = mkdir(path, mode) == 0;
    if (!made && errno != EEXIST) {
        text_format(said, sizeof said, in_words(cli->language, "%s cannot be made: %s"), path,
                    strerror(errno));
        return folder_fail(cli, said);
    }
    uid_t owner = user != NULL ? user->pw_uid : geteuid();
    if ((made && user != NULL && chown(path, user->pw_uid, user->pw_gid) != 0) ||
        lstat(path, &status) != 0 || !S_ISDIR(status.st_mode) || status.st_uid != owner) {
        text_format(said, sizeof said,
                    in_words(cli->language, "%s is there and not a folder of %s"), path,
                    user != NULL ? user->pw_name : in_words(cli->language, "your own"));
        return folder_fail(cli, said);
    }
    return made || folder_close(cli, path, &status, mode) || folder_fail(cli, path);
}

static bool folders_make(struct cli *cli)
{
    char log[400];
    struct statvfs space;
    const struct settings *settings = &cli->settings;
    data_path(settings, "log", log);
    if (!folder_make(cli, settings->data, 0700) || !folder_make(cli, log, 0700) ||
        !folder_make(cli, settings->sockets, 0700))
        return false;
    if (strlen(settings->sockets) > 80) {
        cli_fail(cli, CLI_USAGE,
                 in_words(cli->language, "set `sockets` in the settings to a shorter path"),
                 in_words(cli->language, "%s is too long for a socket's folder"),
                 settings->sockets);
        return false;
    }
    if (statvfs(settings->data, &space) == 0 &&
        (uint64_t)space.f_bavail * space.f_frsize < FREE_BYTES_MIN) {
        cli_fail(cli, CLI_REFUSED,
                 in_words(cli->language, "make room, or choose another folder with --data"),
                 in_words(cli->language, "less than 512 MiB are free under %s"), settings->data);
        return false;
    }
    return true;
}

static bool settings_print_to(struct cli *cli, const char *path)
{
    struct buf text = {0};
    settings_print(&cli->settings, &text);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    bool done = fd >= 0 && write(fd, text.data, text.len) == (ssize_t)text.len;
    const struct passwd *user = service_user();
    /* Root's to change, everybody's to read: `status` is for all. */
    if (done && user != NULL)
        done = fchown(fd, 0, user->pw_gid) == 0;
    if (fd >= 0 && !done)
        unlink(path);
    if (fd >= 0)
        close(fd);
    buf_release(&text);
    return done;
}

/* The settings in force are written down once, so that there is a file to change. */
static bool settings_write(struct up_options *options)
{
    struct cli *cli = options->cli;
    char *path = options->config;
    if (cli->config != NULL) {
        /* The daemons run elsewhere than this command. */
        char *whole = realpath(cli->config, NULL);
        text_copy(path, sizeof options->config, whole != NULL ? whole : cli->config);
        free(whole);
        return true;
    }
    data_path(&cli->settings, "aftercare.yaml", path);
    if (access(path, F_OK) != 0 && geteuid() == 0 && text_equal(cli->settings.data, SYSTEM_DATA))
        text_copy(path, sizeof options->config, SYSTEM_FILE);
    if (access(path, F_OK) == 0)
        return true;
    char folder[400];
    text_copy(folder, sizeof folder, path);
    *strrchr(folder, '/') = '\0';
    mkdir(folder, 0755);
    if (settings_print_to(cli, path))
        return true;
    cli_fail(cli, CLI_REFUSED, in_words(cli->language, "a full disk, or no right to write there?"),
             in_words(cli->language, "%s cannot be written: %s"), path, strerror(errno));
    return false;
}

/* A stream is what it was made as; who asks for something else is told. */
static void stream_compare(const struct up_options *options, const char *path)
{
    char name[64] = "", clock[16] = "", start[48] = "";
    struct cli *cli = options->cli;
    FILE *file = fopen(path, "re");
    bool read = file != NULL && fscanf(file, "%63s %15s %47s", name, clock, start) == 3;
    if (file != NULL)
        fclose(file);
    if (read && ((options->name != NULL && !text_equal(options->name, name)) ||
                 (options->clock != NULL && !text_equal(options->clock, clock)) ||
                 (options->start != NULL && !text_equal(options->start, start))))
        cli_note(
            cli,
            in_words(
                cli->language,
                "the stream of %s exists already: --name, --clock and --start are as they were"),
            cli->settings.data);
}

/* What the stream is to be, for the supervisor that creates it. */
static bool stream_write(const struct up_options *options)
{
    struct cli *cli = options->cli;
    char path[400];
    int64_t start_us;
    const char *clock = options->clock != NULL ? options->clock : "wall";
    data_path(&cli->settings, "stream", path);
    if (access(path, F_OK) == 0) {
        stream_compare(options, path);
        return true;
    }
    if (text_equal(clock, "stepped") &&
        (options->start == NULL || !instant_parse(options->start, &start_us))) {
        cli_fail(cli, CLI_USAGE,
                 in_words(cli->language, "for instance --start 2011-07-01T04:00:00Z"),
                 in_words(cli->language, "a stepped stream needs --start TIME"));
        return false;
    }
    FILE *file = fopen(path, "we");
    bool done = file != NULL &&
                fprintf(file, "%s %s %s %s %s\n", options->name != NULL ? options->name : "aftercare",
                        clock, options->start != NULL ? options->start : "-",
                        options->source != NULL ? options->source : "import",
                        options->open ? "open" : "keys") > 0;
    if (file != NULL && fclose(file) != 0)
        done = false;
    const struct passwd *user = service_user();
    if (done && user != NULL)
        done = chown(path, user->pw_uid, user->pw_gid) == 0;
    if (!done)
        cli_fail(cli, CLI_REFUSED, in_words(cli->language, "a full disk?"),
                 in_words(cli->language, "%s cannot be written: %s"), path, strerror(errno));
    return done;
}

static void tail_log(const struct settings *settings, const char *name)
{
    char file[80], path[400], line[400];
    char last[5][400] = {""};
    size_t n = 0;
    text_format(file, sizeof file, "log/%s.log", name);
    data_path(settings, file, path);
    FILE *log = fopen(path, "re");
    while (log != NULL && fgets(line, sizeof line, log) != NULL)
        text_copy(last[n++ % 5], sizeof last[0], line);
    if (log == NULL)
        return;
    fclose(log);
    fprintf(stderr, "  the end of %s:\n", path);
    for (size_t i = n > 5 ? n - 5 : 0; i < n; i++)
        fprintf(stderr, "    %s", last[i % 5]);
}

static pid_t supervisor_start(const struct up_options *options)
{
    const struct cli *cli = options->cli;
    char program[300], folder[256], log[400];
    const struct passwd *user = service_user();
    program_folder(folder);
    text_format(program, sizeof program, "%s/aftercare", folder);
    data_path(&cli->settings, "log/supervisor.log", log);
    fflush(NULL);
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    setsid();
    if (user != NULL && (initgroups(user->pw_name, user->pw_gid) != 0 ||
                         setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0))
        _exit(126);
    int input = open("/dev/null", O_RDONLY),
        output = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (input < 0 || output < 0 || chdir("/") != 0)
        _exit(126);
    dup2(input, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    /* Both in full: it runs as another user and in another folder, whose defaults would be others.
     */
    const char *argv[] = {program,    "supervise",     "--data", cli->settings.data,
                          "--config", options->config, NULL};
    union {
        const char **given;
        char **wanted;
    } words = {.given = argv}; /* execv does not change them */
    closefrom(3);
    execv(program, words.wanted);
    _exit(127);
}

/* False: nobody keeps the daemons running. own: the supervisor that was started here, 0 when there
 * is only another's. */
static bool is_supervised(const struct cli *cli, pid_t *own)
{
    if (*own != 0 && waitpid(*own, NULL, WNOHANG) != *own)
        return true;
    /* Two ups at once: one supervisor gets the folder, and both wait for it. */
    *own = 0;
    return supervisor_pid(&cli->settings) != 0;
}

/* Waits until all are healthy; the name of the first that is not, with its reason. */
static const char *wait_ready(const struct cli *cli, pid_t *own, char why[200])
{
    int64_t until_us = clock_boot_us() + READY_US;
    for (size_t i = 0; daemon_at(i) != NULL;) {
        if (!is_supervised(cli, own)) {
            text_copy(why, 200, "it gave up");
            return "supervisor";
        }
        if (health_ask(daemon_metrics(&cli->settings, daemon_at(i)->name), why)) {
            i++;
            continue;
        }
        if (clock_boot_us() > until_us)
            return daemon_at(i)->name;
        poll(NULL, 0, 100);
    }
    return NULL;
}

/* Somebody else's program on one of our ports is found before ours fail one by one. What a killed
 * supervisor left ends soon. */
static bool ports_are_free(const struct up_options *options)
{
    struct cli *cli = options->cli;
    char why[200], taken[160];
    int64_t until_us = clock_boot_us() + PORTS_US;
    while (!endpoints_free(&cli->settings, taken, why)) {
        if (clock_boot_us() > until_us) {
            char advice[600];
            text_format(
                advice, sizeof advice,
                in_words(cli->language,
                         "stop what holds it (`ss -ltnp` shows it), or set another address in %s"),
                options->config);
            cli_fail(cli, CLI_REFUSED, advice, in_words(cli->language, "%s is taken: %s"), taken,
                     why);
            return false;
        }
        poll(NULL, 0, 100);
    }
    return true;
}

/* What a first start would take for its own and is another's. Each cause is told with what to do. */
static bool is_alone(struct cli *cli)
{
    const struct settings *settings = &cli->settings;
    struct cluster cluster;
    char owner[256], advice[400];
    const char *name;
    text_copy(advice, sizeof advice, in_words(cli->language, "give this one another `sockets` in its settings"));
    if (!sockets_are_free(settings, owner)) {
        cli_fail(cli, CLI_REFUSED, advice, in_words(cli->language, "the socket folder %s is held by the supervisor of %s"),
                 settings->sockets, owner);
        return false;
    }
    if (cluster_is_mixed(settings, &name)) {
        cli_fail(cli, CLI_REFUSED,
                 in_words(cli->language, "Give every service its `dsn` (a line was lost?), or none: a new private cluster is made only for all of them."),
                 in_words(cli->language, "the settings name a PostgreSQL server for %s, and none for another service"), name);
        return false;
    }
    if (cluster_is_private(settings) && cluster_find(&cluster, settings) && cluster_is_anothers(&cluster)) {
        cli_fail(cli, CLI_REFUSED, NULL, "%s", cluster.why);
        return false;
    }
    return true;
}

/* `aftercare status` in a process of its own: this one has no sockets. */
static bool all_answer(const struct cli *cli)
{
    char program[300], folder[256];
    int status;
    program_folder(folder);
    text_format(program, sizeof program, "%s/aftercare", folder);
    pid_t pid = fork();
    if (pid == 0) {
        int nowhere = open("/dev/null", O_RDWR);
        dup2(nowhere, STDOUT_FILENO);
        dup2(nowhere, STDERR_FILENO);
        if (cli->config != NULL)
            execl(program, program, "status", "--data", cli->settings.data, "--config", cli->config,
                  (char *)NULL);
        else
            execl(program, program, "status", "--data", cli->settings.data, (char *)NULL);
        _exit(127);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

static int up_finish(struct cli *cli, pid_t own)
{
    char why[200];
    const char *late = wait_ready(cli, &own, why);
    if (late == NULL) {
        /* A healthy worker may still be on its way to the feed, where it is asked. */
        for (int64_t until_us = clock_boot_us() + ANSWER_US;
             !all_answer(cli) && clock_boot_us() < until_us;)
            poll(NULL, 0, 100);
        cli_note(cli, in_words(cli->language, "%s is up"), cli->settings.data);
        return CLI_DONE;
    }
    tail_log(&cli->settings, late);
    /* Without one of the others the rest does its work, and what mends it (`aftercare rebuild`) wants intake. */
    if (!text_equal(late, "intake") && !text_equal(late, "postgresql") && !text_equal(late, "supervisor"))
        return cli_fail(cli, CLI_REFUSED,
                        in_words(cli->language, "All others run. Its log says what it wants; `aftercare rebuild NAME` makes its tables anew."),
                        in_words(cli->language, "%s does not come up: %s"), late,
                        why[0] != '\0' ? why : in_words(cli->language, "it does not answer"));
    if (own != 0) {
        kill(own, SIGTERM);
        waitpid(own, NULL, 0);
    }
    return cli_fail(cli, CLI_REFUSED,
                    in_words(cli->language, "`aftercare doctor` looks for the cause"),
                    in_words(cli->language, "%s does not come up: %s"), late,
                    why[0] != '\0' ? why : in_words(cli->language, "it does not answer"));
}

int command_up(struct cli *cli, int argc, char **argv)
{
    static const struct cli_syntax syntax = {
        .options = up_options,
        .parser = up_parse,
        .doc = "Starts PostgreSQL and all daemons on a data folder, and makes the folder where "
               "there is none.\v"
               "Examples:\n  aftercare up\n  aftercare up --data /tmp/try --clock stepped --start "
               "2011-07-01T04:00:00Z"};
    struct up_options options = {.cli = cli};
    cli_parse(&syntax, argc, argv, &options);
    if (supervisor_pid(&cli->settings) != 0) {
        cli_note(cli, in_words(cli->language, "%s is up already"), cli->settings.data);
        return up_finish(cli, 0);
    }
    if (geteuid() == 0 && service_user() == NULL)
        return cli_fail(cli, CLI_REFUSED,
                        "useradd --system --home-dir /var/lib/aftercare --shell "
                        "/usr/sbin/nologin " SERVICE_USER,
                        in_words(cli->language, "there is no user %s to run the daemons as"),
                        SERVICE_USER);
    struct cluster cluster;
    if (cluster_is_private(&cli->settings) && !cluster_find(&cluster, &cli->settings))
        return cli_fail(cli, CLI_REFUSED, NULL, "%s", cluster.why);
    if (!folders_make(cli) || !is_alone(cli) || !settings_write(&options) || !stream_write(&options) ||
        !ports_are_free(&options))
        return CLI_REFUSED;
    pid_t supervisor = supervisor_start(&options);
    if (supervisor < 0)
        return cli_fail(cli, CLI_REFUSED, NULL,
                        in_words(cli->language, "no process can be started: %s"), strerror(errno));
    return up_finish(cli, supervisor);
}
