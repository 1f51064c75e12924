/* libaftercare: a client of aftercare's stream in C. proto/README.md is the authority. Opened with a key file it reads events
 * (in order, without a hole, each once, links verified), takes a committed position, appends facts and asks questions.
 *
 * One thread a client. A call that fails returns false (aftercare_next: AFTERCARE_FAILED), and aftercare_code() says why for
 * good; what passes (nobody there, a restart, BUSY) is waited for, at most `patience_s` at a time. Memory that is not there
 * ends the process. */
#ifndef AFTERCARE_H
#define AFTERCARE_H

#include <msgpack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define AFTERCARE_LINK 16

struct aftercare;

/* Never NULL. The key file is its owner's alone (mode 0600). patience_s 0: for ever. */
struct aftercare *aftercare_open(const char *key_file, int patience_s);
void aftercare_close(struct aftercare **); /* after what was opened with it: it waits for that */
/* "" as long as all is well; then fork, ahead, denied.CODE, hole, link, priv, corrupt, version, conflict, silent, state, key, credit; of
 * a question its service's own; of what the caller gave: name, filter, malformed. */
const char *aftercare_code(const struct aftercare *);
const char *aftercare_why(const struct aftercare *); /* for people */

/* What a map holds under a name; NULL: nothing. */
const msgpack_object *aftercare_get(const msgpack_object *map, const char *name);
int64_t aftercare_int(const msgpack_object *map, const char *name);
/* A text, cut to cap − 1 bytes; "" where there is none. */
const char *aftercare_text(const msgpack_object *map, const char *name, char *out, size_t cap);

/* --- reading ----------------------------------------------------------------------------------------- */
struct aftercare_event {
    int64_t pos, v;
    char type[64], key[72];
    msgpack_object body;            /* the whole: proto/README.md, An event */
    const msgpack_object *data;     /* a map */
    const msgpack_object *personal; /* a map; NULL: none, withheld or erased */
};
struct aftercare_batch { /* borrowed until the next call for its reader */
    const struct aftercare_event *events;
    size_t n;
    int64_t after, upto;          /* (upto, link) is the cursor to keep, in the transaction of what the events did */
    uint8_t link[AFTERCARE_LINK];
};
struct aftercare_reading {
    int64_t after;                    /* the cursor kept last; 0: from the beginning */
    uint8_t link[AFTERCARE_LINK];     /* all zero: not known */
    const char *const *types, *const *regions, *const *sites, *const *keys; /* filters, ended by NULL; NULL: none */
    const char *const *needs;         /* "ticket.registered/1": the newest version understood; ended by NULL */
    bool follow;                      /* go on behind the head */
    int64_t credit;                   /* bytes; 0: 1 MiB */
    const char *name;                 /* of this reader, behind the principal's; NULL: none */
};
enum aftercare_next { AFTERCARE_BATCH, AFTERCARE_CAUGHT_UP, AFTERCARE_FAILED };

struct aftercare_reader;
/* The texts that `reading` points to stay the caller's and have to last. */
struct aftercare_reader *aftercare_read(struct aftercare *, const struct aftercare_reading *);
/* The next batch, waited for. AFTERCARE_CAUGHT_UP: the head is reached (without `follow` only). */
enum aftercare_next aftercare_next(struct aftercare_reader *, struct aftercare_batch *);
/* What the batch did stands: its credit goes back. */
void aftercare_commit(struct aftercare_reader *, const struct aftercare_batch *);
void aftercare_reader_close(struct aftercare_reader **);

/* --- appending --------------------------------------------------------------------------------------- */
struct aftercare_bytes {
    const void *data;
    size_t len;
};
struct aftercare_answer {
    int64_t n;
    int64_t pos;                  /* where it was taken; 0: refused for good, or, without a code, kept by a branch that sends it on */
    const msgpack_object *result; /* taken: a map, or NULL */
    const char *code, *field;     /* refused; "" */
};
typedef void aftercare_on_answer(void *owner, const struct aftercare_answer *);

struct aftercare_source;
/* state: a file that belongs to this source for ever. What aftercare_append() was given stands in it before it is sent, and is
 * taken exactly once over whatever is killed: who opens the file next sends it again, and hears its answers before this
 * returns. NULL: a source of this life only; what has its answer is in the journal, the fate of the rest dies with the process.
 * name: behind the principal's; NULL: none. NULL is returned where it failed. */
struct aftercare_source *aftercare_source(struct aftercare *, const char *state, const char *name, aftercare_on_answer *, void *owner);
int64_t aftercare_source_n(const struct aftercare_source *); /* the number that the next event gets */
/* Events as msgpack maps {type, v, key, at, by, cause, data, priv}, borrowed until this returns. True: each was answered, by a
 * call of on_answer, in order. */
bool aftercare_append(struct aftercare_source *, const struct aftercare_bytes *events, size_t n);
void aftercare_source_close(struct aftercare_source **);

/* --- asking ------------------------------------------------------------------------------------------ */
typedef void aftercare_on_row(void *owner, const msgpack_object *row);
/* All rows, page by page. args: a msgpack map, or NULL; at_least: waits for this position; as_of (may be NULL): the position
 * that the last page holds for. */
bool aftercare_ask(struct aftercare *, const char *to, const char *question, const struct aftercare_bytes *args, int64_t at_least,
                   aftercare_on_row *, void *owner, int64_t *as_of);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
