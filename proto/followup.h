/* followup.*: the callback 回访 after the work; keyed by the ticket. report.*: closing a period. */
#ifndef AFTERCARE_PROTO_FOLLOWUP_H
#define AFTERCARE_PROTO_FOLLOWUP_H

#include "policy/policy.h"
#include "record/record.h"

struct followup_due { int64_t k; int64_t due_us; int64_t until_us; char policy[POLICY_VERSION_CAP]; };
struct followup_recorded {
    int64_t k;        /* which callback, 0 = the open one */
    bool reached;
    char means[32];
    int64_t attitude, quality, solved, satisfaction; /* scores 1–5, 0 = not asked */
    bool reopen;      /* the customer wants it done again */
    char note[2000];  /* personal */
};
struct followup_missed { int64_t k; int64_t due_us, until_us; };
struct report_closed { char report[32]; char period[8]; /* "2011-08" */ }; /* key = REPORT.PERIOD; cut-off = its own position */
struct report_file { char name[120]; char media[80]; uint8_t sha256[32]; int64_t bytes; };
struct report_published { char report[32]; char period[8]; int64_t pos; struct report_file files[8]; uint32_t files_n; };

extern const struct record followup_due_record, followup_recorded_record, followup_missed_record, report_closed_record, report_published_record;

#endif
