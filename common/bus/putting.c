#include "bus/putting.h"

#include "base/digest.h"
#include "base/text.h"
#include "bus/pieces.h"

#include <stdlib.h>
#include <string.h>

/* A line that is dead or too narrow for the piece is given up before, by the source's PING: who is silent for so long and there has lost
 * what was said. */
#define UNANSWERED_US (90 * SECOND_US)
#define LATER_US (SECOND_US / 2)

struct putting {
    uint8_t sha256[DIGEST_BYTES];
    int64_t bytes, upto;
    putting_read *read;
    void *owner;
    struct pieces pieces;
    struct verb_error refusal;
    struct buf piece, out;
    bool up, waiting, over;
    bool ask;    /* what is said next: how far is it? */
    bool later;
    int64_t said_us, due_us;
};

struct putting *putting_new(const uint8_t sha256[32], int64_t bytes, putting_read *read, void *owner)
{
    struct putting *p = memory_new(sizeof *p);

    *p = (struct putting){.bytes = bytes, .read = read, .owner = owner, .pieces = pieces_start()};
    memcpy(p->sha256, sha256, sizeof p->sha256);
    return p;
}

void putting_destroy(struct putting **p_p)
{
    struct putting *p = *p_p;

    if (!p)
        return;
    buf_release(&p->piece);
    buf_release(&p->out);
    free(p);
    *p_p = NULL;
}

int64_t putting_upto(const struct putting *p)
{
    return p->upto;
}

bool putting_is_over(const struct putting *p)
{
    return p->over;
}

const struct verb_error *putting_refusal(const struct putting *p)
{
    return &p->refusal;
}

bool putting_is_later(const struct putting *p)
{
    return p->later;
}

void putting_disconnected(struct putting *p)
{
    if (p->waiting && p->piece.len > 0)
        pieces_broken(&p->pieces, p->piece.len);
    p->up = p->waiting = false;
}

void putting_connected(struct putting *p, int64_t now_us)
{
    (void)now_us;
    putting_disconnected(p);
    p->up = p->ask = true;
}

bool putting_out(struct putting *p, int64_t now_us, struct frame *frame)
{
    struct verb_put put = {.offset = p->ask ? 0 : p->upto};

    if (!p->up || p->waiting || p->over || now_us < p->due_us)
        return false;
    buf_reset(&p->piece);
    if (!p->ask && !p->read(p->owner, p->upto, p->pieces.bytes, &p->piece)) {
        p->over = true;
        return false;
    }
    memcpy(put.sha256, p->sha256, sizeof put.sha256);
    put.bytes = buf_bytes(&p->piece);
    buf_reset(&p->out);
    record_encode(&verb_put_record, RECORD_WHOLE, &put, &p->out);
    text_format(frame->verb, sizeof frame->verb, "PUT");
    frame->map = buf_bytes(&p->out);
    p->waiting = true;
    p->said_us = now_us;
    return true;
}

static void refuse(struct putting *p, const char *code, const char *why)
{
    (void)text_copy(p->refusal.code, sizeof p->refusal.code, code);
    (void)text_copy(p->refusal.why, sizeof p->refusal.why, why);
    p->over = true;
}

static void have_take(struct putting *p, const struct verb_have *have, int64_t now_us)
{
    bool still = p->piece.len > 0 && have->code[0] == '\0' && have->upto <= p->upto; /* it has not taken the piece, and does not say why */

    p->ask = text_equal(have->code, "busy") || text_equal(have->code, "database");
    p->later = !have->whole && (p->ask || still);
    p->due_us = p->later ? now_us + LATER_US : 0;
    if (have->whole) {
        p->upto = p->bytes;
        p->over = true;
    } else if (p->ask) {
        (void)text_copy(p->refusal.why, sizeof p->refusal.why, have->why);
    } else if (have->code[0] != '\0') {
        refuse(p, have->code, have->why);
    } else if (have->upto < 0 || have->upto >= p->bytes) {
        refuse(p, "sha256", "all of it was sent, and it is another content");
    } else {
        p->upto = have->upto;
    }
}

bool putting_in(struct putting *p, const struct frame *frame, int64_t now_us)
{
    struct verb_have have;
    struct problem problem;

    if (!p->waiting || !text_equal(frame->verb, "HAVE") ||
        !record_decode(&verb_have_record, RECORD_WHOLE, DECODE_LENIENT, frame->map, NULL, &have, &problem) ||
        memcmp(have.sha256, p->sha256, sizeof have.sha256) != 0)
        return false;
    p->waiting = false;
    if (p->piece.len > 0)
        pieces_sent(&p->pieces, p->piece.len, now_us - p->said_us);
    else
        pieces_asked(&p->pieces, now_us - p->said_us);
    have_take(p, &have, now_us);
    return true;
}

int64_t putting_deadline_us(const struct putting *p)
{
    if (!p->up || p->over)
        return INT64_MAX;
    return p->waiting ? p->said_us + UNANSWERED_US : p->due_us;
}

bool putting_tick(struct putting *p, int64_t now_us)
{
    return p->waiting && now_us >= putting_deadline_us(p);
}

void putting_source(const char *principal, const char *ticket, const char *name, const char *media, const uint8_t sha256[32],
                    char out[EVENT_SOURCE_CAP])
{
    struct buf all = {0};
    uint8_t digest[DIGEST_BYTES];
    char hex[2 * 16 + 1];

    buf_append_format(&all, "file\n%s\n%s\n%s\n", ticket, name, media);
    buf_append(&all, sha256, DIGEST_BYTES);
    digest_of(buf_bytes(&all), digest);
    buf_release(&all);
    hex_print(digest, 16, hex);
    /* Behind a long name less of it, and alike whoever makes it. */
    text_format(out, EVENT_SOURCE_CAP, "%s/%.*s", principal, (int)(EVENT_SOURCE_CAP - 2 - strlen(principal)), hex);
}

void putting_incarnation(const char *source, uint8_t out[INCARNATION_BYTES])
{
    uint8_t digest[DIGEST_BYTES];

    digest_of(bytes_of_text(source), digest);
    memcpy(out, digest, INCARNATION_BYTES);
}
