#include "mutate.h"
#include "fill.h"
#include "fuzz.h"
#include "record/pack.h"
#include <string.h>

#define NODES_MAX 4096

struct copy {
    struct chance *chance;
    size_t at, target; /* number of the value that is changed */
    int deed;
    struct bytes other; /* some value elsewhere */
};

enum { DEED_ANY, DEED_OTHER, DEED_DROP, DEED_TWICE, DEED_WRAP, DEED_INSIDE, DEEDS };

static size_t count(struct bytes in)
{
    struct unpack at = unpack_of(in);
    size_t n = 0;
    for (; at.at < at.end; n++)
        (void)unpack_next(&at);
    return n;
}

/* The raw bytes of value number `wanted`, keys of maps counted too. */
static struct bytes value_at(struct bytes in, size_t wanted)
{
    struct unpack at = unpack_of(in);
    for (size_t i = 0; i < wanted; i++)
        (void)unpack_next(&at);
    return unpack_raw(&at);
}

static void inside(struct copy *copy, struct pack_value value, struct bytes raw, struct buf *out)
{
    uint8_t text[512];
    size_t n;
    switch (value.type) {
    case PACK_STR:
    case PACK_BIN:
        n = value.bytes.len < sizeof(text) / 2 ? value.bytes.len : sizeof(text) / 2;
        if (n > 0)
            memcpy(text, value.bytes.data, n);
        n = LLVMFuzzerMutate(text, n, sizeof(text));
        if (value.type == PACK_STR)
            pack_text_n(out, (const char *)text, n);
        else
            pack_bin(out, bytes_of(text, n));
        break;
    case PACK_INT:
        pack_int(out, (int64_t)((uint64_t)value.integer + (chance_of_hundred(copy->chance, 50)
                                                               ? chance_below(copy->chance, 5) - 2
                                                               : (uint64_t)1 << chance_below(copy->chance, 64))));
        break;
    case PACK_TIME: {
        int64_t us = value.time_us;
        pack_time(out, us / 2 + (int64_t)chance_below(copy->chance, UINT64_C(86400) * 1000000));
        break;
    }
    case PACK_NIL:
    case PACK_BOOL:
    case PACK_UINT:
    case PACK_FLOAT:
    case PACK_ARRAY:
    case PACK_MAP:
        buf_append(out, raw.data, raw.len);
        break;
    }
}

static void copy_value(struct copy *copy, struct unpack *in, struct buf *out, uint32_t *n);

/* A map's pair or a list's element; *n: how many stand in `out` in the end. */
static void copy_children(struct copy *copy, struct unpack *in, uint32_t n, bool pairs, struct buf *out, uint32_t *written)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t one = 1;
        if (!pairs) {
            copy_value(copy, in, out, &one);
            *written += one;
            continue;
        }
        struct buf pair = {0};
        struct bytes key = unpack_raw(in);
        copy->at++;
        bool key_goes = copy->at - 1 == copy->target && copy->deed == DEED_DROP;
        struct unpack key_value = unpack_of(key);
        if (copy->at - 1 == copy->target && copy->deed != DEED_DROP)
            inside(copy, unpack_next(&key_value), key, &pair);
        else
            buf_append(&pair, key.data, key.len);
        copy_value(copy, in, &pair, &one);
        if (!key_goes && one == 1) {
            buf_append(out, pair.data, pair.len);
            ++*written;
        }
        buf_release(&pair);
    }
}

static void copy_plain(struct copy *copy, struct unpack *in, struct bytes raw, struct buf *out)
{
    struct pack_value value = unpack_next(in);
    struct buf children = {0};
    uint32_t n = 0;
    copy->at++;
    if (value.type == PACK_MAP || value.type == PACK_ARRAY) {
        copy_children(copy, in, value.n, value.type == PACK_MAP, &children, &n);
        if (value.type == PACK_MAP)
            pack_map(out, n);
        else
            pack_array(out, n);
        buf_append(out, children.data, children.len);
        buf_release(&children);
        return;
    }
    buf_append(out, raw.data, raw.len);
}

static void copy_value(struct copy *copy, struct unpack *in, struct buf *out, uint32_t *n)
{
    struct unpack peek = *in;
    struct bytes raw = unpack_raw(&peek);
    if (copy->at != copy->target) {
        copy_plain(copy, in, raw, out);
        return;
    }
    copy->at += count(raw);
    *in = peek;
    struct unpack value = unpack_of(raw);
    switch (copy->deed) {
    case DEED_ANY:
        fill_any(copy->chance, 0, out);
        break;
    case DEED_OTHER:
        buf_append(out, copy->other.data, copy->other.len);
        break;
    case DEED_DROP:
        *n = 0;
        break;
    case DEED_TWICE: /* of a map: the pair goes instead, since its key would stand there twice */
        buf_append(out, raw.data, raw.len);
        buf_append(out, raw.data, raw.len);
        *n = 2;
        break;
    case DEED_WRAP:
        pack_array(out, 1);
        buf_append(out, raw.data, raw.len);
        break;
    default:
        inside(copy, unpack_next(&value), raw, out);
    }
}

static void mutate_bytes(struct bytes in, struct buf *out)
{
    uint8_t *to = buf_reserve(out, in.len + 64);
    if (in.len > 0)
        memcpy(to, in.data, in.len);
    out->len += LLVMFuzzerMutate(to, in.len, in.len + 64);
}

void mutate_value(struct bytes in, struct chance *chance, struct buf *out)
{
    struct problem problem;
    if (!skim(in, &problem) || chance_of_hundred(chance, 5)) {
        mutate_bytes(in, out);
        return;
    }
    size_t n = count(in);
    struct copy copy = {.chance = chance, .target = chance_below(chance, n < NODES_MAX ? n : NODES_MAX)};
    copy.deed = chance_of_hundred(chance, 40) ? DEED_INSIDE : (int)chance_below(chance, DEEDS);
    copy.other = value_at(in, chance_below(chance, n));
    struct unpack at = unpack_of(in);
    uint32_t written = 1;
    copy_value(&copy, &at, out, &written);
}

size_t mutate_input(uint8_t *data, size_t n, size_t cap, unsigned seed)
{
    struct chance chance = chance_of(seed);
    struct buf out = {0};
    if (chance_of_hundred(&chance, 40))
        return LLVMFuzzerMutate(data, n, cap);
    mutate_value(bytes_of(data, n), &chance, &out);
    n = out.len < cap ? out.len : cap;
    if (n > 0)
        memcpy(data, out.data, n);
    buf_release(&out);
    return n;
}
