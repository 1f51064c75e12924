/* What the branch has taken and intake has not answered yet, in a SQLite file that is synced at each commit: what was answered to
 * an application stands here, whatever happens to the process or the machine. Facts carry the branch's numbers 1, 2, 3 … and go
 * by ACK only; refused ones move aside with their reason. Calls change the open transaction; spool_commit ends it, and only
 * then may anybody be told. */
#ifndef AFTERCARE_BRANCH_SPOOL_H
#define AFTERCARE_BRANCH_SPOOL_H

#include "base/digest.h"
#include "bus/verbs.h"

#define SPOOL_READ_MAX 64 /* facts in one piece of spool_read */

struct spool;

struct spool_limits {
    int64_t facts_max, bytes_max; /* of drafts waiting */
};

struct spool_state {
    char stream[64];                       /* "" until it was learnt */
    uint8_t incarnation[INCARNATION_BYTES]; /* made with the file */
    bool welcomed;                         /* intake has told once where the numbers go on */
    int64_t last;                          /* the highest number given out */
    int64_t first;                         /* the oldest waiting, last + 1: none */
    int64_t facts, bytes;                  /* waiting */
    int64_t oldest_us;                     /* the oldest one was taken then; 0: none waits */
    int64_t refused;                       /* refused and not settled */
};

/* NULL: error says why. A new file gets random bytes as its incarnation. */
struct spool *spool_open(const char *path, const struct spool_limits *, char *error, size_t error_cap);
void spool_close(struct spool **);
const struct spool_state *spool_state(const struct spool *);
const char *spool_error(const struct spool *);

/* STATUS_FULL: no room on the disk, nothing of this transaction holds. STATUS_DOUBT: only a new start tells. */
enum status spool_commit(struct spool *) MUST_CHECK;
/* Memory follows. */
void spool_rollback(struct spool *);

/* --- taking --------------------------------------------------------------------------------------- */

/* Who gives facts to the branch: an application with numbers of its own. */
struct spool_origin {
    int64_t id; /* 0: not stored yet */
    char name[EVENT_SOURCE_CAP];
    uint8_t incarnation[INCARNATION_BYTES];
    int64_t last; /* the highest of its numbers that was answered */
};
/* STATUS_ABSENT: it was never seen; *out has its name and no more. */
enum status spool_origin(struct spool *, const char *name, struct spool_origin *out) MUST_CHECK;
/* Stores it as it is; a new one gets its id. */
enum status spool_origin_keep(struct spool *, struct spool_origin *, int64_t now_us) MUST_CHECK;
/* The answer that was given to n. STATUS_ABSENT: none is kept. */
enum status spool_answer(struct spool *, int64_t origin, int64_t n, uint8_t digest[DIGEST_BYTES], struct buf *answer) MUST_CHECK;
enum status spool_answer_keep(struct spool *, int64_t origin, int64_t n, const uint8_t digest[DIGEST_BYTES], struct bytes answer,
                              int64_t now_us) MUST_CHECK;
/* Forgets the answers before n: who says so has them. */
enum status spool_answers_forget(struct spool *, int64_t origin, int64_t n) MUST_CHECK;
/* What is not asked for any more: answers, idempotency keys and settled refusals from before then. */
enum status spool_forget(struct spool *, int64_t before_us) MUST_CHECK;

/* No room by the settings; and the mark at which people are warned. */
bool spool_is_full(const struct spool *);
bool spool_is_nearly_full(const struct spool *);
int64_t spool_full_percent(const struct spool *);

/* A file beside the spool keeps some room of the disk: taking an answer needs room too, and without it a full disk would stay full
 * for ever. Given up when an answer finds none, made again when there is some; meanwhile nothing is taken but into an empty spool. */
void spool_reserve(struct spool *);
/* STATUS_OK: there is room to go on with. STATUS_FULL: it was given up before. */
enum status spool_give_up_reserve(struct spool *) MUST_CHECK;
bool spool_has_reserve(const struct spool *);
bool spool_lacks_disk(const struct spool *); /* nothing may be taken for want of it */

/* Writes something of a fact's size and takes it out again: is there room? STATUS_FULL: no. */
enum status spool_probe(struct spool *) MUST_CHECK;

struct spool_fact {
    const char *type, *key;
    struct bytes draft;
    int64_t taken_us;
    int64_t clock_off_us; /* the branch's clock was so far before the centre's; 0: right, or not known */
    const char *origin;   /* name */
};
/* Gives it the next number. */
enum status spool_take(struct spool *, const struct spool_fact *, int64_t *n) MUST_CHECK;
/* The next of a series of ticket numbers; and the centre has seen this one. */
enum status spool_series_next(struct spool *, const char *series, int64_t *n) MUST_CHECK;
enum status spool_series_seen(struct spool *, const char *series, int64_t n) MUST_CHECK;
/* The result that a registration with this idempotency key got. STATUS_ABSENT: none did. Kept again (it was corrected) the last one holds. */
enum status spool_request(struct spool *, const char *request_id, struct buf *result) MUST_CHECK;
enum status spool_request_keep(struct spool *, const char *request_id, struct bytes result, int64_t now_us) MUST_CHECK;
/* It came to nothing: who says it again is registered. */
enum status spool_request_forget(struct spool *, const char *request_id) MUST_CHECK;

/* --- forwarding ----------------------------------------------------------------------------------- */

enum status spool_stream_keep(struct spool *, const char *stream) MUST_CHECK;
/* The first WELCOME of a new spool: numbers go on behind `durable`; what waits is numbered anew. */
enum status spool_welcomed(struct spool *, int64_t durable) MUST_CHECK;

/* Up to SPOOL_READ_MAX waiting drafts from n on, together at most bytes_max (but one in any case). The bytes are in `out`. */
struct spool_piece {
    int64_t n; /* of the first */
    uint32_t count;
    struct bytes drafts[SPOOL_READ_MAX];
    struct buf bytes;
};
enum status spool_read(struct spool *, int64_t from, size_t bytes_max, struct spool_piece *out) MUST_CHECK;
/* Intake has answered everything up to n; those it refused have been told by spool_refuse before. */
enum status spool_trim(struct spool *, int64_t n) MUST_CHECK;
enum status spool_refuse(struct spool *, const struct answer *, int64_t now_us) MUST_CHECK;

/* --- what is shown, and put right ------------------------------------------------------------------ */

enum refused_state { REFUSED_OPEN, REFUSED_CORRECTED, REFUSED_DROPPED };
struct spool_refused {
    int64_t n, taken_us, refused_us, clock_off_us;
    char type[EVENT_TYPE_CAP], key[EVENT_KEY_CAP], origin[EVENT_SOURCE_CAP];
    struct problem problem;
    enum refused_state state;
    int64_t corrected_by; /* the number it was sent again under */
    char reason[160], by[EVENT_BY_CAP]; /* dropped */
    struct bytes draft; /* valid until the next call; empty once it is settled */
};
/* The first refused one with a number of at least n, settled ones too where `all`. STATUS_ABSENT: none. */
enum status spool_refused(struct spool *, int64_t n, bool all, struct spool_refused *out) MUST_CHECK;
/* It was sent again as `by`, or is left out. STATUS_ABSENT: there is none, or it is settled. */
enum status spool_corrected(struct spool *, int64_t n, int64_t by) MUST_CHECK;
enum status spool_dropped(struct spool *, int64_t n, const char *reason, const char *by) MUST_CHECK;

struct spool_waiting {
    int64_t n, taken_us, clock_off_us, bytes;
    char type[EVENT_TYPE_CAP], key[EVENT_KEY_CAP], origin[EVENT_SOURCE_CAP];
};
/* The first waiting one with a number of at least n (key "": any). */
enum status spool_waiting(struct spool *, int64_t n, const char *key, struct spool_waiting *out) MUST_CHECK;
/* The last thing about this key that waits. */
enum status spool_waiting_last(struct spool *, const char *key, struct spool_waiting *out) MUST_CHECK;

/* --- personal data -------------------------------------------------------------------------------- */

/* A key or customer whose personal data are gone at the centre: what was taken up to now must not bring them back. Remembered
 * until everything up to now is answered. */
enum status spool_erased_keep(struct spool *, const char *key_or_customer) MUST_CHECK;
/* Takes the personal part out of refused drafts, and of those waiting from `untouched` on, that are about someone remembered, or
 * about a ticket that waits here for having been registered by one: earlier ones may be on their way, and their bytes count.
 * gone: how many are without it now, or have been answered since; then the log holds bytes of theirs. `learnt` is called with each
 * such ticket, once it is found (again after a rollback); what it answers ends the erasure. NULL: nobody wants to know. */
typedef enum status spool_learnt(void *owner, const char *ticket);
enum status spool_erase(struct spool *, int64_t untouched, spool_learnt *learnt, void *owner, int64_t *gone) MUST_CHECK;
bool spool_has_erased(const struct spool *);
/* After the commit of an erasure: nothing of it stays in the log. */
enum status spool_sweep(struct spool *) MUST_CHECK;

#endif
