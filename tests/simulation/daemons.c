/* The daemons as they are, each a process: intake (services/intake, both threads) and the workers (common/worker/shell.c). */
#include "base/log.h"
#include "base/text.h"
#include "company.h"
#include "net.h"
#include "services/intake/feed_inside.h"
#include "worker/shell.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <systemd/sd-daemon.h>
#include "services/intake/init.h"
#include "services/intake/refold.h"
#include "services/intake/server.h"

#define CACHE_ROWS 16 /* few: misses are part of the story */
#define INTAKES 2

struct daemon {
    const char *name;
    const struct worker *worker; /* NULL: intake */
    size_t host;                 /* of an intake */
    int running;
    bool kept; /* it is started again when it has ended */
};

static struct settings settings[INTAKES];
static struct daemon daemons[INTAKES + WORKERS];
#define PROCESSES_MAX 64
static struct process *living[PROCESSES_MAX];
static size_t living_n;

/* --- what the daemons need beside ------------------------------------------------------------------ */

/* Of a stream that is there already with archive tables of another form. */
int archive_rebuild(const struct settings *own, bool forced)
{
    (void)own;
    (void)forced;
    return 0;
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
    struct doors doors = {.settings = own};
    struct server_config config = {.settings = own, .entrance = &doors, .feed_pair = "inproc://feed", .metrics = metrics, .cache_rows = CACHE_ROWS, .doors = true};
    struct server *server = server_new(&config);
    struct feed *feed = feed_start(&doors, config.feed_pair, NULL, metrics);
    bool fine = feed != NULL && server_begin(server) && server_run(server);
    if (feed != NULL)
        server_stop_feed(server);
    feed_stop(&feed);
    server_destroy(&server);
    return fine ? 0 : 1;
}

static void intake_run(void *arg)
{
    const struct daemon *daemon = arg;
    process_exit(intake_serve(&settings[daemon->host]));
}

static void daemon_begin(void *arg);

static void living_forget(const struct process *process)
{
    size_t i = 0;
    while (living[i] != process)
        i++;
    living[i] = living[--living_n];
}

static bool intake_runs(void)
{
    return daemons[0].running + daemons[1].running > 0;
}

static void on_ended(struct process *process)
{
    struct daemon *daemon = process->owner;
    net_forget(process);
    living_forget(process);
    daemon->running--;
    world_say("%s has ended (%d)", process->name, process->exit_code);
    bool needed = daemon->worker == NULL && !intake_runs();
    if (daemon->running == 0 && (daemon->kept || needed))
        world_at(world_now_us() + world_between(100, 1500) * 1000, daemon_begin, daemon);
}

static void begin(struct daemon *daemon)
{
    assert(living_n < PROCESSES_MAX);
    daemon->running++;
    world_say("%s begins", daemon->name);
    living[living_n++] = process_begin(daemon->name, daemon->worker != NULL ? worker_run : intake_run, daemon, on_ended, daemon);
}

static void daemon_begin(void *arg)
{
    struct daemon *daemon = arg;
    if (daemon->running == 0)
        begin(daemon);
}

/* Two intakes never share an address; two processes of a worker may come to be. */
void company_second(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(daemons); i++)
        if (text_starts(daemons[i].name, name) && daemons[i].running == (daemons[i].worker != NULL))
            begin(&daemons[i]);
}

/* --- folding anew ------------------------------------------------------------------------------------ */

struct folding {
    char name[48];
    const struct worker *worker;
    bool verify, under_way;
};
static struct folding foldings[WORKERS];
static size_t folded[2];

static void folding_run(void *arg)
{
    const struct folding *folding = arg;
    process_exit(worker_fold(folding->worker, &settings[0], folding->verify));
}

static void on_folded(struct process *process)
{
    struct folding *folding = process->owner;
    net_forget(process);
    living_forget(process);
    folding->under_way = false;
    world_say("%s has ended (%d)", process->name, process->exit_code);
    if (process->exit_code == 0)
        folded[folding->verify]++;
}

void company_fold(size_t worker, bool verify)
{
    struct folding *folding = &foldings[worker];
    if (folding->under_way)
        return;
    *folding = (struct folding){.worker = workers[worker], .verify = verify, .under_way = true};
    text_format(folding->name, sizeof(folding->name), REBUILDER "%s", workers[worker]->name);
    world_say("%s: %s", folding->name, verify ? "beside it" : "in its place");
    assert(living_n < PROCESSES_MAX);
    living[living_n++] = process_begin(folding->name, folding_run, folding, on_folded, folding);
}

size_t company_folds(bool verify)
{
    return folded[verify];
}

bool company_is_folding(void)
{
    for (size_t i = 0; i < WORKERS; i++)
        if (foldings[i].under_way)
            return true;
    return false;
}

struct process *company_process(size_t i)
{
    return i < living_n ? living[i] : NULL;
}

/* --- the beginning --------------------------------------------------------------------------------- */

static const char *const hosts[INTAKES] = {"a", "b"};

static void settings_make(void)
{
    for (size_t host = 0; host < INTAKES; host++) {
        struct settings *own = &settings[host];
        settings_defaults(own, "/nowhere");
        text_copy(own->cmd, sizeof(own->cmd), "cmd-a, cmd-b");
        text_copy(own->live, sizeof(own->live), "live-a, live-b");
        text_copy(own->feed, sizeof(own->feed), "feed-a, feed-b");
        text_format(own->intake.cmd, sizeof(own->intake.cmd), "cmd-%s", hosts[host]);
        text_format(own->intake.live, sizeof(own->intake.live), "live-%s", hosts[host]);
        text_format(own->intake.feed, sizeof(own->intake.feed), "feed-%s", hosts[host]);
        own->dispatcher.cache_rows = own->sla_watchdog.cache_rows = own->follow_up.cache_rows = own->reporting.cache_rows = CACHE_ROWS;
        own->dispatcher.metrics[0] = own->sla_watchdog.metrics[0] = own->follow_up.metrics[0] = own->reporting.metrics[0] = '\0';
    }
}

void company_endpoint(const char *kind, size_t turn, char out[ENDPOINT_CAP])
{
    text_format(out, ENDPOINT_CAP, "%s-%s", kind, hosts[turn % INTAKES]);
}

void company_stream(char *out, size_t cap)
{
    struct event event;
    struct problem problem;
    bool fine = event_decode(db_of(STORE_SCHEMA)->journal[0]->body, bytes_of(NULL, 0), &event, &problem);
    assert(fine);
    text_copy(out, cap, event.key);
}

/* An intake's holder is its host and its address: the address tells them apart. */
int sim_gethostname(char *out, size_t cap);
int sim_gethostname(char *out, size_t cap)
{
    snprintf(out, cap, "host");
    return 0;
}

void company_begin(bool stepped, bool standby)
{
    struct options options = {.mode = MODE_INIT, .name = "simulated", .clock = stepped ? CLOCK_STEPPED : CLOCK_WALL,
                              .start_us = WORLD_WALL_US, .clock_source = "import", .branches = {"b1", "b2"}, .branches_n = 2};
    settings_make();
    workers_make();
    bool fine = stream_init(&options, &settings[0]);
    assert(fine);
    daemons[0] = (struct daemon){.name = "intake-a", .kept = true};
    daemons[1] = (struct daemon){.name = "intake-b", .host = 1, .kept = standby};
    for (size_t i = 0; i < WORKERS; i++)
        daemons[INTAKES + i] = (struct daemon){.name = workers[i]->name, .worker = workers[i], .kept = true};
    for (size_t i = 0; i < COUNT_OF(daemons); i++)
        if (daemons[i].kept)
            begin(&daemons[i]);
    branches_begin();
    readers_begin();
}
