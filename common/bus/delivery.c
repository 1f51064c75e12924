#include "bus/delivery.h"

#include "base/mutation.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

const uint8_t reader_link_none[LINK_BYTES];

bool reader_link_is_said(const uint8_t link[LINK_BYTES])
{
    return memcmp(link, reader_link_none, LINK_BYTES) != 0;
}

void reader_drop_kept(struct reader *r)
{
    while (r->kept) {
        struct reader_batch *b = r->kept;
        r->kept = b->next;
        free(b);
    }
    r->kept_tail = NULL;
}

void reader_begin_replay(struct reader *r)
{
    r->phase = PHASE_IDLE;
    r->caught_up = false;
    r->hole_us = r->behind_us = 0;
    reader_drop_kept(r);
    r->debts.at = r->debts.n = 0;
    r->debt_bytes = r->credit_bytes = 0;
}

void reader_fail(struct reader *r, const char *code, const char *why)
{
    r->phase = PHASE_FAILED;
    if (r->listener.failed)
        r->listener.failed(r->owner, code, why);
}

static bool corrupt(struct reader *r, const char *what, uint64_t pos)
{
    char why[120];

    text_format(why, sizeof why, "%s at position %llu", what, (unsigned long long)pos);
    reader_fail(r, "corrupt", why);
    return false;
}

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
        r->listener.event(r->owner, pos, body, priv, r->link_known ? r->link : reader_link_none);
    r->delivering = false;
}

void reader_tell_head(struct reader *r)
{
    struct verb_head h = r->pending;

    if (!r->head_pending || r->paused || r->phase == PHASE_FAILED || r->position < (uint64_t)h.head)
        return;
    r->head_pending = false;
    if (r->verify && r->link_known && r->position == (uint64_t)h.head && reader_link_is_said(h.link) &&
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
        if (pos > r->position + 1 && !MUTATION(MUTATION_READER_SKIPS)) {
            reader_begin_replay(r);
            return;
        }
        if (pos == r->position + 1 || (MUTATION(MUTATION_READER_SKIPS) && pos > r->position))
            deliver(r, pos, body, priv);
        backlog_pop(&r->backlog);
    }
}

static bool batch_end(struct reader *r, const struct reader_batch *b)
{
    struct reader_debt debt = {.upto = b->upto, .cost = b->cost};

    if (!r->filtered && r->position != b->upto)
        return corrupt(r, "a batch that is not complete", b->upto);
    if (r->verify && r->link_known && reader_link_is_said(b->link) && memcmp(b->link, r->link, LINK_BYTES) != 0)
        return corrupt(r, "the link differs", b->upto);
    r->position = b->upto;
    if (r->head < b->upto)
        r->head = b->upto;
    if (reader_link_is_said(b->link)) {
        memcpy(r->link, b->link, LINK_BYTES);
        r->link_known = true;
    } else if (!r->verify) {
        r->link_known = false;
    }
    debt.last_event = r->last_event;
    if (debt.last_event <= r->applied) {
        r->credit_bytes += debt.cost;
    } else {
        reader_debts_add(&r->debts, &debt);
        r->debt_bytes += debt.cost;
    }
    return true;
}

/* True: all of it is delivered. False: paused, or failed. */
static bool batch_deliver(struct reader *r, struct reader_batch *b)
{
    struct bytes body, priv;
    uint64_t pos;

    while (b->left > 0 && !r->paused) {
        if (!reader_batch_next(b, &body, &priv) || !body_pos(body, &pos) || !priv_is_clean(priv))
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
        r->link_known = reader_link_is_said(r->link);
    }
    backlog_drain(r);
}

void reader_drain(struct reader *r)
{
    while (r->kept && !r->paused && r->phase != PHASE_FAILED) {
        struct reader_batch *b = r->kept;
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
    reader_tell_head(r);
}

static void batch_hold(struct reader *r, const struct reader_batch *b)
{
    struct reader_batch *kept = reader_batch_keep(b);

    if (r->kept_tail)
        r->kept_tail->next = kept;
    else
        r->kept = kept;
    r->kept_tail = kept;
}

void reader_take_batch(struct reader *r, struct reader_batch *b)
{
    if (r->kept || r->paused) {
        batch_hold(r, b);
        reader_drain(r);
    } else if (batch_deliver(r, b)) {
        reader_drain(r);
    } else if (r->phase != PHASE_FAILED) {
        batch_hold(r, b);
    }
}

bool reader_note_head(struct reader *r, const struct verb_head *h)
{
    if (h->epoch < r->epoch)
        return false;
    r->epoch = h->epoch;
    if ((uint64_t)h->head > r->head)
        r->head = (uint64_t)h->head;
    r->pending = *h;
    r->head_pending = true;
    return true;
}

bool reader_take_live(struct reader *r, struct bytes body, struct bytes priv)
{
    uint64_t pos;

    if (!body_pos(body, &pos) || !priv_is_clean(priv))
        return false;
    if (pos <= r->position)
        return true;
    if (r->head < pos)
        r->head = pos;
    r->hole_us = 0;
    if (r->phase == PHASE_LIVE && !r->paused && pos == r->position + 1 && backlog_is_empty(&r->backlog)) {
        deliver(r, pos, body, priv);
    } else {
        backlog_push(&r->backlog, pos, body, priv);
        backlog_drain(r);
    }
    reader_tell_head(r);
    return true;
}
