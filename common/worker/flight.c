/* A set of texts: the slots in flight. */
#include "worker/run_internal.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct slot {
    UT_hash_handle hh;
    char text[];
};

struct flight {
    struct slot *slots;
};

struct flight *flight_new(void)
{
    return memory_new(sizeof(struct flight));
}

void flight_clear(struct flight *flight)
{
    struct slot *slot, *next;
    HASH_ITER(hh, flight->slots, slot, next)
    {
        HASH_DEL(flight->slots, slot);
        free(slot);
    }
}

void flight_destroy(struct flight **flight_p)
{
    if (*flight_p == NULL)
        return;
    flight_clear(*flight_p);
    free(*flight_p);
    *flight_p = NULL;
}

static struct slot *flight_find(const struct flight *flight, const char *text)
{
    struct slot *slot;
    HASH_FIND_STR(flight->slots, text, slot);
    return slot;
}

bool flight_has(const struct flight *flight, const char *text)
{
    return flight_find(flight, text) != NULL;
}

bool flight_add(struct flight *flight, const char *text)
{
    if (flight_has(flight, text))
        return false;
    size_t n = strlen(text) + 1;
    struct slot *slot = memory_new(sizeof *slot + n);
    memcpy(slot->text, text, n);
    HASH_ADD_STR(flight->slots, text, slot);
    return true;
}

bool flight_remove(struct flight *flight, const char *text)
{
    struct slot *slot = flight_find(flight, text);
    if (slot == NULL)
        return false;
    HASH_DEL(flight->slots, slot);
    free(slot);
    return true;
}

size_t flight_count(const struct flight *flight)
{
    return HASH_COUNT(flight->slots);
}
