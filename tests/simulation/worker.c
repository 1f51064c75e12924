/* A worker's daemon as it is: what worker_main does is made of static functions. */
#include "common/worker/shell.c"

#include "company.h"

int worker_serve(const struct worker *worker, const struct settings *settings, const char **why)
{
    struct shell *shell = memory_new(sizeof *shell);
    shell_open(shell, worker, settings, MODE_SERVE);
    int code = serve(shell);
    *why = shell->why;
    return code;
}

int worker_fold(const struct worker *worker, const struct settings *settings, bool verify)
{
    struct shell *shell = memory_new(sizeof *shell);
    shell_open(shell, worker, settings, verify ? MODE_VERIFY : MODE_REBUILD);
    int code = verify ? verify_run(shell) : rebuild_run(shell);
    shell_close(shell);
    return code;
}
