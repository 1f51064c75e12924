/* The beginning of a stream: schema, position 1 and the first principals. */
#ifndef AFTERCARE_INTAKE_INIT_H
#define AFTERCARE_INTAKE_INIT_H

#include "options.h"
#include "settings/settings.h"
#include <stdbool.h>

/* True when the stream is there afterwards, made now or before under the same name. */
bool stream_init(const struct options *, const struct settings *);
bool stream_migrate(const struct settings *);

#endif
