/* The machine's clock against the stream's time. Time in a stream never goes back: a clock that was wrong once is paid for until it has
 * come as far again, so that it is looked at before anything is recorded by it. */
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "server_inside.h"
#include <sys/stat.h>
#include <unistd.h>

#define CLOCK_PARTED_US MINUTE_US
#define AHEAD_US        (10 * MINUTE_US)        /* more than clocks that are kept right differ by, after a takeover too */
#define AWAY_US         (30 * 24 * HOUR_US)     /* longer than anybody's stack is off unnoticed */
#define ACCEPTED_US     HOUR_US                 /* so long a word is good */
#define ACCEPT_FILE     "accept-clock"

static bool has_parted(int64_t wall_us, int64_t expected_us)
{
    return wall_us - expected_us > CLOCK_PARTED_US || expected_us - wall_us > CLOCK_PARTED_US;
}

/* A wall clock that parts from the boot clock was set by somebody: until a restart accepts it, time goes on as it would have. */
int64_t server_wall_us(const struct server *server)
{
    int64_t wall_us = clock_wall_us(), expected_us = clock_boot_us() + server->clock_gap_us;
    return has_parted(wall_us, expected_us) ? expected_us : wall_us;
}

static bool is_stepped(const struct server *server)
{
    return server->taker.journal.stream.clock == CLOCK_STEPPED;
}

/* DATA/accept-clock, made within the hour: whoever made it has looked at the clock. It is good for one start. */
static bool is_accepted(const struct server *server, char path[400])
{
    struct stat status;
    text_format(path, 400, "%s/" ACCEPT_FILE, server->config->settings->data);
    if (stat(path, &status) != 0)
        return false;
    int64_t made_us = (int64_t)status.st_mtim.tv_sec * SECOND_US, age_us = clock_wall_us() - made_us;
    bool young = age_us < ACCEPTED_US && age_us > -ACCEPTED_US;
    if (unlink(path) != 0)
        log_warn("%s cannot be taken away", path);
    return young;
}

bool clock_accept(struct server *server)
{
    char wall[INSTANT_TEXT_MAX], last[INSTANT_TEXT_MAX], path[400];
    int64_t wall_us = clock_wall_us(), last_us = server->taker.journal.head.rec_us;
    server->clock_gap_us = wall_us - clock_boot_us();
    if (is_stepped(server) || wall_us - last_us < AWAY_US)
        return true;
    instant_print(wall_us, wall);
    instant_print(last_us, last);
    bool accepted = is_accepted(server, path);
    if (accepted)
        log_warn("the clock says %s, the stream was written last at %s: accepted, time goes on from there", wall, last);
    else
        log_error("the clock says %s, and the stream was written last at %s, %lld days before. If the clock is right: `touch %s`, and it "
                  "starts (every promise that ran out meanwhile is told broken then). If not, set it right first: time that was "
                  "recorded cannot be taken back", wall, last, (long long)((wall_us - last_us) / (24 * HOUR_US)), path);
    return accepted;
}

/* The time that was recorded last, or told to others: none before it is recorded any more. */
static void look_ahead(struct server *server)
{
    char wall[INSTANT_TEXT_MAX], head[INSTANT_TEXT_MAX];
    int64_t wall_us = clock_wall_us(), ahead_us = server->taker.journal.head.rec_us - wall_us;
    metric_set(server->ahead, ahead_us > 0 ? ahead_us / SECOND_US : 0);
    bool was = server->clock_ahead[0] != '\0', is = ahead_us > AHEAD_US && !server->clock_parted;
    if (is) {
        instant_print(wall_us, wall);
        instant_print(server->taker.journal.head.rec_us, head);
        text_format(server->clock_ahead, sizeof(server->clock_ahead), "the stream's time %s is ahead of the clock %s", head, wall);
    } else
        server->clock_ahead[0] = '\0';
    if (is && !was)
        log_warn("%s: everything is recorded at that time until the clock has come so far", server->clock_ahead);
    else if (was && !is && !server->clock_parted)
        log_info("the clock has come as far as the stream's time");
}

void clock_watch(struct server *server)
{
    if (is_stepped(server))
        return;
    bool parted = has_parted(clock_wall_us(), clock_boot_us() + server->clock_gap_us);
    if (parted != server->clock_parted)
        log_error("the clock %s", parted ? "was moved by more than a minute: nothing is taken until a restart accepts it"
                                         : "is back");
    server->clock_parted = parted;
    look_ahead(server);
    metrics_health(server->config->metrics, parted ? "the clock was moved" : server->clock_ahead);
}
