/* Whose turn it is where many wait for what cannot be given to all at once: self-clocked fair queueing (Golestani, 1994). Next is, of those
 * who wait, who will have been given least when it has what it wants: of two who always want a helping neither is given more than one
 * beyond the other, whatever is in them; and who wants little does not wait for all who want much. What one was not given while it did not
 * wait is not made up for, nor, but for some helpings, what one was given that the others could not take. Pure. */
#ifndef AFTERCARE_INTAKE_FAIR_H
#define AFTERCARE_INTAKE_FAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fair_place {
    void *who;
    int64_t given; /* bytes, or what else is shared; comparable among those who wait */
    int64_t wants; /* next, as far as is known: one helping or less */
    uint64_t turn; /* of two in the same place, who came first */
    bool waits;
};
/* All zero: nobody has waited yet. */
struct fair {
    int64_t now; /* what the one had been given whose turn it was last */
    uint64_t turns;
};

/* It waits from now on, if it does not already: beside those who do, however little it was given before. */
void fair_wait(struct fair *, struct fair_place *, int64_t wants);
void fair_leave(struct fair_place *);
/* cost: more than 0, or it would be its turn for ever. */
void fair_give(struct fair_place *, int64_t cost);
/* Of all who wait: in the order of their turns. */
void fair_order(struct fair *, struct fair_place **places, size_t n);

#endif
