#include "daemon.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "bus/key.h"
#include "bus/line.h"
#include "bus/metrics.h"
#include "courier.h"
#include "post.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#define FRAMES_PER_TURN 256
#define TICK_US SECOND_US

/* A hook's own connection: one that takes nothing holds nobody else back. */
struct line {
    struct daemon *daemon;
    struct courier *courier;
    struct secrets secrets;
    struct bus_line feed;
};

struct daemon {
    const struct settings *settings;
    struct loop *loop;
    struct queue *queue;
    struct poster *poster;
    struct line lines[HOOKS_MAX];
    size_t lines_n;
    struct metrics *metrics;
    struct metric *taken, *failed, *waiting, *parked;
    int64_t tick_us;
    bool lost; /* the queue's trouble: it begins anew */
};

static void line_turn(struct line *line, int64_t boot_us, int64_t wall_us)
{
    struct bus_line *feed = &line->feed;
    struct frame frame;
    for (int i = 0; i < FRAMES_PER_TURN && bus_line_receive(feed, &frame) == STATUS_OK; i++)
        if (!courier_in(line->courier, &frame, boot_us))
            bus_line_break(feed);
    if (!courier_work(line->courier, boot_us, wall_us))
        line->daemon->lost = true;
    if (bus_line_stands(feed) && courier_tick(line->courier, boot_us))
        bus_line_break(feed);
    if (bus_line_is_due(feed, boot_us)) {
        courier_disconnected(line->courier);
        if (bus_line_open(feed, boot_us))
            courier_connected(line->courier, boot_us);
    }
    while (bus_line_stands(feed) && courier_out(line->courier, boot_us, &frame))
        bus_line_send(feed, &frame);
}

static void on_post(void *owner, const struct hook *hook, struct request *request, struct bytes body, const char *const *headers,
                    size_t headers_n)
{
    const struct daemon *daemon = owner;
    const struct post post = {.url = hook->url,
                              .body = body,
                              .headers = headers,
                              .headers_n = headers_n,
                              .timeout_ms = hook->timeout_ms,
                              .request = request};
    post_send(daemon->poster, &post);
}

static void on_done(void *owner, void *of, const struct outcome *outcome)
{
    struct daemon *daemon = owner;
    struct request *request = of;
    if (!courier_done(request->courier, request, outcome, clock_wall_us()))
        daemon->lost = true;
}

static void tick(struct daemon *daemon)
{
    int64_t taken = 0, failed = 0, waiting = 0, parked = 0;
    char health[300] = "";
    for (size_t i = 0; i < daemon->lines_n; i++) {
        struct courier_state state;
        courier_state(daemon->lines[i].courier, &state);
        taken += state.taken;
        failed += state.failed;
        waiting += state.waiting.waiting;
        parked += state.waiting.parked;
        if (state.trouble[0] != '\0')
            text_format(health, sizeof(health), "%s: %s", courier_hook(daemon->lines[i].courier)->name, state.trouble);
    }
    metric_add(daemon->taken, taken - metric_value(daemon->taken));
    metric_add(daemon->failed, failed - metric_value(daemon->failed));
    metric_set(daemon->waiting, waiting);
    metric_set(daemon->parked, parked);
    metrics_health(daemon->metrics, health);
    (void)sd_notify(0, "WATCHDOG=1");
}

static int64_t deadline_us(const struct daemon *daemon, int64_t boot_us, int64_t wall_us)
{
    int64_t due_us = daemon->tick_us, poster_us = poster_deadline_us(daemon->poster);
    if (poster_us < due_us)
        due_us = poster_us;
    for (size_t i = 0; i < daemon->lines_n; i++) {
        const struct line *line = &daemon->lines[i];
        int64_t courier_us = courier_deadline_us(line->courier, boot_us, wall_us);
        if (bus_line_deadline_us(&line->feed) < courier_us)
            courier_us = bus_line_deadline_us(&line->feed);
        if (courier_us < due_us)
            due_us = courier_us;
    }
    return due_us;
}

static void work(struct daemon *daemon)
{
    for (;;) {
        int64_t boot_us = clock_boot_us();
        for (size_t i = 0; i < daemon->lines_n; i++)
            line_turn(&daemon->lines[i], boot_us, clock_wall_us());
        if (boot_us >= daemon->tick_us) {
            daemon->tick_us = boot_us + TICK_US;
            tick(daemon);
        }
        if (daemon->lost || !loop_once(daemon->loop, deadline_us(daemon, boot_us, clock_wall_us())))
            return;
        poster_work(daemon->poster, clock_boot_us());
    }
}

bool daemon_folder(const struct settings *settings, char out[400])
{
    text_format(out, 400, "%s/webhook", settings->data);
    if (mkdir(out, 0700) == 0 || errno == EEXIST)
        return true;
    log_error("%s: %s", out, strerror(errno));
    return false;
}

static bool line_begin(struct daemon *daemon, const struct hooks *hooks, size_t at, const char *folder)
{
    const struct hook *hook = &hooks->items[at];
    char path[512], error[300] = "";
    struct line *line = &daemon->lines[daemon->lines_n];
    const struct courier_edge edge = {.post = on_post, .owner = daemon};
    text_format(path, sizeof(path), "%s/%s.secret", folder, hook->name);
    *line = (struct line){.daemon = daemon};
    bus_line_init(&line->feed, daemon->loop, hook->name, daemon->settings->feed);
    if (!secrets_read(path, &line->secrets, error, sizeof(error))) {
        log_error("%s", error);
        return false;
    }
    line->courier = courier_new(hook, hooks->principal, &line->secrets, daemon->queue, &edge);
    if (line->courier == NULL) {
        log_error("the queue: %s", queue_error(daemon->queue));
        return false;
    }
    daemon->lines_n++;
    return true;
}

static void metrics_begin(struct daemon *daemon, const struct hooks *hooks)
{
    char error[200] = "";
    daemon->metrics = metrics_new("webhook");
    daemon->taken = metric_counter(daemon->metrics, "deliveries_total", "events that were taken by the other side");
    daemon->failed = metric_counter(daemon->metrics, "failures_total", "requests that were not");
    daemon->waiting = metric_gauge(daemon->metrics, "waiting", "events that are read and not taken yet");
    daemon->parked = metric_gauge(daemon->metrics, "parked", "events given up until an operator says what becomes of them");
    if (!metrics_serve(daemon->metrics, hooks->metrics, error, sizeof(error)))
        log_warn("metrics %s: %s", hooks->metrics, error);
}

/* Over TCP it reads by its principal's key; the sockets of this machine ask for none. */
static bool identify(const struct settings *settings, const struct hooks *hooks)
{
    char path[400];
    struct bus_key key;
    struct problem problem;
    if (strstr(settings->feed, "tcp://") == NULL || !settings_key(settings, settings->key, hooks->principal, path))
        return true;
    if (!bus_key_load(path, &key, &problem)) {
        log_error("key %s: %s", problem.field, problem.args);
        return false;
    }
    if (!text_equal(key.principal, hooks->principal))
        log_warn("%s is the key of %s, and webhooks read as %s", path, key.principal, hooks->principal);
    bus_identify(&key);
    bus_key_forget(&key);
    return true;
}

static bool begin(struct daemon *daemon, const struct hooks *hooks)
{
    char folder[400], path[512], error[300] = "";
    if (endpoints_count(daemon->settings->feed) == 0) {
        log_error("the settings do not say where the feed is");
        return false;
    }
    if (!daemon_folder(daemon->settings, folder) || !identify(daemon->settings, hooks))
        return false;
    text_format(path, sizeof(path), "%s/queue.db", folder);
    daemon->queue = queue_open(path, error, sizeof(error));
    if (daemon->queue == NULL) {
        log_error("%s: %s", path, error);
        return false;
    }
    for (size_t i = 0; i < hooks->items_n; i++)
        if (!line_begin(daemon, hooks, i, folder))
            return false;
    return true;
}

int daemon_run(const struct settings *settings, const struct hooks *hooks)
{
    struct daemon *daemon = memory_new(sizeof(*daemon));
    daemon->settings = settings;
    bus_start();
    daemon->loop = loop_new();
    metrics_begin(daemon, hooks);
    daemon->poster = poster_new(daemon->loop, on_done, daemon);
    bool fine = begin(daemon, hooks);
    if (fine) {
        log_info("%zu webhooks", daemon->lines_n);
        (void)sd_notify(0, "READY=1");
        work(daemon);
        fine = !daemon->lost;
        if (!fine)
            log_error("the queue: %s", queue_error(daemon->queue));
    }
    poster_destroy(&daemon->poster);
    for (size_t i = 0; i < daemon->lines_n; i++) {
        bus_line_close(&daemon->lines[i].feed);
        courier_destroy(&daemon->lines[i].courier);
    }
    queue_close(&daemon->queue);
    metrics_destroy(&daemon->metrics);
    loop_destroy(&daemon->loop);
    bus_stop();
    free(daemon);
    return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
