/* What is done to the company, one deed after the other, drawn from the seed; and everything healed at the end. */
#include "base/text.h"
#include "company.h"
#include "net.h"

static int64_t over_us;
static unsigned rage; /* of 1000: how bad the weather of this run is */

static struct process *some_process(void)
{
    size_t n = 0;
    while (company_process(n) != NULL)
        n++;
    return n > 0 ? company_process(world_draw(n)) : NULL;
}

/* Of somebody who connects. */
static const char *some_name(void)
{
    size_t i = world_draw(2 + WORKERS + BRANCHES);
    if (i == 0 && stepper_process() != NULL)
        return stepper_process()->name;
    return i < 2 ? reader_some()->name : i < 2 + WORKERS ? workers[i - 2]->name : branch_names[i - 2 - WORKERS];
}

static struct db *some_db(void)
{
    size_t i = world_draw(1 + WORKERS);
    return db_of(i == 0 ? STORE_SCHEMA : workers[i - 1]->name);
}

/* Not now but at one of its next touches of the world, so that any step may be the last. */
static void doom(struct process *process, int64_t pause_us)
{
    if (process == NULL || process->doom > 0 || process->paused)
        return;
    process->doom = (unsigned)world_between(1, 60);
    process->doom_pause_us = pause_us;
}

static void deed_cut(void)
{
    const char *who = world_chance(200) ? NULL : some_name();
    world_say("connections of %s are cut", who != NULL ? who : "everybody");
    net_cut(who);
}

static void deed_keep_out(void)
{
    const char *who = some_name();
    int64_t us = world_between(SECOND_US / 2, 6 * SECOND_US);
    world_say("%s is cut off for %lld ms", who, (long long)(us / 1000));
    net_keep_out(who, world_now_us() + us);
    net_cut(who);
}

/* Connections stop one by one, this way or that or both, and are healed in whatever order. */
static void on_stop(void *arg)
{
    static const char *const kinds[] = {"cmd", "feed", "live"};
    char endpoint[ENDPOINT_CAP];
    const char *who = some_name();
    unsigned ways = (unsigned)world_between(1, 3);
    int64_t us = world_between(SECOND_US / 10, 8 * SECOND_US);
    (void)arg;
    company_endpoint(kinds[world_draw(3)], world_draw(2), endpoint);
    world_say("%s and %s do not reach each other (%u) for %lld ms", who, endpoint, ways, (long long)(us / 1000));
    net_stop(who, endpoint, (ways & 1U) != 0, (ways & 2U) != 0, world_now_us() + us);
}

static void deed_stops(void)
{
    int64_t n = world_between(2, 8);
    for (int64_t i = 0; i < n; i++)
        world_at(world_now_us() + world_between(0, SECOND_US), on_stop, NULL);
}

/* PostgreSQL is there, but not for this one. */
static void deed_pg_away(void)
{
    struct process *process = some_process();
    if (process == NULL)
        return;
    int64_t us = world_between(SECOND_US / 10, 9 * SECOND_US);
    process->pg_away_until_us = world_now_us() + us;
    world_say("%s does not reach PostgreSQL for %lld ms", process->name, (long long)(us / 1000));
}

/* A reader or the clock source dies. */
static void deed_client(void)
{
    struct process *process = stepper_process() != NULL && world_chance(500) ? stepper_process() : reader_some();
    if (process != NULL && process->alive)
        doom(process, world_chance(300) ? world_between(1, 20000) * 1000 : 0);
}

static void deed_weather(void)
{
    int64_t delay_us = world_chance(500) ? 0 : world_between(1000, 2 * SECOND_US);
    net_weather(delay_us, world_chance(500) ? 0 : (unsigned)world_draw(300));
    db_weather(world_chance(500) ? 0 : world_between(1000, SECOND_US), world_chance(600) ? 0 : (unsigned)world_draw(rage));
    if (world_chance(300)) {
        int64_t us = world_between(SECOND_US / 10, 4 * SECOND_US);
        net_feed_behind(world_now_us() + us);
        world_say("intake's feed is behind for %lld ms", (long long)(us / 1000));
    }
    world_say("the weather changes");
}

static void deed_db(void)
{
    struct db *db = some_db();
    int64_t until_us = world_now_us() + world_between(SECOND_US / 10, 5 * SECOND_US);
    if (world_chance(500))
        db->down_until_us = until_us;
    else
        db->full_until_us = until_us;
    world_say("PostgreSQL of %s is %s", db->name, db->down_until_us == until_us ? "down" : "full");
}

/* The lease runs out while it stands still; the other host's takes over, and then it goes on. */
static void deed_zombie(void)
{
    const char *who = world_chance(500) ? "intake-" : workers[world_draw(WORKERS)]->name;
    for (size_t i = 0; company_process(i) != NULL; i++)
        if (text_starts(company_process(i)->name, who) && world_chance(700))
            doom(company_process(i), world_between(5, 9) * SECOND_US);
    company_second(who);
}

static void on_clock_seen_to(void *arg)
{
    struct process *process = arg;
    process->wall_offset_us = 0;
    process_kill(process); /* it may have begun with the wrong one: a restart accepts what is there */
}

static void deed_clock(void)
{
    struct process *process = some_process();
    if (process == NULL)
        return;
    /* Intake's decides, so it is put back only, and found out: it answers BUSY until somebody has seen to it. */
    bool decides = text_starts(process->name, "intake-");
    process->wall_offset_us = world_between(-DAY_US, decides ? -MINUTE_US : DAY_US);
    if (decides)
        world_at(world_now_us() + world_between(SECOND_US / 10, 6 * SECOND_US), on_clock_seen_to, process);
}

static void on_deed(void *arg)
{
    (void)arg;
    if (world_now_us() >= over_us)
        return;
    switch (world_draw(16)) {
    case 0:
    case 1:
    case 2:
        doom(some_process(), 0);
        break;
    case 3:
        doom(some_process(), world_between(1, 8000) * 1000);
        break;
    case 4:
    case 5:
        deed_cut();
        break;
    case 6:
        deed_keep_out();
        break;
    case 7:
        deed_weather();
        break;
    case 8:
        deed_db();
        break;
    case 9:
        deed_zombie();
        break;
    case 10:
        deed_clock();
        break;
    case 11:
        deed_stops();
        break;
    case 12:
        deed_pg_away();
        break;
    case 13:
        deed_client();
        break;
    case 14:
        company_fold(world_draw(WORKERS), world_chance(600));
        break;
    default:
        doom(some_process(), 0);
        doom(some_process(), 0);
    }
    world_at(world_now_us() + world_between(10, 2000) * 1000, on_deed, NULL);
}

static void on_over(void *arg)
{
    (void)arg;
    world_say("the faults are over");
    net_weather(0, world_chance(300) ? 100 : 0); /* live is a hint, and stays one */
    net_feed_behind(0);
    db_weather(0, 0);
    for (size_t i = 0; company_process(i) != NULL; i++) {
        company_process(i)->doom = 0;
        company_process(i)->pg_away_until_us = 0;
    }
}

bool faults_are_over(void)
{
    return world_now_us() > over_us;
}

void faults_begin(int64_t until_us)
{
    over_us = until_us;
    rage = (unsigned)world_between(1, 300);
    world_at(world_now_us() + world_between(0, 2 * SECOND_US), on_deed, NULL);
    world_at(until_us, on_over, NULL);
}
