#include "proto/quality.h"

static const struct field fault_attributed_fields[] = {
    F_TEXT(fault_attributed, to, FIELD_REQUIRED,
           "maker, supplier, dealer, installer, carrier, user, force-majeure"),
    F_TEXT(fault_attributed, evidence, 0, "what shows it"),
    F_TEXT(fault_attributed, level, 0, "who decided, the policy's word"),
    F_TEXT(fault_attributed, part, 0, "part or component at fault"),
    F_TEXT(fault_attributed, cause, 0, "cause code"),
    F_TEXT(fault_attributed, party, 0, "supplier, dealer or carrier by name"),
};
const struct record fault_attributed_record =
    RECORD(fault_attributed, fault_attributed_fields, "it was decided whose fault it is");

static const struct field text64_elem = ELEM_TEXT(64);

static const struct field quality_reported_fields[] = {
    F_TEXT(quality_reported, matter, FIELD_REQUIRED,
           "major, design, not-repairable, delivery, repeated …"),
    F_LIST(quality_reported, to, 0, &text64_elem, "departments or persons told"),
    F_TEXT(quality_reported, product, 0, "product line"),
    F_TEXT(quality_reported, part, 0, "part or component"),
    F_INT_RANGE(quality_reported, quantity, 0, 0, 1000000, "units concerned"),
    F_TEXT(quality_reported, finding, 0, "what was found, no personal data"),
};
const struct record quality_reported_record = RECORD(
    quality_reported, quality_reported_fields, "a quality problem was reported to those concerned");

static const struct field supplier_asked_fields[] = {
    F_TEXT(supplier_asked, supplier, FIELD_REQUIRED, "supplier of the unit or part"),
    F_TEXT(supplier_asked, part, 0, "what it is about"),
    F_BOOL(supplier_asked, recourse, 0, "costs are claimed"),
    F_INT(supplier_asked, amount, 0, "amount claimed, in cents"),
    F_TIME(supplier_asked, wanted, 0, "answer wanted by"),
    F_TEXT(supplier_asked, matter, 0, "what is asked, no personal data"),
};
const struct record supplier_asked_record =
    RECORD(supplier_asked, supplier_asked_fields, "a supplier was asked");

static const struct field supplier_answered_fields[] = {
    F_TEXT(supplier_answered, supplier, 0, "supplier"),
    F_TEXT(supplier_answered, outcome, 0, "repairs, replaces, pays, refuses"),
    F_INT(supplier_answered, amount, 0, "amount granted, in cents"),
    F_TEXT(supplier_answered, note, 0, "remark, no personal data"),
};
const struct record supplier_answered_record =
    RECORD(supplier_answered, supplier_answered_fields, "a supplier answered");

static const struct field inspection_requested_fields[] = {
    F_TEXT(inspection_requested, body, 0, "inspection body named in the contract"),
    F_TEXT(inspection_requested, matter, 0, "what is disputed, no personal data"),
    F_TEXT(inspection_requested, contract, FIELD_KEYLIKE, "contract that names the body"),
    F_TIME(inspection_requested, wanted, 0, "finding wanted by"),
};
const struct record inspection_requested_record =
    RECORD(inspection_requested, inspection_requested_fields, "an inspection was asked for");

static const struct field inspection_concluded_fields[] = {
    F_TEXT(inspection_concluded, finding, FIELD_REQUIRED, "product-fault, user-fault, no-fault …"),
    F_BOOL(inspection_concluded, final, 0, "nobody may dispute it"),
    F_TEXT(inspection_concluded, body, 0, "inspection body"),
    F_TEXT(inspection_concluded, report, 0, "number of its report"),
    F_TEXT(inspection_concluded, note, 0, "remark, no personal data"),
};
const struct record inspection_concluded_record =
    RECORD(inspection_concluded, inspection_concluded_fields, "the inspection has its finding");
