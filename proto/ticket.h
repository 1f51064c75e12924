/* ticket.* 工单: one customer request, keyed by its number. */
#ifndef AFTERCARE_PROTO_TICKET_H
#define AFTERCARE_PROTO_TICKET_H

#include "policy/policy.h"
#include "record/record.h"

struct ticket_customer {
    char id[64];
    char grade[32];
    char name[120], phone[48], address[240]; /* personal */
};
struct ticket_registered {
    char kind[POLICY_KIND_CAP]; /* "repair"; the policy's kinds */
    char channel[32];           /* phone, letter, visit, online … */
    char region[24];            /* where the work is */
    char product[64];           /* product line, or department in charge of such things */
    char serial[64];            /* the unit, where it has one */
    char model[64];             /* its grade or specification 产品等级 (S1.3) */
    char fault[160];            /* the fault as seen 故障现象 (S11.1) */
    char subject[200];
    char priority[32];          /* asked for; the desk judges */
    char request_id[64];        /* idempotency key, per principal */
    char call[65];              /* call.received it cites */
    int64_t quantity;           /* units concerned, default 1 */
    int64_t wanted_us;          /* wanted by */
    int64_t purchased_us;       /* bought on, as the customer says (S1.3) */
    struct ticket_customer customer;
    char description[2000];     /* personal: free text */
};
struct ticket_assessed {
    char policy[POLICY_VERSION_CAP]; /* version followed */
    char kind[POLICY_KIND_CAP];
    char channel[32], region[24], product[64], serial[64];
    char customer[64], grade[32];
    char priority[32];
    char coverage[16];   /* free, paid, partly, unknown */
    char clause[32];     /* of the coverage */
    int64_t covered_until_us;
    char evidence[160];  /* dates and events behind it */
    char repeat_of[65];
    int64_t opened_us;   /* the instant the ticket counts from: min(at, rec) of its registration */
    int64_t quantity;
    bool again;          /* not the first one of this ticket */
    char phase[32];      /* of the contract: installation, trial, free, after */
};
struct ticket_reclassified { char kind[POLICY_KIND_CAP], priority[32], region[24], product[64]; char reason[160]; };
struct ticket_replied { char means[32]; char text[2000]; /* personal */ };
struct ticket_noted { char kind[32]; char text[2000]; /* personal */ };
struct ticket_waiting { char reason[48]; int64_t until_us; };
struct ticket_resumed { char reason[48]; };
struct ticket_cancelled { char reason[160]; };
struct ticket_explained { char clause[32]; char reason[160]; };
struct ticket_resolved { /* the dispatcher's, out of job.reported; or a fact of who imports */
    char outcome[48]; /* done, advised, not-found … */
    char job[72];
    int64_t resolved_us; /* the instant it counts from */
    char note[200];
};
struct ticket_escalated { int64_t tier; char to[48]; char why[48]; };
struct ticket_closed { char reason[48]; /* satisfied, window-over, recorded, cancelled */ int64_t score; };
struct ticket_reopened { char reason[160]; char job[72]; };

extern const struct record ticket_registered_record, ticket_assessed_record,
    ticket_reclassified_record, ticket_replied_record, ticket_noted_record, ticket_waiting_record,
    ticket_resumed_record, ticket_cancelled_record, ticket_explained_record, ticket_resolved_record,
    ticket_escalated_record, ticket_closed_record, ticket_reopened_record;

#endif
