/* A journal in memory for one worker: facts are told, the worker's conclusions are written down
 * behind them and read back, and what was concluded can be compared as prose. Also: the worker
 * dies, and is rebuilt. */
#ifndef AFTERCARE_TEST_STORY_H
#define AFTERCARE_TEST_STORY_H

#include "worker/run_core.h"

struct story;

/* begin: RFC 3339. policy: the YAML of the policy in force. */
struct story *story_new(const struct worker *, const char *begin, const char *policy);
void story_destroy(struct story **);

/* A fact that happens now, in JSON; the worker reads it at once and its conclusions are in the
 * journal afterwards. */
void story_tell(struct story *, const char *type, const char *key, const char *json);
/* The same, but the worker reads it with what comes next: they are one batch. */
void story_add(struct story *, const char *type, const char *key, const char *json);
/* The worker reads what was added; its conclusions stay on their way until somebody tells more or
 * story_land. */
void story_draw(struct story *);
void story_land(struct story *);
/* Time passes, in minutes, and whatever becomes due happens when it does. */
void story_wait(struct story *, int64_t minutes);
/* Time passes; what becomes due is concluded and stays on its way. */
void story_fire(struct story *, int64_t minutes);
int64_t story_now_us(const struct story *);

/* Conclusions since the last call, one line each, must be `want` (a line "" is nothing). Explains
 * itself with file and line. */
#define story_concludes(story, want) story_concludes_at(story, want, __FILE__, __LINE__)
void story_concludes_at(struct story *, const char *want, const char *file, int line);
size_t story_head(const struct story *);

/* A row as it is committed; NULL: none. */
const void *story_row(const struct story *, unsigned table, const char *key);
/* The same row in the worker's memory, volatile columns included; of whole tables. */
const void *story_memory(const struct story *, unsigned table, const char *key);

/* All committed rows. */
void story_each(const struct story *, void (*visit)(unsigned table, const void *row, void *arg),
                void *arg);

/* The worker dies: what is not committed is lost; it starts again with the rows and the journal. */
void story_restart(struct story *);
/* An empty worker reads the whole journal: it must conclude nothing that is there, and have the
 * same rows. False, with the first difference on stderr. */
bool story_rebuilds(struct story *);

/* Every body, length first, and every row as JSON: what another build must come to. */
void story_save(const struct story *, const char *path);
/* Reads such a file with this build's worker; the rows must be the same. */
bool story_repeats(const struct worker *, const char *path);

#endif
