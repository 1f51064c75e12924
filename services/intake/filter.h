/* What a reader of feed asked for and what its principal may see, against one event. Pure. AND between kinds, OR within. */
#ifndef AFTERCARE_INTAKE_FILTER_H
#define AFTERCARE_INTAKE_FILTER_H

#include "bus/verbs.h"
#include "rights.h"

/* Nothing is filtered: the reader sees every position. */
bool filter_is_whole(const struct verb_open *, const struct principal *);
bool filter_holds(const struct verb_open *, const struct principal *, const char *type, const char *key, const char *region,
                  const char *site);

#endif
