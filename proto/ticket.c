#include "proto/ticket.h"

static const struct field ticket_customer_fields[] = {
    F_TEXT(ticket_customer, id, FIELD_KEYLIKE, "customer's id, where known"),
    F_TEXT(ticket_customer, grade, 0, "class of the customer, the policy's own word"),
    F_TEXT(ticket_customer, name, FIELD_PERSONAL, "who asks"),
    F_TEXT(ticket_customer, phone, FIELD_PERSONAL, "telephone number"),
    F_TEXT(ticket_customer, address, FIELD_PERSONAL, "where to go"),
};
static const struct record ticket_customer_record = RECORD(ticket_customer, ticket_customer_fields, "the customer of a ticket");

static const struct field ticket_registered_fields[] = {
    F_TEXT(ticket_registered, kind, FIELD_REQUIRED, "kind of request, one of the policy's"),
    F_TEXT(ticket_registered, channel, 0, "how it came: phone, letter, visit, online"),
    F_TEXT(ticket_registered, region, 0, "where the work is"),
    F_TEXT(ticket_registered, product, 0, "product line, or the department in charge"),
    F_TEXT(ticket_registered, serial, FIELD_KEYLIKE, "serial of the unit, where it has one"),
    F_TEXT(ticket_registered, model, 0, "its grade or specification"),
    F_TEXT(ticket_registered, fault, 0, "the fault as seen, without names"),
    F_TEXT(ticket_registered, subject, 0, "what it is about, one line without names"),
    F_TEXT(ticket_registered, priority, 0, "priority asked for; the desk judges"),
    F_TEXT(ticket_registered, request_id, 0, "idempotency key of the sender"),
    F_TEXT(ticket_registered, call, FIELD_KEYLIKE, "call it comes from"),
    F_INT_DEF(ticket_registered, quantity, 0, 1, 1, 1000000, "units concerned"),
    F_TIME(ticket_registered, wanted, 0, "wanted by"),
    F_TIME(ticket_registered, purchased, 0, "bought on, as the customer says"),
    F_RECORD(ticket_registered, customer, 0, &ticket_customer_record, "who asks"),
    F_TEXT(ticket_registered, description, FIELD_PERSONAL, "the request in the customer's words"),
};
const struct record ticket_registered_record = RECORD(ticket_registered, ticket_registered_fields, "a customer's request, as the branch said it");

static const struct field ticket_assessed_fields[] = {
    F_TEXT(ticket_assessed, policy, 0, "policy version followed"),
    F_TEXT(ticket_assessed, kind, FIELD_REQUIRED, "kind of request"),
    F_TEXT(ticket_assessed, channel, 0, "how it came"),
    F_TEXT(ticket_assessed, region, 0, "where the work is"),
    F_TEXT(ticket_assessed, product, 0, "product line, or the department in charge"),
    F_TEXT(ticket_assessed, serial, FIELD_KEYLIKE, "serial of the unit"),
    F_TEXT(ticket_assessed, customer, FIELD_KEYLIKE, "customer's id"),
    F_TEXT(ticket_assessed, grade, 0, "class of the customer"),
    F_TEXT(ticket_assessed, priority, 0, "priority by the policy"),
    F_TEXT(ticket_assessed, coverage, 0, "三包判定: free, paid, partly, unknown"),
    F_TEXT(ticket_assessed, clause, 0, "clause of the coverage"),
    F_TIME(ticket_assessed, covered_until, 0, "end of the coverage"),
    F_TEXT(ticket_assessed, evidence, 0, "dates and events behind it"),
    F_TEXT(ticket_assessed, repeat_of, FIELD_KEYLIKE, "earlier ticket about the same unit and kind"),
    F_TIME(ticket_assessed, opened, FIELD_REQUIRED, "instant the ticket counts from"),
    F_INT_DEF(ticket_assessed, quantity, 0, 1, 1, 1000000, "units concerned"),
    F_BOOL(ticket_assessed, again, 0, "not the first judgement of this ticket"),
    F_TEXT(ticket_assessed, phase, 0, "phase of the contract: installation, trial, free, after"),
};
const struct record ticket_assessed_record = RECORD(ticket_assessed, ticket_assessed_fields, "the desk's judgement of a registration");

static const struct field ticket_reclassified_fields[] = {
    F_TEXT(ticket_reclassified, kind, 0, "new kind; absent: as it was"),
    F_TEXT(ticket_reclassified, priority, 0, "new priority; absent: as it was"),
    F_TEXT(ticket_reclassified, region, 0, "new region; absent: as it was"),
    F_TEXT(ticket_reclassified, product, 0, "new product line or department; absent: as it was"),
    F_TEXT(ticket_reclassified, reason, 0, "why"),
};
const struct record ticket_reclassified_record = RECORD(ticket_reclassified, ticket_reclassified_fields, "kind, priority, place or product were put right");

static const struct field ticket_replied_fields[] = {
    F_TEXT(ticket_replied, means, 0, "how: phone, letter, visit, online"),
    F_TEXT(ticket_replied, text, FIELD_PERSONAL, "what was said"),
};
const struct record ticket_replied_record = RECORD(ticket_replied, ticket_replied_fields, "the customer was answered");

static const struct field ticket_noted_fields[] = {
    F_TEXT(ticket_noted, kind, 0, "kind of note"),
    F_TEXT(ticket_noted, text, FIELD_PERSONAL, "the note"),
};
const struct record ticket_noted_record = RECORD(ticket_noted, ticket_noted_fields, "something was noted");

static const struct field ticket_waiting_fields[] = {
    F_TEXT(ticket_waiting, reason, FIELD_REQUIRED, "reason code"),
    F_TIME(ticket_waiting, until, 0, "expected end"),
};
const struct record ticket_waiting_record = RECORD(ticket_waiting, ticket_waiting_fields, "the work waits for something");

static const struct field ticket_resumed_fields[] = {
    F_TEXT(ticket_resumed, reason, 0, "reason code"),
};
const struct record ticket_resumed_record = RECORD(ticket_resumed, ticket_resumed_fields, "the work goes on");

static const struct field ticket_cancelled_fields[] = {
    F_TEXT(ticket_cancelled, reason, 0, "why"),
};
const struct record ticket_cancelled_record = RECORD(ticket_cancelled, ticket_cancelled_fields, "the request was withdrawn");

static const struct field ticket_explained_fields[] = {
    F_TEXT(ticket_explained, clause, FIELD_REQUIRED, "clause whose limit cannot be met"),
    F_TEXT(ticket_explained, reason, FIELD_REQUIRED, "why it cannot be met"),
};
const struct record ticket_explained_record = RECORD(ticket_explained, ticket_explained_fields, "why a limit cannot be met, said before it");

static const struct field ticket_resolved_fields[] = {
    F_TEXT(ticket_resolved, outcome, 0, "what came of it: done, advised, not-found"),
    F_TEXT(ticket_resolved, job, 0, "job that resolved it"),
    F_TIME(ticket_resolved, resolved, 0, "instant it counts from; absent: when the event occurred"),
    F_TEXT(ticket_resolved, note, 0, "remark, no personal data"),
};
const struct record ticket_resolved_record = RECORD(ticket_resolved, ticket_resolved_fields, "the work is done");

static const struct field ticket_escalated_fields[] = {
    F_INT_RANGE(ticket_escalated, tier, 0, 0, 9, "tier it went up to"),
    F_TEXT(ticket_escalated, to, 0, "rung of the ladder"),
    F_TEXT(ticket_escalated, why, 0, "why"),
};
const struct record ticket_escalated_record = RECORD(ticket_escalated, ticket_escalated_fields, "the ticket went up");

static const struct field ticket_closed_fields[] = {
    F_TEXT(ticket_closed, reason, FIELD_REQUIRED, "satisfied, window-over, recorded, cancelled"),
    F_INT_RANGE(ticket_closed, score, 0, 0, 5, "satisfaction, 1 to 5; 0: not asked"),
};
const struct record ticket_closed_record = RECORD(ticket_closed, ticket_closed_fields, "the ticket is over");

static const struct field ticket_reopened_fields[] = {
    F_TEXT(ticket_reopened, reason, 0, "why"),
    F_TEXT(ticket_reopened, job, 0, "job that has to be done again"),
};
const struct record ticket_reopened_record = RECORD(ticket_reopened, ticket_reopened_fields, "the same ticket goes on");
