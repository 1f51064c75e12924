/* part.* and material.*: spare parts on their way, keyed by the order, or by the ticket they are
 * for. */
#ifndef AFTERCARE_PROTO_PART_H
#define AFTERCARE_PROTO_PART_H

#include "proto/job.h"
#include "record/record.h"

struct part_line {
    char part[64];
    int64_t quantity;
    char serial[65];
    char tag[64];
    int64_t amount;
};
struct part_ordered {
    struct part_line lines[16];
    uint32_t lines_n;
    char site[65];
    char ticket[65];
    int64_t amount;
    bool prepaid;
    int64_t wanted_us;
};
struct part_supplied {
    struct part_line lines[16];
    uint32_t lines_n;
    char site[65];
    char order[65];
    char ticket[65];
    char list[64];
    char waybill[64];
    bool partial;
};
struct part_returned {
    struct part_line lines[16];
    uint32_t lines_n;
    char site[65];
    char ticket[65];
    char job[JOB_CAP];
    char means[32];
    char waybill[64];
    bool records;
};
struct material_requested {
    struct part_line lines[16];
    uint32_t lines_n;
    char site[65];
    char engineer[65];
    char ticket[65];
    int64_t wanted_us;
    char reason[160];
};

extern const struct record part_ordered_record, part_supplied_record, part_returned_record,
    material_requested_record;

#endif
