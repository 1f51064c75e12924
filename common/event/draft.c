#include "event/event.h"

#include "record/pack.h"

static bool is_text(const char *text)
{
    return text && text[0] != '\0';
}

static void put_text(struct buf *out, const char *key, const char *text)
{
    if (!is_text(text))
        return;
    pack_text(out, key);
    pack_text(out, text);
}

void draft_encode(const struct draft *d, struct buf *out)
{
    uint32_t pairs = 3; /* type, v, data */

    pairs += (is_text(d->key) ? 1u : 0u) + (d->at_us != 0 ? 1u : 0u) + (is_text(d->by) ? 1u : 0u);
    pairs += (d->cause != 0 ? 1u : 0u) + (is_text(d->id) ? 1u : 0u) + (d->priv.len > 0 ? 1u : 0u);
    pack_map(out, pairs);
    pack_text(out, "type");
    pack_text(out, d->type);
    pack_text(out, "v");
    pack_uint(out, d->v);
    put_text(out, "key", d->key);
    if (d->at_us != 0) {
        pack_text(out, "at");
        pack_time(out, d->at_us);
    }
    put_text(out, "by", d->by);
    if (d->cause != 0) {
        pack_text(out, "cause");
        pack_uint(out, d->cause);
    }
    put_text(out, "id", d->id);
    pack_text(out, "data");
    if (d->data.len > 0)
        pack_raw(out, d->data);
    else
        pack_map(out, 0);
    if (d->priv.len > 0) {
        pack_text(out, "priv");
        pack_raw(out, d->priv);
    }
}
