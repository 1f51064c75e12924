/* What is looked at while the work goes on: the hand-over, a dealer's repair, and safety on site.
 * Keyed by the ticket. */
#ifndef AFTERCARE_PROTO_CHECK_H
#define AFTERCARE_PROTO_CHECK_H

#include "proto/job.h"
#include "record/record.h"

struct job_checked {
    char job[JOB_CAP];
    bool acted;
    char responsible[65];
    char finding[200];
};
struct job_spot_checked {
    char job[JOB_CAP];
    bool in_scope;
    bool parts_kept;
    char finding[200];
};
struct briefing_confirmed {
    char worker[65];
    char step[80];
    char officer[65];
    char certificate[64];
    char job[JOB_CAP];
};
struct hazard_found {
    char hazard[200];
    char severity[16];
    char officer[65];
    char place[120];
    char job[JOB_CAP];
};
struct hazard_cleared {
    char correction[200];
    char officer[65];
    char job[JOB_CAP];
};

extern const struct record job_checked_record, job_spot_checked_record, briefing_confirmed_record,
    hazard_found_record, hazard_cleared_record;

#endif
