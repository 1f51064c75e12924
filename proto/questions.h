/* What may be asked over feed (ASK), by service: name, arguments, answer rows. The SQL is the service's own. */
#ifndef AFTERCARE_PROTO_QUESTIONS_H
#define AFTERCARE_PROTO_QUESTIONS_H

#include "record/record.h"

struct question_type {
    const char *to;   /* "dispatcher" */
    const char *name; /* "jobs" */
    const struct record *args;
    const struct record *row; /* the fields of an answer row; used for the catalogue and for tables on screen */
    const char *doc;
};
const struct question_type *question_find(const char *to, const char *name);
const struct question_type *question_at(size_t i);
/* The args record alone, as common/worker/run.h asks for it; NULL: no such question. */
const struct record *question_args(const char *to, const char *name);

/* Of every service: one row. */
struct status_row {
    char service[48];
    int64_t pos;      /* committed cursor (intake: head) */
    int64_t seen;     /* highest head heard of */
    int64_t upto;     /* conclusions shipped up to */
    int64_t in_flight, parked;
    int64_t checked_us;
    int64_t open_rows, memory_bytes;
};
/* Of every worker: events it has set aside because it could not handle them. */
struct parked_row {
    char event[24]; /* the position, 20 digits */
    int64_t pos;
    char key[65], type[48], reason[200];
    int64_t rec_us;  /* when the event was recorded */
    int64_t waiting; /* later ones of its key */
};
/* intake: refused. */
struct refused_args {
    char source[96], code[40];
    int64_t since_us, n;
    bool event, personal;
};
struct refused_row {
    char refusal[120], source[96];
    int64_t n, rec_us;
    char type[48], key[65], code[40], field[120], args[160];
    int64_t corrected;
    bool personal;
    struct bytes event;
};
/* reporting: report. With no `name` the answer lists the files of the closed period (no part); with one it is the piece of
 * that file at `offset`, at most REPORT_PART_BYTES. The bytes are the same each time they are asked for. */
#define REPORT_PART_BYTES 131072
struct report_args {
    char report[32]; /* "monthly" */
    char period[8];  /* "2011-08" */
    char name[120];
    int64_t offset;
};
struct report_row {
    char name[120], media[80];
    int64_t pos; /* the position it was closed at */
    int64_t bytes; /* of the whole file */
    uint8_t sha256[32];
    int64_t offset;
    struct bytes part;
};
/* sla-watchdog: limits, subject. */
struct limits_args {
    char key[65], clause[32], state[16], region[24];
};
struct limit_row {
    char limit[120], key[65], clause[32];
    int64_t k, target;
    char region[24], state[16];
    int64_t from_us, due_us, stopped_us, detected_us;
    int64_t level;
    bool reported_late, explained;
    char span[24], calendar[64], policy[64];
    int64_t line, start, tier, quantity;
};
struct subject_args {
    char key[65];
};
struct subject_row {
    char key[65], policy[64], kind[64], region[24], product[64], channel[32], priority[32], coverage[16], phase[32];
    int64_t quantity, opened_us, ended_us;
    bool ticket;
    int64_t forgotten;
};
/* dispatcher: jobs, why, sites, engineers · sla-watchdog: limits, subject · follow-up: callbacks · reporting: tickets, report, summary ·
 * intake: status, refused, units, policies, erasures. The other structs stand in questions.c: the columns that a service's SQL
 * gives carry their names, in any order; the first field is the answer's keyset. */

#endif
