/* Sources with spools: what they have survives their processes. */
#include "base/clock.h"
#include "base/text.h"
#include "bus/find.h"
#include "bus/socket.h"
#include "bus/source.h"
#include "check.h"
#include "company.h"
#include "net.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define PENDING_MAX 1000

/* --- branches -------------------------------------------------------------------------------------- */

const char *const branch_names[BRANCHES] = {"operator/desk", "b1", "b2", "import/file", "operator/clerk"};

struct branch {
    const char *name;
    bool from_first; /* a file handed in: says HELLO with first = 1, so that all stored answers come again */
    uint8_t incarnation[INCARNATION_BYTES];
    struct bytes *drafts; /* of number i + 1 */
    int64_t n, cap, answered;
    struct process *process;
    /* of the process that lives */
    struct bus_socket *socket;
    struct loop *loop;
    struct source *source;
    int64_t fed;
    struct buf kept; /* a message that others overtake */
    size_t turn;     /* which of the endpoints it tries */
    bool broken;
};

static struct branch branches[BRANCHES];
static int64_t taken_upto;

static void on_answer(void *owner, const struct answer *answer)
{
    struct branch *branch = owner;
    check_answer(branch->name, answer);
    if (answer->taken && answer->pos > taken_upto)
        taken_upto = answer->pos;
    if (answer->n > branch->answered)
        branch->answered = answer->n;
}

static void on_denied(void *owner, const char *code, const char *why)
{
    struct branch *branch = owner;
    if (!text_equal(code, "superseded"))
        world_broken("%s is denied: %s %s", branch->name, code, why);
    branch->broken = true;
}

static void on_conflict(void *owner, int64_t n)
{
    const struct branch *branch = owner;
    world_broken("%s is told that it sent another event under number %lld", branch->name, (long long)n);
}

static void on_frames(void *arg)
{
    struct branch *branch = arg;
    struct frame frame;
    enum status status;
    while (!branch->broken && (status = bus_receive(branch->socket, &frame)) != STATUS_AGAIN)
        if (status != STATUS_OK || !source_in(branch->source, &frame, clock_boot_us()))
            branch->broken = true;
}

static void feed_source(struct branch *branch)
{
    while (branch->fed < branch->n && source_pending(branch->source) < PENDING_MAX) {
        int64_t left = branch->n - branch->fed, many = world_between(1, 8);
        size_t n = (size_t)(left < many ? left : many);
        int64_t first = source_append(branch->source, &branch->drafts[branch->fed], n, -1, 0);
        assert(first == branch->fed + 1);
        branch->fed += (int64_t)n;
    }
}

static void send(struct branch *branch, const char *verb, struct bytes map)
{
    if (!branch->broken && bus_send(branch->socket, verb, map) != STATUS_OK)
        branch->broken = true;
}

/* The protocol lets anybody send again what is not answered; and one that overtakes another is a gap. */
static void say(struct branch *branch, const struct frame *frame)
{
    bool appends = text_equal(frame->verb, "APPEND");
    if (appends && branch->kept.len == 0 && world_chance(20)) {
        buf_append(&branch->kept, frame->map.data, frame->map.len);
        return;
    }
    send(branch, frame->verb, frame->map);
    if (appends && world_chance(30))
        send(branch, frame->verb, frame->map);
    if (appends && branch->kept.len > 0) {
        send(branch, frame->verb, buf_bytes(&branch->kept));
        buf_reset(&branch->kept);
    }
}

static void branch_turn(struct branch *branch)
{
    struct frame frame;
    int64_t now_us = clock_boot_us();
    feed_source(branch);
    while (source_out(branch->source, now_us, &frame))
        say(branch, &frame);
    int64_t due_us = source_deadline_us(branch->source);
    loop_once(branch->loop, due_us < now_us + SECOND_US ? due_us : now_us + SECOND_US);
    if (source_tick(branch->source, clock_boot_us()))
        branch->broken = true;
}

static void branch_connect(struct branch *branch)
{
    char error[100], endpoint[ENDPOINT_CAP];
    branch->broken = false;
    buf_reset(&branch->kept);
    company_endpoint("cmd", branch->turn++, endpoint);
    branch->socket = bus_connect(BUS_DEALER, endpoint, error, sizeof(error));
    loop_socket(branch->loop, branch->socket, on_frames, branch);
    source_connected(branch->source, clock_boot_us());
}

static void branch_run(void *arg)
{
    static const struct source_listener listener = {.answer = on_answer, .denied = on_denied, .conflict = on_conflict};
    struct branch *branch = arg;
    struct source_config config = {.first = branch->from_first ? 1 : branch->answered + 1, .last = branch->n, .silence_us = FIND_SILENCE_US};
    company_stream(config.stream, sizeof(config.stream));
    text_copy(config.name, sizeof(config.name), branch->name);
    memcpy(config.incarnation, branch->incarnation, sizeof(config.incarnation));
    branch->fed = config.first - 1;
    branch->kept = (struct buf){0};
    branch->loop = loop_new();
    branch->source = source_new(&config, &listener, branch);
    for (;;) {
        branch_connect(branch);
        while (!branch->broken)
            branch_turn(branch);
        source_disconnected(branch->source);
        loop_forget(branch->loop, branch->socket, -1);
        bus_close(&branch->socket);
        world_sleep(world_between(50, 500) * 1000);
    }
}

static void branch_begin(void *arg);

static void on_branch_ended(struct process *process)
{
    net_forget(process);
    world_at(world_now_us() + world_between(100, 2000) * 1000, branch_begin, process->owner);
}

static void branch_begin(void *arg)
{
    struct branch *branch = arg;
    branch->process = process_begin(branch->name, branch_run, branch, on_branch_ended, branch);
}

void branches_begin(void)
{
    for (size_t i = 0; i < BRANCHES; i++) {
        struct branch *branch = &branches[i];
        *branch = (struct branch){.name = branch_names[i], .from_first = text_starts(branch_names[i], "import")};
        branch->incarnation[0] = (uint8_t)(i + 1);
        branch_begin(branch);
    }
}

int64_t branch_put(const char *name, struct bytes raw)
{
    struct branch *branch = branches;
    while (!text_equal(branch->name, name))
        branch++;
    if (branch->n == branch->cap) {
        branch->cap = branch->cap > 0 ? 2 * branch->cap : 64;
        branch->drafts = memory_grow(branch->drafts, (size_t)branch->cap * sizeof(*branch->drafts));
    }
    uint8_t *copy = memory_new(raw.len);
    memcpy(copy, raw.data, raw.len);
    branch->drafts[branch->n++] = bytes_of(copy, raw.len);
    process_wake(branch->process);
    return branch->n;
}

bool branches_are_answered(void)
{
    for (size_t i = 0; i < BRANCHES; i++)
        if (branches[i].answered < branches[i].n)
            return false;
    return true;
}

size_t branches_answered(void)
{
    size_t n = 0;
    for (size_t i = 0; i < BRANCHES; i++)
        n += (size_t)branches[i].answered;
    return n;
}

int64_t branches_taken_upto(void)
{
    return taken_upto;
}

void branches_print(void)
{
    for (size_t i = 0; i < BRANCHES; i++)
        world_say("%s has %lld of %lld answered", branches[i].name, (long long)branches[i].answered, (long long)branches[i].n);
}
