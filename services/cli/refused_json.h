/* A refused event as JSON {type, v, key, at, by, cause, data, personal}. */
#ifndef AFTERCARE_CLI_REFUSED_JSON_H
#define AFTERCARE_CLI_REFUSED_JSON_H

#include "refused.h"
#include <jansson.h>

/* NULL: it cannot be read. The caller's. */
json_t *refusal_json(const struct refusal *);

#endif
