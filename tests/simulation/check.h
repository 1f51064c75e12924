/* What must hold at every moment, and at the end. A promise that does not hold ends the run (world_broken). */
#ifndef AFTERCARE_SIMULATION_CHECK_H
#define AFTERCARE_SIMULATION_CHECK_H

#include "db.h"
#include "worker/run.h"

/* Intake says something to a client: nothing of it may lie beyond what is durable, and an answer is the stored one. */
void check_said(const struct process *intake, const struct process *client, const char *verb, struct bytes map);
void check_live(const struct process *intake, const char *topic, struct bytes body);
/* A batch is about to take effect: positions, links, epoch, numbers. */
void check_journal(const struct db *, const struct tx *);
/* A worker's commit is about to take effect; and when it has: its rows are the fold of the prefix. */
void check_cursor(const struct db *, const struct tx *);
void check_rows(const struct db *, const struct tx *);
/* A source sends: no more than the window lies unanswered. */
void check_sent(const char *client, const char *verb, struct bytes map);
/* Rows of the journal are read for a reader: one that has credit. */
void check_replay(void);
/* A rebuild takes the place of that worker's tables (fresh: the schema they were made in). */
void check_swap(struct db *fresh, bool session_goes_on);
/* A source was told an answer. */
void check_answer(const char *source, const struct answer *);
/* When all is healed and quiet: everybody at the head, nothing missing, nothing twice, every table a fresh fold. */
void check_end(void);

#endif
