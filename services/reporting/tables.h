/* What reporting keeps: the register 台账 with one line per ticket, the closed periods, the lines of closed periods as they
 * were, and the tier of each site. The only place that names columns. Nothing here is personal. */
#ifndef AFTERCARE_REPORTING_TABLES_H
#define AFTERCARE_REPORTING_TABLES_H

#include "event/event.h"
#include "policy/policy.h"
#include "table/table.h"

enum reporting_table { TABLE_TICKET, TABLE_PERIOD, TABLE_FROZEN, TABLE_SITE, TABLES_N };
enum period_index { PERIODS_BY_START };

enum ticket_state { TICKET_OPEN, TICKET_OFFERED, TICKET_ACCEPTED, TICKET_RESOLVED, TICKET_CLOSED, TICKET_CANCELLED };
enum limit_result { LIMIT_RUNNING, LIMIT_MET, LIMIT_MET_LATE, LIMIT_BREACHED }; /* late: in time, but told after the limit */
enum callback_state { CALLBACK_NONE, CALLBACK_DUE, CALLBACK_RECORDED, CALLBACK_MISSED, CALLBACK_VOID }; /* void: reopened or closed before */

#define TICKET_LIMITS_MAX 8
#define TICKET_CALLBACKS_MAX 3

struct ticket_limit {
    char clause[POLICY_WORD_CAP];
    int64_t k, due_us;
    int result; /* enum limit_result */
};
struct ticket_callback {
    int64_t k, due_us;
    int64_t satisfaction; /* 1–5, 0 not asked */
    int state;            /* enum callback_state */
};
struct ticket_row {
    char key[EVENT_KEY_CAP];
    bool open; /* until ticket.closed */
    int state; /* enum ticket_state */
    char kind[POLICY_KIND_CAP], region[EVENT_REGION_CAP], product[64], channel[32], priority[32], coverage[16];
    char month[8]; /* it was opened in, by the policy's zone */
    char site[EVENT_SITE_CAP];
    char repeat_of[EVENT_KEY_CAP];
    char policy[POLICY_VERSION_CAP];
    int64_t tier, job; /* of the site that has it; k of the current job, 0 none */
    int64_t opened_us, resolved_us, first_resolved_us, closed_us, reopened_us;
    int64_t reopenings, offers, declined, expired;
    int64_t met, breached; /* counts over limits; met includes what was told late */
    int callback;          /* of the last one */
    int64_t satisfaction;  /* of the last one that said so */
    struct ticket_limit limits[TICKET_LIMITS_MAX];
    uint32_t limits_n;
    struct ticket_callback callbacks[TICKET_CALLBACKS_MAX];
    uint32_t callbacks_n;
    int64_t earliest_us, latest_us; /* of all instants that put it in a period */
    int64_t changed_pos;            /* the event that changed it last */
};

/* A closed period. from ≤ instant < to. */
struct period_row {
    char key[EVENT_KEY_CAP]; /* REPORT.PERIOD */
    char report[32], period[8];
    char zone[48];
    int64_t from_us, to_us;
    int64_t pos, closed_us; /* the cut-off and its instant */
    int64_t published_pos;
    bool open; /* always: all periods stay in memory */
};

/* How a line was at the cut-off, kept at its first change afterwards. */
struct blob_ticket {
    uint32_t len;
    uint8_t data[2048];
};
struct frozen_row {
    char id[EVENT_KEY_CAP * 2 + 2]; /* PERIOD KEY/TICKET */
    char period[EVENT_KEY_CAP];
    char ticket[EVENT_KEY_CAP];
    bool open;   /* never: fetched on demand */
    bool absent; /* it was not in that period */
    int64_t pos; /* the event that changed it */
    struct blob_ticket image; /* msgpack of ticket_row */
};

struct site_tier_row {
    char site[EVENT_SITE_CAP];
    int64_t tier;
    bool open;
};

extern const struct record ticket_row_record, period_row_record;
extern const struct table_def *const reporting_tables[TABLES_N];

/* Whether the line has something to say about [from, to): opened, resolved, reopened, closed, or a limit or callback due. */
bool ticket_row_touches(const struct ticket_row *, int64_t from_us, int64_t to_us);
/* The resolution that the line stands at, from 1; callbacks are numbered by it. 0: never resolved. */
int64_t ticket_row_resolution(const struct ticket_row *);
/* Makes the computed columns fit the others: met, breached, callback, satisfaction, earliest, latest. */
void ticket_row_derive(struct ticket_row *);

#endif
