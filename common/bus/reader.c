#include "bus/delivery.h"

#include "base/mutation.h"
#include "base/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CREDIT_DEFAULT (1024 * 1024)
#define LIVE_BUFFER_DEFAULT (8 * 1024 * 1024)
#define PATIENCE_US (5 * SECOND_US)
#define PATIENCE_MAX_US (40 * SECOND_US)
/* Between two OPENs that came to nothing, beginning with none (T6). */
#define PAUSE_US (SECOND_US / 10)
#define PAUSE_MAX_US (5 * SECOND_US)
#define TRIES_DEFAULT 3
/* A live head beyond what came, and then nothing for so long: the last messages were lost. */
#define LIVE_SILENCE_US SECOND_US
/* A live head below what was delivered, for so long: it is another journal's; OPEN tells. */
#define BEHIND_US (5 * SECOND_US)

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
    assert(!config->live || (!r->filtered && !config->needs));
    if (r->config.tries == 0)
        r->config.tries = TRIES_DEFAULT;
    r->position = r->received = r->last_event = r->applied = (uint64_t)config->open.after;
    if (r->position > 0)
        memcpy(r->link, config->open.link, LINK_BYTES);
    else if (config->open.stream[0] != '\0') /* without a name: whichever stream is there */
        link_first(config->open.stream, r->link);
    r->patience_us = PATIENCE_US;
    return r;
}

void reader_destroy(struct reader **r_p)
{
    struct reader *r = *r_p;

    if (!r)
        return;
    reader_drop_kept(r);
    reader_debts_release(&r->debts);
    backlog_release(&r->backlog);
    free(r->items);
    buf_release(&r->out);
    free(r);
    *r_p = NULL;
}

uint64_t reader_position(const struct reader *r)
{
    return r->position;
}

const char *reader_stream(const struct reader *r)
{
    return r->stream;
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
    memcpy(link, r->link, LINK_BYTES);
}

bool reader_is_spent(const struct reader *r)
{
    return r->debt_bytes >= (size_t)r->config.open.credit;
}

bool reader_is_done(const struct reader *r)
{
    return r->phase == PHASE_DONE;
}

static bool is_replaying(const struct reader *r)
{
    return r->phase == PHASE_OPENING || r->phase == PHASE_REPLAY || r->phase == PHASE_FOLLOW;
}

void reader_connected(struct reader *r, int64_t now_us)
{
    r->feed_up = true;
    r->heard_us = now_us;
    if (is_replaying(r))
        reader_begin_replay(r);
}

void reader_disconnected(struct reader *r)
{
    r->feed_up = false;
    if (is_replaying(r))
        reader_begin_replay(r);
}

void reader_pause(struct reader *r, bool paused)
{
    r->paused = paused;
}

void reader_resume(struct reader *r)
{
    assert(!r->delivering);
    reader_drain(r);
}

void reader_applied(struct reader *r, uint64_t pos)
{
    struct reader_debt debt;

    if (pos > r->applied)
        r->applied = pos;
    while (reader_debts_settle(&r->debts, r->applied, &debt)) {
        r->debt_bytes -= debt.cost;
        r->credit_bytes += debt.cost;
    }
}

/* --- live ---------------------------------------------------------------------------------------- */

static void live_head(struct reader *r, struct bytes map, int64_t now_us)
{
    struct verb_head h;
    struct problem problem;

    if (!skim(map, &problem) || !record_decode(&verb_head_record, RECORD_WHOLE, DECODE_LENIENT, map, NULL, &h, &problem) ||
        h.head < 0 || !reader_note_head(r, &h, false))
        return;
    if (r->phase != PHASE_LIVE)
        return;
    reader_tell_head(r);
    if (r->paused || !backlog_is_empty(&r->backlog)) /* the drain will see a hole */
        return;
    if ((uint64_t)h.head > r->position && r->hole_us == 0 && !MUTATION(MUTATION_HOLE_UNNOTICED))
        r->hole_us = now_us + LIVE_SILENCE_US;
    if ((uint64_t)h.head >= r->position)
        r->behind_us = 0;
    else if (r->behind_us == 0)
        r->behind_us = now_us + BEHIND_US;
    else if (now_us >= r->behind_us)
        reader_begin_replay(r);
}

void reader_live(struct reader *r, struct bytes topic, struct bytes body, struct bytes priv, int64_t now_us)
{
    assert(!r->delivering);
    if (!r->config.live || r->phase == PHASE_FAILED)
        return;
    /* Live is a hint: what cannot be read is a hole, and replay tells the truth. */
    if (bytes_equal(topic, bytes_of("~head", 5)))
        live_head(r, body, now_us);
    else
        (void)reader_take_live(r, body, priv);
}

/* --- feed ---------------------------------------------------------------------------------------- */

static bool open_out(struct reader *r, int64_t now_us, struct frame *frame)
{
    struct verb_open open = r->config.open;

    open.after = (int64_t)r->position;
    memcpy(open.link, r->position > 0 ? r->link : reader_link_none, LINK_BYTES);
    open.follow = open.follow && !r->config.live;
    record_encode(&verb_open_record, RECORD_WHOLE, &open, &r->out);
    r->received = r->position;
    memcpy(r->received_link, r->link, LINK_BYTES);
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
    if (r->feed_up && r->phase == PHASE_IDLE && now_us >= r->hold_us)
        return open_out(r, now_us, frame);
    /* Small change is saved up, as long as the feed has other credit or can hope for more. */
    if (open && r->credit_bytes > 0 && (r->debt_bytes == 0 || r->credit_bytes >= (size_t)r->config.open.credit / 8 ||
                                        r->debt_bytes + r->credit_bytes >= (size_t)r->config.open.credit))
        return credit_out(r, now_us, frame);
    return false;
}

static bool map_read(const struct record *record, const struct frame *frame, void *out)
{
    struct problem problem;

    return record_decode(record, RECORD_WHOLE, DECODE_LENIENT, frame->map, NULL, out, &problem);
}

/* T6: what passes is tried again over a new connection, and later each time, until something good has come. */
static bool later(struct reader *r, int64_t now_us)
{
    r->hold_us = now_us + r->pause_us;
    r->pause_us = r->pause_us == 0 ? PAUSE_US : r->pause_us * 2 < PAUSE_MAX_US ? r->pause_us * 2 : PAUSE_MAX_US;
    return false;
}

static void good(struct reader *r)
{
    r->pause_us = 0;
    r->patience_us = PATIENCE_US;
}

/* What came is not what it has to be. Behind the same position again and again it is not the line's fault. */
static bool damaged(struct reader *r, const char *code, int64_t now_us)
{
    char why[120];

    r->damages = r->damaged_at == r->received ? r->damages + 1 : 1;
    r->damaged_at = r->received;
    if (r->damages < r->config.tries && !text_equal(code, "version"))
        return later(r, now_us);
    text_format(why, sizeof why, "the batch behind position %llu is not what it has to be", (unsigned long long)r->received);
    reader_fail(r, code, why);
    return true;
}

static bool on_batch(struct reader *r, const struct frame *frame, int64_t now_us)
{
    struct reader_batch batch;
    const char *wrong;

    if (r->phase != PHASE_REPLAY && r->phase != PHASE_FOLLOW)
        return true; /* of an OPEN before */
    wrong = reader_batch_read(frame, &batch) ? reader_judge(r, &batch) : "corrupt";
    if (wrong)
        return damaged(r, wrong, now_us);
    good(r);
    r->received = batch.upto;
    memcpy(r->received_link, batch.link, LINK_BYTES);
    reader_take_batch(r, &batch);
    return true;
}

static bool on_opened(struct reader *r, const struct frame *frame)
{
    struct verb_opened opened;

    if (!map_read(&verb_opened_record, frame, &opened))
        return false;
    if (r->phase != PHASE_OPENING)
        return true;
    r->whole = opened.whole && !r->filtered;
    if (!r->whole && (r->config.live || (r->config.verify && !r->filtered))) {
        reader_fail(r, "denied.rights", "the feed does not send every position to this reader");
        return true;
    }
    r->phase = PHASE_REPLAY;
    r->epoch = opened.epoch;
    text_copy(r->stream, sizeof r->stream, opened.stream);
    if ((uint64_t)opened.head > r->head)
        r->head = (uint64_t)opened.head;
    return true;
}

static bool on_head(struct reader *r, const struct frame *frame, bool caught_up, int64_t now_us)
{
    struct verb_head h;

    if (!map_read(&verb_head_record, frame, &h) || h.head < 0)
        return false;
    if (r->phase != PHASE_REPLAY && r->phase != PHASE_FOLLOW)
        return true;
    if (!reader_note_head(r, &h, caught_up && !r->whole))
        return true;
    if (caught_up && r->whole && r->received < (uint64_t)h.head)
        return damaged(r, "hole", now_us);
    good(r);
    r->caught_up = r->caught_up || caught_up;
    reader_drain(r);
    return true;
}

static bool on_end(struct reader *r, const struct frame *frame, int64_t now_us)
{
    struct verb_denied denied;
    struct verb_fork fork;
    struct verb_ahead ahead;
    char why[240], code[64];

    if (text_equal(frame->verb, "DENIED")) {
        if (!map_read(&verb_denied_record, frame, &denied))
            return false;
        if (text_equal(denied.code, "full"))
            return later(r, now_us);
        text_format(code, sizeof code, "denied.%s", denied.code);
        reader_fail(r, code, denied.why);
    } else if (text_equal(frame->verb, "FORK")) {
        if (!map_read(&verb_fork_record, frame, &fork))
            return false;
        text_format(why, sizeof why, "another history was read: it differs at position %lld", (long long)fork.pos);
        reader_fail(r, "fork", why);
    } else {
        if (!map_read(&verb_ahead_record, frame, &ahead))
            return false;
        text_format(why, sizeof why, "read up to %llu, the journal ends at %lld", (unsigned long long)r->position,
                    (long long)ahead.head);
        reader_fail(r, "ahead", why);
    }
    return true;
}

/* The journal itself lacks a position: for people. Everything else passes. */
static bool on_error(struct reader *r, const struct frame *frame, int64_t now_us)
{
    struct verb_error error;

    if (!map_read(&verb_error_record, frame, &error) || !text_equal(error.code, "corrupt"))
        return later(r, now_us);
    reader_fail(r, "corrupt", error.why);
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
        return on_batch(r, frame, now_us);
    if (text_equal(frame->verb, "OPENED"))
        return on_opened(r, frame);
    if (text_equal(frame->verb, "HEAD") || text_equal(frame->verb, "CAUGHT_UP"))
        return on_head(r, frame, text_equal(frame->verb, "CAUGHT_UP"), now_us);
    if (text_equal(frame->verb, "DENIED") || text_equal(frame->verb, "FORK") || text_equal(frame->verb, "AHEAD"))
        return on_end(r, frame, now_us);
    if (text_equal(frame->verb, "ERROR"))
        return on_error(r, frame, now_us);
    return !text_equal(frame->verb, "MOVED") || later(r, now_us); /* it stands by for another intake */
}

/* --- time ---------------------------------------------------------------------------------------- */

/* Is it the feed's turn to speak (F12)? Not while it waits for credit, unless it follows (HEAD each second). */
static bool is_waiting(const struct reader *r)
{
    if (!r->feed_up)
        return false;
    if (r->phase == PHASE_OPENING || r->phase == PHASE_FOLLOW)
        return true;
    return r->phase == PHASE_REPLAY && !r->caught_up && !r->kept && !reader_is_spent(r);
}

int64_t reader_deadline_us(const struct reader *r)
{
    int64_t due = INT64_MAX;

    if (is_waiting(r))
        due = r->heard_us + r->patience_us;
    else if (r->feed_up && r->phase == PHASE_IDLE)
        due = r->hold_us;
    if (r->phase == PHASE_LIVE && r->hole_us != 0 && r->hole_us < due)
        due = r->hole_us;
    return due;
}

bool reader_tick(struct reader *r, int64_t now_us)
{
    if (r->phase == PHASE_LIVE && r->hole_us != 0 && now_us >= r->hole_us)
        reader_begin_replay(r);
    if (!is_waiting(r) || now_us - r->heard_us < r->patience_us)
        return false;
    r->heard_us = now_us;
    r->patience_us = r->patience_us * 2 < PATIENCE_MAX_US ? r->patience_us * 2 : PATIENCE_MAX_US;
    return true;
}
