#include "proto/network.h"

static const struct field graded_figure_fields[] = {
    F_TEXT(graded_figure, name, FIELD_REQUIRED, "what it counts"),
    F_INT(graded_figure, value, 0, "how much"),
};
static const struct record graded_figure_record =
    RECORD(graded_figure, graded_figure_fields, "a figure");
static const struct field graded_figure_elem =
    ELEM_RECORD(&graded_figure_record, struct graded_figure);

static const struct field site_proposed_fields[] = {
    F_TEXT(site_proposed, city, 0, "where"),
    F_TEXT(site_proposed, city_class, 0, "class of the city, the policy's word"),
    F_INT_RANGE(site_proposed, sold, 0, 0, 1000000000, "units sold there in the last two years"),
    F_INT_RANGE(site_proposed, threshold, 0, 0, 1000000000, "what the class asks for"),
    F_TEXT(site_proposed, region, 0, "region"),
    F_TEXT(site_proposed, parent, FIELD_KEYLIKE, "site above it"),
    F_TEXT(site_proposed, note, 0, "remark, no personal data"),
};
const struct record site_proposed_record =
    RECORD(site_proposed, site_proposed_fields, "a new site was proposed");

static const struct field text160_elem = ELEM_TEXT(160);

static const struct field site_inspected_fields[] = {
    F_BOOL(site_inspected, passed, FIELD_REQUIRED, "fit or not"),
    F_TEXT(site_inspected, inspector, FIELD_KEYLIKE, "who inspected"),
    F_LIST(site_inspected, findings, 0, &text160_elem, "what was found"),
};
const struct record site_inspected_record =
    RECORD(site_inspected, site_inspected_fields, "a proposed site was inspected 考察");

static const struct field site_reviewed_fields[] = {
    F_BOOL(site_reviewed, passed, FIELD_REQUIRED, "agreed or not"),
    F_TEXT(site_reviewed, level, 0, "who reviewed, the policy's word"),
    F_TEXT(site_reviewed, reason, 0, "why"),
};
const struct record site_reviewed_record =
    RECORD(site_reviewed, site_reviewed_fields, "a proposed site was reviewed 审核");

static const struct field site_graded_fields[] = {
    F_TEXT(site_graded, period, FIELD_REQUIRED, "period, 2011-08 or 2011"),
    F_TEXT(site_graded, grade, FIELD_REQUIRED, "grade, the policy's word"),
    F_LIST(site_graded, figures, 0, &graded_figure_elem, "figures behind it"),
    F_TEXT(site_graded, reason, 0, "why"),
};
const struct record site_graded_record =
    RECORD(site_graded, site_graded_fields, "a site or dealer was graded");

static const struct field text64_elem = ELEM_TEXT(64);

static const struct field agreement_signed_fields[] = {
    F_TEXT(agreement_signed, number, 0, "its number"),
    F_TEXT(agreement_signed, region, 0, "region it covers"),
    F_TIME(agreement_signed, from, 0, "valid from"),
    F_TIME(agreement_signed, until, FIELD_REQUIRED, "valid before this instant"),
    F_LIST(agreement_signed, products, 0, &text64_elem, "product lines it covers; none: all"),
};
const struct record agreement_signed_record =
    RECORD(agreement_signed, agreement_signed_fields, "a dealer's agreement was signed");

static const struct field licence_recorded_fields[] = {
    F_TEXT(licence_recorded, number, FIELD_REQUIRED, "its number"),
    F_TEXT(licence_recorded, kind, 0, "business licence, certificate …"),
    F_TIME(licence_recorded, until, 0, "valid before this instant; absent: for good"),
};
const struct record licence_recorded_record =
    RECORD(licence_recorded, licence_recorded_fields, "a partner's licence is on file");

static const struct field person_appraised_fields[] = {
    F_TEXT(person_appraised, period, FIELD_REQUIRED, "period, 2011-08 or 2011"),
    F_TEXT(person_appraised, result, FIELD_REQUIRED, "result, the policy's word"),
    F_LIST(person_appraised, figures, 0, &graded_figure_elem, "figures behind it"),
    F_TEXT(person_appraised, site, FIELD_KEYLIKE, "site of the person"),
};
const struct record person_appraised_record =
    RECORD(person_appraised, person_appraised_fields, "a person's results were appraised");

static const struct field target_set_fields[] = {
    F_TEXT(target_set, period, FIELD_REQUIRED, "period, 2011-08 or 2011"),
    F_LIST(target_set, figures, 0, &graded_figure_elem, "what is to be reached"),
    F_TEXT(target_set, plan, 0, "work plan, no personal data"),
};
const struct record target_set_record =
    RECORD(target_set, target_set_fields, "targets for a period");
