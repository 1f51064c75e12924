/* Who gets a request can tell that it is ours, unchanged and young. */
#ifndef AFTERCARE_WEBHOOK_SIGN_H
#define AFTERCARE_WEBHOOK_SIGN_H

#include "base/bytes.h"
#include "base/status.h"

#define SECRET_CAP 129
#define SECRETS_MAX 2 /* while one takes the other's place */

struct secrets {
    char items[SECRETS_MAX][SECRET_CAP];
    uint32_t n;
};

/* A file of one or two lines, which nobody else may read (mode 0600); one that is not there is made. False: error says why. */
bool secrets_read(const char *path, struct secrets *, char *error, size_t error_cap) MUST_CHECK;
/* "t=1700000000,v1=HEX[,v1=HEX]": HMAC-SHA256 with each secret's text over the time in seconds, a full stop, and the body. */
void sign(const struct secrets *, int64_t seconds, struct bytes body, struct buf *out);

#endif
