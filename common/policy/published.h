/* policy.published and calendar.published: reference data that every service keeps (worker/reference.h). */
#ifndef AFTERCARE_POLICY_PUBLISHED_H
#define AFTERCARE_POLICY_PUBLISHED_H

#include "policy/policy.h"

struct policy_published { /* key = the policy's name */
    char name[48];
    char version[POLICY_VERSION_CAP];
    char replaces[POLICY_VERSION_CAP]; /* "" = the first */
    uint8_t sha256[32];                /* of the file's text */
    struct bytes policy;               /* RAW: policy_record */
};
struct calendar_published { /* key = the calendar's name */
    char name[48];
    char version[64];
    struct bytes calendar; /* RAW: calendar_def_record */
};
extern const struct record policy_published_record, calendar_published_record;

#endif
