#include "record/pack.h"
#include "base/instant.h"
#include "base/text.h"
#include "record/head.h"

#define KEY_BYTES_MAX 64
#define PAIRS_MAX 256 /* in one map: finding a key given twice is quadratic at worst */

struct skimmer {
    const uint8_t *at, *end;
    struct problem *problem;
};

static bool value_skim(struct skimmer *, unsigned depth);

static bool refuse(struct skimmer *s, const char *code, const char *why)
{
    return problem_set(s->problem, code, "", "%s", why);
}

static size_t left(const struct skimmer *s)
{
    return (size_t)(s->end - s->at);
}

static bool cut_short(struct skimmer *s)
{
    return refuse(s, "malformed", "the bytes end inside a value");
}

static bool pass(struct skimmer *s, size_t n)
{
    if (left(s) < n)
        return cut_short(s);
    s->at += n;
    return true;
}

/* UTF-8 without U+0000. Nearly all text is ASCII: eight bytes a step, the rest by an overlapping step. */
static bool text_is_clean(const uint8_t *p, size_t n)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);
    if (n < 8) {
        for (size_t i = 0; i < n; i++)
            if (p[i] == 0 || p[i] >= 0x80)
                goto slowly;
        return true;
    }
    for (size_t i = 0;; i = i + 16 <= n ? i + 8 : n - 8) {
        uint64_t word;
        memcpy(&word, p + i, sizeof word);
        if ((word & tops) || ((word - ones) & tops))
            goto slowly;
        if (i + 8 == n)
            return true;
    }
slowly:
    return !memchr(p, 0, n) && text_is_utf8((const char *)p, n);
}

static bool text_skim(struct skimmer *s, size_t n)
{
    if (left(s) < n)
        return cut_short(s);
    if (!text_is_clean(s->at, n))
        return refuse(s, "not-utf8", "a text that is not UTF-8, or has U+0000 in it");
    s->at += n;
    return true;
}

/* The length of the text whose head is at the place; the place moves behind the head. */
static bool text_head(struct skimmer *s, size_t *n)
{
    uint8_t b = *s->at++;
    size_t width = b == 0xd9 ? 1 : b == 0xda ? 2 : 4;
    if ((b & 0xe0) == 0xa0) {
        *n = b & 31u;
        return true;
    }
    if (left(s) < width)
        return cut_short(s);
    *n = width == 1 ? *s->at : width == 2 ? big16(s->at) : big32(s->at);
    s->at += width;
    return true;
}

/* The keys met so far in one map. */
struct keys {
    uint32_t n;
    uint64_t seen; /* one bit per hash: mostly says at once that a key is fresh */
    uint32_t hash[PAIRS_MAX];
    const uint8_t *at[PAIRS_MAX];
    uint8_t len[PAIRS_MAX];
};

static uint32_t key_hash(const uint8_t *p, size_t n)
{
    uint64_t head = 0, tail = 0;
    if (n >= 8) {
        memcpy(&head, p, 8);
        memcpy(&tail, p + n - 8, 8);
    } else {
        for (size_t i = 0; i < n; i++)
            head = head << 8 | p[i];
    }
    uint64_t h = (head ^ (tail << 1) ^ n) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(h >> 32);
}

static bool key_skim(struct skimmer *s, struct keys *keys)
{
    if (left(s) == 0)
        return cut_short(s);
    uint8_t b = *s->at;
    if ((b & 0xe0) != 0xa0 && !(b >= 0xd9 && b <= 0xdb))
        return refuse(s, "malformed", "a map key that is not a text");
    size_t n = 0;
    if (!text_head(s, &n))
        return false;
    if (n > KEY_BYTES_MAX)
        return refuse(s, "malformed", "a map key of more than 64 bytes");
    const uint8_t *key = s->at;
    if (!text_skim(s, n))
        return false;
    uint32_t hash = key_hash(key, n);
    uint64_t bit = UINT64_C(1) << (hash >> 26);
    if (keys->seen & bit)
        for (uint32_t i = 0; i < keys->n; i++)
            if (keys->hash[i] == hash && keys->len[i] == n && memcmp(keys->at[i], key, n) == 0)
                return problem_set(s->problem, "duplicate-key", "", "%.*s", (int)n, (const char *)key);
    keys->seen |= bit;
    keys->hash[keys->n] = hash;
    keys->at[keys->n] = key;
    keys->len[keys->n++] = (uint8_t)n;
    return true;
}

static bool map_skim(struct skimmer *s, uint32_t pairs, unsigned depth)
{
    if (depth >= SKIM_DEPTH_MAX)
        return problem_set(s->problem, "too-deep", "", "%d", SKIM_DEPTH_MAX);
    if (pairs > left(s) / 2)
        return cut_short(s);
    if (pairs > PAIRS_MAX)
        return problem_set(s->problem, "too-many", "", "%d", PAIRS_MAX);
    struct keys keys;
    keys.n = 0;
    keys.seen = 0;
    for (uint32_t i = 0; i < pairs; i++)
        if (!key_skim(s, &keys) || !value_skim(s, depth + 1))
            return false;
    return true;
}

static bool array_skim(struct skimmer *s, uint32_t n, unsigned depth)
{
    if (depth >= SKIM_DEPTH_MAX)
        return problem_set(s->problem, "too-deep", "", "%d", SKIM_DEPTH_MAX);
    if (n > left(s))
        return cut_short(s);
    for (uint32_t i = 0; i < n; i++)
        if (!value_skim(s, depth + 1))
            return false;
    return true;
}

/* The type byte and n bytes of an extension, of which only the timestamp is known here. */
static bool time_skim(struct skimmer *s, size_t n)
{
    if (left(s) < n + 1)
        return cut_short(s);
    const uint8_t *p = s->at + 1;
    if (*s->at != 0xff)
        return refuse(s, "malformed", "an extension other than the timestamp");
    uint64_t nanoseconds = n == 12 ? big32(p) : n == 8 ? big64(p) >> 34 : 0;
    int64_t seconds = n == 12 ? (int64_t)big64(p + 4) : 0; /* the shorter forms end in the year 2514 */
    if (nanoseconds > 999999999)
        return refuse(s, "bad-time", "more than 999999999 nanoseconds");
    if (seconds < INSTANT_MIN_US / SECOND_US || seconds > INSTANT_MAX_US / SECOND_US)
        return refuse(s, "bad-time", "outside the years 0 to 9999");
    s->at += n + 1;
    return true;
}

/* A length or count of `width` bytes. */
static bool count_read(struct skimmer *s, size_t width, uint32_t *n)
{
    if (left(s) < width)
        return cut_short(s);
    *n = width == 1 ? *s->at : width == 2 ? big16(s->at) : big32(s->at);
    s->at += width;
    return true;
}

static bool long_skim(struct skimmer *s, uint8_t b, unsigned depth)
{
    uint32_t n = 0;
    switch (b) {
    case 0xc0: /* nil, booleans */
    case 0xc2:
    case 0xc3:
        return true;
    case 0xcc: /* integers, floats */
    case 0xd0:
        return pass(s, 1);
    case 0xcd:
    case 0xd1:
        return pass(s, 2);
    case 0xca:
    case 0xce:
    case 0xd2:
        return pass(s, 4);
    case 0xcb:
    case 0xcf:
    case 0xd3:
        return pass(s, 8);
    case 0xc4: /* bin 8, 16, 32 */
    case 0xc5:
    case 0xc6:
        return count_read(s, (size_t)1 << (b - 0xc4), &n) && pass(s, n);
    case 0xd9: /* str 8, 16, 32 */
    case 0xda:
    case 0xdb:
        return count_read(s, (size_t)1 << (b - 0xd9), &n) && text_skim(s, n);
    case 0xd6: /* timestamps */
        return time_skim(s, 4);
    case 0xd7:
        return time_skim(s, 8);
    case 0xc7:
        if (!count_read(s, 1, &n))
            return false;
        return n == 12 ? time_skim(s, n) : refuse(s, "malformed", "an extension other than the timestamp");
    case 0xdc: /* arrays, maps */
    case 0xdd:
        return count_read(s, b == 0xdc ? 2 : 4, &n) && array_skim(s, n, depth);
    case 0xde:
    case 0xdf:
        return count_read(s, b == 0xde ? 2 : 4, &n) && map_skim(s, n, depth);
    case 0xc1:
        return refuse(s, "malformed", "the byte 0xc1, which msgpack never uses");
    default:
        return refuse(s, "malformed", "an extension other than the timestamp");
    }
}

static bool value_skim(struct skimmer *s, unsigned depth)
{
    if (s->at == s->end)
        return cut_short(s);
    uint8_t b = *s->at++;
    if (b < 0x80 || b >= 0xe0)
        return true;
    if (b < 0x90)
        return map_skim(s, b & 15u, depth);
    if (b < 0xa0)
        return array_skim(s, b & 15u, depth);
    if (b < 0xc0)
        return text_skim(s, b & 31u);
    return long_skim(s, b, depth);
}

bool skim(struct bytes in, struct problem *problem)
{
    if (in.len == 0)
        return problem_set(problem, "malformed", "", "no bytes at all");
    struct skimmer s = {in.data, in.data + in.len, problem};
    if (!value_skim(&s, 0))
        return false;
    if (s.at != s.end)
        return problem_set(problem, "malformed", "", "%zu bytes behind the value", left(&s));
    return true;
}

struct unpack unpack_of(struct bytes in)
{
    return (struct unpack){in.data, in.len > 0 ? in.data + in.len : in.data}; /* nothing may be NULL */
}

struct pack_value unpack_next(struct unpack *u)
{
    return head_next(u);
}

struct bytes unpack_raw(struct unpack *u)
{
    const uint8_t *from = u->at;
    for (uint64_t todo = 1; todo > 0; todo--) {
        struct pack_value v = head_next(u);
        if (v.type == PACK_ARRAY)
            todo += v.n;
        else if (v.type == PACK_MAP)
            todo += 2 * (uint64_t)v.n;
    }
    return (struct bytes){from, (size_t)(u->at - from)};
}

static uint8_t *put16(uint8_t *p, uint16_t v)
{
    v = __builtin_bswap16(v);
    memcpy(p, &v, sizeof v);
    return p + sizeof v;
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(p, &v, sizeof v);
    return p + sizeof v;
}

static uint8_t *put64(uint8_t *p, uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(p, &v, sizeof v);
    return p + sizeof v;
}

#define HEAD_MAX 16

static void count_pack(struct buf *out, uint32_t n, uint8_t fixed, uint8_t code16)
{
    uint8_t *p = buf_reserve(out, HEAD_MAX), *from = p;
    if (n < 16) {
        *p++ = (uint8_t)(fixed | n);
    } else if (n <= UINT16_MAX) {
        *p++ = code16;
        p = put16(p, (uint16_t)n);
    } else {
        *p++ = (uint8_t)(code16 + 1);
        p = put32(p, n);
    }
    out->len += (size_t)(p - from);
}

void pack_map(struct buf *out, uint32_t pairs)
{
    count_pack(out, pairs, 0x80, 0xde);
}

void pack_array(struct buf *out, uint32_t n)
{
    count_pack(out, n, 0x90, 0xdc);
}

/* code8, code8 + 1 and code8 + 2 take lengths of 1, 2 and 4 bytes. */
static uint8_t *length_put(uint8_t *p, size_t n, uint8_t code8)
{
    if (n <= UINT8_MAX) {
        *p++ = code8;
        *p++ = (uint8_t)n;
        return p;
    }
    if (n <= UINT16_MAX) {
        *p++ = (uint8_t)(code8 + 1);
        return put16(p, (uint16_t)n);
    }
    assert(n <= UINT32_MAX);
    *p++ = (uint8_t)(code8 + 2);
    return put32(p, (uint32_t)n);
}

void pack_text_n(struct buf *out, const char *text, size_t n)
{
    uint8_t *p = buf_reserve(out, n + HEAD_MAX), *from = p;
    if (n < 32)
        *p++ = (uint8_t)(0xa0 | n);
    else
        p = length_put(p, n, 0xd9);
    if (n > 0)
        memcpy(p, text, n);
    out->len += (size_t)(p - from) + n;
}

void pack_text(struct buf *out, const char *text)
{
    pack_text_n(out, text, strlen(text));
}

void pack_uint(struct buf *out, uint64_t v)
{
    uint8_t *p = buf_reserve(out, HEAD_MAX), *from = p;
    if (v < 0x80) {
        *p++ = (uint8_t)v;
    } else if (v <= UINT8_MAX) {
        *p++ = 0xcc;
        *p++ = (uint8_t)v;
    } else if (v <= UINT16_MAX) {
        *p++ = 0xcd;
        p = put16(p, (uint16_t)v);
    } else if (v <= UINT32_MAX) {
        *p++ = 0xce;
        p = put32(p, (uint32_t)v);
    } else {
        *p++ = 0xcf;
        p = put64(p, v);
    }
    out->len += (size_t)(p - from);
}

void pack_int(struct buf *out, int64_t v)
{
    if (v >= 0) {
        pack_uint(out, (uint64_t)v);
        return;
    }
    uint8_t *p = buf_reserve(out, HEAD_MAX), *from = p;
    if (v >= -32) {
        *p++ = (uint8_t)v;
    } else if (v >= INT8_MIN) {
        *p++ = 0xd0;
        *p++ = (uint8_t)v;
    } else if (v >= INT16_MIN) {
        *p++ = 0xd1;
        p = put16(p, (uint16_t)v);
    } else if (v >= INT32_MIN) {
        *p++ = 0xd2;
        p = put32(p, (uint32_t)v);
    } else {
        *p++ = 0xd3;
        p = put64(p, (uint64_t)v);
    }
    out->len += (size_t)(p - from);
}

static void byte_pack(struct buf *out, uint8_t b)
{
    *buf_reserve(out, 1) = b;
    out->len++;
}

void pack_bool(struct buf *out, bool v)
{
    byte_pack(out, v ? 0xc3 : 0xc2);
}

void pack_nil(struct buf *out)
{
    byte_pack(out, 0xc0);
}

void pack_bin(struct buf *out, struct bytes b)
{
    uint8_t *from = buf_reserve(out, b.len + HEAD_MAX), *p = length_put(from, b.len, 0xc4);
    if (b.len > 0)
        memcpy(p, b.data, b.len);
    out->len += (size_t)(p - from) + b.len;
}

void pack_time(struct buf *out, int64_t us)
{
    int64_t seconds = us / SECOND_US, rest = us % SECOND_US;
    if (rest < 0) {
        rest += SECOND_US;
        seconds--;
    }
    uint8_t *p = buf_reserve(out, HEAD_MAX), *from = p;
    uint32_t nanoseconds = (uint32_t)rest * 1000;
    if (seconds >= 0 && seconds <= UINT32_MAX && nanoseconds == 0) {
        *p++ = 0xd6;
        *p++ = 0xff;
        p = put32(p, (uint32_t)seconds);
    } else if (seconds >= 0 && seconds < INT64_C(1) << 34) {
        *p++ = 0xd7;
        *p++ = 0xff;
        p = put64(p, (uint64_t)nanoseconds << 34 | (uint64_t)seconds);
    } else {
        *p++ = 0xc7;
        *p++ = 12;
        *p++ = 0xff;
        p = put32(p, nanoseconds);
        p = put64(p, (uint64_t)seconds);
    }
    out->len += (size_t)(p - from);
}

void pack_raw(struct buf *out, struct bytes value)
{
    buf_append(out, value.data, value.len);
}
