/* What the network and the feed thread hand to the shelf (shelf.h) and get back answered: one PUT or GET each, owned by who holds it.
 * They travel as pointers over inproc pairs; nothing is shared. */
#ifndef AFTERCARE_INTAKE_SLIP_H
#define AFTERCARE_INTAKE_SLIP_H

#include "bus/socket.h"
#include "event/stream.h"

enum slip_kind {
    SLIP_PUT,
    SLIP_GET,
    SLIP_STORED, /* from the shelf: this ticket's file is whole */
    SLIP_SERVES  /* to the shelf: this intake holds the lease */
};

struct slip {
    enum slip_kind kind;
    struct bus_peer peer;
    uint64_t session; /* PUT */
    char who[64];     /* principal, and what it may */
    struct principal granted;
    uint8_t sha256[32];
    int64_t offset;
    struct bytes bytes; /* owned: of the PUT, of the PART */
    int64_t most;       /* GET: bytes of the PART at most */
    /* The answer. */
    int64_t upto, size; /* size: of the whole file */
    bool whole;
    char code[40], why[160];
    char ticket[65]; /* STORED; GET: one by which the principal might see it; of its answer: one by which it may */
};

/* Copies the bytes. */
struct slip *slip_new(enum slip_kind, const uint8_t sha256[32], int64_t offset, struct bytes);
void slip_destroy(struct slip **);
void slip_bytes(struct slip *, struct bytes); /* others, copied */
/* Answers with a code and words for people. */
void slip_refuse(struct slip *, const char *code, const char *why);
/* Refused because of how much came from one principal: `quota`, `measure`. */
bool slip_is_beyond(const struct slip *);
/* STATUS_AGAIN: the other side is behind; the slip stays the caller's. */
enum status slip_send(struct bus_socket *pair, struct slip **) MUST_CHECK;
struct slip *slip_receive(struct bus_socket *pair); /* NULL: none */

#endif
