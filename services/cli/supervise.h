/* Which processes make up a running system, and where they leave word. */
#ifndef AFTERCARE_CLI_SUPERVISE_H
#define AFTERCARE_CLI_SUPERVISE_H

#include "cli.h"
#include <sys/types.h>

/* Whom the daemons run as where root starts them. */
#define SERVICE_USER "aftercare"

/* The daemons in the order of their start. */
struct daemon_name {
    const char *name;    /* "dispatcher" */
    const char *program; /* "aftercare-dispatcher" */
};
const struct daemon_name *daemon_at(size_t i); /* NULL past the end */
/* "127.0.0.1:7410" */
const char *daemon_metrics(const struct settings *, const char *name);

/* The folder this program lies in, where its siblings are. */
void program_folder(char out[256]);
/* DATA/NAME */
void data_path(const struct settings *, const char *name, char out[400]);
/* With everything in it. False: errno says why. */
bool folder_remove(const char *path);

/* The supervisor that holds the data folder: its process id, 0: none. */
pid_t supervisor_pid(const struct settings *);

/* GET http://ENDPOINT/health: true when it is healthy; otherwise `why` says what it answered ("" =
 * nobody answers). */
bool health_ask(const char *endpoint, char why[200]);

/* False: `taken` cannot be bound, `why` says why. */
bool endpoints_free(const struct settings *, char taken[ENDPOINT_CAP], char why[200]);

#endif
