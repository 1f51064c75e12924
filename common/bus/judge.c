/* Whether a BATCH is what it has to be where the reader stands: proto/README.md F3 to F6, F14, F15. */
#include "bus/delivery.h"

#include <stdlib.h>
#include <string.h>

/* What a body says that is looked at. */
struct said {
    uint64_t pos;
    int64_t v;
    struct bytes type, pd;
};

/* Compared where it stands: this is done for each field of each event. */
#define IS(name, word) ((name).len == sizeof(word) - 1 && memcmp((name).data, word, sizeof(word) - 1) == 0)

static void said_take(struct said *out, struct bytes name, const struct pack_value *value)
{
    if (IS(name, "pos") && value->type == PACK_INT && value->integer > 0)
        out->pos = (uint64_t)value->integer;
    else if (IS(name, "v") && value->type == PACK_INT)
        out->v = value->integer;
    else if (IS(name, "type") && value->type == PACK_STR)
        out->type = value->bytes;
    else if (IS(name, "pd") && value->type == PACK_BIN)
        out->pd = value->bytes;
}

/* False: it cannot be one. all: more than its position, which stands first. */
static bool body_read(struct bytes body, bool all, struct said *out)
{
    struct problem problem;
    struct unpack in = unpack_of(body);
    struct pack_value map;

    *out = (struct said){0};
    if (!skim(body, &problem))
        return false;
    map = unpack_next(&in);
    for (uint32_t i = 0; map.type == PACK_MAP && i < map.n && (all || out->pos == 0); i++) {
        struct bytes name = unpack_next(&in).bytes;
        struct unpack here = in;
        struct pack_value value = unpack_next(&in);
        if (value.type == PACK_MAP || value.type == PACK_ARRAY) {
            in = here;
            (void)unpack_raw(&in);
        } else {
            said_take(out, name, &value);
        }
    }
    return out->pos > 0;
}

static bool priv_is_clean(struct bytes priv)
{
    struct problem problem;

    return priv.len == 0 || skim(priv, &problem);
}

bool reader_pos_of(struct bytes body, struct bytes priv, uint64_t *pos)
{
    struct said said;

    if (!body_read(body, false, &said) || !priv_is_clean(priv))
        return false;
    *pos = said.pos;
    return true;
}

/* F15: the personal part is the one that was recorded. */
static bool priv_is_recorded(struct bytes priv, struct bytes pd)
{
    uint8_t digest[DIGEST_BYTES];

    digest_of(priv, digest);
    return bytes_equal(pd, bytes_of(digest, sizeof digest));
}

/* F14: "TYPE/V" is the newest version of a type that the owner needs. */
static bool is_understood(const char *const *needs, const struct said *said)
{
    for (; needs && *needs && said->type.len > 0; needs++)
        if (strncmp(*needs, (const char *)said->type.data, said->type.len) == 0 && (*needs)[said->type.len] == '/')
            return said->v <= strtoll(*needs + said->type.len + 1, NULL, 10);
    return true;
}

static struct reader_item *item_at(struct reader *r, size_t i)
{
    if (i == r->items_cap) {
        r->items_cap = r->items_cap ? r->items_cap * 2 : 256;
        r->items = memory_grow(r->items, r->items_cap * sizeof r->items[0]);
    }
    return &r->items[i];
}

/* One [body, priv] behind position `before`. */
static const char *item_judge(const struct reader *r, struct bytes raw, uint64_t before, uint64_t upto, struct reader_item *item)
{
    struct said said;

    if (!delivery_decode(raw, &item->body, &item->priv) ||
        !body_read(item->body, item->priv.len > 0 || r->config.needs != NULL, &said) || !priv_is_clean(item->priv))
        return "corrupt";
    item->pos = said.pos;
    if (r->whole ? said.pos != before + 1 : said.pos <= before || said.pos > upto)
        return "hole";
    if (item->priv.len > 0 && !priv_is_recorded(item->priv, said.pd))
        return "priv";
    return is_understood(r->config.needs, &said) ? NULL : "version";
}

const char *reader_judge(struct reader *r, struct reader_batch *b)
{
    bool linked = r->whole && reader_link_is_said(r->received_link);
    const uint8_t *link = r->received_link;
    uint64_t pos = r->received;

    if (b->after != pos)
        return "hole";
    for (size_t i = 0; i < b->left; i++) {
        struct reader_item *item = item_at(r, i);
        const char *wrong = item_judge(r, unpack_raw(&b->events), pos, b->upto, item);
        if (wrong != NULL)
            return wrong;
        pos = item->pos;
        memset(item->link, 0, LINK_BYTES);
        if (linked)
            link_next(i > 0 ? r->items[i - 1].link : link, item->body, item->link);
    }
    b->items = r->items;
    if (r->whole && pos != b->upto)
        return "hole";
    if (linked && memcmp(b->left > 0 ? b->items[b->left - 1].link : link, b->link, LINK_BYTES) != 0)
        return "link";
    return NULL;
}
