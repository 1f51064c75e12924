#include "callers.h"
#include <stdlib.h>
#include <string.h>

#define COST_US (SECOND_US / CALLER_PER_SECOND)

void callers_init(struct callers *callers)
{
    callers->items = memory_new(CALLERS_MAX * sizeof(*callers->items));
}

void callers_release(struct callers *callers)
{
    free(callers->items);
    callers->items = NULL;
}

/* Routing ids count upwards in their last four bytes: neighbours get places of their own. */
static struct caller *place_of(struct callers *callers, const struct bus_peer *peer)
{
    uint32_t number = 0;
    for (uint8_t i = 0; i < peer->len; i++)
        number = number * 256 + peer->id[i];
    return &callers->items[number % CALLERS_MAX];
}

bool caller_may(struct callers *callers, const struct bus_peer *peer, int64_t boot_us)
{
    struct caller *caller = place_of(callers, peer);
    if (caller->len != peer->len || memcmp(caller->id, peer->id, peer->len) != 0) {
        *caller = (struct caller){.len = peer->len, .tokens_us = CALLER_BURST * COST_US, .at_us = boot_us};
        memcpy(caller->id, peer->id, peer->len);
    }
    caller->tokens_us += boot_us - caller->at_us;
    caller->at_us = boot_us;
    if (caller->tokens_us > CALLER_BURST * COST_US)
        caller->tokens_us = CALLER_BURST * COST_US;
    if (caller->tokens_us < COST_US)
        return false;
    caller->tokens_us -= COST_US;
    return true;
}
