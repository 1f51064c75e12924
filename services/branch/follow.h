/* The branch's reading of the feed: what its principal may see, of the types that the work list is made from, folded into it. Frames
 * and times go in, frames come out. Beside the list it tells the spool which ticket numbers are taken and which customer was
 * erased. */
#ifndef AFTERCARE_BRANCH_FOLLOW_H
#define AFTERCARE_BRANCH_FOLLOW_H

#include "bus/reader.h"
#include "worklist.h"

struct follow_listener {
    /* A ticket was registered under this number (ours or another's). */
    void (*number)(void *owner, const char *number);
    /* A customer was erased. Other than STATUS_OK: what is read counts for nothing, and comes again. */
    enum status (*erased)(void *owner, const char *customer);
    /* The centre's time. */
    void (*centre)(void *owner, int64_t centre_us);
};

struct follow_config {
    const char *consumer;
    char (*regions)[EVENT_REGION_CAP]; /* narrower than the principal may see; none: all it may */
    uint32_t regions_n;
    char (*sites)[EVENT_SITE_CAP];
    uint32_t sites_n;
};

struct follow;
struct follow *follow_new(struct worklist *, const struct follow_config *, const struct follow_listener *, void *owner);
void follow_destroy(struct follow **);
/* The stream is known: reading can begin. STATUS_OK, or the disk's trouble. */
enum status follow_begin(struct follow *, const char *stream, int64_t boot_us) MUST_CHECK;
bool follow_has_begun(const struct follow *);
/* Over the connection that stands now everything was read up to a head: what was erased meanwhile has been told. */
bool follow_is_current(const struct follow *);
/* Why reading stands still; "" it does not. */
const char *follow_trouble(const struct follow *);
int64_t follow_events(const struct follow *); /* since the start */

void follow_connected(struct follow *, int64_t boot_us);
void follow_disconnected(struct follow *);
bool follow_in(struct follow *, const struct frame *, int64_t boot_us, int64_t wall_us) MUST_CHECK;
bool follow_out(struct follow *, int64_t boot_us, struct frame *);
/* Commits what was read. */
void follow_work(struct follow *, int64_t boot_us, int64_t wall_us);
int64_t follow_deadline_us(const struct follow *);
bool follow_tick(struct follow *, int64_t boot_us); /* true: make the connection anew */

#endif
