/* Reading one msgpack head, inline: decoding is where a worker spends its time. For skimmed bytes only. */
#ifndef AFTERCARE_RECORD_HEAD_H
#define AFTERCARE_RECORD_HEAD_H

#include "record/pack.h"
#include <assert.h>
#include <string.h>

static inline uint16_t big16(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return __builtin_bswap16(v);
}

static inline uint32_t big32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return __builtin_bswap32(v);
}

static inline uint64_t big64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return __builtin_bswap64(v);
}

/* n bytes at the place, which moves behind them. */
static inline const uint8_t *head_take(struct unpack *u, size_t n)
{
    assert((size_t)(u->end - u->at) >= n);
    const uint8_t *p = u->at;
    u->at += n;
    return p;
}

static inline struct pack_value head_bytes(struct unpack *u, enum pack_type type, size_t n)
{
    return (struct pack_value){.type = type, .bytes = {head_take(u, n), n}};
}

static inline struct pack_value head_int(int64_t v)
{
    return (struct pack_value){.type = PACK_INT, .integer = v};
}

static inline struct pack_value head_count(enum pack_type type, uint32_t n)
{
    return (struct pack_value){.type = type, .n = n};
}

static inline struct pack_value head_time(int64_t seconds, uint32_t nanoseconds)
{
    return (struct pack_value){.type = PACK_TIME, .time_us = seconds * 1000000 + nanoseconds / 1000};
}

static inline struct pack_value head_next(struct unpack *u)
{
    uint8_t b = *head_take(u, 1);
    if (b < 0x80)
        return head_int(b);
    if (b < 0x90)
        return head_count(PACK_MAP, b & 15u);
    if (b < 0xa0)
        return head_count(PACK_ARRAY, b & 15u);
    if (b < 0xc0)
        return head_bytes(u, PACK_STR, b & 31u);
    if (b >= 0xe0)
        return head_int((int8_t)b);
    const uint8_t *p;
    switch (b) {
    case 0xc0:
        return (struct pack_value){.type = PACK_NIL};
    case 0xc2:
    case 0xc3:
        return (struct pack_value){.type = PACK_BOOL, .boolean = b == 0xc3};
    case 0xc4:
    case 0xd9:
        return head_bytes(u, b == 0xc4 ? PACK_BIN : PACK_STR, *head_take(u, 1));
    case 0xc5:
    case 0xda:
        return head_bytes(u, b == 0xc5 ? PACK_BIN : PACK_STR, big16(head_take(u, 2)));
    case 0xc6:
    case 0xdb:
        return head_bytes(u, b == 0xc6 ? PACK_BIN : PACK_STR, big32(head_take(u, 4)));
    case 0xc7: /* timestamp 96 */
        p = head_take(u, 14);
        return head_time((int64_t)big64(p + 6), big32(p + 2));
    case 0xd6: /* timestamp 32 */
        return head_time(big32(head_take(u, 5) + 1), 0);
    case 0xd7: { /* timestamp 64 */
        uint64_t both = big64(head_take(u, 9) + 1);
        return head_time((int64_t)(both & ((UINT64_C(1) << 34) - 1)), (uint32_t)(both >> 34));
    }
    case 0xca: {
        uint32_t bits = big32(head_take(u, 4));
        float f;
        memcpy(&f, &bits, sizeof f);
        return (struct pack_value){.type = PACK_FLOAT, .real = (double)f};
    }
    case 0xcb: {
        uint64_t bits = big64(head_take(u, 8));
        struct pack_value v = {.type = PACK_FLOAT};
        memcpy(&v.real, &bits, sizeof v.real);
        return v;
    }
    case 0xcc:
        return head_int(*head_take(u, 1));
    case 0xcd:
        return head_int(big16(head_take(u, 2)));
    case 0xce:
        return head_int(big32(head_take(u, 4)));
    case 0xcf: {
        uint64_t v = big64(head_take(u, 8));
        return v <= INT64_MAX ? head_int((int64_t)v) : (struct pack_value){.type = PACK_UINT, .large = v};
    }
    case 0xd0:
        return head_int((int8_t)*head_take(u, 1));
    case 0xd1:
        return head_int((int16_t)big16(head_take(u, 2)));
    case 0xd2:
        return head_int((int32_t)big32(head_take(u, 4)));
    case 0xd3:
        return head_int((int64_t)big64(head_take(u, 8)));
    case 0xdc:
    case 0xde:
        return head_count(b == 0xdc ? PACK_ARRAY : PACK_MAP, big16(head_take(u, 2)));
    case 0xdd:
    case 0xdf:
        return head_count(b == 0xdd ? PACK_ARRAY : PACK_MAP, big32(head_take(u, 4)));
    default:
        assert(0 && "a byte that skim() refuses");
        return (struct pack_value){.type = PACK_NIL};
    }
}

#endif
