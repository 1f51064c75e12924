#include "tail_exec.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAUSE_MAX_MS 60000

void runner_place(struct runner *runner, const char *filter)
{
    char folder[300];
    struct buf text = {0};
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    buf_append_format(&text, "%s\n%s\n%s", runner->stream, runner->command, filter);
    if (state != NULL && state[0] == '/')
        text_format(folder, sizeof(folder), "%.250s/aftercare", state);
    else
        text_format(folder, sizeof(folder), "%.230s/.local/state/aftercare", home != NULL ? home : "");
    for (char *at = folder + 1; *at != '\0'; at++) /* each folder on the way */
        if (*at == '/') {
            *at = '\0';
            (void)mkdir(folder, 0700);
            *at = '/';
        }
    (void)mkdir(folder, 0700);
    text_format(runner->cursor, sizeof(runner->cursor), "%s/tail-%016" PRIx64 ".cursor", folder, hash_text(buf_text(&text)));
    buf_release(&text);
}

static bool cursor_keep(const struct runner *runner)
{
    char text[100];
    text_format(text, sizeof(text), "%s %" PRId64 "\n", runner->stream, runner->pos);
    if (file_replace(runner->cursor, bytes_of_text(text)))
        return true;
    cli_fail(runner->cli, CLI_REFUSED, in_words(runner->cli->language, "--cursor names another file."),
             in_words(runner->cli->language, "%s cannot be kept: %s"), runner->cursor, strerror(errno));
    return false;
}

int runner_begin(struct runner *runner, int64_t *after)
{
    const struct cli *cli = runner->cli;
    char stream[64] = "";
    FILE *file = fopen(runner->cursor, "re");
    if (file == NULL && errno == ENOENT) {
        runner->pos = *after;
        return cursor_keep(runner) ? CLI_DONE : CLI_REFUSED;
    }
    int read = file != NULL ? fscanf(file, "%63s %" SCNd64, stream, &runner->pos) : 0;
    if (file != NULL)
        (void)fclose(file);
    if (read != 2 || runner->pos < 0)
        return cli_fail(cli, CLI_REFUSED, in_words(cli->language, "Take it away to begin anew."),
                        in_words(cli->language, "%s is no cursor"), runner->cursor);
    if (!text_equal(stream, runner->stream))
        return cli_fail(cli, CLI_REFUSED, in_words(cli->language, "--cursor names another file."),
                        in_words(cli->language, "%s belongs to the stream %s"), runner->cursor, stream);
    *after = runner->pos;
    return CLI_DONE;
}

/* Everything, unless it does not want it: a command need not read. */
static void feed_input(int fd, struct bytes line)
{
    size_t at = 0;
    while (at < line.len) {
        ssize_t n = write(fd, line.data + at, line.len - at);
        if (n < 0 && errno != EINTR)
            return;
        at += n > 0 ? (size_t)n : 0;
    }
}

static void child(const struct runner *runner, const struct event *event, int input)
{
    char pos[24];
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    text_format(pos, sizeof(pos), "%" PRIu64, event->pos);
    if (dup2(input, STDIN_FILENO) < 0 || setenv("AFTERCARE_POS", pos, 1) != 0 || setenv("AFTERCARE_TYPE", event->type, 1) != 0 ||
        setenv("AFTERCARE_KEY", event->key, 1) != 0)
        _exit(127);
    execl("/bin/sh", "sh", "-c", runner->command, (char *)NULL);
    _exit(127);
}

/* The command's exit code; -1: it could not be run, or was killed. */
static int run_once(const struct runner *runner, const struct event *event, struct bytes line)
{
    int ends[2], status;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    (void)fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        child(runner, event, ends[0]);
    close(ends[0]);
    if (pid > 0)
        feed_input(ends[1], line);
    close(ends[1]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* False: told to stop meanwhile. TERM and INT are blocked: the loop looks at them too. */
static bool pause_ms(int ms)
{
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    int fd = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
    struct pollfd item = {.fd = fd, .events = POLLIN};
    int ready = poll(&item, fd >= 0 ? 1 : 0, ms);
    if (fd >= 0)
        close(fd);
    return ready == 0;
}

bool runner_run(struct runner *runner, const struct event *event, struct bytes line)
{
    int code, wait_ms = 1000;
    while ((code = run_once(runner, event, line)) != 0) {
        cli_note(runner->cli, in_words(runner->cli->language, "position %" PRIu64 ": the command ended with %d; again in %d s"), event->pos,
                 code, wait_ms / 1000);
        if (!pause_ms(wait_ms))
            return false;
        wait_ms = wait_ms * 2 < PAUSE_MAX_MS ? wait_ms * 2 : PAUSE_MAX_MS;
    }
    runner->pos = (int64_t)event->pos;
    return cursor_keep(runner);
}
