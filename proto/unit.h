/* unit.* on its way through the workshop, keyed by the ticket; tests and phases of a unit, keyed by
 * its serial. Sale, acceptance and exchange stand in reference.h. */
#ifndef AFTERCARE_PROTO_UNIT_H
#define AFTERCARE_PROTO_UNIT_H

#include "record/record.h"

struct unit_received {
    char serial[65];
    int64_t quantity;
    char condition[48];
    char site[65];
    char waybill[64];
    int64_t dispatched_us;
    char note[200];
};
struct unit_sent_back {
    char serial[65];
    int64_t quantity;
    char site[65];
    char carrier[64];
    char waybill[64];
};
struct unit_delivered {
    char serial[65];
    int64_t quantity;
    char waybill[64];
    bool signed_off; /* on the wire: signed */
};
struct unit_rejected {
    char serial[65];
    int64_t quantity;
    char reason[160];
    char return_note[64];
};
struct test_proposed {
    char plan[64];
    char version[32];
    char side[16];
    int64_t planned_us;
    char ticket[65];
    char note[400];
};
struct test_agreed {
    char plan[64];
    char version[32];
    char side[16];
    int64_t planned_us;
    char ticket[65];
};
struct phase_started {
    char phase[32];
    int64_t until_us;
    char confirmed[32];
    char ticket[65];
};

extern const struct record unit_received_record, unit_sent_back_record, unit_delivered_record,
    unit_rejected_record, test_proposed_record, test_agreed_record, phase_started_record;

#endif
