#include "services/sla-watchdog/facts.h"

#include "base/text.h"

#include <assert.h>
#include <string.h>

/* Each fact: flags, then what they announce as varints (LEB128; signed ones in zigzag). */
enum flag {
    FLAG_MORE = 1 << 7,
    FLAG_ENDS = 1 << 8,
    FLAG_REOPENS = 1 << 9,
    FLAG_ORDERED = 1 << 10
}; /* below: roles */
enum more { MORE_FROM = 1, MORE_TIER = 2, MORE_QUANTITY = 4 };

struct packing {
    uint8_t bytes[FACTS_BYTES_MAX + 128];
    size_t n;
};

static void put(struct packing *p, uint64_t value)
{
    for (; value > 0x7f; value >>= 7)
        p->bytes[p->n++] = (uint8_t)(value | 0x80);
    p->bytes[p->n++] = (uint8_t)value;
}

static void put_signed(struct packing *p, int64_t value)
{
    uint64_t wide = (uint64_t)value;
    put(p, value < 0 ? ~(wide << 1) : wide << 1);
}

static uint64_t take(const struct facts_blob *b, uint32_t *at)
{
    uint64_t value = 0;
    for (unsigned shift = 0; *at < b->len && shift < 64; shift += 7) {
        uint8_t byte = b->data[(*at)++];
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            break;
    }
    return value;
}

static int64_t take_signed(const struct facts_blob *b, uint32_t *at)
{
    uint64_t wide = take(b, at);
    return (int64_t)(wide & 1 ? ~(wide >> 1) : wide >> 1);
}

static void fact_pack(struct packing *p, const struct fact *f, int64_t base_us)
{
    unsigned flags = (f->ends ? FLAG_ENDS : 0) | (f->reopens ? FLAG_REOPENS : 0) |
                     (f->ordered ? FLAG_ORDERED : 0);
    unsigned more = (f->from_us ? MORE_FROM : 0) | (f->tier ? MORE_TIER : 0) |
                    (f->quantity ? MORE_QUANTITY : 0);
    for (unsigned r = 0; r < FACT_ROLES; r++)
        flags |= f->roles[r] ? 1u << r : 0;
    put(p, flags | (more ? FLAG_MORE : 0));
    if (more)
        put(p, more);
    put(p, (uint64_t)f->pos);
    put_signed(p, f->us - base_us);
    for (unsigned r = 0; r < FACT_ROLES; r++)
        if (f->roles[r])
            put(p, f->roles[r]);
    if (more & MORE_FROM)
        put_signed(p, f->from_us - base_us);
    if (more & MORE_TIER)
        put_signed(p, f->tier);
    if (more & MORE_QUANTITY)
        put_signed(p, f->quantity);
}

static void fact_take(const struct facts_blob *b, uint32_t *at, int64_t base_us, struct fact *f)
{
    unsigned flags = (unsigned)take(b, at);
    unsigned more = flags & FLAG_MORE ? (unsigned)take(b, at) : 0;
    *f = (struct fact){.ends = flags & FLAG_ENDS,
                       .reopens = flags & FLAG_REOPENS,
                       .ordered = flags & FLAG_ORDERED};
    f->pos = (int64_t)take(b, at);
    f->us = base_us + take_signed(b, at);
    for (unsigned r = 0; r < FACT_ROLES; r++)
        f->roles[r] = flags & (1u << r) ? (uint32_t)take(b, at) : 0;
    f->from_us = more & MORE_FROM ? base_us + take_signed(b, at) : 0;
    f->tier = more & MORE_TIER ? take_signed(b, at) : 0;
    f->quantity = more & MORE_QUANTITY ? take_signed(b, at) : 0;
}

void sla_watchdog_facts_unpack(const struct facts_blob *b, int64_t base_us, struct facts *out)
{
    uint32_t at = 0;
    out->n = 0;
    while (at < b->len && out->n < CLOCK_FACTS_MAX)
        fact_take(b, &at, base_us, &out->items[out->n++]);
}

bool sla_watchdog_fact_is_idle(const struct fact *f)
{
    return !f->roles[FACT_STARTS] && !f->roles[FACT_STOPS] && !f->roles[FACT_RESETS] &&
           !f->roles[FACT_CANCELS] && !f->roles[FACT_EXPLAINS];
}

static void drop(struct facts *facts, size_t i)
{
    memmove(&facts->items[i], &facts->items[i + 1], (facts->n - i - 1) * sizeof facts->items[0]);
    facts->n--;
}

/* The oldest, but the last one told: it is being worked in. */
static size_t oldest(const struct facts *facts)
{
    size_t out = 0;
    for (size_t i = 1; i + 1 < facts->n; i++)
        if (facts->items[i].us < facts->items[out].us)
            out = i;
    return out;
}

static bool fits(const struct facts *facts, int64_t base_us, struct packing *p)
{
    p->n = 0;
    for (size_t i = 0; i < facts->n && p->n <= FACTS_BYTES_MAX; i++)
        fact_pack(p, &facts->items[i], base_us);
    return p->n <= FACTS_BYTES_MAX;
}

int64_t sla_watchdog_facts_pack(struct facts *facts, int64_t base_us, struct facts_blob *b)
{
    struct packing p;
    int64_t dropped = 0;
    for (size_t i = facts->n; i-- > 0;)
        if (sla_watchdog_fact_is_idle(&facts->items[i]))
            drop(facts, i);
    while (!fits(facts, base_us, &p)) {
        drop(facts, oldest(facts));
        dropped++;
    }
    memset(b, 0, sizeof *b);
    memcpy(b->data, p.bytes, p.n);
    b->len = (uint32_t)p.n;
    return dropped;
}

struct fact *sla_watchdog_fact_at(struct facts *facts, int64_t pos)
{
    for (size_t i = 0; i < facts->n; i++)
        if (facts->items[i].pos == pos)
            return &facts->items[i];
    return NULL;
}

size_t sla_watchdog_facts_of(const struct facts *facts, uint32_t i,
                             struct clock_fact out[CLOCK_FACTS_MAX])
{
    static const unsigned roles[FACT_ROLES] = {ROLE_START,   ROLE_STOP,  ROLE_RESET, ROLE_CANCEL,
                                               ROLE_EXPLAIN, ROLE_START, 0};
    size_t n = 0;
    for (size_t at = 0; at < facts->n; at++) {
        const struct fact *f = &facts->items[at];
        unsigned is = 0;
        for (unsigned r = 0; r < FACT_ROLES; r++)
            is |= f->roles[r] & (1u << i) ? roles[r] : 0;
        if ((is & ROLE_CANCEL) && f->ends)
            is = (is & ~(unsigned)ROLE_CANCEL) | ROLE_END;
        if (is & ~(unsigned)ROLE_START)
            out[n++] = (struct clock_fact){f->us, f->pos, f->from_us, is};
    }
    return n;
}

uint32_t sla_watchdog_mask_move(uint32_t mask, const struct policy *from, const struct policy *to)
{
    const struct policy_clause *old = from->sla.items, *new = to->sla.items;
    uint32_t moved = 0;
    for (uint32_t i = 0; i < from->sla.n; i++)
        for (uint32_t j = 0; (mask & (1u << i)) && j < to->sla.n; j++)
            if (text_equal(old[i].id, new[j].id))
                moved |= 1u << j;
    return moved;
}

void sla_watchdog_facts_move(struct facts *facts, const struct policy *from,
                             const struct policy *to)
{
    for (size_t i = 0; i < facts->n; i++)
        for (unsigned r = 0; r < FACT_ROLES; r++)
            facts->items[i].roles[r] = sla_watchdog_mask_move(facts->items[i].roles[r], from, to);
}
