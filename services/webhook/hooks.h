/* What an operator says of each webhook: where it goes, what of the stream, how patiently. One YAML file, DATA/webhooks.yaml. */
#ifndef AFTERCARE_WEBHOOK_HOOKS_H
#define AFTERCARE_WEBHOOK_HOOKS_H

#include "base/digest.h"
#include "event/event.h"
#include "record/record.h"

#define HOOKS_MAX 16
#define HOOK_NAME_CAP 33
#define HOOK_URL_CAP 512

struct hook {
    char name[HOOK_NAME_CAP];
    char url[HOOK_URL_CAP];
    char types[32][EVENT_TYPE_CAP]; /* prefixes, as a reader's filter (proto/README.md): AND between kinds, OR within */
    uint32_t types_n;
    char regions[16][EVENT_REGION_CAP];
    uint32_t regions_n;
    char sites[16][EVENT_SITE_CAP];
    uint32_t sites_n;
    char keys[16][EVENT_KEY_CAP];
    uint32_t keys_n;
    char from[24]; /* where a new one begins: now, start, a position */
    int64_t timeout_ms;
    int64_t parallel;
    struct span give_up; /* after so long of failing an event is parked */
    bool insecure;       /* http:// to another machine */
};

struct hooks {
    char metrics[64];
    char principal[48]; /* as whom they read */
    struct hook items[HOOKS_MAX];
    uint32_t items_n;
};

/* Every mistake of the text, by line and path. */
bool hooks_parse(const char *text, size_t n, struct hooks *, struct problems *) MUST_CHECK;
/* What its cursor belongs to: a changed filter begins where the old one stands and is said so. */
void hook_filter(const struct hook *, uint8_t out[DIGEST_BYTES]);
const struct hook *hooks_find(const struct hooks *, const char *name);

#endif
