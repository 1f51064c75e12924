/* job.* 派工: one offer of a ticket to a site and what came of it; keyed by the ticket, data.job = TICKET/jk. approval.* and quote.*
 * stand here too: they hold a job up. */
#ifndef AFTERCARE_PROTO_JOB_H
#define AFTERCARE_PROTO_JOB_H

#include "policy/policy.h"
#include "record/record.h"

#define JOB_CAP 72

struct job_offered {
    char job[JOB_CAP];
    char site[65];
    int64_t tier;
    int64_t due_us; /* answer by; 0 = no limit */
    char silence[16]; /* expires, accepts */
    char policy[POLICY_VERSION_CAP];
    char reason[48];  /* first, next, tier-up, nobody-else, reopened */
    int64_t candidates, load; /* how many there were; the chosen one's open jobs */
    char choice[200]; /* "D05=3 D07=4/10 D09=10/10!capacity +20!territory": SITE=LOAD[/CAPACITY][@ENGINEER][!what removed it], best first */
    char engineer[65]; /* whom the dispatcher would send; the site may send another */
};
struct job_accepted {
    char job[JOB_CAP];
    char site[65];     /* set by the dispatcher's conclusions; a fact's site is intake's */
    char engineer[65]; /* "": who was offered it */
    char implied[16];  /* "" a fact; silence, report, resolved: the dispatcher's conclusion */
    int64_t arrival_us; /* promised */
};
struct job_declined { char job[JOB_CAP]; char reason[48]; char note[200]; };
struct job_expired { char job[JOB_CAP]; char site[65]; int64_t due_us; };
struct job_arrived { char job[JOB_CAP]; char engineer[65]; };
struct job_part { char part[64]; int64_t quantity; bool old_kept; };
struct job_reported { /* 报告单 */
    char job[JOB_CAP];
    char outcome[48]; /* done, advised, failed, … : "failed" does not resolve */
    char cause[48];
    char fault[160], work[400];
    struct job_part parts[16];
    uint32_t parts_n;
    int64_t labour_minutes;
    bool paid;
    bool signed_by_customer; /* on the wire: signed */
    char engineer[65]; /* who did it, where it is another */
};
struct job_withdrawn { char job[JOB_CAP]; char site[65]; char reason[48]; /* resolved, taken, cancelled, moved-on */ };
struct job_handed_over { char job[JOB_CAP]; char to[65]; char reason[160]; char engineer[65]; };
struct approval_requested { char approval[JOB_CAP]; char level[48]; char reason[160]; int64_t amount; };
struct approval_decided { char approval[JOB_CAP]; bool approved; char level[48]; char reason[160]; char what[32]; struct span more; };
struct quote_requested { char quote[JOB_CAP]; char job[JOB_CAP]; char reason[160]; };
struct quote_line { char item[120]; int64_t amount; char price_source[32]; };
struct quote_issued { char quote[JOB_CAP]; struct quote_line lines[16]; uint32_t lines_n; int64_t total; int64_t valid_until_us; };
struct quote_decided { char quote[JOB_CAP]; bool accepted; char reason[160]; };

extern const struct record job_offered_record, job_accepted_record, job_declined_record, job_expired_record,
    job_arrived_record, job_reported_record, job_withdrawn_record, job_handed_over_record, approval_requested_record,
    approval_decided_record, quote_requested_record, quote_issued_record, quote_decided_record;

#endif
