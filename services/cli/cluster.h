/* The private PostgreSQL cluster of a data folder: DATA/pg, reached only through a socket in the
 * sockets folder, one role and one schema a service. Where settings name another server, none is
 * made. */
#ifndef AFTERCARE_CLI_CLUSTER_H
#define AFTERCARE_CLI_CLUSTER_H

#include "settings/settings.h"
#include <stdbool.h>
#include <sys/types.h>

struct cluster {
    const struct settings *settings;
    char bin[128];  /* PostgreSQL's programs */
    char data[300]; /* DATA/pg */
    char why[400];  /* what went wrong, and what to do */
};

/* Whether a service's DSN means the private cluster; false: all have a server of their own. */
bool cluster_is_private(const struct settings *);
/* Finds PostgreSQL 15 or newer, and the version that made the cluster where there is one. False:
 * why says what to install. */
bool cluster_find(struct cluster *, const struct settings *);
bool cluster_exists(const struct cluster *);
/* initdb and its settings; as the user the server will run as. One that broke off is made anew. */
bool cluster_make(struct cluster *);
/* The command that runs the server in the foreground. */
void cluster_command(const struct cluster *, const char *argv[8], char storage[2][400]);
/* True when it takes connections. */
bool cluster_is_ready(const struct cluster *);
/* Whether the server that answers in the socket folder is of another data folder: why says whose. False also where nobody answers. */
bool cluster_is_anothers(struct cluster *);
/* A private cluster is about to be made, and a service's DSN names another server: `name` says which one's. */
bool cluster_is_mixed(const struct settings *, const char **name);
/* Database, roles, schemas and who may do what; may be run again. */
bool cluster_prepare(struct cluster *);
/* Is there a stream in it already? false with why[0] set: cannot tell. */
bool cluster_has_stream(struct cluster *);

#endif
