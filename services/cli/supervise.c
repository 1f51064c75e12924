/* `aftercare supervise`: PostgreSQL and the daemons as children; a dead one is started again, after
 * a pause that grows while it keeps dying. What `aftercare up` leaves running; under systemd its
 * units do this work instead. */
#include "supervise.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "cluster.h"
#include "worker/run.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAUSE_FIRST_US  (500 * 1000)
#define PAUSE_MAX_US    (5 * SECOND_US) /* what brings it down is found in a few starts: waiting longer holds everything up */
#define STEADY_US       (60 * SECOND_US) /* alive that long: the pause starts small again */
#define DAEMONS_STOP_US (14 * SECOND_US)
#define CLUSTER_STOP_US (12 * SECOND_US)
#define CLUSTER_US      (60 * SECOND_US) /* after a crash it reads its log first */
#define POSTGRESQL      "postgresql"
#define LOG_BYTES_MAX   (16 * 1024 * 1024)
#define CHILDREN_MAX    8

static const struct daemon_name daemons[] = {{"intake", "aftercare-intake"},
                                             {"dispatcher", "aftercare-dispatcher"},
                                             {"sla-watchdog", "aftercare-sla-watchdog"},
                                             {"follow-up", "aftercare-follow-up"},
                                             {"reporting", "aftercare-reporting"}};

const struct daemon_name *daemon_at(size_t i)
{
    return i < COUNT_OF(daemons) ? &daemons[i] : NULL;
}

const char *daemon_metrics(const struct settings *settings, const char *name)
{
    const struct settings_worker *worker = settings_worker(settings, name);
    return worker != NULL ? worker->metrics : settings->intake.metrics;
}

void program_folder(char out[256])
{
    ssize_t n = readlink("/proc/self/exe", out, 255);
    out[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(out, '/');
    if (slash != NULL)
        *slash = '\0';
}

void data_path(const struct settings *settings, const char *name, char out[400])
{
    text_format(out, 400, "%s/%s", settings->data, name);
}

/* A lock of the process, not a number in a file: it is gone with the process, and says whose it is.
 */
static int lock_ask(int fd, int command, struct flock *lock)
{
    *lock = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, command, lock);
}

pid_t supervisor_pid(const struct settings *settings)
{
    char path[400];
    struct flock lock;
    data_path(settings, "supervisor.pid", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    bool held = lock_ask(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    close(fd);
    return held ? lock.l_pid : 0;
}

struct child {
    const char *name;
    char program[400];
    const char *argv[16]; /* argv[0] is program, or the cluster's */
    pid_t pid;
    int64_t started_us, again_us, pause_us; /* boot time */
    int stop_signal;
    bool once;  /* is to end */
    int status; /* of its last end */
};

struct supervisor {
    struct cli *cli;
    const struct settings *settings;
    struct cluster cluster;
    char cluster_argv[2][400];
    struct child children[CHILDREN_MAX];
    size_t n;
    bool has_cluster; /* children[0] */
    int signals;
    bool stop;
};

/* Output goes to DATA/log/NAME.log; a log that has grown large is kept once as .1. */
static void log_path(const struct supervisor *supervisor, const char *name, char path[400])
{
    char file[80], old[420];
    struct stat stat_now;
    text_format(file, sizeof file, "log/%s.log", name);
    data_path(supervisor->settings, file, path);
    if (stat(path, &stat_now) == 0 && stat_now.st_size > LOG_BYTES_MAX) {
        text_format(old, sizeof old, "%s.1", path);
        rename(path, old);
    }
}

/* In the child. It must not outlive a supervisor that was killed: the next one could not have its
 * ports. */
static _Noreturn void child_become(const struct child *child, const char *log, char *const argv[],
                                   pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, child->stop_signal);
    if (getppid() != parent)
        _exit(0);
    int input = open("/dev/null", O_RDONLY | O_CLOEXEC),
        output = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (input < 0 || output < 0)
        _exit(126);
    dup2(input, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    execv(argv[0], argv);
    _exit(127);
}

static bool child_start(struct supervisor *supervisor, struct child *child)
{
    char log[400], *argv[16];
    size_t n = 0;
    pid_t parent = getpid();
    child->started_us = clock_boot_us();
    if (access(child->argv[0], X_OK) != 0) {
        log_error("%s cannot be started: %s", child->argv[0], strerror(errno));
        return false;
    }
    log_path(supervisor, child->name, log);
    for (; child->argv[n] != NULL; n++)
        argv[n] = memory_text(child->argv[n]);
    argv[n] = NULL;
    child->pid = fork();
    if (child->pid == 0)
        child_become(child, log, argv, parent);
    int error = errno;
    while (n > 0)
        free(argv[--n]);
    if (child->pid > 0)
        return true;
    child->pid = 0;
    log_error("%s cannot be started: %s", child->argv[0], strerror(error));
    return false;
}

static void child_ended(struct child *child, int status, bool stopping)
{
    int64_t now_us = clock_boot_us();
    child->status = status;
    if (stopping || child->once) {
        child->pid = 0;
        return;
    }
    if (now_us - child->started_us > STEADY_US || child->pause_us == 0)
        child->pause_us = PAUSE_FIRST_US;
    else if (child->pause_us < PAUSE_MAX_US)
        child->pause_us *= 2;
    child->pid = 0;
    child->again_us = now_us + child->pause_us;
    if (WIFEXITED(status) && WEXITSTATUS(status) == WORKER_EXIT_SUPERSEDED) {
        child->again_us = INT64_MAX;
        log_error("%s has made way for another process of the same worker: it stays down here until the next start", child->name);
    } else if (WIFSIGNALED(status))
        log_warn("%s was killed by signal %d; again in %lld ms", child->name, WTERMSIG(status),
                 (long long)(child->pause_us / 1000));
    else
        log_warn("%s ended with %d; again in %lld ms (see its log)", child->name,
                 WEXITSTATUS(status), (long long)(child->pause_us / 1000));
}

static void reap(struct supervisor *supervisor)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (size_t i = 0; i < supervisor->n; i++)
            if (supervisor->children[i].pid == pid)
                child_ended(&supervisor->children[i], status, supervisor->stop);
}

/* Waits for a signal or until boot time deadline_us. */
static void wait_until(struct supervisor *supervisor, int64_t deadline_us)
{
    struct pollfd item = {.fd = supervisor->signals, .events = POLLIN};
    int64_t left_us = deadline_us - clock_boot_us();
    struct signalfd_siginfo info;
    if (left_us > 0 && poll(&item, 1, (int)(left_us / 1000) + 1) > 0) {
        while (read(supervisor->signals, &info, sizeof info) == (ssize_t)sizeof info)
            if (info.ssi_signo == SIGHUP)
                log_info("SIGHUP: settings are read at a start only (aftercare down, then up)");
            else if (info.ssi_signo != SIGCHLD)
                supervisor->stop = true;
    }
    reap(supervisor);
}

static void child_add(struct supervisor *supervisor, const char *name, const char *program)
{
    struct child *child = &supervisor->children[supervisor->n++];
    char folder[256];
    program_folder(folder);
    memset(child, 0, sizeof *child);
    child->name = name;
    child->stop_signal = SIGTERM;
    text_format(child->program, sizeof child->program, "%s/%s", folder, program);
    size_t n = 0;
    child->argv[n++] = child->program;
    if (supervisor->cli->data != NULL) {
        child->argv[n++] = "--data";
        child->argv[n++] = supervisor->cli->data;
    }
    if (supervisor->cli->config != NULL) {
        child->argv[n++] = "--config";
        child->argv[n++] = supervisor->cli->config;
    }
    child->argv[n] = NULL;
}

/* PostgreSQL, answering. One that ends while it starts is started again: after a crash an old one
 * may hold the folder still. */
static bool start_cluster(struct supervisor *supervisor)
{
    struct cluster *cluster = &supervisor->cluster;
    if (!cluster_find(cluster, supervisor->settings) || cluster_is_anothers(cluster) ||
        (!cluster_exists(cluster) && !cluster_make(cluster)))
        return false;
    struct child *child = &supervisor->children[supervisor->n++];
    memset(child, 0, sizeof *child);
    child->name = POSTGRESQL;
    child->stop_signal = SIGINT; /* fast: sessions are ended, everything is on disk */
    cluster_command(cluster, child->argv, supervisor->cluster_argv);
    int64_t until_us = clock_boot_us() + CLUSTER_US;
    while (!supervisor->stop && clock_boot_us() < until_us) {
        if (child->pid == 0 && child->again_us <= clock_boot_us() &&
            !child_start(supervisor, child))
            break;
        wait_until(supervisor, clock_boot_us() + 100 * 1000);
        if (child->pid != 0 && cluster_is_ready(cluster))
            return cluster_prepare(cluster);
    }
    text_format(cluster->why, sizeof cluster->why,
                "PostgreSQL does not come up; see %s/log/postgresql.log (a full disk? `df -h %s`)",
                supervisor->settings->data, supervisor->settings->data);
    return false;
}

/* Runs one program to its end. */
static bool run_once(struct supervisor *supervisor, struct child *child)
{
    child->once = true;
    if (!child_start(supervisor, child))
        return false;
    while (child->pid != 0) {
        if (supervisor->stop)
            kill(child->pid, SIGTERM);
        wait_until(supervisor, clock_boot_us() + 100 * 1000);
    }
    return WIFEXITED(child->status) && WEXITSTATUS(child->status) == 0;
}

/* The stream's first event, said once in its life; what it is to be was left in DATA/stream by
 * `up`. */
static bool make_stream(struct supervisor *supervisor)
{
    char path[400], name[64] = "", clock[16] = "", start[48] = "", source[64] = "", doors[8] = "open";
    if (supervisor->has_cluster && cluster_has_stream(&supervisor->cluster))
        return true;
    if (supervisor->has_cluster && supervisor->cluster.why[0] != '\0')
        return false;
    data_path(supervisor->settings, "stream", path);
    FILE *file = fopen(path, "re");
    bool read =
        file != NULL && fscanf(file, "%63s %15s %47s %63s %7s", name, clock, start, source, doors) >= 4;
    if (file != NULL)
        fclose(file);
    const char *extra[] = {"--init",  name,  "--clock",        clock,
                           "--start", start, "--clock-source", source};
    child_add(supervisor, "intake", "aftercare-intake");
    struct child *init = &supervisor->children[supervisor->n - 1];
    size_t n = 0;
    while (init->argv[n] != NULL)
        n++;
    for (size_t i = 0; i < (text_equal(clock, "wall") ? 4 : COUNT_OF(extra)); i++)
        init->argv[n++] = extra[i];
    if (text_equal(doors, "keys"))
        init->argv[n++] = "--keys";
    init->argv[n] = NULL;
    bool made = read && run_once(supervisor, init);
    supervisor->n--; /* not one to be watched */
    if (made)
        return true;
    text_format(supervisor->cluster.why, sizeof supervisor->cluster.why,
                "the stream cannot be created; see %s/log/intake.log", supervisor->settings->data);
    return false;
}

/* Tells children [first, end) and waits for them; who does not end within wait_us is told more
 * plainly. */
static void stop_children(struct supervisor *supervisor, size_t first, size_t end, int64_t wait_us,
                          int plainly)
{
    int64_t until_us = clock_boot_us() + wait_us;
    bool late = false;
    for (size_t i = first; i < end; i++)
        if (supervisor->children[i].pid != 0)
            kill(supervisor->children[i].pid, supervisor->children[i].stop_signal);
    for (size_t i = first; i < end;) {
        const struct child *child = &supervisor->children[i];
        if (child->pid == 0) {
            i++;
            late = false;
            continue;
        }
        if (clock_boot_us() > until_us && !late) {
            log_warn("%s does not end; signal %d", child->name, plainly);
            kill(child->pid, plainly);
            late = true;
        }
        wait_until(supervisor, clock_boot_us() + 50 * 1000);
    }
}

/* All daemons, then PostgreSQL, when nobody needs it any more. Half a minute at most. */
static void stop_all(struct supervisor *supervisor)
{
    size_t first = supervisor->has_cluster ? 1 : 0;
    if (supervisor->n > first)
        stop_children(supervisor, first, supervisor->n, DAEMONS_STOP_US, SIGKILL);
    if (supervisor->has_cluster && supervisor->n > 0)
        stop_children(supervisor, 0, 1, CLUSTER_STOP_US, SIGQUIT);
}

static void watch(struct supervisor *supervisor)
{
    while (!supervisor->stop) {
        int64_t now_us = clock_boot_us(), next_us = now_us + 3600 * SECOND_US;
        for (size_t i = 0; i < supervisor->n; i++) {
            struct child *child = &supervisor->children[i];
            if (child->pid == 0 && child->again_us <= now_us && !child_start(supervisor, child))
                child->again_us = now_us + PAUSE_MAX_US;
            if (child->pid == 0 && child->again_us < next_us)
                next_us = child->again_us;
        }
        wait_until(supervisor, next_us);
    }
}

/* Who has none needs no daemon for them. */
static bool has_webhooks(const struct settings *settings)
{
    char path[400];
    data_path(settings, "webhooks.yaml", path);
    return access(path, R_OK) == 0;
}

static int hold_folder(const struct settings *settings)
{
    char path[400];
    struct flock lock;
    data_path(settings, "supervisor.pid", path);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0 || lock_ask(fd, F_SETLK, &lock) != 0 || ftruncate(fd, 0) != 0)
        return -1;
    dprintf(fd, "%d\n", (int)getpid());
    return fd;
}

int command_supervise(struct cli *cli, int argc, char **argv)
{
    static const struct cli_syntax syntax = {
        .doc = "Keeps PostgreSQL and the daemons of a data folder running, in the foreground; "
               "`aftercare up` starts it.\v"
               "Ends on TERM or INT, the daemons before it."};
    struct supervisor supervisor = {.cli = cli, .settings = &cli->settings};
    sigset_t signals;
    cli_parse(&syntax, argc, argv, &cli);
    log_open("supervisor", text_equal(cli->settings.log, "json"));
    int held = hold_folder(&cli->settings);
    if (held < 0)
        return cli_fail(cli, CLI_REFUSED, "`aftercare status` shows it, `aftercare down` ends it",
                        "%s is held by a supervisor already", cli->settings.data);
    int sockets;
    char owner[256];
    if (!sockets_hold(&cli->settings, &sockets, owner))
        return cli_fail(cli, CLI_REFUSED, "give this one another `sockets` in its settings",
                        "the socket folder %s is held by the supervisor of %s", cli->settings.sockets,
                        owner[0] != '\0' ? owner : "another data folder");
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP); /* of a terminal that was closed, or from who means it as elsewhere: nothing is read anew here */
    sigprocmask(SIG_BLOCK, &signals, NULL);
    supervisor.signals = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    supervisor.has_cluster = cluster_is_private(supervisor.settings);
    bool fine = (!supervisor.has_cluster || start_cluster(&supervisor)) && make_stream(&supervisor);
    if (fine) {
        for (size_t i = 0; i < COUNT_OF(daemons); i++)
            child_add(&supervisor, daemons[i].name, daemons[i].program);
        if (has_webhooks(&cli->settings))
            child_add(&supervisor, "webhook", "aftercare-webhook");
        log_info("the daemons are started");
        watch(&supervisor);
    } else if (!supervisor.stop) {
        log_error("%s", supervisor.cluster.why);
    }
    supervisor.stop = true;
    stop_all(&supervisor);
    log_info("ended");
    close(supervisor.signals);
    close(sockets);
    close(held);
    return fine ? CLI_DONE : CLI_REFUSED;
}
