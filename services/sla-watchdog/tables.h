/* The watchdog's rows: what promises run on, its facts and waits, the clocks, and the reference
 * data they follow. The only place that names columns. */
#ifndef AFTERCARE_SLA_WATCHDOG_TABLES_H
#define AFTERCARE_SLA_WATCHDOG_TABLES_H

#include "event/event.h"
#include "policy/policy.h"
#include "services/sla-watchdog/clock.h"
#include "services/sla-watchdog/facts.h"
#include "table/table.h"

enum sla_watchdog_table {
    SLA_WATCHDOG_SUBJECT,
    SLA_WATCHDOG_PAUSE,
    SLA_WATCHDOG_CLOCK,
    SLA_WATCHDOG_PUBLISHED,
    SLA_WATCHDOG_TABLES
};
extern const struct table_def *const sla_watchdog_tables[SLA_WATCHDOG_TABLES];

struct counts_blob { /* a FIELD_BLOB: two bytes a clause, how many clocks it has had */
    uint32_t len;
    uint8_t data[2 * POLICY_CLAUSES_MAX];
};

/* What promises run on: a ticket, a unit, a call, a contract … by its key. */
struct subject {
    char subject[EVENT_KEY_CAP];
    char kind[POLICY_KIND_CAP];
    char region[EVENT_REGION_CAP];
    char product[POLICY_PRODUCT_CAP];
    char channel[POLICY_WORD_CAP];
    char priority[POLICY_WORD_CAP];
    char coverage[POLICY_COVERAGE_CAP];
    char phase[POLICY_WORD_CAP];
    int64_t policy;    /* position of the policy.published that it follows; 0: none that we know */
    int64_t opened_us; /* facts count from there at the earliest; of a ticket its opening */
    int64_t ended_us;  /* the ticket was closed or cancelled; 0: not */
    int64_t quantity;
    int64_t live;        /* bit i: a clock of clause i runs, or its end has not been said */
    int64_t quiet_us;    /* no clock ended behind that instant */
    int64_t scheduled_n; /* sla.scheduled read back */
    int64_t pauses_n;    /* rows of pause */
    int64_t forgotten;   /* facts that found no room */
    int64_t changed_pos; /* what it is was put right there last; 0: never */
    struct counts_blob counts;
    struct facts_blob facts;
    bool ticket;
    bool open; /* a ticket until it has ended, anything while a clock is live */
};

/* A fact about waiting, KEY/n. */
struct pause {
    char pause[EVENT_KEY_CAP + 8];
    char reason[48];
    int kind; /* enum pause_kind */
    int64_t at_us, pos;
    int64_t more_us; /* of a budget that was raised */
    char by[EVENT_BY_CAP];
};

/* said: as the last sla.scheduled read back has it; the others follow from the facts. */
struct clock {
    char clock[CLOCK_ID_CAP];    /* KEY/CLAUSE.k */
    char follows[44];            /* POLICY/CALENDAR: positions of what it was counted by, 0: none */
    int64_t target;              /* said */
    int64_t corrections;         /* of this target's verdict */
    int state;                   /* said: enum clock_state */
    int64_t start_pos, began_us; /* of the event it runs from */
    int64_t counted_us;          /* from which it counted first */
    int64_t from_us;             /* said */
    int64_t said_us;             /* the due instant said; 0: it waits */
    int64_t due_us;              /* as it is now; 0: it waits without bound */
    int64_t stopped_us;          /* 0: it has not come */
    int64_t ended_us;            /* cancelled, or the ticket ended */
    int64_t detected_us;         /* the breach was seen */
    int64_t since_us; /* past when it was chosen anew: nothing older is announced but the limit */
    int64_t level;    /* the last one announced; CLOCK_LEVEL_NONE: none */
    int64_t next_level,
        next_us;            /* the one that comes next, or the end of a wait; next_us 0: none */
    struct span span;       /* said */
    int64_t line;           /* said: of the clause's limits, from 1 */
    int64_t tier, quantity; /* of its start; 0: the subject's */
    bool reported_late;     /* met, told after the limit */
    bool explained;         /* stopped by the explanation */
    bool ordered;           /* what stands before its start in the same instant does not end it */
    bool lapsed;            /* no line is for it (any more); it may come back */
    int64_t fired_us;       /* volatile */
    bool open;              /* until nothing more can be said of it */
};
#define SLA_WATCHDOG_CLOCK_NEXT 0 /* by next_us */

/* A policy or calendar, by the position of its publication (20 digits). */
enum published_what { PUBLISHED_CALENDAR, PUBLISHED_POLICY };
struct published {
    char published[24];
    int what; /* enum published_what */
    char name[48];
    char version[POLICY_VERSION_CAP];
    int64_t pos;
    int64_t
        replaced; /* position of what those who follow it follow now; 0: it is in force for them */
    bool open;
};
#define SLA_WATCHDOG_PUBLISHED_NAME 0 /* by what, name, position */

void sla_watchdog_published_key(int64_t pos, char out[24]);
/* NULL: there is none (position 0). */
const struct published *sla_watchdog_published_at(const struct tables *, int64_t pos);
/* The newest version of that name; the newest policy of all where name is NULL. NULL: none. */
const struct published *sla_watchdog_published_newest(const struct tables *, enum published_what,
                                                      const char *name);
/* By its version; name NULL: whatever its name. */
const struct published *sla_watchdog_published_version(const struct tables *, enum published_what,
                                                       const char *name, const char *version);
void sla_watchdog_follows(int64_t policy, int64_t calendar, char out[44]);
/* Is what those clocks follow no longer in force for them? */
bool sla_watchdog_is_behind(const struct tables *, const char *follows);

/* How many clocks clause i has had on this key. */
int64_t sla_watchdog_count(const struct subject *, uint32_t i);
void sla_watchdog_count_set(struct subject *, uint32_t i, int64_t n);

#endif
