/* The branch: what it takes (guests), keeps (spool), sends on (forward), reads (follow) and answers (asked). Frames and times come
 * in, frames go out, rows go to its two files; sockets and clocks stand at the edge. A turn is: local frames, frames of the
 * centre, office_turn, then what is to be sent. */
#ifndef AFTERCARE_BRANCH_OFFICE_H
#define AFTERCARE_BRANCH_OFFICE_H

#include "follow.h"
#include "forward.h"
#include "guests.h"

struct office_config {
    const char *folder; /* where its files are; it exists */
    const char *source; /* its name at intake */
    const char *stream; /* "": learnt */
    const char *prefix; /* of ticket numbers */
    const struct zone *zone;
    struct spool_limits limits;
    int64_t file_bytes_max; /* of files that wait */
    struct follow_config follow;
};

struct office_now {
    int64_t wall_us, boot_us;
};

struct office;
struct office *office_open(const struct office_config *, struct office_now, char *error, size_t error_cap);
void office_close(struct office **);
struct forward *office_forward(struct office *);
struct follow *office_follow(struct office *);
const struct spool_state *office_spool(const struct office *);

/* A frame of an application or of the command line. */
void office_local(struct office *, const struct bus_peer *, const struct frame *, struct office_now);
/* Of the centre's connection for facts: an answer about a file; others are left alone. And what is to be said of files, after the facts. */
void office_file_in(struct office *, const struct frame *, struct office_now);
bool office_file_out(struct office *, struct frame *);
bool office_file_tick(struct office *, struct office_now); /* true: make that connection anew */
/* So much was taken that it is time to commit. */
bool office_is_sated(const struct office *);
bool office_local_out(struct office *, struct bus_peer *, struct frame *);
/* Commits, answers, hands on. False: nobody knows what the disk holds; the process must begin anew. */
bool office_turn(struct office *, struct office_now) MUST_CHECK;
int64_t office_deadline_us(const struct office *);
void office_status(struct office *, struct office_now, struct branch_status_row *);
/* What people should be told, for health: "" nothing. */
void office_health(struct office *, struct office_now, char *out, size_t cap);

#endif
