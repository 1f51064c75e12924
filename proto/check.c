#include "proto/check.h"

static const struct field job_checked_fields[] = {
    F_TEXT(job_checked, job, 0,
           "the job, TICKET/jk; absent: the ticket was handed to a department"),
    F_BOOL(job_checked, acted, FIELD_REQUIRED, "it was acted on"),
    F_TEXT(job_checked, responsible, FIELD_KEYLIKE, "person who should have acted"),
    F_TEXT(job_checked, finding, 0, "what was found, no personal data"),
};
const struct record job_checked_record =
    RECORD(job_checked, job_checked_fields, "a hand-over was checked");

static const struct field job_spot_checked_fields[] = {
    F_TEXT(job_spot_checked, job, FIELD_REQUIRED, "the job, TICKET/jk"),
    F_BOOL(job_spot_checked, in_scope, FIELD_REQUIRED,
           "within the warranty's scope; else it is refused"),
    F_BOOL(job_spot_checked, parts_kept, 0, "the old parts were there"),
    F_TEXT(job_spot_checked, finding, 0, "what was found, no personal data"),
};
const struct record job_spot_checked_record =
    RECORD(job_spot_checked, job_spot_checked_fields, "a repair was checked by a salesperson");

static const struct field briefing_confirmed_fields[] = {
    F_TEXT(briefing_confirmed, worker, FIELD_REQUIRED | FIELD_KEYLIKE, "who confirmed it"),
    F_TEXT(briefing_confirmed, step, 0, "work step it is for"),
    F_TEXT(briefing_confirmed, officer, FIELD_KEYLIKE, "safety officer 安全员"),
    F_TEXT(briefing_confirmed, certificate, 0, "certificate shown"),
    F_TEXT(briefing_confirmed, job, 0, "the job, TICKET/jk"),
};
const struct record briefing_confirmed_record =
    RECORD(briefing_confirmed, briefing_confirmed_fields,
           "a worker confirmed the safety briefing 安全交底");

static const struct field hazard_found_fields[] = {
    F_TEXT(hazard_found, hazard, FIELD_REQUIRED, "what was found"),
    F_TEXT(hazard_found, severity, 0, "how grave, the policy's word"),
    F_TEXT(hazard_found, officer, FIELD_KEYLIKE, "safety officer 安全员"),
    F_TEXT(hazard_found, place, 0, "where on the site"),
    F_TEXT(hazard_found, job, 0, "the job, TICKET/jk"),
};
const struct record hazard_found_record =
    RECORD(hazard_found, hazard_found_fields, "a hazard stops the work");

static const struct field hazard_cleared_fields[] = {
    F_TEXT(hazard_cleared, correction, 0, "what was done"),
    F_TEXT(hazard_cleared, officer, FIELD_REQUIRED | FIELD_KEYLIKE, "who accepted it"),
    F_TEXT(hazard_cleared, job, 0, "the job, TICKET/jk"),
};
const struct record hazard_cleared_record =
    RECORD(hazard_cleared, hazard_cleared_fields, "a hazard is put right and that was accepted");
