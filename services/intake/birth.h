/* Whether a stream may begin in this data folder, and under which name. A folder that belongs to a stream says so: its key files name
 * it, and DATA/keys/stream. Where that stream is not in the database, the database is another one (a lost `dsn`, an empty restore),
 * and a new stream beside the old one's keys would look like nothing had happened. */
#ifndef AFTERCARE_INTAKE_BIRTH_H
#define AFTERCARE_INTAKE_BIRTH_H

#include "settings/settings.h"

/* NAME-8hex: a new one, or that of a beginning that broke off before its commit. False: the folder is another stream's (logged). */
bool birth_name(const struct settings *, const char *name, char out[64]) MUST_CHECK;
/* Before key files are made: they are of that stream, which is not there yet. False: cannot be written (logged). */
bool birth_said(const struct settings *, const char *stream) MUST_CHECK;
/* The stream stands in the journal. */
void birth_done(const struct settings *, const char *stream);

/* Of a stream that is in the database: the folder is not another one's. False: it is (logged). */
bool birth_is(const struct settings *, const char *stream) MUST_CHECK;

#endif
