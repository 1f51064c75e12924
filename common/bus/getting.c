#include "bus/getting.h"

#include "base/text.h"
#include "bus/pieces.h"

#include <stdlib.h>
#include <string.h>

#define SILENCE_US (5 * SECOND_US)
#define SILENCE_MOST_US (40 * SECOND_US) /* the smallest piece takes so long on a line of less than 1 kbit/s */
#define LATER_US (SECOND_US / 2)

struct getting {
    struct verb_get get;
    getting_piece *piece;
    void *owner;
    struct pieces pieces;
    struct verb_error refusal;
    struct buf out;
    bool up, asked, over, later, denied;
    int64_t asked_us, later_us, silence_us;
};

struct getting *getting_new(const uint8_t sha256[32], int64_t have, getting_piece *piece, void *owner)
{
    struct getting *g = memory_new(sizeof *g);

    *g = (struct getting){.get.offset = have, .piece = piece, .owner = owner, .pieces = pieces_start(), .silence_us = SILENCE_US};
    memcpy(g->get.sha256, sha256, sizeof g->get.sha256);
    return g;
}

void getting_destroy(struct getting **g_p)
{
    struct getting *g = *g_p;

    if (!g)
        return;
    buf_release(&g->out);
    free(g);
    *g_p = NULL;
}

int64_t getting_have(const struct getting *g)
{
    return g->get.offset;
}

bool getting_is_over(const struct getting *g)
{
    return g->over;
}

const struct verb_error *getting_refusal(const struct getting *g)
{
    return &g->refusal;
}

bool getting_is_denied(const struct getting *g)
{
    return g->denied;
}

bool getting_is_later(const struct getting *g)
{
    return g->later;
}

/* No receipt of another connection (P6). */
void getting_connected(struct getting *g, int64_t now_us)
{
    (void)now_us;
    memset(g->get.receipt, 0, sizeof g->get.receipt);
    g->up = true;
}

void getting_disconnected(struct getting *g)
{
    if (g->asked)
        pieces_broken(&g->pieces, (size_t)g->get.bytes);
    g->up = g->asked = false;
}

bool getting_out(struct getting *g, int64_t now_us, struct frame *frame)
{
    if (!g->up || g->asked || g->over || now_us < g->later_us)
        return false;
    g->get.bytes = (int64_t)g->pieces.bytes;
    buf_reset(&g->out);
    record_encode(&verb_get_record, RECORD_WHOLE, &g->get, &g->out);
    text_format(frame->verb, sizeof frame->verb, "GET");
    frame->map = buf_bytes(&g->out);
    g->asked = true;
    g->asked_us = now_us;
    return true;
}

static void refuse(struct getting *g, const char *code, const char *why)
{
    (void)text_copy(g->refusal.code, sizeof g->refusal.code, code);
    (void)text_copy(g->refusal.why, sizeof g->refusal.why, why);
    g->over = true;
}

static void on_part(struct getting *g, const struct frame *frame, int64_t now_us)
{
    struct verb_part part;
    struct problem problem;

    if (!g->asked || g->over || !record_decode(&verb_part_record, RECORD_WHOLE, DECODE_LENIENT, frame->map, NULL, &part, &problem) ||
        memcmp(part.sha256, g->get.sha256, sizeof part.sha256) != 0 || (part.code[0] == '\0' && part.offset != g->get.offset))
        return;
    g->asked = false;
    g->later = text_equal(part.code, "busy") || text_equal(part.code, "database");
    if (g->later) {
        g->later_us = now_us + LATER_US;
        (void)text_copy(g->refusal.why, sizeof g->refusal.why, part.why);
    } else if (part.code[0] != '\0') {
        refuse(g, part.code, part.why);
    } else {
        memcpy(g->get.receipt, part.receipt, sizeof g->get.receipt);
        pieces_came(&g->pieces, part.bytes.len, now_us - g->asked_us);
        g->over = part.bytes.len == 0 || !g->piece(g->owner, part.bytes);
        g->get.offset += g->over ? 0 : (int64_t)part.bytes.len;
    }
}

bool getting_in(struct getting *g, const struct frame *frame, int64_t now_us)
{
    struct verb_denied denied;
    struct problem problem;

    if (text_equal(frame->verb, "PART"))
        on_part(g, frame, now_us);
    else if (text_equal(frame->verb, "MOVED") || text_equal(frame->verb, "ERROR"))
        return false;
    else if (text_equal(frame->verb, "DENIED")) {
        if (!record_decode(&verb_denied_record, RECORD_WHOLE, DECODE_LENIENT, frame->map, NULL, &denied, &problem) || text_equal(denied.code, "full"))
            return false;
        refuse(g, denied.code, denied.why);
        g->denied = true;
    }
    return true;
}

int64_t getting_deadline_us(const struct getting *g)
{
    if (!g->up || g->over)
        return INT64_MAX;
    return g->asked ? g->asked_us + g->silence_us : g->later_us;
}

bool getting_tick(struct getting *g, int64_t now_us)
{
    if (!g->asked || now_us < getting_deadline_us(g))
        return false;
    g->silence_us = 2 * g->silence_us < SILENCE_MOST_US ? 2 * g->silence_us : SILENCE_MOST_US;
    return true;
}
