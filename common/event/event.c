#include "event/event.h"

#include "base/status.h"
#include "base/text.h"
#include "record/pack.h"

#include <assert.h>
#include <string.h>

enum key { POS, ID, TYPE, V, KEY, REGION, SITE, FROM, N, AT, REC, CUT, CAUSE, BY, DATA, PD, KEYS, UNKNOWN };

#define KEY_NAME(text) {text, sizeof(text) - 1}
static const struct {
    const char *text;
    size_t len;
} key_names[KEYS] = {
    [POS] = KEY_NAME("pos"),       [ID] = KEY_NAME("id"),     [TYPE] = KEY_NAME("type"),
    [V] = KEY_NAME("v"),           [KEY] = KEY_NAME("key"),   [REGION] = KEY_NAME("region"),
    [SITE] = KEY_NAME("site"),     [FROM] = KEY_NAME("from"), [N] = KEY_NAME("n"),
    [AT] = KEY_NAME("at"),         [REC] = KEY_NAME("rec"),   [CUT] = KEY_NAME("cut"),
    [CAUSE] = KEY_NAME("cause"),
    [BY] = KEY_NAME("by"),    [DATA] = KEY_NAME("data"), [PD] = KEY_NAME("pd"),
};
static const unsigned keys_required = 1u << POS | 1u << ID | 1u << TYPE | 1u << V | 1u << FROM | 1u << DATA;

static void put_text(struct buf *out, enum key key, const char *text)
{
    if (text[0] == '\0')
        return;
    pack_text_n(out, key_names[key].text, key_names[key].len);
    pack_text(out, text);
}

static void put_uint(struct buf *out, enum key key, uint64_t value)
{
    pack_text_n(out, key_names[key].text, key_names[key].len);
    pack_uint(out, value);
}

static void put_time(struct buf *out, enum key key, int64_t us)
{
    if (us == 0)
        return;
    pack_text_n(out, key_names[key].text, key_names[key].len);
    pack_time(out, us);
}

static uint32_t keys_count(const struct event *e)
{
    const char *const texts[] = {e->id, e->type, e->key, e->region, e->site, e->from, e->by};
    uint32_t n = 5; /* pos, v, n, cause, data */

    for (size_t i = 0; i < COUNT_OF(texts); i++)
        n += texts[i][0] != '\0' ? 1u : 0u;
    n += (e->at_us != 0 ? 1u : 0u) + (e->rec_us != 0 ? 1u : 0u);
    return n + (e->cut ? 1u : 0u) + (e->has_pd ? 1u : 0u);
}

void event_encode(const struct event *e, struct buf *out)
{
    pack_map(out, keys_count(e));
    put_uint(out, POS, e->pos);
    put_text(out, ID, e->id);
    put_text(out, TYPE, e->type);
    put_uint(out, V, e->v);
    put_text(out, KEY, e->key);
    put_text(out, REGION, e->region);
    put_text(out, SITE, e->site);
    put_text(out, FROM, e->from);
    put_uint(out, N, e->n);
    put_time(out, AT, e->at_us);
    put_time(out, REC, e->rec_us);
    if (e->cut) {
        pack_text_n(out, key_names[CUT].text, key_names[CUT].len);
        pack_bool(out, true);
    }
    put_uint(out, CAUSE, e->cause);
    put_text(out, BY, e->by);
    pack_text_n(out, key_names[DATA].text, key_names[DATA].len);
    if (e->data.len > 0)
        pack_raw(out, e->data);
    else
        pack_map(out, 0);
    if (e->has_pd) {
        pack_text_n(out, key_names[PD].text, key_names[PD].len);
        pack_bin(out, bytes_of(e->pd, sizeof e->pd));
    }
}

/* Bodies carry their keys in order, so that the next key is nearly always at or a few behind the
 * expected one. A key of another maker, or out of order, is found by going round once. */
static enum key key_next(struct unpack *in, enum key expected)
{
    struct pack_value name;

    for (unsigned i = (unsigned)expected; i < KEYS && i < (unsigned)expected + 4; i++) {
        size_t len = key_names[i].len;
        if ((size_t)(in->end - in->at) > len && in->at[0] == (0xa0 | len) &&
            memcmp(in->at + 1, key_names[i].text, len) == 0) {
            in->at += 1 + len;
            return (enum key)i;
        }
    }
    name = unpack_next(in);
    if (name.type != PACK_STR)
        return UNKNOWN;
    for (unsigned i = 0; i < KEYS; i++)
        if (name.bytes.len == key_names[i].len && memcmp(name.bytes.data, key_names[i].text, name.bytes.len) == 0)
            return (enum key)i;
    return UNKNOWN;
}

static bool read_text(struct pack_value value, enum key key, char *dst, size_t cap, struct problem *p)
{
    if (value.type != PACK_STR)
        return problem_set(p, "bad-type", key_names[key].text, "text");
    if (value.bytes.len >= cap)
        return problem_set(p, "too-long", key_names[key].text, "%zu", cap - 1);
    if (value.bytes.len > 0)
        memcpy(dst, value.bytes.data, value.bytes.len);
    dst[value.bytes.len] = '\0';
    return true;
}

static bool read_uint(struct pack_value value, enum key key, uint64_t max, uint64_t *out, struct problem *p)
{
    if (value.type != PACK_INT || value.integer < 0 || (uint64_t)value.integer > max)
        return problem_set(p, "bad-type", key_names[key].text, "unsigned integer");
    *out = (uint64_t)value.integer;
    return true;
}

static bool read_time(struct pack_value value, enum key key, int64_t *out, struct problem *p)
{
    if (value.type != PACK_TIME)
        return problem_set(p, "bad-type", key_names[key].text, "timestamp");
    *out = value.time_us;
    return true;
}

static bool read_pd(struct pack_value value, struct event *e, struct problem *p)
{
    if (value.type != PACK_BIN || value.bytes.len != sizeof e->pd)
        return problem_set(p, "bad-type", "pd", "32 bytes");
    memcpy(e->pd, value.bytes.data, sizeof e->pd);
    e->has_pd = true;
    return true;
}

static bool read_data(struct unpack *in, struct event *e, struct problem *p)
{
    struct unpack inside;

    e->data = unpack_raw(in);
    inside = unpack_of(e->data);
    if (unpack_next(&inside).type != PACK_MAP)
        return problem_set(p, "bad-type", "data", "map");
    return true;
}

static bool read_v(struct pack_value value, struct event *e, struct problem *p)
{
    uint64_t v = 0;

    if (!read_uint(value, V, UINT32_MAX, &v, p))
        return false;
    e->v = (uint32_t)v;
    return true;
}

static bool read_cut(struct pack_value value, struct event *e, struct problem *p)
{
    if (value.type != PACK_BOOL)
        return problem_set(p, "bad-type", "cut", "true or false");
    e->cut = value.boolean;
    return true;
}

static bool read_key(struct unpack *in, enum key key, struct event *e, struct problem *p)
{
    switch (key) {
    case POS: return read_uint(unpack_next(in), POS, INT64_MAX, &e->pos, p);
    case ID: return read_text(unpack_next(in), ID, e->id, sizeof e->id, p);
    case TYPE: return read_text(unpack_next(in), TYPE, e->type, sizeof e->type, p);
    case V: return read_v(unpack_next(in), e, p);
    case KEY: return read_text(unpack_next(in), KEY, e->key, sizeof e->key, p);
    case REGION: return read_text(unpack_next(in), REGION, e->region, sizeof e->region, p);
    case SITE: return read_text(unpack_next(in), SITE, e->site, sizeof e->site, p);
    case FROM: return read_text(unpack_next(in), FROM, e->from, sizeof e->from, p);
    case N: return read_uint(unpack_next(in), N, INT64_MAX, &e->n, p);
    case AT: return read_time(unpack_next(in), AT, &e->at_us, p);
    case REC: return read_time(unpack_next(in), REC, &e->rec_us, p);
    case CUT: return read_cut(unpack_next(in), e, p);
    case CAUSE: return read_uint(unpack_next(in), CAUSE, INT64_MAX, &e->cause, p);
    case BY: return read_text(unpack_next(in), BY, e->by, sizeof e->by, p);
    case DATA: return read_data(in, e, p);
    case PD: return read_pd(unpack_next(in), e, p);
    case UNKNOWN: (void)unpack_raw(in); return true;
    case KEYS: break;
    }
    assert(false);
    return false;
}

bool event_decode(struct bytes body, struct bytes priv, struct event *out, struct problem *p)
{
    struct unpack in = unpack_of(body);
    struct pack_value map = unpack_next(&in);
    struct event e;
    enum key expected = POS;
    unsigned seen = 0;

    if (map.type != PACK_MAP)
        return problem_set(p, "bad-type", "", "map");
    memset(&e, 0, sizeof e);
    for (uint32_t i = 0; i < map.n; i++) {
        enum key key = key_next(&in, expected);
        if (!read_key(&in, key, &e, p))
            return false;
        if (key == UNKNOWN)
            continue;
        seen |= 1u << key;
        expected = key + 1;
    }
    if ((seen & keys_required) != keys_required) {
        unsigned missing = keys_required & ~seen;
        return problem_set(p, "missing", key_names[__builtin_ctz(missing)].text, "%s", "");
    }
    e.body = body;
    e.priv = priv;
    *out = e;
    return true;
}

struct bytes event_personal(const struct event *e)
{
    struct unpack in;
    struct pack_value value;
    struct bytes map;

    if (e->priv.len == 0)
        return bytes_of(NULL, 0);
    in = unpack_of(e->priv);
    value = unpack_next(&in);
    if (value.type != PACK_ARRAY || value.n != 2 || unpack_next(&in).type != PACK_BIN)
        return bytes_of(NULL, 0);
    map = unpack_raw(&in);
    in = unpack_of(map);
    return unpack_next(&in).type == PACK_MAP ? map : bytes_of(NULL, 0);
}

void priv_encode(const uint8_t salt[SALT_BYTES], struct bytes map, struct buf *out, uint8_t pd[DIGEST_BYTES])
{
    size_t start = out->len;

    pack_array(out, 2);
    pack_bin(out, bytes_of(salt, SALT_BYTES));
    pack_raw(out, map);
    digest_of(bytes_of(out->data + start, out->len - start), pd);
}

void link_first(const char *stream, uint8_t out[LINK_BYTES])
{
    uint8_t digest[DIGEST_BYTES];

    digest_of(bytes_of_text(stream), digest);
    memcpy(out, digest, LINK_BYTES);
}

void link_next(const uint8_t before[LINK_BYTES], struct bytes body, uint8_t out[LINK_BYTES])
{
    uint8_t digest[DIGEST_BYTES];

    digest_of_two(bytes_of(before, LINK_BYTES), body, digest);
    memcpy(out, digest, LINK_BYTES);
}
