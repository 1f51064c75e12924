/* Which of several intakes serves now. One writes the journal; another stands by and says MOVED to everybody; one that hangs says
 * nothing at all. All are asked at once, so that none of them has to be waited for. */
#ifndef AFTERCARE_BUS_FIND_H
#define AFTERCARE_BUS_FIND_H

#include "bus/socket.h"

/* Nothing of what was asked is answered for so long: who knows of another intake looks for it. */
#define FIND_SILENCE_US (4 * SECOND_US)

/* list: endpoints of cmd, or of feed (base/endpoints.h). Turns the loop until one of them has answered as who serves, until boot time
 * until_us at most; *at is its place in the list. A list of one is not asked. STATUS_AGAIN: none serves now; STATUS_CLOSED: told
 * to stop. */
enum status endpoints_find(struct loop *, const char *list, int64_t until_us, size_t *at) MUST_CHECK;

#endif
