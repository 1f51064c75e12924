/* How sites are founded, approved and graded, keyed by the site; results and targets of sites and
 * persons. */
#ifndef AFTERCARE_PROTO_NETWORK_H
#define AFTERCARE_PROTO_NETWORK_H

#include "record/record.h"

struct graded_figure {
    char name[48];
    int64_t value;
};
struct site_proposed {
    char city[48];
    char city_class[32];
    int64_t sold;
    int64_t threshold;
    char region[24];
    char parent[65];
    char note[400];
};
struct site_inspected {
    bool passed;
    char inspector[65];
    char findings[16][160];
    uint32_t findings_n;
};
struct site_reviewed {
    bool passed;
    char level[48];
    char reason[160];
};
struct site_graded {
    char period[16];
    char grade[16];
    struct graded_figure figures[16];
    uint32_t figures_n;
    char reason[160];
};
struct agreement_signed {
    char number[64];
    char region[24];
    int64_t from_us;
    int64_t until_us;
    char products[16][64];
    uint32_t products_n;
};
struct licence_recorded {
    char number[64];
    char kind[32];
    int64_t until_us;
};
struct person_appraised {
    char period[16];
    char result[32];
    struct graded_figure figures[16];
    uint32_t figures_n;
    char site[65];
};
struct target_set {
    char period[16];
    struct graded_figure figures[16];
    uint32_t figures_n;
    char plan[1000];
};

extern const struct record site_proposed_record, site_inspected_record, site_reviewed_record,
    site_graded_record, agreement_signed_record, licence_recorded_record, person_appraised_record,
    target_set_record;

#endif
