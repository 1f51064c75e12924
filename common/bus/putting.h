/* A file brought over cmd, without I/O (proto/README.md P1 to P4): asks how far it is, and puts piece by piece from there, as large as the line
 * bears. It speaks beside a source (bus/source.h), in the source's session: only there, and behind the answer that took file.attached. */
#ifndef AFTERCARE_BUS_PUTTING_H
#define AFTERCARE_BUS_PUTTING_H

#include "bus/verbs.h"

struct putting;

/* Appends up to `most` bytes from the offset on; false: it cannot be read (what was appended is not sent, and nothing is said any more). */
typedef bool putting_read(void *owner, int64_t offset, size_t most, struct buf *out);
/* Of so many bytes. */
struct putting *putting_new(const uint8_t sha256[32], int64_t bytes, putting_read *, void *owner);
void putting_destroy(struct putting **);
/* Kept there, as it was said last. */
int64_t putting_upto(const struct putting *);
/* All of it is there; or it was refused; or it could not be read. */
bool putting_is_over(const struct putting *);
/* For good, by HAVE, with its code; "": it was not. A whole file that is not this one there is `sha256`. */
const struct verb_error *putting_refusal(const struct putting *);
/* What was said last has to be said again later (refusal's `why`): no good sign. */
bool putting_is_later(const struct putting *);
/* The source has a session, over another connection than before: what was said over that one may be lost. */
void putting_connected(struct putting *, int64_t now_us);
void putting_disconnected(struct putting *);
bool putting_out(struct putting *, int64_t now_us, struct frame *);
/* Each frame that comes. True: it was the answer. */
bool putting_in(struct putting *, const struct frame *, int64_t now_us);
int64_t putting_deadline_us(const struct putting *);
/* True: make the connection anew, since what was said over this one is lost. */
bool putting_tick(struct putting *, int64_t now_us);
/* The source that attaches it, of that principal: ticket, name, media and content. The same once more is the same, so that whoever
 * comes next, with whichever client, finds the fact answered and goes on with the bytes. */
void putting_source(const char *principal, const char *ticket, const char *name, const char *media, const uint8_t sha256[32],
                    char out[EVENT_SOURCE_CAP]);
/* … and its incarnation, which is made from the name. */
void putting_incarnation(const char *source, uint8_t out[INCARNATION_BYTES]);

#endif
