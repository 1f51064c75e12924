/* Inside the office: what its two files share. */
#ifndef AFTERCARE_BRANCH_OFFICE_INSIDE_H
#define AFTERCARE_BRANCH_OFFICE_INSIDE_H

#include "courier.h"
#include "office.h"

/* A question waits for the end of the turn: it is answered from what holds. */
struct question {
    struct bus_peer peer;
    struct buf map;
    struct question *next;
};

/* The answer to a PUT waits for the commit. */
struct have_due {
    struct bus_peer peer;
    struct verb_have have;
};
#define STUCK_US (5 * SECOND_US) /* with the spool's file, before people are told */
#define HAVES_MAX 8 /* pieces taken in one turn */

struct office {
    struct spool *spool;
    struct drawer *drawer;
    struct courier *courier;
    struct have_due haves[HAVES_MAX];
    size_t haves_n;
    bool drawer_failed; /* nothing of this turn holds */
    int64_t rounds;     /* of the centre's connections, as the courier knows them */
    struct worklist *list;
    struct taking taking;
    struct guests *guests;
    struct forward *forward;
    struct follow *follow;
    char source[EVENT_SOURCE_CAP], prefix[NUMBER_PREFIX_CAP];
    struct question *questions, **questions_end;
    struct office_now now;
    int64_t swept_us, forgot_us, reserved_us, no_room_us, begun_us, told_failed_us;
    int64_t stuck_us;      /* the spool cannot be read, or answers not stored, since (boot time); 0: all is well */
    int64_t told_retry_us; /* 0: what the feed told is stored */
    bool held;             /* facts wait for what the feed tells */
    uint64_t pos;          /* of the work list, when it moved last */
    int64_t moved_us;      /* then (boot time) */
    int64_t up_us;      /* the line is up since (boot time) */
    int64_t current_us; /* the feed was read up to its head then; 0: not since the start */
    char (*erased)[EVENT_KEY_CAP]; /* told by the feed, not stored yet */
    size_t erased_n;
    struct {
        char series[NUMBER_SERIES_CAP];
        int64_t n;
    } *numbers; /* the same */
    size_t numbers_n;
    bool blanks_due; /* refused or unsent facts are to be looked through for who was erased */
    bool facts_full, files_full; /* the last one found no room on the disk */
    int64_t disk_left;           /* −1: not known */
    int64_t room_us;             /* it was looked then */
    char folder[512];
    bool doubt;
    struct arena *arena;
    struct buf rows;
};

/* files.c: what applications bring. True: it was a PUT. */
bool office_put(struct office *, const struct bus_peer *, const struct frame *);
/* Before the facts' own. */
enum status files_commit(struct office *) MUST_CHECK;
void files_answer(struct office *, bool kept);
/* Files of refused facts that were corrected or left out go; after the commit of that. False: doubt. */
bool files_let_go(struct office *) MUST_CHECK;
/* What goes on to the centre. False: doubt. */
bool files_turn(struct office *);
/* Of who was erased: of a ticket that the spool names; then by the keys that the feed and the work list name, and all of it holds.
 * What is not STATUS_OK so far takes all of it back, and is answered. */
enum status files_erase_of(void *office, const char *ticket) MUST_CHECK;
enum status files_erase(struct office *, enum status so_far) MUST_CHECK;

/* room.c: something was taken, or found no room (none). */
void room_told(struct office *, bool *full, bool none, const char *what, const char *why);
/* Now and then. False: doubt. */
bool room_look(struct office *) MUST_CHECK;

/* Is the clock right, by the centre's? */
void office_clock_look(struct office *);
/* Answers one question. */
void office_answer(struct office *, const struct question *);

#endif
