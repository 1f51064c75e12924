#include "unit/common/bus/wire.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

struct wire_frame {
    struct wire_frame *next;
    char verb[24];
    size_t len;
    uint8_t map[];
};

static struct wire_frame *lent; /* what wire_pop gave out last */

void wire_push(struct wire *w, const char *verb, struct bytes map)
{
    struct wire_frame *f = memory_new(sizeof *f + map.len);

    text_format(f->verb, sizeof f->verb, "%s", verb);
    f->len = map.len;
    memcpy(f->map, map.data, map.len);
    if (w->last)
        w->last->next = f;
    else
        w->first = f;
    w->last = f;
    w->n++;
}

void wire_push_record(struct wire *w, const char *verb, const struct record *record, const void *object)
{
    struct buf map = {0};

    record_encode(record, RECORD_WHOLE, object, &map);
    wire_push(w, verb, buf_bytes(&map));
    buf_release(&map);
}

static void wire_unlink(struct wire *w)
{
    w->first = w->first->next;
    if (!w->first)
        w->last = NULL;
    w->n--;
}

bool wire_pop(struct wire *w, struct frame *frame)
{
    free(lent);
    lent = w->first;
    if (!lent)
        return false;
    wire_unlink(w);
    text_format(frame->verb, sizeof frame->verb, "%s", lent->verb);
    frame->map = bytes_of(lent->map, lent->len);
    return true;
}

void wire_cut(struct wire *w)
{
    while (w->first) {
        struct wire_frame *f = w->first;
        wire_unlink(w);
        free(f);
    }
}

uint64_t dice_next(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

bool dice_once_in(uint64_t *state, uint64_t n)
{
    return dice_next(state) % n == 0;
}
