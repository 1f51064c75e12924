#include "proto/job.h"

static const struct field job_offered_fields[] = {
    F_TEXT(job_offered, job, FIELD_REQUIRED, "the job, TICKET/jk"),
    F_TEXT(job_offered, site, FIELD_REQUIRED | FIELD_KEYLIKE, "site it is offered to"),
    F_INT_RANGE(job_offered, tier, FIELD_REQUIRED, 1, 9, "tier of the site"),
    F_TIME(job_offered, due, 0, "answer by; absent: no limit"),
    F_TEXT(job_offered, silence, 0, "what not answering means: expires, accepts"),
    F_TEXT(job_offered, policy, 0, "policy version followed"),
    F_TEXT(job_offered, reason, 0, "first, next, tier-up, nobody-else, reopened"),
    F_INT(job_offered, candidates, 0, "how many sites could have had it"),
    F_INT(job_offered, load, 0, "open jobs of the site"),
    F_TEXT(job_offered, choice, 0, "SITE=LOAD[/CAPACITY][@ENGINEER][!what removed it] …, best first; +N!why: so many others"),
    F_TEXT(job_offered, engineer, FIELD_KEYLIKE, "engineer proposed, where the site's are on record"),
};
const struct record job_offered_record = RECORD(job_offered, job_offered_fields, "a ticket was offered to a site");

static const struct field job_accepted_fields[] = {
    F_TEXT(job_accepted, job, FIELD_REQUIRED, "the job, TICKET/jk"),
    F_TEXT(job_accepted, site, FIELD_KEYLIKE, "site; in a fact intake sets it"),
    F_TEXT(job_accepted, engineer, FIELD_KEYLIKE, "engineer who goes, where it is another than proposed"),
    F_TEXT(job_accepted, implied, 0, "how it is known when nobody said so: silence, report, resolved"),
    F_TIME(job_accepted, arrival, 0, "arrival promised"),
};
const struct record job_accepted_record = RECORD(job_accepted, job_accepted_fields, "the site takes the job");

static const struct field job_declined_fields[] = {
    F_TEXT(job_declined, job, FIELD_REQUIRED, "the job, TICKET/jk"),
    F_TEXT(job_declined, reason, FIELD_REQUIRED, "reason code"),
    F_TEXT(job_declined, note, 0, "remark, no personal data"),
};
const struct record job_declined_record = RECORD(job_declined, job_declined_fields, "the site does not take the job");

static const struct field job_expired_fields[] = {
    F_TEXT(job_expired, job, FIELD_REQUIRED, "the job, TICKET/jk"),
    F_TEXT(job_expired, site, FIELD_KEYLIKE, "site that did not answer"),
    F_TIME(job_expired, due, 0, "answer was due"),
};
const struct record job_expired_record = RECORD(job_expired, job_expired_fields, "an offer was not answered in time");

static const struct field job_arrived_fields[] = {
    F_TEXT(job_arrived, job, FIELD_REQUIRED, "the job, TICKET/jk"),
    F_TEXT(job_arrived, engineer, FIELD_KEYLIKE, "engineer who arrived"),
};
const struct record job_arrived_record = RECORD(job_arrived, job_arrived_fields, "the engineer is there");

static const struct field job_part_fields[] = {
    F_TEXT(job_part, part, FIELD_REQUIRED, "part number"),
    F_INT_DEF(job_part, quantity, 0, 1, 1, 100000, "pieces"),
    F_BOOL(job_part, old_kept, 0, "the old part was kept"),
};
static const struct record job_part_record = RECORD(job_part, job_part_fields, "a part that was used");
static const struct field part_elem = ELEM_RECORD(&job_part_record, struct job_part);

static const struct field job_reported_fields[] = {
    F_TEXT(job_reported, job, FIELD_REQUIRED, "the job, TICKET/jk"),
    F_TEXT(job_reported, outcome, FIELD_REQUIRED, "done, advised, failed …; failed does not resolve"),
    F_TEXT(job_reported, cause, 0, "cause code"),
    F_TEXT(job_reported, fault, 0, "what was found"),
    F_TEXT(job_reported, work, 0, "what was done"),
    F_LIST(job_reported, parts, 0, &part_elem, "parts used"),
    F_INT_RANGE(job_reported, labour_minutes, 0, 0, 1000000, "minutes of work"),
    F_BOOL(job_reported, paid, 0, "at the customer's cost"),
    {.name = "signed", .kind = FIELD_BOOL, F_AT(job_reported, signed_by_customer), .doc = "signed by the customer"},
    F_TEXT(job_reported, engineer, FIELD_KEYLIKE, "engineer who did it, where it is another"),
};
const struct record job_reported_record = RECORD(job_reported, job_reported_fields, "the site's report 报告单");

static const struct field job_withdrawn_fields[] = {
    F_TEXT(job_withdrawn, job, FIELD_REQUIRED, "the job, TICKET/jk"),
    F_TEXT(job_withdrawn, site, FIELD_KEYLIKE, "site that has it no longer"),
    F_TEXT(job_withdrawn, reason, FIELD_REQUIRED, "resolved, taken, cancelled, moved-on"),
};
const struct record job_withdrawn_record = RECORD(job_withdrawn, job_withdrawn_fields, "an offer or job was taken back");

static const struct field job_handed_over_fields[] = {
    F_TEXT(job_handed_over, job, FIELD_REQUIRED, "the job, TICKET/jk"),
    F_TEXT(job_handed_over, to, FIELD_REQUIRED | FIELD_KEYLIKE, "site that goes on with it"),
    F_TEXT(job_handed_over, reason, 0, "why"),
    F_TEXT(job_handed_over, engineer, FIELD_KEYLIKE, "engineer who goes on with it; of the same site too"),
};
const struct record job_handed_over_record = RECORD(job_handed_over, job_handed_over_fields, "a job went to another site");
