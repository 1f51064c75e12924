/* One connection to who serves at one of several addresses, for a daemon that keeps it for ever: made anew whenever it breaks, at the
 * next address in turn, since one that hangs, or stands by for another, is not waited for. Who asks once uses bus/find.h. */
#ifndef AFTERCARE_BUS_LINE_H
#define AFTERCARE_BUS_LINE_H

#include "base/endpoints.h"
#include "bus/socket.h"

/* The owner's; it may look at `socket` (NULL: none) and `broken`. */
struct bus_line {
    struct loop *loop;
    char name[64]; /* for the log */
    char list[ENDPOINTS_CAP];
    size_t next; /* of the list */
    struct bus_socket *socket;
    int64_t again_us; /* not before */
    bool broken;
};

/* Closed at first; list as settings have it. What comes wakes the loop. */
void bus_line_init(struct bus_line *, struct loop *, const char *name, const char *list);
void bus_line_close(struct bus_line *);
/* It is of no use any more: to be made anew. */
void bus_line_break(struct bus_line *);
/* There is none, or a broken one, and it may be made anew now. */
bool bus_line_is_due(const struct bus_line *, int64_t boot_us);
/* Makes it at the next address. False: not this time (told in the log). */
bool bus_line_open(struct bus_line *, int64_t boot_us);
/* INT64_MAX: it stands. */
int64_t bus_line_deadline_us(const struct bus_line *);
/* The next frame. STATUS_AGAIN: none, or none any more. What is not a frame breaks it. */
enum status bus_line_receive(struct bus_line *, struct frame *) MUST_CHECK;
bool bus_line_stands(const struct bus_line *);
/* A socket that takes nothing more is full of what nobody fetches: it breaks, and a new one begins empty. */
void bus_line_send(struct bus_line *, const struct frame *);

#endif
