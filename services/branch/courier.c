#include "courier.h"
#include "base/instant.h"
#include "base/log.h"
#include "base/text.h"
#include "bus/pieces.h"
#include <stdlib.h>
#include <string.h>

#define LATER_US (2 * SECOND_US)          /* intake has no room now, or no database */
#define HELD_US (10 * MINUTE_US)          /* it does not take this one: its fact may have been refused, and be put right */
#define LOOK_US (30 * SECOND_US)
/* A line that is dead or too narrow for the piece is given up before, by the facts' heartbeat: who is silent for so long with the
 * connection standing has lost the question. */
#define UNANSWERED_US (90 * SECOND_US)

struct courier {
    struct drawer *drawer;
    struct drawer_file file;
    bool busy;    /* with `file` */
    bool known;   /* upto is what intake says */
    bool waiting; /* for an answer */
    bool heard;   /* `have` has come and is not dealt with */
    bool ready;   /* `map` is to go out */
    bool free;    /* it may speak */
    struct pieces pieces;
    int64_t said_upto; /* the last thing said was a piece from there on; −1: a question */
    int64_t upto, said_us, next_us;
    int64_t waiting_n; /* as the drawer had them last */
    struct verb_have have;
    struct buf map, bytes;
};

struct courier *courier_new(struct drawer *drawer)
{
    struct courier *c = memory_new(sizeof(*c));
    c->drawer = drawer;
    c->pieces = pieces_start();
    return c;
}

void courier_destroy(struct courier **self)
{
    struct courier *c = *self;
    if (c == NULL)
        return;
    buf_release(&c->map);
    buf_release(&c->bytes);
    free(c);
    *self = NULL;
}

static void answered(struct courier *c, int64_t took_us)
{
    if (c->said_upto < 0)
        pieces_asked(&c->pieces, took_us);
    else
        pieces_sent(&c->pieces, c->bytes.len, took_us);
}

static void away(struct courier *c)
{
    c->busy = c->known = c->waiting = c->ready = c->heard = false;
}

void courier_lost(struct courier *c)
{
    if (c->waiting && !c->ready && c->said_upto >= 0)
        pieces_broken(&c->pieces, c->bytes.len);
    away(c);
}

void courier_in(struct courier *c, const struct frame *frame, int64_t boot_us)
{
    struct problem problem;
    struct verb_have have;
    if (!text_equal(frame->verb, "HAVE") || !c->busy || !c->waiting || c->ready ||
        !record_decode(&verb_have_record, RECORD_WHOLE, DECODE_LENIENT, frame->map, NULL, &have, &problem) ||
        memcmp(have.sha256, c->file.sha256, DIGEST_BYTES) != 0)
        return;
    answered(c, boot_us - c->said_us);
    c->have = have;
    c->heard = true;
    c->waiting = false;
}

bool courier_tick(struct courier *c, int64_t boot_us)
{
    if (!c->waiting || c->ready || boot_us - c->said_us <= UNANSWERED_US)
        return false;
    courier_lost(c);
    return true;
}

/* --- what intake says ------------------------------------------------------------------------------ */

static void done_with(struct courier *c)
{
    away(c);
    c->next_us = 0;
}

static enum status refused(struct courier *c, int64_t boot_us)
{
    const char *code = c->have.code;
    enum status status;
    if (text_equal(code, "busy") || text_equal(code, "database")) {
        away(c);
        c->next_us = boot_us + LATER_US;
        return STATUS_OK;
    }
    if (text_equal(code, "erased")) {
        log_info("a file's customer was erased: it is not sent");
        status = drawer_drop(c->drawer, c->file.sha256);
    } else {
        log_warn("the centre does not take a file: %s %s", code, c->have.why);
        status = drawer_hold(c->drawer, c->file.sha256, boot_us + HELD_US, code);
    }
    if (status == STATUS_OK)
        done_with(c);
    return status;
}

static enum status have_take(struct courier *c, int64_t boot_us, int64_t wall_us)
{
    enum status status = STATUS_OK;
    bool gone = c->have.whole || text_equal(c->have.code, "erased");
    if (gone && !c->free) {
        /* A fact that waits may name it for another ticket: asked again behind that, intake says there as well that it has it, or wants it
         * although the first one's customer was erased. */
        gone = false;
        done_with(c);
    } else if (c->have.code[0] != '\0') {
        status = refused(c, boot_us);
    } else if (c->have.whole) {
        status = drawer_sent(c->drawer, c->file.sha256, wall_us);
        if (status == STATUS_OK)
            done_with(c);
    } else if (c->said_upto >= 0 && c->have.upto <= c->said_upto) { /* it has not taken the piece, and does not say why */
        away(c);
        c->next_us = boot_us + LATER_US;
    } else {
        c->upto = c->have.upto;
        c->known = true;
    }
    if (status == STATUS_OK)
        status = drawer_commit(c->drawer);
    else
        drawer_rollback(c->drawer);
    if (status == STATUS_OK && gone)
        status = drawer_sweep(c->drawer);
    c->heard = status != STATUS_OK;
    return status;
}

/* --- what is said ---------------------------------------------------------------------------------- */

static void say(struct courier *c, int64_t offset, struct bytes bytes, int64_t boot_us)
{
    struct verb_put put = {.offset = offset, .bytes = bytes};
    memcpy(put.sha256, c->file.sha256, DIGEST_BYTES);
    buf_reset(&c->map);
    record_encode(&verb_put_record, RECORD_WHOLE, &put, &c->map);
    c->ready = c->waiting = true;
    c->said_upto = bytes.len > 0 ? offset : -1;
    c->said_us = boot_us;
}

static enum status begin(struct courier *c, int64_t boot_us)
{
    enum status status = drawer_next(c->drawer, boot_us, &c->file);
    c->busy = status == STATUS_OK;
    if (c->busy)
        say(c, 0, bytes_of(NULL, 0), boot_us);
    else
        c->next_us = boot_us + LOOK_US;
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

/* Intake has as much as there is here, and does not say that it is whole; or it was taken out. Asked once more, later. */
static enum status put_off(struct courier *c, int64_t boot_us)
{
    done_with(c);
    enum status status = drawer_hold(c->drawer, c->file.sha256, boot_us + HELD_US, "not-whole"); /* a code: not for ever */
    if (status == STATUS_OK)
        return drawer_commit(c->drawer);
    drawer_rollback(c->drawer);
    return status;
}

static enum status go_on(struct courier *c, int64_t boot_us)
{
    size_t n = c->pieces.bytes;
    enum status status = STATUS_OK;
    buf_reset(&c->bytes);
    /* What lies here in other pieces is put together: a short one would be refused. */
    while (c->bytes.len < n && status == STATUS_OK)
        status = drawer_read(c->drawer, c->file.sha256, c->upto + (int64_t)c->bytes.len, n - c->bytes.len, &c->bytes);
    if (status == STATUS_ABSENT)
        status = STATUS_OK;
    if (status != STATUS_OK)
        return status;
    if (c->bytes.len == 0)
        return put_off(c, boot_us);
    say(c, c->upto, buf_bytes(&c->bytes), boot_us);
    return STATUS_OK;
}

enum status courier_work(struct courier *c, bool free, int64_t boot_us, int64_t wall_us)
{
    enum status status = STATUS_OK;
    c->free = free;
    if (drawer_waiting(c->drawer) > c->waiting_n)
        c->next_us = 0;
    c->waiting_n = drawer_waiting(c->drawer);
    if (c->heard)
        status = have_take(c, boot_us, wall_us);
    if (status == STATUS_OK && free && !c->busy && drawer_waiting(c->drawer) > 0 && boot_us >= c->next_us)
        status = begin(c, boot_us);
    if (status == STATUS_OK && free && c->busy && c->known && !c->waiting)
        status = go_on(c, boot_us);
    if (status == STATUS_OK || status == STATUS_DOUBT)
        return status;
    c->next_us = boot_us + LATER_US;
    return STATUS_FULL;
}

bool courier_out(struct courier *c, struct frame *frame)
{
    if (!c->ready)
        return false;
    c->ready = false;
    text_format(frame->verb, sizeof(frame->verb), "%s", "PUT");
    frame->map = buf_bytes(&c->map);
    return true;
}

int64_t courier_deadline_us(const struct courier *c)
{
    if (c->waiting)
        return c->said_us + UNANSWERED_US;
    return c->free && drawer_waiting(c->drawer) > 0 && !c->busy ? c->next_us : INT64_MAX;
}

int64_t courier_upto(const struct courier *c, const uint8_t sha256[DIGEST_BYTES])
{
    return c->busy && c->known && memcmp(c->file.sha256, sha256, DIGEST_BYTES) == 0 ? c->upto : -1;
}
