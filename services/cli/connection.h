/* The three ways to talk to intake: append (sender), read (feed), ask (asker), over real sockets
 * with deadlines. Trouble is said on standard error here, with what to do; the answer is the exit
 * code. */
#ifndef AFTERCARE_CLI_CONNECTION_H
#define AFTERCARE_CLI_CONNECTION_H

#include "bus/reader.h"
#include "bus/source.h"
#include "cli.h"
#include "event/stream.h"
#include "proto/questions.h"

#define GOES_ON (-1) /* not an exit code: nothing final has happened */

/* Position 1. CLI_DONE, or the exit code. */
int stream_read(const struct cli *, struct stream_created *) MUST_CHECK;

/* --- append ------------------------------------------------------------------------------------
 */
struct sender;
typedef void sender_answer(void *owner, const struct answer *);
/* Numbers from 1 to last (known beforehand) of a source whose name says what it sends, so that a
 * second run is the same source: its incarnation is made from the name. Each answer is told once,
 * in order, stored ones included. Waits for WELCOME. NULL: *code says why. */
struct sender *sender_open(const struct cli *, const char *stream, const char *source, int64_t last,
                           sender_answer *, void *owner, int *code);
void sender_close(struct sender **);
/* Numbers up to here were stored before this run. */
int64_t sender_durable(const struct sender *);
/* Copies. The numbers are counted by the sender. */
void sender_give(struct sender *, const struct bytes *drafts, size_t n, int64_t time_us);
size_t sender_pending(const struct sender *);
/* Files: frames that are no source's. Each frame that comes is told before the source sees it. */
typedef void sender_heard(void *owner, const struct frame *);
void sender_listen(struct sender *, sender_heard *, void *owner);
/* Another number than before: the connection is a new one, what was said over the old one may be lost. −1: it greets. */
int64_t sender_lines(const struct sender *);
/* Another connection, since this one does not answer. False: said so already. */
bool sender_anew(struct sender *);
/* What was said before has gone out. */
bool sender_is_clear(struct sender *);
/* Only while it is clear. */
void sender_say(struct sender *, const char *verb, struct bytes map);
/* One turn: sends, waits at most until deadline_us (boot time) for something, receives. GOES_ON or
 * an exit code. */
int sender_turn(struct sender *, int64_t deadline_us) MUST_CHECK;
/* Until nothing is unanswered. CLI_DONE or an exit code. */
int sender_flush(struct sender *) MUST_CHECK;
/* Clock source: until every worker has concluded up to the head. */
int sender_settle(struct sender *) MUST_CHECK;
/* One event from a source of its own ("operator/RANDOM"): the answer is copied into *answer, its
 * result's bytes into *result. */
int send_one(const struct cli *, const char *stream, const struct draft *, struct answer *,
             struct buf *result) MUST_CHECK;
/* The same of an event as it goes over the wire. */
int send_raw(const struct cli *, const char *stream, struct bytes event, struct answer *,
             struct buf *result) MUST_CHECK;
/* A branch's answer in words; CLI_DONE. key: the event's, where the answer has no ticket number. */
int branch_answer_print(const struct cli *, const char *type, const char *key,
                        const struct answer *);
/* Says a refusal in words; CLI_REFUSED. */
int refusal_say(const struct cli *, const struct problem *);
/* Who acts by hand: the login, for the operator's principal ("ann for operator"). */
void operator_by(char out[EVENT_BY_CAP]);
/* "operator/0123…": 8 random bytes. */
void source_random(const struct cli *, char out[EVENT_SOURCE_CAP]);

/* --- read --------------------------------------------------------------------------------------
 */
struct feed_listener {
    /* Once, when reading has begun: the stream's id and its last position. False: enough. May be NULL. */
    bool (*opened)(void *owner, const char *stream, uint64_t head);
    /* Each event; false: enough. */
    bool (*event)(void *owner, const struct event *);
    /* Everything up to the head has been told. May be NULL. */
    void (*head)(void *owner, uint64_t head);
};
/* Reads by `open` (its stream, consumer and credit are filled in). Without follow it ends at the
 * head. */
int feed_read(const struct cli *, const char *stream, const struct verb_open *open, bool verify,
              const struct feed_listener *, void *owner) MUST_CHECK;

/* --- ask ---------------------------------------------------------------------------------------
 */
struct asker;
struct asker *asker_new(const struct cli *);
void asker_destroy(struct asker **);
struct asking {
    const struct question_type *question;
    const void *args; /* the question's args record; NULL: none said */
    int64_t limit;    /* rows in all, 0: every one */
    int64_t at_least; /* position the answer must have seen */
    bool quiet;       /* say nothing when nobody answers */
    /* Each row, decoded by the question's row record; bytes in it are valid during the call. */
    void (*row)(void *owner, const struct record *, const void *row);
    void *owner;
};
int asker_ask(struct asker *, const struct asking *) MUST_CHECK;
/* A while until one asks again; who is told to stop meanwhile does. CLI_DONE, or the exit code. */
int asker_rest(struct asker *, int64_t us) MUST_CHECK;
/* Where the journal ends and what time it is there, by intake's own word (now_us may be NULL).
 * CLI_DONE, or the exit code. */
int head_ask(const struct cli *, int64_t *head, int64_t *now_us) MUST_CHECK;
/* The same as the feed tells whoever reads it, without the time. */
int head_read(const struct cli *, int64_t *head) MUST_CHECK;

#endif
