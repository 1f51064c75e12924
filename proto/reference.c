#include "proto/reference.h"

static const struct field territory_elem = ELEM_TEXT(24);
static const struct field line_elem = ELEM_TEXT(64);

static const struct field site_updated_fields[] = {
    F_TEXT(site_updated, name, FIELD_REQUIRED, "name of the site"),
    F_INT_RANGE(site_updated, tier, FIELD_REQUIRED, 1, 9, "1 headquarters, 2 branch, 3 dealer or authorised station"),
    F_TEXT(site_updated, parent, FIELD_KEYLIKE, "site above it"),
    F_TEXT(site_updated, region, 0, "where it is"),
    F_LIST(site_updated, territories, 0, &territory_elem, "prefixes of the regions it serves; none: everywhere"),
    F_LIST(site_updated, products, 0, &line_elem, "product lines it is qualified for; none: all"),
    F_INT_RANGE(site_updated, capacity, 0, 0, 1000000000, "open jobs it can hold; 0: no bound"),
    F_BOOL(site_updated, closed, 0, "takes no more offers"),
};
const struct record site_updated_record = RECORD(site_updated, site_updated_fields, "a service site 网点, the whole of it each time");

static const struct field pass_fields[] = {
    F_TEXT(engineer_pass, pass, FIELD_REQUIRED, "training pass or certificate, by the policy's word"),
    F_TIME(engineer_pass, until, 0, "valid before this instant; absent: for good"),
};
static const struct record pass_record = RECORD(engineer_pass, pass_fields, "a pass 上岗证 or certificate");
static const struct field pass_elem = ELEM_RECORD(&pass_record, struct engineer_pass);
static const struct field shift_fields[] = {
    F_TIME(engineer_shift, from, 0, "from then"),
    F_TIME(engineer_shift, until, 0, "to before then; absent: without end"),
    F_BOOL(engineer_shift, off, 0, "not on duty then; else: on duty, whatever day it is"),
};
static const struct record shift_record = RECORD(engineer_shift, shift_fields, "a time on or off duty");
static const struct field shift_elem = ELEM_RECORD(&shift_record, struct engineer_shift);
const char *const engineer_day_names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL};
static const struct field day_elem = {.name = "", .kind = FIELD_ENUM, .size = sizeof(int), .names = engineer_day_names};

static const struct field engineer_updated_fields[] = {
    F_TEXT(engineer_updated, name, FIELD_PERSONAL, "name of the engineer"),
    F_TEXT(engineer_updated, site, FIELD_REQUIRED | FIELD_KEYLIKE, "site the engineer belongs to"),
    F_LIST(engineer_updated, skills, 0, &line_elem, "product lines the engineer knows; none: all"),
    F_BOOL(engineer_updated, off_duty, 0, "not available, until told otherwise"),
    F_LIST(engineer_updated, passes, 0, &pass_elem, "passes and certificates held"),
    F_LIST(engineer_updated, days, 0, &day_elem, "days on duty; none: every day"),
    F_LIST(engineer_updated, rota, 0, &shift_elem, "exceptions to the days; the last one that covers an instant decides"),
    F_INT_RANGE(engineer_updated, capacity, 0, 0, 100000, "jobs given a day; 0: no bound"),
    F_BOOL(engineer_updated, left, 0, "works here no longer"),
};
const struct record engineer_updated_record = RECORD(engineer_updated, engineer_updated_fields, "an engineer, the whole of it each time");

static const struct field customer_updated_fields[] = {
    F_TEXT(customer_updated, name, FIELD_PERSONAL, "name of the customer"),
    F_TEXT(customer_updated, phone, FIELD_PERSONAL, "telephone number"),
    F_TEXT(customer_updated, address, FIELD_PERSONAL, "address"),
    F_TEXT(customer_updated, grade, 0, "class of the customer, the policy's own word"),
    F_TEXT(customer_updated, region, 0, "where the customer is"),
};
const struct record customer_updated_record = RECORD(customer_updated, customer_updated_fields, "a customer, the whole of it each time");

static const struct field product_updated_fields[] = {
    F_TEXT(product_updated, name, FIELD_REQUIRED, "name of the product"),
    F_TEXT(product_updated, line, 0, "product line"),
    F_INT_RANGE(product_updated, warranty_months, 0, 0, 1200, "months of the makers' promise, for information"),
};
const struct record product_updated_record = RECORD(product_updated, product_updated_fields, "a product, the whole of it each time");

static const struct field unit_sold_fields[] = {
    F_TEXT(unit_sold, product, FIELD_REQUIRED, "product line or product"),
    F_TEXT(unit_sold, customer, FIELD_KEYLIKE, "customer who bought it"),
    F_TEXT(unit_sold, dealer, FIELD_KEYLIKE, "site that sold it"),
    F_TEXT(unit_sold, region, 0, "where it is used"),
    F_TIME(unit_sold, sold, 0, "date of sale; absent: when the event occurred"),
};
const struct record unit_sold_record = RECORD(unit_sold, unit_sold_fields, "a unit was sold");

static const struct field unit_accepted_fields[] = {
    F_TIME(unit_accepted, accepted, 0, "date of acceptance; absent: when the event occurred"),
    F_TEXT(unit_accepted, report, 0, "number of the acceptance report"),
};
const struct record unit_accepted_record = RECORD(unit_accepted, unit_accepted_fields, "a unit was commissioned and accepted 验收");

static const struct field card_returned_fields[] = {
    F_TIME(card_returned, returned, 0, "date it came back; absent: when the event occurred"),
};
const struct record card_returned_record = RECORD(card_returned, card_returned_fields, "the warranty card 三包回执卡 came back");

static const struct field unit_exchanged_fields[] = {
    F_TEXT(unit_exchanged, successor, FIELD_REQUIRED | FIELD_KEYLIKE, "serial of the unit given for it"),
    F_TEXT(unit_exchanged, reason, 0, "why it was exchanged"),
};
const struct record unit_exchanged_record = RECORD(unit_exchanged, unit_exchanged_fields, "a unit was exchanged 换机");
