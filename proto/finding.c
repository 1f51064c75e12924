#include "proto/finding.h"

static const struct field accident_appraised_fields[] = {
    F_TEXT(accident_appraised, finding, FIELD_REQUIRED, "what was found, no personal data"),
    F_TEXT(accident_appraised, cause, 0, "cause code"),
    F_TEXT(accident_appraised, severity, 0, "how grave, the policy's word"),
    F_TEXT(accident_appraised, report, 0, "number of the report"),
};
const struct record accident_appraised_record =
    RECORD(accident_appraised, accident_appraised_fields, "a quality accident was appraised");

static const struct field solution_recorded_fields[] = {
    F_TEXT(solution_recorded, fault, FIELD_REQUIRED, "fault as seen"),
    F_TEXT(solution_recorded, cause, 0, "cause"),
    F_TEXT(solution_recorded, remedy, FIELD_REQUIRED, "what helps"),
    F_TEXT(solution_recorded, product, 0, "product line"),
    F_TEXT(solution_recorded, part, 0, "part or component"),
    F_TEXT(solution_recorded, ticket, FIELD_KEYLIKE, "ticket it comes from"),
};
const struct record solution_recorded_record =
    RECORD(solution_recorded, solution_recorded_fields, "a solution for the knowledge base");

static const struct field improvement_proposed_fields[] = {
    F_TEXT(improvement_proposed, proposal, FIELD_REQUIRED, "what should change, no personal data"),
    F_TEXT(improvement_proposed, of, 0, "product, process"),
    F_TEXT(improvement_proposed, basis, 0, "figures it follows from"),
    F_TEXT(improvement_proposed, department, 0, "department it goes to"),
    F_TEXT(improvement_proposed, product, 0, "product line"),
};
const struct record improvement_proposed_record =
    RECORD(improvement_proposed, improvement_proposed_fields, "an improvement was proposed");

static const struct field feedback_judged_fields[] = {
    F_TEXT(feedback_judged, verdict, FIELD_REQUIRED, "good, late, contradicted, incomplete"),
    F_TEXT(feedback_judged, site, FIELD_KEYLIKE, "outlet, where the key is another thing"),
    F_TEXT(feedback_judged, period, 0, "period it is for"),
    F_TEXT(feedback_judged, note, 0, "remark, no personal data"),
};
const struct record feedback_judged_record =
    RECORD(feedback_judged, feedback_judged_fields, "an outlet's quality feedback was judged");

static const struct field text160_elem = ELEM_TEXT(160);

static const struct field demonstration_reported_fields[] = {
    F_TEXT(demonstration_reported, product, 0, "product line"),
    F_TEXT(demonstration_reported, result, FIELD_REQUIRED, "what came of it"),
    F_TEXT(demonstration_reported, report, 0, "number of the trial report"),
    F_BOOL(demonstration_reported, complete, 0, "the report is complete"),
    F_LIST(demonstration_reported, findings, 0, &text160_elem, "what was found, no personal data"),
};
const struct record demonstration_reported_record =
    RECORD(demonstration_reported, demonstration_reported_fields,
           "a trial at a demonstration customer 示范户 was reported");

static const struct field price_changed_fields[] = {
    F_INT(price_changed, was, 0, "old price, in cents"),
    F_INT(price_changed, now, FIELD_REQUIRED, "new price, in cents"),
    F_BOOL(price_changed, clearance, 0, "it is a clearance"),
    F_TIME(price_changed, from, 0, "from then; absent: when the event occurred"),
};
const struct record price_changed_record =
    RECORD(price_changed, price_changed_fields, "a product's price changed");

static const struct field season_closed_fields[] = {
    F_TEXT(season_closed, season, FIELD_REQUIRED, "which season"),
    F_TEXT(season_closed, group, 0, "product group, where the key is narrower"),
};
const struct record season_closed_record =
    RECORD(season_closed, season_closed_fields, "an operating season 作业期 is over");

static const struct field archive_read_fields[] = {
    F_TEXT(archive_read, reason, FIELD_REQUIRED, "why"),
    F_TEXT(archive_read, scope, 0, "what was read: file, tickets, contract"),
};
const struct record archive_read_record =
    RECORD(archive_read, archive_read_fields, "a customer's file was read");
