/* The bytes of files that wait at the branch: in a SQLite file of their own beside the spool, in the pieces they came in. A fact
 * (file.attached) in the spool has named each; an application brings the bytes with PUT, and they go on when no fact waits
 * (courier.h). Calls change the open transaction; drawer_commit ends it, and only then may anybody be told. */
#ifndef AFTERCARE_BRANCH_DRAWER_H
#define AFTERCARE_BRANCH_DRAWER_H

#include "base/digest.h"
#include "bus/verbs.h"

struct drawer;

/* bytes_max: of all that waits. NULL: error says why. */
struct drawer *drawer_open(const char *path, int64_t bytes_max, char *error, size_t error_cap);
void drawer_close(struct drawer **);
const char *drawer_error(const struct drawer *);
enum status drawer_commit(struct drawer *) MUST_CHECK;
void drawer_rollback(struct drawer *);

/* Fact n names it, and says how long it is: its bytes may come. Facts that say different lengths are all right until one of them proves
 * true. To be committed before the fact is. Later facts have higher numbers. */
enum status drawer_expect(struct drawer *, const uint8_t sha256[DIGEST_BYTES], int64_t bytes, const char *ticket, int64_t n, int64_t now_us) MUST_CHECK;
/* A piece, or the question how far it is. The answer holds when the transaction does. */
enum status drawer_put(struct drawer *, const struct verb_put *, int64_t now_us, struct verb_have *) MUST_CHECK;

/* Fact n that named it will never be taken: without another one (of this ticket or another) it is nobody's any more; nothing, where it
 * has gone since and was named anew. To be committed after what settled the fact: said once too seldom its bytes stay until they are
 * forgotten, once too often they go too early. */
enum status drawer_let_go(struct drawer *, const uint8_t sha256[DIGEST_BYTES], const char *ticket, int64_t n) MUST_CHECK;

/* The oldest that is whole here and may be sent now. STATUS_ABSENT: none. */
struct drawer_file {
    uint8_t sha256[DIGEST_BYTES];
    int64_t bytes;
};
enum status drawer_next(struct drawer *, int64_t boot_us, struct drawer_file *) MUST_CHECK;
/* Up to n bytes from `offset` on. STATUS_ABSENT: there are none. */
enum status drawer_read(struct drawer *, const uint8_t sha256[DIGEST_BYTES], int64_t offset, size_t n, struct buf *) MUST_CHECK;
/* The centre has it: its bytes go, that it was sent is remembered. */
enum status drawer_sent(struct drawer *, const uint8_t sha256[DIGEST_BYTES], int64_t now_us) MUST_CHECK;
/* It is nobody's any more. */
enum status drawer_drop(struct drawer *, const uint8_t sha256[DIGEST_BYTES]) MUST_CHECK;
/* Not before then (boot time; a new start forgets it); code: what the centre said. */
enum status drawer_hold(struct drawer *, const uint8_t sha256[DIGEST_BYTES], int64_t until_us, const char *code) MUST_CHECK;

/* The personal data of who this ticket is about are gone: what belongs to it alone goes too. */
enum status drawer_erase(struct drawer *, const char *ticket) MUST_CHECK;
/* What was sent, never came whole, or found no taker for long. */
enum status drawer_forget(struct drawer *, int64_t now_us) MUST_CHECK;
/* After a commit: nothing that was taken out stays in the log. */
enum status drawer_sweep(struct drawer *) MUST_CHECK;

/* Writes something of a piece's size and takes it out again: is there room on the disk? STATUS_FULL: no. */
enum status drawer_probe(struct drawer *) MUST_CHECK;

int64_t drawer_waiting(const struct drawer *); /* files that are whole here and not sent */
/* The next one not sent, in the order of digest and ticket. STATUS_ABSENT: none. ticket "": of any. */
struct drawer_row {
    uint8_t sha256[DIGEST_BYTES];
    char ticket[EVENT_KEY_CAP], code[40];
    int64_t bytes, upto, taken_us;
    bool whole;
};
enum status drawer_row(struct drawer *, const struct drawer_row *after, const char *ticket, struct drawer_row *out) MUST_CHECK;

#endif
