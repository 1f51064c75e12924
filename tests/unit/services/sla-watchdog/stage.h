/* A journal in memory with the watchdog's real core on it: facts are told, time passes, what it
 * says is taken up. */
#ifndef AFTERCARE_TESTS_STAGE_H
#define AFTERCARE_TESTS_STAGE_H

#include "record/record.h"

struct stage;

/* A wall stream that begins at `start`, with this policy (YAML) and that calendar (YAML, or the
 * path of a file; NULL: none) in force. */
struct stage *stage_new(const char *start, const char *policy, const char *calendar);
void stage_destroy(struct stage **);

/* A ticket of that kind is registered and assessed; it happened at `at` (RFC 3339). */
void stage_open(struct stage *, const char *key, const char *kind, const char *at);
/* A fact recorded now; at: when it happened, NULL: now. data may be NULL (nothing but the envelope
 * matters). */
void stage_fact(struct stage *, const char *type, const char *key, const char *at);
void stage_say(struct stage *, const char *type, const char *key, const char *at,
               const struct record *, const void *data);
/* The same with data as JSON, read by the type's field table. */
void stage_tell(struct stage *, const char *type, const char *key, const char *at,
                const char *json);
/* What is told from now on follows from the event at that position; 0: from none. */
void stage_cause(struct stage *, uint64_t pos);
/* Another version of a policy or a calendar comes into force. */
void stage_policy(struct stage *, const char *yaml);
void stage_calendar(struct stage *, const char *yaml);
/* The worker reads everything, and what it concludes, until it has nothing more to say. */
void stage_settle(struct stage *);
void stage_time_us(struct stage *, int64_t us, bool settle);
/* Time comes to that instant; timers fire. settle: and what they lead to is read back. */
void stage_time(struct stage *, const char *at, bool settle);
/* Reads what is there once: conclusions stay in flight until stage_take. */
void stage_read(struct stage *);
void stage_take(struct stage *);
/* Dies without a commit since the last settle, and starts again from what was committed. */
void stage_restart(struct stage *);
/* Replays everything into an empty memory and compares every row with the living ones. */
void stage_rebuild(struct stage *);
/* No two events of the worker fill the same slot. */
bool stage_unique(const struct stage *);
/* What it said makes sense read from the front: a limit is met or broken once a target, and only
 * what was said is taken back. */
bool stage_coherent(const struct stage *);
/* The position of the last event told. */
uint64_t stage_head(const struct stage *);
/* The sla.* events since the last call, one a line: "type clause.k level due stopped to" with local
 * times. */
const char *stage_told(struct stage *);
size_t stage_open_rows(const struct stage *);
/* A row of the worker as it was committed; NULL: there is none. */
const void *stage_row(struct stage *, unsigned table, const char *key);

#endif
