/* Any record filled by its field table, so that every field is said: the same each time. */
#ifndef AFTERCARE_TESTS_PROTO_SAMPLE_H
#define AFTERCARE_TESTS_PROTO_SAMPLE_H

#include "record/record.h"

/* RAW and BYTES point to constants, SLICEs to the arena. */
void sample_fill(const struct record *, void *object, struct arena *);

#endif
