/* A file got over feed, without I/O (proto/README.md P5 to P7): asks piece by piece, as large as the line bears, and gives each to its owner.
 * What passes (later, another connection, silence) it goes on from where it was; whether the bytes are the right ones the owner sees. */
#ifndef AFTERCARE_BUS_GETTING_H
#define AFTERCARE_BUS_GETTING_H

#include "bus/verbs.h"

struct getting;

/* A piece, behind what was there. False: it cannot be kept, and no more is asked for. */
typedef bool getting_piece(void *owner, struct bytes);
/* From offset `have` on. */
struct getting *getting_new(const uint8_t sha256[32], int64_t have, getting_piece *, void *owner);
void getting_destroy(struct getting **);
int64_t getting_have(const struct getting *);
/* All of it has come and the last receipt is handed in; or it was refused; or a piece could not be kept. */
bool getting_is_over(const struct getting *);
/* For good, by PART or DENIED, with its code; "": it was not. */
const struct verb_error *getting_refusal(const struct getting *);
/* It was DENIED that refused. */
bool getting_is_denied(const struct getting *);
/* What was asked last has to be asked again later (refusal's `why`): no good sign. */
bool getting_is_later(const struct getting *);
/* As bus/inquiry.h has them. */
void getting_connected(struct getting *, int64_t now_us);
void getting_disconnected(struct getting *);
bool getting_out(struct getting *, int64_t now_us, struct frame *);
bool getting_in(struct getting *, const struct frame *, int64_t now_us) MUST_CHECK;
int64_t getting_deadline_us(const struct getting *);
bool getting_tick(struct getting *, int64_t now_us);

#endif
