#include "bus/reader.h"

#include "base/text.h"
#include "bus/backlog.h"
#include "bus/batch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CREDIT_DEFAULT (1024 * 1024)
#define LIVE_BUFFER_DEFAULT (8 * 1024 * 1024)
#define PATIENCE_US (5 * SECOND_US)
#define PATIENCE_MAX_US (40 * SECOND_US)
/* A live head beyond what came, and then nothing for so long: the last messages were lost. */
#define LIVE_SILENCE_US SECOND_US
/* A live head below what was delivered, for so long: it is another journal's; OPEN tells. */
#define BEHIND_US (5 * SECOND_US)

enum phase {
    PHASE_IDLE,    /* OPEN is due */
    PHASE_OPENING, /* OPEN is said, OPENED is not heard */
    PHASE_REPLAY,  /* towards the head */
    PHASE_FOLLOW,  /* at the head, by feed */
    PHASE_LIVE,    /* at the head, by live */
    PHASE_DONE,    /* at the head, and that was all */
    PHASE_FAILED
};

struct reader {
    struct reader_config config;
    struct reader_listener listener;
    void *owner;
    enum phase phase;
    bool feed_up, paused, filtered, verify, delivering;
    uint64_t position;   /* delivered up to */
    uint64_t received;   /* the same, with what is kept of feed */
    uint64_t last_event; /* position of the event delivered last */
    uint64_t applied;
    uint64_t head;
    uint8_t link[LINK_BYTES]; /* at position */
    bool link_known;
    struct batch *kept, *kept_tail;
    bool caught_up; /* CAUGHT_UP has come; what is kept goes first */
    struct verb_head caught_up_at;
    struct debts debts;
    size_t debt_bytes;   /* in debts */
    size_t credit_bytes; /* to be given back */
    struct backlog backlog;
    bool head_pending;
    struct verb_head pending;
    int64_t heard_us, patience_us;
    int64_t hole_us, behind_us; /* 0: no */
    struct buf out;
};

static const uint8_t link_none[LINK_BYTES];

static bool link_is_said(const uint8_t link[LINK_BYTES])
{
    return memcmp(link, link_none, LINK_BYTES) != 0;
}

struct reader *reader_new(const struct reader_config *config, const struct reader_listener *listener, void *owner)
{
    struct reader *r = memory_new(sizeof *r);

    r->config = *config;
    r->listener = *listener;
    r->owner = owner;
    if (r->config.open.credit <= 0)
        r->config.open.credit = CREDIT_DEFAULT;
    r->backlog.bytes_max = config->live_buffer_bytes ? config->live_buffer_bytes : LIVE_BUFFER_DEFAULT;
    r->filtered = config->open.types_n + config->open.regions_n + config->open.sites_n + config->open.keys_n > 0;
    assert(!r->filtered || !config->live);
    r->verify = config->verify && !r->filtered;
    r->position = r->received = r->last_event = r->applied = (uint64_t)config->open.after;
    if (r->position == 0) {
        link_first(config->open.stream, r->link);
        r->link_known = true;
    } else {
        memcpy(r->link, config->open.link, LINK_BYTES);
        r->link_known = link_is_said(r->link);
    }
    r->patience_us = PATIENCE_US;
    return r;
}

static void kept_drop(struct reader *r)
{
    while (r->kept) {
        struct batch *b = r->kept;
        r->kept = b->next;
        free(b);
    }
    r->kept_tail = NULL;
}

void reader_destroy(struct reader **r_p)
{
    struct reader *r = *r_p;

    if (!r)
        return;
    kept_drop(r);
    debts_release(&r->debts);
    backlog_release(&r->backlog);
    buf_release(&r->out);
    free(r);
    *r_p = NULL;
}

uint64_t reader_position(const struct reader *r)
{
    return r->position;
}

uint64_t reader_head(const struct reader *r)
{
    return r->head;
}

bool reader_is_live(const struct reader *r)
{
    return r->phase == PHASE_LIVE;
}

void reader_cursor(const struct reader *r, uint64_t *pos, uint8_t link[LINK_BYTES])
{
    *pos = r->position;
    memcpy(link, r->link_known ? r->link : link_none, LINK_BYTES);
}

static bool is_replaying(const struct reader *r)
{
    return r->phase == PHASE_OPENING || r->phase == PHASE_REPLAY || r->phase == PHASE_FOLLOW;
}

/* The next thing is OPEN from what was delivered; what is kept of feed comes again. */
static void replay_begin(struct reader *r)
{
    r->phase = PHASE_IDLE;
    r->caught_up = false;
    r->hole_us = r->behind_us = 0;
    kept_drop(r);
    r->debts.at = r->debts.n = 0;
    r->debt_bytes = r->credit_bytes = 0;
}

void reader_connected(struct reader *r, int64_t now_us)
{
    r->feed_up = true;
    r->heard_us = now_us;
    if (is_replaying(r))
        replay_begin(r);
}

void reader_disconnected(struct reader *r)
{
    r->feed_up = false;
    if (is_replaying(r))
        replay_begin(r);
}

static void fail(struct reader *r, const char *code, const char *why)
{
    r->phase = PHASE_FAILED;
    if (r->listener.failed)
        r->listener.failed(r->owner, code, why);
}

static bool corrupt(struct reader *r, const char *what, uint64_t pos)
{
    char why[120];

    text_format(why, sizeof why, "%s at position %llu", what, (unsigned long long)pos);
    fail(r, "corrupt", why);
    return false;
}

/* --- delivery ------------------------------------------------------------------------------------ */

/* The body's position; false: the body cannot be one. */
static bool body_pos(struct bytes body, uint64_t *out)
{
    struct problem problem;
    struct unpack in = unpack_of(body);
    struct pack_value map, value;

    if (!skim(body, &problem))
        return false;
    map = unpack_next(&in);
    for (uint32_t i = 0; map.type == PACK_MAP && i < map.n; i++) {
        value = unpack_next(&in);
        if (!bytes_equal(value.bytes, bytes_of("pos", 3))) {
            (void)unpack_raw(&in);
            continue;
        }
        value = unpack_next(&in);
        if (value.type != PACK_INT || value.integer <= 0)
            return false;
        *out = (uint64_t)value.integer;
        return true;
    }
    return false;
}

static bool priv_is_clean(struct bytes priv)
{
    struct problem problem;

    return priv.len == 0 || skim(priv, &problem);
}

static void deliver(struct reader *r, uint64_t pos, struct bytes body, struct bytes priv)
{
    if (r->verify && r->link_known)
        link_next(r->link, body, r->link);
    else
        r->link_known = false;
    r->position = r->last_event = pos;
    if (r->received < pos)
        r->received = pos;
    if (r->head < pos)
        r->head = pos;
    r->delivering = true;
    if (r->listener.event)
        r->listener.event(r->owner, pos, body, priv, r->link_known ? r->link : link_none);
    r->delivering = false;
}

/* Tells the head once everything up to it is delivered. */
static void head_tell(struct reader *r)
{
    struct verb_head h = r->pending;

    if (!r->head_pending || r->paused || r->phase == PHASE_FAILED || r->position < (uint64_t)h.head)
        return;
    r->head_pending = false;
    if (r->verify && r->link_known && r->position == (uint64_t)h.head && link_is_said(h.link) &&
        memcmp(h.link, r->link, LINK_BYTES) != 0) {
        corrupt(r, "the link differs", r->position);
        return;
    }
    if (r->listener.head)
        r->listener.head(r->owner, (uint64_t)h.head, h.now_us);
}

static void backlog_drain(struct reader *r)
{
    struct bytes body, priv;
    uint64_t pos;

    while (r->phase == PHASE_LIVE && !r->paused && backlog_peek(&r->backlog, &pos, &body, &priv)) {
        if (pos > r->position + 1) {
            replay_begin(r);
            return;
        }
        if (pos == r->position + 1)
            deliver(r, pos, body, priv);
        backlog_pop(&r->backlog);
    }
}

static bool batch_end(struct reader *r, const struct batch *b)
{
    struct debt debt = {.upto = b->upto, .cost = b->cost};

    if (!r->filtered && r->position != b->upto)
        return corrupt(r, "a batch that is not complete", b->upto);
    if (r->verify && r->link_known && link_is_said(b->link) && memcmp(b->link, r->link, LINK_BYTES) != 0)
        return corrupt(r, "the link differs", b->upto);
    r->position = b->upto;
    if (r->head < b->upto)
        r->head = b->upto;
    if (link_is_said(b->link)) {
        memcpy(r->link, b->link, LINK_BYTES);
        r->link_known = true;
    } else if (!r->verify) {
        r->link_known = false;
    }
    debt.last_event = r->last_event;
    if (debt.last_event <= r->applied) {
        r->credit_bytes += debt.cost;
    } else {
        debts_add(&r->debts, &debt);
        r->debt_bytes += debt.cost;
    }
    return true;
}

/* True: all of it is delivered. False: paused, or failed. */
static bool batch_deliver(struct reader *r, struct batch *b)
{
    struct bytes body, priv;
    uint64_t pos;

    while (b->left > 0 && !r->paused) {
        if (!batch_next(b, &body, &priv) || !body_pos(body, &pos) || !priv_is_clean(priv))
            return corrupt(r, "a body that cannot be read behind the one", r->position);
        if (r->filtered ? (pos <= r->position || pos > b->upto) : pos != r->position + 1)
            return corrupt(r, "a body of the wrong place behind the one", r->position);
        deliver(r, pos, body, priv);
    }
    return b->left == 0 && batch_end(r, b);
}

/* At the head, with everything delivered. */
static void handover(struct reader *r)
{
    r->caught_up = false;
    r->phase = r->config.live ? PHASE_LIVE : r->config.open.follow ? PHASE_FOLLOW : PHASE_DONE;
    /* All that the filter lets through up to there has come. */
    if (r->filtered && r->position < (uint64_t)r->caught_up_at.head) {
        r->position = (uint64_t)r->caught_up_at.head;
        memcpy(r->link, r->caught_up_at.link, LINK_BYTES);
        r->link_known = link_is_said(r->link);
    }
    backlog_drain(r);
}

static void drain(struct reader *r)
{
    while (r->kept && !r->paused && r->phase != PHASE_FAILED) {
        struct batch *b = r->kept;
        if (!batch_deliver(r, b))
            return;
        r->kept = b->next;
        if (!r->kept)
            r->kept_tail = NULL;
        free(b);
    }
    if (r->kept || r->paused || r->phase == PHASE_FAILED)
        return;
    if (r->caught_up)
        handover(r);
    backlog_drain(r);
    head_tell(r);
}

void reader_pause(struct reader *r, bool paused)
{
    r->paused = paused;
}

void reader_resume(struct reader *r)
{
    assert(!r->delivering);
    drain(r);
}

void reader_applied(struct reader *r, uint64_t pos)
{
    struct debt debt;

    if (pos > r->applied)
        r->applied = pos;
    while (debts_settle(&r->debts, r->applied, &debt)) {
        r->debt_bytes -= debt.cost;
        r->credit_bytes += debt.cost;
    }
}

/* --- live ---------------------------------------------------------------------------------------- */

static void head_note(struct reader *r, const struct verb_head *h)
{
    if ((uint64_t)h->head > r->head)
        r->head = (uint64_t)h->head;
    r->pending = *h;
    r->head_pending = true;
}

static void live_head(struct reader *r, struct bytes map, int64_t now_us)
{
    struct verb_head h;
    struct problem problem;

    if (!skim(map, &problem) || !record_decode(&verb_head_record, RECORD_WHOLE, DECODE_LENIENT, map, NULL, &h, &problem) ||
        h.head < 0)
        return;
    head_note(r, &h);
    if (r->phase != PHASE_LIVE)
        return;
    head_tell(r);
    if (r->paused || !backlog_is_empty(&r->backlog)) /* the drain will see a hole */
        return;
    if ((uint64_t)h.head > r->position && r->hole_us == 0)
        r->hole_us = now_us + LIVE_SILENCE_US;
    if ((uint64_t)h.head >= r->position)
        r->behind_us = 0;
    else if (r->behind_us == 0)
        r->behind_us = now_us + BEHIND_US;
    else if (now_us >= r->behind_us)
        replay_begin(r);
}

void reader_live(struct reader *r, struct bytes topic, struct bytes body, struct bytes priv, int64_t now_us)
{
    uint64_t pos;

    assert(!r->delivering);
    if (!r->config.live || r->phase == PHASE_FAILED)
        return;
    if (bytes_equal(topic, bytes_of("~head", 5))) {
        live_head(r, body, now_us);
        return;
    }
    /* Live is a hint: what cannot be read is a hole, and replay tells the truth. */
    if (!body_pos(body, &pos) || !priv_is_clean(priv) || pos <= r->position)
        return;
    if (r->head < pos)
        r->head = pos;
    r->hole_us = 0;
    if (r->phase == PHASE_LIVE && !r->paused && pos == r->position + 1 && backlog_is_empty(&r->backlog)) {
        deliver(r, pos, body, priv);
        head_tell(r);
        return;
    }
    backlog_push(&r->backlog, pos, body, priv);
    backlog_drain(r);
    head_tell(r);
}

/* --- feed ---------------------------------------------------------------------------------------- */

static bool open_out(struct reader *r, int64_t now_us, struct frame *frame)
{
    struct verb_open open = r->config.open;

    open.after = (int64_t)r->position;
    memcpy(open.link, r->position > 0 && r->link_known ? r->link : link_none, LINK_BYTES);
    open.follow = open.follow && !r->config.live;
    record_encode(&verb_open_record, RECORD_WHOLE, &open, &r->out);
    r->received = r->position;
    r->phase = PHASE_OPENING;
    r->heard_us = now_us;
    text_format(frame->verb, sizeof frame->verb, "OPEN");
    frame->map = buf_bytes(&r->out);
    return true;
}

static bool credit_out(struct reader *r, int64_t now_us, struct frame *frame)
{
    struct verb_credit credit = {.bytes = (int64_t)r->credit_bytes, .applied = (int64_t)r->applied};

    /* An empty batch passes a filtered reader without anything to apply. */
    if (r->debts.at == r->debts.n && !r->kept)
        credit.applied = (int64_t)r->position;
    record_encode(&verb_credit_record, RECORD_WHOLE, &credit, &r->out);
    r->credit_bytes = 0;
    r->heard_us = now_us; /* the feed's turn begins now */
    text_format(frame->verb, sizeof frame->verb, "CREDIT");
    frame->map = buf_bytes(&r->out);
    return true;
}

bool reader_out(struct reader *r, int64_t now_us, struct frame *frame)
{
    bool open = r->phase == PHASE_REPLAY || r->phase == PHASE_FOLLOW;

    buf_reset(&r->out);
    if (r->feed_up && r->phase == PHASE_IDLE)
        return open_out(r, now_us, frame);
    /* Small change is saved up, unless it is all that the feed can hope for. */
    if (open && r->credit_bytes > 0 && (r->debt_bytes == 0 || r->credit_bytes >= (size_t)r->config.open.credit / 8))
        return credit_out(r, now_us, frame);
    return false;
}

static bool map_read(const struct record *record, const struct frame *frame, void *out)
{
    struct problem problem;

    return record_decode(record, RECORD_WHOLE, DECODE_LENIENT, frame->map, NULL, out, &problem);
}

static void batch_hold(struct reader *r, const struct batch *b)
{
    struct batch *kept = batch_keep(b);

    if (r->kept_tail)
        r->kept_tail->next = kept;
    else
        r->kept = kept;
    r->kept_tail = kept;
}

static bool on_batch(struct reader *r, const struct frame *frame)
{
    struct batch batch;

    if (r->phase != PHASE_REPLAY && r->phase != PHASE_FOLLOW)
        return true; /* of an OPEN before */
    if (!batch_read(frame, &batch) || batch.after != r->received)
        return false;
    r->patience_us = PATIENCE_US;
    r->received = batch.upto;
    if (r->kept || r->paused) {
        batch_hold(r, &batch);
        drain(r);
        return true;
    }
    if (batch_deliver(r, &batch))
        drain(r);
    else if (r->phase != PHASE_FAILED)
        batch_hold(r, &batch);
    return true;
}

static bool on_opened(struct reader *r, const struct frame *frame)
{
    struct verb_opened opened;

    if (!map_read(&verb_opened_record, frame, &opened))
        return false;
    if (r->phase != PHASE_OPENING)
        return true;
    r->phase = PHASE_REPLAY;
    if ((uint64_t)opened.head > r->head)
        r->head = (uint64_t)opened.head;
    return true;
}

static bool on_head(struct reader *r, const struct frame *frame, bool caught_up)
{
    struct verb_head h;

    if (!map_read(&verb_head_record, frame, &h) || h.head < 0)
        return false;
    if (r->phase != PHASE_REPLAY && r->phase != PHASE_FOLLOW)
        return true;
    head_note(r, &h);
    if (caught_up) {
        r->caught_up = true;
        r->caught_up_at = h;
        if (r->filtered && r->received < (uint64_t)h.head)
            r->received = (uint64_t)h.head;
    }
    drain(r);
    return true;
}

static bool on_end(struct reader *r, const struct frame *frame)
{
    struct verb_denied denied;
    struct verb_fork fork;
    struct verb_ahead ahead;
    char why[240];

    if (text_equal(frame->verb, "DENIED")) {
        if (!map_read(&verb_denied_record, frame, &denied))
            return false;
        text_format(why, sizeof why, "%s: %s", denied.code, denied.why);
        fail(r, "denied", why);
    } else if (text_equal(frame->verb, "FORK")) {
        if (!map_read(&verb_fork_record, frame, &fork))
            return false;
        text_format(why, sizeof why, "another history was read: it differs at position %lld", (long long)fork.pos);
        fail(r, "fork", why);
    } else {
        if (!map_read(&verb_ahead_record, frame, &ahead))
            return false;
        text_format(why, sizeof why, "read up to %llu, the journal ends at %lld", (unsigned long long)r->position,
                    (long long)ahead.head);
        fail(r, "ahead", why);
    }
    return true;
}

bool reader_in(struct reader *r, const struct frame *frame, int64_t now_us)
{
    struct problem problem;
    struct unpack in;

    assert(!r->delivering);
    if (r->phase == PHASE_FAILED || !r->feed_up)
        return true;
    if (!skim(frame->map, &problem))
        return false;
    in = unpack_of(frame->map);
    if (unpack_next(&in).type != PACK_MAP)
        return false;
    r->heard_us = now_us;
    if (text_equal(frame->verb, "BATCH"))
        return on_batch(r, frame);
    if (text_equal(frame->verb, "OPENED"))
        return on_opened(r, frame);
    if (text_equal(frame->verb, "HEAD") || text_equal(frame->verb, "CAUGHT_UP"))
        return on_head(r, frame, text_equal(frame->verb, "CAUGHT_UP"));
    if (text_equal(frame->verb, "DENIED") || text_equal(frame->verb, "FORK") || text_equal(frame->verb, "AHEAD"))
        return on_end(r, frame);
    return !text_equal(frame->verb, "ERROR");
}

/* --- time ---------------------------------------------------------------------------------------- */

/* Is it the feed's turn to speak? Not while it waits for credit, unless it follows (HEAD each second). */
static bool is_waiting(const struct reader *r)
{
    if (!r->feed_up)
        return false;
    if (r->phase == PHASE_OPENING || r->phase == PHASE_FOLLOW)
        return true;
    return r->phase == PHASE_REPLAY && !r->caught_up && !r->kept && r->debt_bytes == 0;
}

int64_t reader_deadline_us(const struct reader *r)
{
    int64_t due = INT64_MAX;

    if (is_waiting(r))
        due = r->heard_us + r->patience_us;
    if (r->phase == PHASE_LIVE && r->hole_us != 0 && r->hole_us < due)
        due = r->hole_us;
    return due;
}

bool reader_tick(struct reader *r, int64_t now_us)
{
    if (r->phase == PHASE_LIVE && r->hole_us != 0 && now_us >= r->hole_us)
        replay_begin(r);
    if (!is_waiting(r) || now_us - r->heard_us < r->patience_us)
        return false;
    r->heard_us = now_us;
    r->patience_us = r->patience_us * 2 < PATIENCE_MAX_US ? r->patience_us * 2 : PATIENCE_MAX_US;
    return true;
}
