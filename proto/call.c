#include "proto/call.h"

static const struct field call_rang_fields[] = {
    F_TEXT(call_rang, line, 0, "line or extension that rings"),
    F_TEXT(call_rang, number, FIELD_PERSONAL, "caller's number"),
};
const struct record call_rang_record = RECORD(call_rang, call_rang_fields, "the telephone rings");

static const struct field call_received_fields[] = {
    F_TEXT(call_received, line, 0, "line that rang"),
    F_INT_RANGE(call_received, rings, 0, 0, 1000, "how often it rang"),
    F_TEXT(call_received, answered_by, FIELD_KEYLIKE, "who answered"),
    F_BOOL(call_received, diverted, 0, "on the duty line or mobile"),
    F_TEXT(call_received, customer, FIELD_KEYLIKE, "customer, where known"),
    F_TEXT(call_received, ticket, FIELD_KEYLIKE, "ticket it is about, where known"),
    F_TEXT(call_received, number, FIELD_PERSONAL, "caller's number"),
    F_TEXT(call_received, text, FIELD_PERSONAL, "what was said"),
};
const struct record call_received_record =
    RECORD(call_received, call_received_fields, "a call was answered");

static const struct field call_missed_fields[] = {
    F_TEXT(call_missed, line, 0, "line that rang"),
    F_INT_RANGE(call_missed, rings, 0, 0, 1000, "how often it rang"),
    F_TEXT(call_missed, on_duty, FIELD_KEYLIKE, "who was on duty"),
    F_TEXT(call_missed, reason, 0, "busy, nobody, hung-up"),
    F_TEXT(call_missed, number, FIELD_PERSONAL, "caller's number"),
};
const struct record call_missed_record =
    RECORD(call_missed, call_missed_fields, "a call was neither answered nor diverted");

static const struct field duty_scheduled_fields[] = {
    F_TEXT(duty_scheduled, person, FIELD_KEYLIKE, "who; absent: the key is the person"),
    F_TEXT(duty_scheduled, line, 0, "line or mobile; absent: the key is the line"),
    F_TIME(duty_scheduled, from, FIELD_REQUIRED, "from then"),
    F_TIME(duty_scheduled, until, 0, "to before then"),
    F_TEXT(duty_scheduled, role, 0, "clerk, supervisor …"),
    F_TEXT(duty_scheduled, site, FIELD_KEYLIKE, "site"),
    F_TEXT(duty_scheduled, mobile, FIELD_PERSONAL, "duty mobile"),
};
const struct record duty_scheduled_record =
    RECORD(duty_scheduled, duty_scheduled_fields, "somebody is put on duty");

static const struct field duty_failed_fields[] = {
    F_TEXT(duty_failed, person, FIELD_KEYLIKE, "who was on duty; absent: the key is the person"),
    F_TEXT(duty_failed, line, 0, "line or mobile; absent: the key is the line"),
    F_TEXT(duty_failed, reason, 0, "switched-off, absent, not-reached"),
    F_TEXT(duty_failed, call, FIELD_KEYLIKE, "call it came out by"),
    F_TEXT(duty_failed, note, 0, "remark, no personal data"),
};
const struct record duty_failed_record =
    RECORD(duty_failed, duty_failed_fields, "nobody was there who should have been");
