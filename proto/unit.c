#include "proto/unit.h"

static const struct field unit_received_fields[] = {
    F_TEXT(unit_received, serial, FIELD_KEYLIKE, "the unit, where it has a serial"),
    F_INT_DEF(unit_received, quantity, 0, 1, 1, 1000000, "units"),
    F_TEXT(unit_received, condition, 0, "condition on arrival: complete, damaged, washed …"),
    F_TEXT(unit_received, site, FIELD_KEYLIKE, "workshop or factory"),
    F_TEXT(unit_received, waybill, 0, "number of the carrier"),
    F_TIME(unit_received, dispatched, 0, "when the customer sent it"),
    F_TEXT(unit_received, note, 0, "remark, no personal data"),
};
const struct record unit_received_record =
    RECORD(unit_received, unit_received_fields, "units arrived at workshop or factory");

static const struct field unit_sent_back_fields[] = {
    F_TEXT(unit_sent_back, serial, FIELD_KEYLIKE, "the unit, where it has a serial"),
    F_INT_DEF(unit_sent_back, quantity, 0, 1, 1, 1000000, "units"),
    F_TEXT(unit_sent_back, site, FIELD_KEYLIKE, "workshop or factory"),
    F_TEXT(unit_sent_back, carrier, 0, "who carries it"),
    F_TEXT(unit_sent_back, waybill, 0, "number of the carrier"),
};
const struct record unit_sent_back_record =
    RECORD(unit_sent_back, unit_sent_back_fields, "units are on their way back");

static const struct field unit_delivered_fields[] = {
    F_TEXT(unit_delivered, serial, FIELD_KEYLIKE, "the unit, where it has a serial"),
    F_INT_DEF(unit_delivered, quantity, 0, 1, 1, 1000000, "units"),
    F_TEXT(unit_delivered, waybill, 0, "number of the carrier"),
    {.name = "signed",
     .kind = FIELD_BOOL,
     F_AT(unit_delivered, signed_off),
     .doc = "signed by the customer"},
};
const struct record unit_delivered_record =
    RECORD(unit_delivered, unit_delivered_fields, "units are in the customer's hands");

static const struct field unit_rejected_fields[] = {
    F_TEXT(unit_rejected, serial, FIELD_KEYLIKE, "the unit, where it has a serial"),
    F_INT_DEF(unit_rejected, quantity, 0, 1, 1, 1000000, "units"),
    F_TEXT(unit_rejected, reason, 0, "why"),
    F_TEXT(unit_rejected, return_note, 0, "number of the return note 退货单"),
};
const struct record unit_rejected_record = RECORD(
    unit_rejected, unit_rejected_fields, "commissioning or repair failed: the unit goes back 退货");

static const struct field test_proposed_fields[] = {
    F_TEXT(test_proposed, plan, 0, "number of the test plan"),
    F_TEXT(test_proposed, version, 0, "its version"),
    F_TEXT(test_proposed, side, 0, "who proposes: maker, customer"),
    F_TIME(test_proposed, planned, 0, "when it is to be held"),
    F_TEXT(test_proposed, ticket, FIELD_KEYLIKE, "ticket it belongs to"),
    F_TEXT(test_proposed, note, 0, "what it contains"),
};
const struct record test_proposed_record =
    RECORD(test_proposed, test_proposed_fields, "an acceptance test was proposed");

static const struct field test_agreed_fields[] = {
    F_TEXT(test_agreed, plan, 0, "number of the test plan"),
    F_TEXT(test_agreed, version, 0, "its version"),
    F_TEXT(test_agreed, side, 0, "who agrees: maker, customer, both"),
    F_TIME(test_agreed, planned, 0, "when it is to be held"),
    F_TEXT(test_agreed, ticket, FIELD_KEYLIKE, "ticket it belongs to"),
};
const struct record test_agreed_record =
    RECORD(test_agreed, test_agreed_fields, "the acceptance test was agreed");

static const struct field phase_started_fields[] = {
    F_TEXT(phase_started, phase, FIELD_REQUIRED, "installation, trial, free, after"),
    F_TIME(phase_started, until, 0, "end of the phase, where it is known"),
    F_TEXT(phase_started, confirmed, 0, "on whose confirmation: customer, maker, both"),
    F_TEXT(phase_started, ticket, FIELD_KEYLIKE, "ticket it follows from"),
};
const struct record phase_started_record =
    RECORD(phase_started, phase_started_fields, "a phase of the contract begins");
