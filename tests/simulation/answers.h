/* Questions: each worker answers one whose answer is the digest of all its rows, in a snapshot; askers compare it with what the rows
 * were at the position the answer speaks of. */
#ifndef AFTERCARE_SIMULATION_ANSWERS_H
#define AFTERCARE_SIMULATION_ANSWERS_H

#include "worker/run.h"

/* Instead of its questions in SQL. */
void answers_give(struct worker *);
void askers_begin(void);
/* Everybody has been answered as of that head. */
bool askers_know(uint64_t head);

#endif
