#include "proto/part.h"

static const struct field part_line_fields[] = {
    F_TEXT(part_line, part, FIELD_REQUIRED, "part number"),
    F_INT_DEF(part_line, quantity, 0, 1, 1, 100000, "pieces"),
    F_TEXT(part_line, serial, FIELD_KEYLIKE, "serial of the part, where it has one"),
    F_TEXT(part_line, tag, 0, "tag of an old part"),
    F_INT(part_line, amount, 0, "amount in cents"),
};
static const struct record part_line_record =
    RECORD(part_line, part_line_fields, "a part and how many");
static const struct field part_line_elem = ELEM_RECORD(&part_line_record, struct part_line);

static const struct field part_ordered_fields[] = {
    F_LIST(part_ordered, lines, 0, &part_line_elem, "parts"),
    F_TEXT(part_ordered, site, FIELD_KEYLIKE, "dealer or station that orders"),
    F_TEXT(part_ordered, ticket, FIELD_KEYLIKE, "ticket they are for"),
    F_INT(part_ordered, amount, 0, "total in cents"),
    F_BOOL(part_ordered, prepaid, 0, "payment comes before delivery"),
    F_TIME(part_ordered, wanted, 0, "wanted by"),
};
const struct record part_ordered_record =
    RECORD(part_ordered, part_ordered_fields, "parts were ordered");

static const struct field part_supplied_fields[] = {
    F_LIST(part_supplied, lines, 0, &part_line_elem, "parts"),
    F_TEXT(part_supplied, site, FIELD_KEYLIKE, "to which dealer, station or office"),
    F_TEXT(part_supplied, order, FIELD_KEYLIKE,
           "order they are for, where the key is another thing"),
    F_TEXT(part_supplied, ticket, FIELD_KEYLIKE, "ticket they are for"),
    F_TEXT(part_supplied, list, 0, "number of the delivery list 发货清单"),
    F_TEXT(part_supplied, waybill, 0, "number of the carrier"),
    F_BOOL(part_supplied, partial, 0, "more will follow"),
};
const struct record part_supplied_record =
    RECORD(part_supplied, part_supplied_fields, "parts were sent out");

static const struct field part_returned_fields[] = {
    F_LIST(part_returned, lines, 0, &part_line_elem, "parts"),
    F_TEXT(part_returned, site, FIELD_KEYLIKE, "dealer or station that sends them"),
    F_TEXT(part_returned, ticket, FIELD_KEYLIKE, "ticket they come from"),
    F_TEXT(part_returned, job, 0, "job they come from"),
    F_TEXT(part_returned, means, 0, "post, courier, delivery-lorry"),
    F_TEXT(part_returned, waybill, 0, "number of the carrier"),
    F_BOOL(part_returned, records, 0, "the repair records are with them"),
};
const struct record part_returned_record =
    RECORD(part_returned, part_returned_fields, "old parts were sent in");

static const struct field material_requested_fields[] = {
    F_LIST(material_requested, lines, 0, &part_line_elem, "what and how many"),
    F_TEXT(material_requested, site, FIELD_KEYLIKE, "where it is needed"),
    F_TEXT(material_requested, engineer, FIELD_KEYLIKE, "who needs it"),
    F_TEXT(material_requested, ticket, FIELD_KEYLIKE, "ticket it is for"),
    F_TIME(material_requested, wanted, 0, "needed by"),
    F_TEXT(material_requested, reason, 0, "why"),
};
const struct record material_requested_record =
    RECORD(material_requested, material_requested_fields, "field staff need something");
