/* What a peer may write to feed: readers with every filter and credit, questions, and workers that answer them, while the journal
 * grows, principals change and the database fails: intake's feed thread as it is. */
#include "base/clock.h"
#include "base/text.h"
#include "edges.h"
#include "fill.h"
#include "fuzz.h"
#include "house.h"
#include "proto/questions.h"
#include "record/pack.h"
#include "seeds.h"
#include "services/intake/feed_inside.h"
#include "steps.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

enum kind {
    KIND_OPEN, /* the map as it comes */
    KIND_CREDIT,
    KIND_CLOSE,
    KIND_ASK,
    KIND_SERVE,
    KIND_ANSWER,
    KIND_ERROR,
    KIND_GOOD_OPEN, /* a good OPEN of the consumer that the first byte names, from where the second says */
    KIND_FRAME,     /* [verb\n][map], any */
    KIND_BROKEN,
    KIND_PEER,
    KIND_NEWS,   /* so many events more; or a head that comes without them */
    KIND_RIGHTS, /* a principal is revoked, or sees less */
    KIND_FATE,
    KIND_GET,
    KINDS
};

static const char *const verbs[] = {"OPEN", "CREDIT", "CLOSE", "ASK", "SERVE", "ANSWER", "ERROR", [KIND_GET] = "GET"};
static const char *const consumers[] = {"operator/x", "b1", "b2/y", "import", "dispatcher", "nobody"};

static struct {
    struct bytes rest;
    void *(*thread)(void *);
    void *arg;
    uint64_t head;
    bool ended;
} run;

int fuzz_thread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *arg);
int fuzz_thread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *arg)
{
    (void)thread;
    (void)attributes;
    run.thread = start;
    run.arg = arg;
    return 0;
}

int fuzz_thread_join(pthread_t thread, void **result);
int fuzz_thread_join(pthread_t thread, void **result)
{
    (void)thread;
    (void)result;
    return 0;
}

bool loop_once(struct loop *loop, int64_t deadline_us)
{
    (void)deadline_us;
    return house_building(loop);
}

/* --- what intake's other thread says ------------------------------------------------------------------ */

static void state_at_head(struct intake_state *state)
{
    const struct db *db = house_db();
    *state = (struct intake_state){.now_us = clock_wall_us(), .workers_n = 1};
    state->head = db->head.head;
    state->head.pos = run.head;
    memcpy(state->head.link, db->journal[run.head - 1]->link, LINK_BYTES);
    text_copy(state->stream, sizeof(state->stream), house_stream());
    text_copy(state->workers[0].name, sizeof(state->workers[0].name), "dispatcher");
}

static void block_send(struct published *block)
{
    if (published_send(NULL, &block) != STATUS_OK)
        published_destroy(&block);
}

static void entry_add(struct batch *batch, const struct journal_row *row, bool of_rights)
{
    struct event event;
    struct problem problem;
    bool fine = event_decode(row->body, row->priv, &event, &problem);
    assert(fine);
    struct entry *entry = &batch->entries[batch->entries_n++];
    *entry = (struct entry){.pos = row->pos, .body = journal_batch_keep(batch, row->body), .priv = journal_batch_keep(batch, row->priv)};
    text_copy(entry->type, sizeof(entry->type), of_rights ? "principal.changed" : event.type);
    text_copy(entry->key, sizeof(entry->key), event.key);
    text_copy(entry->region, sizeof(entry->region), event.region);
    text_copy(entry->site, sizeof(entry->site), event.site);
    memcpy(entry->link, row->link, LINK_BYTES);
}

static void news(size_t n, bool with_events, bool of_rights)
{
    const struct db *db = house_db();
    struct intake_state state;
    struct entry entries[16];
    struct batch batch = {.entries = entries};
    for (; n > 0 && run.head < db->journal_n && batch.entries_n < COUNT_OF(entries); n--)
        entry_add(&batch, db->journal[run.head++], of_rights);
    state_at_head(&state);
    block_send(published_new(with_events ? &batch : NULL, &state));
    buf_release(&batch.bytes);
}

static void rights(struct bytes payload)
{
    char id[64];
    (void)source_principal(consumers[(payload.len > 0 ? payload.data[0] : 0) % COUNT_OF(consumers)], id, sizeof(id));
    struct db_row *found = db_row_find(house_db(), archive_tables[ARCHIVE_PRINCIPALS], id);
    if (found == NULL)
        return;
    struct arena *arena = arena_new(4096);
    struct principal_row *row = db_row_read(found, arena);
    unsigned what = payload.len > 1 ? payload.data[1] : 0;
    row->open = (what & 1) != 0;
    row->granted.personal = (what & 2) != 0;
    row->granted.regions_n = (what & 4) != 0;
    text_copy(row->granted.regions[0], sizeof(row->granted.regions[0]), "R1");
    struct buf packed = {0};
    record_encode(found->def->row, RECORD_WHOLE, row, &packed);
    found->packed = db_keep(buf_bytes(&packed));
    buf_release(&packed);
    arena_destroy(&arena);
    news(1, true, true);
}

/* --- steps ----------------------------------------------------------------------------------------- */

static void good_open(struct bus_socket *feed, const struct step *step)
{
    const struct db *db = house_db();
    uint8_t bytes[4] = {0};
    memcpy(bytes, step->payload.data, step->payload.len < 4 ? step->payload.len : 4);
    struct verb_open open;
    struct buf map = {0};
    record_clear(&verb_open_record, &open);
    text_copy(open.consumer, sizeof(open.consumer), consumers[bytes[0] % COUNT_OF(consumers)]);
    open.after = bytes[1] % (int64_t)(db->journal_n + 2);
    if (open.after > 0 && (size_t)open.after <= db->journal_n && (bytes[2] & 1) != 0)
        memcpy(open.link, db->journal[open.after - 1]->link, LINK_BYTES);
    open.follow = (bytes[2] & 2) != 0;
    open.credit = (bytes[2] & 4) != 0 ? 1 << 20 : bytes[3] * 8;
    if ((bytes[2] & 8) != 0)
        text_copy(open.types[open.types_n++], sizeof(open.types[0]), "ticket.");
    if ((bytes[2] & 16) != 0)
        text_copy(open.keys[open.keys_n++], sizeof(open.keys[0]), "T-1");
    if ((bytes[2] & 32) != 0)
        text_copy(open.regions[open.regions_n++], sizeof(open.regions[0]), "R1");
    record_encode(&verb_open_record, RECORD_WHOLE, &open, &map);
    edges_receive(feed, step->peer, bytes_of_text("OPEN"), buf_bytes(&map));
    buf_release(&map);
}

static void frame(struct bus_socket *feed, const struct step *step)
{
    const uint8_t *end = step->payload.len > 0 ? memchr(step->payload.data, '\n', step->payload.len) : NULL;
    size_t n = end != NULL ? (size_t)(end - step->payload.data) : 0, over = n + (end != NULL);
    edges_receive(feed, step->peer, bytes_of(step->payload.data, n), bytes_of(step->payload.data + over, step->payload.len - over));
}

static void step_take(const struct step *step)
{
    struct bus_socket *feed = edges_socket("feed");
    unsigned first = step->payload.len > 0 ? step->payload.data[0] : 0;
    switch ((enum kind)(step->kind % KINDS)) {
    case KIND_OPEN:
    case KIND_CREDIT:
    case KIND_CLOSE:
    case KIND_ASK:
    case KIND_SERVE:
    case KIND_ANSWER:
    case KIND_ERROR:
    case KIND_GET:
        edges_receive(feed, step->peer, bytes_of_text(verbs[step->kind % KINDS]), step->payload);
        break;
    case KIND_GOOD_OPEN:
        good_open(feed, step);
        break;
    case KIND_FRAME:
        frame(feed, step);
        break;
    case KIND_BROKEN:
        edges_receive_broken(feed, step->peer, first % 2 == 1);
        break;
    case KIND_PEER:
        edges_peer(step->peer, first % 2 == 1 ? PEER_GONE : PEER_FULL);
        break;
    case KIND_NEWS:
        news(first % 16, first < 128, false);
        break;
    case KIND_RIGHTS:
        rights(step->payload);
        break;
    case KIND_FATE:
        house_fate(first % 8 == 4 ? 5 : first);
        break;
    case KINDS:
        break;
    }
}

int fuzz_zmq_poll(zmq_pollitem_t *items, int n, long timeout_ms);
int fuzz_zmq_poll(zmq_pollitem_t *items, int n, long timeout_ms)
{
    struct step step;
    (void)items;
    house_settle();
    if (n == 2 && step_next(&run.rest, &step)) {
        step_take(&step);
        edges_pass(SECOND_US / 100);
        return n;
    }
    edges_pass(timeout_ms > 0 ? timeout_ms * 1000 : 1000);
    struct intake_state end = {.head = {.epoch = -1}};
    if (n == 2 && run.ended)
        block_send(published_new(NULL, &end));
    run.ended = n == 2; /* one turn more for what was said last */
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    house_begin();
    struct metrics *metrics = metrics_new("intake");
    run.rest = bytes_of(data, n);
    run.ended = false;
    run.head = house_db()->journal_n / 2;
    static struct doors doors;
    doors.settings = house_settings();
    struct feed *feed = feed_start(&doors, "pair", NULL, metrics);
    news(4, true, false);
    (void)run.thread(run.arg);
    assert(feed->readers_n <= STEP_PEERS && feed->asked_n <= QUESTIONS_MAX);
    feed_stop(&feed);
    metrics_destroy(&metrics);
    house_end();
    return 0;
}

/* --- new ones -------------------------------------------------------------------------------------- */

static void ask_make(struct chance *chance, unsigned wild, struct buf *out)
{
    size_t n = 0;
    while (question_at(n) != NULL)
        n++;
    const struct question_type *question = question_at(chance_below(chance, n));
    struct buf args = {0};
    fill_map(question->args, RECORD_WHOLE, chance, wild, &args);
    struct verb_ask ask = {.id = (int64_t)chance_below(chance, 4), .args = buf_bytes(&args), .limit = (int64_t)chance_below(chance, 5),
                           .at_least = (int64_t)chance_below(chance, 40)};
    text_copy(ask.to, sizeof(ask.to), question->to);
    text_copy(ask.question, sizeof(ask.question), question->name);
    record_encode(&verb_ask_record, RECORD_WHOLE, &ask, out);
    buf_release(&args);
}

static void make(unsigned kind, struct chance *chance, unsigned wild, struct buf *out)
{
    uint8_t bytes[4];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)chance_next(chance);
    fill_words(house_words, house_words_n);
    switch ((enum kind)kind) {
    case KIND_ASK:
        ask_make(chance, wild, out);
        break;
    case KIND_OPEN:
    case KIND_CREDIT:
    case KIND_SERVE:
    case KIND_ANSWER:
    case KIND_ERROR:
    case KIND_GET:
        fill_map(verb_record(verbs[kind]), RECORD_WHOLE, chance, wild, out);
        break;
    case KIND_CLOSE:
        pack_map(out, 0);
        break;
    case KIND_FRAME:
        buf_append_text(out, chance_of_hundred(chance, 50) ? "PUT\n" : "BATCH\n");
        fill_any(chance, 0, out);
        break;
    case KIND_GOOD_OPEN:
    case KIND_BROKEN:
    case KIND_PEER:
    case KIND_NEWS:
    case KIND_RIGHTS:
    case KIND_FATE:
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
    for (unsigned k = 0; k < 4 + i % 6; k++) {
        unsigned kind = k == 0 ? (unsigned)KIND_GOOD_OPEN : (unsigned)chance_below(&chance, KINDS);
        buf_reset(&payload);
        make(kind, &chance, 1, &payload);
        step_print(kind, k == 0 ? 0 : (unsigned)chance_below(&chance, 2), buf_bytes(&payload), out);
    }
    buf_release(&payload);
    return i < 40;
}
