/* The command line of aftercare-intake. */
#ifndef AFTERCARE_INTAKE_OPTIONS_H
#define AFTERCARE_INTAKE_OPTIONS_H

#include "event/stream.h"

#define OPTIONS_BRANCHES_MAX 64

enum options_mode { MODE_RUN, MODE_INIT, MODE_MIGRATE, MODE_VERIFY, MODE_REBUILD, MODE_PRINT_CONFIG };

struct options {
    enum options_mode mode;
    const char *config, *data;
    int64_t event; /* --verify --event; 0: all */
    /* --init */
    const char *name;
    int clock; /* enum stream_clock */
    int64_t start_us;
    const char *clock_source;
    bool keys; /* with key files, made where they are not */
    const char *branches[OPTIONS_BRANCHES_MAX]; /* "ID" or "ID:REGION,REGION" */
    size_t branches_n;
};

/* Ends the process on --help, --version and mistakes (exit code 2). */
void options_parse(struct options *, int argc, char **argv);

#endif
