/* Old parts on their way back, keyed by the ticket or order they came from; tools and documents
 * issued, keyed by the person. */
#ifndef AFTERCARE_PROTO_CUSTODY_H
#define AFTERCARE_PROTO_CUSTODY_H

#include "proto/job.h"
#include "record/record.h"

struct part_tagged {
    char tag[64];
    char part[64];
    int64_t quantity;
    char serial[65];
    char job[JOB_CAP];
    char site[65];
};
struct part_received {
    char tag[64];
    char part[64];
    int64_t quantity;
    char site[65];
    bool records;
};
struct part_appraised {
    char verdict[32];
    char tag[64];
    char part[64];
    int64_t quantity;
    char cause[48];
    char note[200];
};
struct part_stored {
    char store[48];
    char tag[64];
    char part[64];
    int64_t quantity;
    char keeper[65];
};
struct tool_issued {
    char tool[64];
    char kind[32];
    char serial[65];
    int64_t quantity;
    char site[65];
    int64_t due_us;
};
struct tool_returned {
    char tool[64];
    char serial[65];
    int64_t quantity;
    char condition[48];
    char site[65];
};

extern const struct record part_tagged_record, part_received_record, part_appraised_record,
    part_stored_record, tool_issued_record, tool_returned_record;

#endif
