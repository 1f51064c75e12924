/* The daemons as they are, each a process: intake (services/intake, both threads) and the workers (common/worker/shell.c). */
#include "base/log.h"
#include "base/text.h"
#include "company.h"
#include "net.h"
#include "services/dispatcher/dispatcher.h"
#include "services/follow-up/follow_up.h"
#include "services/intake/feed_inside.h"
#include "worker/shell.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <systemd/sd-daemon.h>
#include "services/intake/init.h"
#include "services/intake/server.h"
#include "services/reporting/reporting.h"
#include "services/sla-watchdog/sla_watchdog.h"

#define CACHE_ROWS 16 /* few: misses are part of the story */
#define INTAKES 2

const struct worker *const workers[WORKERS] = {&dispatcher_worker, &sla_watchdog_worker, &follow_up_worker, &reporting_worker};

struct daemon {
    const char *name;
    const struct worker *worker; /* NULL: intake */
    int running;
};

static struct settings settings[INTAKES];
static struct daemon daemons[WORKERS + 1];
#define PROCESSES_MAX 64
static struct process *living[PROCESSES_MAX];
static size_t living_n;

/* --- what the daemons need beside ------------------------------------------------------------------ */

struct metric {
    int64_t value;
};

struct metrics *metrics_new(const char *service)
{
    (void)service;
    return memory_new(1);
}

void metrics_destroy(struct metrics **metrics)
{
    free(*metrics);
    *metrics = NULL;
}

struct metric *metric_counter(struct metrics *metrics, const char *name, const char *help)
{
    (void)metrics;
    (void)name;
    (void)help;
    return memory_new(sizeof(struct metric));
}

struct metric *metric_gauge(struct metrics *metrics, const char *name, const char *help)
{
    return metric_counter(metrics, name, help);
}

void metric_add(struct metric *metric, int64_t n)
{
    metric->value += n;
}

void metric_set(struct metric *metric, int64_t n)
{
    metric->value = n;
}

int64_t metric_value(const struct metric *metric)
{
    return metric->value;
}

void metrics_health(struct metrics *metrics, const char *reason)
{
    (void)metrics;
    (void)reason;
}

bool metrics_serve(struct metrics *metrics, const char *endpoint, char *error, unsigned long error_cap)
{
    (void)metrics;
    (void)endpoint;
    (void)error;
    (void)error_cap;
    return true;
}

int sd_notify(int unset, const char *state)
{
    (void)unset;
    (void)state;
    return 0;
}

void sim_random_fill(void *out, size_t n);
void sim_random_fill(void *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)out)[i] = (uint8_t)world_draw(256);
}

int sim_setitimer(__itimer_which_t which, const struct itimerval *value, struct itimerval *old)
{
    (void)which;
    (void)value;
    (void)old;
    return 0;
}

/* Questions are not part of this. */
void own_answer(struct feed *feed, const struct asked *asked)
{
    feed_error(feed, &asked->asker, asked->ask.id, "unknown-question", asked->ask.question);
}

struct ask *ask_start(const struct worker *worker, const char *endpoint, const char *dsn, struct ask_board *board)
{
    (void)worker;
    (void)endpoint;
    (void)dsn;
    (void)board;
    return NULL;
}

void ask_stop(struct ask **ask)
{
    *ask = NULL;
}

int rebuild_run(struct shell *shell)
{
    (void)shell;
    return 1;
}

int verify_run(struct shell *shell)
{
    (void)shell;
    return 1;
}

/* --- processes ------------------------------------------------------------------------------------- */

static void worker_run(void *arg)
{
    const struct daemon *daemon = arg;
    const char *why;
    int code = worker_serve(daemon->worker, &settings[0], &why);
    if (code != WORKER_EXIT_SUPERSEDED)
        world_broken("%s stopped: %s", daemon->name, why);
    process_exit(code);
}

static int intake_serve(const struct settings *own)
{
    struct metrics *metrics = metrics_new("intake");
    struct server_config config = {.settings = own, .feed_pair = "inproc://feed", .metrics = metrics, .cache_rows = CACHE_ROWS};
    struct server *server = server_new(&config);
    struct feed *feed = server != NULL ? feed_start(own, server_stream(server), config.feed_pair, metrics) : NULL;
    bool fine = feed != NULL && server_run(server);
    if (feed != NULL)
        server_stop_feed(server);
    feed_stop(&feed);
    server_destroy(&server);
    return fine ? 0 : 1;
}

static void intake_run(void *arg)
{
    process_exit(intake_serve(arg));
}

static void daemon_begin(void *arg);

static void on_ended(struct process *process)
{
    struct daemon *daemon = process->owner;
    net_forget(process);
    size_t i = 0;
    while (living[i] != process)
        i++;
    living[i] = living[--living_n];
    daemon->running--;
    world_say("%s has ended (%d)", process->name, process->exit_code);
    if (daemon->running == 0)
        world_at(world_now_us() + world_between(100, 3000) * 1000, daemon_begin, daemon);
}

static void begin(struct daemon *daemon)
{
    assert(living_n < PROCESSES_MAX);
    daemon->running++;
    world_say("%s begins", daemon->name);
    /* On another host it waits for the lease to run out. */
    size_t host = world_draw(INTAKES);
    living[living_n++] = daemon->worker != NULL ? process_begin(daemon->name, worker_run, daemon, on_ended, daemon)
                                                : process_begin(daemon->name, intake_run, &settings[host], on_ended, daemon);
}

static void daemon_begin(void *arg)
{
    struct daemon *daemon = arg;
    if (daemon->running == 0)
        begin(daemon);
}

void company_second(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(daemons); i++)
        if (text_equal(daemons[i].name, name) && daemons[i].running == 1)
            begin(&daemons[i]);
}

struct process *company_process(size_t i)
{
    return i < living_n ? living[i] : NULL;
}

/* --- the beginning --------------------------------------------------------------------------------- */

static void settings_make(void)
{
    for (size_t host = 0; host < INTAKES; host++) {
        struct settings *own = &settings[host];
        settings_defaults(own, "/nowhere");
        text_copy(own->cmd, sizeof(own->cmd), "cmd");
        text_copy(own->live, sizeof(own->live), "live");
        text_copy(own->feed, sizeof(own->feed), "feed");
        text_copy(own->intake.cmd, sizeof(own->intake.cmd), "cmd");
        text_copy(own->intake.live, sizeof(own->intake.live), "live");
        text_copy(own->intake.feed, sizeof(own->intake.feed), "feed");
        own->dispatcher.cache_rows = own->sla_watchdog.cache_rows = own->follow_up.cache_rows = own->reporting.cache_rows = CACHE_ROWS;
        own->dispatcher.metrics[0] = own->sla_watchdog.metrics[0] = own->follow_up.metrics[0] = own->reporting.metrics[0] = '\0';
    }
}

static size_t host_next;
int sim_gethostname(char *out, size_t cap);
int sim_gethostname(char *out, size_t cap)
{
    snprintf(out, cap, "host%zu", host_next++ % INTAKES);
    return 0;
}

void company_begin(void)
{
    struct options options = {.mode = MODE_INIT, .name = "simulated", .clock = CLOCK_WALL, .branches = {"b1", "b2"}, .branches_n = 2};
    settings_make();
    bool fine = stream_init(&options, &settings[0]);
    assert(fine);
    daemons[0] = (struct daemon){.name = "intake"};
    for (size_t i = 0; i < WORKERS; i++)
        daemons[i + 1] = (struct daemon){.name = workers[i]->name, .worker = workers[i]};
    for (size_t i = 0; i < COUNT_OF(daemons); i++)
        begin(&daemons[i]);
    branches_begin();
    readers_begin();
}
