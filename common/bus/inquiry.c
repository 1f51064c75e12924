#include "bus/inquiry.h"

#include "base/text.h"
#include "record/pack.h"

#include <stdlib.h>
#include <string.h>

#define SILENCE_US (10 * SECOND_US)

struct inquiry {
    struct verb_ask ask; /* its args are in `args` */
    struct buf args, out;
    struct arena *arena; /* the page's */
    struct verb_answer page;
    struct verb_error refusal;
    bool up, due, over; /* connected; ASK is to be said */
    int64_t said_us;
};

struct inquiry *inquiry_new(void)
{
    struct inquiry *q = memory_new(sizeof *q);

    q->over = true;
    q->arena = arena_new(16384);
    return q;
}

void inquiry_destroy(struct inquiry **q_p)
{
    struct inquiry *q = *q_p;

    if (!q)
        return;
    buf_release(&q->args);
    buf_release(&q->out);
    arena_destroy(&q->arena);
    free(q);
    *q_p = NULL;
}

void inquiry_ask(struct inquiry *q, const struct verb_ask *ask)
{
    int64_t id = q->ask.id;

    buf_reset(&q->args);
    buf_append(&q->args, ask->args.data, ask->args.len);
    q->ask = *ask;
    q->ask.id = id;
    q->ask.args = buf_bytes(&q->args);
    q->ask.after[0] = q->refusal.code[0] = '\0';
    q->page.rows.n = 0;
    q->over = false;
    q->due = true;
}

bool inquiry_is_over(const struct inquiry *q)
{
    return q->over;
}

const struct verb_answer *inquiry_page(const struct inquiry *q)
{
    return &q->page;
}

const struct verb_error *inquiry_refusal(const struct inquiry *q)
{
    return &q->refusal;
}

void inquiry_connected(struct inquiry *q, int64_t now_us)
{
    (void)now_us;
    q->up = true;
    q->due = !q->over;
}

void inquiry_disconnected(struct inquiry *q)
{
    q->up = false;
}

bool inquiry_out(struct inquiry *q, int64_t now_us, struct frame *frame)
{
    if (!q->up || !q->due)
        return false;
    q->due = false;
    q->page.rows.n = 0;
    q->refusal.code[0] = '\0';
    q->said_us = now_us;
    q->ask.id++; /* another one with each ASK: the answer to one that was given up is nobody's */
    buf_reset(&q->out);
    record_encode(&verb_ask_record, RECORD_WHOLE, &q->ask, &q->out);
    text_format(frame->verb, sizeof frame->verb, "ASK");
    frame->map = buf_bytes(&q->out);
    return true;
}

static bool map_read(struct inquiry *q, const struct record *record, const struct frame *frame, void *out)
{
    struct problem problem;

    return skim(frame->map, &problem) && record_decode(record, RECORD_WHOLE, DECODE_LENIENT, frame->map, q->arena, out, &problem);
}

static bool on_answer(struct inquiry *q, const struct frame *frame)
{
    struct verb_answer page;

    if (!map_read(q, &verb_answer_record, frame, &page))
        return false;
    if (page.id != q->ask.id)
        return true;
    q->page = page;
    memcpy(q->ask.after, page.after, sizeof q->ask.after);
    q->due = page.more;
    q->over = !page.more;
    return true;
}

/* Q3 or Q4. */
static bool on_error(struct inquiry *q, const struct frame *frame)
{
    static const char *const passing[] = {"nobody", "timeout", "behind", "busy", "database", "unavailable"};
    struct verb_error error;

    if (!map_read(q, &verb_error_record, frame, &error))
        return false;
    if (error.id != q->ask.id && error.id != 0) /* 0: of what could not be read, or of this connection */
        return true;
    q->refusal = error;
    for (size_t i = 0; i < COUNT_OF(passing); i++)
        if (text_equal(error.code, passing[i]))
            return false;
    q->over = true;
    return true;
}

bool inquiry_in(struct inquiry *q, const struct frame *frame, int64_t now_us)
{
    (void)now_us;
    arena_reset(q->arena);
    q->page.rows.n = 0;
    if (text_equal(frame->verb, "MOVED")) /* this feed stands by for another one */
        return false;
    if (q->over || q->due)
        return true;
    if (text_equal(frame->verb, "ANSWER"))
        return on_answer(q, frame);
    return !text_equal(frame->verb, "ERROR") || on_error(q, frame);
}

int64_t inquiry_deadline_us(const struct inquiry *q)
{
    return q->up && !q->over && !q->due ? q->said_us + SILENCE_US : INT64_MAX;
}

bool inquiry_tick(struct inquiry *q, int64_t now_us)
{
    return now_us >= inquiry_deadline_us(q);
}
