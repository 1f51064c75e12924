/* What is still to be sent: read from the stream and kept, with each hook's cursor, in one SQLite file, until it was taken. An event
 * and the cursor behind it are committed together, so that none is left out; one is sent twice only when its answer was lost. */
#ifndef AFTERCARE_WEBHOOK_QUEUE_H
#define AFTERCARE_WEBHOOK_QUEUE_H

#include "base/digest.h"
#include "event/event.h"
#include "hooks.h"

/* So many wait for one hook at most; then its reader gives no more credit. */
#define QUEUE_WAITING_MAX 100000

enum delivery_state { DELIVERY_WAITS, DELIVERY_PARKED, DELIVERY_SKIPPED };

struct cursor {
    int64_t pos; /* read up to; -1: it has not begun */
    uint8_t link[LINK_BYTES];
    uint8_t filter[DIGEST_BYTES];
};

struct delivery {
    char hook[HOOK_NAME_CAP];
    int64_t pos;
    char key[EVENT_KEY_CAP], type[EVENT_TYPE_CAP];
    struct bytes body; /* JSON; borrowed until the next call */
    int64_t attempts, first_us, next_us;
    enum delivery_state state;
    int64_t status; /* of the last answer, 0: none */
    char why[121];
    int64_t behind; /* parked: how many of its key wait */
};

struct waiting {
    int64_t waiting, parked, oldest_pos;
};

struct queue;
/* NULL: error says why. */
struct queue *queue_open(const char *path, char *error, size_t error_cap);
void queue_close(struct queue **);
const char *queue_error(const struct queue *);

enum status queue_cursor(struct queue *, const char *hook, struct cursor *) MUST_CHECK; /* STATUS_ABSENT: a new hook */
/* One event more, in the open transaction. Behind others of its key it waits until they are gone. */
enum status queue_add(struct queue *, const struct delivery *) MUST_CHECK;
/* The cursor, and everything added since, durable. */
enum status queue_commit(struct queue *, const char *hook, const struct cursor *) MUST_CHECK;

/* The next that may be sent: due, first of its key, not among `flying` (positions). STATUS_ABSENT: none now. Its body is
 * borrowed until the next call. */
enum status queue_next(struct queue *, const char *hook, int64_t now_us, const int64_t *flying, size_t flying_n, struct delivery *) MUST_CHECK;
/* When something becomes due by itself; INT64_MAX: nothing will. */
enum status queue_due_us(struct queue *, const char *hook, int64_t *due_us) MUST_CHECK;
enum status queue_taken(struct queue *, const struct delivery *) MUST_CHECK;
/* Its attempts, first_us, next_us, state, status and why as they are given. */
enum status queue_failed(struct queue *, const struct delivery *) MUST_CHECK;
/* The other side is back: nobody waits for his own pause. */
enum status queue_wake(struct queue *, const char *hook) MUST_CHECK;
enum status queue_count(struct queue *, const char *hook, struct waiting *) MUST_CHECK;

/* --- by hand ---------------------------------------------------------------------------------------- */
/* Parked and skipped ones of a hook (NULL: of all), by position; `tell` may not call the queue. */
enum status queue_parked(struct queue *, const char *hook, void (*tell)(void *owner, const struct delivery *), void *owner) MUST_CHECK;
/* Those that are parked: at pos, or pos 0: all of the hook. *n: how many. Skipping keeps the row, with the reason. */
enum status queue_retry(struct queue *, const char *hook, int64_t pos, int64_t *n) MUST_CHECK;
enum status queue_skip(struct queue *, const char *hook, int64_t pos, const char *why, int64_t *n) MUST_CHECK;

#endif
