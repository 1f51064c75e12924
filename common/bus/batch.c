#include "bus/batch.h"

#include <stdlib.h>
#include <string.h>

static bool is_key(struct bytes key, const char *name)
{
    return bytes_equal(key, bytes_of_text(name));
}

static bool read_pos(struct unpack *in, uint64_t *out)
{
    struct pack_value value = unpack_next(in);

    if (value.type != PACK_INT || value.integer < 0)
        return false;
    *out = (uint64_t)value.integer;
    return true;
}

static bool read_link(struct unpack *in, uint8_t out[LINK_BYTES])
{
    struct pack_value value = unpack_next(in);

    if (value.type != PACK_BIN || value.bytes.len != LINK_BYTES)
        return false;
    memcpy(out, value.bytes.data, LINK_BYTES);
    return true;
}

static bool read_events(struct unpack *in, struct reader_batch *b)
{
    struct bytes list = unpack_raw(in);
    struct pack_value head;

    b->events = unpack_of(list);
    head = unpack_next(&b->events);
    b->left = head.n;
    return head.type == PACK_ARRAY;
}

bool reader_batch_read(const struct frame *frame, struct reader_batch *b)
{
    struct unpack in = unpack_of(frame->map);
    struct pack_value map = unpack_next(&in);

    memset(b, 0, sizeof *b);
    b->cost = frame->map.len;
    for (uint32_t i = 0; map.type == PACK_MAP && i < map.n; i++) {
        struct bytes key = unpack_next(&in).bytes;
        bool good = true;
        if (is_key(key, "after"))
            good = read_pos(&in, &b->after);
        else if (is_key(key, "upto"))
            good = read_pos(&in, &b->upto);
        else if (is_key(key, "link"))
            good = read_link(&in, b->link);
        else if (is_key(key, "events"))
            good = read_events(&in, b);
        else
            (void)unpack_raw(&in);
        if (!good)
            return false;
    }
    return map.type == PACK_MAP && b->upto >= b->after;
}

static struct bytes moved(struct bytes bytes, const uint8_t *from, const uint8_t *to)
{
    return bytes.len > 0 ? bytes_of(to + (bytes.data - from), bytes.len) : bytes;
}

static const uint8_t *item_end(const struct reader_item *item)
{
    return item->priv.len > 0 ? item->priv.data + item->priv.len : item->body.data + item->body.len;
}

struct reader_batch *reader_batch_keep(const struct reader_batch *b)
{
    const uint8_t *from = b->left > 0 ? b->items[0].body.data : NULL;
    size_t n = b->left > 0 ? (size_t)(item_end(&b->items[b->left - 1]) - from) : 0, items = b->left * sizeof b->items[0];
    struct reader_batch *kept = memory_new(sizeof *kept + items + n); /* one block: the batch, its items, their bytes */
    uint8_t *to = (uint8_t *)(kept + 1) + items;

    *kept = *b;
    kept->next = NULL;
    kept->items = (struct reader_item *)(void *)(kept + 1);
    if (b->left == 0)
        return kept;
    memcpy(to, from, n);
    for (size_t i = 0; i < b->left; i++) {
        kept->items[i] = b->items[i];
        kept->items[i].body = moved(b->items[i].body, from, to);
        kept->items[i].priv = moved(b->items[i].priv, from, to);
    }
    return kept;
}

void reader_debts_release(struct reader_debts *d)
{
    free(d->items);
    memset(d, 0, sizeof *d);
}

void reader_debts_add(struct reader_debts *d, const struct reader_debt *debt)
{
    if (d->n == d->cap && d->at > 0 && d->at >= d->n / 2) {
        memmove(d->items, d->items + d->at, (d->n - d->at) * sizeof d->items[0]);
        d->n -= d->at;
        d->at = 0;
    } else if (d->n == d->cap) {
        d->cap = d->cap ? d->cap * 2 : 16;
        d->items = memory_grow(d->items, d->cap * sizeof d->items[0]);
    }
    d->items[d->n++] = *debt;
}

bool reader_debts_settle(struct reader_debts *d, uint64_t applied, struct reader_debt *out)
{
    if (d->at == d->n || d->items[d->at].last_event > applied)
        return false;
    *out = d->items[d->at++];
    if (d->at == d->n)
        d->at = d->n = 0;
    return true;
}
