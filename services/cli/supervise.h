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

/* The socket folder is one installation's: its supervisor holds it. False: another does, owner says whose data folder it serves ("":
 * not known). */
bool sockets_hold(const struct settings *, int *fd, char owner[256]);
/* Only asks. */
bool sockets_are_free(const struct settings *, char owner[256]);
/* The file that is held is taken away with the data. */
void sockets_forget(const struct settings *);

/* GET http://ENDPOINT/health: true when it is healthy; otherwise `why` says what it answered ("" =
 * nobody answers). */
bool health_ask(const char *endpoint, char why[200]);

/* The same of a daemon of this data folder. OTHERS: another installation's answers at its address (why: the address). */
enum health { HEALTH_SILENT, HEALTH_OTHERS, HEALTH_ILL, HEALTH_GOOD };
enum health health_of(const struct settings *, const char *name, char why[200]);

/* What runs of this data folder, whoever started it: names with commas between. False: nothing does. */
bool folder_is_alive(const struct settings *, char names[160]);

/* False: `taken` cannot be bound, `why` says why. */
bool endpoints_free(const struct settings *, char taken[ENDPOINT_CAP], char why[200]);

#endif
