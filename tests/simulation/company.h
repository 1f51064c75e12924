/* Who takes part: intake on two hosts, the workers, branches with spools that outlive their processes, readers with cursors. */
#ifndef AFTERCARE_SIMULATION_COMPANY_H
#define AFTERCARE_SIMULATION_COMPANY_H

#include "db.h"
#include "settings/settings.h"
#include "worker/run.h"

#define WORKERS 4
extern const struct worker *const workers[WORKERS];

/* The stream's beginning, and everybody started. */
void company_begin(void);
/* Whatever died is started again, unless held. */
struct process *company_process(size_t i); /* the living ones; NULL: no more */
/* A second process of a worker, or an intake on the other host, beside the one that lives. */
void company_second(const char *name);

/* A worker's daemon until it ends; its exit code. why: of its shell, for ever. */
int worker_serve(const struct worker *, const struct settings *, const char **why);

/* clients.c: a source with a spool. */
void branches_begin(void);
/* Queued for ever; its number. `raw`: an encoded draft, copied. */
int64_t branch_put(const char *branch, struct bytes raw);
bool branches_are_answered(void);
size_t branches_answered(void);
void branches_print(void);
void readers_begin(void);
bool readers_are_at(uint64_t head);

/* facts.c: the world's news. */
void facts_begin(unsigned tickets, int64_t until_us);
void facts_see(const struct journal_row *); /* what happens next follows from what was journaled */

/* faults.c: from now until then. */
void faults_begin(int64_t until_us);

#define BRANCHES 5
extern const char *const branch_names[BRANCHES];

#endif
