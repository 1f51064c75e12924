/* SHA-256 (libcrypto) and random bytes (libsodium). */
#ifndef AFTERCARE_BASE_DIGEST_H
#define AFTERCARE_BASE_DIGEST_H

#include "base/bytes.h"

#define DIGEST_BYTES 32

void digest_of(struct bytes, uint8_t out[DIGEST_BYTES]);
void digest_of_two(struct bytes, struct bytes, uint8_t out[DIGEST_BYTES]);
/* The same of what comes piece by piece. */
struct digest;
struct digest *digest_new(void);
void digest_add(struct digest *, struct bytes);
/* Ends it; *self is NULL then. out NULL: it is not wanted any more. */
void digest_end(struct digest **self, uint8_t out[DIGEST_BYTES]);
/* At the edge only (keys, salts, incarnations); never in a handler. */
void random_fill(void *out, size_t n);

#endif
