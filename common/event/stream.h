/* stream.* principal.* source.* event.*: the words the machinery itself understands; proto/catalogue lists them with the rest. */
#ifndef AFTERCARE_EVENT_STREAM_H
#define AFTERCARE_EVENT_STREAM_H

#include "event/event.h"
#include "record/record.h"

enum stream_clock { CLOCK_WALL, CLOCK_STEPPED };
struct stream_created {
    char stream[64]; /* NAME-8hex */
    int clock;       /* wall, stepped */
    int64_t start_us;
    char clock_source[EVENT_SOURCE_CAP]; /* principal */
    char workers[8][48];
    uint32_t workers_n;
    uint8_t operator_keys[2][32]; /* CURVE public keys; none on loopback streams */
    uint32_t operator_keys_n;
};
enum principal_kind { PRINCIPAL_BRANCH, PRINCIPAL_SITE, PRINCIPAL_DESK, PRINCIPAL_WORKER, PRINCIPAL_INTEGRATOR, PRINCIPAL_OPERATOR, PRINCIPAL_IMPORT };
struct principal { /* principal.added, principal.changed (whole) */
    char id[64];
    int kind;
    uint8_t keys[2][32];
    uint32_t keys_n;
    char types[32][EVENT_TYPE_CAP]; /* prefixes it may append; none: what its kind may */
    uint32_t types_n;
    char regions[16][EVENT_REGION_CAP];
    uint32_t regions_n;
    char sites[16][EVENT_SITE_CAP];
    uint32_t sites_n;
    bool personal;
};
struct principal_revoked { char id[64]; char reason[160]; };
struct source_enrolled { char source[EVENT_SOURCE_CAP]; uint8_t incarnation[16]; };
struct source_frozen { char source[EVENT_SOURCE_CAP]; int64_t n; char reason[160]; };
struct access_denied { char principal[64]; char address[64]; char code[40]; int64_t count; };
struct access_read { char principal[64]; char what[EVENT_KEY_CAP]; }; /* key = the customer */
#define SEAL_BYTES 32
struct journal_sealed { int64_t pos; uint8_t link[LINK_BYTES], seal[SEAL_BYTES]; };
struct time_reached { int64_t time_us; };
#define EVENT_TIMER_CAP 48
#define EVENT_ROW_CAP 160
#define EVENT_FOLLOWS_CAP 64
/* key = the parked event's. timer: not an event is set aside but the timer of that row which was due then or, with follows, the sweep of
 * that row, which followed this; this event's own position names it from now on. */
struct event_parked {
    int64_t pos;
    char worker[48];
    char reason[200];
    char timer[EVENT_TIMER_CAP], row[EVENT_ROW_CAP];
    int64_t due_us;
    char follows[EVENT_FOLLOWS_CAP];
};
struct event_released { int64_t pos; char worker[48]; char reason[200]; }; /* by an operator: try again */
struct event_dropped { int64_t pos; char worker[48]; char reason[200]; };  /* by an operator: leave it out */
struct event_corrected { char source[EVENT_SOURCE_CAP]; int64_t n; int64_t pos; char code[40]; char field[120]; }; /* key = the new event's */
struct personal_erased { char customer[64]; char reason[160]; };
#define FILE_BYTES_MAX (20 * 1024 * 1024)
struct file_attached { char name[160]; char media[80]; int64_t bytes; uint8_t sha256[32]; }; /* key = the ticket; the bytes follow (PUT) */
struct file_stored { uint8_t sha256[32]; int64_t bytes; char name[160]; char media[80]; };    /* key = the same */

extern const struct record stream_created_record, principal_record, principal_revoked_record, source_enrolled_record,
    source_frozen_record, access_denied_record, access_read_record, journal_sealed_record, time_reached_record, event_parked_record,
    event_released_record, event_dropped_record, event_corrected_record, personal_erased_record, file_attached_record, file_stored_record;

#endif
