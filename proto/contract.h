/* Contracts, payments and orders, keyed by the contract, the order, or the ticket that stands for
 * them. Amounts are in cents. */
#ifndef AFTERCARE_PROTO_CONTRACT_H
#define AFTERCARE_PROTO_CONTRACT_H

#include "record/record.h"

struct contract_clause {
    char clause[32];
    char text[200];
};
struct contract_milestone {
    char milestone[48];
    int64_t due_us;
    int64_t amount;
};
struct contract_signed {
    char customer[65];
    char payment[32];
    char product[64];
    char region[24];
    struct slice units; /* char[65] */
    int64_t amount;
    int64_t signed_on_us;
    struct contract_clause clauses[16];
    uint32_t clauses_n;
    struct contract_milestone milestones[16];
    uint32_t milestones_n;
    char body[120];
    char filed[64];
    int64_t due_us;
};
struct milestone_reached {
    char milestone[48];
    char evidence[160];
    char note[200];
};
struct payment_received {
    int64_t amount;
    char milestone[48];
    bool complete;
    char means[32];
    char receipt[64];
    char contract[65];
    char order[65];
    char payer[65];
    int64_t next_due_us;
};
struct order_progressed {
    char state[48];
    int64_t percent;
    int64_t expected_us;
    bool told;
    char customer[65];
};
struct shipment_released {
    char delivery_order[64];
    bool tested;
    bool signed_off; /* on the wire: signed */
    char signatures[8][65];
    uint32_t signatures_n;
    char carrier[64];
    char waybill[64];
    char ticket[65];
};

extern const struct record contract_signed_record, milestone_reached_record,
    payment_received_record, order_progressed_record, shipment_released_record;

#endif
