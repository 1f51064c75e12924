#include "proto/contact.h"

static const char *const direction_names[] = {"in", "out", NULL};

static const struct field ticket_filed_fields[] = {
    F_TEXT(ticket_filed, department, FIELD_REQUIRED, "department or site in charge"),
    F_TEXT(ticket_filed, number, 0, "number it is filed under"),
    F_TEXT(ticket_filed, note, 0, "remark, no personal data"),
};
const struct record ticket_filed_record =
    RECORD(ticket_filed, ticket_filed_fields, "put on file 备案 with who is in charge");

static const struct field ticket_planned_fields[] = {
    F_TEXT(ticket_planned, department, 0, "department in charge"),
    F_TEXT(ticket_planned, owner, FIELD_KEYLIKE, "person in charge"),
    F_SPAN(ticket_planned, limit, 0, "time allowed"),
    F_TIME(ticket_planned, due, 0, "to be done by"),
    F_TEXT(ticket_planned, means, 0,
           "means of contact with the customer: phone, letter, visit, online"),
    F_TEXT(ticket_planned, plan, 0, "what will be done, no personal data"),
};
const struct record ticket_planned_record =
    RECORD(ticket_planned, ticket_planned_fields, "a handling plan was made");

static const struct field appointment_agreed_fields[] = {
    F_TIME(appointment_agreed, appointment, FIELD_REQUIRED, "the time agreed"),
    F_TIME(appointment_agreed, until, 0, "end of the window, where it is one"),
    F_BOOL(appointment_agreed, moved, 0, "it was agreed before and is moved"),
    F_TEXT(appointment_agreed, reason, 0, "why it was moved"),
    F_TEXT(appointment_agreed, means, 0, "how it was agreed: phone, letter, online"),
    F_TEXT(appointment_agreed, job, 0, "job it is for"),
};
const struct record appointment_agreed_record =
    RECORD(appointment_agreed, appointment_agreed_fields, "a time was agreed with the customer");

static const struct field customer_informed_fields[] = {
    F_TEXT(customer_informed, about, FIELD_REQUIRED,
           "what of: arrangement, treatment, result, delay, explanation"),
    F_TEXT(customer_informed, means, 0, "how: phone, letter, visit, online"),
    F_TEXT(customer_informed, customer, FIELD_KEYLIKE,
           "customer's id, where the key is another thing"),
    F_TEXT(customer_informed, text, FIELD_PERSONAL, "what was said"),
};
const struct record customer_informed_record =
    RECORD(customer_informed, customer_informed_fields, "the customer was told something");

static const struct field help_requested_fields[] = {
    F_TEXT(help_requested, helper, FIELD_KEYLIKE, "site or person asked"),
    F_TEXT(help_requested, matter, 0, "what for, no personal data"),
    F_TEXT(help_requested, means, 0, "phone, remote, visit"),
    F_TEXT(help_requested, job, 0, "job it is for"),
};
const struct record help_requested_record = RECORD(
    help_requested, help_requested_fields, "help was asked for; the ticket stays where it is");

static const struct field help_given_fields[] = {
    F_TEXT(help_given, helper, FIELD_KEYLIKE, "site or person that helped"),
    F_INT_RANGE(help_given, minutes, 0, 0, 1000000, "time spent"),
    F_TEXT(help_given, means, 0, "phone, remote, visit"),
    F_TEXT(help_given, outcome, 0, "what came of it: solved, advised, passed-on"),
    F_TEXT(help_given, note, 0, "remark, no personal data"),
};
const struct record help_given_record = RECORD(help_given, help_given_fields, "help was given");

static const struct field visit_due_fields[] = {
    F_TEXT(visit_due, plan, FIELD_REQUIRED, "plan of the policy it follows"),
    F_INT_RANGE(visit_due, k, FIELD_REQUIRED, 1, 1000000, "which visit of the plan on this key"),
    F_TEXT(visit_due, kind, 0, "revisit, maintenance, tracking, patrol"),
    F_TIME(visit_due, due, FIELD_REQUIRED, "to be made from then"),
    F_TIME(visit_due, until, 0, "missed after that"),
    F_TEXT(visit_due, customer, FIELD_KEYLIKE, "customer to be visited"),
    F_TEXT(visit_due, policy, 0, "policy version followed"),
};
const struct record visit_due_record =
    RECORD(visit_due, visit_due_fields,
           "a visit is due: revisit 回访, maintenance 保养, tracking, patrol 巡访");

static const struct field text160_elem = ELEM_TEXT(160);

static const struct field visit_recorded_fields[] = {
    F_TEXT(visit_recorded, plan, 0, "plan it belongs to; absent: unscheduled"),
    F_INT_RANGE(visit_recorded, k, 0, 0, 1000000, "which visit of the plan; 0: the open one"),
    F_TEXT(visit_recorded, kind, 0, "revisit, maintenance, tracking, patrol"),
    F_BOOL(visit_recorded, reached, FIELD_REQUIRED, "the customer was met or spoken to"),
    F_TEXT(visit_recorded, means, 0, "visit, phone, letter, online"),
    F_TEXT(visit_recorded, engineer, FIELD_KEYLIKE, "who went"),
    F_TEXT(visit_recorded, outcome, 0, "what came of it"),
    F_LIST(visit_recorded, findings, 0, &text160_elem,
           "findings of the checklist, no personal data"),
    F_INT_RANGE(visit_recorded, satisfaction, 0, 0, 5, "score 1 to 5; 0: not asked"),
    F_TEXT(visit_recorded, note, FIELD_PERSONAL,
           "what the customer said, of usage and of design, assembly and process too"),
};
const struct record visit_recorded_record =
    RECORD(visit_recorded, visit_recorded_fields, "a visit or a try at it");

static const struct field notice_sent_fields[] = {
    F_TEXT(notice_sent, notice, FIELD_REQUIRED, "what: move-in, payment-due, shipment …"),
    F_TEXT(notice_sent, means, 0, "registered-mail, fax, courier, handed-over"),
    F_TEXT(notice_sent, number, 0, "number of the letter or of the carrier"),
    F_TEXT(notice_sent, customer, FIELD_KEYLIKE, "customer it went to"),
    F_TEXT(notice_sent, through, FIELD_KEYLIKE, "site or company it went through"),
    F_TEXT(notice_sent, recipient, FIELD_PERSONAL, "to whom"),
};
const struct record notice_sent_record =
    RECORD(notice_sent, notice_sent_fields, "a notice went out");

static const struct field document_registered_fields[] = {
    F_ENUM(document_registered, direction, FIELD_REQUIRED, direction_names, "in or out"),
    F_TEXT(document_registered, kind, 0, "letter, fax, mail, visit, memo"),
    F_TEXT(document_registered, subject, 0, "what it is about, one line without names"),
    F_TEXT(document_registered, filed, 0, "where it is filed"),
    F_TEXT(document_registered, department, 0, "department it is for"),
    F_TEXT(document_registered, answers, FIELD_KEYLIKE, "document it answers"),
    F_TEXT(document_registered, ticket, FIELD_KEYLIKE, "ticket it belongs to"),
    F_TEXT(document_registered, correspondent, FIELD_PERSONAL, "from or to whom"),
};
const struct record document_registered_record =
    RECORD(document_registered, document_registered_fields, "a document came in or went out");

static const struct field sample_sent_fields[] = {
    F_TEXT(sample_sent, product, 0, "product"),
    F_INT_DEF(sample_sent, quantity, 0, 1, 1, 1000000, "pieces"),
    F_TEXT(sample_sent, approval, 0, "approval it follows"),
    F_TEXT(sample_sent, waybill, 0, "number of the carrier"),
};
const struct record sample_sent_record =
    RECORD(sample_sent, sample_sent_fields, "a sample was sent");

static const struct field text64_elem = ELEM_TEXT(64);

static const struct field guest_announced_fields[] = {
    F_TEXT(guest_announced, purpose, 0, "visit, verification …"),
    F_TIME(guest_announced, expected, 0, "when they come"),
    F_INT_RANGE(guest_announced, persons, 0, 0, 100000, "how many"),
    F_LIST(guest_announced, departments, 0, &text64_elem, "departments told"),
    F_TEXT(guest_announced, customer, FIELD_KEYLIKE, "customer they come from"),
    F_TEXT(guest_announced, guests, FIELD_PERSONAL, "who comes"),
};
const struct record guest_announced_record =
    RECORD(guest_announced, guest_announced_fields, "a visit to the company was announced");

static const struct field guest_hosted_fields[] = {
    F_TEXT(guest_hosted, purpose, 0, "visit, verification …"),
    F_TEXT(guest_hosted, host, FIELD_KEYLIKE, "who received them"),
    F_INT_RANGE(guest_hosted, persons, 0, 0, 100000, "how many came"),
    F_TEXT(guest_hosted, outcome, 0, "what came of it, no personal data"),
};
const struct record guest_hosted_record =
    RECORD(guest_hosted, guest_hosted_fields, "guests were received");
