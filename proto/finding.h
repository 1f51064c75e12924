/* What is learned from the work: accidents, solutions, proposals, trials, and what bears on the
 * figures: prices and seasons. */
#ifndef AFTERCARE_PROTO_FINDING_H
#define AFTERCARE_PROTO_FINDING_H

#include "record/record.h"

struct accident_appraised {
    char finding[400];
    char cause[48];
    char severity[16];
    char report[64];
};
struct solution_recorded {
    char fault[200];
    char cause[200];
    char remedy[1000];
    char product[64];
    char part[64];
    char ticket[65];
};
struct improvement_proposed {
    char proposal[400];
    char of[32];
    char basis[160];
    char department[64];
    char product[64];
};
struct feedback_judged {
    char verdict[32];
    char site[65];
    char period[16];
    char note[200];
};
struct demonstration_reported {
    char product[64];
    char result[48];
    char report[64];
    bool complete;
    char findings[16][160];
    uint32_t findings_n;
};
struct price_changed {
    int64_t was;
    int64_t now;
    bool clearance;
    int64_t from_us;
};
struct season_closed {
    char season[32];
    char group[48];
};
struct archive_read {
    char reason[160];
    char scope[48];
};

extern const struct record accident_appraised_record, solution_recorded_record,
    improvement_proposed_record, feedback_judged_record, demonstration_reported_record,
    price_changed_record, season_closed_record, archive_read_record;

#endif
