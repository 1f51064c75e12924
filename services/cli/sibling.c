#include "sibling.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#define ARGS_MAX 12

struct words {
    char *items[ARGS_MAX + 1]; /* ends with NULL */
    size_t n;
};

static void word_add(struct words *words, const char *text)
{
    if (words->n < ARGS_MAX)
        words->items[words->n++] = memory_text(text);
}

static void option_add(struct words *words, const char *option, const char *value)
{
    if (value == NULL)
        return;
    word_add(words, option);
    word_add(words, value);
}

static bool program_name(const char *name, char out[512])
{
    char folder[400] = "";
    ssize_t n = readlink("/proc/self/exe", folder, sizeof(folder) - 1);
    char *slash = n > 0 ? strrchr(folder, '/') : NULL;
    if (slash == NULL)
        return false;
    *slash = '\0';
    text_format(out, 512, "%s/aftercare-%.48s", folder, name);
    return true;
}

static void read_all(int fd, struct buf *told)
{
    char chunk[4096];
    ssize_t n;
    while ((n = read(fd, chunk, sizeof chunk)) > 0 || (n < 0 && errno == EINTR))
        if (n > 0)
            buf_append(told, chunk, (size_t)n);
}

static int start(const struct cli *cli, const struct words *words, const int pipe_ends[2], pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    if (pipe_ends[1] >= 0)
        posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
    else if (cli->json)
        posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    fflush(stdout);
    int code = posix_spawn(pid, words->items[0], &actions, NULL, words->items, environ);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

bool sibling_run(const struct cli *cli, const char *name, const char *const *flags, size_t flags_n,
                 struct buf *told, int *status)
{
    char program[512];
    struct words words = {.n = 0};
    int ends[2] = {-1, -1}, raw = 0;
    pid_t pid = 0;
    if (!program_name(name, program)) {
        cli_fail(cli, CLI_REFUSED, NULL, "%s", "/proc/self/exe");
        return false;
    }
    word_add(&words, program);
    for (size_t i = 0; i < flags_n; i++)
        word_add(&words, flags[i]);
    option_add(&words, "--config", cli->config);
    option_add(&words, "--data", cli->data);
    int code = told != NULL && pipe2(ends, O_CLOEXEC) != 0 ? errno : start(cli, &words, ends, &pid);
    if (ends[1] >= 0)
        close(ends[1]);
    if (code == 0 && told != NULL)
        read_all(ends[0], told);
    if (ends[0] >= 0)
        close(ends[0]);
    if (code != 0)
        cli_fail(cli, CLI_REFUSED,
                 in_words(cli->language, "`aftercare doctor` checks the installation."),
                 in_words(cli->language, "cannot start %s: %s"), program, strerror(code));
    else
        *status = waitpid(pid, &raw, 0) == pid && WIFEXITED(raw) ? WEXITSTATUS(raw) : CLI_REFUSED;
    for (size_t i = 0; i < words.n; i++)
        free(words.items[i]);
    return code == 0;
}
