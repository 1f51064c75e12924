/* The journal in PostgreSQL: one transaction a batch, the head by compare-and-set, stored answers, sources. One connection for that
 * and one that fetches archive rows while a commit is under way; both are the network thread's alone. */
#ifndef AFTERCARE_INTAKE_STORE_H
#define AFTERCARE_INTAKE_STORE_H

#include "journal.h"
#include "pg/pg.h"
#include "sources.h"
#include "table/table.h"

#define STORE_SCHEMA "intake"
#define STORE_PARTITION_ROWS 1000000

struct store {
    struct pg *pg, *fetch;
    struct pg_args *args;
    char holder[200];
    int64_t lease_ms;
    bool forced; /* takes over whoever holds the lease: an operator's word */
    uint64_t partitions_upto; /* positions before this one have a partition */
    int64_t partitions_rest_us; /* the next is asked for again from then */
};

void store_init(struct store *, const char *dsn, const char *holder, int64_t lease_ms);
void store_release(struct store *);
enum status store_connect(struct store *) MUST_CHECK;
/* The journal's own tables, up to date. Idempotent. */
enum status store_migrate(struct store *) MUST_CHECK;
/* The archive's, where they are not there. STATUS_REFUSED without an SQLSTATE: they are there by another definition (refold.h). */
enum status store_archive(struct store *) MUST_CHECK;
/* May this intake change the tables: nobody else's lease runs? STATUS_AGAIN: another's does. STATUS_ABSENT: there is no stream. */
enum status store_may_change(struct store *) MUST_CHECK;
/* The barrier: raises the epoch and becomes the holder; head is what is there. STATUS_AGAIN: another holder's lease runs.
 * STATUS_CLOSED: not now; the head may be locked by one that hangs, which is ended. */
enum status store_take_over(struct store *, struct journal *) MUST_CHECK;
/* Position 1. STATUS_ABSENT: there is no stream yet. */
enum status store_stream(struct store *, struct stream_created *) MUST_CHECK;
/* Partitions for at least half a partition beyond pos; while somebody's lock is in the way and there is room yet, later. */
enum status store_partitions(struct store *, uint64_t pos) MUST_CHECK;
/* A source's row; one that was never seen is made. STATUS_ABSENT: not this one, its principal has begun too many of late (sources.h). */
enum status store_source(struct store *, const char *name, struct source_row *) MUST_CHECK;

/* Sends the batch's transaction: journal, refusals, head, sources, archive. Its end is store_poll's to tell: STATUS_AGAIN under
 * way (wait for pg_socket), STATUS_OK durable, STATUS_REFUSED the head was another's (we are no longer the holder) or a bug,
 * STATUS_CLOSED/DOUBT: ask the database. */
enum status store_send(struct store *, const struct batch *, struct source_row *const *dirty, size_t dirty_n,
                       struct tables *) MUST_CHECK;
enum status store_poll(struct store *) MUST_CHECK;
/* The same, waited for until boot time until_us. */
enum status store_wait(struct store *, int64_t until_us) MUST_CHECK;
/* Keeps the lease while nothing is appended, what time was told to others (rec_us), and what sources said meanwhile: as things
 * stand in the journal, without numbers of a batch that is not committed. */
enum status store_renew(struct store *, const struct journal_head *, int64_t rec_us, struct source_row *const *dirty,
                        size_t dirty_n) MUST_CHECK;
void store_let_go(struct store *, const struct journal_head *);

/* Stored answers of numbers from … to, in order; at most limit. digest: of the raw event; empty where the refusal was not kept. */
typedef void stored_answer(void *owner, const struct answer *, struct bytes digest);
enum status store_answers(struct store *, const struct source_row *, int64_t from, int64_t to, int64_t limit, stored_answer *,
                          void *owner) MUST_CHECK;

#endif
