/* What the library's files share: the client, msgpack, a line to one endpoint. */
#ifndef AFTERCARE_INSIDE_H
#define AFTERCARE_INSIDE_H

#include "aftercare.h"
#include <jansson.h>
#include <zmq.h>

#define NAME_CAP 256
#define SILENCE_MS 5000 /* within it the other end says something when it is its turn */

enum which { CMD, FEED };
struct line { /* one DEALER to one endpoint; made anew, to the next one, whenever it is in doubt */
    struct aftercare *client;
    json_t *endpoints;
    void *socket;
    int linger_ms, pause_ms;
    size_t turn;
    int64_t silent_ms;    /* since when nobody has answered; 0: somebody has */
    zmq_msg_t verb, data; /* of the message heard last */
    msgpack_zone zone;
    msgpack_object map; /* what data holds */
};
struct aftercare {
    char code[64], why[240];
    json_t *key, *endpoints[2];
    const char *stream, *principal, *public_key, *secret_key, *server_key; /* in the key file */
    int patience_s;
    void *context;
    struct line questions;
    int64_t asked;
};

void *sure(void *memory); /* or the end: there is none */
bool fail(struct aftercare *, const char *code, const char *why); /* false */
bool fail_as_said(struct line *, const char *head);               /* by the DENIED or ERROR just heard; false */

void line_init(struct line *, struct aftercare *, enum which);
void line_release(struct line *);
bool line_connect(struct line *); /* anew, not sooner than the pause allows (T6); false: out of patience */
void line_good(struct line *);
void line_moved(struct line *);        /* by the MOVED just heard: the next connection goes there */
bool hear(struct line *, int64_t ms);  /* false: silence. Else verb and map hold until the next call */
bool verb_is(struct line *, const char *verb);
/* Each letter of the form stands for a name and its value: s text, i int64_t, t bool (int), l texts ended by NULL; and, with a size_t
 * behind the pointer, x bytes, r msgpack as it is, e events as they are, E events each as bytes. */
void say(struct line *, const char *verb, const char *form, ...);
void pack(msgpack_sbuffer *out, const char *form, ...);

bool unpack(const void *data, size_t len, msgpack_zone *, msgpack_object *out); /* all of the bytes are one value */
bool is_true(const msgpack_object *map, const char *name);
bool text_is(const msgpack_object *map, const char *name, const char *text);
msgpack_object_array list_of(const msgpack_object *map, const char *name);
const void *bin_of(const msgpack_object *value, size_t len); /* bytes, exactly so many; or NULL */

#endif
