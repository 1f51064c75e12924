/* Who takes part: intake on two hosts, the workers, branches with spools that outlive their processes, readers with cursors, who asks,
 * and in a stepped stream who moves time. */
#ifndef AFTERCARE_SIMULATION_COMPANY_H
#define AFTERCARE_SIMULATION_COMPANY_H

#include "db.h"
#include "settings/settings.h"
#include "witness.h"
#include "worker/run.h"

/* The stream's beginning, and everybody started. standby: an intake on the other host from the beginning. */
void company_begin(bool stepped, bool standby);
/* Whatever died is started again, unless held. */
struct process *company_process(size_t i); /* the living ones; NULL: no more */
/* A second process of a worker, or an intake on the other host, beside the one that lives. */
void company_second(const char *name);
/* A rebuild or verify of that worker beside it, unless one is under way. */
void company_fold(size_t worker, bool verify);
/* How many of them came to their end. */
size_t company_folds(bool verify);
bool company_is_folding(void);
/* Of the list that everybody knows: "cmd", "feed"; the turn-th try. */
void company_endpoint(const char *kind, size_t turn, char out[ENDPOINT_CAP]);
void company_stream(char *out, size_t cap);

/* worker.c: a worker's daemon until it ends; its exit code. why: of its shell, for ever. */
int worker_serve(const struct worker *, const struct settings *, const char **why);
int worker_fold(const struct worker *, const struct settings *, bool verify);

/* clients.c: a source with a spool. */
void branches_begin(void);
/* Queued for ever; its number. `raw`: an encoded draft, copied. */
int64_t branch_put(const char *branch, struct bytes raw);
bool branches_are_answered(void);
size_t branches_answered(void);
void branches_print(void);
/* The highest position that any of them was told. */
int64_t branches_taken_upto(void);

/* followers.c */
void readers_begin(void);
bool readers_are_at(uint64_t head);
void readers_print(void);
struct process *reader_some(void);

/* stepper.c: the clock source; over_us: from then on it makes its last steps. */
void stepper_begin(int64_t over_us);
/* A fact for the step that is being made. False: it takes none. */
bool stepper_put(struct bytes raw);
bool stepper_is_done(void);
struct process *stepper_process(void);

/* facts.c: the world's news. */
void facts_begin(unsigned tickets, int64_t until_us);
void facts_see(const struct journal_row *); /* what happens next follows from what was journaled */

/* faults.c: from now until then. */
void faults_begin(int64_t until_us);
bool faults_are_over(void);

#define BRANCHES 5
extern const char *const branch_names[BRANCHES];

#endif
