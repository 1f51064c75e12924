/* A record's field set from what a person or a CSV cell says. */
#ifndef AFTERCARE_CLI_FIELD_TEXT_H
#define AFTERCARE_CLI_FIELD_TEXT_H

#include "calendar/zone.h"
#include "record/record.h"

#define TIME_FORMATS_MAX 8

/* How instants are written: formats of strptime, tried in order, in a zone, unless %z reads the
 * offset; "%s" alone is seconds since 1970; RFC 3339 is always understood. */
struct time_reading {
    const struct zone *zone; /* NULL: UTC */
    const char *formats[TIME_FORMATS_MAX];
    size_t formats_n;
};
/* What ends behind the years 0 to 9999 of UTC is no instant. */
bool time_read(const struct time_reading *, const char *text, int64_t *us);
/* Whether it names an instant alike on every machine: not by a zone's name (%Z), and %s alone. */
bool time_format_fits(const char *format);

/* The field at a dotted path ("customer.phone"); NULL: none. *owner_offset: of the struct it stands
 * in. */
const struct field *field_find(const struct record *, const char *path, size_t *offset);
/* Sets it. Lists of texts and numbers are separated by commas. False: the problem names path and
 * reason. */
bool field_set(const struct record *, void *object, const char *path, const char *text,
               const struct time_reading *, struct problem *) MUST_CHECK;
/* Fields as lines of help: "  customer.phone   text, personal   telephone". */
void field_help(const struct record *, const char *prefix, struct buf *out);

#endif
