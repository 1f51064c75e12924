/* One YAML file for all daemons of a host, read through this record; each value may be overridden by the environment:
 * AFTERCARE_INTAKE_CMD=tcp://… sets intake.cmd. `--print-config` prints the sample with every field's sentence. */
#ifndef AFTERCARE_SETTINGS_SETTINGS_H
#define AFTERCARE_SETTINGS_SETTINGS_H

#include "base/endpoints.h"
#include "record/record.h"


struct settings_intake {
    char cmd[ENDPOINT_CAP], live[ENDPOINT_CAP], feed[ENDPOINT_CAP]; /* where it binds, beside the socket folder */
    char key[256]; /* the server's key file */
    char metrics[64];
    char dsn[512];
    int64_t batch_events;
    int64_t lease_ms;
    int64_t refused_per_day;
    int64_t file_days, file_unfinished_mib, file_day_mib;
};
struct settings_worker {
    char dsn[512];
    char metrics[64];
    int64_t linger_events; /* 64 */
    int64_t linger_ms;     /* 5 */
    int64_t batch_events;  /* 2048 */
    int64_t cache_rows;    /* closed rows kept per table, 4096 */
};
struct settings_branch {
    char cmd[ENDPOINT_CAP]; /* where applications reach it */
    char key[256];          /* key file */
    char source[96], stream[64];
    char prefix[33];        /* of ticket numbers */
    char zone[48];
    char regions[384], sites[640]; /* with commas between */
    char metrics[64];
    int64_t facts_max, mib_max, files_mib;
};
struct settings {
    char data[256];    /* data folder */
    char sockets[256]; /* folder of ipc and PostgreSQL's socket */
    char log[8];       /* plain, json */
    /* where intake is reached: several with commas between, where one stands by for the other, in the same order each; "": the key
     * file says it */
    char cmd[ENDPOINTS_CAP], live[ENDPOINTS_CAP], feed[ENDPOINTS_CAP];
    char key[256]; /* a client's key file */
    struct settings_intake intake;
    struct settings_worker dispatcher, sla_watchdog, follow_up, reporting; /* on file: sla-watchdog, follow-up */
    struct settings_branch branch;
};
extern const struct record settings_record;

/* Defaults for a data folder (root: /var/lib/aftercare …; user: XDG), --data before AFTERCARE_DATA before these. dir NULL: not given. */
void settings_defaults(struct settings *, const char *data_dir);
/* Defaults, then the file (NULL: DATA/aftercare.yaml or /etc/aftercare/aftercare.yaml where there is one), then the environment. */
bool settings_read(struct settings *, const char *data_dir, const char *file, struct problems *) MUST_CHECK;
void settings_print(const struct settings *, struct buf *out); /* YAML with comments */
/* Where the key file of `name` (server, operator, a worker) is: `given` where that is set, NAME.key in the folder that
 * CREDENTIALS_DIRECTORY names, DATA/keys/NAME.key. False: there is none (the last of them is in `out` then). */
bool settings_key(const struct settings *, const char *given, const char *name, char out[400]);
/* The socket of that name (cmd, live, feed) in the socket folder. */
void settings_local(const struct settings *, const char *name, char out[ENDPOINT_CAP]);
const struct settings_worker *settings_worker(const struct settings *, const char *name);

#endif
