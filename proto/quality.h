/* Quality and whose fault it is: reports upward, findings, suppliers, outside inspection. Keyed by
 * the ticket, product or unit. */
#ifndef AFTERCARE_PROTO_QUALITY_H
#define AFTERCARE_PROTO_QUALITY_H

#include "record/record.h"

struct fault_attributed {
    char to[48];
    char evidence[160];
    char level[48];
    char part[64];
    char cause[48];
    char party[64];
};
struct quality_reported {
    char matter[48];
    char to[8][64];
    uint32_t to_n;
    char product[64];
    char part[64];
    int64_t quantity;
    char finding[400];
};
struct supplier_asked {
    char supplier[64];
    char part[64];
    bool recourse;
    int64_t amount;
    int64_t wanted_us;
    char matter[200];
};
struct supplier_answered {
    char supplier[64];
    char outcome[48];
    int64_t amount;
    char note[200];
};
struct inspection_requested {
    char body[120];
    char matter[200];
    char contract[65];
    int64_t wanted_us;
};
struct inspection_concluded {
    char finding[48];
    bool final;
    char body[120];
    char report[64];
    char note[200];
};

extern const struct record fault_attributed_record, quality_reported_record, supplier_asked_record,
    supplier_answered_record, inspection_requested_record, inspection_concluded_record;

#endif
