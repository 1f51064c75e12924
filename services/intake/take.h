/* Taking one event: decoded, its sender's rights checked, judged by the desk, put into the batch — or refused with a reason, which is
 * kept and answered again. No I/O: rows that are not in memory are misses, salts and time are handed in. */
#ifndef AFTERCARE_INTAKE_TAKE_H
#define AFTERCARE_INTAKE_TAKE_H

#include "desk.h"
#include "journal.h"
#include "sources.h"

struct taker {
    struct journal journal;
    struct tables *tables;
    struct desk_case desk;
    struct arena *arena; /* of one event */
    void *object;        /* its decoded data */
    size_t object_cap;
    struct buf scratch;
    int64_t refused_per_day; /* kept of one source; REFUSED_PER_DAY */
    int64_t taken, refused, unkept; /* since the start, for metrics */
    char denied[40]; /* of the event taken last: what its sender had no right to ("type", "region" …); "": nothing */
};

/* The stream's definition and head are filled in by who loads them. cache_rows: closed rows kept in memory per table. */
void taker_init(struct taker *, size_t cache_rows);
void taker_release(struct taker *);

enum take {
    TAKE_DONE, /* answer is filled in; the source's number is consumed */
    TAKE_MISS  /* nothing happened: fetch tables_misses() and come again */
};
/* `raw` is the element of APPEND's events with number n = source->last + 1. Appends its answer (verbs.h) to `answer`. */
enum take taker_take(struct taker *, struct batch *, struct source_row *source, struct bytes raw, int64_t n, int64_t now_us,
                     const uint8_t salt[SALT_BYTES], struct buf *answer) MUST_CHECK;
/* Asks for the rows that taking this one will need, so that a batch's misses are fetched together. */
void taker_touch(struct taker *, const struct source_row *, struct bytes raw);
void taker_touch_stored(struct taker *, const char *ticket, const struct file_stored *);
/* file.stored, where the desk awaits it; it may be a miss. Nothing is said of a file that is not awaited (any more). */
enum take taker_say_stored(struct taker *, struct batch *, const char *ticket, const struct file_stored *, int64_t now_us) MUST_CHECK;
/* An event of intake's own that also goes through the desk's fold (principal.added at the start of a stream). */
void taker_say(struct taker *, struct batch *, const char *type, const char *key, const void *data, int64_t now_us);

#endif
