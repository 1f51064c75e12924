/* The workers as they are, each with a witness beside its handlers: a row a key that keeps how many events of the key were handled and which
 * was the last. And notes that are poison: a handler fails on them, or brings its process down, until the ticket is cured. */
#ifndef AFTERCARE_SIMULATION_WITNESS_H
#define AFTERCARE_SIMULATION_WITNESS_H

#include "db.h"
#include "worker/run.h"

#define WORKERS 4
extern const struct worker *workers[WORKERS];
void workers_make(void);
bool worker_handles(const struct worker *, const char *type);

/* ticket.noted {kind}: "fails WORKER", "kills WORKER"; "cures KEY" (of another ticket) ends either. */
enum poison { POISON_FAILS, POISON_KILLS, POISON_STOPS };
void poison_kind(enum poison, const char *worker, char kind[32]);
void cure_kind(const char *key, char kind[32]);
/* A process that folds must never meet what kills: the journal says that it was parked. */
#define REBUILDER "rebuild of "

/* What the witness of a worker has to show for a key when everything of the journal was handled but what was dropped. */
void witness_check(const struct db *worker, const char *key, int64_t handled, int64_t last);

#endif
