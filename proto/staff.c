#include "proto/staff.h"

static const struct field text32_elem = ELEM_TEXT(32);

static const struct field post_rotated_fields[] = {
    F_TEXT(post_rotated, from, FIELD_KEYLIKE, "site left"),
    F_TEXT(post_rotated, to, FIELD_KEYLIKE, "new site"),
    F_TEXT(post_rotated, successor, FIELD_KEYLIKE, "who takes over the open jobs"),
    F_LIST(post_rotated, means, 0, &text32_elem,
           "how it was handed over: phone, mail, video, photos"),
    F_TEXT(post_rotated, file, 0, "number of the hand-over record"),
};
const struct record post_rotated_record =
    RECORD(post_rotated, post_rotated_fields, "a person changed the post");

static const struct field pass_granted_fields[] = {
    F_TEXT(pass_granted, pass, FIELD_REQUIRED,
           "training pass or certificate, by the policy's word"),
    F_TEXT(pass_granted, number, 0, "its number"),
    F_TIME(pass_granted, until, 0, "valid before this instant; absent: for good"),
    F_TEXT(pass_granted, issuer, FIELD_KEYLIKE, "who granted it"),
    F_TEXT(pass_granted, training, FIELD_KEYLIKE, "training it follows"),
};
const struct record pass_granted_record =
    RECORD(pass_granted, pass_granted_fields, "a training pass or certificate was granted");

static const struct field text80_elem = ELEM_TEXT(80);

static const struct field training_planned_fields[] = {
    F_LIST(training_planned, topics, 0, &text80_elem, "topics"),
    F_TEXT(training_planned, group, 0, "equipment group"),
    F_TEXT(training_planned, trainer, FIELD_KEYLIKE, "who teaches"),
    F_TEXT(training_planned, place, 0, "where"),
    F_INT_RANGE(training_planned, hours, 0, 0, 10000, "how long"),
    F_TEXT(training_planned, audience, 0, "for whom: equipment managers, operators, dealers …"),
    F_TEXT(training_planned, customer, FIELD_KEYLIKE, "customer whose people are trained"),
    F_TEXT(training_planned, site, FIELD_KEYLIKE, "dealer or station whose people are trained"),
    F_TEXT(training_planned, unit, FIELD_KEYLIKE, "serial of the unit"),
    F_TEXT(training_planned, ticket, FIELD_KEYLIKE, "ticket it belongs to"),
    F_TIME(training_planned, planned, 0, "when it is to be held"),
    F_TIME(training_planned, due, 0, "to be held by"),
};
const struct record training_planned_record =
    RECORD(training_planned, training_planned_fields, "a training is planned");

static const struct field training_held_fields[] = {
    F_TEXT(training_held, kind, 0, "customer, staff, dealer, course, exhibition, seminar"),
    F_LIST(training_held, topics, 0, &text80_elem, "what was taught"),
    F_TEXT(training_held, group, 0, "equipment group"),
    F_TEXT(training_held, trainer, FIELD_KEYLIKE, "who taught"),
    F_TEXT(training_held, place, 0, "where"),
    F_INT_RANGE(training_held, hours, 0, 0, 10000, "how long"),
    F_INT_RANGE(training_held, attended, 0, 0, 1000000, "how many came"),
    F_TEXT(training_held, training, FIELD_KEYLIKE,
           "the training planned, where the key is another thing"),
    F_TEXT(training_held, customer, FIELD_KEYLIKE, "customer whose people were trained"),
    F_TEXT(training_held, site, FIELD_KEYLIKE, "dealer or station whose people were trained"),
    F_TEXT(training_held, unit, FIELD_KEYLIKE, "serial of the unit"),
    F_TEXT(training_held, ticket, FIELD_KEYLIKE, "ticket it belongs to"),
    {.name = "signed",
     .kind = FIELD_BOOL,
     F_AT(training_held, signed_off),
     .doc = "signed by those who came"},
    F_TEXT(training_held, trainees, FIELD_PERSONAL, "who came"),
};
const struct record training_held_record =
    RECORD(training_held, training_held_fields, "a training was held");

static const struct field operator_changed_fields[] = {
    F_TEXT(operator_changed, unit, FIELD_KEYLIKE,
           "serial of the unit, where the key is another thing"),
    F_TEXT(operator_changed, customer, FIELD_KEYLIKE, "customer, where the key is another thing"),
    F_TIME(operator_changed, since, 0, "from then; absent: when the event occurred"),
    F_BOOL(operator_changed, trained, 0, "the new one has been trained before"),
    F_TEXT(operator_changed, name, FIELD_PERSONAL, "who operates it now"),
};
const struct record operator_changed_record = RECORD(
    operator_changed, operator_changed_fields, "the customer has another operator of the unit");
