/* What is agreed with and said to the customer on the way, and to the company from outside: files,
 * plans, appointments, help, visits, letters and guests. */
#ifndef AFTERCARE_PROTO_CONTACT_H
#define AFTERCARE_PROTO_CONTACT_H

#include "policy/policy.h"
#include "proto/job.h"
#include "record/record.h"

struct ticket_filed {
    char department[64];
    char number[64];
    char note[200];
};
struct ticket_planned {
    char department[64];
    char owner[65];
    struct span limit;
    int64_t due_us;
    char means[32];
    char plan[400];
};
struct appointment_agreed {
    int64_t appointment_us;
    int64_t until_us;
    bool moved;
    char reason[160];
    char means[32];
    char job[JOB_CAP];
};
struct customer_informed {
    char about[48];
    char means[32];
    char customer[65];
    char text[2000]; /* personal */
};
struct help_requested {
    char helper[65];
    char matter[160];
    char means[32];
    char job[JOB_CAP];
};
struct help_given {
    char helper[65];
    int64_t minutes;
    char means[32];
    char outcome[48];
    char note[200];
};
struct visit_due {
    char plan[48];
    int64_t k;
    char kind[32];
    int64_t due_us;
    int64_t until_us;
    char customer[65];
    char policy[POLICY_VERSION_CAP];
};
struct visit_recorded {
    char plan[48];
    int64_t k;
    char kind[32];
    bool reached;
    char means[32];
    char engineer[65];
    char outcome[48];
    char findings[16][160];
    uint32_t findings_n;
    int64_t satisfaction;
    char note[2000]; /* personal */
};
struct notice_sent {
    char notice[48];
    char means[32];
    char number[64];
    char customer[65];
    char through[65];
    char recipient[120]; /* personal */
};
enum document_direction { DOCUMENT_IN, DOCUMENT_OUT };
struct document_registered {
    int direction; /* enum document_direction */
    char kind[32];
    char subject[200];
    char filed[64];
    char department[64];
    char answers[65];
    char ticket[65];
    char correspondent[120]; /* personal */
};
struct sample_sent {
    char product[64];
    int64_t quantity;
    char approval[72];
    char waybill[64];
};
struct guest_announced {
    char purpose[48];
    int64_t expected_us;
    int64_t persons;
    char departments[8][64];
    uint32_t departments_n;
    char customer[65];
    char guests[400]; /* personal */
};
struct guest_hosted {
    char purpose[48];
    char host[65];
    int64_t persons;
    char outcome[200];
};

extern const struct record ticket_filed_record, ticket_planned_record, appointment_agreed_record,
    customer_informed_record, help_requested_record, help_given_record, visit_due_record,
    visit_recorded_record, notice_sent_record, document_registered_record, sample_sent_record,
    guest_announced_record, guest_hosted_record;

#endif
