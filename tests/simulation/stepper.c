/* The clock source of a stepped stream, as the import is: facts sorted by time, each step's APPENDs with its end as `time`; then
 * everybody settles, then time.reached, then everybody settles again. What it has said survives its process. */
#include "base/clock.h"
#include "base/text.h"
#include "bus/find.h"
#include "bus/source.h"
#include "check.h"
#include "company.h"
#include "net.h"
#include <assert.h>
#include <string.h>

#define STEP_US SECOND_US
#define STEPS_AFTER 30 /* behind the last fault: longer than any limit of the policy */

struct item {
    struct bytes draft;
    int64_t time_us;
    bool reached; /* a step's end */
};

static struct {
    bool wanted;
    struct item items[1024]; /* of number i + 1 */
    int64_t n, answered;
    int64_t time_us, over_us; /* stream time; when the faults are over */
    unsigned left; /* steps; from then on */
    int64_t next_us; /* the world's time of the next one: whoever answers what happens has his time */
    struct item waiting[64]; /* facts for the step that is being made */
    size_t waiting_n;
    struct process *process;
    /* of the process that lives */
    struct bus_socket *socket;
    struct loop *loop;
    struct source *source;
    int64_t fed;
    size_t turn;
    bool broken, ponged, settled;
} stepper;

static void on_answer(void *owner, const struct answer *answer)
{
    (void)owner;
    check_answer("import/clock", answer);
    if (!answer->taken && stepper.items[answer->n - 1].reached)
        world_broken("a step is refused: %s %s", answer->problem.code, answer->problem.field);
    if (answer->n > stepper.answered)
        stepper.answered = answer->n;
}

static void on_pong(void *owner, const struct verb_pong *pong)
{
    (void)owner;
    stepper.ponged = true;
    stepper.settled = pong->upto >= pong->head;
}

static void on_denied(void *owner, const char *code, const char *why)
{
    (void)owner;
    if (!text_equal(code, "superseded"))
        world_broken("import/clock is denied: %s %s", code, why);
    stepper.broken = true;
}

static void on_frames(void *arg)
{
    struct frame frame;
    enum status status;
    (void)arg;
    while (!stepper.broken && (status = bus_receive(stepper.socket, &frame)) != STATUS_AGAIN)
        if (status != STATUS_OK || !source_in(stepper.source, &frame, clock_boot_us()))
            stepper.broken = true;
}

static void turn(int64_t until_us)
{
    struct frame frame;
    int64_t now_us = clock_boot_us();
    for (; stepper.fed < stepper.n; stepper.fed++) {
        const struct item *item = &stepper.items[stepper.fed];
        int64_t n = source_append(stepper.source, &item->draft, 1, -1, item->time_us);
        assert(n == stepper.fed + 1);
    }
    while (source_out(stepper.source, now_us, &frame))
        if (bus_send(stepper.socket, frame.verb, frame.map) != STATUS_OK)
            stepper.broken = true;
    int64_t due_us = source_deadline_us(stepper.source);
    loop_once(stepper.loop, due_us < until_us ? due_us : until_us);
    if (source_tick(stepper.source, clock_boot_us()))
        stepper.broken = true;
}

/* A PING that got lost is said again. */
static void settle(void)
{
    const struct verb_ping ping = {.upto = -1, .settle = true};
    stepper.settled = false;
    while (!stepper.broken && !stepper.settled) {
        int64_t again_us = clock_boot_us() + 10 * SECOND_US;
        stepper.ponged = false;
        source_ping(stepper.source, &ping);
        while (!stepper.broken && !stepper.ponged && clock_boot_us() < again_us)
            turn(again_us);
    }
}

static void answered(void)
{
    while (!stepper.broken && stepper.answered < stepper.n)
        turn(clock_boot_us() + SECOND_US);
}

static void item_add(struct item item)
{
    assert(stepper.n < (int64_t)COUNT_OF(stepper.items));
    stepper.items[stepper.n++] = item;
}

static void reached_add(void)
{
    struct buf data = {0}, draft = {0};
    const struct time_reached reached = {.time_us = stepper.time_us};
    record_encode(&time_reached_record, RECORD_PLAIN, &reached, &data);
    const struct draft one = {.type = "time.reached", .v = 1, .key = "clock", .at_us = stepper.time_us, .data = buf_bytes(&data)};
    draft_encode(&one, &draft);
    item_add((struct item){.draft = buf_bytes(&draft), .time_us = stepper.time_us, .reached = true});
    buf_release(&data);
}

/* What a step is, however often the process dies in it: facts once, their answers, rest, time once, its answer, rest. */
static void step(void)
{
    answered();
    settle();
    while (!stepper.broken && world_now_us() < stepper.next_us)
        turn(clock_boot_us() + stepper.next_us - world_now_us());
    if (stepper.broken)
        return;
    bool time_is_last = stepper.n == 0 || stepper.items[stepper.n - 1].reached;
    if (time_is_last) {
        stepper.time_us += STEP_US;
        for (size_t i = 0; i < stepper.waiting_n; i++)
            item_add((struct item){.draft = stepper.waiting[i].draft, .time_us = stepper.time_us});
        bool facts = stepper.waiting_n > 0;
        stepper.waiting_n = 0;
        if (facts)
            return;
    }
    reached_add();
    stepper.next_us = world_now_us() + world_between(0, 3 * STEP_US / 2);
    if (world_now_us() > stepper.over_us && stepper.left > 0)
        stepper.left--;
}

static void stepper_run(void *arg)
{
    static const struct source_listener listener = {.answer = on_answer, .pong = on_pong, .denied = on_denied};
    char error[100], endpoint[ENDPOINT_CAP];
    struct source_config config = {.first = stepper.answered + 1, .last = stepper.n, .silence_us = FIND_SILENCE_US};
    (void)arg;
    company_stream(config.stream, sizeof(config.stream));
    text_copy(config.name, sizeof(config.name), "import/clock");
    config.incarnation[0] = 99;
    stepper.fed = stepper.answered;
    stepper.loop = loop_new();
    stepper.source = source_new(&config, &listener, NULL);
    for (;;) {
        stepper.broken = false;
        company_endpoint("cmd", stepper.turn++, endpoint);
        stepper.socket = bus_connect(BUS_DEALER, endpoint, error, sizeof(error));
        loop_socket(stepper.loop, stepper.socket, on_frames, NULL);
        source_connected(stepper.source, clock_boot_us());
        while (!stepper.broken && stepper.left > 0)
            step();
        while (!stepper.broken)
            turn(clock_boot_us() + SECOND_US);
        source_disconnected(stepper.source);
        loop_forget(stepper.loop, stepper.socket, -1);
        bus_close(&stepper.socket);
        world_sleep(world_between(50, 500) * 1000);
    }
}

static void stepper_life(void *arg);

static void on_ended(struct process *process)
{
    net_forget(process);
    world_at(world_now_us() + world_between(100, 2000) * 1000, stepper_life, NULL);
}

static void stepper_life(void *arg)
{
    (void)arg;
    stepper.process = process_begin("import/clock", stepper_run, NULL, on_ended, NULL);
}

void stepper_begin(int64_t over_us)
{
    stepper.wanted = true;
    stepper.time_us = WORLD_WALL_US;
    stepper.over_us = over_us;
    stepper.left = STEPS_AFTER;
    stepper_life(NULL);
}

bool stepper_put(struct bytes raw)
{
    if (!stepper.wanted || stepper.waiting_n == COUNT_OF(stepper.waiting))
        return false;
    uint8_t *copy = memory_new(raw.len);
    memcpy(copy, raw.data, raw.len);
    stepper.waiting[stepper.waiting_n++] = (struct item){.draft = bytes_of(copy, raw.len)};
    return true;
}

bool stepper_is_done(void)
{
    return !stepper.wanted || (stepper.left == 0 && stepper.waiting_n == 0 && stepper.answered == stepper.n);
}

struct process *stepper_process(void)
{
    return stepper.process;
}
