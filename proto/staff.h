/* People of ours and training: posts and passes, keyed by the person; trainings, keyed by their own
 * id, or by the unit, contract, customer or ticket they are owed to. */
#ifndef AFTERCARE_PROTO_STAFF_H
#define AFTERCARE_PROTO_STAFF_H

#include "record/record.h"

struct post_rotated {
    char from[65];
    char to[65];
    char successor[65];
    char means[8][32];
    uint32_t means_n;
    char file[64];
};
struct pass_granted {
    char pass[48];
    char number[64];
    int64_t until_us;
    char issuer[65];
    char training[65];
};
struct training_planned {
    char topics[16][80];
    uint32_t topics_n;
    char group[48];
    char trainer[65];
    char place[120];
    int64_t hours;
    char audience[64];
    char customer[65];
    char site[65];
    char unit[65];
    char ticket[65];
    int64_t planned_us;
    int64_t due_us;
};
struct training_held {
    char kind[32];
    char topics[16][80];
    uint32_t topics_n;
    char group[48];
    char trainer[65];
    char place[120];
    int64_t hours;
    int64_t attended;
    char training[65];
    char customer[65];
    char site[65];
    char unit[65];
    char ticket[65];
    bool signed_off;     /* on the wire: signed */
    char trainees[4000]; /* personal */
};
struct operator_changed {
    char unit[65];
    char customer[65];
    int64_t since_us;
    bool trained;
    char name[120]; /* personal */
};

extern const struct record post_rotated_record, pass_granted_record, training_planned_record,
    training_held_record, operator_changed_record;

#endif
