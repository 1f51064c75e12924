/* From the spool to intake: a source (bus/source.h) whose memory is the spool. Numbers go out in order, as much at a time as the line
 * bears, only what is committed; after a break it goes on where intake says; what is answered is trimmed, what is refused is set
 * aside with the reason. Never called with the spool's transaction open. */
#ifndef AFTERCARE_BRANCH_FORWARD_H
#define AFTERCARE_BRANCH_FORWARD_H

#include "bus/source.h"
#include "pace.h"
#include "spool.h"

enum line_state {
    LINE_DOWN,   /* nobody answers */
    LINE_UP,
    LINE_DENIED  /* intake answers, and does not take this source */
};

struct forward_state {
    enum line_state line;
    int64_t since_us; /* wall time */
    int64_t heard_us; /* wall time of the last frame */
    char code[40], why[200];
    int64_t taken, refused, rounds; /* since the start: facts answered; connections made anew */
};

struct forward;
/* name: the branch's source at intake. stream "": learnt from intake's first answer, and kept. */
struct forward *forward_new(struct spool *, const char *name, const char *stream, int64_t wall_us);
void forward_destroy(struct forward **);
const struct forward_state *forward_state(const struct forward *);
/* The centre's time when the branch's boot clock stood at boot_us, as far as it is known; 0: not yet. */
int64_t forward_centre_us(const struct forward *, int64_t boot_us);
void forward_centre_heard(struct forward *, int64_t centre_us, int64_t boot_us);

void forward_connected(struct forward *, int64_t boot_us);
void forward_disconnected(struct forward *);
/* False: the connection should be made anew. */
bool forward_in(struct forward *, const struct frame *, int64_t boot_us, int64_t wall_us) MUST_CHECK;
bool forward_out(struct forward *, int64_t boot_us, struct frame *);
/* Commits what was answered and hands on what waits. STATUS_FULL: no room for it on the disk; STATUS_CLOSED: other trouble with the spool's
 * file; both later. STATUS_DOUBT: the process must begin anew. */
enum status forward_work(struct forward *, int64_t boot_us, int64_t wall_us) MUST_CHECK;
int64_t forward_deadline_us(const struct forward *);
/* True: make the connection anew. */
bool forward_tick(struct forward *, int64_t boot_us, int64_t wall_us);
/* The line stands and nothing waits for it: what comes after the facts may go. */
bool forward_is_free(const struct forward *);
/* While held nothing new is handed on; what is under way goes on. */
void forward_hold(struct forward *, bool held);
/* The first number that was not handed over in this session: it, and those behind it, have never left under this session. */
int64_t forward_untouched_n(const struct forward *);

#endif
