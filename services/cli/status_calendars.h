/* Calendars in force that do not know the holidays of the current or the next year. */
#ifndef AFTERCARE_CLI_STATUS_CALENDARS_H
#define AFTERCARE_CLI_STATUS_CALENDARS_H

#include "cli.h"

struct unknown_years {
    struct unknown_year {
        char name[48], version[64];
        int year; /* the first of the two that it does not know */
    } items[32];
    size_t n;
};
/* now_us: the stream's time. CLI_DONE, or the exit code. */
int unknown_years_read(const struct cli *, const char *stream, int64_t now_us,
                       struct unknown_years *) MUST_CHECK;

#endif
