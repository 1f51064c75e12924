#include "proto/contract.h"

static const struct field contract_clause_fields[] = {
    F_TEXT(contract_clause, clause, FIELD_REQUIRED,
           "clause of the policy it replaces, or its own word"),
    F_TEXT(contract_clause, text, 0, "what it says, no personal data"),
};
static const struct record contract_clause_record =
    RECORD(contract_clause, contract_clause_fields, "a clause that beats the standard");
static const struct field contract_clause_elem =
    ELEM_RECORD(&contract_clause_record, struct contract_clause);

static const struct field contract_milestone_fields[] = {
    F_TEXT(contract_milestone, milestone, FIELD_REQUIRED,
           "mortgage-granted, instalment-1, completed, keys-handed-over …"),
    F_TIME(contract_milestone, due, 0, "by then"),
    F_INT(contract_milestone, amount, 0, "amount that falls due, in cents"),
};
static const struct record contract_milestone_record =
    RECORD(contract_milestone, contract_milestone_fields, "a date the contract sets");
static const struct field contract_milestone_elem =
    ELEM_RECORD(&contract_milestone_record, struct contract_milestone);

static const struct field key65_elem = {
    .name = "", .kind = FIELD_TEXT, .size = 65, .flags = FIELD_KEYLIKE};

static const struct field contract_signed_fields[] = {
    F_TEXT(contract_signed, customer, FIELD_KEYLIKE, "customer"),
    F_TEXT(contract_signed, payment, 0, "payment kind: mortgage, instalments, lump-sum"),
    F_TEXT(contract_signed, product, 0, "product line"),
    F_TEXT(contract_signed, region, 0, "where it is"),
    F_SLICE(contract_signed, units, 0, &key65_elem, 200, "serials of the units"),
    F_INT(contract_signed, amount, 0, "amount in cents"),
    F_TIME(contract_signed, signed_on, 0, "date of signing; absent: when the event occurred"),
    F_LIST(contract_signed, clauses, 0, &contract_clause_elem, "clauses that beat the standard"),
    F_LIST(contract_signed, milestones, 0, &contract_milestone_elem, "dates it sets"),
    F_TEXT(contract_signed, body, 0, "inspection body for disputes"),
    F_TEXT(contract_signed, filed, 0, "where it is filed"),
    F_TIME(contract_signed, due, 0, "first payment due; later ones: payment.received"),
};
const struct record contract_signed_record =
    RECORD(contract_signed, contract_signed_fields, "a contract was signed");

static const struct field milestone_reached_fields[] = {
    F_TEXT(milestone_reached, milestone, FIELD_REQUIRED,
           "mortgage-granted, completed, keys-handed-over, title-papers, customer-does-it, "
           "papers-complete …"),
    F_TEXT(milestone_reached, evidence, 0, "document that shows it"),
    F_TEXT(milestone_reached, note, 0, "remark, no personal data"),
};
const struct record milestone_reached_record =
    RECORD(milestone_reached, milestone_reached_fields, "a milestone of the contract was reached");

static const struct field payment_received_fields[] = {
    F_INT(payment_received, amount, 0, "amount in cents"),
    F_TEXT(payment_received, milestone, 0, "what for: instalment-1, deposit, parts …"),
    F_BOOL(payment_received, complete, 0, "nothing is left to pay"),
    F_TEXT(payment_received, means, 0, "transfer, cash, mortgage"),
    F_TEXT(payment_received, receipt, 0, "number of the receipt"),
    F_TEXT(payment_received, contract, FIELD_KEYLIKE, "contract, where the key is another thing"),
    F_TEXT(payment_received, order, FIELD_KEYLIKE, "order, where the key is another thing"),
    F_TEXT(payment_received, payer, FIELD_KEYLIKE, "customer or dealer who paid"),
    F_TIME(payment_received, next_due, 0, "next payment due by the contract; absent: none"),
};
const struct record payment_received_record =
    RECORD(payment_received, payment_received_fields, "money came in");

static const struct field order_progressed_fields[] = {
    F_TEXT(order_progressed, state, FIELD_REQUIRED, "ordered, in-production, tested, packed …"),
    F_INT_RANGE(order_progressed, percent, 0, 0, 100, "how far"),
    F_TIME(order_progressed, expected, 0, "ready by then"),
    F_BOOL(order_progressed, told, 0, "the customer was told"),
    F_TEXT(order_progressed, customer, FIELD_KEYLIKE, "customer"),
};
const struct record order_progressed_record =
    RECORD(order_progressed, order_progressed_fields, "how far an order is");

static const struct field text65_elem = ELEM_TEXT(65);

static const struct field shipment_released_fields[] = {
    F_TEXT(shipment_released, delivery_order, 0, "number of the delivery order 发货单"),
    F_BOOL(shipment_released, tested, 0, "tests are passed"),
    {.name = "signed",
     .kind = FIELD_BOOL,
     F_AT(shipment_released, signed_off),
     .doc = "all signatures are there"},
    F_LIST(shipment_released, signatures, 0, &text65_elem, "who signed"),
    F_TEXT(shipment_released, carrier, 0, "who carries it"),
    F_TEXT(shipment_released, waybill, 0, "number of the carrier"),
    F_TEXT(shipment_released, ticket, FIELD_KEYLIKE, "commissioning it begins"),
};
const struct record shipment_released_record =
    RECORD(shipment_released, shipment_released_fields, "an order may leave");
