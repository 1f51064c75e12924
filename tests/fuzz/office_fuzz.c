/* A branch's daemon without its sockets: whatever applications, the command and the centre may say to it, over a spool on a disk that
 * is as it is (in memory). It answers by the protocol, and what it has taken it keeps: the spool opens again as it was. */
#include "base/text.h"
#include "bus/verbs.h"
#include "fill.h"
#include "fuzz.h"
#include "mutate.h"
#include "proto/branch.h"
#include "proto/questions.h"
#include "record/pack.h"
#include "seeds.h"
#include "services/branch/office.h"
#include "steps.h"
#include <assert.h>
#include <calendar/zone.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum kind {
    KIND_HELLO,   /* a good one, from so far on */
    KIND_APPEND,  /* a map */
    KIND_LOCAL,   /* [verb, one byte][map] of an application or the command */
    KIND_CENTRE,  /* the same of the centre, to who sends the facts on */
    KIND_FEED,    /* the same to who reads the feed */
    KIND_WELCOME, /* a good one */
    KIND_LINE,    /* the connections are gone, and made anew */
    KIND_TIME,
    KIND_AGAIN,   /* the process ends and begins anew */
    KINDS
};

static const char *const local_verbs[] = {"HELLO", "APPEND", "PING", "ASK", "PUT", "GET", "OPEN", "CREDIT"};
static const char *const centre_verbs[] = {"WELCOME", "ACK", "NAK", "BUSY", "PONG", "ERROR", "DENIED", "MOVED", "PUT", "STORED"};
static const char *const feed_verbs[] = {"OPENED", "BATCH", "CAUGHT_UP", "HEAD", "FORK", "AHEAD", "ERROR", "DENIED", "MOVED"};

static struct {
    struct office *office;
    char folder[64];
    struct office_now now;
} run;

static int drop(const char *path, const struct stat *about, int kind, struct FTW *ftw)
{
    (void)about;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static void office_begin(void)
{
    char error[200] = "";
    const struct office_config config = {.folder = run.folder, .source = "gz", .stream = "house-00000000", .prefix = "GZ01",
                                         .zone = zone_find("UTC"), .limits = {.facts_max = 40, .bytes_max = 1 << 20},
                                         .file_bytes_max = 1 << 16, .follow = {.consumer = "gz"}};
    run.office = office_open(&config, run.now, error, sizeof(error));
    if (run.office == NULL)
        fprintf(stderr, "office: %s\n", error);
    assert(run.office != NULL);
    forward_connected(office_forward(run.office), run.now.boot_us);
    follow_connected(office_follow(run.office), run.now.boot_us);
}

static void frame_is_good(const struct frame *frame)
{
    struct problem problem;
    bool fine = skim(frame->map, &problem) && frame->map.len <= FRAME_BYTES_MAX && verb_record(frame->verb) != NULL;
    assert(fine);
}

static void turn(void)
{
    struct bus_peer peer;
    struct frame frame;
    bool goes_on = office_turn(run.office, run.now);
    assert(goes_on);
    while (office_local_out(run.office, &peer, &frame))
        frame_is_good(&frame);
    for (int i = 0; i < 100 && forward_out(office_forward(run.office), run.now.boot_us, &frame); i++)
        frame_is_good(&frame);
    for (int i = 0; i < 100 && follow_out(office_follow(run.office), run.now.boot_us, &frame); i++)
        frame_is_good(&frame);
    for (int i = 0; i < 100 && office_file_out(run.office, &frame); i++)
        frame_is_good(&frame);
    if (forward_tick(office_forward(run.office), run.now.boot_us, run.now.wall_us) || office_file_tick(run.office, run.now))
        forward_connected(office_forward(run.office), run.now.boot_us);
    if (follow_tick(office_follow(run.office), run.now.boot_us))
        follow_connected(office_follow(run.office), run.now.boot_us);
}

/* As the socket gives it: skimmed, and a map. */
static bool frame_of(const char *verb, struct bytes map, struct frame *frame)
{
    struct problem problem;
    if (!skim(map, &problem))
        return false;
    struct unpack in = unpack_of(map);
    if (unpack_next(&in).type != PACK_MAP)
        return false;
    text_copy(frame->verb, sizeof(frame->verb), verb);
    frame->map = map;
    return true;
}

static void local(uint8_t from, const char *verb, struct bytes map)
{
    struct bus_peer peer = {.len = 5, .id = {0, 1, 2, 3, from}};
    struct frame frame;
    if (frame_of(verb, map, &frame))
        office_local(run.office, &peer, &frame, run.now);
}

static void hello(uint8_t from, unsigned first)
{
    struct buf map = {0};
    struct verb_hello said = {.proto = {1, 1}, .proto_n = 2, .first = 1 + first % 8, .last = first % 8};
    text_format(said.source, sizeof(said.source), "gz/app%u", from % 2u);
    text_copy(said.stream, sizeof(said.stream), "-");
    memset(said.incarnation, 1, sizeof(said.incarnation));
    record_encode(&verb_hello_record, RECORD_WHOLE, &said, &map);
    local(from, "HELLO", buf_bytes(&map));
    buf_release(&map);
}

static void centre(const char *verb, struct bytes map)
{
    struct frame frame;
    if (!frame_of(verb, map, &frame))
        return;
    if (!forward_in(office_forward(run.office), &frame, run.now.boot_us, run.now.wall_us))
        forward_connected(office_forward(run.office), run.now.boot_us);
    office_file_in(run.office, &frame, run.now);
}

static void welcome(unsigned durable)
{
    struct buf map = {0};
    struct verb_welcome said = {.epoch = 1, .head = 10, .durable = durable % 4, .upto = -1, .window_events = 8, .window_bytes = 65536,
                                .hb_ms = 5000};
    record_encode(&verb_welcome_record, RECORD_WHOLE, &said, &map);
    centre("WELCOME", buf_bytes(&map));
    buf_release(&map);
}

static void feed(const char *verb, struct bytes map)
{
    struct frame frame;
    if (frame_of(verb, map, &frame) && !follow_in(office_follow(run.office), &frame, run.now.boot_us, run.now.wall_us))
        follow_connected(office_follow(run.office), run.now.boot_us);
}

static void step_take(const struct step *step)
{
    unsigned first = step->payload.len > 0 ? step->payload.data[0] : 0;
    struct bytes rest = step->payload.len > 0 ? bytes_of(step->payload.data + 1, step->payload.len - 1) : step->payload;
    switch ((enum kind)(step->kind % KINDS)) {
    case KIND_HELLO:
        hello(step->peer, first);
        break;
    case KIND_APPEND:
        local(step->peer, "APPEND", step->payload);
        break;
    case KIND_LOCAL:
        local(step->peer, local_verbs[first % COUNT_OF(local_verbs)], rest);
        break;
    case KIND_CENTRE:
        centre(centre_verbs[first % COUNT_OF(centre_verbs)], rest);
        break;
    case KIND_FEED:
        feed(feed_verbs[first % COUNT_OF(feed_verbs)], rest);
        break;
    case KIND_WELCOME:
        welcome(first);
        break;
    case KIND_LINE:
        forward_disconnected(office_forward(run.office));
        follow_disconnected(office_follow(run.office));
        forward_connected(office_forward(run.office), run.now.boot_us);
        follow_connected(office_follow(run.office), run.now.boot_us);
        break;
    case KIND_TIME:
        run.now.boot_us += (int64_t)first * (first > 128 ? SECOND_US : 1000);
        run.now.wall_us += ((int64_t)first - 32) * SECOND_US;
        break;
    case KIND_AGAIN:
        office_close(&run.office);
        office_begin();
        break;
    case KINDS:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct bytes rest = bytes_of(data, n);
    struct step step;
    text_copy(run.folder, sizeof(run.folder), "/dev/shm/fuzz-office-XXXXXX");
    if (mkdtemp(run.folder) == NULL)
        abort();
    run.now = (struct office_now){.wall_us = 1800000000 * SECOND_US, .boot_us = 1000 * SECOND_US};
    office_begin();
    while (step_next(&rest, &step)) {
        step_take(&step);
        turn();
    }
    struct spool_state before = *office_spool(run.office);
    office_close(&run.office);
    if (n > 0 && data[n - 1] % 4 == 0) { /* nothing that was kept is gone; to open takes longest */
        office_begin();
        assert(office_spool(run.office)->last == before.last && office_spool(run.office)->facts == before.facts);
        office_close(&run.office);
    }
    (void)nftw(run.folder, drop, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}

/* --- new ones ------------------------------------------------------------------------------------------ */

static const char *const words[] = {"gz/app0", "gz/app1", "T-1", "GZ01-20270115-000001", "repair", "R1"};

static void make_append(struct chance *chance, unsigned wild, struct buf *out)
{
    struct buf drafts[4] = {{0}};
    struct bytes events[4];
    struct verb_append append = {.n = 1 + (int64_t)chance_below(chance, 6), .upto = -1, .events = {.items = events}};
    for (unsigned n = 1 + (unsigned)chance_below(chance, 4); append.events.n < n; append.events.n++) {
        fill_draft(chance_of_hundred(chance, 50) ? "ticket.registered" : NULL, "T-1", chance, wild, &drafts[append.events.n]);
        events[append.events.n] = buf_bytes(&drafts[append.events.n]);
    }
    record_encode(&verb_append_record, RECORD_WHOLE, &append, out);
    for (size_t i = 0; i < COUNT_OF(drafts); i++)
        buf_release(&drafts[i]);
}

static void make_verb(const char *const *verbs, size_t n, struct chance *chance, unsigned wild, struct buf *out)
{
    uint8_t which = (uint8_t)chance_below(chance, n);
    const struct record *record = verb_record(verbs[which]);
    buf_append(out, &which, 1);
    if (record != NULL)
        fill_map(record, RECORD_WHOLE, chance, wild, out);
    else
        fill_any(chance, 0, out);
}

static void make(unsigned kind, struct chance *chance, unsigned wild, struct buf *out)
{
    uint8_t one = (uint8_t)chance_next(chance);
    fill_words(words, COUNT_OF(words));
    switch ((enum kind)kind) {
    case KIND_APPEND:
        make_append(chance, wild, out);
        break;
    case KIND_LOCAL:
        make_verb(local_verbs, COUNT_OF(local_verbs), chance, wild, out);
        break;
    case KIND_CENTRE:
        make_verb(centre_verbs, COUNT_OF(centre_verbs), chance, wild, out);
        break;
    case KIND_FEED:
        make_verb(feed_verbs, COUNT_OF(feed_verbs), chance, wild, out);
        break;
    case KIND_HELLO:
    case KIND_WELCOME:
    case KIND_LINE:
    case KIND_TIME:
    case KIND_AGAIN:
    case KINDS:
        buf_append(out, &one, 1);
        break;
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t cap, unsigned seed)
{
    return steps_mutate(data, n, cap, seed, KINDS, make);
}

bool fuzz_seed(unsigned i, struct buf *out)
{
    static const unsigned first[] = {KIND_HELLO, KIND_APPEND, KIND_WELCOME, KIND_CENTRE, KIND_LOCAL, KIND_FEED};
    struct chance chance = chance_of(i);
    struct buf payload = {0};
    for (unsigned k = 0; k < 6 + i % 6; k++) {
        unsigned kind = k < COUNT_OF(first) ? first[k] : (unsigned)chance_below(&chance, KINDS);
        buf_reset(&payload);
        make(kind, &chance, 1, &payload);
        step_print(kind, i, buf_bytes(&payload), out);
    }
    buf_release(&payload);
    return i < 40;
}
