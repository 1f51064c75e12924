/* Who may speak, as the journal tells it, and the files that hold their keys. */
#ifndef AFTERCARE_CLI_KEYS_H
#define AFTERCARE_CLI_KEYS_H

#include "bus/key.h"
#include "connection.h"

struct holder {
    struct principal principal;
    bool revoked;
    int64_t denied;                    /* times that intake turned it away, as far as recorded */
    char frozen[EVENT_SOURCE_CAP];     /* a source of it that stands still; "": none */
};
struct holders {
    struct holder *items;
    size_t n, cap;
    int64_t denied_unknown; /* of those who are nobody known */
};

/* Reads principal.*, source.* and access.denied. CLI_DONE or an exit code. */
int holders_read(const struct cli *, const char *stream, struct holders *);
struct holder *holders_find(const struct holders *, const char *id);
void holders_release(struct holders *);
void holders_print(const struct cli *, const struct holders *);

/* DATA/keys/ID.key, or with a suffix behind it. */
void key_path(const struct cli *, const char *id, const char *suffix, char out[400]);
/* Writes one, as the owner of its folder. False: said so already. */
bool key_write(const struct cli *, const char *path, const struct bus_key *, bool replace);
/* A key file for that principal as one that comes by TCP needs it: the server's public key, the endpoints of the settings with that
 * host's name (NULL: as they are bound), no pair yet. False: said so already. */
bool key_frame(const struct cli *, const char *stream, const struct principal *, const char *host, struct bus_key *);
const char *principal_kind_word(int kind);
/* False: not a kind. */
bool principal_kind_read(const char *word, int *kind);

#endif
