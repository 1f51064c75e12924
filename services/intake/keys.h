/* The key files of a new stream: the server's and those of its first principals, in DATA/keys (mode 0700, files 0600). */
#ifndef AFTERCARE_INTAKE_KEYS_H
#define AFTERCARE_INTAKE_KEYS_H

#include "settings/settings.h"
#include <stdbool.h>

struct keys {
    const struct settings *settings;
    const char *stream;
    char server_key[41]; /* public */
};

/* The folder and the server's key; what is there already is taken. False: told in the log. */
bool keys_open(struct keys *, const struct settings *, const char *stream);
/* The public key of a principal, from its file, which is made where there is none. False: told in the log. */
bool keys_take(const struct keys *, const char *id, const char *kind, uint8_t out[32]);

#endif
