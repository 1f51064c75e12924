#include "bus/backlog.h"

#include <assert.h>
#include <string.h>

struct entry {
    uint64_t pos;
    uint32_t body_len, priv_len;
};

static struct entry entry_at(const struct backlog *b)
{
    struct entry e;

    assert(!backlog_is_empty(b));
    memcpy(&e, b->bytes.data + b->at, sizeof e);
    return e;
}

void backlog_release(struct backlog *b)
{
    buf_release(&b->bytes);
    b->at = 0;
}

static void backlog_reset(struct backlog *b)
{
    buf_reset(&b->bytes);
    b->at = 0;
}

bool backlog_is_empty(const struct backlog *b)
{
    return b->at == b->bytes.len;
}

void backlog_pop(struct backlog *b)
{
    struct entry e = entry_at(b);

    b->at += sizeof e + e.body_len + e.priv_len;
    if (backlog_is_empty(b))
        backlog_reset(b);
}

void backlog_push(struct backlog *b, uint64_t pos, struct bytes body, struct bytes priv)
{
    struct entry e = {.pos = pos, .body_len = (uint32_t)body.len, .priv_len = (uint32_t)priv.len};
    size_t need = sizeof e + body.len + priv.len;

    while (!backlog_is_empty(b) && b->bytes.len - b->at + need > b->bytes_max)
        backlog_pop(b);
    if (need > b->bytes_max)
        return;
    /* Moves what is kept only when at least as much in front of it is free: each byte moves once at most. */
    if (b->at > 0 && b->at >= b->bytes.len - b->at && b->bytes.len + need > b->bytes.cap) {
        memmove(b->bytes.data, b->bytes.data + b->at, b->bytes.len - b->at);
        b->bytes.len -= b->at;
        b->at = 0;
    }
    buf_append(&b->bytes, &e, sizeof e);
    if (body.len > 0)
        buf_append(&b->bytes, body.data, body.len);
    if (priv.len > 0)
        buf_append(&b->bytes, priv.data, priv.len);
}

bool backlog_peek(const struct backlog *b, uint64_t *pos, struct bytes *body, struct bytes *priv)
{
    struct entry e;
    const uint8_t *data;

    if (backlog_is_empty(b))
        return false;
    e = entry_at(b);
    data = b->bytes.data + b->at + sizeof e;
    *pos = e.pos;
    *body = bytes_of(data, e.body_len);
    *priv = bytes_of(data + e.body_len, e.priv_len);
    return true;
}
