/* The process around a worker: options, settings, the loop. */
#include "worker/shell.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "bus/key.h"
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#define BACKOFF_FIRST_US (100 * 1000)
#define BACKOFF_MAX_US (5 * SECOND_US)

enum mode { MODE_SERVE, MODE_REBUILD, MODE_VERIFY, MODE_PRINT_CONFIG };

struct options {
    const char *config, *data;
    enum mode mode;
};

enum { OPTION_PRINT_CONFIG = 256, OPTION_REBUILD, OPTION_VERIFY };

static const struct argp_option argp_options[] = {
    {"config", 'c', "FILE", 0, "settings (default: DATA/aftercare.yaml or /etc/aftercare/aftercare.yaml)", 0},
    {"data", 'd', "DIR", 0, "data folder (default: AFTERCARE_DATA, then the usual place)", 0},
    {"print-config", OPTION_PRINT_CONFIG, NULL, 0, "print the settings in force and exit", 0},
    {"rebuild", OPTION_REBUILD, NULL, 0, "fold the journal anew into fresh tables and swap them in", 0},
    {"verify", OPTION_VERIFY, NULL, 0, "fold the journal beside the living tables and compare", 0},
    {0}};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case 'c':
        options->config = arg;
        return 0;
    case 'd':
        options->data = arg;
        return 0;
    case OPTION_PRINT_CONFIG:
        options->mode = MODE_PRINT_CONFIG;
        return 0;
    case OPTION_REBUILD:
        options->mode = MODE_REBUILD;
        return 0;
    case OPTION_VERIFY:
        options->mode = MODE_VERIFY;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void read_settings(struct settings *settings, const struct options *options)
{
    struct problems problems = {0};
    if (settings_read(settings, options->data, options->config, &problems))
        return;
    struct buf line = {0};
    for (size_t i = 0; i < problems.n && i < PROBLEMS_MAX; i++) {
        buf_reset(&line);
        problem_print(&problems.items[i], false, &line);
        log_error("settings, line %u: %s", problems.items[i].line, buf_text(&line));
    }
    exit(2);
}

static bool is_tcp(const char *list)
{
    return strstr(list, "tcp://") != NULL;
}

static void reach(char *endpoint, const char *of_key, uint32_t n)
{
    if (endpoint[0] == '\0' && n > 0)
        text_copy(endpoint, ENDPOINT_CAP, of_key);
}

/* Over TCP it is known by its key, and a key file of its own may say where intake is. */
static void identify(struct settings *settings, const char *name)
{
    char path[400];
    struct bus_key key;
    struct problem problem;
    bool local = !is_tcp(settings->cmd) && !is_tcp(settings->live) && !is_tcp(settings->feed);
    if ((settings->key[0] == '\0' && local) || !settings_key(settings, settings->key, name, path))
        return;
    if (!bus_key_load(path, &key, &problem))
        log_fatal("key %s: %s", problem.field, problem.args);
    reach(settings->cmd, key.endpoints.cmd[0], key.endpoints.cmd_n);
    reach(settings->live, key.endpoints.live[0], key.endpoints.live_n);
    reach(settings->feed, key.endpoints.feed[0], key.endpoints.feed_n);
    bus_identify(&key);
    bus_key_forget(&key);
}

const int64_t apply_bounds_us[8] = {1000, 2000, 5000, 10000, 20000, 50000, 100000, 1000000};

static void metrics_open(struct shell *shell)
{
    static char names[COUNT_OF(apply_bounds_us)][48], fired[COUNT_OF(apply_bounds_us)][48];
    char error[160] = "";
    shell->metrics = metrics_new(shell->worker->name);
    metrics_folder(shell->metrics, shell->settings->data);
    shell->events = metric_counter(shell->metrics, "events_total", "events applied");
    shell->conclusions = metric_counter(shell->metrics, "conclusions_total", "conclusions shipped");
    shell->commits = metric_counter(shell->metrics, "commits_total", "transactions");
    shell->restarts = metric_counter(shell->metrics, "sessions_total", "sessions begun");
    shell->position = metric_gauge(shell->metrics, "position", "committed position");
    shell->head = metric_gauge(shell->metrics, "head", "highest head heard of");
    shell->lag = metric_gauge(shell->metrics, "lag_events", "head less position");
    shell->in_flight = metric_gauge(shell->metrics, "in_flight", "conclusions not read back yet");
    shell->parked = metric_gauge(shell->metrics, "parked", "events set aside");
    shell->checked = metric_gauge(shell->metrics, "checked_until_seconds", "time is known to have come so far");
    for (size_t i = 0; i < COUNT_OF(apply_bounds_us); i++) {
        text_format(names[i], sizeof names[i], "applied_within_%lld_ms_total", (long long)(apply_bounds_us[i] / 1000));
        shell->applied_within[i] =
            metric_counter(shell->metrics, names[i], "events applied so soon after they were recorded");
    }
    shell->timers = metric_counter(shell->metrics, "timers_fired_total", "timers fired");
    shell->timers_late_us = metric_counter(shell->metrics, "timers_late_microseconds_total", "from due to shipped, summed");
    for (size_t i = 0; i < COUNT_OF(apply_bounds_us); i++) {
        text_format(fired[i], sizeof fired[i], "timers_within_%lld_ms_total", (long long)(apply_bounds_us[i] / 1000));
        shell->fired_within[i] = metric_counter(shell->metrics, fired[i], "timers that fired so soon after they were due");
    }
    metrics_health(shell->metrics, "starting");
    if (shell->own->metrics[0] != '\0' && !metrics_serve(shell->metrics, shell->own->metrics, error, sizeof error))
        log_fatal("metrics cannot be served at %s: %s (another program has the port? set %s.metrics)",
                  shell->own->metrics, error, shell->worker->name);
}

/* A rebuild meets every row there ever was, soon after each other: what is kept saves fetching. */
#define REBUILD_CACHE_ROWS 65536

static void shell_open(struct shell *shell, const struct worker *worker, const struct settings *settings, enum mode mode)
{
    memset(shell, 0, sizeof *shell);
    shell->worker = worker;
    shell->settings = settings;
    shell->own = settings_worker(settings, worker->name);
    if (shell->own == NULL)
        log_panic("no section %s in the settings", worker->name);
    shell->pg = pg_new(shell->own->dsn, worker->name);
    size_t cache_rows = (size_t)shell->own->cache_rows;
    if (mode != MODE_SERVE && cache_rows < REBUILD_CACHE_ROWS)
        cache_rows = REBUILD_CACHE_ROWS;
    shell->run = run_new(worker, cache_rows);
    pthread_mutex_init(&shell->board.lock, NULL);
    pthread_cond_init(&shell->board.moved, NULL);
    random_fill(shell->incarnation, sizeof shell->incarnation);
    bus_start();
    shell->loop = loop_new();
}

static void shell_close(struct shell *shell)
{
    session_close(shell);
    ask_stop(&shell->ask);
    metrics_destroy(&shell->metrics);
    run_destroy(&shell->run);
    free(shell->sent.rec_us);
    pg_destroy(&shell->pg);
    pg_destroy(&shell->ahead.pg);
    loop_destroy(&shell->loop);
    bus_stop();
}

static void rest(struct shell *shell)
{
    session_close(shell);
    metrics_health(shell->metrics, shell->why);
    if (shell->fatal)
        return;
    shell->backoff_us = shell->backoff_us == 0 ? BACKOFF_FIRST_US
                        : shell->backoff_us * 2 > BACKOFF_MAX_US ? BACKOFF_MAX_US : shell->backoff_us * 2;
    log_warn("%s; again in %lld ms", shell->why, (long long)(shell->backoff_us / 1000));
    int64_t until_us = clock_boot_us() + shell->backoff_us;
    while (!shell->stop && clock_boot_us() < until_us) {
        sd_notify(0, "WATCHDOG=1");
        shell->stop = !loop_once(shell->loop, until_us);
    }
}

static void follow(struct shell *shell)
{
    int64_t began_us = clock_boot_us();
    metrics_health(shell->metrics, "");
    metric_add(shell->restarts, 1);
    sd_notify(0, "READY=1");
    while (!shell->broken && !shell->stop) {
        int64_t now_us = clock_boot_us();
        sd_notify(0, "WATCHDOG=1");
        if (batch_work(shell, now_us)) {
            shell->backoff_us = 0;
            continue;
        }
        ahead_turn(shell);
        batch_tell(shell, now_us);
        session_flush(shell);
        if (source_tick(shell->source, now_us) || reader_tick(shell->reader, now_us)) {
            session_break(shell, "intake is silent");
            break;
        }
        int64_t deadline_us = batch_deadline_us(shell), other_us = source_deadline_us(shell->source);
        deadline_us = other_us < deadline_us ? other_us : deadline_us;
        other_us = reader_deadline_us(shell->reader);
        deadline_us = other_us < deadline_us ? other_us : deadline_us;
        if (!loop_once(shell->loop, deadline_us))
            shell->stop = true;
        if (run_error(shell->run)[0] != '\0') {
            shell->fatal = true;
            session_break(shell, "%s", run_error(shell->run));
        }
    }
    if (clock_boot_us() - began_us > BACKOFF_MAX_US)
        shell->backoff_us = 0; /* it was a session: the next trouble is another one */
}

static int serve(struct shell *shell)
{
    metrics_open(shell);
    shell->ask = ask_start(shell->worker, shell->own->dsn, &shell->board);
    while (!shell->stop && !shell->fatal) {
        if (session_open(shell))
            follow(shell);
        if (!shell->stop && !shell->fatal)
            rest(shell);
    }
    sd_notify(0, "STOPPING=1");
    if (shell->fatal)
        log_error("%s", shell->why);
    else
        log_info("stops at position %llu", (unsigned long long)shell->committed);
    int code = shell->superseded ? WORKER_EXIT_SUPERSEDED : shell->fatal ? 1 : 0;
    shell_close(shell);
    return code;
}

int worker_main(const struct worker *worker, int argc, char **argv)
{
    static struct settings settings;
    static struct shell shell;
    struct options options = {0};
    char doc[160];
    text_format(doc, sizeof doc, "aftercare-%s: one worker of the aftercare backend.", worker->name);
    const struct argp argp = {argp_options, parse_option, NULL, doc, NULL, NULL, NULL};
    argp_err_exit_status = 2;
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    read_settings(&settings, &options);
    log_open(worker->name, text_equal(settings.log, "json"));
    if (options.mode == MODE_PRINT_CONFIG) {
        struct buf out = {0};
        settings_print(&settings, &out);
        fwrite(out.data, 1, out.len, stdout);
        buf_release(&out);
        return 0;
    }
    identify(&settings, worker->name);
    shell_open(&shell, worker, &settings, options.mode);
    if (options.mode == MODE_SERVE)
        return serve(&shell);
    int code = options.mode == MODE_REBUILD ? rebuild_run(&shell) : verify_run(&shell);
    shell_close(&shell);
    return code;
}
