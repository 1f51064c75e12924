#include "event/stream.h"

#include "base/status.h"

static const char *const clock_names[] = {"wall", "stepped", NULL};
static const char *const kind_names[] = {"branch", "site", "desk", "worker", "integrator", "operator", "import", NULL};

#define ELEM_KEY {.name = "", .kind = FIELD_BIN, .size = 32}
static const struct field worker_elem = ELEM_TEXT(48);
static const struct field key_elem = ELEM_KEY;
static const struct field type_elem = ELEM_TEXT(EVENT_TYPE_CAP);
static const struct field region_elem = ELEM_TEXT(EVENT_REGION_CAP);
static const struct field site_elem = ELEM_TEXT(EVENT_SITE_CAP);

static const struct field stream_created_fields[] = {
    F_TEXT(stream_created, stream, FIELD_REQUIRED, "the stream's id, NAME-8hex"),
    F_ENUM(stream_created, clock, 0, clock_names, "where the time comes from: intake's clock, or steps of the clock source"),
    F_TIME(stream_created, start, 0, "the first instant of a stepped stream"),
    F_TEXT(stream_created, clock_source, 0, "the principal that moves a stepped stream's time"),
    F_LIST(stream_created, workers, 0, &worker_elem, "workers that a settled stream waits for"),
    F_LIST(stream_created, operator_keys, 0, &key_elem, "the operator's CURVE public keys; none on loopback streams"),
};
const struct record stream_created_record =
    RECORD(stream_created, stream_created_fields, "position 1: the stream begins");

static const struct field principal_fields[] = {
    F_TEXT(principal, id, FIELD_REQUIRED, "who: the first part of its sources' names"),
    F_ENUM(principal, kind, 0, kind_names, "what it is; decides what it may append where types are not given"),
    F_LIST(principal, keys, 0, &key_elem, "CURVE public keys, two while one is being replaced"),
    F_LIST(principal, types, 0, &type_elem, "prefixes of event types it may append; none: what its kind may"),
    F_LIST(principal, regions, 0, &region_elem, "prefixes of regions it may speak for and see"),
    F_LIST(principal, sites, 0, &site_elem, "sites it may speak for and see"),
    F_BOOL(principal, personal, 0, "may see personal data"),
};
const struct record principal_record =
    RECORD(principal, principal_fields, "who may append and read; each change gives the whole");

static const struct field principal_revoked_fields[] = {
    F_TEXT(principal_revoked, id, FIELD_REQUIRED, "who may nothing from here on"),
    F_TEXT(principal_revoked, reason, 0, "why, for people"),
};
const struct record principal_revoked_record =
    RECORD(principal_revoked, principal_revoked_fields, "a principal loses its rights");

static const struct field source_enrolled_fields[] = {
    F_TEXT(source_enrolled, source, FIELD_REQUIRED, "the source let in"),
    F_BIN(source_enrolled, incarnation, 0, "the incarnation that may go on with its numbers; absent: the next one that comes"),
};
const struct record source_enrolled_record =
    RECORD(source_enrolled, source_enrolled_fields, "an operator lets in a source, or a new incarnation of it");

static const struct field source_frozen_fields[] = {
    F_TEXT(source_frozen, source, FIELD_REQUIRED, "the source that is no longer heard"),
    F_INT(source_frozen, n, 0, "the number that came with two contents"),
    F_TEXT(source_frozen, reason, 0, "why, for people"),
};
const struct record source_frozen_record =
    RECORD(source_frozen, source_frozen_fields, "a source gave one number to two contents and is stopped");

static const struct field access_denied_fields[] = {
    F_TEXT(access_denied, principal, 0, "who asked, where known"),
    F_TEXT(access_denied, address, 0, "from where"),
    F_TEXT(access_denied, code, FIELD_REQUIRED, "the refusal's code"),
    F_INT(access_denied, count, 0, "how often within the hour"),
};
const struct record access_denied_record =
    RECORD(access_denied, access_denied_fields, "access was refused; one an hour per principal or address, and code");

static const struct field access_read_fields[] = {
    F_TEXT(access_read, principal, FIELD_REQUIRED, "who reads"),
    F_TEXT(access_read, what, 0, "whose story it was: ticket, unit, customer; absent: whatever comes"),
};
const struct record access_read_record =
    RECORD(access_read, access_read_fields, "a customer's personal data were read; one an hour per principal and customer");

static const struct field journal_sealed_fields[] = {
    F_INT(journal_sealed, pos, FIELD_REQUIRED, "the position sealed"),
    F_BIN(journal_sealed, link, FIELD_REQUIRED, "its link"),
    F_BIN(journal_sealed, seal, 0, "digests of events as they were sent, and answers, up to there, each linked like bodies"),
};
const struct record journal_sealed_record =
    RECORD(journal_sealed, journal_sealed_fields, "the link at a position, said within the journal itself");

static const struct field time_reached_fields[] = {
    F_TIME(time_reached, time, FIELD_REQUIRED, "the instant a stepped stream has come to"),
};
const struct record time_reached_record = RECORD(time_reached, time_reached_fields, "a stepped stream's time moves on");

static const struct field event_parked_fields[] = {
    F_INT(event_parked, pos, FIELD_REQUIRED, "the event set aside, with the later ones of its key; with timer: the last one read"),
    F_TEXT(event_parked, worker, FIELD_REQUIRED, "who could not handle it"),
    F_TEXT(event_parked, reason, 0, "what went wrong, for people"),
    F_TEXT(event_parked, timer, 0, "it is no event but this timer or sweep; its position from now on is this event's"),
    F_TEXT(event_parked, row, 0, "of this row"),
    F_TIME(event_parked, due, 0, "of a timer: due then"),
    F_TEXT(event_parked, follows, 0, "of a sweep: what the row followed"),
};
const struct record event_parked_record =
    RECORD(event_parked, event_parked_fields, "a worker could not handle an event and sets it aside");

static const struct field event_released_fields[] = {
    F_INT(event_released, pos, FIELD_REQUIRED, "the event to be tried again"),
    F_TEXT(event_released, worker, FIELD_REQUIRED, "by which worker"),
    F_TEXT(event_released, reason, 0, "why, for people"),
};
const struct record event_released_record =
    RECORD(event_released, event_released_fields, "an operator lets a worker try a parked event again");

static const struct field event_dropped_fields[] = {
    F_INT(event_dropped, pos, FIELD_REQUIRED, "the event to be left out"),
    F_TEXT(event_dropped, worker, FIELD_REQUIRED, "by which worker"),
    F_TEXT(event_dropped, reason, FIELD_REQUIRED, "why, for people"),
};
const struct record event_dropped_record =
    RECORD(event_dropped, event_dropped_fields, "an operator lets a worker leave a parked event out");

static const struct field event_corrected_fields[] = {
    F_TEXT(event_corrected, source, FIELD_REQUIRED, "whose event was refused"),
    F_INT(event_corrected, n, FIELD_REQUIRED, "its number there"),
    F_INT(event_corrected, pos, FIELD_REQUIRED, "the event that says it rightly"),
    F_TEXT(event_corrected, code, 0, "why it had been refused"),
    F_TEXT(event_corrected, field, 0, "where it was wrong"),
};
const struct record event_corrected_record =
    RECORD(event_corrected, event_corrected_fields, "a refused event was corrected and sent again as a new one");

static const struct field personal_erased_fields[] = {
    F_TEXT(personal_erased, customer, FIELD_REQUIRED, "whose personal data is gone"),
    F_TEXT(personal_erased, reason, 0, "why, for people"),
};
const struct record personal_erased_record =
    RECORD(personal_erased, personal_erased_fields, "a customer's personal data was erased; all blank their copies");

static const struct field file_attached_fields[] = {
    F_TEXT(file_attached, name, FIELD_PERSONAL, "what people call it"),
    F_TEXT(file_attached, media, 0, "media type, such as image/jpeg"),
    F_INT_RANGE(file_attached, bytes, FIELD_REQUIRED, 0, FILE_BYTES_MAX, "its length"),
    F_BIN(file_attached, sha256, FIELD_REQUIRED, "the content's digest, its address"),
};
const struct record file_attached_record =
    RECORD(file_attached, file_attached_fields, "a file belongs to the ticket: fax, photo, signed report; its bytes follow");

static const struct field file_stored_fields[] = {
    F_BIN(file_stored, sha256, FIELD_REQUIRED, "the content's digest, its address"),
    F_INT(file_stored, bytes, FIELD_REQUIRED, "its length"),
    F_TEXT(file_stored, name, 0, "not written: file.attached has it"),
    F_TEXT(file_stored, media, 0, "not written: file.attached has it"),
};
const struct record file_stored_record = RECORD(file_stored, file_stored_fields, "a file's bytes have come in whole");
