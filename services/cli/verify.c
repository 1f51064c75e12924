/* rebuild and verify: the journal's chain is read here, tables are the workers' own business (each
 * by its own role). */
#include "base/clock.h"
#include "base/text.h"
#include "connection.h"
#include "progress.h"
#include <errno.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct verifying {
    struct cli *cli;
    const char *worker;
    bool verify;
    uint64_t pos;
    struct progress progress;
    uint64_t holes;
};

static int run_sibling(const struct cli *cli, const char *worker, const char *flag)
{
    char folder[400] = "", program[512];
    ssize_t n = readlink("/proc/self/exe", folder, sizeof(folder) - 1);
    char *slash = n > 0 ? strrchr(folder, '/') : NULL;
    if (slash == NULL)
        return cli_fail(cli, CLI_REFUSED, NULL, "%s", "/proc/self/exe");
    *slash = '\0';
    text_format(program, sizeof(program), "%s/aftercare-%.48s", folder, worker);
    char *config = memory_text(cli->config != NULL ? cli->config : ""),
         *data = memory_text(cli->data != NULL ? cli->data : "");
    char *flag_copy = memory_text(flag), config_option[] = "--config", data_option[] = "--data";
    char *args[8] = {program, flag_copy};
    size_t args_n = 2;
    if (cli->config != NULL) {
        args[args_n++] = config_option;
        args[args_n++] = config;
    }
    if (cli->data != NULL) {
        args[args_n++] = data_option;
        args[args_n++] = data;
    }
    /* Its words are for people: with --json standard output is ours alone. */
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    if (cli->json)
        posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    fflush(stdout);
    pid_t pid;
    int status = 0, code = posix_spawn(&pid, program, &actions, NULL, args, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (code != 0)
        code = cli_fail(cli, CLI_REFUSED,
                        in_words(cli->language, "`aftercare doctor` checks the installation."),
                        in_words(cli->language, "cannot start %s: %s"), program, strerror(code));
    else if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        code = cli_fail(
            cli, CLI_REFUSED,
            in_words(cli->language, "Its own words stand above; `aftercare doctor` looks further."),
            in_words(cli->language, "aftercare-%s %s failed"), worker, flag);
    free(config);
    free(data);
    free(flag_copy);
    return code;
}

static const char *const known_workers[] = {"dispatcher", "sla-watchdog", "follow-up", "reporting"};

static bool is_worker(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(known_workers); i++)
        if (text_equal(known_workers[i], name))
            return true;
    return false;
}

static error_t rebuild_parse(int key, char *arg, struct argp_state *state)
{
    struct verifying *verifying = state->input;
    switch (key) {
    case 'v':
        verifying->verify = true;
        return 0;
    case ARGP_KEY_ARG:
        if (!is_worker(arg))
            argp_error(state, "WORKER: dispatcher, sla-watchdog, follow-up or reporting");
        verifying->worker = arg;
        return 0;
    case ARGP_KEY_END:
        if (verifying->worker == NULL)
            argp_error(state, "needs WORKER");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int command_rebuild(struct cli *cli, int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"verify", 'v', NULL, 0, "make them beside the living ones and compare instead", 0}, {0}};
    static const struct cli_syntax syntax = {
        options, rebuild_parse, "WORKER",
        "Make a worker's tables anew from the journal. Decisions are not taken again.\vExample:\n  "
        "aftercare rebuild dispatcher"};
    struct verifying verifying = {.cli = cli};
    cli_parse(&syntax, argc, argv, &verifying);
    int code = run_sibling(cli, verifying.worker, verifying.verify ? "--verify" : "--rebuild");
    if (code == CLI_DONE && !cli->json)
        printf(verifying.verify
                   ? in_words(cli->language, "%s: its tables are what the journal says\n")
                   : in_words(cli->language, "%s is rebuilt\n"),
               verifying.worker);
    else if (cli->json)
        printf("{\"worker\":\"%s\",\"%s\":%s}\n", verifying.worker,
               verifying.verify ? "good" : "rebuilt", code == CLI_DONE ? "true" : "false");
    return code;
}

/* --- the chain
 * ------------------------------------------------------------------------------------- */
static bool on_event(void *owner, const struct event *event)
{
    struct verifying *verifying = owner;
    if (event->pos != verifying->pos + 1)
        verifying->holes++;
    verifying->pos = event->pos;
    if (verifying->pos % 4096 == 0)
        progress_show(&verifying->progress, (int64_t)verifying->pos, clock_boot_us());
    return true;
}

static int chain_verify(struct verifying *verifying)
{
    static const struct feed_listener listener = {.event = on_event};
    struct cli *cli = verifying->cli;
    struct stream_created stream;
    struct verb_open *open = memory_new(sizeof(*open));
    int64_t head = 0;
    record_clear(&verb_open_record, open);
    int code = stream_read(cli, &stream);
    if (code == CLI_DONE)
        code = head_ask(cli, &head, NULL);
    if (code == CLI_DONE) {
        progress_start(&verifying->progress, cli, in_words(cli->language, "events"), head,
                       clock_boot_us());
        code = feed_read(cli, stream.stream, open, true, &listener, verifying);
        if (code == CLI_DONE && ((int64_t)verifying->pos < head || verifying->holes > 0))
            code = cli_fail(
                cli, CLI_REFUSED,
                in_words(cli->language, "Restore the journal from its backup or standby."),
                in_words(cli->language, "the journal has holes: %" PRIu64 " of %" PRId64 " read"),
                verifying->pos, head);
    }
    free(open);
    if (code == CLI_DONE && !cli->json)
        printf(in_words(cli->language,
                        "journal: positions 1 to %" PRIu64 " without a hole, every link holds\n"),
               verifying->pos);
    return code;
}

int command_verify(struct cli *cli, int argc, char **argv)
{
    static const struct cli_syntax syntax = {
        NULL, NULL, NULL,
        "Prove that the journal has no hole and has not changed, and that every worker's tables "
        "are what it says.\vExamples:\n  aftercare verify\n  aftercare verify --json"};
    struct verifying verifying = {.cli = cli};
    cli_parse(&syntax, argc, argv, &verifying);
    int code = chain_verify(&verifying);
    if (code == CLI_SILENT)
        return code;
    bool chain = code == CLI_DONE, tables[COUNT_OF(known_workers)];
    for (size_t i = 0; i < COUNT_OF(known_workers); i++) {
        int worker_code = run_sibling(cli, known_workers[i], "--verify");
        tables[i] = worker_code == CLI_DONE;
        if (worker_code == CLI_DONE && !cli->json)
            printf(in_words(cli->language, "%s: its tables are what the journal says\n"),
                   known_workers[i]);
        if (worker_code != CLI_DONE)
            code = worker_code;
    }
    if (!cli->json)
        return code;
    printf("{\"events\":%" PRIu64 ",\"journal\":%s", verifying.pos, chain ? "true" : "false");
    for (size_t i = 0; i < COUNT_OF(known_workers); i++)
        printf(",\"%s\":%s", known_workers[i], tables[i] ? "true" : "false");
    printf(",\"good\":%s}\n", code == CLI_DONE ? "true" : "false");
    return code;
}
