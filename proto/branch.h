/* What aftercare-branch is asked by its applications and the command line, over its own socket: how it stands, what waits to be
 * sent, what was refused, and the branch's work as the centre last told it. */
#ifndef AFTERCARE_PROTO_BRANCH_H
#define AFTERCARE_PROTO_BRANCH_H

#include "event/event.h"
#include "proto/job.h"

struct branch_status_row {
    char service[16];              /* "branch" */
    char source[EVENT_SOURCE_CAP]; /* its name at intake */
    char stream[64];
    char line[16]; /* up, down, denied */
    char why[240];
    int64_t since_us;  /* the line is so since */
    int64_t heard_us;  /* the centre's last word */
    int64_t queued;    /* facts waiting to be answered */
    int64_t oldest_us; /* the oldest of them was taken then */
    int64_t queued_bytes;
    int64_t full_percent; /* of the spool's bounds */
    int64_t refused;      /* and neither corrected nor dropped */
    int64_t sent_n;       /* answered by the centre up to this number */
    int64_t last_n;       /* the highest number given out */
    int64_t pos;          /* the work list is true at this position */
    int64_t as_of_us;     /* … and at this time of the centre */
    int64_t list_heard_us; /* the branch's time when it was */
    int64_t list_age_s;    /* so long ago */
    int64_t clock_off_s;  /* the branch's clock is so far before the centre's */
    bool disk_full;       /* the last fact found no room on the disk */
    int64_t files;        /* whole here, and not sent */
};
struct branch_args {
    char key[65]; /* of the ticket, unit … */
    char state[16];
};
struct branch_job_row {
    char job[JOB_CAP], ticket[65], site[65], state[16];
    char queued[EVENT_TYPE_CAP]; /* the last thing said here about the ticket that still waits */
    int64_t offered_us, due_us;
    char engineer[65], kind[64], product[64], serial[64], priority[32], coverage[16], region[24], subject[200];
    char name[120], phone[48], address[240]; /* personal */
};
struct branch_limit_row {
    char limit[120], key[65], clause[32];
    int64_t k, target;
    char state[16];
    int64_t due_us, level;
    char queued[EVENT_TYPE_CAP];
};
struct branch_callback_row {
    char callback[80], ticket[65];
    int64_t k;
    char state[16];
    int64_t due_us, until_us;
    char queued[EVENT_TYPE_CAP];
    char name[120], phone[48]; /* personal */
};
struct branch_queued_row {
    int64_t n;
    char type[EVENT_TYPE_CAP], key[65], origin[EVENT_SOURCE_CAP];
    int64_t taken_us, bytes, clock_off_s;
};
struct branch_refused_args {
    int64_t n; /* this one alone, with its content */
    bool all;
};
struct branch_refused_row {
    int64_t n;
    char type[EVENT_TYPE_CAP], key[65], origin[EVENT_SOURCE_CAP];
    int64_t taken_us, refused_us, clock_off_s;
    char code[40], field[120], args[160];
    char state[16]; /* open, corrected, dropped */
    int64_t corrected_by;
    char reason[160], by[EVENT_BY_CAP];
    struct bytes draft;
};
struct branch_file_row {
    char sha256[65], ticket[65];
    char state[16]; /* awaited (by the branch), waits, going, held (the centre does not take it) */
    char code[40];
    int64_t bytes, here, sent, taken_us;
};
struct branch_drop_args {
    int64_t n;
    char reason[160], by[EVENT_BY_CAP];
};

extern const struct record branch_status_row_record, branch_args_record, branch_job_row_record, branch_limit_row_record,
    branch_callback_row_record, branch_queued_row_record, branch_refused_args_record, branch_refused_row_record,
    branch_drop_args_record, branch_file_row_record;

#endif
