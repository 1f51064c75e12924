#include "edge.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "bus/key.h"
#include "bus/line.h"
#include "bus/metrics.h"
#include "office.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#define FRAMES_PER_TURN 1024
#define TICK_US SECOND_US

struct edge {
    const struct settings *settings;
    struct office *office;
    struct loop *loop;
    struct bus_socket *local;
    struct bus_line cmd, feed; /* the two ways to the centre */
    struct metrics *metrics;
    struct metric *queued, *oldest, *refused, *line_up, *percent, *list_age, *answered, *connections, *read;
    enum line_state told;
    int64_t tick_us;
    char health[200];
};

static struct office_now now(void)
{
    return (struct office_now){.wall_us = clock_wall_us(), .boot_us = clock_boot_us()};
}

static void on_ready(void *arg)
{
    (void)arg; /* the turn receives */
}

/* --- the centre ----------------------------------------------------------------------------------- */

static void lines_mend(struct edge *e, struct office_now t)
{
    struct forward *forward = office_forward(e->office);
    struct follow *follow = office_follow(e->office);
    if (bus_line_stands(&e->cmd) && (forward_tick(forward, t.boot_us, t.wall_us) || office_file_tick(e->office, t)))
        bus_line_break(&e->cmd);
    if (bus_line_is_due(&e->cmd, t.boot_us)) {
        forward_disconnected(forward);
        if (bus_line_open(&e->cmd, t.boot_us))
            forward_connected(forward, t.boot_us);
    }
    if (bus_line_stands(&e->feed) && follow_tick(follow, t.boot_us))
        bus_line_break(&e->feed);
    if (bus_line_is_due(&e->feed, t.boot_us)) {
        follow_disconnected(follow);
        if (bus_line_open(&e->feed, t.boot_us))
            follow_connected(follow, t.boot_us);
    }
}

static void centre_receive(struct edge *e, struct office_now t)
{
    struct frame frame;
    for (int i = 0; i < FRAMES_PER_TURN && bus_line_receive(&e->cmd, &frame) == STATUS_OK; i++) {
        office_file_in(e->office, &frame, t);
        if (!forward_in(office_forward(e->office), &frame, t.boot_us, t.wall_us))
            bus_line_break(&e->cmd);
    }
    for (int i = 0; i < FRAMES_PER_TURN && bus_line_receive(&e->feed, &frame) == STATUS_OK; i++)
        if (!follow_in(office_follow(e->office), &frame, t.boot_us, t.wall_us))
            bus_line_break(&e->feed);
}

static void centre_send(struct edge *e, struct office_now t)
{
    struct frame frame;
    while (bus_line_stands(&e->cmd) && forward_out(office_forward(e->office), t.boot_us, &frame))
        bus_line_send(&e->cmd, &frame);
    while (bus_line_stands(&e->cmd) && office_file_out(e->office, &frame))
        bus_line_send(&e->cmd, &frame);
    while (bus_line_stands(&e->feed) && follow_out(office_follow(e->office), t.boot_us, &frame))
        bus_line_send(&e->feed, &frame);
}

/* --- applications --------------------------------------------------------------------------------- */

static void local_receive(struct edge *e, struct office_now t)
{
    struct bus_peer peer = {0};
    struct frame frame;
    for (int i = 0; i < FRAMES_PER_TURN && !office_is_sated(e->office); i++) {
        enum status status = bus_receive_from(e->local, &peer, &frame);
        if (status == STATUS_AGAIN || status == STATUS_CLOSED)
            return;
        if (status == STATUS_OK)
            office_local(e->office, &peer, &frame, t);
    }
}

static void local_send(struct edge *e)
{
    struct bus_peer peer;
    struct frame frame;
    while (office_local_out(e->office, &peer, &frame)) {
        enum status status = bus_send_to(e->local, &peer, frame.verb, frame.map);
        (void)status; /* gone, or it does not read: after its next HELLO it is told again */
    }
}

/* --- each second ---------------------------------------------------------------------------------- */

static void tell_line(struct edge *e)
{
    static const char *const words[] = {[LINE_DOWN] = "down", [LINE_UP] = "up", [LINE_DENIED] = "denied"};
    const struct forward_state *state = forward_state(office_forward(e->office));
    if (state->line == e->told)
        return;
    e->told = state->line;
    const struct spool_state *spool = office_spool(e->office);
    if (state->line == LINE_DENIED)
        log_error("the centre does not take this source: %s %s", state->code, state->why);
    else
        log_info("the line is %s; %lld facts wait", words[state->line], (long long)spool->facts);
}

static void tick(struct edge *e, struct office_now t)
{
    struct branch_status_row row;
    char health[sizeof(e->health)];
    office_status(e->office, t, &row);
    metric_set(e->queued, row.queued);
    metric_set(e->oldest, row.oldest_us != 0 ? (t.wall_us - row.oldest_us) / SECOND_US : 0);
    metric_set(e->refused, row.refused);
    metric_set(e->line_up, text_equal(row.line, "up"));
    metric_set(e->percent, row.full_percent);
    metric_set(e->list_age, row.list_heard_us != 0 ? (t.wall_us - row.list_heard_us) / SECOND_US : -1);
    metric_set(e->answered, forward_state(office_forward(e->office))->taken);
    metric_set(e->connections, forward_state(office_forward(e->office))->rounds);
    metric_set(e->read, follow_events(office_follow(e->office)));
    office_health(e->office, t, health, sizeof(health));
    if (!text_equal(health, e->health))
        log_warn("%s", health[0] != '\0' ? health : "all is well again");
    (void)text_copy(e->health, sizeof(e->health), health);
    metrics_health(e->metrics, health);
    (void)sd_notify(0, "WATCHDOG=1");
}

static void metrics_open(struct edge *e)
{
    char error[160] = "";
    e->metrics = metrics_new("branch");
    e->queued = metric_gauge(e->metrics, "queued", "facts that the centre has not answered");
    e->oldest = metric_gauge(e->metrics, "oldest_seconds", "age of the oldest of them");
    e->refused = metric_gauge(e->metrics, "refused", "facts refused, neither corrected nor dropped");
    e->line_up = metric_gauge(e->metrics, "line_up", "1: the centre takes what is sent");
    e->percent = metric_gauge(e->metrics, "spool_percent", "of what the spool may hold");
    e->list_age = metric_gauge(e->metrics, "list_age_seconds", "since the work list was true; -1: never");
    e->answered = metric_counter(e->metrics, "answered_total", "facts that the centre has answered");
    e->connections = metric_counter(e->metrics, "connections_total", "connections to the centre begun");
    e->read = metric_counter(e->metrics, "events_total", "events read for the work list");
    metrics_health(e->metrics, "starting");
    if (e->settings->branch.metrics[0] != '\0' && !metrics_serve(e->metrics, e->settings->branch.metrics, error, sizeof(error)))
        log_fatal("metrics cannot be served at %s: %s (another program has the port? set branch.metrics)",
                  e->settings->branch.metrics, error);
}

/* --- life ----------------------------------------------------------------------------------------- */

static void folder_make(const char *path)
{
    char part[512];
    (void)text_copy(part, sizeof(part), path);
    for (char *at = part + 1;; at++) {
        bool end = *at == '\0';
        if (*at != '/' && !end)
            continue;
        *at = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            log_fatal("%s: %s", part, strerror(errno));
        if (end)
            return;
        *at = '/';
    }
}

static void words_split(const char *list, char *out, size_t cap, uint32_t max, uint32_t *n)
{
    static const char between[] = ", \t";
    for (const char *at = list + strspn(list, between); *at != '\0'; at += strspn(at, between)) {
        size_t length = strcspn(at, between);
        if (*n == max || !text_copy_n(out + (size_t)*n * cap, cap, at, length))
            log_fatal("settings, branch: \"%s\" is too long, or one of it is", list);
        ++*n;
        at += length;
    }
}

/* Where the key file says; else where the settings do. */
static void line_address(struct edge *e, struct bus_line *line, const char *name, char (*of_key)[160], uint32_t of_key_n,
                         const char *settings)
{
    char list[ENDPOINTS_CAP];
    bus_key_list(of_key, of_key_n, list);
    bus_line_init(line, e->loop, name, of_key_n > 0 ? list : settings);
}

static void prefix_of(const char *source, char out[NUMBER_PREFIX_CAP])
{
    (void)text_copy_n(out, NUMBER_PREFIX_CAP, source, strcspn(source, "/"));
    for (char *at = out; *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
}

/* Who it is, and its keys: every connection to the centre goes by them. */
static void key_take(const char *path, struct bus_key *key)
{
    struct problem problem;
    struct buf words = {0};
    if (path[0] == '\0')
        return;
    if (!bus_key_load(path, key, &problem)) {
        problem_print(&problem, false, &words);
        log_fatal("%s: %s", path, buf_text(&words));
    }
    bus_identify(key);
}

static struct office *office_begin(struct edge *e)
{
    static struct bus_key key; /* stays for the life of the process */
    static char regions[16][EVENT_REGION_CAP], sites[16][EVENT_SITE_CAP];
    const struct settings_branch *own = &e->settings->branch;
    char folder[300], prefix[NUMBER_PREFIX_CAP], error[300] = "";
    key_take(own->key, &key);
    line_address(e, &e->cmd, "cmd", key.endpoints.cmd, key.endpoints.cmd_n, e->settings->cmd);
    line_address(e, &e->feed, "feed", key.endpoints.feed, key.endpoints.feed_n, e->settings->feed);
    struct office_config config = {.folder = folder,
                                   .source = own->source[0] != '\0' ? own->source : key.principal,
                                   .stream = own->stream[0] != '\0' ? own->stream : key.stream,
                                   .prefix = own->prefix[0] != '\0' ? own->prefix : prefix,
                                   .zone = zone_find(own->zone),
                                   .limits = {.facts_max = own->facts_max, .bytes_max = own->mib_max * 1024 * 1024},
                                   .file_bytes_max = own->files_mib * 1024 * 1024,
                                   .follow = {.regions = regions, .sites = sites}};
    if (config.source[0] == '\0')
        log_fatal("who is this branch? Set branch.key to its key file (or branch.source to its name at intake)");
    if (config.zone == NULL)
        log_fatal("there is no time zone \"%s\"", own->zone);
    prefix_of(config.source, prefix);
    words_split(own->regions, regions[0], sizeof(regions[0]), COUNT_OF(regions), &config.follow.regions_n);
    words_split(own->sites, sites[0], sizeof(sites[0]), COUNT_OF(sites), &config.follow.sites_n);
    text_format(folder, sizeof(folder), "%s/branch", e->settings->data);
    folder_make(folder);
    struct office *office = office_open(&config, now(), error, sizeof(error));
    if (office == NULL)
        log_fatal("%s", error);
    const struct spool_state *spool = office_spool(office);
    log_info("%s: %lld facts wait, %lld refused; numbers begin with %s", config.source, (long long)spool->facts,
             (long long)spool->refused, config.prefix);
    return office;
}

/* No keys are asked for there, and names and telephones are answered. */
static bool is_this_machines(const char *endpoint)
{
    return text_starts(endpoint, "ipc://") || text_starts(endpoint, "tcp://127.0.0.1:") || text_starts(endpoint, "tcp://[::1]:");
}

static void local_bind(struct edge *e)
{
    char error[160] = "";
    if (!is_this_machines(e->settings->branch.cmd))
        log_fatal("branch.cmd is %s: no keys are asked for there, so it must be ipc://… or this machine's own (tcp://127.0.0.1:…)",
                  e->settings->branch.cmd);
    if (text_starts(e->settings->branch.cmd, "ipc://"))
        folder_make(e->settings->sockets);
    e->local = bus_bind(BUS_ROUTER, e->settings->branch.cmd, error, sizeof(error));
    if (e->local == NULL)
        log_fatal("%s: %s", e->settings->branch.cmd, error);
    loop_socket(e->loop, e->local, on_ready, NULL);
}

static int64_t deadline(const struct edge *e)
{
    int64_t due = office_deadline_us(e->office), lines[] = {e->tick_us, bus_line_deadline_us(&e->cmd), bus_line_deadline_us(&e->feed)};
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        if (lines[i] < due)
            due = lines[i];
    return due;
}

/* False: the disk left it open what holds. */
static bool turn(struct edge *e)
{
    struct office_now t = now();
    local_receive(e, t);
    centre_receive(e, t);
    if (!office_turn(e->office, t))
        return false;
    local_send(e);
    centre_send(e, t);
    t = now();
    lines_mend(e, t);
    centre_send(e, t);
    tell_line(e);
    if (t.boot_us >= e->tick_us) {
        e->tick_us = t.boot_us + TICK_US;
        tick(e, t);
    }
    return true;
}

int edge_run(const struct settings *settings)
{
    struct edge edge = {.settings = settings}, *e = &edge;
    bool sure = true;
    bus_start();
    e->loop = loop_new();
    e->office = office_begin(e);
    local_bind(e);
    metrics_open(e);
    (void)sd_notify(0, "READY=1");
    do
        sure = turn(e);
    while (sure && loop_once(e->loop, deadline(e)));
    if (!sure)
        log_error("the disk did not say whether it holds what was written: only a new start tells");
    bus_line_close(&e->cmd);
    bus_line_close(&e->feed);
    loop_forget(e->loop, e->local, -1);
    bus_close(&e->local);
    metrics_destroy(&e->metrics);
    office_close(&e->office);
    loop_destroy(&e->loop);
    bus_stop();
    return sure ? EXIT_SUCCESS : EXIT_FAILURE;
}
