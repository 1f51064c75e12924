/* What intake, or who stands in its place, may write to a client: a source, a reader (with live) and a question in every state. They may
 * fail; they never deliver out of order, twice, or what is no event, or no row. */
#include "base/text.h"
#include "bus/inquiry.h"
#include "bus/reader.h"
#include "bus/source.h"
#include "fill.h"
#include "fuzz.h"
#include "mutate.h"
#include "record/pack.h"
#include "seeds.h"
#include "steps.h"
#include <assert.h>
#include <string.h>

enum kind {
    KIND_SOURCE,     /* [verb, one byte][map] to the source */
    KIND_READER,     /* the same to the reader */
    KIND_LIVE,       /* [topic\n][body] */
    KIND_BATCH,      /* a good BATCH of so many events of a small journal from where the reader stands */
    KIND_WELCOME,    /* a good one */
    KIND_ACK,        /* a good one for so many */
    KIND_CONNECTION, /* gone, and made anew */
    KIND_TIME,
    KIND_APPEND, /* the owner has so many events more */
    KIND_APPLIED,
    KIND_PAUSE,
    KIND_GOOD_LIVE, /* the next event, or one further on, as live has it */
    KIND_OPENED,    /* a good one, of a feed that sends every position, or not */
    KIND_INQUIRY,   /* [verb, one byte][map] to the question */
    KINDS
};

static const char *const verbs[] = {"WELCOME", "DENIED", "MOVED", "ACK",     "BUSY",  "NAK",       "PONG",   "ERROR",
                                    "OPENED",  "FORK",   "AHEAD", "BATCH",   "HEAD",  "CAUGHT_UP", "ANSWER", "CREDIT"};

#define JOURNAL_EVENTS 40
static struct {
    struct buf bodies[JOURNAL_EVENTS];
    uint8_t links[JOURNAL_EVENTS + 1][LINK_BYTES];
    bool made;
} journal;

static struct {
    struct source *source;
    struct reader *reader;
    struct inquiry *inquiry;
    uint64_t told;  /* position of the event delivered last */
    bool verify;    /* the reader has to have every position */
    int64_t answer; /* number answered last */
    int64_t now_us;
    bool ended;
} run;

static void journal_make(void)
{
    link_first("house-00000000", journal.links[0]);
    for (unsigned i = 0; i < JOURNAL_EVENTS; i++) {
        static const uint8_t data[] = {0x80};
        struct event event = {.pos = i + 1, .v = 1, .n = i + 1, .at_us = 1 + i, .rec_us = 1 + i, .data = bytes_of(data, 1)};
        text_copy(event.type, sizeof(event.type), "ticket.noted");
        text_copy(event.key, sizeof(event.key), "T-1");
        text_copy(event.from, sizeof(event.from), "b1");
        text_format(event.id, sizeof(event.id), "b1/%u", i + 1);
        event_encode(&event, &journal.bodies[i]);
        link_next(journal.links[i], buf_bytes(&journal.bodies[i]), journal.links[i + 1]);
    }
    journal.made = true;
}

/* --- what the machines tell ------------------------------------------------------------------------ */

static void on_welcome(void *owner, const struct verb_welcome *welcome)
{
    (void)owner;
    (void)welcome;
    run.answer = 0;
}

static void on_answer(void *owner, const struct answer *answer)
{
    (void)owner;
    assert(run.answer == 0 || answer->n == run.answer + 1);
    run.answer = answer->n;
}

static void on_event(void *owner, uint64_t pos, struct bytes body, struct bytes priv, const uint8_t link[LINK_BYTES])
{
    struct problem problem;
    static const uint8_t none[LINK_BYTES];
    (void)owner;
    assert((run.verify ? pos == run.told + 1 : pos > run.told) && !run.ended);
    bool fine = skim(body, &problem) && (priv.len == 0 || skim(priv, &problem));
    assert(fine);
    /* It verifies: what is delivered is the journal's own. */
    if (pos <= JOURNAL_EVENTS && memcmp(link, none, LINK_BYTES) != 0 && memcmp(link, journal.links[pos], LINK_BYTES) == 0)
        assert(bytes_equal(body, buf_bytes(&journal.bodies[pos - 1])));
    run.told = pos;
}

static void on_failed(void *owner, const char *code, const char *why)
{
    (void)owner;
    assert(strlen(code) < 200 && strlen(why) < 1000);
    run.ended = true;
}

static const struct source_listener source_listener = {.welcome = on_welcome, .answer = on_answer};
static const struct reader_listener reader_listener = {.event = on_event, .failed = on_failed};

/* --- steps ----------------------------------------------------------------------------------------- */

static void frame_give(bool to_source, const char *verb, struct bytes map)
{
    struct problem problem;
    struct frame frame = {.map = map};
    text_copy(frame.verb, sizeof(frame.verb), verb);
    if (!skim(map, &problem))
        return; /* the socket drops it */
    struct unpack in = unpack_of(map);
    if (unpack_next(&in).type != PACK_MAP)
        return;
    bool fine = to_source ? source_in(run.source, &frame, run.now_us) : reader_in(run.reader, &frame, run.now_us);
    if (!fine && to_source)
        source_connected(run.source, run.now_us);
    else if (!fine)
        reader_connected(run.reader, run.now_us);
}

static void raw_give(bool to_source, struct bytes payload)
{
    if (payload.len > 0)
        frame_give(to_source, verbs[payload.data[0] % COUNT_OF(verbs)], bytes_of(payload.data + 1, payload.len - 1));
}

static void inquiry_give(struct bytes payload)
{
    struct problem problem;
    const struct verb_answer *page = inquiry_page(run.inquiry);
    const struct verb_ask ask = {.to = "reporting", .question = "tickets"};
    struct frame frame;
    if (payload.len == 0)
        return;
    frame.map = bytes_of(payload.data + 1, payload.len - 1);
    text_copy(frame.verb, sizeof(frame.verb), verbs[payload.data[0] % COUNT_OF(verbs)]);
    if (inquiry_is_over(run.inquiry))
        inquiry_ask(run.inquiry, &ask);
    if (!inquiry_in(run.inquiry, &frame, run.now_us))
        inquiry_connected(run.inquiry, run.now_us);
    for (uint32_t i = 0; i < page->rows.n; i++) {
        bool fine = skim(((const struct bytes *)page->rows.items)[i], &problem);
        assert(fine);
    }
}

static void batch_give(unsigned n, bool caught_up)
{
    struct bytes slices[JOURNAL_EVENTS];
    struct buf parts[JOURNAL_EVENTS] = {0}, map = {0};
    uint64_t pos;
    uint8_t link[LINK_BYTES];
    reader_cursor(run.reader, &pos, link);
    struct verb_batch batch = {.after = (int64_t)pos};
    uint32_t i = 0;
    for (; i < n % 16 && pos + i < JOURNAL_EVENTS; i++) {
        delivery_encode(buf_bytes(&journal.bodies[pos + i]), bytes_of(NULL, 0), &parts[i]);
        slices[i] = buf_bytes(&parts[i]);
    }
    batch.upto = (int64_t)(pos + i);
    if (pos + i <= JOURNAL_EVENTS)
        memcpy(batch.link, journal.links[pos + i], LINK_BYTES);
    batch.events = (struct slice){.items = slices, .n = i};
    record_encode(&verb_batch_record, RECORD_WHOLE, &batch, &map);
    frame_give(false, "BATCH", buf_bytes(&map));
    if (caught_up) {
        struct verb_head head = {.epoch = 1, .head = batch.upto, .now_us = run.now_us};
        memcpy(head.link, batch.link, LINK_BYTES);
        buf_reset(&map);
        record_encode(&verb_head_record, RECORD_WHOLE, &head, &map);
        frame_give(false, "CAUGHT_UP", buf_bytes(&map));
    }
    for (uint32_t k = 0; k < i; k++)
        buf_release(&parts[k]);
    buf_release(&map);
}

static void welcome_give(unsigned durable)
{
    struct buf map = {0};
    struct verb_welcome welcome = {.epoch = 1, .head = 10, .durable = durable, .upto = 3, .window_events = 1 + durable % 7,
                                   .window_bytes = 262144, .hb_ms = 5000};
    record_encode(&verb_welcome_record, RECORD_WHOLE, &welcome, &map);
    frame_give(true, "WELCOME", buf_bytes(&map));
    buf_release(&map);
}

static void opened_give(unsigned which)
{
    struct buf map = {0};
    struct verb_opened opened = {.epoch = 1, .head = JOURNAL_EVENTS, .first = 1, .whole = which % 8 != 0};
    record_encode(&verb_opened_record, RECORD_WHOLE, &opened, &map);
    frame_give(false, "OPENED", buf_bytes(&map));
    buf_release(&map);
}

static void ack_give(unsigned n)
{
    struct bytes slices[16];
    struct buf parts[16] = {0}, map = {0};
    int64_t first = run.answer + 1;
    for (unsigned i = 0; i < n % 16; i++) {
        struct answer answer = {.n = first + (int64_t)i, .taken = i % 3 != 0, .pos = 7, .problem = {.code = "missing", .field = "x"}};
        answer_encode(&answer, &parts[i]);
        slices[i] = buf_bytes(&parts[i]);
    }
    struct verb_ack ack = {.answers = {.items = slices, .n = n % 16}};
    record_encode(&verb_ack_record, RECORD_WHOLE, &ack, &map);
    frame_give(true, "ACK", buf_bytes(&map));
    for (unsigned i = 0; i < n % 16; i++)
        buf_release(&parts[i]);
    buf_release(&map);
}

static void live_give(struct bytes payload)
{
    struct problem problem;
    const uint8_t *end = payload.len > 0 ? memchr(payload.data, '\n', payload.len) : NULL;
    size_t n = end != NULL ? (size_t)(end - payload.data) : 0, over = n + (end != NULL);
    struct bytes body = bytes_of(payload.data + over, payload.len - over);
    (void)skim(body, &problem);
    reader_live(run.reader, bytes_of(payload.data, n), body, bytes_of(NULL, 0), run.now_us);
}

static void good_live_give(unsigned further)
{
    uint64_t pos = run.told + further % 4;
    if (pos < JOURNAL_EVENTS)
        reader_live(run.reader, bytes_of_text("ticket.noted"), buf_bytes(&journal.bodies[pos]), bytes_of(NULL, 0), run.now_us);
}

static void owner_appends(unsigned n)
{
    static const uint8_t draft[] = {0x81, 0xa1, 'k', 0x01};
    struct bytes drafts[8];
    for (unsigned i = 0; i < n % 8; i++)
        drafts[i] = bytes_of(draft, sizeof(draft));
    if (n % 8 > 0 && source_pending(run.source) < 1000)
        (void)source_append(run.source, drafts, n % 8, n % 3 == 0 ? n : -1, 0);
    struct verb_ping ping = {.upto = n};
    if (n > 200)
        source_ping(run.source, &ping);
}

static void step_take(const struct step *step)
{
    unsigned first = step->payload.len > 0 ? step->payload.data[0] : 0;
    switch ((enum kind)(step->kind % KINDS)) {
    case KIND_SOURCE:
        raw_give(true, step->payload);
        break;
    case KIND_READER:
        raw_give(false, step->payload);
        break;
    case KIND_LIVE:
        live_give(step->payload);
        break;
    case KIND_BATCH:
        batch_give(first, first > 128);
        break;
    case KIND_WELCOME:
        welcome_give(first % 16);
        break;
    case KIND_ACK:
        ack_give(first);
        break;
    case KIND_CONNECTION:
        if (first % 2 == 0) {
            source_disconnected(run.source);
            reader_disconnected(run.reader);
        }
        source_connected(run.source, run.now_us);
        reader_connected(run.reader, run.now_us);
        break;
    case KIND_TIME:
        run.now_us += (int64_t)first * (first > 128 ? SECOND_US : 1000);
        break;
    case KIND_APPEND:
        owner_appends(first);
        break;
    case KIND_APPLIED:
        reader_applied(run.reader, run.told - (run.told > 0 ? first % run.told : 0));
        break;
    case KIND_PAUSE:
        reader_pause(run.reader, first % 2 == 0);
        if (first % 2 == 1)
            reader_resume(run.reader);
        break;
    case KIND_GOOD_LIVE:
        good_live_give(first);
        break;
    case KIND_OPENED:
        opened_give(first);
        break;
    case KIND_INQUIRY:
        inquiry_give(step->payload);
        break;
    case KINDS:
        break;
    }
}

static void what_goes_out(void)
{
    struct frame frame;
    struct problem problem;
    for (int i = 0; i < 200 && source_out(run.source, run.now_us, &frame); i++) {
        bool fine = verb_record(frame.verb) != NULL && skim(frame.map, &problem) && frame.map.len <= FRAME_BYTES_MAX;
        assert(fine);
    }
    for (int i = 0; i < 200 && reader_out(run.reader, run.now_us, &frame); i++) {
        bool fine = verb_record(frame.verb) != NULL && skim(frame.map, &problem);
        assert(fine);
    }
    while (inquiry_out(run.inquiry, run.now_us, &frame)) {
        bool fine = skim(frame.map, &problem);
        assert(fine);
    }
    if (source_deadline_us(run.source) <= run.now_us && source_tick(run.source, run.now_us))
        source_connected(run.source, run.now_us);
    if (reader_deadline_us(run.reader) <= run.now_us && reader_tick(run.reader, run.now_us))
        reader_connected(run.reader, run.now_us);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct bytes rest = bytes_of(data, n);
    struct step step;
    if (!journal.made)
        journal_make();
    unsigned form = n > 0 ? data[0] : 0;
    struct source_config source = {.name = "b1", .stream = "house-00000000", .first = form % 2 ? -1 : 1, .last = form % 2 ? -1 : form / 2 % 8};
    static const char *const needs[] = {"ticket.noted/1", NULL};
    bool live = form % 4 == 0;
    struct reader_config reader = {.live = live, .live_buffer_bytes = 4096, .verify = live || form % 16 < 8, .needs = live ? NULL : needs};
    record_clear(&verb_open_record, &reader.open);
    text_copy(reader.open.stream, sizeof(reader.open.stream), "house-00000000");
    text_copy(reader.open.consumer, sizeof(reader.open.consumer), "b1");
    memcpy(reader.open.link, journal.links[0], LINK_BYTES);
    reader.open.follow = form % 8 != 0;
    reader.open.credit = 4096;
    run.told = 0;
    run.verify = reader.verify;
    run.answer = 0;
    run.ended = false;
    run.now_us = 1000 * SECOND_US;
    run.source = source_new(&source, &source_listener, NULL);
    run.reader = reader_new(&reader, &reader_listener, NULL);
    run.inquiry = inquiry_new();
    inquiry_connected(run.inquiry, run.now_us);
    source_connected(run.source, run.now_us);
    reader_connected(run.reader, run.now_us);
    while (step_next(&rest, &step)) {
        what_goes_out();
        step_take(&step);
    }
    what_goes_out();
    source_destroy(&run.source);
    reader_destroy(&run.reader);
    inquiry_destroy(&run.inquiry);
    return 0;
}

/* --- new ones -------------------------------------------------------------------------------------- */

static void make(unsigned kind, struct chance *chance, unsigned wild, struct buf *out)
{
    uint8_t which = (uint8_t)chance_next(chance);
    buf_append(out, &which, 1);
    switch ((enum kind)kind) {
    case KIND_SOURCE:
    case KIND_READER:
    case KIND_INQUIRY: {
        unsigned verb = (unsigned)chance_below(chance, COUNT_OF(verbs));
        out->data[out->len - 1] = (uint8_t)verb;
        fill_map(verb_record(verbs[verb]), RECORD_WHOLE, chance, wild, out);
        break;
    }
    case KIND_LIVE:
        buf_reset(out);
        buf_append_text(out, chance_of_hundred(chance, 50) ? "~head\n" : "ticket.noted\n");
        if (chance_of_hundred(chance, 50))
            fill_map(&verb_head_record, RECORD_WHOLE, chance, wild, out);
        else
            fill_any(chance, 0, out);
        break;
    case KIND_BATCH:
    case KIND_WELCOME:
    case KIND_ACK:
    case KIND_CONNECTION:
    case KIND_TIME:
    case KIND_APPEND:
    case KIND_APPLIED:
    case KIND_PAUSE:
    case KIND_GOOD_LIVE:
    case KIND_OPENED:
    case KINDS:
        break;
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t cap, unsigned seed)
{
    return steps_mutate(data, n, cap, seed, KINDS, make);
}

bool fuzz_seed(unsigned i, struct buf *out)
{
    static const unsigned first[] = {KIND_WELCOME, KIND_OPENED, KIND_BATCH, KIND_APPEND, KIND_ACK};
    struct chance chance = chance_of(i);
    struct buf payload = {0};
    for (unsigned k = 0; k < 6 + i % 8; k++) {
        unsigned kind = k < COUNT_OF(first) ? first[k] : (unsigned)chance_below(&chance, KINDS);
        buf_reset(&payload);
        make(kind, &chance, 1, &payload);
        step_print(kind, i, buf_bytes(&payload), out);
    }
    buf_release(&payload);
    return i < 40;
}
