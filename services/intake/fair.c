#include "fair.h"
#include <assert.h>
#include <stdlib.h>

void fair_wait(struct fair *fair, struct fair_place *place, int64_t wants)
{
    place->wants = wants;
    if (place->waits)
        return;
    place->waits = true;
    place->turn = ++fair->turns;
    if (place->given < fair->now)
        place->given = fair->now;
}

void fair_leave(struct fair_place *place)
{
    place->waits = false;
}

void fair_give(struct fair_place *place, int64_t cost)
{
    assert(cost > 0);
    place->given += cost;
}

static int by_turn(const void *left, const void *right)
{
    const struct fair_place *a = *(struct fair_place *const *)left, *b = *(struct fair_place *const *)right;
    int64_t left_end = a->given + a->wants, right_end = b->given + b->wants;
    if (left_end != right_end)
        return left_end < right_end ? -1 : 1;
    return a->turn < b->turn ? -1 : a->turn > b->turn;
}

void fair_order(struct fair *fair, struct fair_place **places, size_t n)
{
    if (n == 0)
        return;
    qsort(places, n, sizeof(*places), by_turn);
    if (fair->now < places[0]->given)
        fair->now = places[0]->given;
}
