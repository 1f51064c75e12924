/* Telephone: a call, keyed by its own id; who is on duty, keyed by the person or the line. */
#ifndef AFTERCARE_PROTO_CALL_H
#define AFTERCARE_PROTO_CALL_H

#include "record/record.h"

struct call_rang {
    char line[48];
    char number[48]; /* personal */
};
struct call_received {
    char line[48];
    int64_t rings;
    char answered_by[65];
    bool diverted;
    char customer[65];
    char ticket[65];
    char number[48]; /* personal */
    char text[2000]; /* personal */
};
struct call_missed {
    char line[48];
    int64_t rings;
    char on_duty[65];
    char reason[32];
    char number[48]; /* personal */
};
struct duty_scheduled {
    char person[65];
    char line[48];
    int64_t from_us;
    int64_t until_us;
    char role[32];
    char site[65];
    char mobile[48]; /* personal */
};
struct duty_failed {
    char person[65];
    char line[48];
    char reason[48];
    char call[65];
    char note[200];
};

extern const struct record call_rang_record, call_received_record, call_missed_record,
    duty_scheduled_record, duty_failed_record;

#endif
