#include "proto/followup.h"

static const struct field followup_due_fields[] = {
    F_INT_RANGE(followup_due, k, FIELD_REQUIRED, 1, 1000000, "which callback of the ticket"),
    F_TIME(followup_due, due, FIELD_REQUIRED, "to be made from then"),
    F_TIME(followup_due, until, 0, "missed after that"),
    F_TEXT(followup_due, policy, 0, "policy version followed"),
};
const struct record followup_due_record = RECORD(followup_due, followup_due_fields, "a callback 回访 is due");

static const struct field followup_recorded_fields[] = {
    F_INT_RANGE(followup_recorded, k, 0, 0, 1000000, "which callback; 0: the open one"),
    F_BOOL(followup_recorded, reached, FIELD_REQUIRED, "the customer was reached"),
    F_TEXT(followup_recorded, means, 0, "phone, letter, visit, online"),
    F_INT_RANGE(followup_recorded, attitude, 0, 0, 5, "score 1 to 5; 0: not asked"),
    F_INT_RANGE(followup_recorded, quality, 0, 0, 5, "score 1 to 5; 0: not asked"),
    F_INT_RANGE(followup_recorded, solved, 0, 0, 5, "score 1 to 5; 0: not asked"),
    F_INT_RANGE(followup_recorded, satisfaction, 0, 0, 5, "score 1 to 5; 0: not asked"),
    F_BOOL(followup_recorded, reopen, 0, "the customer wants it done again"),
    F_TEXT(followup_recorded, note, FIELD_PERSONAL, "what the customer said"),
};
const struct record followup_recorded_record = RECORD(followup_recorded, followup_recorded_fields, "a callback was tried or made");

static const struct field followup_missed_fields[] = {
    F_INT_RANGE(followup_missed, k, FIELD_REQUIRED, 1, 1000000, "which callback of the ticket"),
    F_TIME(followup_missed, due, 0, "it was due then"),
    F_TIME(followup_missed, until, 0, "end of its window"),
};
const struct record followup_missed_record = RECORD(followup_missed, followup_missed_fields, "a callback was not made");

static const struct field report_closed_fields[] = {
    F_TEXT(report_closed, report, FIELD_REQUIRED | FIELD_KEYLIKE, "name of the report: monthly"),
    F_TEXT(report_closed, period, FIELD_REQUIRED | FIELD_KEYLIKE, "period, 2011-08"),
};
const struct record report_closed_record = RECORD(report_closed, report_closed_fields, "a period is closed at this position");

static const struct field report_file_fields[] = {
    F_TEXT(report_file, name, FIELD_REQUIRED, "file name"),
    F_TEXT(report_file, media, 0, "media type"),
    F_BIN(report_file, sha256, FIELD_REQUIRED, "digest of its bytes"),
    F_INT(report_file, bytes, 0, "its length"),
};
static const struct record report_file_record = RECORD(report_file, report_file_fields, "a file of a report");
static const struct field report_file_elem = ELEM_RECORD(&report_file_record, struct report_file);

static const struct field report_published_fields[] = {
    F_TEXT(report_published, report, FIELD_REQUIRED | FIELD_KEYLIKE, "name of the report"),
    F_TEXT(report_published, period, FIELD_REQUIRED | FIELD_KEYLIKE, "period, 2011-08"),
    F_INT(report_published, pos, FIELD_REQUIRED, "position it was closed at"),
    F_LIST(report_published, files, 0, &report_file_elem, "its files"),
};
const struct record report_published_record = RECORD(report_published, report_published_fields, "the files of a report were written");
