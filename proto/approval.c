/* approval.* and quote.*: what holds a job up. */
#include "proto/job.h"

static const struct field approval_requested_fields[] = {
    F_TEXT(approval_requested, approval, FIELD_REQUIRED, "the approval, TICKET/ak"),
    F_TEXT(approval_requested, level, 0, "who has to decide"),
    F_TEXT(approval_requested, reason, 0, "what it is for"),
    F_INT(approval_requested, amount, 0, "amount in cents"),
};
const struct record approval_requested_record = RECORD(approval_requested, approval_requested_fields, "somebody above has to decide");

static const struct field approval_decided_fields[] = {
    F_TEXT(approval_decided, approval, FIELD_REQUIRED, "the approval, TICKET/ak"),
    F_BOOL(approval_decided, approved, FIELD_REQUIRED, "yes or no"),
    F_TEXT(approval_decided, level, 0, "who decided"),
    F_TEXT(approval_decided, reason, 0, "why; of a pause: the reason code of the waiting"),
    F_TEXT(approval_decided, what, 0, "what is approved, where it is not a job's cost: pause …"),
    F_SPAN(approval_decided, more, 0, "of a pause: how much longer it may last"),
};
const struct record approval_decided_record = RECORD(approval_decided, approval_decided_fields, "it was decided");

static const struct field quote_requested_fields[] = {
    F_TEXT(quote_requested, quote, FIELD_REQUIRED, "the quotation, TICKET/qk"),
    F_TEXT(quote_requested, job, 0, "job it is for"),
    F_TEXT(quote_requested, reason, 0, "why"),
};
const struct record quote_requested_record = RECORD(quote_requested, quote_requested_fields, "the customer wants a price first");

static const struct field quote_line_fields[] = {
    F_TEXT(quote_line, item, FIELD_REQUIRED, "part, labour or travel"),
    F_INT(quote_line, amount, 0, "amount in cents"),
    F_TEXT(quote_line, price_source, 0, "price list it stands in"),
};
static const struct record quote_line_record = RECORD(quote_line, quote_line_fields, "a line of a quotation");
static const struct field quote_line_elem = ELEM_RECORD(&quote_line_record, struct quote_line);

static const struct field quote_issued_fields[] = {
    F_TEXT(quote_issued, quote, FIELD_REQUIRED, "the quotation, TICKET/qk"),
    F_LIST(quote_issued, lines, 0, &quote_line_elem, "its lines"),
    F_INT(quote_issued, total, 0, "total in cents"),
    F_TIME(quote_issued, valid_until, 0, "end of its validity"),
};
const struct record quote_issued_record = RECORD(quote_issued, quote_issued_fields, "a quotation 报价 was given");

static const struct field quote_decided_fields[] = {
    F_TEXT(quote_decided, quote, FIELD_REQUIRED, "the quotation, TICKET/qk"),
    F_BOOL(quote_decided, accepted, FIELD_REQUIRED, "yes or no"),
    F_TEXT(quote_decided, reason, 0, "why"),
};
const struct record quote_decided_record = RECORD(quote_decided, quote_decided_fields, "the customer decided about a quotation");
