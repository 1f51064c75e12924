/* Which public key is whose, without I/O: what the door knows of the principals, and what it says of who comes. */
#ifndef AFTERCARE_INTAKE_KEYRING_H
#define AFTERCARE_INTAKE_KEYRING_H

#include "archive.h"

struct keyring_entry {
    uint8_t key[32];
    char id[64];
    bool worker, revoked;
};
struct keyring {
    struct keyring_entry *entries; /* by key */
    size_t n;
    bool told; /* the principals are known; otherwise who is not found may be somebody all the same */
};

/* Every key of every principal, those of revoked ones too: they are known, and refused. The caller releases. */
void keyring_make(struct keyring *, const struct tables *, unsigned principals);
void keyring_release(struct keyring *);
/* NULL: nobody's. */
const struct keyring_entry *keyring_find(const struct keyring *, const uint8_t key[32]);

/* A handshake as ZAP tells it (RFC 27). domain: cmd, feed, live by key; local: the socket folder, by who owns the process
 * at the other end (":UID:GID:PID"). */
struct comer {
    const char *domain, *mechanism, *address;
    const uint8_t *key; /* CURVE: 32 bytes; otherwise NULL */
    unsigned uid;       /* whose process this is */
};
struct verdict {
    int status;      /* 200, 300 (not known now, come again), 400 */
    char user[136];  /* the User-Id; 200 only */
    char id[64];     /* the principal, where the key is known */
    const char *why; /* 400: "key", "revoked", "kind", "mechanism" */
};
void keyring_judge(const struct keyring *, const struct comer *, struct verdict *);

#endif
