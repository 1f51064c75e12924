#include "fair.h"
#include <assert.h>
#include <stdlib.h>

#define AHEAD_HELPINGS 4 /* more than what one helping may cost, with what goes beyond it */

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

/* Nobody counts as further beyond who is first: what one was given while the others could not take more is not held against it for ever. */
static void ahead_bound(const struct fair *fair, struct fair_place **places, size_t n, int64_t most)
{
    int64_t furthest = fair->now + AHEAD_HELPINGS * most;
    for (size_t i = 0; i < n; i++)
        if (places[i]->given > furthest)
            places[i]->given = furthest;
}

void fair_order(struct fair *fair, struct fair_place **places, size_t n)
{
    size_t first = 0;
    int64_t most = 0;
    if (n == 0)
        return;
    for (size_t i = 0; i < n; i++) {
        most = places[i]->wants > most ? places[i]->wants : most;
        first = by_turn(&places[i], &places[first]) < 0 ? i : first;
    }
    if (fair->now < places[first]->given)
        fair->now = places[first]->given;
    ahead_bound(fair, places, n, most);
    qsort(places, n, sizeof(*places), by_turn);
}
