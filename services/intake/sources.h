/* Who appends, without I/O: the numbers of each source, and the judgement of HELLO. A source is the principal's id, or that plus
 * "/suffix"; its numbers never restart. */
#ifndef AFTERCARE_INTAKE_SOURCES_H
#define AFTERCARE_INTAKE_SOURCES_H

#include "bus/verbs.h"

struct source_row {
    int64_t id; /* its number in the journal's rows */
    char name[EVENT_SOURCE_CAP];
    uint8_t incarnation[INCARNATION_BYTES];
    bool enrolled; /* an incarnation is known */
    bool frozen;
    int64_t last;       /* the highest number answered, batches under way included */
    int64_t refused_day;   /* days since 1970, UTC; the next two count in it */
    int64_t refused_n, refused_bytes; /* refusals kept */
    int64_t unkept;        /* of all times: numbers answered by a refusal that was not kept */
    int64_t upto;       /* a worker: its conclusions are in the journal up to there, batches under way included */
    /* Memory only. */
    bool dirty;         /* last or upto differ from what is stored */
    uint64_t session;   /* the session that may append, 0: none */
    int64_t applied;    /* a worker's committed cursor, as told */
    int64_t checked_us; /* a worker's checked_until, as told */
};

/* Each name is a row for ever, since its numbers never restart. Of new ones with a suffix a principal may begin so many in so many days;
 * those that are there go on, and its own name has room always. */
#define SOURCES_NEW_MAX 50000
#define SOURCES_NEW_DAYS 30

/* The principal's part of a source's name. False: not the form PRINCIPAL or PRINCIPAL/suffix. Until keys are in place this is all
 * that tells who somebody is; then the ZAP handler's User-Id takes its place, and this function only checks that they agree. */
bool source_principal(const char *source, char *principal, size_t cap) MUST_CHECK;

/* May this HELLO begin a session? known: the source's row, with everything committed; a source that was never seen has an
 * empty one. worker: any incarnation is let in, the newest session counts. False: denied says why. */
bool source_judge(const struct source_row *known, const struct verb_hello *, const char *stream, bool worker,
                  struct verb_denied *denied) MUST_CHECK;

/* A refusal is kept with its event, so that it can be corrected; what one source may have kept in a day is bounded. True: this one
 * is, and is counted. False: it is answered all the same, and counted as such. */
#define REFUSED_PER_DAY 10000
#define REFUSED_BYTES_PER_DAY (16 * 1024 * 1024)
bool source_keeps_refusal(struct source_row *, int64_t rec_us, size_t bytes, int64_t per_day);
/* An operator let in whatever comes next: all zero. */
bool source_is_any(const uint8_t incarnation[INCARNATION_BYTES]);

/* Where a number stands. */
enum source_place {
    PLACE_NEXT,   /* the one expected */
    PLACE_BEFORE, /* answered before: its stored answer, or CONFLICT */
    PLACE_GAP     /* beyond it */
};
enum source_place source_place(const struct source_row *, int64_t n);

#endif
