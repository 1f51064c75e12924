/* A conversation with feed or cmd for who waits for it, in a process that may be another's: what a machine has to say goes out, what
 * comes goes in, and a connection in doubt is made anew, at the next endpoint (T5) or where MOVED says, and later each time until
 * something good came (T6). No loop, no signals, no log; daemons use bus/line.h. */
#ifndef AFTERCARE_BUS_TALK_H
#define AFTERCARE_BUS_TALK_H

#include "base/endpoints.h"
#include "bus/socket.h"

enum talk_machine { TALK_READER, TALK_SOURCE, TALK_INQUIRY, TALK_GETTING };

/* The owner's, and so is the machine. He sets the first five. */
struct talk {
    struct bus_client *bus;
    enum talk_machine kind;
    void *machine;             /* struct reader, struct source, struct inquiry, struct getting */
    char list[ENDPOINTS_CAP];  /* as settings have them */
    int64_t patience_us;       /* nothing good in so long ends it; 0: for ever */
    struct bus_socket *socket; /* NULL: there is none yet */
    int64_t until_us;          /* no turn waits longer, whatever the machine would; 0: it decides */
    int64_t lines;             /* connections made so far */
    struct frame frame;        /* that came last; borrowed until the next one */
    char error[160];
    size_t next; /* of the list */
    int64_t pause_us, silent_us;
};

/* One step: says what is to be said, and waits until the machine's deadline for a frame. STATUS_OK: the machine has taken one;
 * STATUS_AGAIN: not yet; STATUS_CLOSED: out of patience; STATUS_REFUSED: an endpoint or a key is none. `error` says why. */
enum status talk_turn(struct talk *) MUST_CHECK;
/* Says what is to be said, where there is a connection. */
void talk_flush(struct talk *);
void talk_say(struct talk *, const char *verb, struct bytes map);
/* What only the owner can tell of what came (T6): it was good; or it was not, and there is no more patience. */
void talk_good(struct talk *);
bool talk_is_out_of_patience(struct talk *);
/* Another connection, with the next turn. */
void talk_anew(struct talk *);
/* What was said last gets two seconds to go out. */
void talk_close(struct talk *);

#endif
