/* A branch's key file (`aftercare keys export`): who it is, its keys, and where the centre is reached. */
#ifndef AFTERCARE_BRANCH_KEY_H
#define AFTERCARE_BRANCH_KEY_H

#include "settings/settings.h"

#define KEY_ENDPOINTS_MAX 4

struct key_endpoints {
    char cmd[KEY_ENDPOINTS_MAX][128], feed[KEY_ENDPOINTS_MAX][128], live[KEY_ENDPOINTS_MAX][128];
    uint32_t cmd_n, feed_n, live_n;
};
struct key {
    char aftercare[8]; /* "key" */
    int64_t version;
    char stream[64], principal[64], kind[16];
    char public_key[41], secret_key[41], server_key[41]; /* Z85; "": none */
    struct key_endpoints endpoints;
};

/* False: error says why; a file that others may read is refused. */
bool key_read(const char *path, struct key *, char *error, size_t error_cap);

#endif
