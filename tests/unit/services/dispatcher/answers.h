/* A worker's questions on a real PostgreSQL: its rows out of a story, its SQL, the answer as JSON
 * lines. */
#ifndef AFTERCARE_TEST_ANSWERS_H
#define AFTERCARE_TEST_ANSWERS_H

#include "pg/pg.h"
#include "unit/services/dispatcher/story.h"

/* Makes the worker's tables in its schema (the connection's search path) and fills them with the
 * story's rows. */
void answers_fill(struct pg *, const struct worker *, const struct story *);
/* At most `limit` rows behind the keyset `after`, each a JSON line of the fields that the catalogue
 * promises, in its order. The text lasts until the next call. */
const char *answers_ask(struct pg *, const struct worker *, const char *question,
                        const char *args_json, int64_t limit, const char *after);

#endif
