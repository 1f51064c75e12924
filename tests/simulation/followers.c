/* Readers with cursors, that survive their processes: of everything, and through filters; quick ones, slow ones, and one that stops
 * taking anything for half a minute. */
#include "base/clock.h"
#include "base/text.h"
#include "bus/reader.h"
#include "bus/socket.h"
#include "check.h"
#include "company.h"
#include "net.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct follower {
    const char *name, *type, *key, *region; /* NULL: no such filter */
    unsigned slow;                          /* of 1000 turns, how many it takes its time */
    int64_t stop_us;                        /* how long it then does nothing */
    int64_t credit;
    /* its cursor, and what it has taken with it */
    uint64_t pos;
    uint8_t link[LINK_BYTES];
    uint64_t seen; /* the last event given to it */
    /* of the process that lives */
    struct process *process;
    struct bus_socket *socket;
    struct loop *loop;
    struct reader *reader;
    size_t turn;
    bool broken;
};

static struct follower followers[] = {
    {.name = "operator/fast", .credit = 1 << 20},
    {.name = "operator/slow", .slow = 100, .stop_us = 2 * SECOND_US, .credit = 4096},
    {.name = "operator/jobs", .type = "job.", .slow = 50, .stop_us = SECOND_US, .credit = 2048},
    {.name = "operator/one", .key = "T-00003", .credit = 700},
    {.name = "operator/south", .region = "R2", .type = "ticket.", .slow = 30, .stop_us = 4 * SECOND_US, .credit = 5000},
    {.name = "operator/stops", .type = "sla.", .slow = 60, .stop_us = 30 * SECOND_US, .credit = 1500},
};

static bool is_filtered(const struct follower *follower)
{
    return follower->type != NULL || follower->key != NULL || follower->region != NULL;
}

static bool is_for(const struct follower *follower, const struct journal_row *row)
{
    struct event event;
    struct problem problem;
    if ((follower->type != NULL && !text_starts(row->type, follower->type)) ||
        (follower->key != NULL && !text_equal(row->key, follower->key)))
        return false;
    return follower->region == NULL || (event_decode(row->body, bytes_of(NULL, 0), &event, &problem) &&
                                        event.region[0] != '\0' && text_starts(event.region, follower->region));
}

/* Nothing that its filter lets through was left out. */
static void nothing_between(const struct follower *follower, uint64_t after, uint64_t before)
{
    const struct db *db = db_of(STORE_SCHEMA);
    for (uint64_t pos = after + 1; pos < before && pos <= db->journal_n; pos++)
        if (is_for(follower, db->journal[pos - 1]))
            world_broken("%s is given %llu behind %llu, and not %llu", follower->name, (unsigned long long)before,
                         (unsigned long long)after, (unsigned long long)pos);
}

static void on_event(void *owner, uint64_t pos, struct bytes body, struct bytes priv, const uint8_t link[LINK_BYTES])
{
    struct follower *follower = owner;
    const struct db *db = db_of(STORE_SCHEMA);
    (void)priv;
    (void)link;
    if (pos <= follower->seen)
        world_broken("%s is given %llu again", follower->name, (unsigned long long)pos);
    if (pos > db->journal_n || !bytes_equal(db->journal[pos - 1]->body, body) || !is_for(follower, db->journal[pos - 1]))
        world_broken("%s is given something else at %llu than the journal has for it", follower->name, (unsigned long long)pos);
    nothing_between(follower, follower->seen, pos);
    follower->seen = pos;
}

static void on_failed(void *owner, const char *code, const char *why)
{
    const struct follower *follower = owner;
    world_broken("%s cannot go on: %s %s", follower->name, code, why);
}

static void on_feed(void *arg)
{
    struct follower *follower = arg;
    struct frame frame;
    enum status status;
    while (!follower->broken && (status = bus_receive(follower->socket, &frame)) != STATUS_AGAIN)
        if (status != STATUS_OK || !reader_in(follower->reader, &frame, clock_boot_us()))
            follower->broken = true;
}

/* What it was given and where it stands are one commit of its own. */
static void cursor_keep(struct follower *follower)
{
    static const uint8_t unknown[LINK_BYTES];
    const struct db *db = db_of(STORE_SCHEMA);
    uint64_t pos;
    reader_cursor(follower->reader, &pos, follower->link);
    if (pos < follower->pos || pos > db->journal_n)
        world_broken("%s stands at %llu, it was at %llu and durable is %zu", follower->name, (unsigned long long)pos,
                     (unsigned long long)follower->pos, db->journal_n);
    if (pos > 0 && memcmp(follower->link, unknown, LINK_BYTES) != 0 &&
        memcmp(follower->link, db->journal[pos - 1]->link, LINK_BYTES) != 0)
        world_broken("%s has another link at %llu than the journal", follower->name, (unsigned long long)pos);
    nothing_between(follower, follower->seen > follower->pos ? follower->seen : follower->pos, pos + 1);
    follower->pos = pos;
}

static void follower_turn(struct follower *follower)
{
    struct frame frame;
    int64_t now_us = clock_boot_us();
    while (reader_out(follower->reader, now_us, &frame))
        if (bus_send(follower->socket, frame.verb, frame.map) != STATUS_OK)
            follower->broken = true;
    int64_t due_us = reader_deadline_us(follower->reader);
    loop_once(follower->loop, due_us < now_us + SECOND_US ? due_us : now_us + SECOND_US);
    cursor_keep(follower);
    if (follower->slow > 0 && world_chance(follower->slow))
        world_sleep(world_between(0, follower->stop_us));
    reader_applied(follower->reader, follower->pos);
    if (reader_tick(follower->reader, clock_boot_us()))
        follower->broken = true;
}

static void filter_say(const struct follower *follower, struct verb_open *open)
{
    if (follower->type != NULL)
        text_copy(open->types[open->types_n++], EVENT_TYPE_CAP, follower->type);
    if (follower->key != NULL)
        text_copy(open->keys[open->keys_n++], EVENT_KEY_CAP, follower->key);
    if (follower->region != NULL)
        text_copy(open->regions[open->regions_n++], EVENT_REGION_CAP, follower->region);
}

static void session(struct follower *follower)
{
    struct reader_config config = {.verify = !is_filtered(follower)};
    static const struct reader_listener listener = {.event = on_event, .failed = on_failed};
    char error[100], endpoint[ENDPOINT_CAP];
    record_clear(&verb_open_record, &config.open);
    company_stream(config.open.stream, sizeof(config.open.stream));
    text_copy(config.open.consumer, sizeof(config.open.consumer), follower->name);
    config.open.after = (int64_t)follower->pos;
    memcpy(config.open.link, follower->link, LINK_BYTES);
    config.open.follow = true;
    config.open.credit = follower->credit;
    filter_say(follower, &config.open);
    follower->broken = false;
    follower->seen = follower->pos; /* given and not kept: comes again */
    company_endpoint("feed", follower->turn++, endpoint);
    follower->socket = bus_connect(BUS_DEALER, endpoint, error, sizeof(error));
    loop_socket(follower->loop, follower->socket, on_feed, follower);
    follower->reader = reader_new(&config, &listener, follower);
    reader_connected(follower->reader, clock_boot_us());
    while (!follower->broken)
        follower_turn(follower);
    reader_destroy(&follower->reader);
    loop_forget(follower->loop, follower->socket, -1);
    bus_close(&follower->socket);
}

static void follower_run(void *arg)
{
    struct follower *follower = arg;
    follower->loop = loop_new();
    for (;;) {
        session(follower);
        world_sleep(world_between(50, 500) * 1000);
    }
}

static void follower_begin(void *arg);

static void on_follower_ended(struct process *process)
{
    net_forget(process);
    world_at(world_now_us() + world_between(100, 2000) * 1000, follower_begin, process->owner);
}

static void follower_begin(void *arg)
{
    struct follower *follower = arg;
    follower->process = process_begin(follower->name, follower_run, follower, on_follower_ended, follower);
}

void readers_begin(void)
{
    for (size_t i = 0; i < COUNT_OF(followers); i++)
        follower_begin(&followers[i]);
}

bool readers_are_at(uint64_t head)
{
    for (size_t i = 0; i < COUNT_OF(followers); i++)
        if (followers[i].pos < head)
            return false;
    return true;
}

void readers_print(void)
{
    for (size_t i = 0; i < COUNT_OF(followers); i++)
        world_say("%s is at %llu", followers[i].name, (unsigned long long)followers[i].pos);
}

struct process *reader_some(void)
{
    return followers[world_draw(COUNT_OF(followers))].process;
}
