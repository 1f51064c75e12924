#include "proto/branch.h"

static const struct field branch_status_row_fields[] = {
    F_TEXT(branch_status_row, service, FIELD_REQUIRED, "branch"),
    F_TEXT(branch_status_row, source, 0, "its name at intake"),
    F_TEXT(branch_status_row, stream, 0, "the stream's id; absent: not learnt yet"),
    F_TEXT(branch_status_row, line, 0, "up, down, denied"),
    F_TEXT(branch_status_row, why, 0, "why it is not up"),
    F_TIME(branch_status_row, since, 0, "the line is so since"),
    F_TIME(branch_status_row, heard, 0, "the centre's last word"),
    F_INT(branch_status_row, queued, 0, "facts that the centre has not answered"),
    F_TIME(branch_status_row, oldest, 0, "the oldest of them was taken"),
    F_INT(branch_status_row, queued_bytes, 0, "their bytes"),
    F_INT(branch_status_row, full_percent, 0, "of what the spool may hold"),
    F_INT(branch_status_row, refused, 0, "refused, neither corrected nor dropped"),
    F_INT(branch_status_row, sent_n, 0, "answered by the centre up to this number"),
    F_INT(branch_status_row, last_n, 0, "the highest number given out"),
    F_INT(branch_status_row, pos, 0, "the work list is true at this position"),
    F_TIME(branch_status_row, as_of, 0, "and at this time of the centre"),
    F_TIME(branch_status_row, list_heard, 0, "the branch's time when it was told so"),
    F_INT(branch_status_row, list_age_s, 0, "so many seconds ago"),
    F_INT(branch_status_row, clock_off_s, 0, "seconds that the branch's clock is before the centre's; 0: less than a minute"),
    F_BOOL(branch_status_row, disk_full, 0, "the last fact found no room on the disk"),
    F_INT(branch_status_row, files, 0, "files that wait to be sent"),
};
const struct record branch_status_row_record = RECORD(branch_status_row, branch_status_row_fields, "how a branch stands");

static const struct field branch_args_fields[] = {
    F_TEXT(branch_args, key, 0, "only of this ticket, unit, contract …"),
    F_TEXT(branch_args, state, 0, "only in this state"),
};
const struct record branch_args_record = RECORD(branch_args, branch_args_fields, "which ones");

static const struct field branch_job_row_fields[] = {
    F_TEXT(branch_job_row, job, FIELD_REQUIRED, "the job, TICKET/jk"),
    F_TEXT(branch_job_row, ticket, 0, "ticket"),
    F_TEXT(branch_job_row, site, 0, "site"),
    F_TEXT(branch_job_row, state, 0, "offered, accepted, arrived, reported, declined, expired, withdrawn"),
    F_TEXT(branch_job_row, queued, 0, "said here about the ticket, and not answered by the centre yet"),
    F_TIME(branch_job_row, offered, 0, "offered"),
    F_TIME(branch_job_row, due, 0, "answer by"),
    F_TEXT(branch_job_row, engineer, 0, "engineer"),
    F_TEXT(branch_job_row, kind, 0, "kind of request"),
    F_TEXT(branch_job_row, product, 0, "product line"),
    F_TEXT(branch_job_row, serial, 0, "serial of the unit"),
    F_TEXT(branch_job_row, priority, 0, "priority"),
    F_TEXT(branch_job_row, coverage, 0, "free, paid, partly, unknown"),
    F_TEXT(branch_job_row, region, 0, "where the work is"),
    F_TEXT(branch_job_row, subject, 0, "what it is about"),
    F_TEXT(branch_job_row, name, 0, "customer's name"),
    F_TEXT(branch_job_row, phone, 0, "customer's telephone"),
    F_TEXT(branch_job_row, address, 0, "customer's address"),
};
const struct record branch_job_row_record = RECORD(branch_job_row, branch_job_row_fields, "a job on the branch's work list");

static const struct field branch_limit_row_fields[] = {
    F_TEXT(branch_limit_row, limit, FIELD_REQUIRED, "KEY/CLAUSE.k"),
    F_TEXT(branch_limit_row, key, 0, "what it runs on"),
    F_TEXT(branch_limit_row, clause, 0, "clause of the policy"),
    F_INT(branch_limit_row, k, 0, "which start of the clause"),
    F_INT(branch_limit_row, target, 0, "which version of the limit"),
    F_TEXT(branch_limit_row, state, 0, "running, paused, breached"),
    F_TIME(branch_limit_row, due, 0, "the limit; absent: it waits"),
    F_INT(branch_limit_row, level, 0, "highest level announced"),
    F_TEXT(branch_limit_row, queued, 0, "said here about the key, and not answered by the centre yet"),
};
const struct record branch_limit_row_record = RECORD(branch_limit_row, branch_limit_row_fields, "a promise that still stands");

static const struct field branch_callback_row_fields[] = {
    F_TEXT(branch_callback_row, callback, FIELD_REQUIRED, "TICKET/k"),
    F_TEXT(branch_callback_row, ticket, 0, "ticket"),
    F_INT(branch_callback_row, k, 0, "which callback of the ticket"),
    F_TEXT(branch_callback_row, state, 0, "due"),
    F_TIME(branch_callback_row, due, 0, "to be made from then"),
    F_TIME(branch_callback_row, until, 0, "missed after that"),
    F_TEXT(branch_callback_row, queued, 0, "said here about the ticket, and not answered by the centre yet"),
    F_TEXT(branch_callback_row, name, 0, "customer's name"),
    F_TEXT(branch_callback_row, phone, 0, "customer's telephone"),
};
const struct record branch_callback_row_record =
    RECORD(branch_callback_row, branch_callback_row_fields, "a callback 回访 to be made");

static const struct field branch_queued_row_fields[] = {
    F_INT(branch_queued_row, n, FIELD_REQUIRED, "the branch's number"),
    F_TEXT(branch_queued_row, type, 0, "type of the event"),
    F_TEXT(branch_queued_row, key, 0, "what it is about"),
    F_TEXT(branch_queued_row, origin, 0, "who gave it"),
    F_TIME(branch_queued_row, taken, 0, "when the branch took it"),
    F_INT(branch_queued_row, bytes, 0, "its length"),
    F_INT(branch_queued_row, clock_off_s, 0, "seconds that the branch's clock was before the centre's then"),
};
const struct record branch_queued_row_record =
    RECORD(branch_queued_row, branch_queued_row_fields, "a fact that waits at the branch");

static const struct field branch_refused_args_fields[] = {
    F_INT(branch_refused_args, n, 0, "only this number"),
    F_BOOL(branch_refused_args, all, 0, "those that were settled too"),
};
const struct record branch_refused_args_record = RECORD(branch_refused_args, branch_refused_args_fields, "which refusals");

static const struct field branch_refused_row_fields[] = {
    F_INT(branch_refused_row, n, FIELD_REQUIRED, "the branch's number"),
    F_TEXT(branch_refused_row, type, 0, "type of the event"),
    F_TEXT(branch_refused_row, key, 0, "what it is about"),
    F_TEXT(branch_refused_row, origin, 0, "who gave it"),
    F_TIME(branch_refused_row, taken, 0, "when the branch took it"),
    F_TIME(branch_refused_row, refused, 0, "when the centre's answer came"),
    F_INT(branch_refused_row, clock_off_s, 0, "seconds that the branch's clock was before the centre's then"),
    F_TEXT(branch_refused_row, code, 0, "what is wrong"),
    F_TEXT(branch_refused_row, field, 0, "where"),
    F_TEXT(branch_refused_row, args, 0, "what was found or expected"),
    F_TEXT(branch_refused_row, state, 0, "open, corrected, dropped"),
    F_INT(branch_refused_row, corrected_by, 0, "sent again under this number"),
    F_TEXT(branch_refused_row, reason, 0, "why it was dropped"),
    F_TEXT(branch_refused_row, by, 0, "who dropped it"),
    F_BYTES(branch_refused_row, draft, 0, EVENT_BYTES_MAX, "the event as it was sent, where one number was asked for"),
};
const struct record branch_refused_row_record =
    RECORD(branch_refused_row, branch_refused_row_fields, "a fact that the centre refused");

static const struct field branch_drop_args_fields[] = {
    F_INT(branch_drop_args, n, FIELD_REQUIRED, "the branch's number of a refused fact"),
    F_TEXT(branch_drop_args, reason, FIELD_REQUIRED, "why it is left out"),
    F_TEXT(branch_drop_args, by, 0, "who says so"),
};
const struct record branch_drop_args_record = RECORD(branch_drop_args, branch_drop_args_fields, "what is left out");

static const struct field branch_file_row_fields[] = {
    F_TEXT(branch_file_row, sha256, FIELD_REQUIRED, "digest of its content"),
    F_TEXT(branch_file_row, ticket, 0, "the ticket it belongs to"),
    F_TEXT(branch_file_row, state, 0, "awaited: not all of it is here; waits; going; held: the centre does not take it"),
    F_TEXT(branch_file_row, code, 0, "what the centre said"),
    F_INT(branch_file_row, bytes, 0, "its length"),
    F_INT(branch_file_row, here, 0, "bytes of it that are here"),
    F_INT(branch_file_row, sent, 0, "bytes of it that the centre has"),
    F_TIME(branch_file_row, taken, 0, "taken"),
};
const struct record branch_file_row_record = RECORD(branch_file_row, branch_file_row_fields, "a file that waits at the branch");
