/* Follow-up's rows: tickets as far as their end depends on it, and callbacks. The only place that
 * names columns. */
#ifndef AFTERCARE_FOLLOW_UP_TABLES_H
#define AFTERCARE_FOLLOW_UP_TABLES_H

#include "event/event.h"
#include "policy/policy.h"
#include "services/follow-up/callback_next.h"
#include "table/table.h"

enum follow_up_table { FOLLOW_UP_TICKET, FOLLOW_UP_CALLBACK, FOLLOW_UP_TABLES };
extern const struct table_def *const follow_up_tables[FOLLOW_UP_TABLES];

enum ticket_state { TICKET_OPEN, TICKET_RESOLVED, TICKET_CLOSED, TICKET_CANCELLED };

struct ticket {
    char ticket[EVENT_KEY_CAP];
    char policy[POLICY_VERSION_CAP];
    char kind[POLICY_KIND_CAP];
    char region[EVENT_REGION_CAP];
    char product[64];
    char channel[32];
    char priority[32];
    char coverage[16];
    int state;           /* enum ticket_state */
    int64_t k;           /* how often it was resolved: its callback is TICKET/k */
    int64_t changed_pos; /* of the event that set the state */
    int64_t opened_us, closed_us;
    bool open; /* until closed */
};

#define CALLBACK_CAP 80
struct callback {
    char callback[CALLBACK_CAP]; /* TICKET/k */
    char ticket[EVENT_KEY_CAP];
    int64_t k;
    char region[EVENT_REGION_CAP];
    char kind[POLICY_KIND_CAP];
    int state;                             /* enum callback_state */
    int64_t resolved_us, due_us, until_us; /* until 0: no end */
    int64_t recorded_us;                   /* the last attempt */
    int64_t attempts;
    bool reached;
    bool reopen;                                     /* the customer wants it done again */
    int64_t attitude, quality, solved, satisfaction; /* 1–5, 0 = not asked */
    int64_t changed_pos;                             /* of the event that set the state */
    int64_t due_fired_us, until_fired_us;            /* volatile */
    bool open;                                       /* scheduled or due */
};
#define FOLLOW_UP_CALLBACK_DUE   0 /* scheduled ones by due_us */
#define FOLLOW_UP_CALLBACK_UNTIL 1 /* due ones by until_us */

void follow_up_callback_id(const char *ticket, int64_t k, char out[CALLBACK_CAP]);

#endif
