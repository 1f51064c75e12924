/* What a peer may write to cmd, in every state of a session, and whatever the database does meanwhile: intake's network thread as
 * it is. What it journals and says is checked by the house. */
#include "base/clock.h"
#include "base/text.h"
#include "edges.h"
#include "fill.h"
#include "fuzz.h"
#include "house.h"
#include "record/pack.h"
#include "seeds.h"
#include "services/intake/server_inside.h"
#include "simulation/watches.h"
#include "steps.h"
#include <assert.h>
#include <string.h>

/* The feed's thread is not begun here. */
int fuzz_thread_create(void *thread, const void *attributes, void *(*start)(void *), void *arg);
int fuzz_thread_create(void *thread, const void *attributes, void *(*start)(void *), void *arg)
{
    (void)thread;
    (void)attributes;
    (void)start;
    (void)arg;
    return 1;
}

int fuzz_thread_join(void *thread, void **result);
int fuzz_thread_join(void *thread, void **result)
{
    (void)thread;
    (void)result;
    return 1;
}

int fuzz_zmq_poll(void *items, int n, long timeout_ms);
int fuzz_zmq_poll(void *items, int n, long timeout_ms)
{
    (void)items;
    (void)n;
    (void)timeout_ms;
    return 0;
}

enum kind {
    KIND_HELLO,  /* the map as it comes */
    KIND_APPEND,
    KIND_PING,
    KIND_GREET,  /* a good HELLO of the source that the first byte names */
    KIND_SEND,   /* a good APPEND: payload = the list of events, the number is the next one */
    KIND_AGAIN,  /* the same with a number that was answered: [back][list] */
    KIND_FRAME,  /* [verb\n][map], any */
    KIND_BROKEN, /* no frame at all */
    KIND_PEER,   /* it is gone, or does not read */
    KIND_FATE,   /* of the database, of the clocks */
    KIND_NOTHING,
    KIND_PUT,
    KINDS
};

static struct {
    struct bytes rest;
    struct server *server;
} run;

/* --- steps ----------------------------------------------------------------------------------------- */

static struct source_row *source_of_peer(unsigned peer)
{
    for (size_t i = 0; run.server != NULL && i < run.server->sessions_n; i++)
        if (run.server->sessions[i]->peer.id[4] == peer)
            return run.server->sessions[i]->source;
    return NULL;
}

static int64_t byte_of(struct bytes payload, size_t i)
{
    return i < payload.len ? payload.data[i] : 0;
}

static void greet(struct bus_socket *cmd, const struct step *step)
{
    struct verb_hello hello = {.proto = {1, 1}, .proto_n = 2, .first = byte_of(step->payload, 1) - 1, .last = byte_of(step->payload, 2)};
    struct buf map = {0};
    text_copy(hello.source, sizeof(hello.source), house_sources[(size_t)byte_of(step->payload, 0) % house_sources_n]);
    text_copy(hello.stream, sizeof(hello.stream), house_stream());
    hello.incarnation[0] = (uint8_t)(1 + byte_of(step->payload, 3) % 2);
    if (text_equal(hello.source, "dispatcher") || text_equal(hello.source, "follow-up"))
        hello.first = hello.last = -1;
    record_encode(&verb_hello_record, RECORD_WHOLE, &hello, &map);
    edges_receive(cmd, step->peer, bytes_of_text("HELLO"), buf_bytes(&map));
    buf_release(&map);
}

static void append(struct bus_socket *cmd, const struct step *step, int64_t back, struct bytes list)
{
    struct problem problem;
    const struct source_row *source = source_of_peer(step->peer);
    struct buf map = {0};
    if (!skim(list, &problem))
        return;
    pack_map(&map, back > 100 ? 3 : 2);
    pack_text(&map, "n");
    pack_int(&map, (source != NULL ? source->last + 1 : 1) - back % 16);
    pack_text(&map, "events");
    pack_raw(&map, list);
    if (back > 100) {
        pack_text(&map, "upto");
        pack_int(&map, back - 100);
    }
    edges_receive(cmd, step->peer, bytes_of_text("APPEND"), buf_bytes(&map));
    buf_release(&map);
}

static void frame(struct bus_socket *cmd, const struct step *step)
{
    const uint8_t *end = step->payload.len > 0 ? memchr(step->payload.data, '\n', step->payload.len) : NULL;
    size_t n = end != NULL ? (size_t)(end - step->payload.data) : 0, over = n + (end != NULL);
    edges_receive(cmd, step->peer, bytes_of(step->payload.data, n), bytes_of(step->payload.data + over, step->payload.len - over));
}

static void step_take(const struct step *step)
{
    static const char *const verbs[] = {[KIND_HELLO] = "HELLO", [KIND_APPEND] = "APPEND", [KIND_PING] = "PING", [KIND_PUT] = "PUT"};
    struct bus_socket *cmd = edges_socket("cmd");
    switch ((enum kind)(step->kind % KINDS)) {
    case KIND_HELLO:
    case KIND_APPEND:
    case KIND_PING:
    case KIND_PUT:
        edges_receive(cmd, step->peer, bytes_of_text(verbs[step->kind % KINDS]), step->payload);
        break;
    case KIND_GREET:
        greet(cmd, step);
        break;
    case KIND_SEND:
        append(cmd, step, 0, step->payload);
        break;
    case KIND_AGAIN:
        if (step->payload.len > 0)
            append(cmd, step, step->payload.data[0], bytes_of(step->payload.data + 1, step->payload.len - 1));
        break;
    case KIND_FRAME:
        frame(cmd, step);
        break;
    case KIND_BROKEN:
        edges_receive_broken(cmd, step->peer, byte_of(step->payload, 0) % 2 == 1);
        break;
    case KIND_PEER:
        edges_peer(step->peer, byte_of(step->payload, 0) % 2 == 1 ? PEER_GONE : PEER_FULL);
        break;
    case KIND_FATE:
        house_fate((unsigned)byte_of(step->payload, 0));
        break;
    case KIND_NOTHING:
    case KINDS:
        break;
    }
}

/* A turn of the loop: one step more. The database answers with every other one. */
bool loop_once(struct loop *loop, int64_t deadline_us)
{
    struct step step;
    if (house_building(loop))
        return true;
    bool more = step_next(&run.rest, &step);
    if (more) {
        step_take(&step);
        if (step.kind % 2 == 0)
            house_settle();
        edges_pass(SECOND_US / 100);
    } else {
        house_settle();
        loop_turn(loop);
        house_settle();
        edges_pass(deadline_us > clock_boot_us() && deadline_us != INT64_MAX ? deadline_us - clock_boot_us() : 0);
    }
    loop_turn(loop);
    return more;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    house_begin();
    struct metrics *metrics = metrics_new("intake");
    static struct doors doors;
    struct server_config config = {.settings = house_settings(), .entrance = &doors, .feed_pair = "pair", .metrics = metrics, .cache_rows = 4};
    run.rest = bytes_of(data, n);
    run.server = server_new(&config);
    if (run.server != NULL) {
        if (server_begin(run.server))
            (void)server_run(run.server);
        assert(run.server->queue_bytes <= QUEUE_BYTES_MAX + FRAME_BYTES_MAX && run.server->sessions_n <= STEP_PEERS);
        server_destroy(&run.server);
    }
    metrics_destroy(&metrics);
    house_end();
    return 0;
}

/* --- new ones -------------------------------------------------------------------------------------- */

static void list_make(struct chance *chance, unsigned wild, struct buf *out)
{
    uint32_t n = (uint32_t)chance_below(chance, 4);
    pack_array(out, n);
    for (uint32_t i = 0; i < n; i++)
        fill_draft(NULL, NULL, chance, wild, out);
}

static void make(unsigned kind, struct chance *chance, unsigned wild, struct buf *out)
{
    uint8_t bytes[] = {(uint8_t)chance_next(chance), (uint8_t)chance_below(chance, 3), (uint8_t)chance_below(chance, 20),
                       (uint8_t)chance_below(chance, 2)};
    fill_words(house_words, house_words_n);
    switch ((enum kind)kind) {
    case KIND_HELLO:
        fill_map(&verb_hello_record, RECORD_WHOLE, chance, wild, out);
        break;
    case KIND_APPEND:
        fill_map(&verb_append_record, RECORD_WHOLE, chance, wild, out);
        break;
    case KIND_PING:
        fill_map(&verb_ping_record, RECORD_WHOLE, chance, wild, out);
        break;
    case KIND_PUT:
        fill_map(&verb_put_record, RECORD_WHOLE, chance, wild, out);
        break;
    case KIND_AGAIN:
        buf_append(out, bytes, 1);
        list_make(chance, wild, out);
        break;
    case KIND_SEND:
        list_make(chance, wild, out);
        break;
    case KIND_FRAME:
        buf_append_text(out, chance_of_hundred(chance, 50) ? "OPEN\n" : "GET\n");
        fill_any(chance, 0, out);
        break;
    case KIND_GREET:
    case KIND_BROKEN:
    case KIND_PEER:
    case KIND_FATE:
    case KIND_NOTHING:
    case KINDS:
        buf_append(out, bytes, sizeof(bytes));
        break;
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t cap, unsigned seed)
{
    return steps_mutate(data, n, cap, seed, KINDS, make);
}

bool fuzz_seed(unsigned i, struct buf *out)
{
    struct chance chance = chance_of(i);
    struct buf payload = {0};
    uint8_t hello[] = {(uint8_t)i, 1, 0, 0};
    step_print(KIND_GREET, 0, bytes_of(hello, sizeof(hello)), out);
    for (unsigned k = 0; k < 3 + i % 5; k++) {
        unsigned kind = k < 2 ? (unsigned)KIND_SEND : (unsigned)chance_below(&chance, KINDS);
        buf_reset(&payload);
        make(kind, &chance, 1, &payload);
        step_print(kind, k < 2 ? 0 : (unsigned)chance_below(&chance, 2), buf_bytes(&payload), out);
    }
    buf_release(&payload);
    return i < 60;
}
