/* How large a piece of a file the line bears, either way: a second or two each, or the other end's patience is too short for it. Where a
 * line is wide, pieces soon are as large as they may be. Pure: what took how long the owner says. */
#ifndef AFTERCARE_BUS_PIECES_H
#define AFTERCARE_BUS_PIECES_H

#include <stddef.h>
#include <stdint.h>

struct pieces {
    size_t bytes;    /* of the next piece */
    int64_t trip_us; /* there and back again, however little */
};

struct pieces pieces_start(void);
/* A question (PUT without bytes) was answered. */
void pieces_asked(struct pieces *, int64_t took_us);
/* A piece of so many bytes was. One shorter than it might have been does not tell that larger ones are borne. */
void pieces_sent(struct pieces *, size_t bytes, int64_t took_us);
/* A piece of so many bytes has come that was asked for (GET). Nothing is asked before; the quickest one tells of the way. */
void pieces_came(struct pieces *, size_t bytes, int64_t took_us);
/* The connection broke while one was on its way: it may have been the piece that broke it; small ones grow soon. */
void pieces_broken(struct pieces *, size_t bytes);

#endif
