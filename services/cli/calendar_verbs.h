/* The verbs of `aftercare calendar`: calendar.c reads the command line and the file, the larger
 * verbs have files of their own. */
#ifndef AFTERCARE_CLI_CALENDAR_VERBS_H
#define AFTERCARE_CLI_CALENDAR_VERBS_H

#include "calendar/calendar.h"
#include "cli.h"
#include <jansson.h>

#define CALENDAR_ARGS_MAX 2

struct calendar_call {
    struct cli *cli;
    const char *verb, *file, *month;
    const char *args[CALENDAR_ARGS_MAX];
    size_t args_n;
    struct arena *arena;
    struct buf text; /* of the file */
    struct calendar_def def;
    struct calendar *calendar; /* of the file; not for eval */
};

/* The hours and working days of a month, or the years that are known. */
int calendar_show(struct calendar_call *);
/* The years from … to that are counted by the week alone are said: as a note to people, or as
 * `,"by_week":[2027]`. */
void calendar_years_say(const struct calendar_call *, int64_t from_us, int64_t to_us,
                        struct buf *json);
/* "mon" … "sun" */
const char *calendar_weekday(enum language, int weekday);

/* A file of cases (calendars and what is asked of them), one JSON line of result each. */
int calendar_eval(struct calendar_call *);
/* One of its calendars: {"tz", "weekly", "holidays", "annual_holidays", "date_overrides",
 * "makeup_as", "breaks"}. NULL with the reason. Free with calendar_destroy. */
struct calendar *calendar_of_json(json_t *definition, struct problem *);
/* "2026-10-01" as days_from_civil. */
bool date_of_text(const char *text, int64_t *day);

#endif
