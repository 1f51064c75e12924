/* What the library's files share: the client, its line to one endpoint, msgpack. */
#ifndef AFTERCARE_INSIDE_H
#define AFTERCARE_INSIDE_H

#include "aftercare.h"
#include <zmq.h>

#define TEXT_MAX 128
#define ENDPOINTS_MAX 4
#define SILENCE_MS 5000 /* within it the other end says something when it is its turn */

enum which { CMD, FEED };
struct line { /* one DEALER to one endpoint; made anew, to the next one, whenever it is in doubt */
    struct aftercare *client;
    enum which which;
    void *socket;
    int turn, pause_ms;
    int64_t silent_ms; /* since when nobody has answered; 0: somebody has */
    zmq_msg_t held;    /* what map borrows from */
    msgpack_zone zone;
    char verb[24], endpoints[ENDPOINTS_MAX][TEXT_MAX];
    msgpack_object map;
    size_t size;
};
struct aftercare {
    char code[64], why[240], stream[TEXT_MAX], principal[TEXT_MAX], public_key[48], secret_key[48], server_key[48];
    char endpoints[2][ENDPOINTS_MAX][TEXT_MAX];
    int patience_s;
    void *context;
    struct line questions;
    int64_t asked;
};

bool client_fail(struct aftercare *, const char *code, const char *why); /* false */
bool fail_as_said(struct line *, const char *head);                     /* by the DENIED or ERROR just heard; false */
void pause_for(int64_t ms);
void line_init(struct line *, struct aftercare *, enum which);
void line_release(struct line *);
bool line_connect(struct line *); /* anew, not sooner than the pause allows; false: out of patience */
void line_good(struct line *);
void line_say(struct line *, const char *verb, const msgpack_sbuffer *map);
bool line_hear(struct line *, int64_t ms); /* false: silence. Else verb, map and size hold until the next call */
void line_moved(struct line *); /* by the MOVED just heard: the next connection goes there */
bool verb_is(const struct line *, const char *verb);
bool code_is(const struct line *, const char *code);
/* One value that is all of the bytes; nothing is allocated for a length that is only declared. */
bool unpack(const void *data, size_t len, msgpack_zone *, msgpack_object *out);
void put(msgpack_packer *, const char *text);
void put_text(msgpack_packer *, const char *name, const char *value);
void put_int(msgpack_packer *, const char *name, int64_t value);
void put_bin(msgpack_packer *, const char *name, const void *data, size_t len);

#endif
