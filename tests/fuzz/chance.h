/* Seeded chance, for corpora and mutations. */
#ifndef AFTERCARE_TESTS_FUZZ_CHANCE_H
#define AFTERCARE_TESTS_FUZZ_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

struct chance {
    uint64_t state;
};

static inline struct chance chance_of(uint64_t seed)
{
    return (struct chance){.state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1};
}

static inline uint64_t chance_next(struct chance *chance)
{
    chance->state ^= chance->state >> 12;
    chance->state ^= chance->state << 25;
    chance->state ^= chance->state >> 27;
    return chance->state * UINT64_C(2685821657736338717);
}

/* below > 0. */
static inline uint64_t chance_below(struct chance *chance, uint64_t below)
{
    return (chance_next(chance) >> 16) % below;
}

static inline bool chance_of_hundred(struct chance *chance, unsigned percent)
{
    return chance_below(chance, 100) < percent;
}

#endif
