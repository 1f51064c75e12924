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
    r->caught_up = r->head_reached = false;
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

static void deliver(struct reader *r, const struct reader_item *item)
{
    memcpy(r->link, item->link, LINK_BYTES);
    r->position = r->last_event = item->pos;
    if (r->received < item->pos)
        r->received = item->pos;
    if (r->head < item->pos)
        r->head = item->pos;
    r->delivering = true;
    if (r->listener.event)
        r->listener.event(r->owner, item->pos, item->body, item->priv, item->link);
    r->delivering = false;
}

static void deliver_live(struct reader *r, uint64_t pos, struct bytes body, struct bytes priv)
{
    struct reader_item item = {.pos = pos, .body = body, .priv = priv};

    if (reader_link_is_said(r->link))
        link_next(r->link, body, item.link);
    deliver(r, &item);
}

/* The head's link, where one stands at it and knows one's own. */
static bool head_is_ours(const struct reader *r, const struct verb_head *h)
{
    return !r->whole || r->position != (uint64_t)h->head || !reader_link_is_said(r->link) || !reader_link_is_said(h->link) ||
           memcmp(h->link, r->link, LINK_BYTES) == 0;
}

void reader_tell_head(struct reader *r)
{
    struct verb_head h = r->pending;

    if (!r->head_pending || r->paused || r->phase == PHASE_FAILED || (r->position < (uint64_t)h.head && (!r->head_reached || r->kept)))
        return;
    r->head_pending = false;
    if (!head_is_ours(r, &h))
        reader_fail(r, "link", "what live told is not what the journal's head is linked to");
    else if (r->listener.head)
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
            deliver_live(r, pos, body, priv);
        backlog_pop(&r->backlog);
    }
}

static void batch_end(struct reader *r, const struct reader_batch *b)
{
    struct reader_debt debt = {.last_event = r->last_event, .upto = b->upto, .cost = b->cost};

    r->position = b->upto;
    if (r->head < b->upto)
        r->head = b->upto;
    memcpy(r->link, b->link, LINK_BYTES);
    if (debt.last_event <= r->applied) {
        r->credit_bytes += debt.cost;
    } else {
        reader_debts_add(&r->debts, &debt);
        r->debt_bytes += debt.cost;
    }
}

/* True: all of it is delivered. False: paused. */
static bool batch_deliver(struct reader *r, struct reader_batch *b)
{
    while (b->left > 0 && !r->paused) {
        b->left--;
        deliver(r, b->items++);
    }
    if (b->left == 0)
        batch_end(r, b);
    return b->left == 0;
}

/* At the head, with everything delivered. */
static void handover(struct reader *r)
{
    r->caught_up = false;
    r->phase = r->config.live ? PHASE_LIVE : r->config.open.follow ? PHASE_FOLLOW : PHASE_DONE;
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
    } else {
        batch_hold(r, b);
    }
}

bool reader_note_head(struct reader *r, const struct verb_head *h, bool reached)
{
    if (h->epoch < r->epoch)
        return false;
    r->epoch = h->epoch;
    if ((uint64_t)h->head > r->head)
        r->head = (uint64_t)h->head;
    r->pending = *h;
    r->head_pending = true;
    r->head_reached = reached;
    return true;
}

bool reader_take_live(struct reader *r, struct bytes body, struct bytes priv)
{
    uint64_t pos;

    if (!reader_pos_of(body, priv, &pos))
        return false;
    if (pos <= r->position)
        return true;
    if (r->head < pos)
        r->head = pos;
    r->hole_us = 0;
    if (r->phase == PHASE_LIVE && !r->paused && pos == r->position + 1 && backlog_is_empty(&r->backlog)) {
        deliver_live(r, pos, body, priv);
    } else {
        backlog_push(&r->backlog, pos, body, priv);
        backlog_drain(r);
    }
    reader_tell_head(r);
    return true;
}
