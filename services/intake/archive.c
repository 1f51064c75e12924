#include "archive.h"
#include "base/text.h"
#include "worker/reference.h"

static const struct field ticket_row_fields[] = {
    F_TEXT(ticket_row, number, FIELD_REQUIRED, "number"),
    F_BOOL(ticket_row, open, 0, "neither closed nor cancelled"),
    F_BOOL(ticket_row, resolved, 0, "the work is done"),
    F_TEXT(ticket_row, kind, 0, "kind of request"),
    F_TEXT(ticket_row, channel, 0, "how it came"),
    F_TEXT(ticket_row, region, 0, "where the work is"),
    F_TEXT(ticket_row, product, 0, "product line or department"),
    F_TEXT(ticket_row, serial, 0, "serial of the unit"),
    F_TEXT(ticket_row, customer, 0, "customer's id"),
    F_TEXT(ticket_row, grade, 0, "class of the customer"),
    F_TEXT(ticket_row, asked, 0, "priority asked for"),
    F_TEXT(ticket_row, priority, 0, "priority by the policy"),
    F_TEXT(ticket_row, coverage, 0, "free, paid, partly, unknown"),
    F_TEXT(ticket_row, clause, 0, "clause of the coverage"),
    F_TEXT(ticket_row, phase, 0, "phase of the contract"),
    F_TEXT(ticket_row, policy, 0, "policy version followed"),
    F_TEXT(ticket_row, site, 0, "site holding the open job"),
    F_TEXT(ticket_row, job, 0, "the open job"),
    F_TEXT(ticket_row, repeat_of, 0, "earlier ticket about the same unit and kind"),
    F_TIME(ticket_row, covered_until, 0, "end of the coverage"),
    F_TIME(ticket_row, opened, 0, "counts from"),
    F_INT(ticket_row, quantity, 0, "units concerned"),
};
static const struct record ticket_row_record = RECORD(ticket_row, ticket_row_fields, "a ticket 工单");
static const struct table_def ticket_table = {
    .name = "ticket", .row = &ticket_row_record, .open_offset = offsetof(struct ticket_row, open)};

static const struct field job_row_fields[] = {
    F_TEXT(job_row, job, FIELD_REQUIRED, "TICKET/jk"),
    F_BOOL(job_row, open, 0, "offered or accepted"),
    F_TEXT(job_row, ticket, 0, "its ticket"),
    F_TEXT(job_row, site, 0, "site it was offered to"),
};
static const struct record job_row_record = RECORD(job_row, job_row_fields, "a job 派工");
static const struct table_def job_table = {
    .name = "job", .row = &job_row_record, .open_offset = offsetof(struct job_row, open)};

static const struct field unit_ticket_fields[] = {
    F_TEXT(unit_ticket, ticket, 0, "ticket"),
    F_TEXT(unit_ticket, kind, 0, "its kind"),
    F_TIME(unit_ticket, opened, 0, "opened"),
    F_BOOL(unit_ticket, open, 0, "still open"),
};
static const struct record unit_ticket_record = RECORD(unit_ticket, unit_ticket_fields, "a ticket about the unit");
static const struct field unit_ticket_elem = ELEM_RECORD(&unit_ticket_record, struct unit_ticket);
static const struct field unit_row_fields[] = {
    F_TEXT(unit_row, serial, FIELD_REQUIRED, "serial"),
    F_BOOL(unit_row, open, 0, "never: fetched on demand"),
    F_TEXT(unit_row, product, 0, "product"),
    F_TEXT(unit_row, customer, 0, "customer"),
    F_TEXT(unit_row, dealer, 0, "site that sold it"),
    F_TEXT(unit_row, region, 0, "where it is used"),
    F_TIME(unit_row, sold, 0, "sold"),
    F_TIME(unit_row, accepted, 0, "accepted"),
    F_TIME(unit_row, card, 0, "warranty card came back"),
    F_TEXT(unit_row, phase, 0, "phase of its contract"),
    F_TEXT(unit_row, successor, 0, "exchanged for"),
    F_LIST(unit_row, tickets, 0, &unit_ticket_elem, "its newest tickets"),
};
static const struct record unit_row_record = RECORD(unit_row, unit_row_fields, "a sold unit");
static const struct table_def unit_table = {
    .name = "unit", .row = &unit_row_record, .open_offset = offsetof(struct unit_row, open)};

static const struct field customer_row_fields[] = {
    F_TEXT(customer_row, customer, FIELD_REQUIRED, "customer's id"),
    F_BOOL(customer_row, open, 0, "never: fetched on demand"),
    F_TEXT(customer_row, grade, 0, "class"),
    F_TEXT(customer_row, region, 0, "region"),
};
static const struct record customer_row_record = RECORD(customer_row, customer_row_fields, "a customer, without personal fields");
static const struct table_def customer_table = {
    .name = "customer", .row = &customer_row_record, .open_offset = offsetof(struct customer_row, open)};

static const struct field site_row_fields[] = {
    F_TEXT(site_row, site, FIELD_REQUIRED, "site"),
    F_BOOL(site_row, open, 0, "always"),
    F_BOOL(site_row, closed, 0, "takes no more offers"),
    F_TEXT(site_row, region, 0, "where it is"),
};
static const struct record site_row_record = RECORD(site_row, site_row_fields, "a site 网点");
static const struct table_def site_table = {
    .name = "site", .row = &site_row_record, .open_offset = offsetof(struct site_row, open), .whole = true};

static const struct field request_row_fields[] = {
    F_TEXT(request_row, request, FIELD_REQUIRED, "PRINCIPAL/request_id"),
    F_BOOL(request_row, open, 0, "never: fetched on demand"),
    F_INT(request_row, pos, 0, "position of the first registration with it"),
    F_BLOB(request_row, result, 0, "what was answered"),
};
static const struct record request_row_record = RECORD(request_row, request_row_fields, "an idempotency key");
static const struct table_def request_table = {
    .name = "request", .row = &request_row_record, .open_offset = offsetof(struct request_row, open)};

static const struct field counter_row_fields[] = {
    F_TEXT(counter_row, series, FIELD_REQUIRED, "PREFIX-YYYYMMDD"),
    F_BOOL(counter_row, open, 0, "never: fetched on demand"),
    F_INT(counter_row, last, 0, "last number given out"),
};
static const struct record counter_row_record = RECORD(counter_row, counter_row_fields, "ticket numbers of a day");
static const struct table_def counter_table = {
    .name = "counter", .row = &counter_row_record, .open_offset = offsetof(struct counter_row, open)};

static const struct field principal_row_fields[] = {
    F_TEXT(principal_row, id, FIELD_REQUIRED, "id"),
    F_BOOL(principal_row, open, 0, "not revoked"),
    F_RECORD(principal_row, granted, 0, &principal_record, "what it may"),
};
static const struct record principal_row_record = RECORD(principal_row, principal_row_fields, "who may append and read");
static const struct table_def principal_table = {
    .name = "principal", .row = &principal_row_record, .open_offset = offsetof(struct principal_row, open), .whole = true};

static const struct field file_row_fields[] = {
    F_TEXT(file_row, file, FIELD_REQUIRED, "digest of the content in hex, /, ticket"),
    F_BOOL(file_row, open, 0, "never: fetched on demand"),
    F_TEXT(file_row, ticket, 0, "the ticket it belongs to"),
    F_BIN(file_row, sha256, 0, "digest of the content"),
    F_INT(file_row, bytes, 0, "its length"),
    F_INT(file_row, pos, 0, "position of the newest file.attached"),
    F_INT(file_row, stored, 0, "position of its newest file.stored"),
};
static const struct record file_row_record = RECORD(file_row, file_row_fields, "a file of a ticket");
static const struct table_def file_table = {
    .name = "file", .row = &file_row_record, .open_offset = offsetof(struct file_row, open)};

void file_key(const uint8_t sha256[32], const char *ticket, char out[FILE_KEY_CAP])
{
    char hex[65];
    hex_print(sha256, 32, hex);
    text_format(out, FILE_KEY_CAP, "%s/%s", hex, ticket);
}

const struct table_def *const archive_tables[ARCHIVE_TABLES_N] = {
    [ARCHIVE_TICKETS] = &ticket_table,       [ARCHIVE_JOBS] = &job_table,
    [ARCHIVE_UNITS] = &unit_table,           [ARCHIVE_CUSTOMERS] = &customer_table,
    [ARCHIVE_SITES] = &site_table,           [ARCHIVE_REQUESTS] = &request_table,
    [ARCHIVE_COUNTERS] = &counter_table,     [ARCHIVE_PRINCIPALS] = &principal_table,
    [ARCHIVE_POLICIES] = &reference_policy_table, [ARCHIVE_CALENDARS] = &reference_calendar_table,
    [ARCHIVE_FILES] = &file_table,
};
