#include "base/digest.h"
#include "base/log.h"
#include <sodium.h>

_Static_assert(DIGEST_BYTES == crypto_hash_sha256_BYTES, "SHA-256");

void digest_of(struct bytes b, uint8_t out[DIGEST_BYTES])
{
    crypto_hash_sha256(out, b.data, b.len);
}

void digest_of_two(struct bytes a, struct bytes b, uint8_t out[DIGEST_BYTES])
{
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    if (a.len > 0)
        crypto_hash_sha256_update(&state, a.data, a.len);
    if (b.len > 0)
        crypto_hash_sha256_update(&state, b.data, b.len);
    crypto_hash_sha256_final(&state, out);
}

void random_fill(void *out, size_t n)
{
    if (sodium_init() < 0)
        log_panic("libsodium does not start");
    randombytes_buf(out, n);
}
