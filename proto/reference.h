/* Reference data: the network, customers, products; and the archive 服务档案 of sold units. */
#ifndef AFTERCARE_PROTO_REFERENCE_H
#define AFTERCARE_PROTO_REFERENCE_H

#include "record/record.h"

struct site_updated { /* key = the site's id; the whole site each time */
    char name[120];
    int64_t tier;          /* 1 HQ, 2 branch, 3 dealer or authorised station */
    char parent[65];       /* site above */
    char region[24];       /* where it is */
    char territories[32][24]; /* region prefixes it serves; none: everywhere */
    uint32_t territories_n;
    char products[32][64]; /* product lines it is qualified for; none: all */
    uint32_t products_n;
    int64_t capacity;      /* open jobs it can hold, 0 = no bound */
    bool closed;           /* takes no more offers */
};
struct engineer_pass { char pass[48]; int64_t until_us; /* 0: for good */ };
struct engineer_shift { int64_t from_us, until_us; bool off; };
enum engineer_day { ENGINEER_MON, ENGINEER_TUE, ENGINEER_WED, ENGINEER_THU, ENGINEER_FRI, ENGINEER_SAT, ENGINEER_SUN };
struct engineer_updated { /* key = the engineer's id; the whole engineer each time */
    char name[80];        /* personal */
    char site[65];
    char skills[16][64];  /* none: all */
    uint32_t skills_n;
    bool off_duty;        /* until told otherwise */
    struct engineer_pass passes[16];
    uint32_t passes_n;
    int days[7];          /* enum engineer_day, of the policy's zone; none: every day */
    uint32_t days_n;
    struct engineer_shift rota[16]; /* exceptions to the days; the last one that covers an instant decides */
    uint32_t rota_n;
    int64_t capacity;     /* jobs given a day, 0 = no bound */
    bool left;            /* works here no longer */
};
extern const char *const engineer_day_names[]; /* by enum engineer_day */
struct customer_updated { /* key = the customer's id */
    char name[120], phone[48], address[240]; /* personal */
    char grade[32];
    char region[24];
};
struct product_updated { char name[120]; char line[64]; int64_t warranty_months; };
struct unit_sold { /* key = the serial */
    char product[64], customer[64], dealer[65], region[24];
    int64_t sold_us;
};
struct unit_accepted { int64_t accepted_us; char report[64]; };
struct card_returned { int64_t returned_us; };
struct unit_exchanged { char successor[65]; char reason[160]; };

extern const struct record site_updated_record,
    engineer_updated_record, customer_updated_record, product_updated_record, unit_sold_record, unit_accepted_record,
    card_returned_record, unit_exchanged_record;

#endif
