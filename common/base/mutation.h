/* Deliberate bugs, for the test that proves that the simulation (tests/simulation) finds such: present only in that test's own
 * copies of the objects, one of them switched on at run time. Everywhere else MUTATION is a constant and costs nothing. */
#ifndef AFTERCARE_BASE_MUTATION_H
#define AFTERCARE_BASE_MUTATION_H

#include <stdbool.h>

enum mutation {
    MUTATION_NONE,
    MUTATION_CURSOR_UNCOMPARED,   /* a worker's cursor moves whoever moved it before */
    MUTATION_PUBLISH_EARLY,       /* live is told before the commit's result is known */
    MUTATION_ACK_EARLY,           /* a source is answered before the commit's result is known */
    MUTATION_GAP_TAKEN,           /* a number beyond the next one is taken */
    MUTATION_TIMER_TWICE,         /* a fired timer stays in its index */
    MUTATION_ROWS_EARLY,          /* a worker commits before intake has acknowledged its conclusions */
    MUTATION_DUPLICATE_TAKEN,     /* a number answered before is taken as new */
    MUTATION_ANSWER_FORGOTTEN,    /* an answer is not stored with its event */
    MUTATION_FLIGHT_FORGOTTEN,    /* what is in flight is not known after a start */
    MUTATION_CURSOR_UNHELD,       /* a worker reads rows while an earlier session may still commit */
    MUTATION_EPOCH_UNCOMPARED,    /* the head is written by whoever knows its position */
    MUTATION_READER_SKIPS,        /* a reader goes on behind the head after a hole */
    MUTATION_UNDO_FORGOTTEN,      /* a miss leaves what the handler has changed */
    MUTATION_MEMORY_KEPT,         /* intake goes on from memory after a commit in doubt */
    MUTATION_UPTO_EARLY,          /* a worker says upto for what it has not shipped */
    MUTATION_SESSION_KEPT,        /* a source's older session may still append */
    MUTATION_CREDIT_IGNORED,      /* a reader without credit is sent events */
    MUTATION_FILTER_SKIPS,        /* a filtered reader's cursor moves past what had no room */
    MUTATION_PARKED_PASSED,       /* a later event of a parked one's key is handled */
    MUTATION_PARKED_FORGOTTEN,    /* a start does not know what was parked */
    MUTATION_ANSWER_TORN,         /* an answer's rows and its position are not of one snapshot */
    MUTATION_SETTLED_EARLY,       /* the clock source is not made to wait for the workers */
    MUTATION_LINK_KEPT,           /* a link does not follow from the one before */
    MUTATION_POSITION_SKIPPED,    /* a hole before each event of intake's own */
    MUTATION_HOLE_UNNOTICED,      /* a reader waits for ever for what live has lost */
    MUTATION_WINDOW_IGNORED,      /* a source sends all that it has */
    MUTATIONS
};

#ifdef AFTERCARE_MUTATIONS
bool mutation_is(enum mutation);
#define MUTATION(which) mutation_is(which)
#else
#define MUTATION(which) false
#endif

#endif
