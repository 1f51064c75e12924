/* What is known of the promises on one key: how they stand, what they are chosen by, what was said
 * of them, and the policies and calendars they were counted by. limits.c gathers it, limits_print.c
 * tells it. */
#ifndef AFTERCARE_CLI_LIMITS_WHY_H
#define AFTERCARE_CLI_LIMITS_WHY_H

#include "cli.h"
#include "event/event.h"
#include "limits_explain.h"

struct said { /* an sla.* event */
    int64_t pos, at_us;
    char type[EVENT_TYPE_CAP];
    const void *data;
};
struct origin { /* any other event of the key */
    int64_t pos, at_us, rec_us;
    char type[EVENT_TYPE_CAP], by[EVENT_BY_CAP];
};
struct known_policy {
    char version[POLICY_VERSION_CAP];
    struct policy *policy;
};
struct known_calendar {
    char name[48], version[64];
    struct calendar *calendar;
    int64_t pos;
};
struct why {
    struct cli *cli;
    const char *key;
    struct arena *arena;
    struct subject_row subject;
    bool has_subject;
    struct limit_row *limits;
    size_t limits_n, limits_cap;
    struct said *said;
    size_t said_n, said_cap;
    struct origin *origins;
    size_t origins_n, origins_cap;
    struct known_policy *policies;
    size_t policies_n, policies_cap;
    struct known_calendar *calendars;
    size_t calendars_n, calendars_cap;
    int64_t now_us;
};

const struct origin *why_origin(const struct why *, int64_t pos);

/* For people, one section a promise; for programs, one JSON object. */
void why_print(const struct why *);
void why_print_json(const struct why *);

/* --- shared by the two (limits_facts.c) ------------------------------------------------------- */
/* All that is to be told of one promise. */
struct facts_of_limit {
    const struct limit_row *row;
    struct counting counting;
    bool counts;                      /* its clause and line are known */
    const struct sla_scheduled *last; /* where it was said last; NULL: nowhere */
    const struct sla_limit *limit;    /* therein */
    struct sla_pause waits[8];        /* those that the clause waits for */
    size_t waits_n;
    int64_t until_us; /* up to where it was counted: due, or where it began to wait */
    struct counted windows[COUNTED_MAX];
    size_t windows_n;
    bool more;
    int64_t counted_us;
    int unknown_years[8]; /* counted by the week: the calendar has no holidays of them */
    size_t unknown_years_n;
};
void limit_facts(const struct why *, const struct limit_row *, struct facts_of_limit *);
/* The promise said in the i-th event said, where it is about it; NULL: it is not. */
const struct sla_limit *said_limit(const struct said *, const struct limit_row *);
bool said_is_about(const struct said *, const struct limit_row *);
/* Was that level of the promise's last target announced? 0: no; else when. */
int64_t level_announced_us(const struct why *, const struct limit_row *, int64_t level);

#endif
